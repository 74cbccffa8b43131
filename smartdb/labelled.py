"""Labelled media: what is in force in an ontology, row by row, with all that detectors look at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from smartdb import bulk
from smartdb.errors import NotFound, NothingToDo
from smartdb.judgements import Judgements
from smartdb.statements import statement

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

_LABELLED = {
    "media_id": "i8", "label_id": "i8", "class_id": "i8", "split_group": "i8", "is_settled": "?",
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """The labels in force at a revision whose media have a vector, row by row.

    All (n,), ``vectors`` (n, d) float32; ``groups`` number what must not be parted.
    """

    media_ids: Ints
    label_ids: Ints
    class_ids: Ints
    groups: Ints
    is_settled: Flags
    vectors: Floats

    def only(self, rows: Flags) -> Labelled:
        """Some of the rows."""
        parts = {name: value[rows] for name, value in vars(self).items()}
        return replace(self, **parts)

    def digest(self) -> str:
        """Changes with any of the rows; the vectors of a media never do."""
        facts = (self.media_ids, self.label_ids, self.class_ids, self.groups, self.is_settled)
        return hashlib.sha256(b"".join(part.tobytes() for part in facts)).hexdigest()


@dataclass(frozen=True)
class Predicted:
    """The labels that a run's predictions were judged against, row by row.

    ``labels`` (n,) are places in ``class_ids``, ``probabilities`` (n, c) float32 in their order.
    """

    media_ids: Ints
    label_ids: Ints
    labels: Ints
    class_ids: Ints
    probabilities: Floats


def read(conn: psycopg.Connection[Any], encoder: str, ontology: str, revision: int) -> Labelled:
    """What is labelled in an ontology at a revision and has a vector; NothingToDo for nothing."""
    from smartdb import embeddings

    values = {"ontology": ontology, "revision": revision}
    rows = bulk.read_columns(conn, statement("label_issues", "labelled"), _LABELLED, values)
    if not len(rows["media_id"]):
        raise NothingToDo(
            f"ontology {ontology!r} has no labels yet; run: smartdb labels import-folders"
        )
    ids, vectors = embeddings.read_vectors(conn, encoder)
    shared, at, place = np.intersect1d(
        rows["media_id"], ids, assume_unique=True, return_indices=True
    )
    if not len(shared):
        raise NothingToDo(
            f"no labelled media has a vector of {encoder}; run: smartdb embed --encoder {encoder}"
        )
    return Labelled(
        media_ids=shared,
        label_ids=rows["label_id"][at],
        class_ids=rows["class_id"][at],
        groups=rows["split_group"][at],
        is_settled=rows["is_settled"][at],
        vectors=vectors[place],
    )


def read_predicted(conn: psycopg.Connection[Any], run_id: int) -> Predicted:
    """What a run predicted of labelled media that it was not trained on, and their labels then.

    NotFound for a run without predictions, NothingToDo where none has a label of its classes.
    """
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("label_issues", "classes"), {"run_id": run_id}).fetchone()
    if row is None:
        raise NotFound(f"run {run_id} predicted nothing; see: smartdb runs")
    order = np.asarray(row[0], np.int64)
    types: dict[str, tuple[str, int] | str] = {
        "media_id": "i8", "label_id": "i8", "class_id": "i8", "p": ("f4", len(order)),
    }  # fmt: skip
    query = statement("label_issues", "predicted")
    chunks = list(bulk.packed_chunks(conn, query, types, {"run_id": run_id}))
    if not chunks:
        raise NothingToDo(f"run {run_id} predicted no media that has a label and was held out")
    chunks.sort(key=lambda chunk: int(chunk["media_id"][0]))
    found = {name: np.concatenate([chunk.pop(name) for chunk in chunks]) for name in types}
    if (np.diff(found["media_id"]) < 0).any():
        in_order = np.argsort(found["media_id"])
        found = {name: part[in_order] for name, part in found.items()}
    by_id = np.argsort(order)
    place = np.minimum(np.searchsorted(order[by_id], found["class_id"]), len(order) - 1)
    labels = by_id[place]
    known = order[labels] == found["class_id"]
    if not known.any():
        raise NothingToDo(f"none of the labels is of the classes that run {run_id} predicts")
    if not known.all():
        found, labels = {name: part[known] for name, part in found.items()}, labels[known]
    return Predicted(found["media_id"], found["label_id"], labels, order, found["p"])


def settled(conn: psycopg.Connection[Any], label_ids: Ints) -> Flags:
    """Which of these labels (n,) a reviewer has accepted, or put there."""
    rows = bulk.read_columns(conn, statement("label_issues", "settled"), {"label_id": "i8"})
    return np.isin(label_ids, rows["label_id"])


def neighbours(
    conn: psycopg.Connection[Any], encoder: str, media_ids: Ints, k: int = 10
) -> tuple[Ints, Floats] | None:
    """The rows (n, k or fewer) of the nearest neighbours among ``media_ids`` (n,) ascending, and
    their distances; -1 for none. None where there are no edges among them.
    """
    types: dict[str, tuple[str, int] | str] = {
        "media_id": "i8", "neighbour_id": "i8", "rank": "i2", "distance": "f4",
    }  # fmt: skip
    values = {"encoder": encoder, "k": k}
    chunks = list(bulk.packed_chunks(conn, statement("label_issues", "edges"), types, values))
    if not chunks:
        return None
    edge = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in types}
    rows, others = _rows(media_ids, edge["media_id"]), _rows(media_ids, edge["neighbour_id"])
    kept = (rows >= 0) & (others >= 0)
    if not kept.any():
        return None
    order = np.lexsort((edge["rank"][kept], rows[kept]))
    rows, others, near = rows[kept][order], others[kept][order], edge["distance"][kept][order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    found = np.full((len(media_ids), int(place.max()) + 1), -1, np.int64)
    distances = np.ones(found.shape, np.float32)
    found[rows, place], distances[rows, place] = others, near
    return found, distances


def judgements(
    conn: psycopg.Connection[Any], media_ids: Ints, class_ids: Ints
) -> Judgements | None:
    """What people and importers say of media (n,) ascending that several of them labelled, each
    with one class, as places in ``class_ids`` (c,) ascending; None for nothing.
    """
    types = {"media_id": "i8", "actor_id": "i8", "class_id": "i8"}
    said = bulk.read_columns(conn, statement("label_issues", "judged"), types)
    rows, classes = _rows(media_ids, said["media_id"]), _rows(class_ids, said["class_id"])
    kept = (rows >= 0) & (classes >= 0)
    if not kept.any():
        return None
    _, actors = np.unique(said["actor_id"][kept], return_inverse=True)
    return Judgements(rows[kept], actors.astype(np.int64), classes[kept])


def _rows(ids: Ints, wanted: Ints) -> Ints:
    """The place of each wanted id in ``ids`` ascending; -1 for none."""
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, place, -1)
