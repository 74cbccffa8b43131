"""What the how-to page about stores says is so."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PIL import Image

from smartdb.ingest import COUNTS

PAGE = (Path(__file__).parents[2] / "docs" / "how-to-stores.md").read_text()


def lines(language: str) -> list[str]:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return str(block).splitlines()


@pytest.fixture
def photos(s3: Any) -> Any:
    """The bucket of the page."""
    s3.name = "photos"
    s3.client.create_bucket(Bucket="photos")
    for i in range(3):
        buffer = io.BytesIO()
        Image.linear_gradient("L").rotate(90 * i).resize((40, 30)).save(buffer, "PNG")
        s3.put(f"shapes/{i}.png", buffer.getvalue())
    return s3


def test_the_commands_run_and_the_questions_are_answered(
    photos: Any, cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    for line in lines("sh"):
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    photos.empty()
    gone = cli("ingest", "s3://photos/shapes", "--workers", "1")
    assert gone.exit_code == 0, gone.output
    assert "3 known files are missing" in gone.stderr
    lost, places, sources = (
        as_role("smartdb_reader").execute(line.encode()).fetchall() for line in lines("sql")
    )
    assert lost == []  # there are the copies
    assert [uri for uri, _ in places] == [f"s3://photos/shapes/{i}.png" for i in range(3)]
    assert sources == [("shapes", 0, 3)]


def test_the_counts_are_those_of_a_run() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M))
    assert named == set(COUNTS) - {"read", "skipped", "refused"}
