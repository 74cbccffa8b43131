"""Databases that cannot be used, and folders of any name, as a user of the CLI meets them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from smartdb import database as db
from smartdb import walk
from smartdb.cli import main
from smartdb.cli.dagster import default_home

from .conftest import draw

COMMANDS = ("ingest {}", "demo --images {}", "status", "embed --encoder descriptor", "sources")


def down(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    return "postgresql://u@127.0.0.1:1/d"


def refused(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    return database.replace("//postgres@", "//nobody@")


def without_schema(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with psycopg.connect(database) as admin:
        admin.execute("comment on schema smartdb is 'The interface of smartdb 0.0.1'")
    return database


def too_old(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(db, "OLDEST_SERVER", 99)
    return database


def a_stranger(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with psycopg.connect(database) as admin:
        admin.execute("drop role if exists faults_stranger")
        admin.execute("create role faults_stranger login")
        admin.execute("grant usage on schema smartdb to faults_stranger")
    return database.replace("//postgres@", "//faults_stranger@")


def malformed(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    return "mysql://ada@host/db"


@pytest.mark.parametrize(
    ("ailing", "code", "says"),
    [
        (down, 1, "no server listens at 127.0.0.1:1; start it"),
        (refused, 1, "has no user nobody; "),
        (without_schema, 1, "the schema of another smartdb; run: smartdb init"),
        (too_old, 1, "is on PostgreSQL 18; smartdb needs 99 or later"),
        (a_stranger, 1, "faults_stranger may not act as smartdb_.*; let an administrator run"),
        (malformed, 2, "postgresql://user:password@host:5432/database"),
    ],
)
def test_each_command_tells_in_one_line_what_ails_the_database(
    ailing: Callable[..., str],
    code: int,
    says: str,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw(tmp_path / "some" / "a.png", 10, 0)
    monkeypatch.setenv("DAGSTER_HOME", str(default_home()))
    monkeypatch.setenv("SMARTDB_DATABASE_URL", ailing(database, monkeypatch))
    for command in COMMANDS:
        result = CliRunner().invoke(main, command.format(tmp_path / "some").split())
        lines = result.stderr.strip().splitlines()
        assert [line for line in lines if line.startswith("error: ")] == lines[-1:], result.output
        assert re.search(says, lines[-1]), (command, lines)
        assert result.exit_code == code, command


def odd_folder(at: Path) -> Path:
    """A folder, class folders and files whose names have quotes, newlines and no UTF-8."""
    root = os.fsencode(at) + b"/caf\xe9 'n' \"co\""
    draw(at / "a.png", 10, 1)
    draw(at / "b.png", 180, 2)
    for folder, names in (
        (b"it's\n", (b"1.png", b"\xff.png")),
        (b'"q"', (b"2\n.png", b"';--.png")),
    ):
        os.makedirs(root + b"/" + folder)  # noqa: PTH103  (bytes)
        for i, name in enumerate(names):
            draw(Path(os.fsdecode(root + b"/" + folder + b"/" + name)), 20 + 60 * i, len(name) + i)
    source, name = root + b"/it's\n/1.png", root + b'/"q"/same.png'
    shutil.copyfile(source, name)
    return Path(os.fsdecode(root))


def test_names_with_quotes_newlines_and_no_utf8_go_through_the_loop(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conn: Any
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(default_home()))
    folder = odd_folder(tmp_path)
    result = cli("demo", "--images", str(folder), "--encoder", "descriptor")
    assert result.exit_code == 0, result.output
    assert "The loop ends here: two classes with 5 or more" in result.stdout
    name = walk.shown(os.fsencode(folder.name))
    classes = cli("classes", "--ontology", name)
    assert classes.exit_code == 0, classes.output
    assert len(classes.stdout.splitlines()) == 3  # a newline in a name does not break the table
    count = "select (select count(*) from smartdb.media), (select count(*) from smartdb.label)"
    assert conn.execute(count).fetchone() == (4, 5)  # same bytes, in folders of two names
    for command in ("sources", "tasks", "issues", "status", "quarantine list"):
        assert cli(*command.split()).exit_code == 0, command


def test_a_flat_folder_says_how_to_label_it(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(default_home()))
    for i in range(3):
        draw(tmp_path / "flat" / f"{i}.png", 10, i)
    result = cli("demo", "--images", str(tmp_path / "flat"), "--encoder", "descriptor")
    assert result.exit_code == 0, result.output
    assert "The loop ends here: none of the media of 'flat' has a label; sort" in result.stdout
