"""Agreement: how far annotators say the same, above what chance would have them say.

Of classes the database counts (the views ``agreement``, ``agreement_overall``, ``_by_class`` and
``_over_time``); of boxes and masks it is found here, by matching them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import combinations, groupby
from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import class_row, tuple_row

from smartdb import box_pairs
from smartdb.box_consensus import Outline, ious
from smartdb.errors import translated
from smartdb.statements import statement

Floats = NDArray[np.float64]
Metric = Literal["nominal", "interval"]


@dataclass(frozen=True)
class Pair:
    """Cohen's kappa of two annotators; None if chance alone explains all."""

    ontology: str
    actor_a: str
    actor_b: str
    n: int
    agreement: float
    kappa: float | None


@dataclass(frozen=True)
class Overall:
    """Agreement of all annotators on the media that two or more judged."""

    ontology: str
    n_media: int
    n_judgements: int
    agreement: float
    fleiss_kappa: float | None
    alpha: float | None


@dataclass(frozen=True)
class OfClass:
    """Agreement on a class; alpha is Krippendorff's, of the class against all others."""

    ontology: str
    class_name: str
    n_media: int
    n_judgements: int
    agreement: float
    alpha: float | None


@dataclass(frozen=True)
class Week:
    """Agreement on the media that were judged last in the week from this Monday."""

    ontology: str
    week: date
    n_media: int
    n_judgements: int
    agreement: float
    alpha: float | None


@dataclass(frozen=True)
class OutlinePair:
    """How two annotators' boxes or masks of a class match, on the media where both drew any.

    ``mean_iou`` is over the matched; ``f1`` is 2 matched / (drawn by a + drawn by b).
    """

    class_name: str
    actor_a: str
    actor_b: str
    n_media: int
    n_a: int
    n_b: int
    n_matched: int
    mean_iou: float | None
    f1: float


def pairs(conn: psycopg.Connection[Any], ontology: str | None = None) -> list[Pair]:
    """Every two annotators who judged a media in common."""
    return _read(conn, "pairs", Pair, ontology)


def overall(conn: psycopg.Connection[Any], ontology: str | None = None) -> list[Overall]:
    """All annotators, by ontology."""
    return _read(conn, "overall", Overall, ontology)


def by_class(conn: psycopg.Connection[Any], ontology: str | None = None) -> list[OfClass]:
    """Each class, the one they agree on least first."""
    return _read(conn, "classes", OfClass, ontology)


def over_time(conn: psycopg.Connection[Any], ontology: str | None = None) -> list[Week]:
    """Each week in which media were judged."""
    return _read(conn, "weeks", Week, ontology)


def of_outlines(
    conn: psycopg.Connection[Any],
    ontology: str,
    kind: Literal["box", "mask"] = "box",
    iou: float = 0.5,
) -> list[OutlinePair]:
    """Every two annotators by class: outlines are matched one to one, the best overlap first.

    Two match from ``iou`` on, whatever the classes of the others.
    """
    values = {"ontology": ontology, "kind": kind}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("agreement", "outlines"), values).fetchall()
    tally: dict[tuple[str, str, str], list[Any]] = defaultdict(lambda: [0, 0, 0, []])
    for _, some in groupby(rows, key=lambda row: row[0]):
        drawn = [(row[2], row[4], Outline(row[1], row[3], *row[5:])) for row in some]
        actors = sorted({actor for actor, _, _ in drawn})
        for a, b in combinations(actors, 2):
            for name in sorted({name for _, name, _ in drawn}):
                _count(tally[name, a, b], drawn, name, a, b, iou)
    return [_pair(key, *found) for key, found in sorted(tally.items()) if found[0]]


def alpha(ratings: Floats, metric: Metric = "nominal") -> float | None:
    """Krippendorff's alpha of ratings (annotators, media) float64, NaN where one says nothing.

    For interval data the difference is squared, for nominal data 0 or 1 (Krippendorff 2011). None
    where no media has two ratings, or all say the same.
    """
    m = (~np.isnan(ratings)).sum(axis=0)
    values, m = ratings[:, m > 1], m[m > 1]
    flat = values[~np.isnan(values)]
    n = len(flat)
    if n == 0 or (flat == flat[0]).all():
        return None
    if metric == "interval":
        within = (np.nanvar(values, axis=0, ddof=1) * m).sum() / n
        return float(1 - within / flat.var(ddof=1))
    counts = np.array([(values == each).sum(axis=0) for each in np.unique(flat)], np.float64)
    observed = 1 - (counts * (counts - 1) / (m - 1)).sum() / n
    totals = counts.sum(axis=1)
    return float(1 - observed / (1 - (totals * (totals - 1)).sum() / (n * (n - 1))))


def _count(found: list[Any], drawn: list[Any], name: str, a: str, b: str, iou: float) -> None:
    """Adds what two annotators drew of a class on a media."""
    of_a = [outline for actor, of, outline in drawn if actor == a and of == name]
    of_b = [outline for actor, of, outline in drawn if actor == b and of == name]
    if not of_a and not of_b:
        return
    found[0] += 1
    found[1] += len(of_a)
    found[2] += len(of_b)
    if of_a and of_b:
        found[3] += _matched(ious(of_a, of_b), iou)


def _matched(overlap: Floats, iou: float) -> list[float]:
    """The overlaps of a one-to-one matching, the best first."""
    a, b = (each.ravel() for each in np.indices(overlap.shape))
    found = box_pairs.matched(box_pairs.Pairs(a, b, overlap.ravel()), iou)
    return sorted(found.iou.tolist(), reverse=True)


def _pair(
    key: tuple[str, str, str], n_media: int, n_a: int, n_b: int, found: list[float]
) -> OutlinePair:
    n, mean = len(found), float(np.mean(found)) if found else None
    return OutlinePair(*key, n_media, n_a, n_b, n, mean, 2 * n / (n_a + n_b))


def _read(
    conn: psycopg.Connection[Any], name: str, row: type[Any], ontology: str | None
) -> list[Any]:
    with translated(), conn.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(statement("agreement", name), {"ontology": ontology}).fetchall()
