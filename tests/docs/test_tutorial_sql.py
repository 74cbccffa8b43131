"""An analyst's day of docs/tutorial-sql.md on real photos: its commands run, its SQL answers that.

``python tests/docs/test_tutorial_sql.py URL`` writes the answers of a database that was set up by
its commands into the page anew, to be read before they are committed.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-sql.md"
SET_UP = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
ANSWERED = re.compile(r"^```sql\n(?P<query>.*?)^```\n\n```text\n(?P<answer>.*?)^```", re.M | re.S)
pytestmark = [pytest.mark.shared, pytest.mark.timeout(300)]


def commands(data: Path) -> list[list[str]]:
    """The words of the commands that set the database up, with the data for DATA."""
    block = SET_UP.search(PAGE.read_text())
    assert block
    lines = block[1].replace("\\\n", " ").splitlines()
    return [shlex.split(line.replace("DATA", str(data)))[1:] for line in lines]


def answers(url: str) -> Iterator[tuple[str, str]]:
    """Each statement of the page, in order, with what it answers an analyst who may label."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("set role smartdb_annotator")
        conn.execute("set search_path = smartdb, public")
        for found in ANSWERED.finditer(PAGE.read_text()):
            yield found["query"], table(conn.execute(found["query"].encode()))


def table(cursor: psycopg.Cursor[Any]) -> str:
    """The rows as psql would print them, without lines."""
    heads = [column.name for column in cursor.description or ()]
    rows = [heads, *([_plain(value) for value in row] for row in cursor)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def _plain(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "" if value is None else str(value)


def test_the_analysts_day_runs_and_answers_what_it_says(
    shared_data: Path, database: str, cli: Callable[..., Any]
) -> None:
    for words in commands(shared_data):
        done = cli(*words)
        assert done.exit_code == 0, f"{words}\n{done.output}"
    said = [found["answer"] for found in ANSWERED.finditer(PAGE.read_text())]
    given = dict(answers(database))
    assert len(given) == len(said) > 20
    assert "\n".join(given.values()) == "\n".join(said)


def main(url: str) -> None:
    """Writes the answers into the page."""
    text = PAGE.read_text()
    for query, answer in answers(url):
        old = next(found for found in ANSWERED.finditer(text) if found["query"] == query)
        text = text[: old.start("answer")] + answer + text[old.end("answer") :]
        PAGE.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
