"""Error analysis: what a run got wrong and where, and what another run changed; all by SQL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import dict_row, tuple_row

from smartdb import models
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.statements import statement

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """Run a against run b on the ``n`` media of a split that both predicted, by b's labels.

    ``chi_squared`` is McNemar's statistic with continuity correction and ``p_value`` its chance if
    neither run were better; both are None if they were right on the same media.
    """

    n: int
    accuracy_a: float
    accuracy_b: float
    n_fixed: int
    n_broken: int
    chi_squared: float | None
    p_value: float | None


def training_runs(
    conn: psycopg.Connection[Any], dataset: str | None = None, limit: int = 50
) -> Rows:
    """Training runs, newest first, with their scores on the test split."""
    return _rows(conn, "training_runs", {"dataset": dataset, "limit": limit})


def metrics(conn: psycopg.Connection[Any], run_id: int) -> dict[str, float]:
    """Final scores of a run by name, for instance test_accuracy."""
    found = models.read_metrics(conn, run_id)
    return {f"{split}_{name}": v for split in found for name, v in found[split].items()}


def loss_curve(conn: psycopg.Connection[Any], run_id: int) -> dict[str, list[tuple[int, float]]]:
    """Epoch and loss after it, by split."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in _rows(conn, "curve", {"run_id": run_id}):
        found.setdefault(row["split"], []).append((row["step"], row["value"]))
    return found


def classes(conn: psycopg.Connection[Any], run_id: int) -> list[str]:
    """The classes a run predicts, in the order of its probabilities; NotFound if it does not."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("evaluation", "predicts"), {"run_id": run_id}).fetchone()
    if row is None:
        raise NotFound(f"run {run_id} has no predictions; run: smartdb runs")
    return list(row[0])


def confusion_matrix(
    conn: psycopg.Connection[Any], run_id: int, split: str = "test"
) -> tuple[list[str], NDArray[np.int64]]:
    """Classes (c) by name, and counts (c, c): row the true class, column the predicted."""
    classes(conn, run_id)
    rows = _rows(conn, "confusion_matrix", {"run_id": run_id, "split": _split(split)})
    names = sorted({row[key] for row in rows for key in ("class", "predicted_class")})
    place = {name: at for at, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), np.int64)
    for row in rows:
        counts[place[row["class"]], place[row["predicted_class"]]] = row["n"]
    return names, counts


def class_metrics(conn: psycopg.Connection[Any], run_id: int, split: str = "test") -> Rows:
    """Precision, recall and F1 of each class, worst F1 first; None where nothing was to divide."""
    classes(conn, run_id)
    return _rows(conn, "class_metrics", {"run_id": run_id, "split": _split(split)})


def worst_slices(
    conn: psycopg.Connection[Any], run_id: int, split: str = "test", min_n: int = 20
) -> Rows:
    """Slices of at least ``min_n`` media where the run does worse than on the whole, by z."""
    classes(conn, run_id)
    values = {"run_id": run_id, "split": _split(split), "min_n": min_n}
    return _rows(conn, "worst_slices", values)


def errors(
    conn: psycopg.Connection[Any], run_id: int, split: str | None = "test", limit: int = 50
) -> Rows:
    """Wrong predictions, the most confident first, with how suspicious their label is."""
    classes(conn, run_id)
    chosen = None if split is None else _split(split)
    return _rows(conn, "errors", {"run_id": run_id, "split": chosen, "limit": limit})


def compare(
    conn: psycopg.Connection[Any], run_a: int, run_b: int, split: str = "test"
) -> Comparison:
    """Whether run b is better than run a; NothingToDo if they predicted no media in common."""
    values = {"run_a": run_a, "run_b": run_b, "split": _split(split)}
    classes(conn, run_a)
    classes(conn, run_b)
    row = _rows(conn, "comparison", values)[0]
    if not row["n"]:
        raise NothingToDo(f"runs {run_a} and {run_b} have no {split} media in common")
    chi = row["chi_squared"]
    return Comparison(**row, p_value=None if chi is None else math.erfc(math.sqrt(chi / 2)))


def regressions(
    conn: psycopg.Connection[Any], run_a: int, run_b: int, split: str = "test", limit: int = 50
) -> Rows:
    """What run b broke, then what it fixed, each the most confident first."""
    classes(conn, run_a)
    classes(conn, run_b)
    values = {"run_a": run_a, "run_b": run_b, "split": _split(split), "limit": limit}
    return _rows(conn, "regressions", values)


def _split(split: str) -> str:
    if split not in models.SPLITS:
        raise InvalidInput(f"no split {split!r}; there are: {', '.join(models.SPLITS)}")
    return split


def _rows(conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]) -> Rows:
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("evaluation", name), values).fetchall()
