"""Two samples: whether they come from the same distribution, and how far apart they are.

`mmd` is the kernel two-sample test of Gretton et al. 2012 (JMLR 13), with an RBF kernel as wide
as the median distance and p by permutation; `psi` the population stability index (Lewis 1994).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

LEAST_SHARE = 1e-4
"""What an empty class or bin counts as in the index."""


def psi(n_a: Floats, n_b: Floats) -> NDArray[np.float64]:
    """The parts (k,) of the index for counts (k,) of b against a; their sum is the index."""
    a = np.maximum(n_a / n_a.sum(), LEAST_SHARE)
    b = np.maximum(n_b / n_b.sum(), LEAST_SHARE)
    return np.asarray((b - a) * np.log(b / a), np.float64)


def total_variation(n_a: Floats, n_b: Floats) -> float:
    """Half the sum of the differences of the shares, 0 to 1, for counts (k,)."""
    return float(np.abs(n_a / n_a.sum() - n_b / n_b.sum()).sum() / 2)


def chi_square_p(n_a: Floats, n_b: Floats) -> float:
    """How often chance gives counts (k,) that differ so much; 1 where there is one class only."""
    from scipy.stats import chi2_contingency  # type: ignore[import-untyped]

    table = np.array([n_a, n_b])
    table = table[:, table.sum(axis=0) > 0]
    return float(chi2_contingency(table, correction=False).pvalue) if table.shape[1] > 1 else 1.0


def ks_p(distance: float, n_a: int, n_b: int) -> float:
    """How often chance gives a Kolmogorov-Smirnov distance as large, as `scipy.stats.ks_2samp`."""
    from scipy.stats import kstwo

    return float(np.clip(kstwo.sf(distance, np.round(n_a * n_b / (n_a + n_b))), 0, 1))


def mmd(
    a: NDArray[np.float32], b: NDArray[np.float32], seed: int = 0, permutations: int = 500
) -> tuple[float, float, NDArray[np.float64]]:
    """The discrepancy of rows (m, d) and (n, d), its p, and the witness (m + n,) of each row.

    The discrepancy is the root of the unbiased estimate, 0 where that is negative. The witness
    is above 0 where rows of a are denser than rows of b. At least 2 rows each.
    """
    kernel = _kernel(np.concatenate([a, b]))
    m, n = len(a), len(b)
    rng = np.random.default_rng(seed)
    order = np.arange(m + n)
    in_a = np.zeros((permutations + 1, m + n), np.float32)
    in_a[0, :m] = 1
    for row in in_a[1:]:
        row[rng.permutation(order)[:m]] = 1
    estimates = _estimates(kernel, in_a, m, n)
    p = (1 + int((estimates[1:] >= estimates[0]).sum())) / (permutations + 1)
    witness = kernel[:, :m].mean(axis=1) - kernel[:, m:].mean(axis=1)
    return float(np.sqrt(max(estimates[0], 0.0))), p, witness.astype(np.float64)


def _kernel(x: NDArray[np.float32]) -> NDArray[np.float32]:
    squares = (x**2).sum(axis=1)
    distance = np.maximum(squares[:, None] + squares - 2 * (x @ x.T), 0)
    median = np.median(distance[np.triu_indices(len(x), 1)])
    kernel: NDArray[np.float32] = np.exp(-distance / (2 * max(median, 1e-12)))
    return kernel


def _estimates(
    kernel: NDArray[np.float32], in_a: NDArray[np.float32], m: int, n: int
) -> NDArray[np.float64]:
    """The unbiased estimate of the squared discrepancy for each division (r, m + n) of the rows."""
    bare = kernel - np.diag(np.diag(kernel))
    rows = bare.sum(axis=1, dtype=np.float64)
    within_a = ((in_a @ bare) * in_a).sum(axis=1, dtype=np.float64)
    across = in_a @ rows - within_a
    within_b = rows.sum() - within_a - 2 * across
    estimates: NDArray[np.float64] = (
        within_a / (m * (m - 1)) + within_b / (n * (n - 1)) - 2 * across / (m * n)
    )
    return estimates
