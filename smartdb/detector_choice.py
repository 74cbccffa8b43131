"""Which detector fills the review queue: what verdicts prefer once there are enough of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from smartdb.errors import translated
from smartdb.label_detectors import DEFAULT
from smartdb.statements import statement

ENOUGH = 100
"""Decided labels that a detector must have scored before it is compared, and"""
ENOUGH_EACH = 20
"""how many of them must be wrong, and how many right."""
MARGIN = 0.02
"""By how much another detector must be better than the default to be taken for it."""


@dataclass(frozen=True)
class Comparison:
    """A detector on what reviewers have decided, as in smartdb.detector_comparison."""

    detector: str
    n_decided: int
    n_wrong: int
    n_suspected: int
    precision: float | None
    recall: float | None
    f1: float | None
    auroc: float | None
    precision_at_10: float | None
    precision_at_50: float | None
    precision_at_100: float | None

    @property
    def is_enough(self) -> bool:
        """Whether so many were decided that it may be compared."""
        n_right = self.n_decided - self.n_wrong
        return self.n_decided >= ENOUGH and min(self.n_wrong, n_right) >= ENOUGH_EACH


@dataclass(frozen=True)
class Choice:
    """A detector, and why it was chosen; ``is_asked`` if the caller did."""

    detector: str
    reason: str
    is_asked: bool = False


def compare(conn: psycopg.Connection[Any]) -> list[Comparison]:
    """The detectors side by side on what reviewers have decided, the best AUROC first."""
    with translated(), conn.cursor(row_factory=class_row(Comparison)) as cursor:
        return cursor.execute(statement("label_scores", "comparison")).fetchall()


def choose(conn: psycopg.Connection[Any], possible: Collection[str]) -> Choice:
    """The detector to fill the queue with, among those that are possible.

    The one with the largest AUROC, and of those as good the largest F1, if it is better by
    `MARGIN` than the default and reviewers have decided enough labels, of both kinds, that both
    had scored; else the default.
    """
    return chosen(compare(conn), possible)


def chosen(compared: Collection[Comparison], possible: Collection[str]) -> Choice:
    """What `choose` makes of a comparison."""
    enough = {c.detector: c for c in compared if c.is_enough and c.detector in possible}
    usual = enough.get(DEFAULT)
    if usual is None:
        n = max((c.n_decided for c in compared), default=0)
        return Choice(
            DEFAULT,
            f"the default: {n} labels decided; {ENOUGH} are needed, {ENOUGH_EACH} wrong and as "
            "many right",
        )
    best = max(enough.values(), key=lambda c: _key(c, usual))
    if _key(best, usual) <= _key(usual, usual):
        return Choice(DEFAULT, f"the default: none is better on {usual.n_decided} decided labels")
    return Choice(
        best.detector,
        f"AUROC {best.auroc:.3f}, F1 {best.f1 or 0:.3f} ({DEFAULT}: {usual.auroc:.3f}, "
        f"{usual.f1 or 0:.3f}) on {best.n_decided} decided labels, {best.n_wrong} of them wrong",
    )


def _key(one: Comparison, usual: Comparison) -> tuple[float, float]:
    """How much better than the default, in AUROC and then F1; a small difference is none."""
    auroc = (one.auroc or 0.0) - (usual.auroc or 0.0)
    f1 = (one.f1 or 0.0) - (usual.f1 or 0.0)
    if abs(auroc) < MARGIN:
        return (0.0, f1 if abs(f1) >= MARGIN else 0.0)
    return (auroc, f1)
