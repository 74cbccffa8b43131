"""Keep-fraction curves: what a stored plan leaves at each fraction, measured and kept as points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from smartdb import bulk, coverage, pruning, pruning_methods
from smartdb.errors import NothingToDo, translated
from smartdb.pruning_methods import Ints
from smartdb.statements import statement
from smartdb.turns import turn

KEEPS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
"""Fractions that are measured unless asked otherwise; and what the method itself keeps."""

POINT_COLUMNS = {
    "keep": "double precision",
    "n_kept": "integer",
    "mean_distance": "real",
    "p95_distance": "real",
    "clusters_hit": "real",
    "n_classes": "integer",
    "smallest_class": "integer",
    "class_distance": "real",
    "duplicates_dropped": "real",
    "n_probes": "integer",
}


@dataclass(frozen=True)
class Point:
    """What is left at a fraction; the meaning of each is that of smartdb.pruning_point."""

    keep: float
    n_kept: int
    mean_distance: float | None = None
    p95_distance: float | None = None
    clusters_hit: float | None = None
    n_classes: int | None = None
    smallest_class: int | None = None
    class_distance: float | None = None
    duplicates_dropped: float | None = None
    n_probes: int | None = None


def curve(
    conn: psycopg.Connection[Any], pruning_id: int, keeps: Sequence[float] | None = None
) -> list[Point]:
    """The points of a plan from all to few; those of ``keeps`` that are missing are measured.

    By default `KEEPS` and the fraction that the method itself keeps. It computes outside of any
    transaction and commits. InvalidInput for a fraction outside 0 to 1, NotFound for an unknown
    plan.
    """
    plan = pruning.find(conn, pruning_id)
    wanted = set(keeps if keeps is not None else KEEPS)
    if keeps is None and plan.n_kept is not None:
        wanted.add(plan.n_kept / plan.n_candidates)
    for keep in wanted:
        pruning.n_kept(keep, plan.n_candidates)  # or an error
    with turn(conn, f"curve {pruning_id}"):
        missing = sorted(wanted - {point.keep for point in read(conn, pruning_id)}, reverse=True)
        if missing:
            points = _measure(conn, plan, missing)
            rows = ((pruning_id, *astuple(point)) for point in points)
            columns = {"pruning_id": "bigint", **POINT_COLUMNS}
            with translated(), conn.transaction():
                bulk.copy_rows(conn, "core.pruning_point", columns, rows)
    return read(conn, pruning_id)


def read(conn: psycopg.Connection[Any], pruning_id: int) -> list[Point]:
    """The points that were measured, from all to few; NotFound for an unknown plan."""
    pruning.find(conn, pruning_id)
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("pruning", "curve"), {"pruning_id": pruning_id})
        return [Point(*row) for row in rows]


def _measure(
    conn: psycopg.Connection[Any], plan: pruning.Pruning, keeps: Sequence[float]
) -> list[Point]:
    values = {"pruning_id": plan.pruning_id}
    found = bulk.read_columns(
        conn, statement("pruning", "items"), {"media_id": "i8", "rank": "i4"}, values
    )
    ids, ranks = found["media_id"], found["rank"]
    if not len(ids):
        raise NothingToDo(
            f"you may see none of the candidates of pruning {plan.pruning_id} any more"
        )
    classes, groups = _facts(conn, "classes", ids), _facts(conn, "duplicate_groups", ids)
    vectors = None if plan.encoder is None else _vectors(conn, plan.encoder, ids)
    conn.commit()  # nothing is open while it computes
    sizes = [pruning.n_kept(keep, plan.n_candidates) for keep in keeps]
    kept = np.searchsorted(ranks, sizes, side="right").tolist()  # without what was hidden since
    spreads = coverage.spreads(vectors, kept) if vectors is not None else [None] * len(kept)
    has_class = (classes >= 0).any()
    balances = coverage.balances(classes, kept) if has_class else [None] * len(kept)
    dropped = coverage.repetition_dropped(groups, kept)
    return [_point(*each) for each in zip(keeps, sizes, dropped, spreads, balances)]


def _point(keep: float, n_kept: int, dropped: float | None, *found: object) -> Point:
    known = {name: value for each in found if each for name, value in vars(each).items()}
    return Point(keep, n_kept, duplicates_dropped=dropped, **known)


def _vectors(conn: psycopg.Connection[Any], encoder: str, ids: Ints) -> NDArray[np.float32]:
    """In the order of ids, which is not ascending."""
    order = np.argsort(ids)
    found = pruning_methods.read_vectors(conn, encoder, ids[order])
    return found[np.argsort(order)]


def _facts(conn: psycopg.Connection[Any], name: str, ids: Ints) -> Ints:
    """A number about each of the ids, -1 where there is none."""
    types = {"media_id": "i8", "fact": "i8"}
    query, values = statement("pruning", name), {"media_ids": ids.tolist()}
    found = bulk.read_columns(conn, query, types, values)
    order = np.argsort(ids)
    facts = np.full(len(ids), -1, np.int64)
    facts[order[np.searchsorted(ids, found["media_id"], sorter=order)]] = found["fact"]
    return facts
