"""YOLO: what is read, what comes back, and what is said of broken sets."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from smartdb.errors import InvalidInput
from smartdb.formats import yolo
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture

from .reading import Make, labels, problems


def names(items: list[Item]) -> list[str]:
    return [item.name for item in items if isinstance(item, Picture)]


def rows(items: list[Item]) -> Counter[str]:
    return Counter(
        repr((a.picture, a.kind, a.class_name, a.box, a.shape, a.confidence)) for a in labels(items)
    )


def random_label(dice: random.Random, kind: Any, picture: Picture) -> Annotation:
    width, height = picture.size or (1, 1)
    point = lambda: [dice.uniform(-5, width + 5), dice.choice([0.0, dice.random() * height])]  # noqa: E731
    box = (
        dice.choice([0.0, 1.0, dice.uniform(0.001, width)]), dice.randint(0, height) / 4,
        dice.choice([1.0, 1 / 3, dice.random() * width + 0.01]), dice.randint(1, height) / 8,
    )  # fmt: skip
    shape = {
        "box": lambda: None,
        "polygon": lambda: {"polygons": [[[point() for _ in range(dice.randint(3, 9))]]]},
        "rotated_box": lambda: {"corners": [point() for _ in range(4)]},
        "keypoints": lambda: {"points": [[*point(), float(dice.randint(0, 2))] for _ in range(5)]},
    }[kind]()
    flat = (shape or {}).get("corners") or [
        p for s in (shape or {}).get("polygons", []) for p in s[0]
    ]
    if flat:
        xs, ys = zip(*flat)
        box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    sure = None if kind == "keypoints" else dice.choice([None, dice.random()])
    return Annotation(picture.name, kind, dice.choice("ab"), "", box, shape, confidence=sure)


@pytest.mark.parametrize("kind", yolo.KINDS)
def test_random_labels_come_back_as_the_same_floats(kind: str, make: Make, tmp_path: Path) -> None:
    dice = random.Random(kind)
    sizes = {f"{d}p{n}.png": (dice.randint(1, 700), dice.randint(1, 700))
             for d in ("", "train/", "images/x/") for n in range(4)}  # fmt: skip
    folder = make(dict(sizes))
    pictures = [Picture(n, "", size, dice.choice(["train", "val"])) for n, size in sizes.items()]
    wanted: list[Item] = [random_label(dice, kind, dice.choice(pictures)) for _ in range(150)]

    classes = [ClassInfo("a"), ClassInfo("b")]
    assert yolo.write(tmp_path / "out", pictures, labels(wanted), classes) == []

    back = list(yolo.read(tmp_path / "out", images=folder))
    assert rows(back) == rows(wanted)
    assert problems(back) == []
    assert {p.name: p.split for p in back if isinstance(p, Picture)} == {
        p.name: p.split for p in pictures
    }
    assert yolo.classes(tmp_path / "out") == classes


def test_what_is_written_is_a_set_of_ultralytics(make: Make, tmp_path: Path) -> None:
    pictures = [Picture("a/1.jpg", "", (10, 10), "val")]
    label = Annotation("a/1.jpg", "box", "no", "", (1.0, 2.0, 4.0, 4.0))
    yolo.write(tmp_path / "set", pictures, [label], [ClassInfo("no"), ClassInfo('q"é: #')])
    assert (tmp_path / "set/labels/a/1.txt").read_text() == "0 0.3 0.4 0.4 0.4\n"
    assert (tmp_path / "set/val.txt").read_text() == "./images/a/1.jpg\n"
    folder = make({"images/a/1.jpg": (10, 10)})
    back = list(yolo.read(folder))
    assert names(back) == ["images/a/1.jpg"]
    assert labels(back)[0].box == label.box
    assert [c.name for c in yolo.classes(folder)] == ["no", 'q"é: #']


SAMPLES = {
    "datumaro/yolo_dataset/yolo": {"box": 2},
    "datumaro/yolo_dataset/yolov8_detection": {"box": 2},
    "datumaro/yolo_dataset/yolov8_detection_with_list_of_imgs": {"box": 2},
    "datumaro/yolo_dataset/yolov8_detection_with_list_of_names": {"box": 2},
    "datumaro/yolo_dataset/yolov8_detection_with_subset_txt": {"box": 2},
    "datumaro/yolo_dataset/yolov8_oriented_boxes": {"rotated_box": 2},
    "datumaro/yolo_dataset/yolov8_pose": {"keypoints": 1},
    "datumaro/yolo_dataset/yolov8_pose_two_values_per_point": {"keypoints": 1},
    "datumaro/yolo_dataset/yolov8_segmentation": {"polygon": 2},
    "labelformat/object_detection/YOLOv8": {"box": 16},
    "labelformat/instance_segmentation/YOLOv8": {"polygon": 3},
    "label_studio/test_import_yolo_data": {"box": 25},
    "label_studio/test_import_yolo_data_unif_dims": {"box": 19},
}


@pytest.mark.shared
@pytest.mark.parametrize("sample", SAMPLES)
def test_authentic_sets_are_read_and_come_back(
    sample: str, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "formats" / sample
    assert yolo.is_at(path)
    items = list(yolo.read(path))
    assert problems(items) == []
    assert Counter(label.kind for label in labels(items)) == SAMPLES[sample]
    pictures = [item for item in items if isinstance(item, Picture)]
    assert yolo.write(tmp_path / "out", pictures, labels(items), yolo.classes(path)) == []
    assert rows(list(yolo.read(tmp_path / "out", images=path))) == rows(items)


@pytest.mark.shared
def test_class_folders_are_said_to_be_no_labels(shared_data: Path) -> None:
    path = shared_data / "formats/datumaro/yolo_dataset/yolov8_classification"
    assert not yolo.is_at(path)
    assert problems(list(yolo.read(path))) == [(str(path), "unsupported")]


@pytest.mark.shared
def test_boxes_are_those_of_the_coco_file_of_the_same_photos(
    shared_data: Path, tmp_path: Path
) -> None:
    coco = json.loads((shared_data / "coco/annotations/instances.json").read_text())
    photo = {image["id"]: image["file_name"] for image in coco["images"]}
    name = {category["id"]: category["name"] for category in coco["categories"]}
    (tmp_path / "names").write_text("\n".join(name.values()))
    items = yolo.read(
        shared_data / "coco/labels_yolo",
        images=shared_data / "coco/images",
        names=str(tmp_path / "names"),
    )
    found = labels(list(items))
    left = [(photo[a["image_id"]], name[a["category_id"]], a["bbox"]) for a in coco["annotations"]
            if not a["iscrowd"]]  # fmt: skip
    for label in found:
        close = [t for t in left if t[:2] == (label.picture, label.class_name) and label.box
                 and max(abs(p - q) for p, q in zip(t[2], label.box)) < 0.001]  # fmt: skip
        left.remove(close[0])
    assert (len(found), left) == (243, [])


BASE = {"data.yaml": "train: images\nnames: [cat, dog]", "images/a.png": (10, 20)}

ROWS = {
    "2 0.5 0.5 0.1 0.1": "unknown_category",
    "-1 0.5 0.5 0.1 0.1": "unknown_category",
    "cat 0.5 0.5 0.1 0.1": "bad_row",
    "0.0 0.5 0.5 0.1 0.1": "bad_row",
    "0 0.5 0.5 0.1": "bad_row",
    "0": "bad_row",
    "0 0.5 0.5 0.1 x": "bad_row",
    "0 0.5 0.5 0.1 0.1 7": "bad_row",
    "0 inf 0.5 inf 0.1": "bad_row",
    "0 1e999999999 0.5 0.1 0.1": "bad_row",
    "0 snan 0.5 0.1 0.1": "bad_row",
    "0 0.5 0.5 0.1 0.1\x00": "bad_row",
    "\x00\x01\x02 garbage": "bad_row",
    "0 " + "9" * 10_000: "bad_row",
    "9" * 5000 + " 0.5 0.5 0.1 0.1": "bad_row",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_wrong_row_is_reported_with_its_line_and_the_rest_is_read(row: str, make: Make) -> None:
    good = "0 0.5 0.5 0.5 0.5"
    path = make(BASE | {"labels/a.txt": f"{good}\n\n{row}\r\n1 0.5 0.5 0.5 0.5"})
    items = list(yolo.read(path))
    assert problems(items) == [("labels/a.txt:3", ROWS[row])]
    assert [(a.class_name, a.box) for a in labels(items)] == [
        ("cat", (2.5, 5.0, 5.0, 10.0)), ("dog", (2.5, 5.0, 5.0, 10.0)),
    ]  # fmt: skip


def test_odd_boxes_are_given_as_they_are_for_the_importer_to_judge(make: Make) -> None:
    path = make(BASE | {"labels/a.txt": "0 nan 0.5 0.1 0.1\n0 0.5 0.5 0 0.1\n0 1.5 0.5 0.2 0.1"})
    items = list(yolo.read(path))
    assert problems(items) == []
    first, second, third = (label.box or () for label in labels(items))
    assert first[0] != first[0]
    assert second[2] == 0
    assert third == (14.0, 9.0, 2.0, 2.0)


def test_a_row_that_is_there_twice_counts_once(make: Make) -> None:
    path = make(BASE | {"labels/a.txt": "0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1\n0  0.5 0.5 0.1 0.1"})
    items = list(yolo.read(path))
    assert problems(items) == [("labels/a.txt:3", "duplicate_id")]
    assert len(labels(items)) == 2


def test_byte_order_mark_and_windows_line_ends_are_read(make: Make) -> None:
    path = make(
        BASE
        | {"data.yaml": b"\xef\xbb\xbftrain: images\r\nnames:\r\n  - caf\xc3\xa9\r\n"}
        | {"labels/a.txt": b"\xef\xbb\xbf0 0.5 0.5 0.5 0.5\r\n"}
    )
    items = list(yolo.read(path))
    assert problems(items) == []
    assert labels(items)[0].class_name == "café"


@pytest.mark.parametrize(
    "line", ["x" * 5000 + ".png", "a\0b.png", "images/a.png/b.png", "a\x1b[2J"]
)
def test_a_line_that_can_be_no_name_is_one_problem(line: str, make: Make) -> None:
    path = make(BASE | {"data.yaml": "train: t.txt", "t.txt": f"{line}\nimages/a.png",
                        "labels/a.txt": "0 .5 .5 1 1"})  # fmt: skip
    items = list(yolo.read(path))
    assert [where for where, _ in problems(items)] == ["t.txt:1"]
    assert names(items) == ["images/a.png"]


def test_other_encodings_are_named_with_their_line_and_read_when_told(make: Make) -> None:
    path = make({
        "classes.txt": b"cat\ncaf\xe9\n", "images/a.png": (10, 10),
        "labels/a.txt": b"0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.5 0.5\n",
    })  # fmt: skip
    items = list(yolo.read(path))
    assert problems(items) == [("classes.txt:2", "bad_row"), ("labels/a.txt:2", "unknown_category")]
    told = list(yolo.read(path, encoding="latin-1"))
    assert [label.class_name for label in labels(told)] == ["cat", "café"]
    with pytest.raises(InvalidInput, match="unknown encoding"):
        list(yolo.read(path, encoding="klingon"))


def test_files_without_a_partner_are_reported(make: Make) -> None:
    path = make(BASE | {"labels/ghost.txt": "0 0.5 0.5 0.1 0.1", "labels/a.txt": "",
                        "images/unlabelled.png": (5, 5), "readme.txt": "hello"})  # fmt: skip
    items = list(yolo.read(path))
    assert problems(items) == [("labels/ghost.txt", "orphan_label")]
    assert names(items) == ["images/a.png", "images/unlabelled.png"]


def test_a_picture_whose_header_cannot_be_read_loses_its_labels_with_a_problem(make: Make) -> None:
    path = make(BASE | {"images/b.jpg": b"", "labels/b.txt": "0 0.5 0.5 0.1 0.1"})
    items = list(yolo.read(path))
    assert problems(items) == [("labels/b.txt", "broken_file")]
    assert "images/b.jpg" in names(items)


def test_sizes_are_those_of_the_upright_picture(make: Make) -> None:
    path = make(BASE | {"labels/b.txt": "0 0.5 0.5 1 1"})
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(path / "images/b.jpg", exif=exif)
    assert labels(list(yolo.read(path)))[0].box == (0.0, 0.0, 30.0, 40.0)


def test_lists_lead_nowhere_outside_unless_allowed(make: Make, tmp_path: Path) -> None:
    outside = tmp_path / "outside/images/far.png"
    outside.parent.mkdir(parents=True)
    Image.new("1", (10, 10)).save(outside)
    (tmp_path / "outside/labels").mkdir()
    (tmp_path / "outside/labels/far.txt").write_text("0 0.5 0.5 1 1")
    listed = (
        f"./images/a.png\n../outside/images/far.png\n{outside}\nimages/gone.png\n./images/a.png\n"
    )
    path = make(BASE | {"data.yaml": "train: t.txt\nval: /etc\nnames: [cat]", "t.txt": listed,
                        "labels/a.txt": "0 0.5 0.5 1 1"})  # fmt: skip
    items = list(yolo.read(path))
    assert problems(items) == [
        ("t.txt:2", "unsafe_path"), ("t.txt:3", "unsafe_path"), ("t.txt:4", "missing_image"),
        ("images/a.png", "duplicate_id"), ("data.yaml", "unsafe_path"),
    ]  # fmt: skip
    assert len(labels(items)) == 1
    allowed = list(yolo.read(path, allow=str(tmp_path / "outside")))
    assert [label.picture for label in labels(allowed)] == ["images/a.png", str(outside)]


def test_links_that_loop_or_lead_outside_are_not_followed(make: Make, tmp_path: Path) -> None:
    path = make(BASE | {"labels/a.txt": "0 0.5 0.5 1 1", "../secret.png": (5, 5)})
    (path / "images/loop").symlink_to(path / "images")
    (path / "images/out.png").symlink_to(tmp_path / "secret.png")
    (path / "images/none.png").symlink_to(path / "images/none.png")
    (path / "images/b.png").symlink_to(path / "images/a.png")
    (path / "labels/b.txt").symlink_to("/etc/passwd")
    items = list(yolo.read(path))
    assert ("images/loop", "unsafe_path") in problems(items)
    assert ("images/out.png", "unsafe_path") in problems(items)
    assert ("labels/b.txt", "unsafe_path") in problems(items)
    assert ("images/none.png", "broken_file") in problems(items)
    assert len(labels(items)) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("names: [cat\ntrain: images", "broken_file"),
        ("- just\n- a list", "broken_file"),
        ("", "broken_file"),
        ("names: " + "[" * 1000, "broken_file"),
        ("&a [*a", "broken_file"),
    ],
)
def test_a_broken_data_yaml_is_reported_and_no_class_is_guessed(
    text: str, reason: str, make: Make
) -> None:
    items = list(yolo.read(make(BASE | {"data.yaml": text, "labels/a.txt": "0 0.5 0.5 1 1"})))
    assert [reason for _, reason in problems(items)] == [reason, "unknown_category"]
    assert names(items) == ["images/a.png"]


def test_oddities_of_class_lists_are_reported(make: Make) -> None:
    path = make(BASE | {"data.yaml": "nc: 4\nnames: {0: a, 1: b, 5: a, x: c}",
                        "labels/a.txt": "0 .5 .5 1 1\n2 .5 .5 1 1"})  # fmt: skip
    assert problems(list(yolo.read(path))) == [
        ("data.yaml", "duplicate_id"), ("data.yaml", "bad_row"), ("data.yaml", "bad_row"),
        ("labels/a.txt:2", "unknown_category"),
    ]  # fmt: skip


def test_words_that_yaml_takes_for_truth_stay_names_of_classes(make: Make) -> None:
    path = make(BASE | {"data.yaml": "names: [no, on, 1, null]"})
    assert [info.name for info in yolo.classes(path)] == ["no", "on", "1", "null"]


def test_without_a_list_classes_are_called_by_number(make: Make) -> None:
    path = make({"a.png": (10, 10), "a.txt": "7 0.5 0.5 1 1", "notes.txt": "x"})
    items = list(yolo.read(path))
    assert labels(items)[0].class_name == "7"
    assert yolo.classes(path) == []
    assert problems(items) == []


def test_a_list_of_classes_that_is_named_counts_before_others(make: Make) -> None:
    path = make(BASE | {"labels/a.txt": "0 .5 .5 1 1", "other.txt": "tiger\n"})
    assert labels(list(yolo.read(path, names="other.txt")))[0].class_name == "tiger"
    assert problems(list(yolo.read(path, names="gone.txt")))[0][1] == "broken_file"


def test_a_flat_folder_of_long_polygons_is_yolo(make: Make) -> None:
    ring = " ".join(f"0.{n % 90 + 10}" for n in range(800))
    path = make({"a.png": (10, 10), "a.txt": f"0 {ring}"})
    assert yolo.is_at(path)
    assert labels(list(yolo.read(path)))[0].kind == "polygon"
    (path / "a.png").rename(path / "b.png")
    assert ("a.txt", "orphan_label") in problems(list(yolo.read(path)))


def test_splits_of_roboflow_lead_back_into_the_folder(make: Make) -> None:
    path = make({
        "data.yaml": "train: ../train/images\nval: ../valid/images\nnames: [cat]\nnc: 1",
        "train/images/a.png": (4, 4), "train/labels/a.txt": "0 0.5 0.5 1 1",
        "valid/images/b.png": (4, 4), "valid/labels/b.txt": "0 0.5 0.5 1 1",
    })  # fmt: skip
    items = list(yolo.read(path))
    splits = {p.name: p.split for p in items if isinstance(p, Picture)}
    assert splits == {"train/images/a.png": "train", "valid/images/b.png": "val"}
    assert len(labels(items)) == 2


def test_four_corners_are_a_rotated_box_where_all_shapes_are_rectangles(make: Make) -> None:
    square, kite = "0 0.1 0.1 0.5 0.1 0.5 0.3 0.1 0.3", "0 0.1 0.1 0.5 0.1 0.9 0.9 0.1 0.5"
    path = make(BASE | {"labels/a.txt": square})
    assert labels(list(yolo.read(path)))[0].kind == "rotated_box"
    assert labels(list(yolo.read(path, task="segment")))[0].kind == "polygon"
    path = make(BASE | {"labels/a.txt": f"{square}\n{kite}"})
    assert {label.kind for label in labels(list(yolo.read(path)))} == {"polygon"}
    with pytest.raises(InvalidInput, match="no task 'guess'"):
        list(yolo.read(path, task="guess"))


def test_what_a_set_cannot_hold_is_returned_as_a_problem(tmp_path: Path) -> None:
    pictures = [Picture("a.png", "pa", (10, 10)), Picture("a.jpg", "pb", (10, 10)),
                Picture("../b.png", "pc", (10, 10)), Picture("c.png", "pd")]  # fmt: skip
    ring = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    box = (0.0, 0.0, 1.0, 1.0)

    def label(where: str, kind: Any = "box", picture: str = "a.png", **more: Any) -> Annotation:
        return Annotation(picture, kind, more.pop("name", "cat"), where, **{"box": box, **more})

    given = [
        label("0", "polygon", shape={"polygons": [[ring]]}),
        label("1", "polygon", shape={"polygons": [[ring], [ring]]}),
        label("2", "polygon", shape={"polygons": [[ring, ring]]}),
        label("3", "rotated_box", shape={"corners": [*ring, [0.0, 1.0]]}),
        label("4", "classification", box=None),
        label("5", "mask", shape={"size": [10, 10], "counts": "x"}),
        label("6", name="dog"),
        label("7", picture="c.png"),
        label("8", picture="b.png"),
        label("9", box=(float("nan"), 0.0, 1.0, 1.0)),
        label("10", box=(float("inf"), 0.0, 1.0, 1.0)),
        label("11"),
    ]
    found = yolo.write(tmp_path / "out", pictures, given, [ClassInfo("cat")])
    assert [(p.where, p.reason) for p in found] == [
        ("pb", "duplicate_id"), ("pc", "unsafe_path"), ("1", "unsupported"), ("2", "unsupported"),
        ("3", "unsupported"), ("4", "unsupported"), ("5", "unsupported"),
        ("6", "unknown_category"), ("7", "unsupported"), ("8", "missing_image"),
        ("9", "not_a_number"), ("10", "not_a_number"),
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="not empty"):
        yolo.write(tmp_path / "out", [], [], [])


def test_what_a_written_row_leaves_out_is_told_once(tmp_path: Path) -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    given = [
        Annotation("a.png", "box", "cat", where, box, attributes={"iscrowd": 0}, track="7")
        for where in ("1", "2")
    ]
    found = yolo.write(tmp_path / "out", [Picture("a.png", "", (9, 9))], given, [ClassInfo("cat")])
    assert [(p.where, p.reason, p.detail) for p in found] == [
        ("1", "unsupported", "YOLO holds no attribute 'iscrowd' (2 labels)"),
        ("1", "unsupported", "YOLO holds no track (2 labels)"),
    ]
