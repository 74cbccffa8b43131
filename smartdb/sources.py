"""Sources: where media come from, and on what terms they may be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from smartdb import licences
from smartdb.errors import Conflict, NotFound, translated
from smartdb.statements import statement


@dataclass(frozen=True)
class Source:
    """A source with the numbers of its files; ``n_media`` are the distinct contents among them."""

    source: str
    uri: str
    licence: str | None
    n_files: int
    n_media: int
    n_refused: int
    n_bytes: int
    last_seen_at: datetime | None


def sources(conn: psycopg.Connection[Any]) -> list[Source]:
    """All sources by name, with what came from them."""
    with translated(), conn.cursor(row_factory=class_row(Source)) as cursor:
        return cursor.execute(statement("source", "list")).fetchall()


def names(conn: psycopg.Connection[Any]) -> list[str]:
    """The names of the sources, in order."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return [name for (name,) in cursor.execute(statement("source", "names"))]


def find(conn: psycopg.Connection[Any], name: str) -> tuple[int, str]:
    """Id and URI of the source of this name; NotFound says which there are."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("source", "find"), {"source": name}).fetchone()
    if row is None:
        there = ", ".join(map(repr, names(conn))) or "none yet; run: smartdb ingest"
        raise NotFound(f"no source {name!r}; there is: {there}")
    return int(row[0]), str(row[1])


def register(conn: psycopg.Connection[Any], name: str, uri: str, licence: str | None) -> int:
    """The id of the source of this name, which is made if there is none; a licence is noted.

    InvalidInput for a licence that SPDX does not know, Conflict where the source of this name is
    not the folder ``uri`` or one above it.
    """
    values = {"name": name, "uri": uri, "licence": licence and licences.checked(licence)}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("source", "register"), values).fetchone()
    assert row is not None
    if not f"{uri}/".startswith(f"{row[1].rstrip('/')}/"):
        raise Conflict(f"source {name!r} is {row[1]}; give this folder another: --source NAME")
    return int(row[0])
