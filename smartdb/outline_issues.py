"""Outlines that two people, or a person and a model, draw differently, told by their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from psycopg.rows import tuple_row

from smartdb.box_pairs import Boxes, Floats, Ints
from smartdb.box_rules import MATCH, PLACED, Suspects, seen
from smartdb.outlines import Outline, filled
from smartdb.statements import statement

BATCH = 500
"""Outlines that are read together."""


def rough(
    conn: psycopg.Connection[Any], labels: Boxes, label_ids: Ints, others: Boxes, other_ids: Ints
) -> Suspects:
    """Polygons and masks whose pixels overlap those of the other's by less than 0.75.

    The other's is the one of the same class whose box overlaps most, by half or more. The score
    is the share of the pixels of both that only one of them has.
    """
    view = seen(labels, others)
    rows = np.flatnonzero(view.same >= MATCH)
    by = view.same_at[rows]
    overlap = np.array([], np.float64)
    for start in range(0, len(rows), BATCH):
        part = slice(start, start + BATCH)
        found = _overlaps(conn, label_ids[rows[part]], other_ids[by[part]])
        overlap = np.concatenate([overlap, found])
    is_rough = overlap < PLACED
    return Suspects("rough_outline", rows[is_rough], 1 - overlap[is_rough], by[is_rough])


def _overlaps(conn: psycopg.Connection[Any], one: Ints, other: Ints) -> Floats:
    """Intersection over union of the pixels of labels, pair by pair."""
    ids = np.unique(np.concatenate([one, other])).tolist()
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("box_issues", "outlines"), {"label_ids": ids}).fetchall()
    conn.commit()  # nothing is computed inside a transaction
    found = {row[0]: (Outline(row[1], row[2:6], row[6]), row[7:9]) for row in rows}
    pairs = zip(one.tolist(), other.tolist(), strict=True)
    return np.array([_overlap(*found[a], *found[b]) for a, b in pairs])


def _overlap(one: Outline, size: Any, other: Outline, _: Any) -> float:
    a, b = filled(one, size), filled(other, size)
    return float((a & b).sum() / max(1, (a | b).sum()))
