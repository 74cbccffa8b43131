"""Automated labelling: a method's proposals become labels where gold says they may.

Whatever proposes, the same is done: gold tells from which confidence on the method is right as
often as one wants (`smartdb.calibration`); what is as sure is written as labels of origin model, in
the name of the method, and the rest goes to annotators as what they start from. Nothing is written
of media of which a person, an import or a consensus has said something of that kind; if they say it
later, `smartdb.auto_label` shows the label as shadowed and the next run closes it. A run changes
what is different from before, so the same again does nothing, and a new model replaces the old
one's labels by closing them. What a reviewer rejected or corrected does not come back, and what one
accepted stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import dict_row

from smartdb import bulk, calibration, labels, predicates
from smartdb import ontology as ontologies
from smartdb import proposals as proposing
from smartdb.calibration import LEVEL, PRECISION, Bound, Threshold
from smartdb.errors import translated
from smartdb.proposals import Bools, Judged, Proposals
from smartdb.runs import run
from smartdb.statements import statement
from smartdb.turns import turn

Connection = psycopg.Connection[Any]

_CELLS = ("x", "y", "w", "h")


@dataclass(frozen=True)
class Promise:
    """What is asked of labels: the ``precision``, as surely as ``level``, by which ``bound``, for
    each class by itself or all together. Proposals below ``prefill_from`` are not shown to
    annotators either; None opens and fills no tasks."""

    precision: float = PRECISION
    level: float = LEVEL
    bound: Bound = "clopper_pearson"
    per_class: bool = False
    prefill_from: float | None = 0.0


@dataclass(frozen=True)
class Report:
    """What a run did, or would do.

    ``thresholds`` by class_id (None: all classes). ``counts``: proposed, sure (at least as sure as
    the threshold, gold included), labels added, closed and kept, label tasks filled and opened.
    ``run_id`` is None if nothing changed.
    """

    actor: str
    ontology: str
    kind: str
    thresholds: Mapping[int | None, Threshold]
    counts: Mapping[str, int]
    run_id: int | None


def write(
    conn: Connection,
    found: Proposals,
    promise: Promise = Promise(),
    *,
    where: str | None = None,
    dry_run: bool = False,
) -> Report:
    """Makes a method's proposals labels, as far as gold allows, and fills tasks with the rest.

    ``where`` is a condition on smartdb.media: of other media nothing is said and nothing changed,
    but gold is asked everywhere. With too little gold nothing is written and the thresholds say
    why. Commits once; must not be called inside of a transaction. NotFound for the ontology.
    """
    ontology_id = ontologies.id_of(conn, found.ontology)
    judged = proposing.judge(conn, ontology_id, found)
    asked = None if where is None else predicates.members(conn, where)
    conn.commit()
    told = thresholds(found, judged, promise)
    sure = is_sure(found, told, promise)
    with translated(), turn(conn, f"autolabel {found.actor}"):
        actor_id = labels.actor_id_of(conn, found.actor, "model")
        conn.commit()
        values = {"actor_id": actor_id, "ontology_id": ontology_id, "kind": found.kind}
        with _staged(conn):
            _stage(conn, found, sure, asked, values, promise)
            counts = {
                "proposed": len(sure),
                "sure": int(sure.sum()),
                **_one(conn, "counts", values),
            }
            rows = _threshold_rows(told, promise)
            changed = counts["closed"] or counts["added"] or counts["filled"] or counts["opened"]
            is_same = not changed and rows == _last_thresholds(conn, values)
            report = Report(found.actor, found.ontology, found.kind, told, counts, None)
            if dry_run or is_same:
                return report
            return _write(conn, report, rows, values, _parameters(found, promise, where))


def thresholds(found: Proposals, judged: Judged, promise: Promise) -> dict[int | None, Threshold]:
    """From which confidence on proposals keep the promise, by class_id or None for all."""
    groups: list[int | None] = [None]
    if promise.per_class:
        groups = [int(each) for each in np.unique(found.class_ids)]
    made = {}
    for group in groups:
        of = slice(None) if group is None else found.class_ids[judged.rows] == group
        made[group] = calibration.threshold(
            found.confidence[judged.rows][of],
            judged.correct[of],
            promise.precision,
            level=promise.level,
            bound=promise.bound,
        )
    return made


def is_sure(found: Proposals, told: Mapping[int | None, Threshold], promise: Promise) -> Bools:
    """Which proposals (n,) are as sure as the threshold of their class."""
    least = {key: np.inf if t.confidence is None else t.confidence for key, t in told.items()}
    if not promise.per_class:
        return found.confidence >= least[None]
    classes, of = np.unique(found.class_ids, return_inverse=True)
    by_class = np.array([least[int(each)] for each in classes])
    return found.confidence >= by_class[of] if len(classes) else np.zeros(0, np.bool_)


def current_thresholds(conn: Connection) -> list[dict[str, Any]]:
    """The newest thresholds of each method, as `smartdb.auto_label_threshold` has them."""
    return _rows(conn, "thresholds", {})


def summary(conn: Connection) -> list[dict[str, Any]]:
    """How many labels each method has written that are live, by kind and class."""
    return _rows(conn, "list", {})


@contextmanager
def _staged(conn: Connection) -> Iterator[None]:
    conn.execute(statement("auto_labels", "drop_staged"))
    conn.execute(statement("auto_labels", "stage"))
    try:
        yield
    finally:
        conn.rollback()
        conn.execute(statement("auto_labels", "drop_staged"))
        conn.commit()


def _stage(
    conn: Connection,
    found: Proposals,
    sure: Bools,
    asked: Any,
    values: Mapping[str, Any],
    promise: Promise,
) -> None:
    """Finds what is to change, in temporary tables that outlive the commit."""
    use = np.ones(len(sure), np.bool_) if asked is None else np.isin(found.media_ids, asked)
    columns: dict[str, Any] = {
        "media_id": found.media_ids[use],
        "class_id": found.class_ids[use],
        "confidence": found.confidence[use],
        "is_sure": sure[use],
    }
    if found.boxes is not None:
        columns.update(zip(_CELLS, found.boxes[use].T, strict=True))
    bulk.copy_arrays(conn, "auto_proposal", columns)
    if asked is not None:
        bulk.copy_arrays(conn, "auto_scope", {"media_id": asked})
    never = promise.prefill_from is None
    more = {"everything": asked is None, "prefill_from": 2.0 if never else promise.prefill_from}
    for name in (
        "analyze", "drop_judged", "find_wanted", "find_live", "find_gone", "find_come",
        "find_prefill",
    ):  # fmt: skip
        conn.execute(
            statement("auto_labels", name), {**values, **more} if name != "analyze" else None
        )


def _write(
    conn: Connection,
    report: Report,
    rows: Sequence[Mapping[str, Any]],
    values: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> Report:
    with run(conn, "autolabel", parameters) as opened:
        more = {**values, "run_id": opened.run_id}
        done = {
            counted: conn.execute(statement("auto_labels", name), more).rowcount
            for counted, name in _STEPS
        }
        with conn.cursor() as cursor:
            cursor.executemany(
                statement("auto_labels", "add_threshold"), [{**more, **row} for row in rows]
            )
        opened.counts.update({**report.counts, **done})
    return replace(report, counts={**report.counts, **done}, run_id=opened.run_id)


_STEPS = (("closed", "close"), ("added", "add"), ("filled", "fill"), ("opened", "open"))


def _threshold_rows(told: Mapping[int | None, Threshold], promise: Promise) -> list[dict[str, Any]]:
    """Rows of core.auto_label_threshold, all classes first."""
    order = sorted(told, key=lambda key: -1 if key is None else key)
    return [
        {"class_id": key, **asdict(told[key]), "level": promise.level, "bound": promise.bound}
        for key in order
    ]


def _last_thresholds(conn: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`_threshold_rows` of the last run."""
    return _rows(conn, "last_thresholds", values)


def _parameters(found: Proposals, promise: Promise, where: str | None) -> dict[str, Any]:
    told = {"actor": found.actor, "ontology": found.ontology, "kind": found.kind}
    return {**told, **found.parameters, **asdict(promise), "where": where}


def _one(conn: Connection, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return _rows(conn, name, values)[0]


def _rows(conn: Connection, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("auto_labels", name), values or None).fetchall()
