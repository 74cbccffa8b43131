"""Scores of probabilities against the truth, as the views of the interface count them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def scores(probabilities: NDArray[Any], truth: NDArray[np.int64]) -> dict[str, float]:
    """accuracy, log_loss and macro_f1 of probabilities (n, c) for classes (n,), n at least 1."""
    predicted = probabilities.argmax(axis=1)
    return {
        "accuracy": float((predicted == truth).mean()),
        "log_loss": log_loss(probabilities, truth),
        "macro_f1": macro_f1(predicted, truth, probabilities.shape[1]),
    }


def macro_f1(predicted: NDArray[np.int64], truth: NDArray[np.int64], n_classes: int) -> float:
    """Mean F1 over the classes that are true or predicted for at least one item."""
    right = np.bincount(truth[predicted == truth], minlength=n_classes)
    seen = np.bincount(truth, minlength=n_classes) + np.bincount(predicted, minlength=n_classes)
    return float((2 * right[seen > 0] / seen[seen > 0]).mean())


def log_loss(probabilities: NDArray[Any], truth: NDArray[np.int64]) -> float:
    """Mean of -ln of the probability of the true class, none taken to be below 1e-7."""
    return float(losses(probabilities, truth).mean())


def losses(probabilities: NDArray[Any], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """-ln of the probability of the true class of each, (n,), none taken to be below 1e-7."""
    given = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    found: NDArray[np.float64] = -np.log(np.clip(given, 1e-7, 1))
    return found
