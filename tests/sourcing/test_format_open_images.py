"""Open Images: what is read, what comes back, and what is said of broken sets."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartdb.formats import masks, open_images
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture

from .reading import Make, labels, problems

BOXES = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded"
SEEN = "ImageID,Source,LabelName,Confidence"
MASKS = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"


def rows(items: list[Item]) -> Counter[str]:
    return Counter(
        repr((a.picture, a.kind, a.class_name, a.box, a.shape, a.confidence,
              sorted(a.attributes.items())))
        for a in labels(items)
    )  # fmt: skip


def random_label(dice: random.Random, picture: Picture) -> Annotation:
    width, height = picture.size or (1, 1)
    kind: Any = dice.choice(open_images.KINDS)
    name = dice.choice(["cat", "a, b", 'say "é"'])
    if kind == "mask":
        pixels = np.random.default_rng(dice.randint(0, 99)).random((height, width)) > 0.6
        box, shape = masks.of_pixels(pixels)
        more = {"box_id": "0a1b", "predicted_iou": dice.random()}
        return Annotation(picture.name, kind, name, "", box, shape, more)
    more = {"source": "xclick"}
    if kind == "classification":
        return Annotation(picture.name, kind, name, "", attributes=more, confidence=dice.random())
    flags = {
        flag: dice.random() < 0.5 for flag in open_images.FLAGS.values() if dice.random() < 0.5
    }
    box = (
        dice.choice([0.0, dice.uniform(-3, width)]), dice.randint(0, height) / 4,
        dice.uniform(0.001, width), dice.choice([1.0, height / 3]),
    )  # fmt: skip
    sure = dice.choice([None, dice.random()])
    return Annotation(picture.name, kind, name, "", box, None, more | flags, confidence=sure)


def test_random_labels_come_back_as_the_same_floats_and_attributes(
    make: Make, tmp_path: Path
) -> None:
    dice = random.Random(5)
    sizes = {f"{d}/p{d}{n}.png": (dice.randint(1, 90), dice.randint(1, 90))
             for d in ("train", "test") for n in range(5)}  # fmt: skip
    folder = make(dict(sizes))
    pictures = [Picture(n, "", size, n.partition("/")[0]) for n, size in sizes.items()]
    wanted: list[Item] = [random_label(dice, dice.choice(pictures)) for _ in range(300)]
    classes = [ClassInfo(name, attributes={"mid": f"/m/{n}"})
               for n, name in enumerate(["cat", "a, b", 'say "é"'])]  # fmt: skip

    assert open_images.write(tmp_path / "out", pictures, labels(wanted), classes) == []

    back = list(open_images.read(tmp_path / "out", images=folder))
    assert rows(back) == rows(wanted)
    assert problems(back) == []
    read = [item for item in back if isinstance(item, Picture)]
    assert [(p.name, p.size, p.split) for p in sorted(read, key=lambda p: p.name)] == [
        (p.name, p.size, p.split) for p in sorted(pictures, key=lambda p: p.name)
    ]
    assert open_images.classes(tmp_path / "out") == classes


@pytest.mark.shared
def test_the_authentic_set_is_read_and_comes_back(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "formats/datumaro/open_images_dataset/v6"
    assert open_images.is_at(path)
    items = list(open_images.read(path))
    assert problems(items) == [("annotations/image_ids_and_rotation.csv:5", "bad_row")]
    kinds = Counter(label.kind for label in labels(items))
    assert kinds == {"classification": 4, "box": 2, "mask": 1}
    assert [c.parent for c in open_images.classes(path)] == [None, "Generic label #0", None, None]
    pictures = [item for item in items if isinstance(item, Picture)]
    assert {p.name: p.split for p in pictures} == {
        "train/a.jpg": "train", "train/b.jpg": "train", "test/c.jpg": "test",
        "validation/d.png": "val",
    }  # fmt: skip
    out = tmp_path / "out"
    assert open_images.write(out, pictures, labels(items), open_images.classes(path)) == []
    assert rows(list(open_images.read(out, images=path / "images"))) == rows(items)


@pytest.mark.shared
def test_version_5_without_labels_gives_its_pictures(shared_data: Path) -> None:
    path = shared_data / "formats/datumaro/open_images_dataset/v5"
    assert open_images.is_at(path)
    items = list(open_images.read(path))
    assert [type(item) for item in items] == [Picture, Picture]
    assert len(open_images.classes(path)) == 2


def test_classes_are_called_by_their_display_name_and_by_their_id_without_one(make: Make) -> None:
    path = make({
        "c-class-descriptions.csv": '/m/1,Cat\n/m/2,Cat\n/m/3,"Dog, big"\n/m/4\n',
        "train-labels.csv": f"{SEEN}\na,v,/m/1,1\na,v,/m/2,1\na,v,/m/3,0\na,v,/m/9,0.5\na,v,,1",
    })  # fmt: skip
    items = list(open_images.read(path))
    found = [(label.class_name, label.confidence) for label in labels(items)]
    assert found == [("Cat", 1.0), ("Cat (/m/2)", 1.0), ("Dog, big", 0.0), ("/m/9", 0.5)]
    assert problems(items) == [
        ("c-class-descriptions.csv:4", "bad_row"), ("train-labels.csv:6", "bad_row"),
    ]  # fmt: skip
    assert [p for p in items if isinstance(p, Picture)] == [
        Picture("a.jpg", "train-labels.csv:2", split="train")
    ]


ROWS = {
    "a,x,/m/1,1,0,1,0,1": "bad_row",
    "a,x,/m/1,1,0,1,0,1,0,0": "bad_row",
    "a,x,/m/1,2,0,1,0,1,0": "bad_row",
    "a,x,/m/1,nan,0,1,0,1,0": "bad_row",
    "a,x,/m/1,1,0,y,0,1,0": "bad_row",
    "a,x,/m/1,1,0,,0,1,0": "bad_row",
    "a,x,/m/1,1,inf,inf,0,1,0": "bad_row",
    "a,x,/m/1,1,0,1,0,1,maybe": "bad_row",
    'a,"x,/m/1,1,0,1,0,1,0': "bad_row",
    "a,x,/m/0,1,0,1,0,1,1": "duplicate_id",
    "../../etc/x,x,/m/1,1,0,1,0,1,0": "unsafe_path",
    ",x,/m/1,1,0,1,0,1,0": "unsafe_path",
    "gone,x,/m/1,1,0,1,0,1,0": "missing_image",
    "a\x00": "bad_row",
    "caf\udce9,x,/m/1,1,0,1,0,1,0": "bad_row",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_wrong_row_is_reported_with_its_line_and_the_rest_is_read(row: str, make: Make) -> None:
    good = "a,x,/m/0,1,0,1,0,1,1"
    text = f"\ufeff{BOXES}\r\n{good}\r\n{row}\r\na,x,/m/7,1,0,0.5,0,1,-1\r\n"
    path = make({"images/a.png": (10, 20), "b.csv": text.encode("utf-8", "surrogateescape")})
    items = list(open_images.read(path))
    assert problems(items) == [("b.csv:3", ROWS[row])]
    assert [(a.box, a.attributes) for a in labels(items)] == [
        ((0.0, 0.0, 10.0, 20.0), {"source": "x", "is_occluded": True}),
        ((0.0, 0.0, 5.0, 20.0), {"source": "x"}),
    ]  # fmt: skip


def test_odd_boxes_are_given_as_they_are_for_the_importer_to_judge(make: Make) -> None:
    rows = "a,x,/m/1,1,0.5,0.5,0,1,0\na,x,/m/1,1,0.5,0.25,0,1,0\na,x,/m/1,1,nan,1,0,1,0"
    path = make({"images/a.png": (8, 8), "b.csv": f"{BOXES}\n{rows}"})
    flat, turned, odd = (label.box or () for label in labels(list(open_images.read(path))))
    assert (flat[2], turned[2], odd[0] == odd[0]) == (0.0, -2.0, False)


def test_masks_lie_on_the_whole_picture_and_say_when_they_were_resized(make: Make) -> None:
    small = np.zeros((2, 4), bool)
    small[0, :2] = True
    table = f"{MASKS}\nm.png,a,/m/1,id,0,1,0,1,0.5,\nm.png,b,/m/1,id,0,1,0,1,,1 2 3"
    path = make(
        {"images/a.png": (4, 2), "images/b.png": (8, 4), "masks/m.png": small, "s.csv": table}
    )
    first, second = labels(list(open_images.read(path)))
    assert (first.box, first.attributes) == ((0, 0, 2, 1), {"box_id": "id", "predicted_iou": 0.5})
    assert (second.box, second.attributes["mask_size"]) == ((0, 0, 4, 2), [2, 4])
    assert [item.name for item in open_images.read(path) if isinstance(item, Picture)] == [
        "a.png", "b.png",
    ]  # fmt: skip


def test_masks_that_are_missing_broken_or_elsewhere_are_reported(make: Make) -> None:
    table = "\n".join([MASKS, *(f"{name},a,/m/1,,0,1,0,1,," for name in
                                ("gone.png", "../m.png", "/etc/passwd", "text.png"))])  # fmt: skip
    path = make({"images/a.png": (4, 2), "masks/text.png": "no picture", "m.png": (4, 2),
                 "s.csv": table})  # fmt: skip
    assert problems(list(open_images.read(path))) == [
        ("s.csv:2", "missing_image"), ("s.csv:3", "unsafe_path"), ("s.csv:4", "unsafe_path"),
        ("s.csv:5", "bad_row"),
    ]  # fmt: skip


def test_lists_give_split_and_licence_and_their_faults(make: Make) -> None:
    path = make({
        "images/a.png": (4, 2), "images/deep/a.jpg": (4, 2), "images/b.png": (4, 2),
        "l.csv": "ImageID,Subset,License,Rotation\n"
                 "a,validation,CC-BY,0\na,train,,\n../x,test,,\nz,test,,90",
    })  # fmt: skip
    items = list(open_images.read(path))
    assert problems(items) == [
        ("deep/a.jpg", "duplicate_id"),
        ("l.csv:3", "duplicate_id"), ("l.csv:4", "unsafe_path"),
    ]  # fmt: skip
    pictures = {p.name: (p.split, p.attributes) for p in items if isinstance(p, Picture)}
    assert pictures == {
        "a.png": ("val", {"License": "CC-BY"}), "z.jpg": ("test", {"Rotation": "90"}),
        "b.png": (None, {}),
    }  # fmt: skip


def test_links_that_loop_or_lead_outside_are_not_followed(make: Make) -> None:
    path = make({"images/a.png": (4, 2), "b.csv": f"{BOXES}\na,x,/m/0,1,0,1,0,1,1"})
    (path / "images/loop").symlink_to(path / "images")
    (path / "c.csv").symlink_to("/etc/passwd")
    assert sorted(problems(list(open_images.read(path)))) == [
        ("c.csv", "unsafe_path"), ("images/loop", "unsafe_path"),
    ]  # fmt: skip


def test_empty_and_foreign_tables_are_no_open_images(make: Make) -> None:
    path = make({"a.csv": "", "b.csv": "x,y\n1,2"})
    assert not open_images.is_at(path)
    assert not open_images.is_at(path / "a.csv")
    assert problems(list(open_images.read(path))) == [(str(path), "unsupported")]


def test_what_a_set_cannot_hold_is_returned_as_a_problem(tmp_path: Path) -> None:
    pictures = [Picture("a.png", "pa", (4, 4)), Picture("x/a.png", "pb"), Picture("../c.png", "pc"),
                Picture("d.png", "pd")]  # fmt: skip
    box = (0.0, 0.0, 1.0, 1.0)
    given = [
        Annotation("a.png", "polygon", "cat", "0", box, {"polygons": []}),
        Annotation("a.png", "box", "dog", "1", box),
        Annotation("b.png", "box", "cat", "2", box),
        Annotation("d.png", "box", "cat", "3", box),
        Annotation("a.png", "box", "cat", "4", (float("inf"), 0.0, 1.0, 1.0)),
        Annotation("a.png", "box", "cat", "5", box, attributes={"source": "a\nb"}),
        Annotation("a.png", "box", "cat", "6", box),
    ]
    found = open_images.write(tmp_path / "out", pictures, given, [ClassInfo("cat")])
    assert [(p.where, p.reason) for p in found] == [
        ("pb", "duplicate_id"), ("pc", "unsafe_path"), ("0", "unsupported"),
        ("1", "unknown_category"), ("2", "missing_image"), ("3", "unsupported"),
        ("4", "not_a_number"), ("a.png in annotations-bbox", "unsupported"),
    ]  # fmt: skip


def test_what_a_written_row_leaves_out_is_told_once(tmp_path: Path) -> None:
    more = {"source": "x", "is_inside": True, "colour": "red"}
    given = [Annotation("a.png", "box", "cat", "1", (0.0, 0.0, 1.0, 1.0), attributes=more)]
    pictures = [Picture("a.png", "", (9, 9))]
    found = open_images.write(tmp_path / "out", pictures, given, [ClassInfo("cat")])
    assert [p.detail for p in found] == ["Open Images holds no attribute 'colour' (1 labels)"]
