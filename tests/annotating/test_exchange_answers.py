"""What an answer of a label editor asks for, beside what was known: no database, no file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smartdb.exchange_answers import (
    Answer,
    Known,
    Region,
    choose,
    compare,
    same,
    settled,
    unique,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BOX = {"class": "cat", "kind": "box", "x": 1, "y": 2, "w": 3, "h": 4, "attributes": {}}


def known(label: Any, now: Any = ..., **more: Any) -> Known:
    state: dict[str, Any] = {
        "answer": "", "region": "o1", "object_id": 1, "label_id": 11, "base": label, "said": None,
        "has_said": False, "now_id": 11, "now": label, "origin": "human",
    }  # fmt: skip
    if now is not ...:
        state |= {"now": now, "now_id": None if now is None else 12}
    return Known(**{**state, **more})


def answer(*labels: Any, **more: Any) -> Answer:
    regions = [Region(f"o{n}", label) for n, label in enumerate(labels, 1)]
    return Answer(1, 1, "annotation 1", "bo", "here", regions, **more)


def box(**changes: Any) -> dict[str, Any]:
    return {**BOX, **changes}


@pytest.mark.parametrize(
    ("theirs", "now", "verb"),
    [
        (box(), ..., "keep"),
        (box(x=1.01), ..., "keep"),  # CVAT rounds
        (box(x=1.1), ..., "edit"),
        (box(attributes=None), ..., "keep"),
        (box(attributes={"a": 1}), ..., "edit"),
        (None, ..., "remove"),
        (box(), box(x=5), "keep"),
        (box(), None, "keep"),
        (box(x=9), box(x=5), "conflict"),
        (box(x=5), box(x=5), "edit"),
        (None, box(x=5), "conflict"),
        (None, None, "keep"),
        (box(x=9), None, "conflict"),
    ],
)
def test_what_changed_on_one_side_is_taken_and_on_both_is_a_conflict(
    theirs: Any, now: Any, verb: str
) -> None:
    said = answer() if theirs is None else answer(theirs)
    (step,) = compare(said, [known(BOX, now)]).steps
    assert step.verb == verb


def test_what_a_model_said_and_is_left_is_confirmed() -> None:
    (step,) = compare(answer(box()), [known(BOX, origin="model")]).steps
    assert step.verb == "confirm"


def test_what_the_editor_says_still_after_a_decision_is_no_conflict_again() -> None:
    decided = known(BOX, box(x=5), said=box(x=9), has_said=True)
    assert compare(answer(box(x=9)), [decided]).steps[0].verb == "keep"
    assert compare(answer(box(x=7)), [decided]).steps[0].verb == "conflict"


def test_things_are_found_by_name_by_identity_by_place_and_classes_by_what_is_left() -> None:
    two = [known(BOX), known(box(x=50), region="o2", object_id=2)]
    swapped = [Region("new", box(x=50)), Region("other", box(x=7), object_id=1)]
    found = compare(Answer(1, 1, "a", "bo", "", swapped), two)
    assert [(s.verb, s.theirs and s.theirs.key) for s in found.steps] == [
        ("edit", "other"), ("keep", "new")
    ]  # fmt: skip
    cat = {"class": "cat", "kind": "classification", "attributes": {}}
    classes = [known(cat, region="c1"), known({**cat, "class": "dog"}, region="c2", object_id=2)]
    said = [Region("x", {**cat, "class": "dog"}), Region("y", {**cat, "class": "fox"})]
    found = compare(Answer(1, 1, "a", "bo", "", said), classes)
    assert [(s.verb, s.theirs and s.theirs.label["class"]) for s in found.steps] == [
        ("edit", "fox"), ("keep", "dog")
    ]  # fmt: skip


def test_a_copy_of_a_thing_is_a_new_thing() -> None:
    copies = unique([Region("o1", BOX, 1), Region("o1", box(x=50), 1)])
    found = compare(Answer(1, 1, "a", "bo", "", copies), [known(BOX)])
    assert [step.verb for step in found.steps] == ["keep"]
    assert [each.label["x"] for each in found.new] == [50]


@pytest.mark.parametrize(("is_based", "n"), [(True, 1), (None, 0), (False, 0)])
def test_what_is_missing_was_removed_only_if_the_answer_began_from_it(
    is_based: bool | None, n: int
) -> None:
    assert len(compare(answer(is_based=is_based), [known(BOX)]).steps) == n


def test_marks_and_empty_values_of_an_editor_are_no_attributes() -> None:
    given = {"source": "manual", "colour": "", "n": "3", "list": "[1, 2]", "x": "5"}
    before = {"attributes": {"n": 3, "list": [1, 2], "ellipse": True}}
    found = settled({**BOX, "attributes": given}, before)
    assert found["attributes"] == {"n": 3, "list": [1, 2], "x": "5", "ellipse": True}
    assert settled(box(attributes=None), before)["attributes"] is None


def test_shapes_are_the_same_but_for_rounding() -> None:
    ring = {"class": "cat", "kind": "polygon", "shape": {"polygons": [[[[0, 0], [9, 0], [9, 9]]]]}}
    near = {**ring, "shape": {"polygons": [[[[0, 0.01], [9, 0], [9, 9]]]]}}
    other = {**ring, "shape": {"polygons": [[[[0, 0], [9, 0]]]]}}
    assert same(ring, near)
    assert not same(ring, other)
    assert same(None, None)
    assert not same(None, ring)


@pytest.mark.parametrize(
    ("rule", "ahead", "is_reviewed", "is_final", "winner"),
    [
        ("ask", 60, False, False, None),
        ("ours", 60, False, False, "ours"),
        ("theirs", 60, False, False, "theirs"),
        ("newest", 60, False, False, "theirs"),
        ("newest", -60, False, False, "ours"),
        ("newest", 3, False, False, None),
        ("newest", 10_000, False, False, None),  # the editor's clock is ahead of ours
        ("newest", None, False, False, None),
        ("reviewed", 60, True, False, "ours"),
        ("reviewed", 60, False, True, "theirs"),
        ("reviewed", 60, True, True, None),
        ("reviewed", 60, False, False, None),
    ],
)
def test_a_rule_takes_a_side_or_leaves_it_to_a_person(
    rule: Any, ahead: float | None, is_reviewed: bool, is_final: bool, winner: str | None
) -> None:
    ours = NOW - timedelta(hours=1)
    when = None if ahead is None else ours + timedelta(seconds=ahead)
    said = answer(box(x=9), said_at=when, is_final=is_final)
    here = known(BOX, box(x=5), is_reviewed=is_reviewed, changed_at=ours)
    assert choose(rule, said, here, NOW) == winner
