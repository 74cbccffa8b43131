"""The next batch to label: what a model is unsure about, and no two alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import bulk, embeddings, runs, training
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.statements import statement
from smartdb.turns import turn

Pool = Literal["unlabelled", "labelled", "all"]

STRATEGY = "uncertain+diverse"
PREFILTER = 5
ITEM_COLUMNS = {
    "batch_id": "bigint",
    "media_id": "bigint",
    "rank": "integer",
    "score": "double precision",
    "reason": "text",
}


def next_batch(
    conn: psycopg.Connection[Any],
    run_id: int,
    n: int,
    *,
    pool: Pool = "unlabelled",
    seed: int = 0,
    encoder: str | None = None,
    prefilter: int = PREFILTER,
) -> int:
    """Chooses ``n`` media to work on next by the predictions of a run; returns the batch's id.

    Of the pool the ``prefilter * n`` with the largest entropy are looked at, and of these `spread`
    chooses by the vectors of ``encoder`` (default: that of the run's model). A training run
    predicts the labelled only, so for it all media are predicted first. The same call again
    returns the batch that is there. A pool of n or fewer is taken whole, and the reason says so.
    It commits. NotFound for an unknown run, NothingToDo if the pool is empty.
    """
    if n < 1 or prefilter < 1 or pool not in get_args(Pool):
        raise InvalidInput(f"cannot choose {n} of {prefilter} times as many from pool {pool!r}")
    source, encoder = _source(conn, run_id, pool, encoder)
    parameters = {
        **{"run_id": run_id, "predictions": source, "n": n, "pool": pool},
        **{"encoder": encoder, "prefilter": prefilter},
    }
    values = {"strategy": STRATEGY, "parameters": Jsonb(parameters), "seed": seed}
    with turn(conn, f"sample {run_id}"):
        known = _rows(conn, "known", values)
        if known:
            return int(known[0][0])
        with runs.run(conn, "sample", parameters, seed) as run:
            chosen = _choose(conn, source, n, pool, seed, encoder, prefilter)
            with translated(), conn.transaction():
                batch_id = int(_rows(conn, "add_batch", values | {"run_id": run.run_id})[0][0])
                rows = ((batch_id, *item) for item in chosen)
                run.counts["chosen"] = bulk.copy_rows(conn, "core.batch_item", ITEM_COLUMNS, rows)
        return batch_id


def batch_items(
    conn: psycopg.Connection[Any], batch_id: int
) -> list[tuple[int, int, float, str, str | None]]:
    """Rank, media, score, reason and uri of a batch, in the order of choice."""
    rows = _rows(conn, "items", {"batch_id": batch_id})
    if not rows:
        raise NotFound(f"no batch {batch_id} with media that you may see; run: smartdb sample")
    return rows


def spread(
    vectors: NDArray[np.float32], weight: NDArray[np.floating[Any]], n: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places (n,) of rows far from each other, and the distance of each to those before it.

    The seeding of k-means++: the first is the row with the largest weight (ties: the first), each
    next is drawn with odds weight x squared distance to the nearest chosen. Unit vectors (m, d)
    give cosine distances, the first is infinitely far. At most m are chosen, equal rows last.
    """
    rng = np.random.default_rng(seed)
    n = min(n, len(vectors))
    chosen, distance = np.zeros(n, np.int64), np.full(n, np.inf)
    nearest = np.full(len(vectors), np.inf)
    is_free = np.ones(len(vectors), bool)
    for place in range(n):
        pick = _draw(rng, nearest, weight, is_free) if place else int(np.argmax(weight))
        chosen[place], distance[place] = pick, nearest[pick]
        is_free[pick] = False
        nearest = np.minimum(nearest, np.maximum(1 - vectors @ vectors[pick], 0))
    return chosen, distance


def _draw(
    rng: np.random.Generator,
    nearest: NDArray[np.float64],
    weight: NDArray[np.floating[Any]],
    is_free: NDArray[np.bool_],
) -> int:
    """A free row by its odds; where all odds are 0, the free row with the largest weight."""
    odds = np.where(is_free & (nearest > 1e-6), weight * nearest, 0.0)  # 2 x cosine = squared
    total = np.cumsum(odds)
    if total[-1] <= 0:
        return int(np.argmax(np.where(is_free, weight, -1.0)))
    return int(np.searchsorted(total, rng.random() * total[-1], side="right"))


def _source(
    conn: psycopg.Connection[Any], run_id: int, pool: Pool, encoder: str | None
) -> tuple[int, str]:
    """The run whose predictions to choose by, and the encoder to tell media apart by."""
    rows = _rows(conn, "evaluated", {"run_id": run_id})
    if not rows:
        raise NotFound(f"no run {run_id} with predictions; run: smartdb runs")
    kind, model_id, own_encoder = rows[0]
    name = embeddings.find(conn, encoder or own_encoder).name
    if kind == "train" and pool != "labelled":
        return training.predict(conn, model_id).run_id, name
    return run_id, name


def _choose(
    conn: psycopg.Connection[Any],
    source: int,
    n: int,
    pool: Pool,
    seed: int,
    encoder: str,
    prefilter: int,
) -> list[tuple[int, int, float, str]]:
    """Media, rank, score and reason of the chosen."""
    values = {"run_id": source, "pool": pool, "limit": max(prefilter * n, n + 1)}
    types = {"media_id": "i8", "entropy": "f4"}
    found = bulk.read_columns(conn, statement("sampling", "candidates"), types, values)
    ids, entropy = found["media_id"], found["entropy"].astype(np.float64)
    if not len(ids):
        which = "" if pool == "all" else f" {pool}"
        raise NothingToDo(
            f"run {source} predicted no{which} media: there is nothing to choose from"
        )
    vectors = _vectors(conn, ids, encoder)
    conn.commit()
    if len(ids) <= n:
        why = f"entropy {{:.3f}}, all {len(ids)} of the pool were taken ({n} were asked for)"
        return [
            (int(ids[i]), i + 1, float(entropy[i]), why.format(entropy[i])) for i in range(len(ids))
        ]
    places, distance = spread(vectors, entropy, n, seed)
    return [
        (int(ids[at]), rank, float(entropy[at]), _reason(entropy[at], away))
        for rank, (at, away) in enumerate(zip(places, distance), start=1)
    ]


def _reason(entropy: float, distance: float) -> str:
    if np.isinf(distance):
        return f"entropy {entropy:.3f}, the largest of the pool"
    return f"entropy {entropy:.3f}, cosine distance {distance:.3f} to the nearest chosen before"


def _vectors(
    conn: psycopg.Connection[Any], ids: NDArray[np.int64], encoder: str
) -> NDArray[np.float32]:
    """Vectors in the order of ids, which is not ascending."""
    found, vectors = embeddings.read_vectors(conn, encoder, ids)
    if len(found) < len(ids):
        missing = np.setdiff1d(ids, found)
        raise NotFound(
            f"{len(missing)} candidates have no vector of encoder {encoder!r} (media {missing[0]}"
            f"{', ...' if len(missing) > 1 else ''}); run: smartdb embed --encoder {encoder}"
        )
    return vectors[np.searchsorted(found, ids)]


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("sampling", name), values).fetchall()
