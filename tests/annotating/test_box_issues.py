"""Box issues: what a box's overlap with another's tells, written as questions and never twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import box_issues, box_sheet, objectlab
from smartdb.box_pairs import Boxes, iou, joined, matched, pairs
from smartdb.errors import InvalidInput, NotFound, NothingToDo

Conn = psycopg.Connection[Any]

DRAWN = """
insert into core.ontology (name) values ('street');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from) values (1, 'car', 1), (1, 'bus', 1);
insert into core.actor (name, kind) values ('ana', 'person'), ('net', 'model');
insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id, confidence) values
    (1, 1, 'box', 0, 0, 10, 10, 'human', 1, null),    -- 1: as the net sees it
    (1, 1, 'box', 0.2, 0, 10, 10, 'human', 1, null),  -- 2: the same again
    (2, 1, 'box', 0, 0, 10, 10, 'human', 1, null),    -- 3: badly placed
    (3, 2, 'box', 0, 0, 10, 10, 'human', 1, null),    -- 4: the net says car
    (4, 1, 'box', 20, 10, 8, 8, 'human', 1, null),    -- 5: the net sees nothing there
    (5, 1, 'box', 25, 20, 12, 12, 'import', 1, null),  -- 6: out of the picture of 32 x 24
    (1, 1, 'box', 0, 0, 10, 10, 'model', 2, 0.9),     -- 7
    (2, 1, 'box', 4, 0, 10, 10, 'model', 2, 0.8),     -- 8
    (3, 1, 'box', 0, 0, 10, 10, 'model', 2, 0.7),     -- 9
    (4, 1, 'box', 0, 0, 6, 6, 'model', 2, 0.6),       -- 10: overlooked
    (4, 2, 'box', 12, 0, 6, 6, 'model', 2, 0.2);      -- 11: not sure enough
"""
FOUND = "select kind, label_id, state from smartdb.box_issue order by kind, label_id"


@pytest.fixture
def street(conn: Conn, owner: Conn) -> Conn:
    """Six boxes of ana on media 1 to 5, and what a net sees on 1 to 4."""
    owner.execute(DRAWN)
    owner.commit()
    return conn


def kinds(conn: Conn) -> list[tuple[Any, ...]]:
    return [row[:2] for row in conn.execute(FOUND).fetchall()]


def test_boxes_alone_are_suspected_where_drawn_twice_or_impossible(street: Conn) -> None:
    counts = box_issues.find(street)
    assert (counts["examined"], counts["new"]) == (6, 2)
    assert kinds(street) == [("duplicate", 2), ("impossible_geometry", 6)]
    twin, score = street.execute(
        "select duplicate_of, score from smartdb.box_issue where kind = 'duplicate'"
    ).fetchone()
    assert (twin, round(score, 3)) == (1, 0.961)


def test_held_against_a_detector_each_error_is_told_with_what_it_would_say(street: Conn) -> None:
    box_issues.find(street, against="net")
    assert kinds(street) == [
        ("badly_placed", 3), ("duplicate", 2), ("impossible_geometry", 6), ("overlooked", None),
        ("spurious", 5), ("swapped", 4),
    ]  # fmt: skip
    rows = street.execute(
        "select kind, suggested_class, suggested_x, suggested_w, round(score::numeric, 3)"
        " from smartdb.box_issue where kind not in ('duplicate', 'impossible_geometry')"
        " order by kind"
    ).fetchall()
    assert [tuple(map(str, row)) for row in rows] == [
        ("badly_placed", "None", "4.0", "10.0", "0.457"),  # (1 - 60 / 140) * 0.8
        ("overlooked", "car", "0.0", "6.0", "0.600"),
        ("spurious", "None", "None", "None", "0.500"),  # the net sees 2 of 4 cars
        ("swapped", "car", "0.0", "10.0", "0.700"),
    ]


def test_the_boxes_of_a_file_of_predictions_are_held_against_the_labels_as_well(
    street: Conn, owner: Conn
) -> None:
    owner.execute(
        "insert into core.predicted_label"
        " (run_id, media_id, class_id, kind, x, y, w, h, confidence)"
        " select 1, media_id, class_id, 'box', x, y, w, h, confidence from core.label"
        " where origin = 'model'"
    )
    owner.commit()
    box_issues.find(street, predictions=1)
    found = street.execute(
        "select kind, label_id, suggested_class, suggested_x from smartdb.box_issue order by 1, 2"
    ).fetchall()
    assert found == [
        ("badly_placed", 3, None, 4), ("duplicate", 2, None, None),
        ("impossible_geometry", 6, None, None), ("overlooked", None, "car", 0),
        ("spurious", 5, None, None), ("swapped", 4, "car", 0),
    ]  # fmt: skip


def test_a_second_run_on_the_same_boxes_writes_nothing(street: Conn) -> None:
    first = box_issues.find(street, against="net")
    again = box_issues.find(street, against="net")
    assert (again["run_id"], again["new"], again["is_new"]) == (first["run_id"], 0, False)


def test_what_is_no_longer_suspected_is_dropped_and_what_was_decided_stays(street: Conn) -> None:
    box_issues.find(street, against="net")
    street.execute("update core.label_issue set state = 'dismissed' where kind = 'overlooked'")
    street.execute("update core.label_issue set state = 'confirmed' where kind = 'swapped'")
    street.execute(  # the net looks again: it sees 3 as ana does, the overlooked a little aside
        "update core.label set rev_to = 0 where label_id in (8, 10)"
    )
    street.execute(
        "insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)"
        " values (2, 1, 'box', 0, 0, 10, 10, 'model', 2), (4, 1, 'box', 1, 0, 6, 6, 'model', 2)"
    )
    street.commit()
    counts = box_issues.find(street, against="net")
    assert (counts["dropped"], counts["new"]) == (1, 0)
    assert street.execute(FOUND).fetchall() == [
        ("duplicate", 2, "open"), ("impossible_geometry", 6, "open"),
        ("overlooked", None, "dismissed"), ("spurious", 5, "open"), ("swapped", 4, "confirmed"),
    ]  # fmt: skip


def test_a_label_that_a_reviewer_accepted_is_not_asked_about(street: Conn, as_role: Any) -> None:
    reviewer = as_role("smartdb_reviewer")
    reviewer.execute("select smartdb.review_label(3, 'bo', 'accepted')")
    reviewer.commit()
    box_issues.find(street, against="net")
    assert ("badly_placed", 3) not in kinds(street)


def test_a_duplicate_that_is_confirmed_is_rejected_and_a_bad_place_corrected(
    street: Conn, as_role: Any
) -> None:
    box_issues.find(street, against="net")
    reviewer = as_role("smartdb_reviewer")
    for kind, left in (("duplicate", []), ("badly_placed", [(4.0, 0.0, 10.0, 10.0)])):
        issue_id, label_id = reviewer.execute(
            "select issue_id, label_id from smartdb.box_issue where kind = %s", [kind]
        ).fetchone()
        reviewer.execute("select smartdb.resolve_issue(%s, 'bo', 'confirmed')", [issue_id])
        now = reviewer.execute(
            "select n.x, n.y, n.w, n.h from smartdb.label_history as h join smartdb.label as n"
            " on n.object_id = h.object_id where h.label_id = %s", [label_id]
        )  # fmt: skip
        assert now.fetchall() == left


def test_a_reader_does_not_see_the_issues_of_a_hidden_media(
    street: Conn, owner: Conn, as_role: Callable[[str], Conn]
) -> None:
    box_issues.find(street, against="net")
    owner.execute("insert into core.restriction (media_id, reason) values (4, 'consent')")
    owner.commit()
    seen = {kind for kind, _ in kinds(as_role("smartdb_reader"))}
    assert seen == {"badly_placed", "duplicate", "impossible_geometry", "swapped"}


@pytest.mark.parametrize(
    ("wish", "error", "message"),
    [
        ({"against": "nobody"}, NotFound, "no actor 'nobody'"),
        ({"against": "ana", "actor": "ana"}, InvalidInput, "against itself"),
        ({"against": "net", "predictions": 1}, InvalidInput, "or with a run"),
        ({"predictions": 7}, NothingToDo, "run 7 predicted no boxes"),
        ({"ontology": "zoo"}, NothingToDo, "no boxes or outlines in ontology 'zoo'"),
    ],
)
def test_a_wish_that_makes_no_sense_is_told(
    street: Conn, wish: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        box_issues.find(street, **wish)


def test_outlines_with_other_pixels_are_rough(street: Conn, owner: Conn) -> None:
    owner.execute(
        "insert into core.label (media_id, class_id, kind, x, y, w, h, shape, origin, actor_id)"
        " select 6, 1, 'polygon', 0, 0, 20, 20, p::jsonb, o, a from (values"
        " ('{\"polygons\": [[[[0, 0], [20, 0], [20, 20], [0, 20]]]]}', 'human', 1),"
        " ('{\"polygons\": [[[[0, 0], [20, 0], [0, 20]]]]}', 'model', 2)) as v (p, o, a)"
    )
    owner.commit()
    assert box_issues.find(street, against="net")["rough_outline"] == 1
    ((score,),) = street.execute(
        "select score from smartdb.box_issue where kind = 'rough_outline'"
    ).fetchall()
    assert 0.45 < score < 0.55


def test_the_command_prints_how_many_of_each(street: Conn, cli: Callable[..., Any]) -> None:
    result = cli("find-box-issues", "--against", "net")
    assert result.exit_code == 0
    assert ["badly_placed", "1"] in [line.split() for line in result.stdout.splitlines()]


def test_without_a_file_the_sheet_has_an_empty_place(street: Conn) -> None:
    assert box_sheet.suspected(street) is None
    box_issues.find(street)
    assert (box_sheet.suspected(street) or b"")[:4] == b"\x89PNG"


def test_pairs_are_those_of_one_media_however_few_at_once() -> None:
    one = boxes([1, 2, 2, 9], [[0, 0, 2, 2]] * 4)
    other = boxes([2, 1, 2], [[0, 0, 2, 2], [1, 0, 2, 2], [5, 5, 1, 1]])
    whole = {(a, b) for found in pairs(one, other) for a, b in zip(found.a, found.b)}
    assert whole == {(0, 1), (1, 0), (1, 2), (2, 0), (2, 2)}
    assert {(a, b) for f in pairs(one, other, 1) for a, b in zip(f.a, f.b)} == whole


def test_the_largest_overlaps_are_paired_first_and_once() -> None:
    one = boxes([1, 1], [[0, 0, 10, 10], [2, 0, 10, 10]])
    other = boxes([1, 1], [[1.9, 0, 10, 10], [8, 0, 10, 10]])
    found = matched(joined([*pairs(one, other)]), 0.1)
    assert sorted(zip(found.a.tolist(), found.b.tolist())) == [(0, 1), (1, 0)]


def test_overlap_of_boxes_that_touch_or_are_apart_is_zero() -> None:
    a = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2]], float)
    b = np.array([[2, 0, 2, 2], [9, 9, 1, 1], [1, 1, 2, 2]], float)
    assert iou(a, b).tolist() == pytest.approx([0, 0, 1 / 7])


@pytest.mark.parametrize("seed", range(3))
def test_the_scores_of_objectlab_are_those_of_cleanlab(seed: int) -> None:
    rank = pytest.importorskip("cleanlab.object_detection.rank")
    chance = np.random.default_rng(seed)
    labels = boxes(chance.integers(0, 12, 60), spread(chance, 60), chance.integers(0, 3, 60))
    sure = chance.choice([0.3, 0.7, 0.97, 0.99], 80)
    said = boxes(chance.integers(0, 12, 80), spread(chance, 80), chance.integers(0, 3, 80), sure)
    said.xywh[:30] = labels.xywh[:30] + chance.normal(0, 2, (30, 1))
    said.media_ids[:30] = labels.media_ids[:30]
    ours = objectlab.quality(labels, said)
    given, rows, order = [], [], []
    for media_id in range(12):
        own = labels.only(labels.media_ids == media_id)
        given.append({"bboxes": corners(own), "labels": own.class_ids})
        at = [
            np.flatnonzero((said.media_ids == media_id) & (said.class_ids == k)) for k in range(3)
        ]
        per_class = np.empty(3, object)
        for k, places in enumerate(at):
            per_class[k] = np.hstack([corners(said.only(places)), sure[places, None]])
        rows.append(per_class)
        order.append(np.concatenate(at))
    for name, quality in (("badloc", ours.placed), ("swap", ours.named)):
        theirs = getattr(rank, f"compute_{name}_box_scores")(labels=given, predictions=rows)
        for media_id, scores in enumerate(theirs):
            np.testing.assert_allclose(scores, quality[labels.media_ids == media_id], atol=1e-6)
    theirs = rank.compute_overlooked_box_scores(labels=given, predictions=rows)
    for places, scores in zip(order, theirs):
        np.testing.assert_allclose(scores, ours.seen[places], atol=1e-6)


def boxes(media: Any, xywh: Any, classes: Any = None, sure: Any = None) -> Boxes:
    n = len(media)
    return Boxes(
        np.asarray(media, np.int64),
        np.zeros(n, np.int64) if classes is None else np.asarray(classes),
        np.asarray(xywh, float),
        np.ones(n) if sure is None else sure,
    )


def spread(chance: np.random.Generator, n: int) -> Any:
    return np.hstack([chance.uniform(0, 60, (n, 2)), chance.uniform(5, 40, (n, 2))])


def corners(each: Boxes) -> Any:
    return np.hstack([each.xywh[:, :2], each.xywh[:, :2] + each.xywh[:, 2:]])
