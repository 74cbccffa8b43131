"""Annotators: how good each is, and whether one became better or worse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any

import psycopg
from psycopg.rows import class_row

from smartdb.errors import translated
from smartdb.statements import statement

_Z = 1.959963984540054  # 95 %


@dataclass(frozen=True)
class Quality:
    """An annotator's shares of right answers with 95 % intervals; None where there are none."""

    actor: str
    n_gold: int
    gold_accuracy: float | None
    gold_low: float | None
    gold_high: float | None
    n_consensus: int
    consensus_agreement: float | None
    consensus_low: float | None
    consensus_high: float | None
    n_reviewed: int
    accepted: float | None
    accepted_low: float | None
    accepted_high: float | None


@dataclass(frozen=True)
class Block:
    """Successive answers of an annotator, against all that were before; see annotator_drift."""

    actor: str
    ontology: str
    block: int
    n: int
    from_at: datetime
    to_at: datetime
    agreement: float
    earlier_agreement: float | None
    z: float | None
    p: float | None
    is_drift: bool


def quality(conn: psycopg.Connection[Any]) -> list[Quality]:
    """How good each annotator is: on gold, against the consensus, in review."""
    with translated(), conn.cursor(row_factory=class_row(Quality)) as cursor:
        return cursor.execute(statement("agreement", "quality")).fetchall()


def drift(conn: psycopg.Connection[Any], n_answers: int = 100) -> list[Block]:
    """The answers of each annotator in blocks of ``n_answers``, in order of time."""
    with translated(), conn.cursor(row_factory=class_row(Block)) as cursor:
        return cursor.execute(statement("agreement", "drift"), {"n": n_answers}).fetchall()


def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95 % interval of the share k / n (Wilson 1927), n at least 1.

    >>> low, high = wilson(9, 10)
    >>> round(low, 4), round(high, 4)
    (0.5958, 0.9821)
    """
    centre, spread = k + _Z**2 / 2, _Z * sqrt(k * (n - k) / n + _Z**2 / 4)
    return (centre - spread) / (n + _Z**2), (centre + spread) / (n + _Z**2)
