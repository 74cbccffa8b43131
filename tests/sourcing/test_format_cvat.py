"""CVAT XML: images and tracks, broken files, and there and back."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartdb.formats import cvat, masks
from smartdb.formats.base import Annotation, ClassInfo, Picture
from smartdb.formats.geometry import bounds
from smartdb.formats.rotated import Rectangle

from .reading import labels, problems

BOX = '<box label="{}" xtl="{}" ytl="{}" xbr="{}" ybr="{}" occluded="0"/>'


def an_image(*inside: str, name: str = "a.jpg", more: str = "") -> str:
    return f'<image id="0" name="{name}" width="20" height="10" {more}>\n{"".join(inside)}</image>'


def a_file(folder: Path, *inside: str, head: str = "") -> Path:
    file = folder / "annotations.xml"
    file.write_bytes(f"{head}<annotations>\n{''.join(inside)}</annotations>".encode("latin-1"))
    return file


def one(path: Path) -> Annotation:
    (found,) = labels(cvat.read(path))
    return found


def test_box_turned_by_a_quarter_has_its_corners_about_the_centre(tmp_path: Path) -> None:
    box = '<box label="a" xtl="2" ytl="4" xbr="8" ybr="6" rotation="90.00"/>'
    found = one(a_file(tmp_path, an_image(box)))
    assert (found.kind, found.box) == ("rotated_box", (4, 2, 2, 6))
    assert found.shape == {"corners": [[6, 2], [6, 8], [4, 8], [4, 2]]}


def test_mask_is_placed_in_the_picture(tmp_path: Path) -> None:
    mask = '<mask label="a" rle="1, 2, 1, 2" left="3" top="4" width="3" height="2"/>'
    found = one(a_file(tmp_path, an_image(mask)))
    assert found.box == (4, 4, 2, 2)
    rows, columns = np.nonzero(masks.to_pixels(found.shape or {}))
    assert list(zip(columns, rows, strict=True)) == [(4, 4), (5, 4), (4, 5), (5, 5)]


def test_marks_and_attributes_of_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    box = (
        '<box label="a" xtl="2" ytl="4" xbr="8" ybr="6" occluded="1" z_order="3" group_id="7" '
        'source="manual"><attribute name="occluded">half</attribute></box>'
    )
    assert one(a_file(tmp_path, an_image(box))).attributes == {
        "occluded": True, "z_order": 3, "group_id": 7, "source": "manual",
        "attribute.occluded": "half",
    }  # fmt: skip


def test_wrong_labels_are_told_by_line_and_the_rest_is_read(tmp_path: Path) -> None:
    wrong = [
        '<box label="a" xtl="x" ytl="4" xbr="8" ybr="6"/>',
        '<polygon label="a" points="1,2;3,4"/>',
        '<polygon label="a" points="1,2;3;4,5"/>',
        '<polygon label="" points="1,2;3,4;5,6"/>',
        '<cuboid label="a" xtl1="1"/>',
        '<mask label="a" rle="9999" left="0" top="0" width="3" height="2"/>',
        '<mask label="a" rle="6" left="19" top="0" width="3" height="2"/>',
        '<mask label="a" rle="6" left="0" top="0" width="300000" height="200000"/>',
        "<skeleton label='a'/>",
    ]
    good = BOX.format("a", 9, 9, 2, 2)
    found = list(cvat.read(a_file(tmp_path, an_image(*(f"{w}\n" for w in wrong), good))))
    reasons = ["bad_shape"] * 3 + ["unknown_category", "unsupported"] + ["bad_shape"] * 4
    assert problems(found) == [(f"annotations.xml:{3 + i}", r) for i, r in enumerate(reasons)]
    assert [label.box for label in labels(found)] == [(9, 9, -7, -7)]


def test_image_that_is_there_twice_or_without_name_is_told(tmp_path: Path) -> None:
    images = [an_image(BOX.format("a", 1, 1, 2, 2)), "\n", an_image(), "\n", an_image(name="")]
    found = list(cvat.read(a_file(tmp_path, *images)))
    where = "annotations.xml"
    assert problems(found) == [(f"{where}:4", "duplicate_id"), (f"{where}:6", "bad_row")]
    assert len(labels(found)) == 1


def test_what_came_before_a_break_is_read(tmp_path: Path) -> None:
    box = BOX.format("a", 1, 1, 2, 2)
    file = a_file(tmp_path, an_image(box), an_image(box, name="b.jpg"))
    file.write_bytes(file.read_bytes()[:-40])
    found = list(cvat.read(file))
    assert [label.picture for label in labels(found)] == ["a.jpg"]
    assert problems(found) == [("annotations.xml:4", "broken_file")]


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_entities_give_a_problem_and_no_label(tmp_path: Path, head: str) -> None:
    file = a_file(tmp_path, an_image(BOX.format("&a;", 1, 1, 2, 2)), head=head)
    found = list(cvat.read(file))
    assert [reason for _, reason in problems(found)][-1] in ("unsupported", "broken_file")
    assert labels(found) == []


def test_bytes_of_another_encoding_spoil_their_label_alone(tmp_path: Path) -> None:
    boxes = [BOX.format(name, 1, 1, 2, 2) for name in ("caf\xe9", "a")]
    file = a_file(tmp_path, an_image(*boxes))
    found = list(cvat.read(file))
    assert [label.class_name for label in labels(found)] == ["a"]
    assert problems(found) == [("annotations.xml:3", "bad_row")]
    found = list(cvat.read(file, encoding="latin-1"))
    assert [label.class_name for label in labels(found)] == ["caf\xe9", "a"]


def test_empty_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.touch()
    assert problems(cvat.read(file)) == [("a.xml:1", "broken_file")]


def test_track_has_rows_where_it_is_seen_and_says_which_are_interpolated(tmp_path: Path) -> None:
    box = '<box frame="{}" outside="{}" keyframe="{}" xtl="1" ytl="1" xbr="{}" ybr="4"/>'
    track = [box.format(0, 0, 1, 3), box.format(1, 0, 0, 4), box.format(2, 1, 1, 4)]
    meta = (
        "<meta><task><mode>interpolation</mode><size>4</size></task><source>v.mp4</source></meta>"
    )
    inside = f'<track id="5" label="a" source="auto">{"".join(track)}</track>'
    found = list(cvat.read(a_file(tmp_path, meta, inside)))
    frames = [(i.name, i.frame_index) for i in found if isinstance(i, Picture)]
    assert frames == [("v.mp4", 0), ("v.mp4", 1), ("v.mp4", 2), ("v.mp4", 3)]
    assert [(a.frame_index, a.track, a.box, a.attributes) for a in labels(found)] == [
        (0, "5", (1, 1, 2, 3), {"source": "auto"}),
        (1, "5", (1, 1, 3, 3), {"source": "auto", "interpolated": True}),
    ]


def rows(items: Iterable[Any]) -> list[Any]:
    found = [replace(i, where="", key=None) for i in items if isinstance(i, Annotation)]
    return sorted(found, key=lambda a: (a.picture, a.frame_index or 0, a.track or "", repr(a)))


def a_shape(rng: random.Random, names: tuple[str, ...]) -> dict[str, Any]:
    points = [[rng.uniform(-9, 99), rng.uniform(-9, 99)] for _ in range(rng.randint(3, 9))]
    kind = rng.choice(["box", "polygon", "polyline", "keypoints", "mask", "classification"])
    if kind == "classification":
        return {"kind": kind}
    if kind == "box":
        return {"kind": kind, "box": (*points[0], rng.uniform(0, 9), rng.uniform(0, 9))}
    if kind == "mask":
        pixels = np.random.default_rng(rng.randrange(99)).random((80, 90)) > rng.random()
        pixels[40, 50] = True
        box, shape = masks.of_pixels(pixels)
        return {"kind": kind, "box": box, "shape": shape}
    shape = {"polygon": {"polygons": [[points]]}, "polyline": {"points": points}}.get(kind)
    if shape is None:
        there = [[*point, rng.choice([0, 1, 2])] for point in points]
        there = [*there, *([1.5, 2.5, 2] for _ in names)][: len(names)] if names else there
        there[0][2] = 2
        points, shape = [p for p in there if p[2]], {"points": there}
    return {"kind": kind, "box": bounds(points), "shape": shape}


ATTRIBUTES = (
    {},
    {"occluded": True, "z_order": 2, "source": "auto", "attribute.source": "x"},
    {"age": 7.5, "is_old": False, "said": " <b> & 'c'\n\r\t\"d\" 0003"},
)
CLASSES = [
    ClassInfo("c<ä>t & co"),
    ClassInfo("person", None, ("nose", "l&r eye", "ear"), ((1, 2), (2, 3))),
]


@pytest.mark.parametrize("seed", range(5))
def test_images_come_back_equal(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    pictures = [Picture(f"d/ü {i}.jpg", "", (90, 80), rng.choice([None, "t"])) for i in range(9)]
    written = []
    for _ in range(150):
        info = rng.choice(CLASSES)
        shape = a_shape(rng, info.keypoints)
        attributes = rng.choice(ATTRIBUTES)
        if shape["kind"] == "classification":
            attributes = ATTRIBUTES[2]
        picture = rng.choice(pictures).name
        written.append(
            Annotation(picture, class_name=info.name, where="", attributes=attributes, **shape)
        )
    file = tmp_path / "a.xml"
    assert cvat.write(file, pictures, written, CLASSES) == []
    found = list(cvat.read(file))
    assert problems(found) == []
    assert rows(found) == rows(written)
    assert [replace(i, where="") for i in found if isinstance(i, Picture)] == pictures
    assert [(c.name, c.keypoints, c.skeleton) for c in cvat.classes(file)] == [
        (c.name, c.keypoints, c.skeleton) for c in CLASSES
    ]


@pytest.mark.parametrize("seed", range(3))
def test_tracks_come_back_equal(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    pictures = [Picture("v.mp4", "", (90, 80), frame_index=f) for f in range(10, 70, 3)]
    written = []
    for track in range(8):
        info = rng.choice(CLASSES)
        for picture in rng.sample(pictures, rng.randint(1, 12)):
            shape = a_shape(rng, info.keypoints)
            if shape["kind"] == "classification":
                continue
            attributes = {"source": "auto"} | ({"interpolated": True} if rng.random() < 0.5 else {})
            said = {"attributes": attributes, "frame_index": picture.frame_index} | shape
            written.append(
                Annotation("v.mp4", class_name=info.name, where="", track=str(track), **said)
            )
    file = tmp_path / "a.xml"
    assert cvat.write(file, pictures, written, CLASSES) == []
    found = list(cvat.read(file))
    assert problems(found) == []
    assert rows(found) == rows(written)
    assert [replace(i, where="") for i in found if isinstance(i, Picture)] == pictures


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
    assert cvat.write(tmp_path / "a.xml", [Picture("a", "")], written, []) == []
    found = labels(cvat.read(tmp_path / "a.xml"))
    assert {(a.kind, *a.attributes) for a in found} == {("rotated_box", *attributes)}
    np.testing.assert_allclose([(a.shape or {})["corners"] for a in found], corners, atol=1e-9)


def test_what_it_cannot_hold_is_told(tmp_path: Path) -> None:
    ring = [[0, 0], [1, 0], [1, 1]]
    crooked = [[0, 0], [5, 0], [9, 9], [0, 5]]
    said = [
        Annotation("a", "caption", "cat", "1", shape={"text": "x"}),
        Annotation("a", "polygon", "cat", "2", (0, 0, 1, 1), {"polygons": [[ring, ring]]}),
        Annotation("a", "rotated_box", "cat", "3", (0, 0, 9, 9), {"corners": crooked}),
        Annotation("a", "box", "cat", "4", (0, 0, 1, 1), confidence=0.5),
        Annotation("a", "box", "cat", "5", (0, 0, 1, 1), track="7"),
        Annotation("a", "box", "c\1t", "6", (0, 0, 1, 1)),
        Annotation("a", "box", "cat", "7", (0, 0, 1, 1), attributes={"a": [1, 2]}),
        Annotation("a", "keypoints", "cat", "8", (0, 0, 9, 9), {"points": [[1, 1, 2]]}),
        Annotation("v", "box", "cat", "9", (0, 0, 1, 1), frame_index=0),
        Annotation("v", "classification", "cat", "10", frame_index=0),
    ]
    pictures = [Picture("a", ""), Picture("v", "", frame_index=0)]
    told = cvat.write(tmp_path / "a.xml", pictures, said, [])
    assert [p.where for p in told] == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
    assert len(labels(cvat.read(tmp_path / "a.xml"))) == 5


def test_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    long = f'<tag label="a"><attribute name="b">{"x" * 10_000}</attribute></tag>'
    images = (an_image(long, name=f"{number}.jpg") for number in range(400))
    file = a_file(tmp_path, *images)
    tracemalloc.start()
    n = sum(isinstance(item, Annotation) for item in cvat.read(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n == 400
    assert peak < file.stat().st_size / 4


@pytest.mark.shared
def test_authentic_images_and_video_are_read_as_they_are(shared_data: Path) -> None:
    folder = shared_data / "formats" / "datumaro" / "cvat_dataset"
    found = list(cvat.read(folder / "for_images"))
    assert [a.kind for a in labels(found)] == ["box", *["keypoints"] * 3]
    assert labels(found)[0].attributes == {
        "occluded": True, "z_order": 1, "a1": True, "a2": "v3", "a3": "0003", "a4": 2.4,
    }  # fmt: skip
    assert (labels(found)[1].shape or {})["points"][:2] == [[1, 1, 0], [2, 2, 2]]
    assert problems(found) == [
        ("train.xml:90", "unknown_category"),
        ("train.xml:103", "unknown_category"),
    ]
    skeleton = cvat.classes(folder / "for_images")[-1]
    assert (skeleton.keypoints, skeleton.skeleton) == (("1", "2", "3", "4"), ((3, 2), (1, 4)))
    found = list(cvat.read(folder / "for_video"))
    seen = [(a.track, a.picture[6:12], a.kind) for a in labels(found)]
    assert seen == [
        ("0", "000010", "box"), ("1", "000010", "keypoints"), ("2", "000013", "polyline"),
        *(("3", frame, "keypoints") for frame in ("000010", "000013", "000016")),
    ]  # fmt: skip
    assert [p[2] for p in (labels(found)[-1].shape or {})["points"]] == [2, 2, 0, 2]
    assert problems(found) == []
