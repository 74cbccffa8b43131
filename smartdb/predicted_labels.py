"""Predicted labels: classes and boxes that models elsewhere predicted, read from files."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psycopg
from psycopg.rows import dict_row

from smartdb import bulk, importing
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.importing import Report
from smartdb.proposals import Proposals
from smartdb.statements import statement

Kind = Literal["classification", "box"]

_KEY = {"media_id": "i8", "class_id": "i8", "confidence": "f4"}
_CELLS = ("x", "y", "w", "h")
_TEXTS = {".txt", ".json", ".csv", ".tsv", ".yaml", ".yml"}


def import_file(
    conn: psycopg.Connection[Any],
    path: Path,
    *,
    model: str | None = None,
    instances: Path | None = None,
    **options: Any,
) -> Report:
    """Imports a file of predictions, by default in the name of its format and file.

    YOLO text with confidences, CSV with a column confidence, COCO with scores, and what else
    `smartdb.formats` reads; COCO results (a bare list of image_id, category_id, bbox, score) need
    the ``instances`` file that their ids are of. ``options`` are those of
    `importing.import_predictions`, which does the work. InvalidInput for a list that is none.
    """
    told = {**options, "model": model or path.stem, "digest": _digest(path), "of": path}
    if instances is None:
        return importing.import_predictions(conn, path, **told)
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder) / path.name
        merged.write_text(json.dumps(_merged(path, instances)), encoding="utf-8")
        return importing.import_predictions(conn, merged, **{**told, "format": "coco"})


def runs(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The imports of predictions, newest first."""
    return _rows(conn, "runs", {})


def propose(conn: psycopg.Connection[Any], run_id: int, kind: Kind | None = None) -> Proposals:
    """What an import of predictions would say: the surest class of each media, or all boxes.

    ``kind`` is by default that of what was predicted, boxes if there are both. Gold that the model
    was trained on must be no gold here: nothing tells. NotFound for a run that imported none.
    """
    found = _rows(conn, "run", {"run_id": run_id})
    if not found or not found[0]["kinds"]:
        raise NotFound(f"run {run_id} imported no predictions; see: smartdb predictions list")
    chosen = kind or found[0]["kinds"][0]
    if chosen not in found[0]["kinds"]:
        raise InvalidInput(f"run {run_id} imported {found[0]['kinds'][0]} only, no {chosen}")
    cells = dict.fromkeys(_CELLS, "f8") if chosen == "box" else {}
    query = statement("predicted_labels", "boxes" if cells else "classes")
    read = bulk.read_columns(conn, query, {**_KEY, **cells}, {"run_id": run_id})
    return Proposals(
        actor=f"predictions {found[0]['model']}",
        ontology=found[0]["ontology"],
        media_ids=read["media_id"],
        class_ids=read["class_id"],
        confidence=read["confidence"],
        kind=chosen,
        boxes=np.column_stack([read[name] for name in _CELLS]) if cells else None,
        parameters={"method": "predictions", "of_run": run_id},
    )


def _merged(results: Path, instances: Path) -> dict[str, Any]:
    """COCO results as a COCO file: the images and categories are those of the instances."""
    known, rows = _json(instances), _json(results)
    if not isinstance(known, dict) or not {"images", "categories"} <= known.keys():
        raise InvalidInput(f"{instances.name} has no images and categories, so is no COCO file")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InvalidInput(f"{results.name} is no list of COCO results")
    kept = ("image_id", "category_id", "bbox", "score")
    numbered = enumerate(rows, 1)
    annotations = [{"id": n, **{k: row[k] for k in kept if k in row}} for n, row in numbered]
    return {
        "images": known["images"], "categories": known["categories"], "annotations": annotations,
    }  # fmt: skip


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read as JSON: {error}") from error


def _digest(path: Path) -> str | None:
    """SHA-256 of a file, or of the names and bytes of the texts in a folder."""
    if not path.exists():
        raise InvalidInput(f"there is nothing at {path}; name a file or folder of predictions")
    whole = hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for file in files:
        if file == path or file.suffix.lower() in _TEXTS:
            whole.update(b"\0".join([bytes(file.relative_to(path)), file.read_bytes()]))
    return whole.hexdigest()


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("predicted_labels", name), values or None).fetchall()
