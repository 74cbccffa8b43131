"""Findings: what a check found on a media, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from smartdb.errors import translated
from smartdb.statements import statement

RESOLUTIONS = ("accepted", "false", "open")
"""accepted: it may stay; false: nothing is there; open: it is a question again. (removed, that a
clean copy replaced it, is for `smartdb.sanitise` to say.)"""


@dataclass(frozen=True)
class Finding:
    """An open finding; ``region`` is x, y, width, height in pixels, upright."""

    finding_id: int
    media_id: int
    kind: str
    score: float | None
    region: list[float] | None
    detector: str | None
    is_hidden: bool
    uri: str | None


def resolve(
    conn: psycopg.Connection[Any], finding_id: int, resolution: str, note: str | None = None
) -> bool:
    """Settles a finding as one of `RESOLUTIONS`; whether everybody sees its media now.

    The connection must be of smartdb_privacy. NotFound without the finding, InvalidInput for
    another resolution, SealedError for what a clean copy removed.
    """
    values = {"finding_id": finding_id, "resolution": resolution, "note": note}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("finding", "resolve"), values).fetchone()
    assert row is not None
    return bool(row[0])


def open_findings(
    conn: psycopg.Connection[Any],
    *,
    source: str | None = None,
    kind: str | None = None,
    limit: int | None = None,
) -> list[Finding]:
    """The open findings by id, of one source and of one kind, or all that this role may see."""
    values = {"source": source, "kind": kind, "limit": limit}
    with translated(), conn.cursor(row_factory=class_row(Finding)) as cursor:
        return cursor.execute(statement("finding", "open"), values).fetchall()
