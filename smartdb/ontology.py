"""Ontologies: which classes labels may choose from, in versions that never change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import Conflict, InvalidInput, NotFound, translated
from smartdb.statements import statement


@dataclass(frozen=True)
class Class:
    """A class in use: its name, that of the class above it, and all names from the root."""

    class_id: int
    name: str
    parent: str | None
    path: str


def create(
    conn: psycopg.Connection[Any],
    name: str,
    names: Iterable[str],
    *,
    parents: Mapping[str, str] | None = None,
    note: str | None = None,
) -> int:
    """Makes an ontology whose version 1 has these classes, and returns its id.

    ``parents`` gives the class above, of those that have one. Conflict if there is one of that
    name; InvalidInput for no classes, empty or repeated names, unknown parents or a circle.
    """
    if not name.strip():
        raise InvalidInput("an ontology needs a name")
    if _find(conn, name) is not None:
        raise Conflict(
            f"there is an ontology {name!r} already; add classes to it, or choose another name"
        )
    layers = ordered(_named(names), parents or {}, known={})
    if not layers:
        raise InvalidInput(f"ontology {name!r} needs at least one class")
    with translated():
        found = _row(conn, "create", {"ontology": name, "note": note})
    assert found is not None
    _add(conn, found[0], 1, layers, "first classes")
    return int(found[0])


def add_classes(
    conn: psycopg.Connection[Any],
    ontology: str,
    names: Iterable[str],
    message: str,
    *,
    parents: Mapping[str, str] | None = None,
) -> int:
    """Adds the classes that are new and returns the version that has them all.

    It is the next version, or the present one if nothing is new. NotFound for an unknown ontology,
    InvalidInput as `create`, and for a class that lies elsewhere in the tree already.
    """
    lock(conn, ontology)
    ontology_id, version = _known(conn, ontology)
    known = {each.name: each.parent for each in classes(conn, ontology)}
    wanted, parents = _named(names), parents or {}
    for name in wanted:
        if name in known and name in parents and known[name] != parents[name]:
            raise InvalidInput(
                f"class {name!r} of ontology {ontology!r} lies under {known[name]!r}, "
                f"not {parents[name]!r}; give the new class a name of its own"
            )
    layers = ordered([name for name in wanted if name not in known], parents, known)
    if not layers:
        return version
    _add(conn, ontology_id, version + 1, layers, message)
    return version + 1


def ensure(conn: psycopg.Connection[Any], ontology: str, names: Sequence[str], message: str) -> int:
    """`add_classes` to the ontology, which is made if there is none; returns the version."""
    lock(conn, ontology)
    if _find(conn, ontology) is not None:
        return add_classes(conn, ontology, names, message)
    create(conn, ontology, names)
    return 1


def lock(conn: psycopg.Connection[Any], ontology: str) -> None:
    """Until the transaction ends nobody else changes the ontology of this name."""
    conn.execute(statement("ontology", "lock"), {"ontology": ontology})


def classes(conn: psycopg.Connection[Any], ontology: str) -> list[Class]:
    """The classes in use, in order of their path; NotFound for an unknown ontology."""
    _known(conn, ontology)
    with conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement("ontology", "classes"), {"ontology": ontology})
        return [Class(*row) for row in cursor]


def names(conn: psycopg.Connection[Any]) -> list[str]:
    """The names of all ontologies, in order."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        return [row[0] for row in cursor.execute(statement("ontology", "names"))]


def id_of(conn: psycopg.Connection[Any], ontology: str) -> int:
    """The identity of an ontology; NotFound if there is none of this name."""
    found = _find(conn, ontology)
    if found is None:
        raise NotFound(f"no ontology {ontology!r}; see: smartdb classes")
    return found[0]


def ids(conn: psycopg.Connection[Any], ontology: str, wanted: Iterable[str]) -> dict[str, int]:
    """The class_id of each name; NotFound lists all the names that are no classes."""
    known = {each.name: each.class_id for each in classes(conn, ontology)}
    chosen = set(wanted)
    unknown = sorted(chosen - known.keys())
    if unknown:
        raise NotFound(
            f"no such class in ontology {ontology!r}: {', '.join(map(repr, unknown))}; "
            "see: smartdb classes, or add them (labels import --create-classes)"
        )
    return {name: known[name] for name in chosen}


def _known(conn: psycopg.Connection[Any], ontology: str) -> tuple[int, int]:
    found = _find(conn, ontology)
    if found is None:
        others = ", ".join(map(repr, names(conn))) or "none yet"
        raise NotFound(f"no ontology {ontology!r}; there is: {others}")
    return found


def _find(conn: psycopg.Connection[Any], ontology: str) -> tuple[int, int] | None:
    row = _row(conn, "find", {"ontology": ontology})
    return None if row is None else (int(row[0]), int(row[1]))


def _named(names: Iterable[str]) -> list[str]:
    """The names as a list, each once and none of them empty."""
    listed = [names] if isinstance(names, str) else list(names)
    if any(not name.strip() or "\0" in name for name in listed):
        raise InvalidInput("a class needs a name, without NUL characters")
    repeated = sorted(name for name, n in Counter(listed).items() if n > 1)
    if repeated:
        raise InvalidInput(f"classes named twice: {', '.join(map(repr, repeated))}")
    return listed


def ordered(
    names: list[str], parents: Mapping[str, str], known: Mapping[str, str | None]
) -> list[list[tuple[str, str | None]]]:
    """Names with their parents in layers, so that every parent comes before its children."""
    unknown = sorted({p for p in parents.values() if p not in names and p not in known})
    if unknown:
        raise InvalidInput(f"no such parent class: {', '.join(map(repr, unknown))}; name it too")
    strangers = sorted(parents.keys() - set(names) - known.keys())
    if strangers:
        raise InvalidInput(f"parents of what is no class: {', '.join(map(repr, strangers))}")
    layers, placed, left = [], set(known), list(names)
    while left:
        layer = [name for name in left if name not in parents or parents[name] in placed]
        if not layer:
            raise InvalidInput(f"classes above each other in a circle: {', '.join(left)}")
        layers.append([(name, parents.get(name)) for name in layer])
        placed.update(layer)
        left = [name for name in left if name not in placed]
    return layers


def _add(
    conn: psycopg.Connection[Any],
    ontology_id: int,
    version: int,
    layers: list[list[tuple[str, str | None]]],
    message: str,
) -> None:
    values = {"ontology_id": ontology_id, "version": version, "message": message}
    with translated():
        conn.execute(statement("ontology", "add_version"), values)
        for layer in layers:
            pairs = {"names": [n for n, _ in layer], "parents": [p for _, p in layer]}
            conn.execute(statement("ontology", "add_classes"), values | pairs)


def _row(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> tuple[Any, ...] | None:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("ontology", name), values).fetchone()
