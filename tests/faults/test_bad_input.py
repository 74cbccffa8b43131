"""Bad input as a user meets it: one line with the thing and the next step, nothing changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql

from smartdb import database as db
from smartdb import embeddings, encoders, labels, server
from smartdb.cli import main
from smartdb.cli.dagster import default_home
from smartdb.errors import InvalidInput
from smartdb.ingest import ingest

from .conftest import draw
from .state import content

FILLED = "smartdb_faults"

FILES = {
    "unknown.csv": b"path,class\ndark/00.png,purple\n",
    "nowhere.csv": b"path,class\nelsewhere/00.png,dark\n",
    "odd.csv": b"file,kind\ndark/00.png,dark\n",
    "latin1.csv": b"path,class\ndark/00.png,caf\xe9\n",
    "empty.csv": b"",
    "long.csv": b"path,class\ndark/00.png," + b"x" * 140_000 + b"\n",
    "short.csv": b"class,path\ndark\n",
    "texts/a.txt": b"no picture",
    "empty/.hidden": b"",
    "fake.png": b"no picture",
}

CASES: dict[str, tuple[str, int, str]] = {
    "a missing folder": ("ingest missing", 2, "no such folder: .*missing; give a folder"),
    "a file as folder": ("ingest fake.png", 2, "not a folder: .*fake.png; give the folder"),
    "an empty folder": ("ingest empty", 2, "nothing to ingest in .*empty: .*; give a folder"),
    "no images": (
        "ingest texts",
        2,
        "in .*texts: no image or video among its 1 files; give a folder",
    ),
    "another folder of the name": ("ingest other/shades", 1, "shades.*; .*--source"),
    "a missing folder in the demo": ("demo --images missing", 2, "no such folder: .*missing"),
    "an empty folder in the demo": ("demo --images empty", 2, "nothing to ingest in .*empty"),
    "no images in the demo": ("demo --images texts", 2, "no image or video among its 1 files"),
    "a missing table": (
        "labels import missing.csv --actor a",
        2,
        "cannot read missing.csv: No such file",
    ),
    "a folder as table": ("labels import texts --actor a", 2, "cannot read texts: Is a directory"),
    "an empty table": ("labels import empty.csv --actor a", 2, "empty.csv has no column 'path'"),
    "another column": (
        "labels import odd.csv --actor a",
        2,
        "odd.csv has no column 'path', only file, kind; .*--path-column",
    ),
    "another class column": (
        "labels import odd.csv --actor a --path-column file",
        2,
        "odd.csv has no column 'class', only file, kind; .*--class-column",
    ),
    "a table that is not UTF-8": ("labels import latin1.csv --actor a", 2, "latin1.csv is not UTF"),
    "a table that is none": ("labels import long.csv --actor a", 2, "long.csv is no CSV: field la"),
    "a row without path": ("labels import short.csv --actor a", 2, "row 1 has no path; leave it"),
    "an unknown class": (
        "labels import unknown.csv --actor a --root shades --ontology shades",
        1,
        "no such class in ontology 'shades': 'purple'; .*--create-classes",
    ),
    "an unknown ontology": (
        "labels import unknown.csv --actor a --root shades --ontology fruit",
        1,
        "no ontology 'fruit'; there is: .*shades",
    ),
    "paths that match nothing": (
        "labels import nowhere.csv --actor a --root shades --ontology shades",
        1,
        "not ingested: .*elsewhere/00.png; run: smartdb ingest, .*--root",
    ),
    "an unknown source": (
        "labels import-folders --source x",
        1,
        "no source 'x'; there is: 'shades'",
    ),
    "classes of an unknown ontology": ("classes --ontology x", 1, "no ontology 'x'; there is: "),
    "a dataset of an unknown ontology": (
        "dataset create d --ontology x",
        1,
        "no ontology 'x'; see: smartdb classes",
    ),
    "a dataset without ontology": (
        "dataset create d",
        2,
        "dataset 'd' is new: name the ontology of its classes: --ontology",
    ),
    "a query of no member": (
        "dataset create d --ontology shades --query false",
        2,
        "no labelled media fulfil 'false'; label some",
    ),
    "an unknown encoder": ("nearest 1 --encoder x", 1, "no encoder 'x'; .*descriptor"),
    "a picture that is none": ("nearest fake.png", 2, "fake.png.*; "),
    "an unknown media": ("nearest 123456", 1, "no vector of encoder descriptor for media 123456"),
    "issues by an unknown encoder": ("find-issues --encoder x", 1, "no encoder 'x'"),
    "too few of each class": (
        "find-issues --folds 500",
        2,
        "two classes with 500 or more .* there are 0 .*: bright, dark.; label more",
    ),
    "a label that is not there": ("review accept 999999", 1, "999999"),
    "an unknown class of a review": ("review correct 1 --class purple", 1, "purple"),
}


@pytest.fixture(scope="module")
def filled(server_home: Path, template: str, tmp_path_factory: Any) -> Iterator[tuple[str, Path]]:
    """A template with pictures, vectors and labels, and the folder of these and the bad files."""
    folder = tmp_path_factory.mktemp("bad")
    for i in range(4):
        draw(folder / "shades" / "dark" / f"{i:02d}.png", 10, i)
        draw(folder / "shades" / "bright" / f"{i:02d}.png", 180, 100 + i)
        draw(folder / "other" / "shades" / f"{i:02d}.png", 100, 200 + i)
    for name, written in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(written)

    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        names = sql.Identifier(FILLED), sql.Identifier(template)
        admin.execute(sql.SQL("create database {} template {}").format(*names))
        with db.connect(server.url(server_home, FILLED)) as conn:
            ingest(conn, folder / "shades", workers=1)
            embeddings.embed(conn, encoders.load("descriptor"))
            labels.import_folder_labels(conn, "shades", ontology="shades")
        yield FILLED, folder
        admin.execute(sql.SQL("drop database {}").format(names[0]))


@pytest.fixture
def run(
    filled: tuple[str, Path], databases: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """A function that runs a command in the folder of the bad files, on a copy of the template."""
    monkeypatch.setenv("SMARTDB_DATABASE_URL", databases.copy(filled[0]))
    monkeypatch.setenv("DAGSTER_HOME", str(default_home()))
    monkeypatch.chdir(filled[1])
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def only_error(result: Result) -> str:
    """The last line of what it said, which is its only error, and not one of a bug."""
    lines = result.stderr.strip().splitlines()
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:], result.output
    assert "Traceback" not in result.output
    assert "this is a bug" not in result.output
    return lines[-1]


@pytest.mark.parametrize(("command", "code", "says"), CASES.values(), ids=CASES)
def test_bad_input_is_one_error_and_changes_nothing(
    run: Callable[..., Result], command: str, code: int, says: str
) -> None:
    url = db.default_url()
    before = content(url)
    result = run(*command.split())
    assert re.search(says, only_error(result)), result.output
    assert result.exit_code == code
    assert content(url) == before


def test_a_query_vector_of_another_length_is_refused(run: Callable[..., Result]) -> None:
    with db.connect() as conn, pytest.raises(InvalidInput, match=r"225 dimensions.* has 3; make"):
        embeddings.nearest(conn, [1.0, 2.0, 3.0], "descriptor")
