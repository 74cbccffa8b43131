"""Labels that people write, change and remove: whose they are, and what two do at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from smartdb import label_edits, ontology
from smartdb.errors import Conflict, InvalidInput, NotFound, NotYours, StaleEdit

Conn = psycopg.Connection[Any]
BOX = {"class": "cat", "kind": "box", "x": 3, "y": 4, "w": 10, "h": 8}


@pytest.fixture
def annotator(conn: Conn, as_role: Callable[[str], Conn]) -> Conn:
    """A connection as an annotator, with two classes."""
    ontology.create(conn, "pets", ["cat", "dog"])
    conn.commit()
    return as_role("smartdb_annotator")


def state(conn: Conn, label_id: int) -> tuple[Any, ...]:
    query = "select class, x, w, actor, origin from smartdb.label where label_id = %s"
    found = conn.execute(query, [label_id]).fetchone()
    assert found is not None
    return found


def test_labels_come_back_in_order_and_a_class_is_said_once(annotator: Conn) -> None:
    found = label_edits.add(annotator, 1, "ana", [BOX, {"class": "dog"}, BOX, {"class": "dog"}])
    assert found[1] == found[3]
    assert len(set(found)) == 3
    assert label_edits.add(annotator, 1, "ana", [{"class": "dog"}]) == [found[1]]
    with pytest.raises(Conflict, match="ana says dog of media 1 already, with other attributes"):
        label_edits.add(annotator, 1, "ana", [{"class": "dog", "confidence": 0.5}])


def test_what_cannot_be_is_refused_whole_and_named_by_its_place(
    annotator: Conn, owner: Conn
) -> None:
    owner.execute("insert into core.restriction (media_id, reason) values (2, 'face')")
    owner.commit()
    wrong: list[tuple[type[Exception], str, int, dict[str, Any]]] = [
        (NotFound, "label 1 of the list: no class cow", 1, {"class": "cow"}),
        (InvalidInput, "label 1 of the list: a label has no colour", 1, {**BOX, "colour": 1}),
        (InvalidInput, 'label 1 of the list: x cannot be "3"', 1, {**BOX, "x": "3"}),
        (InvalidInput, "label 1 of the list: no kind of label cube", 1, {**BOX, "kind": "cube"}),
        (InvalidInput, "label 1 .* has no area", 1, {**BOX, "w": 0}),
        (InvalidInput, "label 1 .* partly outside of 32 x 24", 1, {**BOX, "w": 30}),
        (InvalidInput, "label 1 .* confidence is not between", 1, {**BOX, "confidence": 2}),
        (NotFound, "no media 99; it was never ingested, or is hidden", 99, BOX),
        (NotFound, "no media 2; it was never ingested, or is hidden", 2, BOX),
    ]
    for kind, match, media_id, label in wrong:
        with pytest.raises(kind, match=match), annotator.transaction():
            label_edits.add(annotator, media_id, "ana", [BOX, label])
    assert label_edits.labels_of(annotator, 1) == []


def test_nothing_is_said_of_an_erased_media_not_even_by_the_owner(
    annotator: Conn, owner: Conn
) -> None:
    owner.execute("select core.begin_erasure('she asked', 'media 3', '0', '{3}')")
    owner.commit()
    with pytest.raises(NotFound, match="media 3 was erased; nothing can be said of it any more"):
        label_edits.add(annotator, 3, "ana", [BOX])
    owner.execute("insert into core.actor (name, kind) values ('file', 'import')")
    with pytest.raises(psycopg.Error, match="media 3 was erased"):
        owner.execute(
            "insert into core.label (media_id, class_id, origin, actor_id)"
            " select 3, c.class_id, 'import', a.actor_id from core.class as c, core.actor as a"
        )


def test_an_edit_keeps_the_object_and_says_who_when_and_why(annotator: Conn) -> None:
    (first,) = label_edits.add(annotator, 1, "ana", [{**BOX, "confidence": 0.7}])
    second = label_edits.edit(annotator, first, "ana", {"w": 12}, "the tail too")
    assert label_edits.edit(annotator, second, "ana", {"w": 12}) == second  # it says so
    label_edits.remove(annotator, second, "ana", "no cat at all")
    before, after = label_edits.history(annotator, first)
    assert (before.label["w"], after.label["w"]) == (10, 12)
    assert (after.label["object_id"], after.label["confidence"]) == (before.label["object_id"], 0.7)
    assert (before.closed_by, before.reason, before.changed) == ("ana", "the tail too", ["box"])
    assert (after.reason, after.changed) == ("no cat at all", ["removed"])
    assert (before.rev_to or 0) < after.rev_from
    assert before.rev_to


def test_who_edits_a_stale_state_is_shown_both(
    annotator: Conn, as_role: Callable[[str], Conn]
) -> None:
    (first,) = label_edits.add(annotator, 1, "ana", [BOX])
    annotator.commit()
    other = as_role("smartdb_reviewer")
    label_edits.edit(other, first, "bo", {"w": 12}, "the tail")
    other.commit()
    with pytest.raises(StaleEdit, match="was changed meanwhile by bo: the tail") as caught:
        label_edits.edit(annotator, first, "ana", {"w": 9})
    versions = caught.value.versions
    assert [versions[each]["w"] for each in ("base", "theirs", "yours")] == [10, 12, 9]
    assert versions["theirs"]["actor"] == "bo"
    annotator.rollback()
    label_edits.remove(other, versions["theirs"]["label_id"], "bo")
    other.commit()
    with pytest.raises(StaleEdit, match="was removed meanwhile by bo") as caught:
        label_edits.edit(annotator, first, "ana", {"w": 9})
    assert caught.value.versions["theirs"] is None


def test_an_annotator_changes_their_own_and_what_no_person_said(
    annotator: Conn, conn: Conn, as_role: Callable[[str], Conn]
) -> None:
    (hers,) = label_edits.add(annotator, 1, "ana", [BOX])
    annotator.commit()
    conn.execute("insert into core.actor (name, kind) values ('detector', 'model')")
    (modelled,) = conn.execute(
        "insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id,"
        " confidence)"
        " select 1, c.class_id, 'box', 30, 1, 9, 9, 'model', a.actor_id, 0.4"
        " from core.class as c, core.actor as a where c.name = 'dog' and a.name = 'detector'"
        " returning label_id"
    ).fetchone() or (0,)
    conn.commit()
    for act in (
        lambda: label_edits.edit(annotator, hers, "bo", {"class": "dog"}),
        lambda: label_edits.remove(annotator, hers, "bo"),
    ):
        with pytest.raises(NotYours, match=r"is what ana says; .* ask a reviewer"):
            act()
        annotator.rollback()
    # the model's box lies partly outside, which its class does not change
    mine = label_edits.edit(annotator, modelled, "bo", {"class": "cat"})
    assert state(annotator, mine) == ("cat", 30, 9, "bo", "human")
    assert "confidence" not in label_edits.history(annotator, mine)[-1].label
    annotator.commit()
    reviewer = as_role("smartdb_reviewer")
    changed = label_edits.edit(reviewer, hers, "cy", {"class": "dog"}, "it barks")
    assert state(reviewer, changed)[3:] == ("cy", "human")
    query = "select actor, actor_before from smartdb.label_edit where label_id = %s"
    assert reviewer.execute(query, [hers]).fetchone() == ("cy", "ana")


def test_edits_of_hidden_media_are_hidden_and_readers_edit_nothing(
    annotator: Conn, owner: Conn, as_role: Callable[[str], Conn]
) -> None:
    (first,) = label_edits.add(annotator, 1, "ana", [BOX])
    label_edits.edit(annotator, first, "ana", {"w": 9}, "of ana")
    annotator.commit()
    reader = as_role("smartdb_reader")
    assert reader.execute("select count(*) from smartdb.label_edit").fetchone() == (1,)
    with pytest.raises(psycopg.Error, match="permission denied"):
        reader.execute("select smartdb.remove_label(%s, 'ana')", [first])
    reader.rollback()
    owner.execute("insert into core.restriction (media_id, reason) values (1, 'face')")
    owner.commit()
    assert reader.execute("select count(*) from smartdb.label_edit").fetchone() == (0,)
    with pytest.raises(NotFound, match="no label"):
        label_edits.edit(annotator, first, "ana", {"w": 8})
