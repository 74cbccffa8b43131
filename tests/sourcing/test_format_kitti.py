"""KITTI: what is read, what comes back, and what is said of broken sets."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from smartdb.formats import kitti, yolo
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture

from .reading import Make, labels, problems

GOOD = "Car 0.5 1 -1.57 1 2 4.5 6 1.5 1.6 3.9 1 2 30.25 -1.59"


def rows(items: list[Item]) -> Counter[str]:
    return Counter(
        repr((a.picture, a.class_name, a.box, sorted(a.attributes.items()), a.confidence))
        for a in labels(items)
    )


def random_label(dice: random.Random, picture: str) -> Annotation:
    number = lambda: dice.choice([dice.uniform(-9, 900), float(dice.randint(0, 90))])  # noqa: E731
    length = lambda: dice.choice([dice.uniform(1e-6, 900), float(dice.randint(1, 90))])  # noqa: E731
    full = {
        "truncated": dice.random(), "occluded": dice.randint(0, 3), "alpha": dice.uniform(-3, 3),
        "dimensions": [length(), 1, length()], "location": [number(), number(), number()],
        "rotation_y": dice.uniform(-3, 3),
    }  # fmt: skip
    kept = {name: value for name, value in full.items() if dice.random() < 0.7}
    sure = dice.choice([None, dice.random()])
    name = dice.choice(["Car", "DontCare", "Person sitting", "é 1 b"])
    box = (number(), number(), length(), length())
    return Annotation(picture, "box", name, "", box, attributes=kept, confidence=sure)


def test_random_labels_come_back_as_the_same_floats_and_attributes(
    make: Make, tmp_path: Path
) -> None:
    dice = random.Random(3)
    names = ["a.png", "b c.png", "x.1/a.png", "training/image_2/0.png"]
    folder = make(dict.fromkeys(names, (8, 8)))
    wanted: list[Item] = [random_label(dice, dice.choice(names)) for _ in range(300)]
    classes = [ClassInfo(name) for name in ("Car", "DontCare", "Person sitting", "é 1 b")]
    pictures = [Picture(name, "") for name in [*names, "lonely.png"]]

    assert kitti.write(tmp_path / "out", pictures, labels(wanted), classes) == []

    back = list(kitti.read(tmp_path / "out", images=folder))
    assert rows(back) == rows(wanted)
    assert problems(back) == [("label_2/lonely.txt", "orphan_label")]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("sample", "n"),
    [
        ("datumaro/kitti_dataset/kitti_detection", 5),
        ("labelformat/object_detection/KITTI", 16),
    ],
)
def test_authentic_sets_are_read_and_come_back(
    sample: str, n: int, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "formats" / sample
    assert kitti.is_at(path)
    items = list(kitti.read(path))
    assert (len(labels(items)), problems(items)) == (n, [])
    classes = [ClassInfo(name) for name in {label.class_name for label in labels(items)}]
    pictures = [item for item in items if isinstance(item, Picture)]
    assert kitti.write(tmp_path / "out", pictures, labels(items), classes) == []
    assert rows(list(kitti.read(tmp_path / "out", images=path))) == rows(items)


@pytest.mark.shared
def test_kitti_and_yolo_of_the_same_photos_agree_to_a_pixel(shared_data: Path) -> None:
    base = shared_data / "formats/labelformat/object_detection"
    of_kitti, of_yolo = (
        sorted((a.picture, a.class_name, *(a.box or ())) for a in labels(list(items)))
        for items in (kitti.read(base / "KITTI"), yolo.read(base / "YOLOv8"))
    )
    assert len(of_kitti) == len(of_yolo)
    assert all(a[:2] == b[:2] for a, b in zip(of_kitti, of_yolo))
    assert max(abs(p - q) for a, b in zip(of_kitti, of_yolo) for p, q in zip(a[2:], b[2:])) < 1


@pytest.mark.shared
@pytest.mark.parametrize("sample", ["kitti_raw", "kitti_segmentation"])
def test_other_kinds_of_kitti_are_said_to_be_unsupported(sample: str, shared_data: Path) -> None:
    path = shared_data / "formats/datumaro/kitti_dataset" / sample
    assert not kitti.is_at(path)
    assert [reason for _, reason in problems(list(kitti.read(path)))] == ["unsupported"]


def test_known_fields_are_attributes_and_unknown_ones_are_left_out(make: Make) -> None:
    unknown = "DontCare -1 -1 -10 0 0 2 2 -1 -1 -1 -1000 -1000 -1000 -10"
    path = make({
        "training/image_2/1.png": (9, 9),
        "training/label_2/1.txt": f"{GOOD}\n{unknown}\n{GOOD} 0.25\n{GOOD} -3.5",
    })  # fmt: skip
    full, bare, sure, scored = labels(list(kitti.read(path)))
    assert full.box == (1.0, 2.0, 3.5, 4.0)
    assert full.attributes == {
        "truncated": 0.5, "occluded": 1, "alpha": -1.57, "dimensions": [1.5, 1.6, 3.9],
        "location": [1, 2, 30.25], "rotation_y": -1.59,
    }  # fmt: skip
    assert (bare.class_name, bare.attributes) == ("DontCare", {})
    assert (sure.confidence, scored.confidence, scored.attributes["score"]) == (0.25, None, -3.5)


ROWS = {
    "Car 0 0": "bad_row",
    "Car": "bad_row",
    GOOD.rpartition(" ")[0]: "bad_row",
    GOOD.replace("4.5", "x"): "bad_row",
    GOOD.replace("30.25", "nan"): "not_a_number",
    GOOD.replace("4.5", "inf").replace(" 1 2 ", " inf 2 ", 1): "not_a_number",
    "0 7 " + GOOD: "bad_row",
    GOOD + " nan": "not_a_number",
    "Car" * 1000: "bad_row",
    "\x00\x01": "bad_row",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_wrong_row_is_reported_with_its_line_and_the_rest_is_read(row: str, make: Make) -> None:
    path = make({"image_2/1.png": (9, 9), "label_2/1.txt": f"{GOOD}\r\n{row}\r\nVan{GOOD[3:]}"})
    items = list(kitti.read(path))
    assert problems(items) == [("label_2/1.txt:2", ROWS[row])]
    assert [label.class_name for label in labels(items)] == ["Car", "Van"]


def test_odd_boxes_are_given_as_they_are_for_the_importer_to_judge(make: Make) -> None:
    flat, far = GOOD.replace("4.5", "1"), GOOD.replace("4.5", "450")
    path = make({"image_2/1.png": (9, 9), "label_2/1.txt": f"{flat}\n{far}"})
    assert [label.box for label in labels(list(kitti.read(path)))] == [
        (1.0, 2.0, 0.0, 4.0), (1.0, 2.0, 449.0, 4.0),
    ]  # fmt: skip


def test_twice_the_same_row_and_other_encodings_are_reported(make: Make) -> None:
    path = make({
        "images/1.png": (9, 9),
        "labels/1.txt": f"\ufeff{GOOD}\n{GOOD}\n".encode() + b"Caf\xe9" + GOOD[3:].encode(),
        "images/2.png": (9, 9), "labels/2.txt": b"",
    })  # fmt: skip
    items = list(kitti.read(path))
    assert problems(items) == [("labels/1.txt:2", "duplicate_id"), ("labels/1.txt:3", "bad_row")]
    assert len(labels(items)) == 1


def test_label_files_without_a_picture_are_reported(make: Make) -> None:
    path = make({"image_2/1.png": (9, 9), "label_2/1.txt": GOOD, "label_2/ghost.txt": GOOD})
    items = list(kitti.read(path))
    assert problems(items) == [("label_2/ghost.txt", "orphan_label")]


def test_a_name_that_two_pictures_have_is_not_guessed(make: Make) -> None:
    path = make({"images/a/1.png": (9, 9), "images/b/1.png": (9, 9), "labels/1.txt": GOOD})
    assert problems(list(kitti.read(path))) == [("labels/1.txt", "orphan_label")]


def test_label_files_alone_are_of_pictures_that_are_known_elsewhere(make: Make) -> None:
    path = make({"label_2/000.1.txt": GOOD})
    items = list(kitti.read(path, suffix=".jpg"))
    assert [item.name for item in items if isinstance(item, Picture)] == ["000.1.jpg"]
    assert [label.picture for label in labels(items)] == ["000.1.jpg"]
    assert kitti.images(path) is None


def test_links_that_loop_or_lead_outside_are_not_followed(make: Make) -> None:
    path = make({"image_2/1.png": (9, 9), "label_2/1.txt": GOOD})
    (path / "label_2/loop").symlink_to(path)
    (path / "label_2/2.txt").symlink_to("/etc/passwd")
    assert ("label_2/2.txt", "unsafe_path") in problems(list(kitti.read(path)))
    assert len(labels(list(kitti.read(path)))) == 1


def test_what_a_set_cannot_hold_is_returned_as_a_problem(tmp_path: Path) -> None:
    pictures = [Picture("a.png", "pa"), Picture("a.jpg", "pb"), Picture("../c.png", "pc")]
    box = (0.0, 0.0, 1.0, 1.0)
    given = [
        Annotation("a.png", "polygon", "cat", "0", box, {"polygons": []}),
        Annotation("a.png", "box", "dog", "1", box),
        Annotation("b.png", "box", "cat", "2", box),
        Annotation("a.png", "box", "cat", "3", (float("nan"), 0.0, 1.0, 1.0)),
        Annotation("a.png", "box", "room 1", "4", box),
        Annotation("a.png", "box", "two  spaces", "5", box),
        Annotation("a.png", "box", "cat", "6", box),
    ]
    classes = [ClassInfo("cat"), ClassInfo("room 1"), ClassInfo("two  spaces")]
    found = kitti.write(tmp_path / "out", pictures, given, classes)
    assert [(p.where, p.reason) for p in found] == [
        ("pb", "duplicate_id"), ("pc", "unsafe_path"), ("0", "unsupported"),
        ("1", "unknown_category"), ("2", "missing_image"), ("3", "not_a_number"),
        ("4", "unsupported"), ("5", "unsupported"),
    ]  # fmt: skip


def test_what_a_written_row_leaves_out_is_told_once(tmp_path: Path) -> None:
    odd = {"alpha": "left", "location": [1, 2], "occluded": 1, "colour": "red"}
    given = [Annotation("a.png", "box", "cat", "1", (0.0, 0.0, 1.0, 1.0), attributes=odd)]
    found = kitti.write(tmp_path / "out", [Picture("a.png", "")], given, [ClassInfo("cat")])
    assert [p.detail for p in found] == [
        f"KITTI holds no attribute '{name}' (1 labels)" for name in ("alpha", "location", "colour")
    ]
