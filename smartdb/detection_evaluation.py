"""Detections against the truth: matched once, kept as rows, then asked in SQL.

`smartdb.average_precision`, `detection_pr_curve` and `detection_error` answer for any IoU of COCO's
ten, any confidence and any predicate on media, without matching again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from smartdb import bulk, revisions
from smartdb.box_pairs import Boxes, Floats, Ints
from smartdb.coco_matching import Matches, Truth, match
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.formats.coco import area_of
from smartdb.runs import run
from smartdb.statements import statement

SUMMARY: dict[str, dict[str, Any]] = {
    "AP": {}, "AP50": {"iou": 0.5}, "AP75": {"iou": 0.75}, "APs": {"area": "small"},
    "APm": {"area": "medium"}, "APl": {"area": "large"}, "AR1": {"n": 1}, "AR10": {"n": 10},
    "AR100": {}, "ARs": {"area": "small"}, "ARm": {"area": "medium"}, "ARl": {"area": "large"},
}  # fmt: skip
"""COCO's twelve numbers, by what is asked of `smartdb.average_precision`."""

_FOUND = {
    "predicted_label_id": "i8", "media_id": "i8", "class_id": "i8", "x": "f8", "y": "f8", "w": "f8",
    "h": "f8", "confidence": "f8",
}  # fmt: skip
_AREAS = ("all", "small", "medium", "large")


def evaluate(
    conn: psycopg.Connection[Any],
    predictions: int,
    *,
    dataset: str | None = None,
    version: int | None = None,
    split: str | None = None,
) -> dict[str, Any]:
    """Matches the detections of a run with the labels as they are now, and commits.

    The truth is what people, importers and consensus say with a box or an outline, in the ontology
    of the detections; with a ``dataset`` it is what its version (the last) says, on the media of
    its ``split`` (all). Returns run_id, detections, labels, and COCO's twelve numbers, None where
    there is nothing of that size. NotFound for an unknown dataset version, NothingToDo for no
    detections or no labels, InvalidInput for detections in several ontologies.
    """
    with translated():
        values = _asked(conn, predictions, dataset, version, split)
        ids, found = _detections(conn, values)
        label_ids, truth = _truth(conn, values)
    conn.commit()
    parameters = {"predictions": predictions, "dataset": dataset, "version": values["version"]}
    parameters["split"] = split
    with translated(), run(conn, "evaluate_detections", parameters) as opened:
        matches = match(found, np.prod(found.xywh[:, 2:], axis=1), truth)
        conn.execute(statement("detection_evaluation", "add"), {"run_id": opened.run_id, **values})
        conn.execute(statement("detection_evaluation", "stage"))
        _copy(conn, ids, found, label_ids, truth, matches)
        for name in ("keep_matches", "keep_truth"):
            conn.execute(statement("detection_evaluation", name), {"run_id": opened.run_id})
        numbers = summary(conn, opened.run_id)
        opened.counts.update(detections=len(ids), labels=len(label_ids), **numbers)
    return {"run_id": opened.run_id, **opened.counts}


def summary(
    conn: psycopg.Connection[Any], run_id: int, predicate: str = "true"
) -> dict[str, float | None]:
    """COCO's twelve numbers of an evaluation, on the media that fulfil a predicate."""
    found: dict[str, float | None] = {}
    answers: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for name, asked in SUMMARY.items():
        key = (asked.get("iou"), asked.get("area", "all"), asked.get("n", 100))
        if key not in answers:
            values = dict(zip(("iou", "area", "n"), key, strict=True))
            values |= {"run_id": run_id, "predicate": predicate}
            answers[key] = _rows(conn, "summary", values)[0]
        found[name] = answers[key][name.startswith("AR")]
    return found


def classes(
    conn: psycopg.Connection[Any], run_id: int, iou: float = 0.5, predicate: str = "true"
) -> list[tuple[str, int, float, float]]:
    """(class, labels, average precision, recall) of an evaluation, on the media of a predicate."""
    with translated():
        values = {"run_id": run_id, "iou": iou, "predicate": predicate}
        return [(a, b, c, d) for a, b, c, d in _rows(conn, "classes", values)]


def errors(
    conn: psycopg.Connection[Any], run_id: int, iou: float = 0.5, confidence: float = 0.0
) -> list[tuple[str, str, str | None, int]]:
    """(kind, class, other class, number) of the errors of an evaluation, the most first."""
    with translated():
        values = {"run_id": run_id, "iou": iou, "confidence": confidence}
        return [(a, b, c, d) for a, b, c, d in _rows(conn, "errors", values)]


def _asked(
    conn: psycopg.Connection[Any],
    predictions: int,
    dataset: str | None,
    version: int | None,
    split: str | None,
) -> dict[str, Any]:
    ontologies = _rows(conn, "ontology", {"predictions": predictions})
    if not ontologies:
        raise NothingToDo(f"run {predictions} has no detections; import some: smartdb predictions")
    if len(ontologies) > 1:
        raise InvalidInput(f"run {predictions} detects in several ontologies: {ontologies}")
    values: dict[str, Any] = {"predictions": predictions, "ontology_id": ontologies[0][1]}
    values |= {"dataset_id": None, "version": None, "split": split, "media_ids": None}
    if dataset is None:
        if split is not None or version is not None:
            raise InvalidInput("a version or split is one of a dataset; name the dataset too")
        conn.commit()
        return {**values, "revision": revisions.checkpoint(conn)}
    asked = {"dataset": dataset, "version": version, "split": split}
    known = _rows(conn, "version", asked)
    if not known:
        raise NotFound(f"dataset {dataset!r} has no sealed version {version or ''}".rstrip())
    values |= dict(zip(("dataset_id", "version", "revision"), known[0], strict=True))
    members = _rows(conn, "members", {**asked, "version": values["version"]})
    return {**values, "media_ids": [media_id for (media_id,) in members]}


def _detections(conn: psycopg.Connection[Any], values: Mapping[str, Any]) -> tuple[Ints, Boxes]:
    query = statement("detection_evaluation", "predictions")
    rows = bulk.read_columns(conn, query, _FOUND, {"predictions": values["predictions"]})
    wanted = values["media_ids"]
    if wanted is not None:
        chosen = np.isin(rows["media_id"], wanted)
        rows = {name: column[chosen] for name, column in rows.items()}
    xywh = np.stack([rows[name] for name in "xywh"], axis=1)
    boxes = Boxes(rows["media_id"], rows["class_id"], xywh, rows["confidence"])
    return rows["predicted_label_id"], boxes


def _truth(conn: psycopg.Connection[Any], values: Mapping[str, Any]) -> tuple[Ints, Truth]:
    rows = _rows(conn, "truth", values)
    if not rows:
        raise NothingToDo("no label with a box or an outline is there to judge the detections by")
    area = np.array([_area(row[3:7], row[8], row[9]) for row in rows])
    media, classes = (np.array([row[i] for row in rows]) for i in (1, 2))
    boxes = Boxes(media, classes, np.array([row[3:7] for row in rows], float), np.ones(len(rows)))
    is_crowd = np.array([row[10] for row in rows])
    return np.array([row[0] for row in rows]), Truth(boxes, area, is_crowd)


def _area(box: Any, shape: Any, said: float | None) -> float:
    if said is not None:
        return said
    is_outline = shape and ("polygons" in shape or "counts" in shape)
    return area_of(box, shape if is_outline else None)


def _copy(
    conn: psycopg.Connection[Any],
    ids: Ints,
    found: Boxes,
    label_ids: Ints,
    truth: Truth,
    matches: Matches,
) -> None:
    bits: dict[str, NDArray[Any]] = {}
    for name, values in (("right", matches.right), ("ignored", matches.ignored)):
        bits |= {f"{name}_{area}": values[:, i] for i, area in enumerate(_AREAS)}
    bulk.copy_arrays(conn, "matched_detection", {
        "predicted_label_id": ids, "media_id": found.media_ids, "class_id": found.class_ids,
        "confidence": found.confidence.astype(np.float32), "rank": matches.rank.astype(np.int32),
        **bits, "label_id": np.append(label_ids, -1)[matches.truth],
        "iou_same": _real(matches.same), "iou_other": _real(matches.other),
        "other_class_id": np.append(truth.boxes.class_ids, -1)[matches.rival],
    })  # fmt: skip
    bulk.copy_arrays(conn, "matched_truth", {
        "label_id": label_ids, "media_id": truth.boxes.media_ids,
        "class_id": truth.boxes.class_ids, "area": truth.area, "is_crowd": truth.is_crowd,
        "found_at": matches.found, "iou_same": _real(matches.truth_same),
        "iou_other": _real(matches.truth_other),
    })  # fmt: skip


def _real(values: Floats) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        query = statement("detection_evaluation", name)
        return cursor.execute(query, values or None).fetchall()
