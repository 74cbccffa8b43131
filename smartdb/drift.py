"""Drift: whether what came in last looks like what was there.

For each statistic of the pictures the two-sample Kolmogorov-Smirnov distance (Smirnov 1939, by
`scipy.stats.ks_2samp`) between the media that the newest ingest of a source added and all media
before them: 0 is the same distribution, 1 is no overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import translated
from smartdb.statements import statement

STATISTICS = ("brightness", "contrast", "sharpness", "entropy", "colourfulness")
SAMPLE = 20_000
"""Media of each side that are compared, chosen by a hash of their ids."""

LARGEST = 0.3
FEWEST = 50
"""Of fewer media on either side nothing is said: the distance of 50 is above 0.3 by chance alone
less than once in 4,000 times."""


def quality(conn: psycopg.Connection[Any], source: str) -> dict[str, float]:
    """The distance for each of `STATISTICS`; empty where a side has fewer than `FEWEST` media."""
    values = {"source": source, "n": SAMPLE}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("drift", "quality"), values).fetchall()
    is_new = np.array([row[0] for row in rows], np.bool_)
    if min(is_new.sum(), (~is_new).sum()) < FEWEST:
        return {}
    return {
        name: _distance([row[place] for row in rows], is_new)
        for place, name in enumerate(STATISTICS, 1)
    }


def _distance(values: list[float], is_new: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    from scipy.stats import ks_2samp  # type: ignore[import-untyped]

    array = np.array(values, np.float64)
    return round(float(ks_2samp(array[is_new], array[~is_new], method="asymp").statistic), 3)
