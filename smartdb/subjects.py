"""Subjects: which person a media shows, by a key of the team's own. Only for smartdb_privacy.

A key is sent as a parameter, never as a part of a statement, and is written in core.media_subject
alone: not in runs, reports or messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import InvalidInput, translated
from smartdb.statements import statement


def add(conn: psycopg.Connection[Any], key: str, media_ids: Iterable[int]) -> int:
    """Notes that media show a person; returns of how many that is new. NotFound if unknown."""
    return _change(conn, "add", key, media_ids)


def remove(conn: psycopg.Connection[Any], key: str, media_ids: Iterable[int]) -> int:
    """Takes back that media show a person; returns of how many it was noted."""
    return _change(conn, "remove", key, media_ids)


def media_of(conn: psycopg.Connection[Any], key: str) -> list[int]:
    """The media that show a person, by id."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return [row[0] for row in cursor.execute(statement("subjects", "media"), {"key": key})]


def _change(conn: psycopg.Connection[Any], name: str, key: str, media_ids: Iterable[int]) -> int:
    if not key.strip():
        raise InvalidInput("a subject needs a key")
    values = {"key": key, "media_ids": sorted({*media_ids})}
    with translated():
        return conn.execute(statement("subjects", name), values).rowcount
