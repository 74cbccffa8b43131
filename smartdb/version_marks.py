"""What people say of dataset versions: tags, notes and pins; and pruning what nobody needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from smartdb import runs
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.sealed import find_version, row, rows
from smartdb.statements import statement
from smartdb.turns import turn


@dataclass(frozen=True)
class Tag:
    """A name that points to a version, or pointed."""

    dataset: str
    tag: str
    version: int
    is_live: bool
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Note:
    """A remark on a version, or on the dataset (version None)."""

    version: int | None
    note: str
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Pruning:
    """What was, or would be, pruned; ``needed`` says of older versions why they stay."""

    versions: list[int]
    needed: dict[int, str]
    n_rows: int
    """Rows of membership that went; 0 of a dry run."""


def set_tag(
    conn: psycopg.Connection[Any], name: str, tag: str, version: int, *, actor: str | None = None
) -> int | None:
    """Has a tag point to a sealed version, and returns where it pointed before, if elsewhere.

    History stays in smartdb.dataset_tag. ``actor`` is who says so (the login). The caller owns the
    transaction. InvalidInput for a tag that begins with a digit or holds a blank or @.
    """
    find_version(conn, name, version)
    values = {"dataset_id": _dataset_id(conn, name), "tag": tag, "version": version, "actor": actor}
    with translated():
        before = row(conn, "close_tag", values, "marks")
        conn.execute(statement("marks", "add_tag"), values)
    return None if before is None else int(before[0])


def remove_tag(conn: psycopg.Connection[Any], name: str, tag: str) -> int:
    """Takes a tag away and returns where it pointed; NotFound if it did not. The caller commits."""
    values = {"dataset_id": _dataset_id(conn, name), "tag": tag, "version": None}
    before = row(conn, "close_tag", values, "marks")
    if before is None:
        raise NotFound(f"dataset {name!r} has no tag {tag!r}; see: smartdb dataset tag {name}")
    return int(before[0])


def tags(conn: psycopg.Connection[Any], name: str | None = None) -> list[Tag]:
    """Where the tags of a dataset (or of all) point, and pointed, in the order they were set."""
    return [Tag(*each) for each in rows(conn, "tags", {"dataset": name}, "marks")]


def add_note(
    conn: psycopg.Connection[Any],
    name: str,
    note: str,
    version: int | None = None,
    *,
    actor: str | None = None,
) -> None:
    """Adds a remark that nobody can change. The caller owns the transaction."""
    if not note.strip():
        raise InvalidInput("a note needs words")
    if version is not None:
        find_version(conn, name, version)
    values = {"dataset_id": _dataset_id(conn, name), "version": version}
    with translated():
        conn.execute(statement("marks", "add_note"), values | {"note": note, "actor": actor})


def notes(conn: psycopg.Connection[Any], name: str) -> list[Note]:
    """What was remarked on a dataset and its versions, in order."""
    return [Note(*each) for each in rows(conn, "notes", {"dataset": name}, "marks")]


def pin(
    conn: psycopg.Connection[Any], name: str, version: int, reason: str, *, actor: str | None = None
) -> bool:
    """Keeps a version from being pruned; False if it was pinned already. The caller commits."""
    if not reason.strip():
        raise InvalidInput("a pin needs a reason")
    find_version(conn, name, version)
    values = {"dataset_id": _dataset_id(conn, name), "version": version, "reason": reason}
    with translated():
        done = conn.execute(statement("marks", "pin"), values | {"actor": actor})
    return done.rowcount == 1


def unpin(conn: psycopg.Connection[Any], name: str, version: int) -> None:
    """No longer keeps it; NotFound if it was not pinned. The caller owns the transaction."""
    values = {"dataset_id": _dataset_id(conn, name), "version": version}
    if conn.execute(statement("marks", "unpin"), values).rowcount == 0:
        raise NotFound(f"version {version} of dataset {name!r} is not pinned")


def prune(
    conn: psycopg.Connection[Any], name: str, keep: int = 5, *, dry_run: bool = False
) -> Pruning:
    """Gives up versions older than the ``keep`` newest that nothing needs, and their membership.

    Kept are pinned and tagged versions, and those of a model, an evaluation or whatever else
    refers to them. The row of a pruned version stays with its digest; it can no longer be read,
    restored or compared. Labels are not touched. It commits. InvalidInput for a keep below 1.
    """
    if keep < 1:
        raise InvalidInput("the newest version is always kept: keep 1 or more")
    with turn(conn, f"dataset {name}"), translated():
        values: dict[str, Any] = {"dataset_id": _dataset_id(conn, name), "keep": keep}
        found = rows(conn, "prunable", values, "marks")
        versions = [version for version, needed in found if needed is None]
        kept = {version: needed for version, needed in found if needed is not None}
        if dry_run or not versions:
            return Pruning(versions, kept, 0)
        parameters = {"dataset": name, "keep": keep, "versions": versions}
        with runs.run(conn, "dataset_prune", parameters) as run:
            ((n_rows,),) = rows(conn, "prune", values | {"versions": versions}, "marks")
            run.counts.update(versions=len(versions), rows=n_rows)
        return Pruning(versions, kept, n_rows)


def _dataset_id(conn: psycopg.Connection[Any], name: str) -> int:
    found = row(conn, "dataset", {"dataset": name}, "marks")
    if found is None:
        raise NotFound(f"no dataset {name!r}; run: smartdb dataset list")
    return int(found[0])
