"""Named statements read from files of SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from smartdb import statements


@pytest.fixture
def queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(statements, "_QUERIES", tmp_path)
    statements._statements.cache_clear()
    yield tmp_path
    statements._statements.cache_clear()


def test_a_percent_sign_is_written_once_with_and_without_parameters(
    conn: psycopg.Connection, queries: Path
) -> None:
    (queries / "x.sql").write_text(
        "-- name: plain\n-- Purpose.\nselect format('%I', 'a b'), 7 % 4;\n\n"
        "-- name: filled\n-- Purpose.\nselect format('%I', 'a b'), 7 % %(n)s, 'ab' like 'a%';\n"
    )
    assert conn.execute(statements.statement("x", "plain")).fetchone() == ('"a b"', 3)
    filled = conn.execute(statements.statement("x", "filled"), {"n": 4}).fetchone()
    assert filled == ('"a b"', 3, True)


def test_an_unknown_name_is_refused_with_the_known_ones(queries: Path) -> None:
    (queries / "x.sql").write_text("-- name: here\n-- Purpose.\nselect 1;\n")
    with pytest.raises(KeyError, match=r"no statement 'there', only \['here'\]"):
        statements.statement("x", "there")


def test_a_statement_without_purpose_is_refused(queries: Path) -> None:
    (queries / "x.sql").write_text("-- name: a\nselect 1;\n")
    with pytest.raises(ValueError, match="one comment line of purpose"):
        statements.statement("x", "a")


def test_two_statements_of_one_name_are_refused(queries: Path) -> None:
    (queries / "x.sql").write_text("-- name: a\n-- P.\nselect 1;\n-- name: a\n-- P.\nselect 2;\n")
    with pytest.raises(ValueError, match="two statements are called 'a'"):
        statements.statement("x", "a")


def test_every_file_of_queries_can_be_read() -> None:
    folder = Path(statements.__file__).parent / "queries"
    for path in folder.glob("*.sql"):
        assert statements.names(path.stem), path
