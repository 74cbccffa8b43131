"""The commands ingest, sources and quarantine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Cli = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    at = tmp_path / "pictures"
    at.mkdir()
    Image.linear_gradient("L").save(at / "good.png")
    (at / "cut.png").write_bytes((at / "good.png").read_bytes()[:200])
    return at


def test_ingest_prints_counts_and_says_what_to_look_at(cli: Cli, folder: Path) -> None:
    result = cli("ingest", str(folder), "--workers", "1", "--licence", "CC0-1.0")
    assert result.exit_code == 0, result.output
    assert dict(line.split() for line in result.stdout.splitlines()[1:]) == {
        "added": "1", "known": "0", "same_bytes": "0", "changed": "0", "refused": "1",
        "skipped": "0", "read": "2", "missing": "0", "moved": "0",
    }  # fmt: skip
    assert result.stderr == "1 refused; see: smartdb quarantine list\n"
    again = cli("ingest", str(folder), "--json")
    assert json.loads(again.stdout)["known"] == 1
    assert "nothing new" in again.stderr

    (source,) = json.loads(cli("sources", "--json").stdout)
    assert (source["source"], source["licence"], source["n_files"]) == ("pictures", "CC0-1.0", 1)
    assert "pictures" in cli("sources").stdout


def test_quarantine_lists_and_retries(cli: Cli, folder: Path) -> None:
    cli("ingest", str(folder), "--workers", "1", "--source", "s")
    (refusal,) = json.loads(cli("quarantine", "list", "--json").stdout)
    assert refusal["reason"] == "truncated"
    assert "cut.png" in cli("quarantine", "list", "--reason", "truncated").stdout
    assert "cut.png" not in cli("quarantine", "list", "--source", "another").stdout
    (folder / "cut.png").unlink()
    assert json.loads(cli("quarantine", "retry", "--json").stdout)["gone"] == 1


def test_a_folder_that_cannot_be_ingested_is_one_error_line(cli: Cli, tmp_path: Path) -> None:
    result = cli("ingest", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: no such folder: {tmp_path}/nowhere;")
    assert result.stderr.count("\n") == 1
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    result = cli("ingest", str(tmp_path / "texts"))
    assert result.exit_code == 2
    assert "no image or video among its 1 files" in result.stderr


@pytest.mark.parametrize(
    "command", ["ingest", "sources", "quarantine", "quarantine list", "quarantine retry"]
)
def test_each_command_has_help(cli: Cli, command: str) -> None:
    assert cli(*command.split(), "--help").exit_code == 0
