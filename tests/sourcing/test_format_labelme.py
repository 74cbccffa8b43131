"""labelme: what is read, what comes back, and what is said of broken files."""

from __future__ import annotations

import base64
import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smartdb.formats import labelme, masks, png
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture, Problem

from .reading import Make, labels, problems


def shape(form: str | None, points: Any, **more: Any) -> dict[str, Any]:
    told = {"label": "cat", "points": points, "group_id": None, "shape_type": form, "flags": {}}
    return told | more


def document(*shapes: Any, **more: Any) -> dict[str, Any]:
    return {
        "version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": "a.png",
        "imageData": None, "imageHeight": 20, "imageWidth": 10, **more,
    }  # fmt: skip


def rows(items: list[Item]) -> Counter[str]:
    return Counter(
        repr((a.picture, a.kind, a.class_name, a.box, a.shape, a.confidence,
              sorted(a.attributes.items())))
        for a in labels(items)
    )  # fmt: skip


def random_label(dice: random.Random, kind: Any, picture: Picture) -> Annotation:
    width, height = picture.size or (1, 1)
    point = lambda: [dice.uniform(-5, width + 5), float(dice.randint(0, height))]  # noqa: E731
    some = [point() for _ in range(dice.randint(3, 9))]
    name = f"{kind} {dice.random()}"
    if kind == "classification":
        return Annotation(picture.name, kind, name, "")
    more = {"group_id": dice.randint(0, 9), "note": {"é": [1, 0.1, None, True]}}
    xs, ys = zip(*some)
    box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    given: Any = None
    if kind == "box":
        box = (dice.uniform(-5, 900), dice.random() / 3, dice.uniform(1e-6, 900), 1 / 3)
    elif kind == "rotated_box":
        some = [*some[:3], point()]
        xs, ys = zip(*some)
        box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        given = {"corners": some}
    elif kind == "mask":
        pixels = np.random.default_rng(dice.randint(0, 99)).random((height, width)) > 0.9
        pixels[height // 2, width // 2] = True
        box, given = masks.of_pixels(pixels)
    else:
        given = {
            "polygon": {"polygons": [[some]]},
            "polyline": {"points": some},
            "keypoints": {"points": [[*p, 2.0] for p in some]},
        }[kind]
    sure = dice.choice([None, dice.random()])
    return Annotation(picture.name, kind, name, "", box, given, more, confidence=sure)


@pytest.mark.parametrize("kind", labelme.KINDS)
def test_random_labels_come_back_as_the_same_floats(kind: str, tmp_path: Path) -> None:
    dice = random.Random(kind)
    pictures = [Picture(f"{d}p{n}.png", "", (dice.randint(1, 60), dice.randint(1, 60)),
                        data=b"\x89PNG...")
                for d in ("", "x/y.1/") for n in range(4)]  # fmt: skip
    wanted: list[Item] = [random_label(dice, kind, dice.choice(pictures)) for _ in range(80)]
    classes = [ClassInfo("b"), ClassInfo("a")]

    assert labelme.write(tmp_path / "out", pictures, labels(wanted), classes) == []

    back = list(labelme.read(tmp_path / "out"))
    assert rows(back) == rows(wanted)
    assert problems(back) == []
    read = [item for item in back if isinstance(item, Picture)]
    assert [(p.name, p.size, p.data) for p in read] == [(p.name, p.size, p.data) for p in pictures]
    assert labelme.classes(tmp_path / "out") == classes


def test_every_kind_of_shape_is_read_and_comes_back(make: Make, tmp_path: Path) -> None:
    part = png.to_png(np.array([[1, 0], [1, 1], [0, 1]], bool))
    square = [[1, 1], [5, 1], [5, 5], [1, 5]]
    path = make({"a.png": (10, 20), "a.json": document(
        shape("polygon", square), shape(None, square[:3]), shape("rectangle", [[5, 6], [1, 2.5]]),
        shape("circle", [[5, 5], [8, 9]]), shape("line", [[0, 0], [3, 4]]),
        shape("linestrip", [[0, 0], [3, 4], [6, 0]]), shape("point", [[2, 3]]),
        shape("points", [[2, 3], [4, 5]]), shape("oriented_rectangle", square),
        shape("mask", [[3, 4], [4, 6]], mask=base64.b64encode(part).decode()),
        flags={"night": True, "rain": False},
    )})  # fmt: skip
    items = list(labelme.read(path))
    assert problems(items) == []
    assert [(label.kind, label.box) for label in labels(items)] == [
        ("classification", None), ("polygon", (1, 1, 4, 4)), ("polygon", (1, 1, 4, 4)),
        ("box", (1, 2.5, 4, 3.5)), ("polygon", pytest.approx((0, 0, 10, 10))),
        ("polyline", (0, 0, 3, 4)), ("polyline", (0, 0, 6, 4)), ("keypoints", (2, 3, 0, 0)),
        ("keypoints", (2, 3, 2, 2)), ("rotated_box", (1, 1, 4, 4)), ("mask", (3, 4, 2, 3)),
    ]  # fmt: skip
    pictures = [item for item in items if isinstance(item, Picture)]
    assert pictures == [Picture("a.png", "a.json", (10, 20), attributes={"flags": {"rain": False}})]
    assert labelme.write(tmp_path / "out", pictures, labels(items), []) == []
    again = list(labelme.read(tmp_path / "out"))
    assert rows(again) == rows(items)
    assert again[0] == pictures[0]
    written = json.loads((tmp_path / "out/a.json").read_text())
    assert Counter(s["shape_type"] for s in written["shapes"])["circle"] == 1


def test_what_else_a_shape_says_is_kept(make: Make) -> None:
    path = make({"a.json": document(shape(
        "point", [[1, 2]], group_id=3, description="left", flags={"old": True}, score=0.5,
        difficult=False, kie_linking=[], other=None,
    ), shape("point", [[1, 2]], score=7))})  # fmt: skip
    first, second = labels(list(labelme.read(path)))
    assert first.confidence == 0.5
    assert first.attributes == {
        "group_id": 3, "description": "left", "flags": {"old": True}, "difficult": False,
    }  # fmt: skip
    assert (second.confidence, second.attributes) == (None, {"score": 7})


@pytest.mark.shared
def test_xml_of_the_labelme_web_tool_is_said_to_be_unsupported(shared_data: Path) -> None:
    path = shared_data / "formats/datumaro/labelme_dataset"
    assert not labelme.is_at(path)
    assert problems(list(labelme.read(path))) == [("img1.xml", "unsupported")]


SHAPES = [
    (shape("polygon", [[0, 0], [1, 1]]), "bad_shape"),
    (shape("polygon", []), "bad_shape"),
    (shape("polygon", None), "bad_shape"),
    (shape("polygon", [[0, 0], [1, 1], [2]]), "bad_shape"),
    (shape("polygon", [[0, 0], [1, 1], ["2", 3]]), "bad_shape"),
    (shape("polygon", [[0, 0], [1, 1], [True, 3]]), "bad_shape"),
    (shape("rectangle", [[0, 0]]), "bad_shape"),
    (shape("rectangle", [[0, 0], [1, 1], [2, 2]]), "bad_shape"),
    (shape("circle", [[0, 0]]), "bad_shape"),
    (shape("line", [[0, 0]]), "bad_shape"),
    (shape("linestrip", [[0, 0]]), "bad_shape"),
    (shape("blob", [[0, 0]]), "unsupported"),
    (shape("point", [[0, 0]], label=""), "bad_row"),
    (shape("point", [[0, 0]], label=None), "bad_row"),
    ("no shape", "bad_row"),
    (None, "bad_row"),
    (shape("point", [[0, 0]], note=float("nan")), "not_a_number"),
    (shape("mask", [[0, 0], [1, 1]]), "bad_shape"),
    (shape("mask", [[0, 0], [1, 1]], mask="%%%"), "bad_shape"),
    (shape("mask", [[0, 0], [1, 1]], mask=base64.b64encode(b"no png").decode()), "bad_shape"),
    (shape("mask", [[9, 0], [1, 1]], mask=base64.b64encode(
        png.to_png(np.ones((2, 2)))).decode()), "bad_shape"),
    (shape("point", [[1, 1]]), "duplicate_id"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "reason"), SHAPES)
def test_a_wrong_shape_is_reported_with_its_number_and_the_rest_is_read(
    wrong: Any, reason: str, make: Make
) -> None:
    good = shape("point", [[1, 1]])
    path = make({"a.json": document(good, wrong, shape("point", [[2, 2]]))})
    items = list(labelme.read(path))
    assert problems(items) == [("a.json shapes[1]", reason)]
    assert len(labels(items)) == 2


def test_odd_shapes_are_given_as_they_are_for_the_importer_to_judge(make: Make) -> None:
    nan, inf = float("nan"), float("inf")
    path = make({"a.json": document(
        shape("rectangle", [[1, 1], [1, 5]]), shape("rectangle", [[-5, 0], [50, 5]]),
        shape("rectangle", [[nan, 0], [1, 1]]), shape("polygon", [[0, 0], [inf, 1], [2, 2]]),
    )})  # fmt: skip
    items = list(labelme.read(path))
    assert problems(items) == []
    flat, far, odd, endless = (label.box or () for label in labels(items))
    assert (flat[2], far, odd[2] == odd[2], endless[2]) == (0, (-5, 0, 55, 5), False, inf)


@pytest.mark.parametrize(
    ("content", "where", "reason", "detail"),
    [
        (b'{"shapes": [\n  {"label": "\xc3\xa9", }]', "a.json:2", "broken_file", "at byte 31"),
        (b"", "a.json:1", "broken_file", "at byte 0"),
        (b"\x00\x01", "a.json:1", "broken_file", "at byte 0"),
        (b'{"shapes": [], "imagePath": "caf\xe9.png"}', "a.json", "broken_file", "at byte 32"),
        (b"[" * 100_000, "a.json", "broken_file", "recursion"),
        (b'{"shapes": [' + b"9" * 5000 + b"]}", "a.json", "broken_file", "digits"),
        (b"[1, 2]", "a.json", "unsupported", "no list of shapes"),
        (b'{"shapes": {}}', "a.json", "unsupported", "no list of shapes"),
        (b'{"shapes": []}', "a.json", "bad_row", "no imagePath"),
        (b'{"shapes": [], "imagePath": 7}', "a.json", "bad_row", "no imagePath"),
        (b'{"shapes": [], "imagePath": "a.png", "imageData": "*"}', "a.json", "broken_file", "64"),
    ],
)
def test_a_broken_file_is_one_problem_and_the_others_are_read(
    content: bytes, where: str, reason: str, detail: str, make: Make
) -> None:
    path = make({"a.json": content, "b.json": document(shape("point", [[1, 1]]))})
    items = list(labelme.read(path))
    (found,) = [item for item in items if isinstance(item, Problem)]
    assert (found.where, found.reason) == (where, reason)
    assert detail in found.detail
    assert len(labels(items)) == 1


def test_byte_order_mark_is_skipped_and_other_encodings_are_read_when_told(make: Make) -> None:
    text = json.dumps(document(shape("point", [[1, 1]], label="café")), ensure_ascii=False)
    path = make({"a.json": text.encode("utf-8-sig")})
    assert labels(list(labelme.read(path)))[0].class_name == "café"
    path = make({"a.json": text.encode("latin-1")})
    assert labels(list(labelme.read(path, encoding="latin-1")))[0].class_name == "café"


@pytest.mark.parametrize("told", ["../images/a.png", "..\\images\\a.png"])
def test_image_paths_lead_through_the_folder(told: str, make: Make) -> None:
    path = make({"images/a.png": (10, 20), "json/1.json": document(imagePath=told)})
    assert [item.name for item in labelme.read(path) if isinstance(item, Picture)] == [
        "images/a.png"
    ]


@pytest.mark.parametrize("told", ["../../etc/a.png", "/etc/a.png", "C:\\data\\a.png", "../a.png"])
def test_a_picture_outside_is_taken_from_beside_the_file_or_refused(told: str, make: Make) -> None:
    path = make({"1.json": document(shape("point", [[1, 1]]), imagePath=told)})
    found = problems(list(labelme.read(path)))
    assert found == ([] if told.startswith("C:") else [("1.json", "unsafe_path")])
    path = make({"a.png": (10, 20)})
    items = list(labelme.read(path))
    assert problems(items) == []
    assert labels(items)[0].picture == "a.png"


def test_carried_bytes_are_given_and_pictures_without_file_are_listed(make: Make) -> None:
    out = io.BytesIO()
    Image.new("1", (10, 20)).save(out, "PNG")
    carried = base64.b64encode(out.getvalue()).decode()
    path = make({"1.json": document(imageData=carried, imagePath="../far/a.png"),
                 "val/b.png": (5, 5)})  # fmt: skip
    first, second = labelme.read(path)
    assert isinstance(first, Picture)
    assert (first.name, first.data) == ("a.png", out.getvalue())
    assert second == Picture("val/b.png", "val/b.png", split="val")


def test_two_files_of_one_picture_and_odd_flags_are_reported(make: Make) -> None:
    path = make({"a.json": document(flags={"x": 1, "y": None}), "copy of a.json": document()})
    assert problems(list(labelme.read(path))) == [
        ("a.json flags['x']", "bad_row"), ("a.json flags['y']", "bad_row"),
        ("copy of a.json", "duplicate_id"),
    ]  # fmt: skip


def test_links_that_loop_or_lead_outside_are_not_followed(make: Make) -> None:
    path = make({"a.json": document(shape("point", [[1, 1]]))})
    (path / "loop").symlink_to(path)
    (path / "b.json").symlink_to("/etc/passwd")
    found = problems(list(labelme.read(path)))
    assert ("b.json", "unsafe_path") in found
    assert ("loop", "unsafe_path") in found


def test_what_a_file_cannot_hold_is_returned_as_a_problem(tmp_path: Path) -> None:
    pictures = [Picture("a.png", "pa", (4, 4)), Picture("a.jpg", "pb"), Picture("/c.png", "pc")]
    box = (0.0, 0.0, 1.0, 1.0)
    ring = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    given = [
        Annotation("a.png", "polygon", "cat", "0", box, {"polygons": [[ring], [ring]]}),
        Annotation("a.png", "keypoints", "cat", "1", box, {"points": [[0.0, 0.0, 1.0]]}),
        Annotation("b.png", "box", "cat", "2", box),
        Annotation("a.png", "box", "cat", "3", (float("nan"), 0.0, 1.0, 1.0)),
        Annotation("a.png", "box", "cat", "4", box, attributes={"points": 1}),
        Annotation("a.png", "box", "cat", "5", box, attributes={"x": float("nan")}),
        Annotation("a.png", "caption", "cat", "6", None, {"text": "hello"}),
        Annotation("a.png", "box", "cat", "7", box),
    ]
    found = labelme.write(tmp_path / "out", pictures, given, [ClassInfo("cat")])
    assert [(p.where, p.reason) for p in found] == [
        ("pb", "duplicate_id"), ("pc", "unsafe_path"), ("0", "unsupported"), ("1", "unsupported"),
        ("2", "missing_image"), ("3", "not_a_number"), ("4", "unsupported"), ("5", "unsupported"),
        ("6", "unsupported"),
    ]  # fmt: skip


def test_what_a_written_flag_leaves_out_is_told_once(tmp_path: Path) -> None:
    given = [Annotation("a.png", "classification", "cat", "1", confidence=0.5)]
    found = labelme.write(tmp_path / "out", [Picture("a.png", "")], given, [])
    assert [p.detail for p in found] == ["labelme holds no confidence (1 labels)"]
