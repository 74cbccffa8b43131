"""The commands and statements of docs/how-to-video.md run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from .drawn_clips import write_clip

pytest.importorskip("av")

PAGE = Path(__file__).parents[2] / "docs" / "how-to-video.md"


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language in the page."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.M | re.S)


def test_the_page_runs(
    tmp_path: Path, cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    (tmp_path / "clips").mkdir()
    write_clip(tmp_path / "clips" / "a.mp4")
    for line in blocks("sh")[0].splitlines():
        done = cli(*shlex.split(line.replace("DIR", str(tmp_path / "clips")))[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    broken, named = blocks("sql")
    conn = as_role("smartdb_reader")
    assert conn.execute(broken.encode()).fetchall() == []
    assert [tuple(row) for row in conn.execute(named.encode())] == [(True,)]
