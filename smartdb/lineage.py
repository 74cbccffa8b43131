"""Lineage: where a media comes from, and what it went into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from smartdb.errors import NotFound, translated
from smartdb.statements import statement


@dataclass(frozen=True)
class Step:
    """One thing that happened to a media: source, added, terms, parent, label, dataset, ..."""

    step: str
    what: str
    detail: str | None
    at: datetime | None
    run_id: int | None


def lineage(conn: psycopg.Connection[Any], media_id: int) -> list[Step]:
    """All that is known of how a media came and where it went, in order of time.

    Also of one that was erased. NotFound if there is none, or none that this role may see.
    """
    with translated(), conn.cursor(row_factory=class_row(Step)) as cursor:
        found = cursor.execute(statement("lineage", "steps"), {"media_id": media_id}).fetchall()
    if not found:
        raise NotFound(f"no media {media_id}")
    return found
