"""The SQL in docs/analysts.md runs as a reader, and answers."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

ANALYSTS = Path(__file__).parents[2] / "docs" / "analysts.md"
STATEMENTS = re.findall(r"^```sql\n(.*?)^```", ANALYSTS.read_text(), re.M | re.S)


@pytest.mark.parametrize("statement", STATEMENTS, ids=range(len(STATEMENTS)))
def test_a_statement_for_analysts_answers(statement: str, example_read: str) -> None:
    with psycopg.connect(example_read) as conn:
        conn.execute("set role smartdb_reader")
        rows = conn.execute(statement.encode()).fetchall()
    assert rows or "broken" in statement


def test_a_search_works_where_only_smartdb_is_in_the_search_path(example_read: str) -> None:
    with psycopg.connect(example_read) as conn:
        conn.execute("set role smartdb_reader")
        conn.execute("set search_path = smartdb")
        rows = conn.execute("select media_id from similar(6, 'tiny', 3)").fetchall()
    assert len(rows) == 3
