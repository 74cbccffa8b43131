"""Neighbour vote: a picture is what the nearest labelled pictures are (k nearest neighbours).

The nearest labelled ones are looked for, not the neighbours in the stored graph: where one picture
in ten is labelled, ten neighbours hold one vote, and many hold none. Compared exactly, tile by tile
of a matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from smartdb import bulk, embeddings
from smartdb.errors import InvalidInput, NothingToDo
from smartdb.proposals import Proposals
from smartdb.statements import statement

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

K = 10

_DOUBT = 1.0  # a vote of nobody: few or far neighbours are less sure than many near ones
_CELLS = 1 << 24  # similarities at a time: 64 MB


def propose(
    conn: psycopg.Connection[Any],
    ontology: str,
    encoder_name: str | None = None,
    *,
    k: int = K,
) -> Proposals:
    """The class with most votes among the ``k`` nearest media that count as one of the ontology.

    A vote weighs the cosine similarity; the confidence is the share of the winner's weight in that
    of all votes and one vote of nobody. Labelled media are voted on by the others, so that gold can
    tell how good it is. InvalidInput for k below 1, NothingToDo where nothing is labelled.
    """
    if k < 1:
        raise InvalidInput(f"cannot ask {k} neighbours")
    encoder = embeddings.find(conn, encoder_name)
    ids, vectors = embeddings.read_vectors(conn, encoder.name)
    values = {"ontology": ontology}
    known = bulk.read_columns(
        conn, statement("auto_labels", "voters"), {"media_id": "i8", "class_id": "i8"}, values
    )
    conn.commit()
    at = np.searchsorted(known["media_id"], ids).clip(max=max(0, len(known["media_id"]) - 1))
    labelled = np.flatnonzero(known["media_id"][at] == ids) if len(known["media_id"]) else at[:0]
    if not len(labelled):
        raise NothingToDo(f"no media with a vector of {encoder.name!r} has a class of {ontology!r}")
    classes, y = np.unique(known["class_id"][at[labelled]], return_inverse=True)
    top, confidence = vote(vectors, labelled, y, len(classes), k)
    some = np.flatnonzero(confidence > 0)
    return Proposals(
        actor=f"neighbour vote {encoder.name}",
        ontology=ontology,
        media_ids=ids[some],
        class_ids=classes[top[some]],
        confidence=confidence[some],
        parameters={"method": "neighbour vote", "encoder": encoder.name, "k": k},
    )


def vote(
    vectors: Floats, labelled: Ints, y: Ints, n_classes: int, k: int = K
) -> tuple[Ints, Floats]:
    """The class (n,) that the nearest labelled others of each vector give it, and the share (n,).

    ``labelled`` (m,) are rows of the unit vectors (n, d), ascending, ``y`` (m,) their classes. The
    share is 0 where all votes weigh nothing.
    """
    voters = vectors[labelled]
    top, share = np.zeros(len(vectors), np.int64), np.zeros(len(vectors), np.float32)
    rows = max(1, _CELLS // len(voters))
    for start in range(0, len(vectors), rows):
        stop = min(start + rows, len(vectors))
        similarity = vectors[start:stop] @ voters.T
        own = slice(*np.searchsorted(labelled, (start, stop)))
        similarity[labelled[own] - start, np.arange(len(labelled))[own]] = (
            0.0  # nobody votes on itself
        )
        top[start:stop], share[start:stop] = _counted(similarity, y, n_classes, k)
    return top, share


def _counted(similarity: Floats, y: Ints, n_classes: int, k: int) -> tuple[Ints, Floats]:
    n, m = similarity.shape
    k = min(k, m)
    near = np.argpartition(similarity, m - k, axis=1)[:, m - k :]
    weight = np.clip(np.take_along_axis(similarity, near, axis=1), 0, None)
    cells = np.arange(n)[:, None] * n_classes + y[near]
    votes = np.bincount(cells.reshape(-1), weight.reshape(-1), n * n_classes).reshape(n, n_classes)
    top = votes.argmax(axis=1)
    share = votes[np.arange(n), top] / (votes.sum(axis=1) + _DOUBT)
    return top, share.astype(np.float32)
