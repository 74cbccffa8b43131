"""Evaluating 500,000 detections on 5,000 media, from the database and back, against pycocotools.

Also how long a new threshold, a slice and the errors take afterwards, in SQL.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Figure, scratch, show
from smartdb import detection_evaluation
from smartdb.bulk import copy_arrays
from smartdb.database import connect

N_CLASSES = 80
ASKED = {
    "AP at IoU 0.75, every class": "select count(*) from smartdb.average_precision(%s, 0.75)",
    "the same on a slice of a tenth": "select count(*) from smartdb.average_precision("
    "%s, 0.75, predicate => 'm.media_id %% 10 = 0')",
    "AP at 0.5 to 0.95, every class": "select count(*) from smartdb.average_precision(%s)",
    "errors by TIDE's kinds": "select count(*) from smartdb.detection_error(%s)",
}


def main(quick: bool = False) -> None:
    """Fills a database, evaluates, asks."""
    n_media, per_media = (50, 40) if quick else (5_000, 100)
    with scratch() as url, connect(url, role="smartdb_owner") as owner:
        truth, found = _drawn(n_media, 7, per_media)
        _store(owner, n_media, truth, found)
        began = time.perf_counter()
        with connect(url, role="smartdb_writer") as conn:
            result = detection_evaluation.evaluate(conn, 2)
        ours = time.perf_counter() - began
        run_id = result["run_id"]
        with connect(url, role="smartdb_reader") as conn:
            took = {name: _timed(conn, query, run_id) for name, query in ASKED.items()}
        theirs = _pycoco(n_media, truth, found)
    n = len(found["confidence"])
    show(f"detections: {n:,} on {n_media:,} media", [
        Figure("evaluate, database and back", ours, "s", note=f"AP {result['AP']:.4f}"),
        Figure("pycocotools in memory", theirs, "s"),
        Figure("ours, of pycocotools' time", ours / theirs, "x", "< 0.3 x", ours < 0.3 * theirs),
        *(_figure(name, seconds) for name, seconds in took.items()),
    ])  # fmt: skip


def _figure(name: str, seconds: float) -> Figure:
    return Figure(name, seconds, "s", "< 1 s", seconds < 1)


def _drawn(n_media: int, n_truth: int, n_found: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Truth, and detections of which a third lie near it."""
    chance = np.random.default_rng(0)

    def boxes(n: int) -> dict[str, Any]:
        xywh = np.hstack([chance.uniform(0, 500, (n, 2)), chance.uniform(8, 200, (n, 2))])
        return {"media_id": np.arange(n) % n_media + 1,
                "class_id": chance.integers(1, N_CLASSES + 1, n), "xywh": xywh}  # fmt: skip

    truth, found = boxes(n_media * n_truth), boxes(n_media * n_found)
    n = len(found["media_id"])
    near = chance.permutation(n)[: n // 3]
    like = chance.integers(0, len(truth["media_id"]), len(near))
    for key in ("media_id", "class_id"):
        found[key][near] = truth[key][like]
    found["xywh"][near] = np.maximum(truth["xywh"][like] + chance.normal(0, 12, (len(near), 4)), 1)
    found["confidence"] = chance.uniform(0.01, 1, n).astype(np.float32)
    return truth, found


def _store(owner: Any, n_media: int, truth: dict[str, Any], found: dict[str, Any]) -> None:
    owner.execute(
        "insert into core.run (kind, status, code_version, finished_at) values"
        " ('ingest', 'succeeded', '0', now()), ('import_predictions', 'succeeded', '0', now());"
        "insert into core.ontology (name) values ('coco');"
        "insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');"
        "insert into core.actor (name, kind) values ('coco', 'import');"
    )
    owner.execute(
        "insert into core.class (ontology_id, name, version_from)"
        " select 1, i::text, 1 from generate_series(1, %s) as i", [N_CLASSES]
    )  # fmt: skip
    owner.execute(
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
        " select sha256(i::text::bytea), 'image', 'image/png', 1, 800, 800, 1"
        " from generate_series(1, %s) as i", [n_media]
    )  # fmt: skip
    owner.execute(
        "create temp table t (media_id bigint, class_id bigint, x float8, y float8, w float8,"
        " h float8);"
        "create temp table p (media_id bigint, class_id bigint, x float8, y float8, w float8,"
        " h float8, confidence real)"
    )
    for name, rows in (("t", truth), ("p", found)):
        columns = {key: rows[key] for key in ("media_id", "class_id")}
        columns |= {key: rows["xywh"][:, i] for i, key in enumerate("xywh")}
        copy_arrays(
            owner, name, columns | ({"confidence": rows["confidence"]} if name == "p" else {})
        )
    owner.execute(
        "insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)"
        " select media_id, class_id, 'box', x, y, w, h, 'import', 1 from t;"
        "insert into core.predicted_label"
        " (run_id, media_id, class_id, kind, x, y, w, h, confidence)"
        " select 2, media_id, class_id, 'box', x, y, w, h, confidence from p"
    )
    owner.commit()
    owner.execute("analyze")
    owner.commit()


def _timed(conn: Any, query: str, run_id: int) -> float:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        conn.execute(query, [run_id]).fetchone()
        times.append(time.perf_counter() - began)
    return min(times)


def _pycoco(n_media: int, truth: dict[str, Any], found: dict[str, Any]) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def rows(boxes: dict[str, Any]) -> list[dict[str, Any]]:
        keys = zip(boxes["media_id"].tolist(), boxes["class_id"].tolist(), boxes["xywh"].tolist())
        return [{"image_id": i, "category_id": c, "bbox": b, "iscrowd": 0, "id": n,
                 "area": b[2] * b[3]} for n, (i, c, b) in enumerate(keys, 1)]  # fmt: skip

    file = {
        "images": [{"id": i} for i in range(1, n_media + 1)], "annotations": rows(truth),
        "categories": [{"id": i, "name": str(i)} for i in range(1, N_CLASSES + 1)], "info": {},
    }  # fmt: skip
    detections = rows(found)
    for row, score in zip(detections, found["confidence"].tolist()):
        row["score"] = score
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder, "truth.json")
        path.write_text(json.dumps(file))
        known = COCO(str(path))
        judged = COCOeval(known, known.loadRes(detections), "bbox")
        began = time.perf_counter()
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
