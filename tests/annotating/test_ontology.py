"""Ontologies: versions that never change, clear refusals."""

from __future__ import annotations

import psycopg
import pytest

from smartdb import ontology
from smartdb.errors import Conflict, InvalidInput, NotFound

Conn = psycopg.Connection


def versions(conn: Conn) -> list[tuple[int, str]]:
    return conn.execute("select version, message from core.ontology_version order by 1").fetchall()


def test_classes_come_with_their_place_in_the_tree(conn: Conn) -> None:
    ontology.create(conn, "pets", ["cat", "dog", "pet"], parents={"cat": "pet", "dog": "pet"})
    found = [(c.name, c.parent, c.path) for c in ontology.classes(conn, "pets")]
    assert found == [
        ("pet", None, "pet"),
        ("cat", "pet", "pet > cat"),
        ("dog", "pet", "pet > dog"),
    ]


def test_a_version_is_made_only_for_something_new(conn: Conn) -> None:
    ontology.create(conn, "pets", ["cat"])
    assert ontology.add_classes(conn, "pets", ["cat"], "nothing") == 1
    assert ontology.add_classes(conn, "pets", ["cat", "dog"], "dogs too") == 2
    assert versions(conn) == [(1, "first classes"), (2, "dogs too")]
    since = conn.execute("select name, version_from from core.class order by 1").fetchall()
    assert since == [("cat", 1), ("dog", 2)]


def test_a_new_class_can_lie_under_an_old_or_a_new_one(conn: Conn) -> None:
    ontology.create(conn, "pets", ["pet"])
    ontology.add_classes(
        conn, "pets", ["tabby", "cat"], "x", parents={"tabby": "cat", "cat": "pet"}
    )
    assert [c.path for c in ontology.classes(conn, "pets")][-1] == "pet > cat > tabby"


def test_ensure_makes_the_ontology_once(conn: Conn) -> None:
    assert ontology.ensure(conn, "pets", ["cat"], "x") == 1
    assert ontology.ensure(conn, "pets", ["cat"], "x") == 1
    assert ontology.ensure(conn, "pets", ["dog"], "x") == 2
    assert ontology.names(conn) == ["pets"]


@pytest.mark.parametrize(
    ("names", "parents", "message"),
    [
        ([], {}, "at least one class"),
        (["cat", " "], {}, "needs a name"),
        (["cat", "dog", "cat"], {}, "named twice: 'cat'"),
        (["cat"], {"cat": "pet"}, "no such parent class: 'pet'"),
        (["cat"], {"dog": "cat"}, "parents of what is no class: 'dog'"),
        (["a", "b"], {"a": "b", "b": "a"}, "circle: a, b"),
        (["a"], {"a": "a"}, "circle: a"),
    ],
)
def test_bad_classes_are_refused_by_name(
    conn: Conn, names: list[str], parents: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        ontology.create(conn, "pets", names, parents=parents)
    assert ontology.names(conn) == []


def test_a_class_does_not_move_silently(conn: Conn) -> None:
    ontology.create(conn, "pets", ["pet", "cat"], parents={"cat": "pet"})
    with pytest.raises(InvalidInput, match="lies under 'pet', not 'beast'"):
        ontology.add_classes(conn, "pets", ["beast", "cat"], "x", parents={"cat": "beast"})


def test_an_ontology_is_made_once_and_must_be_known(conn: Conn) -> None:
    ontology.create(conn, "pets", ["cat"])
    with pytest.raises(Conflict, match="an ontology 'pets' already"):
        ontology.create(conn, "pets", ["cat"])
    with pytest.raises(NotFound, match="no ontology 'cars'; there is: 'pets'"):
        ontology.classes(conn, "cars")


def test_unknown_classes_are_all_named(conn: Conn) -> None:
    ontology.create(conn, "pets", ["cat"])
    assert ontology.ids(conn, "pets", ["cat", "cat"]) == {"cat": 1}
    with pytest.raises(NotFound, match="no such class in ontology 'pets': 'bird', 'dog'"):
        ontology.ids(conn, "pets", ["dog", "cat", "bird"])
