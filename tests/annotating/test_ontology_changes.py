"""Ontologies change in versions, and labels are moved to them by rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from smartdb import label_migration, ontology, ontology_changes
from smartdb.errors import Conflict, InvalidInput, NotFound
from smartdb.labels import actor_id_of
from smartdb.ontology_form import Definition, parse, plain

Conn = psycopg.Connection[Any]

BREED = {"attribute": "breed", "type": "choice", "choices": ["pug", "poodel"], "required": True}
PETS = [
    {"class": "pet", "kinds": ["classification", "box"]},
    {"class": "dog", "parent": "pet", "attributes": [BREED]},
    {"class": "cat", "parent": "pet"},
    {"class": "kitten", "parent": "cat"},
    {"class": "vehicle"},
]


def pets(*mapping: dict[str, Any], **changes: Any) -> Definition:
    """The pets with some classes otherwise (None: gone, a new name: added), and a mapping."""
    forms = {form["class"]: form for form in PETS} | changes
    return parse({"classes": [form for form in forms.values() if form], "mapping": list(mapping)})


@pytest.fixture
def known(conn: Conn) -> Conn:
    """A connection to a database with the pets as version 1."""
    ontology_changes.create(conn, "pets", pets())
    return conn


def label(conn: Conn, media_id: int, name: str, attributes: Any = None, kind: str = "box") -> int:
    """Writes a label by ana and returns its label_id."""
    from psycopg.types.json import Jsonb

    place = (1, 1, 8, 8) if kind == "box" else (None,) * 4
    said = None if attributes is None else Jsonb(attributes)
    ana = actor_id_of(conn, "ana", "person")
    row = conn.execute(
        "insert into core.label"
        " (media_id, class_id, kind, x, y, w, h, attributes, origin, actor_id)"
        " select %s, smartdb.require_class(%s, 'pets'), %s, %s, %s, %s, %s, %s, 'human', %s"
        " returning label_id",
        (media_id, name, kind, *place, said, ana),
    ).fetchone()
    assert row is not None
    return int(row[0])


def refusals(conn: Conn, media_id: int, *given: tuple[str, Any, str]) -> list[str]:
    """What the database says to labels of (class, attributes, kind), of retired classes too."""
    from psycopg.types.json import Jsonb

    said = []
    for name, attributes, kind in given:
        with pytest.raises(psycopg.Error) as refused, conn.transaction():
            conn.execute(
                "insert into core.label"
                " (media_id, class_id, kind, x, y, w, h, shape, attributes, origin, actor_id)"
                " select %(media)s, c.class_id, %(kind)s, p, p, p, p, s, %(said)s, 'human',"
                " a.actor_id"
                " from core.class c, core.actor a,"
                " (select case when %(kind)s = 'box' then 1 end as p,"
                "  case when %(kind)s = 'caption' then jsonb '{\"text\": \"x\"}' end as s) as x"
                " where c.name = %(class)s and a.name = 'ana'",
                {"media": media_id, "kind": kind, "class": name,
                 "said": None if attributes is None else Jsonb(attributes)},
            )  # fmt: skip
        assert refused.value.sqlstate == "SD002"
        said.append(str(refused.value))
    return said


def rename(conn: Conn, names: dict[str, str]) -> None:
    """Makes a version in which classes are called otherwise."""
    wanted = ontology_changes.renamed(ontology_changes.definition(conn, "pets"), names)
    ontology_changes.change(conn, "pets", wanted, "other names")


def live(conn: Conn) -> list[tuple[Any, ...]]:
    """Media, class and attributes of the live labels."""
    return conn.execute(
        "select media_id, class, attributes from smartdb.label order by media_id, class"
    ).fetchall()


def test_a_definition_comes_back_as_it_was_written(known: Conn) -> None:
    assert plain(ontology_changes.definition(known, "pets"))["classes"] == plain(pets())["classes"]
    with pytest.raises(Conflict, match="an ontology 'pets'"):
        ontology_changes.create(known, "pets", pets())
    with pytest.raises(NotFound, match="versions 1 to 1, not 2"):
        ontology_changes.definition(known, "pets", 2)


def test_the_same_again_makes_no_version(known: Conn) -> None:
    assert ontology_changes.change(known, "pets", pets(), "nothing") == 1


def test_an_additive_change_leaves_labels_as_they_are(known: Conn) -> None:
    written = label(known, 1, "dog", {"breed": "pug"})
    wider = PETS[1] | {"attributes": [BREED, {"attribute": "age", "type": "number", "min": 0}]}
    pet = {"class": "pet", "kinds": ["classification", "box", "polygon"]}
    assert ontology_changes.change(known, "pets", pets(dog=wider, pet=pet), "age") == 2
    assert all(each.is_additive for each in ontology_changes.diff(known, "pets", 1, 2))
    done = label_migration.migrate(known, "pets")
    assert (done.moved, done.problems) == ((), ())
    label(known, 2, "dog", {"breed": "pug", "age": 3})
    assert known.execute("select label_id from core.label where rev_to is null").fetchone() == (
        written,
    )


def test_a_rename_keeps_object_actor_and_origin_and_names_its_run(known: Conn) -> None:
    first = label(known, 1, "dog", {"breed": "pug"})
    (before,) = known.execute("select core.checkpoint()").fetchone() or (0,)
    rename(known, {"dog": "hound", "pet": "animal"})
    (refused,) = refusals(known, 2, ("dog", {"breed": "pug"}, "box"))
    assert (
        "class 'dog' was retired in version 2 of ontology 'pets'; it is now called 'hound'"
        in refused
    )
    assert [(u.label_id, u.class_) for u in label_migration.unfit(known, "pets")] == [
        (first, "dog")
    ]
    done = label_migration.migrate(known, "pets")
    assert done.moved == (label_migration.Moved("dog", "hound", 1, 0),)
    history = known.execute(
        "select object_id, class, actor, origin, attributes, run_id, rev_to is null"
        " from smartdb.label_history order by rev_from"
    ).fetchall()
    said = ("ana", "human", {"breed": "pug"})
    assert history == [
        (history[0][0], "dog", *said, None, False),
        (history[0][0], "hound", *said, done.run_id, True),
    ]
    assert known.execute("select class from smartdb.label_at(%s)", (before,)).fetchall() == [
        ("dog",)
    ]
    paths = [c.path for c in ontology.classes(known, "pets")]
    assert paths[:2] == ["animal", "animal > cat"]
    kinds = {d.change for d in ontology_changes.diff(known, "pets", 1, 2)}
    assert kinds == {"class renamed"}
    assert label_migration.migrate(known, "pets").moved == ()


def test_split_merge_and_attributes_are_mapped_and_the_rest_is_listed(
    known: Conn, as_role: Callable[[str], Conn]
) -> None:
    car = label(known, 1, "vehicle", {"type": "car", "junk": 1})
    label(known, 2, "vehicle", {"type": "van"})
    boat = label(known, 3, "vehicle", {"type": "boat"})
    label(known, 4, "dog", {"breed": "poodel"})
    label(known, 5, "kitten", kind="classification")
    label(known, 5, "cat", kind="classification")
    label(known, 6, "kitten", {"age": "young"}, kind="classification")
    label(known, 6, "cat", {"age": "old"}, kind="classification")
    label(known, 7, "pet")
    known.execute(
        "insert into core.task (kind, media_id, label_id) values ('review', 1, %s)", (car,)
    )
    wanted = pets(
        {"from": "vehicle", "where": {"type": ["car", "van"]}, "to": "car",
         "attributes": {"junk": None}},
        {"from": "vehicle", "where": {"type": "truck"}, "to": "truck"},
        {"from": "kitten", "to": "cat"},
        {"from": "dog", "values": {"breed": {"poodel": "poodle"}}, "attributes": {"breed": "race"},
         "set": {"is_pet": True}},
        {"from": "pet", "kind": "polygon", "to": "cat"},
        vehicle=None, kitten=None, car={"class": "car"}, truck={"class": "truck"},
        dog={"class": "dog", "parent": "pet", "attributes": [
            {"attribute": "race", "choices": ["pug", "poodle"], "required": True},
            {"attribute": "is_pet", "type": "boolean"},
        ]},
    )  # fmt: skip
    assert ontology_changes.change(known, "pets", wanted, "vehicles split") == 2
    looked = label_migration.preview(known, "pets")
    done = label_migration.migrate(known, "pets", open_tasks=True)
    assert (looked.moved, looked.problems) == (done.moved, done.problems)
    assert [(m.was, m.became, m.n, m.n_double) for m in done.moved] == [
        ("dog", "dog", 1, 0), ("kitten", "cat", 0, 1), ("vehicle", "car", 2, 0),
    ]  # fmt: skip
    assert live(known) == [
        (1, "car", {"type": "car"}),
        (2, "car", {"type": "van"}),
        (3, "vehicle", {"type": "boat"}),
        (4, "dog", {"race": "poodle", "is_pet": True}),
        (5, "cat", None),
        (6, "cat", {"age": "old"}),
        (6, "kitten", {"age": "young"}),
        (7, "pet", None),
    ]
    listed = (
        as_role("smartdb_reader")
        .execute("select label_id, problem from smartdb.label_unfit order by 1")
        .fetchall()
    )
    assert listed[0][0] == boat
    assert len(listed) == 2
    assert "class 'vehicle' was retired" in listed[0][1]
    asked = known.execute(
        "select t.media_id, h.class from core.task t join smartdb.label_history h using (label_id)"
        " where h.rev_to is null order by 1"
    ).fetchall()
    assert asked == [(1, "car"), (3, "vehicle"), (6, "kitten")]
    assert done.n_tasks == 2
    changes = {(d.change, d.class_a, d.class_b) for d in ontology_changes.diff(known, "pets", 1, 2)}
    assert changes >= {
        ("class split", "vehicle", "car"), ("class split", "vehicle", "truck"),
        ("class merged", "kitten", "cat"), ("attribute renamed", "dog", "dog"),
    }  # fmt: skip


def test_labels_of_old_versions_come_to_the_newest_in_one_step(known: Conn) -> None:
    label(known, 1, "dog", {"breed": "pug"})
    rename(known, {"dog": "hound"})
    label(known, 2, "hound", {"breed": "pug"})
    renamed = ontology_changes.definition(known, "pets")
    rules = [{"from": "hound", "to": "beast", "values": {"breed": {"pug": "poodel"}}}]
    document = plain(renamed) | {"mapping": rules}
    for form in document["classes"]:
        if form["class"] == "hound":
            form["class"] = "beast"
    ontology_changes.change(known, "pets", parse(document), "beasts")
    label(known, 3, "beast", {"breed": "pug"})
    done = label_migration.migrate(known, "pets")
    assert [(m.was, m.became) for m in done.moved] == [("dog", "beast"), ("hound", "beast")]
    assert live(known) == [
        (1, "beast", {"breed": "poodel"}), (2, "beast", {"breed": "poodel"}),
        (3, "beast", {"breed": "pug"}),
    ]  # fmt: skip
    assert known.execute("select count(*) from core.label").fetchone() == (5,)
    changes = ontology_changes.diff(known, "pets", 1, 3)
    assert [(d.change, d.class_a, d.class_b) for d in changes] == [
        ("class renamed", "dog", "beast")
    ]


def test_the_database_refuses_what_a_class_does_not_allow(known: Conn) -> None:
    dog = {"class": "dog", "attributes": [
        BREED, {"attribute": "age", "type": "number", "min": 0, "max": 30},
        {"attribute": "marks", "type": "multi", "choices": ["a", "b"]},
        {"attribute": "curls", "type": "text", "required": True, "when": {"breed": "poodel"}},
        {"attribute": "is_old", "type": "boolean"},
    ]}  # fmt: skip
    ontology_changes.change(known, "pets", pets(dog=dog), "more of dogs")
    pug = {"breed": "pug"}
    for fits in (pug, pug | {"age": 30, "marks": ["b"], "is_old": False},
                 {"breed": "poodel", "curls": "many"}):  # fmt: skip
        label(known, 1, "dog", fits)
    label(known, 1, "cat", {"anything": [1, {}]})
    refused = refusals(
        known, 2,
        ("dog", None, "box"), ("dog", {"breed": "pugg"}, "box"), ("dog", pug | {"age": 31}, "box"),
        ("dog", pug | {"age": "3"}, "box"), ("dog", pug | {"marks": ["a", "c"]}, "box"),
        ("dog", pug | {"marks": "a"}, "box"), ("dog", pug | {"curls": "few"}, "box"),
        ("dog", {"breed": "poodel"}, "box"), ("dog", pug | {"tail": 1}, "box"),
        ("dog", pug | {"is_old": 1}, "box"), ("pet", None, "caption"),
    )  # fmt: skip
    of = "label of media 2: attribute '{}' of class 'dog' of ontology 'pets' {}; allowed: {}"
    assert [text.split("\n")[0] for text in refused] == [
        of.format("breed", "is missing", "one of pug, poodel"),
        of.format("breed", 'is "pugg"', "one of pug, poodel"),
        of.format("age", "is 31", "a number from 0 to 30"),
        of.format("age", 'is "3"', "a number from 0 to 30"),
        of.format("marks", 'is ["a", "c"]', "a list of a, b"),
        of.format("marks", 'is "a"', "a list of a, b"),
        of.format("curls", 'is given though {"breed": ["poodel"]} does not hold', "leave it out"),
        of.format("curls", "is missing", "a text"),
        of.format("tail", "is not an attribute of the class",
                  "'breed', 'age', 'marks', 'curls', 'is_old'"),
        of.format("is_old", "is 1", "a boolean"),
        "label of media 2: class 'pet' of ontology 'pets' takes no label of kind caption; "
        "allowed: classification, box",
    ]  # fmt: skip


def test_a_skeleton_says_how_many_keypoints_there_are(known: Conn) -> None:
    skeleton = {"points": ["left eye", "right eye"], "edges": [["left eye", "right eye"]]}
    cat = {"class": "cat", "skeleton": skeleton}
    ontology_changes.change(known, "pets", pets(cat=cat), "eyes")
    insert = (
        "insert into core.label (media_id, class_id, kind, x, y, w, h, shape, origin, actor_id)"
        " select 1, smartdb.require_class('cat'), 'keypoints', 1, 1, 5, 5, %s, 'human', %s"
    )
    ana = actor_id_of(known, "ana", "person")
    known.execute(insert, ('{"points": [[1, 1, 2], [6, 6, 2]]}', ana))
    with pytest.raises(psycopg.Error, match="has 2 keypoints, not 1: left eye, right eye"):
        known.execute(insert, ('{"points": [[1, 1, 2]]}', ana))


def test_a_class_with_labels_does_not_go_unexplained(known: Conn) -> None:
    label(known, 1, "vehicle")
    with pytest.raises(InvalidInput, match=r"'vehicle' \(1 labels\): no longer among the classes"):
        ontology_changes.change(known, "pets", pets(vehicle=None), "no vehicles")
    for mapping, message in (
        ({"from": "bus", "to": "dog"}, "mapping names class 'bus'"),
        ({"from": "vehicle", "to": "bus"}, "makes 'vehicle' 'bus', which is no class"),
        (
            {"from": "dog", "attributes": {"size": None}},
            "it has no attribute 'size'; it has: breed",
        ),
    ):
        with pytest.raises(InvalidInput, match=message):
            ontology_changes.change(known, "pets", pets(mapping, vehicle=None), "x")
    with pytest.raises(InvalidInput, match="say what changes"):
        ontology_changes.change(known, "pets", pets(kitten=None))
    kept = pets({"from": "vehicle", "to": None}, vehicle=None)
    assert ontology_changes.change(known, "pets", kept, "no vehicles") == 2
    assert label_migration.migrate(known, "pets").problems[0].n == 1
    assert live(known) == [(1, "vehicle", None)]


def test_versions_rules_and_classes_never_change(known: Conn, owner: Conn) -> None:
    rename(known, {"dog": "hound"})
    known.commit()
    for statement in (
        "update core.class set kinds = '{box}' where name = 'cat'",
        "update core.class set kinds = '{box}', changed_in = 1 where name = 'cat'",
        "update core.class set version_to = 1 where name = 'cat'",
        "update core.class set version_to = null where name = 'dog'",
        "update core.class_attribute set is_required = false",
        "insert into core.class_attribute (class_id, name, type, version_from)"
        " values (2, 'x', 'text', 1)",
        "update core.class_rule set target_class_id = null",
        "delete from core.class_rule",
    ):
        with pytest.raises(psycopg.Error) as refused, owner.transaction():
            owner.execute(statement)
        assert refused.value.sqlstate == "SD003", statement
