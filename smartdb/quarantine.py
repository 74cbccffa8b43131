"""Quarantine: the files that were refused, and another try at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from smartdb import stores
from smartdb.errors import translated
from smartdb.ingest import SECONDS, Job, Progress, new_tally, record
from smartdb.runs import run
from smartdb.statements import statement


@dataclass(frozen=True)
class Refusal:
    """A row of the quarantine."""

    source: str
    uri: str
    reason: str
    detail: str
    n_bytes: int | None
    created_at: datetime


def refusals(
    conn: psycopg.Connection[Any],
    *,
    source: str | None = None,
    reason: str | None = None,
    limit: int | None = None,
) -> list[Refusal]:
    """The refused files, the last first; of one source, for one reason, or all."""
    values = {"source": source, "reason": reason, "limit": limit}
    with translated(), conn.cursor(row_factory=class_row(Refusal)) as cursor:
        return cursor.execute(statement("quarantine", "list"), values).fetchall()


def retry(
    conn: psycopg.Connection[Any],
    *,
    source: str | None = None,
    reason: str | None = None,
    workers: int | None = None,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Reads refused files again and returns counts as `smartdb.ingest.ingest` does, and ``gone``.

    Files that are good now leave the quarantine, and so do those that are ``gone``. Commits each
    batch.
    """
    tally = new_tally()
    tally["gone"] = 0
    parameters = {"source": source, "reason": reason}
    with run(conn, "retry", parameters) as opened:
        for source_id, uris in _by_source(conn, source, reason):
            job = Job(opened.run_id, source_id, workers, seconds, progress)
            gone = [uri for uri in uris if stores.is_gone(uri)]
            _forget(conn, source_id, gone)
            tally["gone"] += len(gone)
            rest = sorted({*uris} - {*gone})
            record(conn, ((stores.look(u), "refused") for u in rest), job, tally)
        opened.counts.update(tally)
    return dict(tally)


def _forget(conn: psycopg.Connection[Any], source_id: int, uris: list[str]) -> None:
    values = {"source_id": source_id, "uris": uris}
    with translated(), conn.transaction():
        conn.execute(statement("quarantine", "forget"), values)


def _by_source(
    conn: psycopg.Connection[Any], source: str | None, reason: str | None
) -> Iterator[tuple[int, list[str]]]:
    values = {"source": source, "reason": reason}
    with translated(), conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("quarantine", "again"), values).fetchall()
    for source_id, group in groupby(rows, key=lambda row: int(row[0])):
        yield source_id, [row[1] for row in group]
