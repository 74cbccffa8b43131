"""Kinds of label and their geometry, judged by the database whoever writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import label_edits, label_pictures, ontology
from smartdb.errors import InvalidInput
from smartdb.formats import masks

Conn = psycopg.Connection[Any]
RING = [[2, 2], [20, 2], [20, 20], [2, 20]]
HOLE = [[5, 5], [9, 5], [9, 9]]


def mask(height: int = 24, width: int = 32) -> dict[str, Any]:
    pixels = np.zeros((height, width), dtype=np.bool_)
    pixels[3:9, 4:20] = pixels[8:12, 25:27] = True
    return masks.of_pixels(pixels)[1]


SHAPES: dict[str, tuple[dict[str, Any], list[float]]] = {
    "polygon": ({"polygons": [[RING, HOLE]]}, [2, 2, 18, 18]),
    "rotated_box": ({"corners": [[10, 2], [18, 10], [10, 18], [2, 10]]}, [2, 2, 16, 16]),
    "polyline": ({"points": [[1, 5], [30, 5]]}, [1, 5, 29, 0]),
    "keypoints": ({"points": [[3, 4, 2], [0, 0, 0], [9, 10, 1]]}, [3, 4, 6, 6]),
    "mask": (mask(), [4, 3, 23, 9]),
}
WRONG: dict[str, list[tuple[dict[str, Any], str]]] = {
    "polygon": [
        ({"polygons": [[RING[:2]]]}, "fewer than three points"),
        ({"polygons": [[[[1, 1], [2, 2], [3, 3]]]]}, "no area"),
        ({"polygons": [[RING, [[5, 5], [9, 9]]]]}, "fewer than three points"),
        ({"polygons": [[[*RING, [5, "6"]]]]}, "something else than points"),
        ({"polygons": [[[*RING, [5, None]]]]}, "something else than points"),
        ({"polygons": [RING]}, "fewer than three points"),
        ({"rings": [[RING]]}, "a polygon is"),
    ],
    "rotated_box": [
        ({"corners": RING[:3]}, "four times"),
        ({"corners": [[1, 1], [2, 1], [3, 1], [4, 1]]}, "no area"),
    ],
    "polyline": [
        ({"points": [[1, 5]]}, "two or more"),
        ({"points": [[1, 5], [1, 5]]}, "no length"),
    ],
    "keypoints": [
        ({"points": [[1, 2, 3]]}, "visibility 0 to 2"),
        ({"points": [[1, 2]]}, "visibility 0 to 2"),
        ({"points": []}, "missing|keypoints are"),
    ],
    "mask": [
        ({"size": [24, 33], "counts": mask()["counts"]}, "do not make up 33 x 24 pixels"),
        ({"size": [24, 32], "counts": "a b"}, "do not make up"),
        ({"size": [24], "counts": ""}, "a mask is"),
        (mask(48, 32), "its mask is 48 high and 32 wide, but the picture 24 and 32"),
    ],
}


@pytest.fixture
def pets(conn: Conn) -> Conn:
    """A connection as a writer, with three classes; nothing is committed."""
    ontology.create(conn, "pets", ["cat", "dog", "chases"])
    return conn


def test_every_kind_is_written_with_the_box_around_its_shape(pets: Conn) -> None:
    given = [{"class": "cat", "kind": kind, "shape": shape} for kind, (shape, _) in SHAPES.items()]
    label_edits.add(
        pets, 1, "ana", [*given, {"class": "cat", "kind": "caption", "shape": {"text": ""}}]
    )
    found = label_edits.labels_of(pets, 1)
    assert [o["shape"] for o in found[:-1]] == [shape for shape, _ in SHAPES.values()]
    boxes = [[o[each] for each in "xywh"] for o in found[:-1]]
    assert boxes == [box for _, box in SHAPES.values()]


def test_wrong_shapes_are_refused_with_what_is_wrong(pets: Conn) -> None:
    for kind, cases in WRONG.items():
        for shape, match in cases:
            label = {"class": "cat", "kind": kind, "shape": shape}
            with pytest.raises(InvalidInput, match=match), pets.transaction():
                label_edits.add(pets, 1, "ana", [label])
    label = {"class": "cat", "kind": "polygon", "shape": SHAPES["polygon"][0]}
    with pytest.raises(InvalidInput, match="is not around its shape"), pets.transaction():
        label_edits.add(pets, 1, "ana", [{**label, "x": 9, "y": 2, "w": 9, "h": 9}])


def test_the_tables_themselves_refuse_wrong_geometry(pets: Conn) -> None:
    """What no function of ours has looked at: a pipeline's own insert."""
    insert = """
        insert into core.label (media_id, class_id, kind, x, y, w, h, shape, origin, actor_id)
        select 1, c.class_id, %s, %s, 2, 5, 5, %s, %s, smartdb.person_id('ana')
        from core.class as c where c.name = 'cat'"""
    bad = psycopg.types.json.Jsonb({"polygons": [[RING[:2]]]})
    small = psycopg.types.json.Jsonb(mask(48, 32))
    for values, match in (
        (["box", float("nan"), None, "import"], "label_finite_check"),
        (["box", float("inf"), None, "model"], "label_finite_check"),
        (["polygon", 2, bad, "import"], "label_shape_check"),
        (["mask", 2, small, "import"], "its mask is 48 high"),
        (["box", 30, None, "human"], "partly outside"),
    ):
        with pytest.raises(psycopg.Error, match=match), pets.transaction():
            pets.execute(insert, values)
    pets.execute(insert, ["box", 30, None, "import"])  # files keep what they say


def test_random_masks_have_the_facts_that_pycocotools_says(pets: Conn) -> None:
    rng = np.random.default_rng(0)
    for size in ((1, 1), (7, 3), (24, 32), (200, 130)):
        for share in (0.02, 0.5, 1.0):
            pixels = rng.random(size) < share
            pixels[-1, -1] = True
            (x, y, w, h), shape = masks.of_pixels(pixels)
            row = pets.execute("select core.mask_facts(%s, %s)", [size[0], shape["counts"]])
            expected = [pixels.size, int(pixels.sum()), x, y, x + w, y + h]
            assert row.fetchone() == (expected,)


def test_a_relation_joins_live_things_and_tells_when_one_is_gone(pets: Conn) -> None:
    box = {"class": "cat", "kind": "box", "x": 1, "y": 1, "w": 5, "h": 5}
    ids = label_edits.add(pets, 1, "ana", [{**box, "class": "dog"}, box])
    other = label_edits.add(pets, 2, "ana", [box])
    dog, cat, far = (
        label_edits.history(pets, each)[0].label["object_id"] for each in [*ids, *other]
    )
    chase = {"class": "chases", "kind": "relation", "subject_id": dog, "target_id": cat}
    (relation,) = label_edits.add(pets, 1, "ana", [chase])
    with pytest.raises(InvalidInput, match="not between two live labels"), pets.transaction():
        label_edits.add(pets, 1, "ana", [{**chase, "target_id": far}])
    label_edits.edit(pets, ids[1], "ana", {"w": 6})
    assert label_edits.broken_relations(pets) == []
    label_edits.remove(pets, ids[0], "ana")
    (broken,) = label_edits.broken_relations(pets)
    assert (broken.label_id, broken.subject, broken.relation, broken.target) == (
        relation, None, "chases", "cat",
    )  # fmt: skip


def test_a_picture_shows_every_kind(pets: Conn) -> None:
    given = [{"class": "cat", "kind": kind, "shape": shape} for kind, (shape, _) in SHAPES.items()]
    label_edits.add(pets, 1, "ana", [*given, {"class": "dog"}])
    labels = label_edits.labels_of(pets, 1)
    plain = Image.new("RGB", (32, 24))
    pictures = [np.asarray(label_pictures.drawn(plain, [each])) for each in labels]
    assert {each.shape for each in pictures} == {(480, 640, 3)}
    assert all(each.any() for each in pictures)
