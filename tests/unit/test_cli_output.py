"""Tables and JSON on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smartdb.cli import output


def test_a_table_in_a_pipe_is_aligned_and_shortens_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.table([("x" * 300, 1), ("y", None)], ["name", "n"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["name" + " " * 298 + "n", "x" * 300 + "  1", "y"]


def test_an_empty_table_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([], ["name", "n"])
    assert capsys.readouterr().out == "name  n\n"


def test_a_file_name_cannot_break_the_line_or_control_the_terminal() -> None:
    assert output.cell("a\nb\x1b[31m\udcff") == r"a\nb\x1b[31m\udcff"
    assert output.cell("Zürich 日本") == "Zürich 日本"
    assert output.cell(0.123456) == "0.1235"


def test_a_terminal_gets_a_drawn_table_with_markup_as_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    output.table([("[red]a[/red]",)], ["name"])
    assert "[red]a[/red]" in capsys.readouterr().out


def test_json_writes_times_and_paths_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"at": datetime(2026, 1, 2, tzinfo=UTC), "in": Path("/a")})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-01-02 00:00:00+00:00", "in": "/a"}


def test_progress_is_quiet_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("reading", 2) as advance:
        advance(1)
        advance(1)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
