"""How well the rules of `smartdb.box_rules` find errors of boxes that are known, and how fast.

python -m benchmarks box_issues
    boxes drawn at random, a million of them, against cleanlab's ObjectLab on some
python -m benchmarks.box_issues planted TRUTH.json DETECTIONS.json
    errors planted in COCO's boxes, told by a detector: AUROC and what is suspected of each kind
python -m benchmarks.box_issues changed FOLDER
    BCCD's boxes before (Annotations_original) and after correction (Annotations), held together
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Figure, show
from benchmarks.label_errors import auroc
from smartdb import box_rules, objectlab
from smartdb.box_pairs import Boxes, joined, matched, pairs

CELLS = ("RBC", "WBC", "Platelets")
KINDS = ("badly_placed", "swapped", "spurious")


def main(quick: bool = False) -> None:
    """Speed on boxes drawn at random, seven a media."""
    n, few = (20_000, 300) if quick else (1_000_000, 3_000)
    labels, others = _random(n, 0), _random(n, 1)
    began = time.perf_counter()
    box_rules.against(labels, others)
    ours = time.perf_counter() - began
    began = time.perf_counter()
    objectlab.quality(labels, others)
    scored = time.perf_counter() - began
    began = time.perf_counter()
    _cleanlab(_random(few, 0), _random(few, 1))
    theirs = (time.perf_counter() - began) / few * n
    show(f"box issues: {n:,} boxes against as many", [
        Figure("rules by overlap", ours, "s"),
        Figure("ObjectLab's scores, ours", scored, "s"),
        Figure("ObjectLab's scores, cleanlab", theirs, "s", note=f"from {few:,} boxes"),
        Figure("ours, of cleanlab's time", scored / theirs, "x", "< 0.1 x", scored < theirs / 10),
    ])  # fmt: skip


def planted(truth: str, detections: str) -> None:
    """A twentieth of the boxes each is moved, renamed, dropped, doubled or made up."""
    labels, others = _coco(truth), _coco(detections)
    for seed in range(3):
        wrong, kinds, gone = _plant(labels, np.random.default_rng(seed))
        found = {each.kind: each for each in box_rules.against(wrong, others)}
        scores = {kind: _scores(found[kind], len(wrong)) for kind in KINDS}
        lab = objectlab.quality(wrong, others, box_rules.CONFIDENCE, box_rules.CONFIDENCE)
        rival = {"badly_placed": 1 - lab.placed, "swapped": 1 - lab.named}
        print(f"seed {seed}: {len(wrong)} boxes, {(kinds == 'swapped').sum()} errors of each kind")
        for kind in KINDS:
            is_wrong, caught = kinds == kind, scores[kind] > 0
            peer = f", ObjectLab {auroc(rival[kind], is_wrong):.2f}" if kind in rival else ""
            print(f"  {kind:13} {caught.sum():4} suspected, {(caught & is_wrong).sum():3} of them "
                  f"right, AUROC {auroc(scores[kind], is_wrong):.2f}{peer}")  # fmt: skip
        _print_overlooked(gone, others, found["overlooked"], 1 - np.nan_to_num(lab.seen, nan=1))
        twins = box_rules.twins(wrong).rows
        print(f"  {'duplicate':13} {len(twins):4} suspected, "
              f"{(kinds[twins] == 'duplicate').sum():3} of them right")  # fmt: skip


def changed(folder: str) -> None:
    """How many of the boxes that a correction changed are suspected, and of those it left."""
    old, new = Path(folder, "Annotations_original"), Path(folder, "Annotations")
    names = sorted(path.name for path in old.glob("*.xml"))
    before, after = _voc(old, names), _voc(new, names)
    found = {each.kind: set(each.rows.tolist()) for each in box_rules.against(before, after)}
    flagged = found["badly_placed"] | found["swapped"] | found["spurious"]
    pairing = matched(joined([*pairs(before, after)]), box_rules.APART)
    overlap = np.zeros(len(before))
    overlap[pairing.a] = pairing.iou
    for name, is_so in (("left as it was", overlap >= 0.999), ("moved a little (IoU 0.75 to 1)",
                        (overlap >= 0.75) & (overlap < 0.999)),
                        ("moved (IoU below 0.75)", (overlap > 0) & (overlap < 0.75)),
                        ("gone", overlap == 0)):  # fmt: skip
        rows = np.flatnonzero(is_so)
        print(f"  {name:32} {len(rows):4} boxes, {len(flagged & set(rows.tolist())):4} suspected")
    added = len(after) - len(pairing.b)
    print(f"  {'added':32} {added:4} boxes, {len(found['overlooked']):4} suspected as overlooked")


def _print_overlooked(gone: Boxes, others: Boxes, found: Any, rival: Any) -> None:
    hit = np.zeros(len(others), bool)
    heard = np.flatnonzero(others.confidence >= box_rules.CONFIDENCE)
    near = matched(joined([*pairs(gone, others.only(heard))]), box_rules.MATCH)
    same = gone.class_ids[near.a] == others.class_ids[heard[near.b]]
    hit[heard[near.b[same]]] = True
    scores = _scores(found, len(others))
    print(f"  {'overlooked':13} {len(found.rows):4} suspected, {hit[found.rows].sum():3} of them "
          f"right, of {hit.sum()} that the detector sees of {len(gone)}, "
          f"AUROC {auroc(scores, hit):.2f}, ObjectLab {auroc(rival, hit):.2f}")  # fmt: skip


def _scores(found: Any, n: int) -> Any:
    scores = np.zeros(n)
    scores[found.rows] = found.scores
    return scores


def _plant(labels: Boxes, chance: np.random.Generator) -> tuple[Boxes, Any, Boxes]:
    n, k = len(labels), max(3, len(labels) // 20)
    swapped, moved, gone, doubled = chance.permutation(n)[: 4 * k].reshape(4, k)
    classes, boxes = labels.class_ids.copy(), labels.xywh.copy()
    used = np.unique(classes)
    for row in swapped:
        classes[row] = chance.choice(used[used != classes[row]])
    signs = chance.choice([-1, 1], (k, 2))
    boxes[moved, :2] += signs * chance.uniform(0.25, 0.5, (k, 2)) * boxes[moved, 2:]
    kinds = np.full(n, "", object)
    kinds[swapped], kinds[moved] = "swapped", "badly_placed"
    kept = np.setdiff1d(np.arange(n), gone)
    again = boxes[doubled] + chance.normal(0, 1.5, (k, 4))
    made_up = np.hstack([chance.uniform(0, 200, (k, 2)), chance.uniform(20, 120, (k, 2))])
    xywh = np.vstack([boxes[kept], again, made_up])
    xywh[:, 2:] = np.maximum(xywh[:, 2:], 2)
    where = np.concatenate([labels.media_ids[kept], labels.media_ids[doubled],
                            chance.choice(labels.media_ids, k)])  # fmt: skip
    what = np.concatenate([classes[kept], classes[doubled], chance.choice(used, k)])
    kinds = np.concatenate([kinds[kept], ["duplicate"] * k, ["spurious"] * k])
    return Boxes(where, what, xywh, np.ones(len(what))), kinds, labels.only(gone)


def _coco(path: str) -> Boxes:
    read = json.loads(Path(path).read_text())
    rows = read["annotations"] if isinstance(read, dict) else read
    rows = [row for row in rows if not row.get("iscrowd")]
    return Boxes(
        np.array([row["image_id"] for row in rows]),
        np.array([row["category_id"] for row in rows]),
        np.array([row["bbox"] for row in rows], float),
        np.array([row.get("score", 1) for row in rows], float),
    )


def _voc(folder: Path, names: list[str]) -> Boxes:
    from xml.etree import ElementTree

    rows = []
    for number, name in enumerate(names):
        for thing in ElementTree.parse(folder / name).getroot().iter("object"):
            x0, y0, x1, y1 = (
                float(thing.findtext(f"bndbox/{key}") or 0)
                for key in ("xmin", "ymin", "xmax", "ymax")
            )
            kind = CELLS.index(str(thing.findtext("name")))
            rows.append((number, kind, x0, y0, x1 - x0, y1 - y0))
    found = np.array(rows)
    return Boxes(found[:, 0].astype(int), found[:, 1].astype(int), found[:, 2:], np.ones(len(rows)))


def _random(n: int, seed: int) -> Boxes:
    chance = np.random.default_rng(seed)
    place = chance.uniform(0, 500, (n, 2))
    size = chance.uniform(20, 200, (n, 2))
    sure = chance.uniform(0.3, 1, n)
    return Boxes(np.arange(n) // 7, chance.integers(0, 20, n), np.hstack([place, size]), sure)


def _cleanlab(labels: Boxes, others: Boxes) -> None:
    from cleanlab.object_detection import rank

    def corners(boxes: Boxes) -> Any:
        return np.hstack([boxes.xywh[:, :2], boxes.xywh[:, :2] + boxes.xywh[:, 2:]])

    given, said = [], []
    for media_id in np.unique(labels.media_ids):
        a = labels.only(labels.media_ids == media_id)
        b = others.only(others.media_ids == media_id)
        given.append({"bboxes": corners(a), "labels": a.class_ids})
        rows = np.empty(20, object)
        for k in range(20):
            c = b.only(b.class_ids == k)
            rows[k] = np.hstack([corners(c), c.confidence[:, None]])
        said.append(rows)
    for score in ("overlooked", "badloc", "swap"):
        getattr(rank, f"compute_{score}_box_scores")(labels=given, predictions=said)


if __name__ == "__main__":
    {"planted": planted, "changed": changed}[sys.argv[1]](*sys.argv[2:])
