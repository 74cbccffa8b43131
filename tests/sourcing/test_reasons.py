"""The codes of the quarantine: those that are written, documented and defined are the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import embeddings
from smartdb.reasons import REASONS

ROOT = Path(__file__).parents[2]
WRITERS = {"Refused", "Lost", "_Unread"}


def written() -> Iterator[str]:
    """The codes that calls in the sources begin with."""
    for path in (ROOT / "smartdb").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in WRITERS and isinstance(first, ast.Constant):
                    yield str(first.value)


def test_every_code_that_is_written_is_defined() -> None:
    assert {*written()} - {"died"} <= REASONS.keys()  # which ingest calls worker_died
    assert {*embeddings.REASONS} <= REASONS.keys()


@pytest.mark.parametrize("relation", ["core.quarantine", "smartdb.quarantine"])
def test_the_comment_names_exactly_the_codes(conn: psycopg.Connection[Any], relation: str) -> None:
    row = conn.execute(
        """select col_description(%s::regclass, attnum) from pg_attribute
        where attrelid = %s::regclass and attname = 'reason'""",
        [relation, relation],
    ).fetchone()
    assert row is not None
    assert set(re.findall(r"[a-z_]+", row[0].rpartition(":")[2])) == REASONS.keys()


def test_the_page_explains_exactly_the_codes() -> None:
    page = (ROOT / "docs" / "how-to-sourcing.md").read_text()
    section = page.split("## What is refused")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(REASONS)


def test_an_unknown_reason_is_refused_on_the_command_line(cli: Callable[..., Any]) -> None:
    done = cli("quarantine", "list", "--reason", "blurred")
    assert done.exit_code == 2
    assert "empty_file" in done.output
