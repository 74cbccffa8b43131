"""Label scores: what each detector says of each label it examined, kept as blocks of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from smartdb import bulk
from smartdb.errors import InvalidInput, translated
from smartdb.label_detectors import Word
from smartdb.statements import statement

Ints = NDArray[np.int64]

PART = 1024
"""Labels of a block: those whose label_id divided by this is the same."""

_BLOCK = {
    "run_id": "bigint", "part": "bigint", "label_ids": "bigint[]", "scores": "real[]",
    "suspects": "integer[]",
}  # fmt: skip


def write(
    conn: psycopg.Connection[Any], run_id: int, label_ids: Ints, words: Mapping[str, Word]
) -> int:
    """Keeps what detectors say of labels (n,), each once; returns n. The caller owns the
    transaction.

    A score is from 0 to 1, NaN where the detector says nothing: InvalidInput for anything else.
    A run writes once.
    """
    for name, word in words.items():
        if not (np.isnan(word.scores) | ((word.scores >= 0) & (word.scores <= 1))).all():
            raise InvalidInput(f"a score of {name} is not from 0 to 1")
    with translated():
        values = {"run_id": run_id, "detectors": list(words)}
        conn.execute(statement("label_scores", "add_scoring"), values)
        bulk.copy_rows(conn, "core.label_score", _BLOCK, _blocks(run_id, label_ids, words))
    return len(label_ids)


def _blocks(
    run_id: int, label_ids: Ints, words: Mapping[str, Word]
) -> Iterator[tuple[int, int, Ints, NDArray[Any], NDArray[Any]]]:
    order = np.argsort(label_ids, kind="stable")
    parts = label_ids[order] // PART
    bounds = [0, *(np.flatnonzero(np.diff(parts)) + 1).tolist(), len(order)]
    suspects = np.zeros(len(order), np.int32)
    for bit, word in enumerate(words.values()):
        suspects |= word.suspects.astype(np.int32) << bit
    scores = np.stack([word.scores for word in words.values()])
    for first, end in pairwise(bounds):
        rows = order[first:end]
        if len(rows):
            part = int(parts[first])
            yield run_id, part, label_ids[rows], scores[:, rows].ravel(), suspects[rows]
