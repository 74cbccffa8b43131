"""Batches: what a sampler chose to work on next, in the order of choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import bulk, runs
from smartdb.errors import NotFound, translated
from smartdb.samplers import Choice
from smartdb.statements import statement
from smartdb.turns import turn

ITEM_COLUMNS = {
    "batch_id": "bigint",
    "media_id": "bigint",
    "rank": "integer",
    "score": "double precision",
    "reason": "text",
}


@dataclass(frozen=True)
class Batch:
    """How a batch was chosen, what was counted meanwhile, and how many of it one may see."""

    batch_id: int
    strategy: str
    n_items: int
    seed: int
    parameters: Mapping[str, Any]
    counts: Mapping[str, Any]
    run_id: int
    created_at: datetime

    @property
    def notes(self) -> list[str]:
        """What the sampler says of it, for a person."""
        return list(self.counts.get("notes", ()))


class Item(NamedTuple):
    """A chosen media; the larger its score, the more it was wanted."""

    rank: int
    media_id: int
    score: float
    reason: str
    uri: str | None


def write(
    conn: psycopg.Connection[Any],
    strategy: str,
    parameters: Mapping[str, Any],
    seed: int,
    choice: Choice,
) -> int:
    """Writes what was chosen as a batch and returns its id; commits.

    The batch that is there already if the same call chose the same before.
    """
    values = {"strategy": strategy, "parameters": Jsonb(dict(parameters)), "seed": seed}
    with turn(conn, "sample"):
        same = _rows(conn, "same", {**values, "media_ids": choice.ids.tolist()})
        if same:
            return int(same[0][0])
        with runs.run(conn, "sample", parameters, seed) as run:
            with translated(), conn.transaction():
                batch_id = int(_rows(conn, "add", {**values, "run_id": run.run_id})[0][0])
                items = zip(choice.ids.tolist(), choice.scores.tolist(), choice.reasons)
                rows = (
                    (batch_id, media_id, rank, score, reason)
                    for rank, (media_id, score, reason) in enumerate(items, start=1)
                )
                n = bulk.copy_rows(conn, "core.batch_item", ITEM_COLUMNS, rows)
            run.counts.update(chosen=n, notes=list(choice.notes), **choice.counts)
    return batch_id


def items(
    conn: psycopg.Connection[Any],
    batch_id: int,
    *,
    after: int | None = None,
    limit: int | None = None,
) -> list[Item]:
    """What was chosen, in the order of choice; NotFound if there is no such batch.

    All of it, or the first ``limit`` behind rank ``after``.
    """
    values = {"batch_id": batch_id, "after": after or 0, "limit": limit}
    found = [Item(*row) for row in _rows(conn, "items", values)]
    if not found:
        find(conn, batch_id)
    return found


def find(conn: psycopg.Connection[Any], batch_id: int) -> Batch:
    """One batch; NotFound if there is none."""
    for row in _rows(conn, "one", {"batch_id": batch_id}):
        return Batch(*row)
    raise NotFound(f"no batch {batch_id}; see: smartdb batch list")


def newest(conn: psycopg.Connection[Any], limit: int, before: int | None = None) -> list[Batch]:
    """The newest batches, those before batch ``before``."""
    return [Batch(*row) for row in _rows(conn, "list", {"limit": limit, "before": before})]


def members(conn: psycopg.Connection[Any], batch_ids: Sequence[int]) -> list[int]:
    """The media of some batches, ascending; NotFound if one of these is not there."""
    values = {"batch_ids": list(batch_ids)}
    known = {batch_id for (batch_id,) in _rows(conn, "known", values)}
    for batch_id in batch_ids:
        if batch_id not in known:
            find(conn, batch_id)
    return sorted({media_id for (media_id,) in _rows(conn, "members", values)})


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("batches", name), values).fetchall()
