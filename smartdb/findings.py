"""Findings: what a check found on a media, and what became of it."""

from __future__ import annotations

from typing import Any

import psycopg

from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.statements import statement

RESOLUTIONS = ("accepted", "removed", "false")
"""accepted: it may stay; removed: a clean copy replaced it; false: nothing is there."""


def resolve(conn: psycopg.Connection[Any], finding_id: int, resolution: str) -> None:
    """Settles an open finding, or settles it anew; ``resolution`` is one of `RESOLUTIONS`."""
    if resolution not in RESOLUTIONS:
        raise InvalidInput(f"no such resolution: {resolution!r}; use one of {RESOLUTIONS}")
    values = {"finding_id": finding_id, "resolution": resolution}
    with translated():
        cursor = conn.execute(statement("finding", "resolve"), values)
    if cursor.rowcount == 0:
        raise NotFound(f"no finding {finding_id}; the open ones are in smartdb.finding_open")
