"""Label Studio JSON: kinds of region, predictions, rows of JSON_MIN, broken files, round trips."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartdb.errors import InvalidInput
from smartdb.formats import brush, label_studio, masks
from smartdb.formats.base import Annotation, ClassInfo, Picture, Problem
from smartdb.formats.geometry import bounds
from smartdb.formats.rotated import Rectangle

from .reading import labels

SIZE = {"original_width": 200, "original_height": 100, "image_rotation": 0}
RECTANGLE = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["cat"]}


def a_result(type_: str, value: Any, id_: str = "r1", **more: Any) -> dict[str, Any]:
    return (
        {"id": id_, "type": type_, "value": value, "from_name": "l", "to_name": "i"} | SIZE | more
    )


def a_task(*results: Any, id_: int = 1, **more: Any) -> dict[str, Any]:
    said = {"id": 7, "completed_by": {"id": 3, "email": "a@b.c"}, "result": list(results)}
    return {"id": id_, "data": {"image": f"{id_}.jpg"}, "annotations": [said]} | more


def a_file(folder: Path, *tasks: Any) -> Path:
    file = folder / "export.json"
    file.write_text(json.dumps(list(tasks)))
    return file


def problems(items: Iterable[Any]) -> list[tuple[str, str]]:
    found = (item for item in items if isinstance(item, Problem))
    return [(item.where.removeprefix("export.json"), item.reason) for item in found]


def test_rectangle_in_percent_comes_in_pixels_with_who_said_it(tmp_path: Path) -> None:
    file = a_file(tmp_path, a_task(a_result("rectanglelabels", RECTANGLE, score=0.5)))
    (found,) = labels(label_studio.read(file))
    assert (found.class_name, found.box, found.key) == ("cat", (20, 20, 60, 40), "r1")
    assert found.attributes == {"annotation_id": 7, "completed_by": 3}
    assert found.confidence == 0.5


TRIANGLE = {"points": [[0, 0], [50, 0], [50, 100]]}
LINE = {"points": [[0, 0], [50, 10]], "closed": False}
CIRCLE = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 10}


@pytest.mark.parametrize(
    ("type_", "value", "kind", "box"),
    [
        ("rectanglelabels", RECTANGLE | {"rotation": 90}, "rotated_box", (-20, 20, 40, 60)),
        ("polygonlabels", TRIANGLE, "polygon", (0, 0, 100, 100)),
        ("polygonlabels", LINE, "polyline", (0, 0, 100, 10)),
        ("ellipselabels", CIRCLE, "rotated_box", (80, 40, 40, 20)),
        ("keypointlabels", {"x": 50, "y": 50, "width": 1}, "keypoints", (100, 50, 0, 0)),
    ],
)
def test_each_kind_of_region_has_its_geometry(
    tmp_path: Path, type_: str, value: Any, kind: str, box: Any
) -> None:
    file = a_file(tmp_path, a_task(a_result(type_, value | {type_: ["cat"]})))
    (found,) = labels(label_studio.read(file))
    assert (found.kind, found.class_name) == (kind, "cat")
    assert found.box == pytest.approx(box)


def test_shape_with_labels_of_a_control_of_their_own_is_read(tmp_path: Path) -> None:
    plain = {k: v for k, v in RECTANGLE.items() if k != "rectanglelabels"}
    results = [a_result("rectangle", plain), a_result("labels", plain | {"labels": ["dog", "pet"]})]
    found = labels(label_studio.read(a_file(tmp_path, a_task(*results))))
    assert [(a.class_name, a.key) for a in found] == [("dog", "r1"), ("pet", "annotation 7: r1")]


def test_choices_and_text_are_about_the_picture_or_a_region(tmp_path: Path) -> None:
    results = [
        a_result("choices", {"choices": ["day", "rain"]}, "c"),
        a_result("textarea", {"text": ["a cat"]}, "t"),
        a_result("rectanglelabels", RECTANGLE),
        a_result("choices", {"choices": ["blurred"]}, from_name="quality"),
        a_result("textarea", {"text": ["x", "y"]}, from_name="words"),
    ]
    day, rain, text, box = labels(label_studio.read(a_file(tmp_path, a_task(*results))))
    assert [day.class_name, rain.class_name] == ["day", "rain"]
    assert (text.kind, text.class_name, text.shape) == ("caption", "caption", {"text": "a cat"})
    assert box.attributes.items() >= {"quality": "blurred", "words": ["x", "y"]}.items()


def test_predictions_are_told_from_annotations(tmp_path: Path) -> None:
    result = a_result("rectanglelabels", RECTANGLE)
    prediction = {"id": 5, "model_version": "m1", "score": 0.25, "result": [result]}
    task = a_task(a_result("rectanglelabels", RECTANGLE), predictions=[prediction])
    person, model = labels(label_studio.read(a_file(tmp_path, task)))
    assert "origin" not in person.attributes
    assert model.attributes == {"origin": "prediction", "prediction_id": 5, "model_version": "m1"}
    assert (model.confidence, model.key) == (0.25, "prediction 5: r1")


def test_what_is_not_read_is_told_by_task_and_region(tmp_path: Path) -> None:
    results = [
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
        a_result("rectanglelabels", RECTANGLE, "turned", image_rotation=90),
        a_result("rectanglelabels", RECTANGLE | {"rectanglelabels": []}, "bare"),
        a_result("rectanglelabels", RECTANGLE | {"x": "ten"}, "text"),
        a_result("polygonlabels", {"points": [[1, 2]], "polygonlabels": ["a"]}, "short"),
        a_result("brushlabels", {"format": "rle", "rle": [1, 2], "brushlabels": ["a"]}, "brush"),
        a_result("videorectangle", {"sequence": []}, "video"),
        a_result("rectanglelabels", RECTANGLE, "good"),
    ]
    found = list(label_studio.read(a_file(tmp_path, a_task(*results, drafts=[{}]))))
    assert [a.key for a in labels(found)] == ["good"]
    at = "#task 1, annotation 7, "
    assert problems(found) == [
        (f"{at}result 1", "unsupported"), (f"{at}turned", "unsupported"),
        (f"{at}bare", "unknown_category"), (f"{at}text", "bad_shape"), (f"{at}short", "bad_shape"),
        (f"{at}brush", "bad_shape"), (f"{at}video", "unsupported"), ("#task 1", "unsupported"),
    ]  # fmt: skip


def test_wrong_tasks_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    good = a_result("rectanglelabels", RECTANGLE)
    no_picture = a_task(good, id_=3) | {"data": {"text": "words", "audio": "a.wav"}}
    cancelled = a_task(good, id_=4)
    cancelled["annotations"][0]["was_cancelled"] = True
    tasks = [a_task(good), a_task(good), 7, no_picture, cancelled, {"id": 5, "annotations": [3]}]
    found = list(label_studio.read(a_file(tmp_path, *tasks, a_task(good, id_=6))))
    assert [a.picture for a in labels(found)] == ["1.jpg", "6.jpg"]
    assert problems(found) == [
        ("#task 1", "duplicate_id"), ("#3", "bad_row"), ("#task 3", "missing_image"),
        ("#task 4", "unsupported"), ("#task 5", "bad_row"),
    ]  # fmt: skip


def test_region_without_a_size_takes_the_picture_s_own_or_is_told(tmp_path: Path) -> None:
    from PIL import Image

    bare = {k: v for k, v in a_result("rectanglelabels", RECTANGLE).items() if k not in SIZE}
    file = a_file(tmp_path, a_task(bare))
    assert problems(label_studio.read(file)) == [("#task 1, annotation 7, r1", "bad_row")]
    Image.new("RGB", (200, 100)).save(tmp_path / "1.jpg")
    assert labels(label_studio.read(file, images=tmp_path))[0].box == (20, 20, 60, 40)


def test_what_came_before_a_break_is_read(tmp_path: Path) -> None:
    good = a_result("rectanglelabels", RECTANGLE)
    file = a_file(tmp_path, a_task(good), a_task(good, id_=2))
    file.write_text(file.read_text()[:-9])
    found = list(label_studio.read(file))
    assert [a.picture for a in labels(found)] == ["1.jpg"]
    assert problems(found) == [("", "broken_file")]


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, '[{"id": 1,}]', "[1]]"])
def test_files_that_are_no_json_give_a_problem(tmp_path: Path, text: str) -> None:
    (tmp_path / "export.json").write_text(text)
    assert problems(label_studio.read(tmp_path / "export.json"))[-1] == ("", "broken_file")


def test_bytes_that_are_not_utf_8_spoil_their_task_alone(tmp_path: Path) -> None:
    good = a_result("rectanglelabels", RECTANGLE)
    bad = a_result("rectanglelabels", RECTANGLE | {"rectanglelabels": ["caf~"]})
    file = a_file(tmp_path, a_task(bad), a_task(good, id_=2))
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"~", b"\xe9"))
    found = list(label_studio.read(file))
    assert [a.picture for a in labels(found)] == ["2.jpg"]
    assert problems(found) == [("#task 1", "bad_row")]


def test_rows_of_json_min_are_read(tmp_path: Path) -> None:
    box = RECTANGLE | {"original_width": 200, "original_height": 100}
    row = {"image": "a.jpg", "id": 1, "label": [box], "kind": {"choices": ["x", "y"]},
           "light": "day", "annotator": 3, "annotation_id": 7, "lead_time": 1.5}  # fmt: skip
    file = a_file(tmp_path, row, row | {"annotation_id": 8, "label": []})
    assert label_studio.is_at(file)
    found = list(label_studio.read(file))
    assert [a.class_name for a in labels(found)] == ["cat", "x", "y", "x", "y"]
    assert labels(found)[0].attributes == {"annotation_id": 7, "completed_by": 3}
    assert problems(found) == [("#task 1", "unsupported")]  # light may be a choice
    config = '<View><Image name="i" value="$image"/><Choices name="light" toName="i"/></View>'
    (tmp_path / "export.xml").write_text(config)
    found = list(label_studio.read(file))
    assert [a.class_name for a in labels(found)] == ["cat", "x", "y", "day", "x", "y", "day"]
    assert problems(found) == []


def test_configuration_that_is_broken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.xml").write_text("<View>")
    with pytest.raises(InvalidInput, match=r"c\.xml"):
        list(label_studio.read(a_file(tmp_path), config=str(tmp_path / "c.xml")))


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("/data/local-files/?d=set%201/a.jpg", "set 1/a.jpg"),
        ("/data/upload/29/0f3a4b5c-a.jpg", "0f3a4b5c-a.jpg"),
        ("https://x.org/p/a.jpg", "https://x.org/p/a.jpg"),
        ("/p/a.jpg", "p/a.jpg"),
        ("https://x.org/q/29/here.jpg", "29/here.jpg"),
        ("/data/upload/9/0f3a4b5c-there.jpg", "there.jpg"),
        ("/data/upload/../../etc/passwd", "passwd"),
    ],
)
def test_picture_is_named_by_what_of_its_address_lies_in_the_folder(
    tmp_path: Path, raw: str, name: str
) -> None:
    (tmp_path / "29").mkdir()
    (tmp_path / "29" / "here.jpg").touch()
    (tmp_path / "there.jpg").touch()
    file = a_file(tmp_path, a_task() | {"data": {"image": raw}})
    (found,) = label_studio.read(file, images=tmp_path)
    assert isinstance(found, Picture)
    assert found.name == name


@pytest.mark.parametrize("seed", range(20))
def test_brush_comes_back_equal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.random((int(rng.integers(1, 60)), int(rng.integers(1, 300)))) > rng.random()
    height, width = pixels.shape
    assert np.array_equal(brush.decode(brush.encode(pixels), width, height), pixels)


def test_brush_with_values_one_by_one_is_read() -> None:
    alphas = [0, 255, 7, 0]
    values = [value for alpha in alphas for value in (1, 2, 3, alpha)]
    bits = f"{16:032b}{7:05b}" + f"{2:04b}{3:04b}{7:04b}{15:04b}"
    bits += f"001{15:04b}" + "".join(f"{value:08b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    rle = list(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    assert brush.decode(rle, 2, 2).tolist() == [[False, True], [True, False]]


def test_brush_that_claims_more_than_its_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="pixels"):
        brush.decode([255] * 20, 2, 2)
    with pytest.raises(ValueError, match="pixels"):
        brush.decode([255] * 20, 1 << 20, 1 << 20)


def rows(items: Iterable[Any]) -> list[Any]:
    found = [replace(i, where="") for i in items if isinstance(i, Annotation)]
    return sorted(found, key=lambda a: (a.picture, a.key or ""))


def a_label(rng: random.Random, pictures: list[Picture], number: int) -> Annotation:
    points = [[rng.uniform(-9, 999), rng.uniform(-9, 999)] for _ in range(rng.randint(3, 9))]
    picture = rng.choice(pictures)
    kind = rng.choice(["box", "polygon", "polyline", "mask", "classification", "caption", "point"])
    given: dict[str, Any] = {"kind": kind, "class_name": rng.choice(["c<ä>t", "a & b"])}
    if kind == "box":
        given["box"] = (*points[0], rng.uniform(0, 9), rng.uniform(0, 999))
    elif kind == "polygon":
        given |= {"box": bounds(points), "shape": {"polygons": [[points]]}}
    elif kind == "polyline":
        given |= {"box": bounds(points), "shape": {"points": points}}
    elif kind == "point":
        shape = {"points": [[*points[0], 2]]}
        given |= {"kind": "keypoints", "box": (*points[0], 0, 0), "shape": shape}
        given["attributes"] = {"point_size": 0.5}
    elif kind == "caption":
        given |= {"class_name": "caption", "shape": {"text": ' a\n"b" '}}
    elif kind == "mask":
        width, height = picture.size or (1, 1)
        pixels = np.random.default_rng(number).random((height, width)) > rng.random()
        pixels[0, 0] = True
        box, shape = masks.of_pixels(pixels)
        given |= {"box": box, "shape": shape}
    more: dict[str, Any] = rng.choice(
        [{}, {"annotation_id": 7, "completed_by": 3, "n": [1, {"a": None}], "is_big": True},
         {"origin": "prediction", "prediction_id": 2, "model_version": "m"}]
    )  # fmt: skip
    given["attributes"] = given.get("attributes", {}) | more
    confidence = rng.choice([None, rng.random()])
    return Annotation(picture.name, where="", key=f"k{number}", confidence=confidence, **given)


@pytest.mark.parametrize("seed", range(5))
def test_labels_come_back_equal(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    sizes = [(37, 53), (100, 60), (123, 17)]
    pictures = [Picture(f"d/ü {i}.jpg", "", rng.choice(sizes)) for i in range(9)]
    written = [a_label(rng, pictures, number) for number in range(120)]
    file = tmp_path / "a.json"
    classes = [ClassInfo("c<ä>t"), ClassInfo("a & b"), ClassInfo("unused")]
    assert label_studio.write(file, pictures, written, classes) == []
    found = list(label_studio.read(file))
    assert problems(found) == []
    assert rows(found) == rows(written)
    assert [replace(i, where="") for i in found if isinstance(i, Picture)] == pictures
    assert label_studio.classes(file) == classes


@pytest.mark.parametrize("is_ellipse", [False, True])
def test_rotated_boxes_come_back_within_a_billionth_of_a_pixel(
    tmp_path: Path, is_ellipse: bool
) -> None:
    rng = random.Random(1)
    turns = [90.0, 360.0, *(rng.uniform(0, 360) for _ in range(50))]
    corners = [Rectangle(50.5, 40.25, 30, rng.uniform(1, 9), turn).corners() for turn in turns]
    attributes = {"ellipse": True} if is_ellipse else {}
    written = [
        Annotation("a", "rotated_box", "c", "", bounds(c), {"corners": c}, attributes)
        for c in corners
    ]
    told = label_studio.write(tmp_path / "a.json", [Picture("a", "", (90, 70))], written, [])
    assert told == []
    found = labels(label_studio.read(tmp_path / "a.json"))
    assert {(a.kind, *a.attributes) for a in found} == {("rotated_box", *attributes)}
    np.testing.assert_allclose([(a.shape or {})["corners"] for a in found], corners, atol=1e-9)


def test_what_it_cannot_hold_is_told(tmp_path: Path) -> None:
    ring = [[0, 0], [1, 0], [1, 1]]
    said = [
        Annotation("a", "polygon", "cat", "1", (0, 0, 1, 1), {"polygons": [[ring], [ring]]}),
        Annotation("a", "keypoints", "cat", "2", (0, 0, 9, 9), {"points": [[1, 1, 2], [3, 3, 2]]}),
        Annotation("b", "box", "cat", "3", (0, 0, 1, 1)),
        Annotation("a", "box", "cat", "4", (0, 0, 1, 1), track="7"),
        Annotation("a", "caption", "title", "5", shape={"text": "x"}),
    ]
    pictures = [Picture("a", "", (9, 9)), Picture("b", "")]
    told = label_studio.write(tmp_path / "a.json", pictures, said, [])
    assert sorted(p.where for p in told) == ["1", "2", "3", "4", "5"]
    assert len(labels(label_studio.read(tmp_path / "a.json"))) == 2


@pytest.mark.shared
def test_authentic_exports_are_read_as_they_are(shared_data: Path) -> None:
    folder = shared_data / "formats" / "label_studio"
    expected = {
        "test_export_csv/csv_test.json": (2, ["box"] * 5, []),
        "test_export_csv/csv_test2.json": (0, [], ["missing_image"]),
        "test_export_csv/csv_test_history.json": (0, [], ["missing_image"]),
        "test_export_yolo/data.json": (2, ["box"] * 6, []),
        "test_export_yolo/data_obb.json": (3, ["rotated_box"] * 25, []),
        "test_export_yolo/data_polygons.json": (1, ["polygon"], []),
        "test_export_json_min/data.json": (1, ["polygon"], []),
        "test_export_json_min/data_repeater.json": (3, ["box"], []),
    }
    for name, (n, kinds, reasons) in expected.items():
        assert label_studio.is_at(folder / name)
        found = list(label_studio.read(folder / name))
        assert sum(isinstance(i, Picture) for i in found) == n
        assert [a.kind for a in labels(found)] == kinds, name
        assert [i.reason for i in found if isinstance(i, Problem)] == reasons
    assert labels(found)[0].attributes["categories_0"] == ["Archaea"]
