"""Predictions: what a run thinks of each media, and what it is judged against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import ArrayLike, NDArray
from psycopg.rows import tuple_row

from smartdb import bulk
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.statements import statement

COLUMNS = {
    "media_id": "bigint",
    "class_id": "bigint",
    "probability": "real[]",
    "confidence": "real",
    "margin": "real",
    "entropy": "real",
}
TOLERANCE = 1e-3
_ROWS = 10_000


@dataclass(frozen=True)
class Certainty:
    """How sure probabilities (n, c) are: top (n,) is the place of the likeliest class, the others
    are (n,) float64; entropy in nats."""

    top: NDArray[np.int64]
    confidence: NDArray[np.float64]
    margin: NDArray[np.float64]
    entropy: NDArray[np.float64]


def write(
    conn: psycopg.Connection[Any],
    run_id: int,
    media_ids: ArrayLike,
    class_ids: Sequence[int],
    probabilities: ArrayLike,
    *,
    revision: int,
    model_id: int | None = None,
    dataset: str | None = None,
    version: int | None = None,
) -> int:
    """Writes the predictions of a run and what they are judged against; returns their number.

    ``probabilities`` is (n, c), its columns in the order of ``class_ids``; the truth is the labels
    at ``revision``, the splits those of the dataset version, if given. Ties go to the first class.
    InvalidInput for what is no distribution or names a media twice, NotFound for unknown media
    (or hidden ones), classes, datasets. The caller owns the transaction.
    """
    ids, p = _checked(media_ids, class_ids, probabilities)
    values = {
        "run_id": run_id,
        "model_id": model_id,
        "dataset_id": _dataset_id(conn, dataset, version),
        "version": version,
        "revision": revision,
        "class_ids": [int(each) for each in class_ids],
    }
    _refuse_unknown(conn, "class", "unknown_classes", values)
    staged = bulk.staging(conn, "copied_prediction", like="core.prediction", columns=list(COLUMNS))
    bulk.copy_rows(conn, staged, COLUMNS, _rows(ids, np.asarray(values["class_ids"]), p))
    _refuse_unknown(conn, "media", "unknown_media", {})
    with translated():
        conn.execute(statement("predictions", "evaluate"), values)
        conn.execute(statement("predictions", "add_partition"), values)
        conn.execute(statement("predictions", "analyse"))
        conn.execute(statement("predictions", "insert"), values)
        conn.execute(statement("predictions", "analyse_partition"), values)
    return len(ids)


def certainty(probabilities: NDArray[Any]) -> Certainty:
    """How sure each row of probabilities (n, c) is, c at least 2."""
    p = np.asarray(probabilities, dtype=np.float64)
    top = p.argmax(axis=1)
    best = np.partition(p, -2, axis=1)[:, -2:]
    entropy = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=1)
    margin = best[:, 1] - best[:, 0]
    return Certainty(top, best[:, 1], np.clip(margin, 0, 1), np.maximum(entropy, 0))


def _checked(
    media_ids: ArrayLike, class_ids: Sequence[int], probabilities: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    ids = np.asarray(media_ids, dtype=np.int64)
    p = np.asarray(probabilities, dtype=np.float32)
    if len(class_ids) < 2 or len(set(class_ids)) < len(class_ids):
        raise InvalidInput(f"predictions need two or more classes, each once: {list(class_ids)}")
    if ids.ndim != 1 or p.shape != (len(ids), len(class_ids)):
        raise InvalidInput(
            f"{ids.shape} media and {len(class_ids)} classes with probabilities {p.shape}"
        )
    if not len(ids):
        raise NothingToDo("there are no predictions to write")
    unique, counts = np.unique(ids, return_counts=True)
    if len(unique) < len(ids):
        raise InvalidInput(f"media predicted twice: {_some(unique[counts > 1])}")
    bad = ~((p >= 0) & (p <= 1 + TOLERANCE)).all(axis=1)  # NaN compares false
    bad |= ~(np.abs(p.sum(axis=1, dtype=np.float64) - 1) <= TOLERANCE)
    if bad.any():
        raise InvalidInput(
            f"probabilities are not from 0 to 1 with sum 1 for media {_some(ids[bad])}"
        )
    return ids, p


def _rows(
    ids: NDArray[np.int64], class_ids: NDArray[np.int64], p: NDArray[np.float32]
) -> Iterator[tuple[Any, ...]]:
    for at in range(0, len(ids), _ROWS):
        some = p[at : at + _ROWS]
        sure = certainty(some)
        yield from zip(
            ids[at : at + _ROWS].tolist(),
            class_ids[sure.top].tolist(),
            some,
            sure.confidence.tolist(),
            sure.margin.tolist(),
            sure.entropy.tolist(),
        )


def _dataset_id(
    conn: psycopg.Connection[Any], dataset: str | None, version: int | None
) -> int | None:
    if dataset is None and version is None:
        return None
    found = _column(conn, "dataset_id", {"dataset": dataset, "version": version})
    if not found:
        raise NotFound(
            f"no sealed version {version} of dataset {dataset!r}; run: smartdb dataset list"
        )
    return found[0]


def _refuse_unknown(
    conn: psycopg.Connection[Any], what: str, name: str, values: Mapping[str, Any]
) -> None:
    unknown = _column(conn, name, values)
    if unknown:
        raise NotFound(f"no {what} with these ids: {_some(unknown)}")


def _column(conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]) -> list[int]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement("predictions", name), values or None)
        return [row[0] for row in cursor]


def _some(ids: Sequence[int] | NDArray[np.int64], most: int = 5) -> str:
    shown = ", ".join(str(each) for each in ids[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"
