"""Every benchmark runs at a tiny size and prints its table."""

from __future__ import annotations

import importlib

import pytest

from benchmarks import core
from benchmarks.__main__ import NAMES


def test_the_core_is_measured_part_by_part(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", database)
    core.main(quick=True, n=500)
    printed = capsys.readouterr().out
    for part in ("loading", "dataset versions", "many at once", "predictions", "ask", "search"):
        assert f"core: {part}" in printed or f"core: what analysts {part}" in printed
    assert "moved" in printed
    assert "recall@10 1.000, 0 short" in printed
    assert "SHORT" not in printed


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_named_on_the_command_line_can_run(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").main)
