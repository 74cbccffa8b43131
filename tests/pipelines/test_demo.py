"""``smartdb demo`` as a newcomer runs it: what it prints is true, and a second run does nothing.

The digits are run once for the module, in a database of its own, and then once more.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from PIL import Image
from psycopg import sql

from smartdb import cluster, server

NAME = "smartdb_test_demo"
STEPS = ("Sourcing", "Managing", "Annotating", "Reviewing", "Training", "Error analysis")
HEADINGS = (
    "Found against planted",
    "Version 1 against the newest, on the same test pictures",
    "Five statements worth trying, in: smartdb psql",
)
VERSIONS = "select count(*) from smartdb.dataset_version"
pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Demo:
    """What both runs printed; versions after each; and the url and the home they had."""

    first: str
    second: str
    versions: tuple[int, int]
    url: str
    home: Path


@pytest.fixture(scope="module")
def demo(server_home: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo on the digits, run twice."""
    home = tmp_path_factory.mktemp("demo-home")
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {} strategy file_copy")
        admin.execute(copy.format(sql.Identifier(NAME), sql.Identifier(template)))
    url = server.url(server_home, NAME)
    first, after_first = run(url, home), count(url, VERSIONS)
    second, after_second = run(url, home), count(url, VERSIONS)
    return Demo(first, second, (after_first, after_second), url, home)


def run(url: str, home: Path, *arguments: str) -> str:
    """Runs ``smartdb demo`` in a process of its own, and returns what it printed."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SMARTDB_", "PG", "DAGSTER"))}
    done = subprocess.run(
        [sys.executable, "-m", "smartdb", "demo", *arguments],
        env=kept | {"SMARTDB_DATABASE_URL": url, "SMARTDB_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def count(url: str, statement: str) -> int:
    """The number that a statement answers, as a reader."""
    with psycopg.connect(url) as conn:
        conn.execute("set role smartdb_reader")
        row = conn.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


def found(text: str) -> dict[str, tuple[int, int]]:
    """fault → (planted, found), from the table that the demo prints."""
    rows = re.findall(r"^(\S.*?) {2,}(\d+) +(\d+)$", text, re.M)
    return {fault: (int(planted), int(n)) for fault, planted, n in rows}


def statements(text: str) -> list[str]:
    """The SQL statements that the demo prints at the end."""
    told = text.split(HEADINGS[-1])[1].split("\n", 2)[2]
    return [each.strip() for each in told.split(";") if each.strip()]


def test_each_step_and_each_heading_is_printed_in_order(demo: Demo) -> None:
    places = [demo.first.find(f"\n{part}") for part in (*STEPS, *HEADINGS)]
    assert -1 not in places
    assert places == sorted(places)


def test_the_planted_faults_are_found(demo: Demo) -> None:
    faults = found(demo.first)
    assert faults["near-duplicate"] == (20, 20)
    assert faults["truncated file"] == (1, 1)
    assert faults["GPS position in EXIF"] == (1, 1)
    assert faults["wrong label"][0] == 85
    assert faults["wrong label"][1] > 70


def test_what_it_says_it_corrected_is_in_the_database(demo: Demo) -> None:
    told = re.findall(r"([\d,]+) labels? (?:were|was) wrong and", demo.first)
    n = sum(int(each.replace(",", "")) for each in told)
    query = "select count(*) from smartdb.label where origin = 'human' and class is not null"
    assert n > 70
    assert count(demo.url, query) == n


def test_a_reader_can_run_the_five_statements_and_each_answers(demo: Demo) -> None:
    printed = statements(demo.first)
    assert len(printed) == 5
    with psycopg.connect(demo.url) as conn:
        conn.execute("set role smartdb_reader")
        conn.execute("set search_path = smartdb")
        empty = [s for s in printed if not conn.execute(s.encode()).fetchall()]
    assert empty == []


def test_a_second_run_adds_nothing_and_makes_no_version(demo: Demo) -> None:
    assert re.search(r"^Sourcing +0 media added, 1,817 known", demo.second, re.M)
    assert re.search(r"^Managing +0 vectors", demo.second, re.M)
    assert re.search(r"^Annotating +0 labels imported", demo.second, re.M)
    assert re.search(r"^Reviewing .* 0 of them new", demo.second, re.M)
    assert demo.versions == (2, 2)


def test_a_second_run_tells_the_same_in_the_end(demo: Demo) -> None:
    tail = [text[text.index(HEADINGS[0]) :] for text in (demo.first, demo.second)]
    assert tail[0] == tail[1]


def test_no_process_and_no_server_is_left(demo: Demo) -> None:
    mark = f"SMARTDB_HOME={demo.home}".encode()
    assert [pid for pid, told in environments() if mark in told.split(b"\0")] == []
    assert cluster.postmaster(cluster.data_folder(demo.home)) is None


def environments() -> Iterator[tuple[str, bytes]]:
    """(pid, environment) of each process that may be looked at."""
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit():
                yield each.name, (each / "environ").read_bytes()
        except OSError:  # it ended, or is another person's
            continue


def test_a_flat_folder_ends_politely(database: str, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for i in range(6):
        Image.effect_noise((32, 32), 20 + 10 * i).save(flat / f"{i}.png")
    said = run(database, tmp_path / "home", "--images", str(flat))
    assert "6 media wait for one" in said
    assert "The loop ends here: " in said
    assert count(database, "select count(*) from smartdb.task_queue where kind = 'label'") == 6
