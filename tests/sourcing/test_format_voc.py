"""Pascal VOC: both conventions of boxes, lists, masks, broken files, and there and back."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from smartdb.errors import InvalidInput
from smartdb.formats import voc
from smartdb.formats.base import Annotation, ClassInfo, Picture

from .reading import problems

OBJECT = (
    "<object><name>{name}</name><bndbox><xmin>{0}</xmin><ymin>{1}</ymin>"
    "<xmax>{2}</xmax><ymax>{3}</ymax></bndbox>{more}</object>"
)


def an_object(*edges: Any, name: str = "cat", more: str = "") -> str:
    return OBJECT.format(*edges, name=name, more=more)


def a_file(folder: Path, *inside: str, name: str = "a", head: str = "") -> Path:
    file = folder / "Annotations" / f"{name}.xml"
    file.parent.mkdir(exist_ok=True)
    text = f"{head}<annotation><filename>{name}.jpg</filename>\n{''.join(inside)}</annotation>"
    file.write_bytes(text.encode("latin-1"))
    return folder


def boxes(items: Iterable[Any]) -> list[Any]:
    return [item.box for item in items if isinstance(item, Annotation)]


def test_whole_picture_is_from_1_to_its_size_or_from_0_as_edges(tmp_path: Path) -> None:
    a_file(tmp_path, an_object(1, 1, 20, 10))
    assert boxes(voc.read(tmp_path)) == [(0, 0, 20, 10)]
    a_file(tmp_path, an_object(0, 0, 20, 10))
    assert boxes(voc.read(tmp_path, boxes="edges")) == [(0, 0, 20, 10)]


def test_fractions_convert_without_a_trace_of_binary(tmp_path: Path) -> None:
    a_file(tmp_path, an_object(1.1, 1.2, 1.3, 2.7))
    assert boxes(voc.read(tmp_path)) == [(0.1, 0.2, 1.2, 2.5)]


def test_unknown_convention_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="inclusive"):
        list(voc.read(a_file(tmp_path), boxes="zero"))


def test_flags_pose_and_attributes_come_as_attributes(tmp_path: Path) -> None:
    more = (
        "<pose>Left</pose><truncated>1</truncated><difficult>0</difficult><occluded>1</occluded>"
        "<attributes><attribute><name>age</name><value>7</value></attribute></attributes>"
    )
    a_file(tmp_path, an_object(1, 1, 2, 2, more=more))
    (found,) = (item for item in voc.read(tmp_path) if isinstance(item, Annotation))
    assert found.attributes == {"pose": "Left", "truncated": True, "occluded": True, "age": 7}


def test_swapped_edges_and_nan_come_as_they_are_for_the_import_to_judge(tmp_path: Path) -> None:
    a_file(tmp_path, an_object(9, 9, 2, 2), an_object("nan", 1, 2, 2))
    swapped, nan = boxes(voc.read(tmp_path))
    assert swapped == (8, 8, -6, -6)
    assert nan[0] != nan[0]


def test_objects_that_are_no_boxes_are_told_by_line_and_the_rest_is_read(tmp_path: Path) -> None:
    inside = [an_object(1, 1, 2, "x"), "\n<object><name>b</name></object>\n"]
    inside += [an_object(1, 1, 2, 2, name=""), "\n", an_object(1, 1, 5, 5)]
    found = list(voc.read(a_file(tmp_path, *inside)))
    assert boxes(found) == [(0, 0, 5, 5)]
    at = "Annotations/a.xml"
    expected = [(f"{at}:2", "bad_row"), (f"{at}:3", "bad_row"), (f"{at}:4", "unknown_category")]
    assert problems(found) == expected


def test_what_came_before_a_break_is_read_and_other_files_too(tmp_path: Path) -> None:
    a_file(tmp_path, an_object(1, 1, 2, 2), an_object(1, 1, 3, 3))
    file = tmp_path / "Annotations" / "a.xml"
    file.write_text(file.read_text()[:-60])
    a_file(tmp_path, an_object(1, 1, 4, 4), name="b")
    (tmp_path / "Annotations" / "c.xml").touch()
    found = list(voc.read(tmp_path))
    assert boxes(found) == [(0, 0, 2, 2), (0, 0, 4, 4)]
    broken = [("Annotations/a.xml:2", "broken_file"), ("Annotations/c.xml:1", "broken_file")]
    assert problems(found) == broken


BOMB = """<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>"""
THEFT = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>"""


@pytest.mark.parametrize("head", [BOMB, THEFT])
def test_entities_are_refused_and_other_files_read(tmp_path: Path, head: str) -> None:
    a_file(tmp_path, an_object(1, 1, 2, 2, name="&a;"), head=head)
    a_file(tmp_path, an_object(1, 1, 4, 4), name="b")
    found = list(voc.read(tmp_path))
    assert problems(found) == [("Annotations/a.xml:1", "unsupported")]
    assert boxes(found) == [(0, 0, 4, 4)]


def test_elements_too_deep_in_each_other_are_refused(tmp_path: Path) -> None:
    found = list(voc.read(a_file(tmp_path, "<object>" * 5000)))
    assert problems(found) == [("Annotations/a.xml:2", "broken_file")]


def test_declared_latin_1_is_read_and_undeclared_is_told(tmp_path: Path) -> None:
    head = '<?xml version="1.0" encoding="latin-1"?>'
    a_file(tmp_path, an_object(1, 1, 2, 2, name="caf\xe9"), head=head)
    a_file(tmp_path, an_object(1, 1, 2, 2, name="caf\xe9"), an_object(1, 1, 4, 4), name="b")
    found = list(voc.read(tmp_path))
    assert [i.class_name for i in found if isinstance(i, Annotation)] == ["caf\xe9", "cat"]
    b = "Annotations/b.xml:2"
    assert problems(found) == [(b, "bad_row"), (b, "unknown_category")]
    found = list(voc.read(tmp_path, encoding="latin-1"))
    assert [i.class_name for i in found if isinstance(i, Annotation)] == ["caf\xe9"] * 2 + ["cat"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_with_a_byte_order_mark_are_read(tmp_path: Path, encoding: str) -> None:
    text = f'<?xml version="1.0"?><annotation>{an_object(1, 1, 2, 2, name="Ł")}</annotation>'
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    assert [i.class_name for i in voc.read(tmp_path) if isinstance(i, Annotation)] == ["Ł"]


def test_unknown_encoding_is_told(tmp_path: Path) -> None:
    a_file(tmp_path, head='<?xml version="1.0" encoding="zip"?>')
    assert problems(voc.read(tmp_path)) == [("Annotations/a.xml:1", "unsupported")]


def test_lists_give_splits_and_classes_and_a_leak_is_told(tmp_path: Path) -> None:
    main = tmp_path / "ImageSets" / "Main"
    main.mkdir(parents=True)
    (main / "train.txt").write_text("a\nb\n")
    (main / "trainval.txt").write_text("a\nb\n")
    (main / "test.txt").write_text("b\nc\n")
    (main / "traffic_light_train.txt").write_text("a  1\nb -1\n")
    (main / "cat_test.txt").write_text("c  0\nd\n")
    found = list(voc.read(a_file(tmp_path, an_object(1, 1, 2, 2))))
    splits = {i.name: i.split for i in found if isinstance(i, Picture)}
    assert splits == {"a.jpg": "train", "b": "train", "c": "test"}
    said = [
        (i.picture, i.class_name, i.attributes)
        for i in found
        if isinstance(i, Annotation) and i.kind == "classification"
    ]
    assert said == [("a.jpg", "traffic_light", {}), ("c", "cat", {"difficult": True})]
    assert sorted(problems(found)) == [
        ("ImageSets/Main/cat_test.txt:2", "bad_row"),
        ("ImageSets/Main/test.txt", "duplicate_id"),
    ]


def test_two_files_about_one_picture_are_told(tmp_path: Path) -> None:
    a_file(tmp_path, an_object(1, 1, 2, 2))
    file = tmp_path / "Annotations" / "b.xml"
    file.write_text((tmp_path / "Annotations" / "a.xml").read_text())
    found = list(voc.read(tmp_path))
    assert boxes(found) == [(0, 0, 2, 2)]
    assert problems(found) == [("Annotations/b.xml", "duplicate_id")]


def test_picture_is_found_by_id_where_the_file_leaves_out_the_suffix(tmp_path: Path) -> None:
    a_file(tmp_path, an_object(1, 1, 2, 2))
    file = tmp_path / "Annotations" / "a.xml"
    file.write_text(file.read_text().replace("a.jpg", "a"))
    (tmp_path / "JPEGImages").mkdir()
    (tmp_path / "JPEGImages" / "a.png").touch()
    assert [i.name for i in voc.read(tmp_path) if isinstance(i, Picture)] == ["a.png"]


def rows(items: Iterable[Any]) -> list[Any]:
    found = [
        (i.picture, i.kind, i.class_name, i.box, sorted(i.attributes.items(), key=str))
        for i in items
        if isinstance(i, Annotation)
    ]
    return sorted(found, key=str)


@pytest.mark.parametrize("seed", range(5))
def test_boxes_parts_and_classes_come_back_equal(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    pictures = [
        Picture(f"d {i % 3}/p{i}.{i % 2}.jpg", "", (640, 480), rng.choice([None, "train", "val"]))
        for i in range(20)
    ]
    written = [a_label(rng, pictures, number) for number in range(200)]
    once = {(a.picture, a.class_name) for a in written if a.kind == "classification"}
    written = [a for a in written if a.kind == "box"]
    written += [Annotation(p, "classification", name, "") for p, name in sorted(once)]
    classes = [ClassInfo("cat"), ClassInfo("<dög> & co")]
    assert voc.write(tmp_path, pictures, written, classes) == []
    found = list(voc.read(tmp_path))
    assert problems(found) == []
    assert rows(found) == rows(written)
    assert {(p.name, p.size, p.split) for p in found if isinstance(p, Picture)} == {
        (p.name, p.size, p.split) for p in pictures
    }
    assert voc.classes(tmp_path) == classes


def a_label(rng: random.Random, pictures: list[Picture], number: int) -> Annotation:
    name, picture = rng.choice(["cat", "<dög> & co"]), rng.choice(pictures).name
    if rng.random() < 0.2:
        return Annotation(picture, "classification", name, "")
    x, y, w, h = (rng.uniform(-5, 500) for _ in range(4))
    attributes = rng.choice([{}, {"truncated": True, "pose": "Left"}, {"a b": "7", "n": [1, "x"]}])
    return Annotation(picture, "box", name, "", (x, y, abs(w), abs(h)), attributes=attributes)


def test_parts_stay_with_their_thing(tmp_path: Path) -> None:
    thing = Annotation("a.jpg", "box", "person", "", (1, 2, 3, 4), attributes={"object": 1})
    part = Annotation("a.jpg", "box", "head", "", (1, 2, 1, 1), attributes={"part_of": 1})
    orphan = Annotation("a.jpg", "box", "foot", "7", (1, 2, 1, 1), attributes={"part_of": 9})
    told = voc.write(tmp_path, [Picture("a.jpg", "")], [thing, part, orphan], [])
    assert [(p.where, p.reason) for p in told] == [("7", "orphan_label")]
    found = {i.class_name: i.attributes for i in voc.read(tmp_path) if isinstance(i, Annotation)}
    assert found == {"person": {"object": 1}, "head": {"part_of": 1}, "foot": {}}


def test_what_it_cannot_hold_is_told(tmp_path: Path) -> None:
    labels = [
        Annotation("a.jpg", "polygon", "cat", "1", (0, 0, 1, 1), {"polygons": []}),
        Annotation("a.jpg", "box", "cat", "2", (0, 0, 1, 1), track="t", confidence=0.5),
        Annotation("a.jpg", "box", "c\0t", "3", (0, 0, 1, 1)),
        Annotation("a.jpg", "classification", "a/b", "4"),
    ]
    pictures = [Picture("a.jpg", ""), Picture("../b.jpg", "5")]
    told = voc.write(tmp_path, pictures, labels, [])
    assert [p.where for p in told] == ["1", "2", "2", "3", "4", "5"]
    assert boxes(voc.read(tmp_path)) == [(0, 0, 1, 1)]


@pytest.mark.shared
def test_authentic_datasets_are_read_as_they_are(shared_data: Path) -> None:
    formats = shared_data / "formats"
    expected = {
        "datumaro/voc_dataset/voc_dataset1": (2, 3, 11, 1),
        "datumaro/voc_dataset/voc_dataset2": (5, 4, 0, 0),
        "datumaro/voc_dataset/voc_dataset3": (1, 1, 0, 0),
        "labelformat/object_detection/PascalVOC": (2, 16, 0, 0),
        "labelformat/semantic_segmentation/pascalvoc": (2, 0, 0, 3),
        "../bccd": (70, 910, 0, 0),
    }
    for folder, counts in expected.items():
        assert voc.is_at(formats / folder)
        found = list(voc.read(formats / folder))
        kinds = [i.kind for i in found if isinstance(i, Annotation)]
        n = [kinds.count(kind) for kind in ("box", "classification", "mask")]
        assert (sum(isinstance(i, Picture) for i in found), *n) == counts
        assert problems(found) == []


@pytest.mark.shared
def test_blood_cells_name_pictures_that_are_there(shared_data: Path) -> None:
    for part in ("Annotations", "Annotations_original"):
        path = shared_data / "bccd" / part
        folder = voc.images(path)
        assert folder is not None
        found = [i.name for i in voc.read(path) if isinstance(i, Picture)]
        assert found
        assert [name for name in found if not (folder / name).is_file()] == []
