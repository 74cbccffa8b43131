"""Boxes and masks of several annotators are merged, and agree by how they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import agreement, box_consensus, labels, ontology, reviews
from smartdb.box_consensus import Outline, clusters, merge
from smartdb.formats import masks

Conn = psycopg.Connection[Any]
Boxes = dict[str, list[tuple[str, Sequence[float]]]]


def draw(conn: Conn, boxes: Boxes) -> None:
    """Draws boxes (class, x y w h) on the first picture, by actor."""
    classes = ontology.ids(conn, "pets", ["cat", "dog"])
    for actor, drawn in boxes.items():
        actor_id = labels.actor_id_of(conn, actor, "person")
        for name, (x, y, w, h) in drawn:
            conn.execute(
                "insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)"
                " values (1, %s, 'box', %s, %s, %s, %s, 'human', %s)",
                [classes[name], x, y, w, h, actor_id],
            )
    conn.commit()


def shown(conn: Conn) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select l.class, l.x, l.y, l.w, l.h, c.n_agreeing, c.n_judgements"
        " from smartdb.consensus as c join smartdb.label as l using (label_id)"
        " where c.kind = 'box' order by l.x"
    ).fetchall()


@pytest.fixture
def drawn(conn: Conn) -> Conn:
    """Three draw a cat, two of them a dog too, one something that nobody else sees."""
    ontology.ensure(conn, "pets", ["cat", "dog"], "")
    draw(conn, {
        "ana": [("cat", (2, 2, 10, 10)), ("dog", (18, 8, 10, 10)), ("dog", (0, 20, 3, 3))],
        "bo": [("cat", (3, 2, 10, 10)), ("dog", (19, 8, 10, 10))],
        "cy": [("cat", (2, 3, 10, 12))],
    })  # fmt: skip
    return conn


def test_boxes_that_most_drew_are_merged_once_and_follow_what_is_new(drawn: Conn) -> None:
    first = box_consensus.run_consensus(drawn, "pets")
    assert (first["merged"], first["added"]) == (2, 2)
    assert shown(drawn) == [("cat", 2, 2, 10, 10, 3, 3), ("dog", 18.5, 8, 10, 10, 2, 3)]
    again = box_consensus.run_consensus(drawn, "pets")
    assert (again["run_id"], again["kept"], again["added"]) == (None, 2, 0)
    draw(drawn, {"cy": [("dog", (18, 9, 10, 10))]})
    moved = box_consensus.run_consensus(drawn, "pets")
    assert (moved["added"], moved["closed"], moved["kept"]) == (1, 1, 1)
    assert shown(drawn)[1] == ("dog", 18, 8, 10, 10, 3, 3)


def test_a_box_that_a_reviewer_rejected_does_not_come_back(drawn: Conn) -> None:
    box_consensus.run_consensus(drawn, "pets")
    (label,) = drawn.execute(
        "select label_id from smartdb.consensus where class = 'dog' and kind = 'box'"
    ).fetchone() or (0,)
    reviews.review(drawn, label, "rev", "rejected")
    drawn.commit()
    box_consensus.run_consensus(drawn, "pets")
    assert [row[0] for row in shown(drawn)] == ["cat"]


def test_pairs_agree_on_what_they_matched(drawn: Conn) -> None:
    found = {(p.class_name, p.actor_a, p.actor_b): p for p in agreement.of_outlines(drawn, "pets")}
    cat = found["cat", "ana", "bo"]
    assert (cat.n_a, cat.n_b, cat.n_matched, cat.f1) == (1, 1, 1, 1.0)
    assert cat.mean_iou == pytest.approx(90 / 110)
    dog = found["dog", "ana", "cy"]
    assert (dog.n_a, dog.n_b, dog.n_matched, dog.mean_iou, dog.f1) == (2, 0, 0, None, 0.0)


def test_a_thing_has_one_box_of_each_annotator_and_the_class_of_most() -> None:
    near = [Outline(1, 5, 0, 0, 10, 10), Outline(1, 5, 1, 0, 10, 10), Outline(2, 6, 0, 0, 10, 10)]
    assert sorted(map(len, clusters(near))) == [1, 2]
    third = Outline(3, 6, 0, 1, 10, 10)
    (found,) = merge([*near, third])
    assert (found.class_id, found.n_agreeing, found.n_annotators) == (6, 2, 3)
    assert merge(near[:2]) == []
    assert merge([]) == []


def test_a_mask_has_the_pixels_of_most() -> None:
    pytest.importorskip("pycocotools")
    drawn = []
    for annotator, right in enumerate((4, 5, 6)):
        pixels = np.zeros((8, 8), np.bool_)
        pixels[1:4, 1:right] = True
        box, shape = masks.of_pixels(pixels)
        drawn.append(Outline(annotator, 1, *box, shape))
    overlap = box_consensus.ious(drawn, drawn)
    assert overlap[0].tolist() == pytest.approx([1, 9 / 12, 9 / 15])
    (found,) = merge(drawn)
    assert found.n_agreeing == 3
    assert masks.to_pixels(found.shape or {})[1:4].sum(axis=1).tolist() == [4, 4, 4]
