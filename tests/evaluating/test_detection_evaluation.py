"""Detections matched once give pycocotools' numbers in SQL, and TIDE's errors, on any media."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import coco_matching, detection_evaluation
from smartdb.box_pairs import Boxes
from smartdb.bulk import copy_rows
from smartdb.coco_matching import Truth
from smartdb.errors import InvalidInput, NotFound, NothingToDo

Conn = psycopg.Connection[Any]

TOY = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now()), ('import_predictions', 'succeeded', '0', now());
insert into core.source (name, uri) values ('s', 'file:///s');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/png', 1, 640, 480, 1 from generate_series(1, 4) as i;
insert into core.ontology (name) values ('street');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from) values (1, 'car', 1), (1, 'bus', 1);
insert into core.actor (name, kind) values ('ana', 'person');
insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id) values
    (1, 1, 'box', 0, 0, 100, 100, 'human', 1), (1, 1, 'box', 300, 0, 100, 100, 'human', 1),
    (2, 2, 'box', 0, 0, 100, 100, 'human', 1), (3, 1, 'box', 0, 0, 100, 100, 'human', 1);
insert into core.predicted_label (run_id, media_id, class_id, kind, x, y, w, h, confidence) values
    (2, 1, 1, 'box', 0, 0, 100, 100, 0.9),  -- right
    (2, 1, 1, 'box', 2, 0, 100, 100, 0.8),  -- duplicate
    (2, 1, 1, 'box', 360, 0, 100, 100, 0.7),  -- localisation: IoU 0.25
    (2, 2, 1, 'box', 0, 0, 100, 100, 0.6),  -- classification: a bus
    (2, 2, 1, 'box', 60, 0, 100, 100, 0.5),  -- both
    (2, 4, 2, 'box', 0, 0, 50, 50, 0.4);  -- background
"""


@pytest.fixture
def toy(conn: Conn, owner: Conn) -> Conn:
    """Six detections of run 2, of which one is right, and four labels."""
    owner.execute(TOY)
    owner.commit()
    return conn


def coco(path: Path) -> tuple[list[dict[str, Any]], Truth, dict[str, Any]]:
    """The annotations of a file, as rows and as the truth."""
    file = json.loads(path.read_text())
    rows = file["annotations"]
    boxes = Boxes(
        *(np.array([row[key] for row in rows]) for key in ("image_id", "category_id")),
        np.array([row["bbox"] for row in rows], float),
        np.ones(len(rows)),
    )
    area = np.array([row["area"] for row in rows], float)
    return rows, Truth(boxes, area, np.array([bool(row["iscrowd"]) for row in rows])), file


def pycoco(truth: Path, detections: Path) -> list[float]:
    """The twelve numbers of pycocotools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    known = COCO(str(truth))
    judged = COCOeval(known, known.loadRes(str(detections)), "bbox")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    return judged.stats.tolist()


def stored(owner: Conn, truth: Path, detections: Path) -> None:
    """The media, labels and detections of COCO files as rows; media_id is the image's id."""
    rows, _, file = coco(truth)
    owner.execute(
        "insert into core.run (kind, status, code_version, finished_at) values"
        " ('ingest', 'succeeded', '0', now()), ('import_predictions', 'succeeded', '0', now());"
        "insert into core.ontology (name) values ('coco');"
        "insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');"
        "insert into core.actor (name, kind) values ('coco', 'import')"
    )
    owner.execute(
        "insert into core.class (class_id, ontology_id, name, version_from)"
        " overriding system value select i, 1, i::text, 1 from unnest(%s::bigint[]) as i",
        [[each["id"] for each in file["categories"]]],
    )
    owner.execute(
        "insert into core.media (media_id, sha256, kind, mime, n_bytes, width, height, run_id)"
        " overriding system value"
        " select i, sha256(i::text::bytea), 'image', 'image/png', 1, 640, 640, 1"
        " from unnest(%s::bigint[]) as i",
        [[each["id"] for each in file["images"]]],
    )
    columns = {"media_id": "bigint", "class_id": "bigint", "x": "float8", "y": "float8",
               "w": "float8", "h": "float8"}  # fmt: skip
    owner.execute(
        "create temp table a (media_id bigint, class_id bigint, x float8, y float8, w float8,"
        " h float8, attributes jsonb); create temp table p (media_id bigint, class_id bigint,"
        " x float8, y float8, w float8, h float8, confidence real)"
    )
    copy_rows(owner, "a", {**columns, "attributes": "jsonb"}, (
        (r["image_id"], r["category_id"], *map(float, r["bbox"]),
         {"area": r["area"], "is_crowd": bool(r["iscrowd"])}) for r in rows))  # fmt: skip
    copy_rows(owner, "p", {**columns, "confidence": "real"}, (
        (r["image_id"], r["category_id"], *map(float, r["bbox"]), r["score"])
        for r in json.loads(detections.read_text())))  # fmt: skip
    owner.execute(
        "insert into core.label"
        " (media_id, class_id, kind, x, y, w, h, attributes, origin, actor_id)"
        " select media_id, class_id, 'box', x, y, w, h, attributes, 'import', 1 from a;"
        "insert into core.predicted_label"
        " (run_id, media_id, class_id, kind, x, y, w, h, confidence)"
        " select 2, media_id, class_id, 'box', x, y, w, h, confidence from p;"
        "analyze core.label; analyze core.predicted_label"
    )
    owner.commit()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("truth", "detections"),
    [
        (
            "coco_eval_reference/instances_val2014_100.json",
            "coco_eval_reference/instances_val2014_fakebbox100_results.json",
        ),
        ("coco/annotations/instances.json", "coco/predictions/FastestDet.json"),
        ("coco/annotations/instances.json", "coco/predictions/yolo-fastest-1.1.json"),
    ],
)
def test_sql_gives_the_numbers_of_pycocotools(
    owner: Conn, conn: Conn, shared_data: Path, truth: str, detections: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    stored(owner, shared_data / truth, shared_data / detections)
    result = detection_evaluation.evaluate(conn, 2)
    wanted = pycoco(shared_data / truth, shared_data / detections)
    found = [result[name] for name in detection_evaluation.SUMMARY]
    assert found == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_crowded_random_boxes_match_as_in_pycocotools(
    owner: Conn, conn: Conn, tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = np.random.default_rng(seed)

    def drawn(n: int) -> list[dict[str, Any]]:
        xywh = np.hstack([chance.uniform(0, 80, (n, 2)), chance.uniform(5, 120, (n, 2))]).round(1)
        return [
            {"image_id": int(chance.integers(1, 6)), "category_id": int(chance.integers(1, 3)),
             "bbox": box.tolist()} for box in xywh
        ]  # fmt: skip

    truth, found = drawn(60), drawn(300)
    for i, row in enumerate(truth, 1):
        row |= {"id": i, "area": row["bbox"][2] * row["bbox"][3] * 0.8, "iscrowd": int(i % 9 == 0)}
    for row, other in zip(found, truth * 3, strict=False):
        row |= {key: other[key] for key in ("image_id", "category_id")}
        row["bbox"] = (np.array(other["bbox"]) + chance.normal(0, 4, 4)).clip(1).round(1).tolist()
    for row in found:
        row["score"] = float(np.float32(chance.uniform(0.01, 1)))
    images = [{"id": i, "width": 640, "height": 640} for i in range(1, 6)]
    classes = [{"id": i, "name": str(i)} for i in (1, 2)]
    (tmp_path / "t.json").write_text(
        json.dumps({"images": images, "annotations": truth, "categories": classes, "info": {}})
    )
    (tmp_path / "d.json").write_text(json.dumps(found))
    stored(owner, tmp_path / "t.json", tmp_path / "d.json")
    result = detection_evaluation.evaluate(conn, 2)
    wanted = [
        each if each >= 0 else None for each in pycoco(tmp_path / "t.json", tmp_path / "d.json")
    ]
    found_numbers = [result[name] for name in detection_evaluation.SUMMARY]
    assert found_numbers == pytest.approx(wanted, abs=1e-6)


def test_each_wrong_detection_and_each_missed_label_has_its_kind(toy: Conn) -> None:
    run_id = detection_evaluation.evaluate(toy, 2)["run_id"]
    errors = toy.execute(
        "select kind, media_id, class, other_class from smartdb.detection_error(%s)"
        " order by kind, media_id", [run_id]).fetchall()  # fmt: skip
    assert errors == [
        ("background", 4, "bus", None), ("both", 2, "car", "bus"),
        ("classification", 2, "car", "bus"), ("duplicate", 1, "car", None),
        ("localisation", 1, "car", None), ("missed", 3, "car", None),
    ]  # fmt: skip


def test_a_slice_is_asked_without_matching_again(toy: Conn) -> None:
    run_id = detection_evaluation.evaluate(toy, 2)["run_id"]

    def asked(predicate: str) -> list[tuple[Any, ...]]:
        return toy.execute(
            "select class, n_truth, round(average_precision::numeric, 4)::float"
            " from smartdb.average_precision(%s, 0.5, predicate => %s)", [run_id, predicate]
        ).fetchall()  # fmt: skip

    assert asked("true") == [("bus", 1, 0.0), ("car", 3, 0.3366)]
    assert asked("m.media_id = 1") == [("car", 2, 0.505)]
    assert asked("m.media_id = 4") == []


def test_the_curve_says_which_confidence_is_best(toy: Conn) -> None:
    run_id = detection_evaluation.evaluate(toy, 2)["run_id"]
    best = toy.execute(
        "select confidence, precision, recall, f1 from smartdb.detection_pr_curve(%s, 'car')"
        " order by f1 desc limit 1", [run_id]).fetchone()  # fmt: skip
    assert best == pytest.approx((0.9, 1, 1 / 3, 0.5))


def test_a_dataset_split_is_judged_by_its_own_labels(toy: Conn, owner: Conn) -> None:
    owner.execute(
        "insert into core.dataset (name, ontology_id) values ('d', 1);"
        "insert into core.dataset_version (dataset_id, version, revision, query, seed, message,"
        " run_id, ontology_version) values (1, 1, core.checkpoint(), 'true', 0, 'first', 1, 1);"
        "insert into core.dataset_item (dataset_id, media_id, split, version_from)"
        " values (1, 1, 'test', 1), (1, 2, 'train', 1);"
        "update core.dataset_version set (n_items, digest, sealed_at) ="
        " (2, smartdb.dataset_digest('d', 1), now())"
    )
    owner.execute("update core.label set rev_to = 0 where label_id = 2")
    owner.commit()
    result = detection_evaluation.evaluate(toy, 2, dataset="d", split="test")
    assert (result["detections"], result["labels"]) == (3, 2)
    assert detection_evaluation.evaluate(toy, 2)["labels"] == 3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1,), NothingToDo, "run 1 has no detections"),
        ((2, "none"), NotFound, "dataset 'none' has no sealed version"),
        ((2, None, 3), InvalidInput, "name the dataset too"),
    ],
)
def test_what_cannot_be_evaluated_is_told(
    toy: Conn, arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    names = ("dataset", "version")
    with pytest.raises(error, match=message):
        detection_evaluation.evaluate(toy, arguments[0], **dict(zip(names, arguments[1:])))


def test_an_iou_that_was_not_matched_is_refused(toy: Conn) -> None:
    run_id = detection_evaluation.evaluate(toy, 2)["run_id"]
    with pytest.raises(psycopg.Error, match="not matched at IoU") as raised:
        toy.execute("select smartdb.average_precision(%s, 0.52)", [run_id])
    assert raised.value.sqlstate == "SD002"


def test_a_reader_does_not_see_detections_of_a_hidden_media(
    toy: Conn, owner: Conn, as_role: Any
) -> None:
    run_id = detection_evaluation.evaluate(toy, 2)["run_id"]
    owner.execute("insert into core.restriction (media_id, reason) values (1, 'consent')")
    owner.commit()
    rows = as_role("smartdb_reader").execute(
        "select distinct media_id from smartdb.detection_match where run_id = %s", [run_id]
    )
    assert sorted(rows.fetchall()) == [(2,), (4,)]


def test_the_commands_print_numbers_classes_and_errors(toy: Conn, cli: Any) -> None:
    run_id = (
        cli("detections", "evaluate", "2", "--json").stdout.split('"run_id": ')[1].split(",")[0]
    )
    lines = cli("detections", "classes", run_id).stdout.splitlines()[1:]
    assert [line.split() for line in lines] == [
        ["bus", "1", "0", "0"], ["car", "3", "0.3366", "0.3333"],
    ]  # fmt: skip
    assert "localisation" in cli("detections", "errors", run_id).stdout
    wrong = cli("detections", "classes", run_id, "--iou", "0.52")
    assert (wrong.exit_code, "not matched at IoU 0.52" in wrong.output) == (2, True)


def test_no_detections_of_a_class_are_no_matches() -> None:
    none = Boxes(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)), np.zeros(0))
    truth = Truth(Boxes(np.array([1]), np.array([1]), np.ones((1, 4)), np.ones(1)),
                  np.ones(1), np.zeros(1, bool))  # fmt: skip
    matches = coco_matching.match(none, np.zeros(0), truth)
    assert (len(matches.rank), matches.found.tolist()) == (0, [0])
