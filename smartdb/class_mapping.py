"""Class mappings: how the class names of files are read, explicit and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import ontology as ontologies
from smartdb.errors import NotFound
from smartdb.formats.base import ClassInfo
from smartdb.statements import statement


@dataclass(frozen=True)
class Mapped:
    """Names in a file with the class that each means (None: left out on purpose), and the rest."""

    class_ids: Mapping[str, int | None]
    unknown: tuple[str, ...]


def find(
    conn: psycopg.Connection[Any],
    mapping: str,
    ontology: str,
    given: Sequence[str],
    chosen: Mapping[str, str | None],
) -> Mapped:
    """How names in a file are read: as ``chosen``, else as saved, else as the class so called.

    ``chosen`` maps names to classes, or to None for what is to be left out. NotFound if it names a
    class that is none.
    """
    known = _classes(conn, ontology)
    found: dict[str, int | None] = {name: known[name] for name in given if name in known}
    found |= _saved(conn, mapping, ontology, given)
    missing = sorted({name for name in chosen.values() if name is not None} - known.keys())
    if missing:
        raise NotFound(
            f"--map names no class of ontology {ontology!r}: {', '.join(map(repr, missing))}; "
            "see: smartdb classes"
        )
    found |= {name: None if to is None else known[to] for name, to in chosen.items()}
    return Mapped(found, tuple(name for name in given if name not in found))


def create(
    conn: psycopg.Connection[Any], ontology: str, names: Sequence[str], infos: Sequence[ClassInfo]
) -> None:
    """Makes classes of these names, under the super-classes that the file declares.

    A super-class is made too. A class that is in use stays where it is in the tree.
    """
    known = _classes(conn, ontology)
    parents = {i.name: i.parent for i in infos if i.parent and i.name in names}
    above = sorted(set(parents.values()) - set(names) - known.keys())
    new = [name for name in [*above, *names] if name not in known]
    tree = {name: parent for name, parent in parents.items() if name in new}
    if known:
        ontologies.add_classes(conn, ontology, new, "classes of an imported file", parents=tree)
    else:
        ontologies.create(conn, ontology, new, parents=tree)


def save(
    conn: psycopg.Connection[Any],
    mapping: str,
    ontology: str,
    class_ids: Mapping[str, int | None],
) -> None:
    """Saves how names are read, so that the next import of this mapping reads them alike."""
    values: dict[str, Any] = {"mapping": mapping, "ontology": ontology}
    values |= {"given": list(class_ids), "class_ids": list(class_ids.values())}
    conn.execute(statement("class_mapping", "save"), values)


def _classes(conn: psycopg.Connection[Any], ontology: str) -> dict[str, int]:
    """Classes in use by name; none if there is no such ontology."""
    if ontology not in ontologies.names(conn):
        return {}
    return {each.name: each.class_id for each in ontologies.classes(conn, ontology)}


def _saved(
    conn: psycopg.Connection[Any], mapping: str, ontology: str, given: Sequence[str]
) -> dict[str, int | None]:
    values = {"mapping": mapping, "ontology": ontology, "given": list(given)}
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("class_mapping", "saved"), values)
        return dict(rows)
