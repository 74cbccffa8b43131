"""Proposals: what a method of automated labelling would say, and whether gold says so too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from smartdb import bulk
from smartdb.box_pairs import iou
from smartdb.errors import NotFound, translated
from smartdb.statements import statement

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

IOU = 0.5
"""A box is right if it covers a box of gold of its class at least so well."""

_KEY = {"media_id": "i8", "class_id": "i8"}
_BOX = {"x": "f8", "y": "f8", "w": "f8", "h": "f8"}


@dataclass(frozen=True)
class Proposals:
    """What a method would say of media, in the name of ``actor``: (n,) each, a row a label.

    Of whole pictures (kind classification) there is one row a media; ``boxes`` (n, 4) are x, y, w,
    h in pixels. ``is_seen`` are rows of media that the method has learnt from, on which gold says
    nothing of how good it is. ``parameters`` say how the rows came about.
    """

    actor: str
    ontology: str
    media_ids: Ints
    class_ids: Ints
    confidence: NDArray[np.float32]
    kind: Literal["classification", "box"] = "classification"
    boxes: Floats | None = None
    is_seen: Bools | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """The proposals that gold judges: their rows (g,), and which of them are right (g,)."""

    rows: Ints
    correct: Bools


def of_run(conn: psycopg.Connection[Any], run_id: int) -> Proposals:
    """What the model of a run predicted: the likeliest class of each media.

    Gold that the model was fitted or tuned on is not asked, but for predictions out of fold.
    NotFound for a run that predicted nothing.
    """
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("auto_labels", "run_model"), {"run_id": run_id}).fetchone()
    if row is None:
        raise NotFound(f"run {run_id} predicted nothing; run: smartdb predict RUN")
    types = {**_KEY, "confidence": "f4", "is_seen": "?"}
    read = bulk.read_columns(
        conn, statement("auto_labels", "predictions"), types, {"run_id": run_id}
    )
    return Proposals(
        actor=f"model {row[0]}",
        ontology=row[1],
        media_ids=read["media_id"],
        class_ids=read["class_id"],
        confidence=read["confidence"],
        is_seen=read["is_seen"],
        parameters={"method": "model", "of_run": run_id},
    )


def judge(conn: psycopg.Connection[Any], ontology_id: int, found: Proposals) -> Judged:
    """Which proposals are on media of gold, and are right.

    A class is right if gold has it; a box if it is matched with one of gold of its class, the
    surest box first, each to the box that it covers best, at least `IOU`. Media without gold of
    the kind say nothing.
    """
    asked = np.ones(len(found.media_ids), np.bool_) if found.is_seen is None else ~found.is_seen
    values = {"ontology_id": ontology_id}
    if found.kind == "box":
        query, types = statement("auto_labels", "gold_boxes"), {**_KEY, **_BOX}
        gold = bulk.read_columns(conn, query, types, values)
        return _boxes_judged(found, gold, np.flatnonzero(asked))
    gold = bulk.read_columns(conn, statement("auto_labels", "gold"), _KEY, values)
    rows = np.flatnonzero(asked & np.isin(found.media_ids, gold["media_id"]))
    true = set(zip(gold["media_id"].tolist(), gold["class_id"].tolist(), strict=True))
    said = zip(found.media_ids[rows].tolist(), found.class_ids[rows].tolist(), strict=True)
    return Judged(rows, np.fromiter((each in true for each in said), np.bool_, len(rows)))


def _boxes_judged(found: Proposals, gold: Mapping[str, Any], asked: Ints) -> Judged:
    assert found.boxes is not None
    truth = np.column_stack([gold[name] for name in _BOX])
    rows = asked[np.isin(found.media_ids[asked], gold["media_id"])]
    rows = rows[np.argsort(-found.confidence[rows], kind="stable")]
    free: dict[tuple[int, int], list[int]] = {}
    for at, key in enumerate(zip(gold["media_id"].tolist(), gold["class_id"].tolist())):
        free.setdefault(key, []).append(at)
    correct = np.zeros(len(rows), np.bool_)
    for place, row in enumerate(rows):
        left = free.get((int(found.media_ids[row]), int(found.class_ids[row])), [])
        if left:
            overlap = iou(found.boxes[row][None], truth[left])
            if overlap.max() >= IOU:
                correct[place] = True
                left.pop(int(overlap.argmax()))
    return Judged(rows, correct)
