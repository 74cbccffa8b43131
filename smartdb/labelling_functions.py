"""Labelling functions: conditions on smartdb.media that vote for a class, and their joint word.

A function is a rule of thumb: right often, silent elsewhere. `smartdb.label_model` combines their
votes. None of these functions commits but `propose`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import dict_row, tuple_row

from smartdb import bulk, label_model, predicates
from smartdb.errors import InvalidInput, NothingToDo, translated
from smartdb.label_model import ABSTAIN, LabelModel
from smartdb.predicates import TIMEOUT_S
from smartdb.proposals import Proposals
from smartdb.statements import statement

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class LabellingFunction:
    """A condition that votes for a class of an ontology where it holds."""

    name: str
    ontology: str
    class_name: str
    class_id: int
    predicate: str
    note: str | None


@dataclass(frozen=True)
class Votes:
    """Who votes for what: media (n,), functions in the order of the columns of ``votes`` (n, m)
    bool, the classes in use (c,), how many media count as each (c,), and the place of each
    function's class in them (m,)."""

    media_ids: NDArray[np.int64]
    functions: tuple[LabellingFunction, ...]
    votes: NDArray[np.bool_]
    class_ids: NDArray[np.int64]
    n_media: NDArray[np.int64]
    of_class: NDArray[np.int64]


def add(
    conn: Connection,
    name: str,
    class_name: str,
    predicate: str,
    *,
    ontology: str | None = None,
    note: str | None = None,
    replace: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Adds a function, or replaces that of the name, and returns how many media it votes for.

    NotFound for the class, Conflict for a name that is taken, InvalidInput for a condition that
    does not work or takes too long.
    """
    values = {
        **{"name": name, "class": class_name, "predicate": predicate, "ontology": ontology},
        **{"note": note, "replace": replace},
    }
    return predicates.write(conn, "labelling_functions", "add", values, timeout_s)


def drop(conn: Connection, name: str) -> None:
    """Forgets a function; NotFound if there is none."""
    with translated():
        conn.execute(statement("labelling_functions", "drop"), {"name": name})


def functions(conn: Connection, ontology: str | None = None) -> list[LabellingFunction]:
    """All functions by name, or those of an ontology."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        query = statement("labelling_functions", "list")
        return [LabellingFunction(*row) for row in cursor.execute(query, {"ontology": ontology})]


def quality(
    conn: Connection, ontology: str | None = None, *, timeout_s: float = TIMEOUT_S
) -> list[dict[str, Any]]:
    """Rows of smartdb.labelling_function_quality: coverage, overlap, conflict, accuracy on gold."""
    query = statement("labelling_functions", "quality")
    with (
        predicates.bounded(conn, "of a labelling function", timeout_s),
        conn.cursor(row_factory=dict_row) as cursor,
    ):
        return cursor.execute(query, {"ontology": ontology}).fetchall()


def read_votes(conn: Connection, ontology: str, *, timeout_s: float = TIMEOUT_S) -> Votes:
    """What the functions of an ontology vote now; NothingToDo if there are none."""
    found = functions(conn, ontology)
    if not found:
        raise NothingToDo(
            f"ontology {ontology!r} has no labelling functions; run: smartdb autolabel function add"
        )
    media = bulk.read_columns(conn, statement("labelling_functions", "media"), {"id": "i8"})["id"]
    votes = np.zeros((len(media), len(found)), np.bool_, order="F")
    for column, each in enumerate(found):
        members = predicates.members(conn, each.predicate, timeout_s=timeout_s)
        votes[np.searchsorted(media, members), column] = True
    class_ids, n_media = _counts(conn, ontology)
    of_class = np.searchsorted(class_ids, [each.class_id for each in found])
    retired = [each.name for each, c in zip(found, of_class, strict=True)
               if c == len(class_ids) or class_ids[c] != each.class_id]  # fmt: skip
    if retired:
        raise InvalidInput(
            f"the classes of {', '.join(retired)} are in use no longer; replace or drop them"
        )
    return Votes(media, tuple(found), votes, class_ids, n_media, of_class)


def propose(conn: Connection, ontology: str, *, timeout_s: float = TIMEOUT_S) -> Proposals:
    """What all functions of an ontology say together of each media that one votes for.

    How common the classes are is taken from the media that have one. The functions' learnt
    precision goes into the run's parameters. It commits. NothingToDo without functions or votes.
    """
    read = read_votes(conn, ontology, timeout_s=timeout_s)
    conn.commit()
    model = label_model.fit(read.votes, read.of_class, read.n_media + 1.0)
    said = model.combine(read.votes)
    some = np.flatnonzero(said.top != ABSTAIN)
    return Proposals(
        actor=f"labelling functions {ontology}",
        ontology=ontology,
        media_ids=read.media_ids[some],
        class_ids=read.class_ids[said.top[some]],
        confidence=said.confidence[some].astype(np.float32),
        parameters={"method": "labelling functions", "functions": _told(read, model)},
    )


def _told(read: Votes, model: LabelModel) -> dict[str, dict[str, Any]]:
    """What a run says of each function: what it asked, and how precise the model takes it for."""
    return {
        each.name: {"class": each.class_name, "predicate": each.predicate, "precision": round(p, 4)}
        for each, p in zip(read.functions, model.precision.tolist(), strict=True)
    }


def _counts(conn: Connection, ontology: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The classes in use, by class_id, and how many media count as each."""
    types = {"class_id": "i8", "n": "i8"}
    query = statement("labelling_functions", "shares")
    rows = bulk.read_columns(conn, query, types, {"ontology": ontology})
    return rows["class_id"], rows["n"]
