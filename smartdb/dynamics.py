"""Training dynamics: how each train item went through the training, kept beside its predictions.

- ``el2n``: the length of the vector (probabilities less one-hot truth), from 0 to sqrt(2), as the
  mean of the first `EL2N_EPOCHS` epochs. Paul, Ganguli and Dziugaite (2021, "Deep Learning on a
  Data Diet") take it at one early epoch and average over ten seeds; the mean over early epochs
  needs one training, and seeds can be averaged on top (several runs).
- ``n_forgotten``: forgetting events of Toneva et al. (2019): right at one look, wrong at the next.
  What was never right (``n_correct`` 0) counts there as forgotten without end.
- ``loss``: of the model that is kept in the end.

They are taken from the logits that the loop has anyway: of a head after each epoch, of a tower when
an item comes up in its batch, before the step that learns from it, as in both papers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from smartdb import bulk
from smartdb.errors import translated
from smartdb.scores import losses
from smartdb.statements import statement

EL2N_EPOCHS = 10
"""Epochs over which EL2N is averaged, from the first."""

COLUMNS = ("media_id", "loss", "el2n", "n_forgotten", "n_correct", "n_epochs")

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Dynamics:
    """Of the train items in order, (n,) each, over ``n_epochs``."""

    el2n: NDArray[np.float32]
    n_forgotten: NDArray[np.int32]
    n_correct: NDArray[np.int32]
    n_epochs: int

    def of(self, rows: Ints) -> Dynamics:
        """Of some of the items."""
        return Dynamics(
            self.el2n[rows], self.n_forgotten[rows], self.n_correct[rows], self.n_epochs
        )


class Watch:
    """Looks at the logits of n train items, each once an epoch, and adds up."""

    def __init__(self, n: int) -> None:
        self._error = np.zeros(n, np.float64)
        self._was_right = np.zeros(n, bool)
        self._n_forgotten, self._n_correct = np.zeros(n, np.int32), np.zeros(n, np.int32)

    def see(self, epoch: int, rows: Any, logits: Any, classes: Any) -> None:
        """Logits (m, c) and true classes (m,), tensors, of ``rows`` in an epoch, from 1."""
        right = (logits.argmax(dim=1) == classes).cpu().numpy()
        if epoch <= EL2N_EPOCHS:
            self._error[rows] += _error(logits, classes)
        self._n_forgotten[rows] += self._was_right[rows] & ~right
        self._n_correct[rows] += right
        self._was_right[rows] = right

    def found(self, n_epochs: int) -> Dynamics:
        """What was seen in so many epochs."""
        el2n = (self._error / max(1, min(n_epochs, EL2N_EPOCHS))).astype(np.float32)
        return Dynamics(el2n, self._n_forgotten, self._n_correct, n_epochs)


def write(
    conn: psycopg.Connection[Any],
    run_id: int,
    media_ids: Ints,
    classes: Ints,
    probabilities: NDArray[np.float32],
    found: Dynamics,
) -> int:
    """Writes what was found of train items, and the loss of probabilities (n, c); does not commit.

    The run's predictions must be there. Returns the number of rows.
    """
    columns: dict[str, NDArray[Any]] = {
        "media_id": media_ids,
        "loss": losses(probabilities, classes).astype(np.float32),
        "el2n": found.el2n,
        "n_forgotten": found.n_forgotten,
        "n_correct": found.n_correct,
        "n_epochs": np.full(len(media_ids), found.n_epochs, np.int32),
    }
    staged = bulk.staging(conn, "copied_dynamics", like="core.training_dynamics", columns=COLUMNS)
    n = bulk.copy_arrays(conn, staged, columns)
    with translated():
        conn.execute(statement("dynamics", "insert"), {"run_id": run_id})
    return n


def _error(logits: Any, classes: Any) -> NDArray[np.float64]:
    """Length of probabilities less one-hot truth: sqrt(sum p^2 - 2 p_true + 1)."""
    p = logits.detach().double().softmax(dim=1)
    given = p.gather(1, classes[:, None]).squeeze(1)
    squared: NDArray[np.float64] = ((p * p).sum(dim=1) - 2 * given + 1).cpu().numpy()
    error: NDArray[np.float64] = np.sqrt(squared.clip(0))
    return error
