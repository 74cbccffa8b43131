"""What a model is unsure about, alone or such that no two are alike; and what it found hard."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import tuple_row

from smartdb import training
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.predicates import bounded
from smartdb.samplers.ranking import ranked
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room
from smartdb.samplers.spread import spread
from smartdb.samplers.vectors import read_pool
from smartdb.statements import statement

PREFILTER = 5


def uncertain(
    conn: psycopg.Connection[Any],
    request: Request,
    room: Room,
    *,
    run: int,
    measure: str = "entropy",
) -> Choice:
    """Least sure first, by entropy, margin or confidence of the predictions of a ``run``.

    A training run predicts the labelled only, so for it all media are predicted first, unless
    the pool is the labelled.
    """
    source, _ = predictions_of(conn, run, request)
    found = ranked(conn, request, room, "uncertain", run=source, measure=measure)
    return _told(conn, request, source, found)


def uncertain_diverse(
    conn: psycopg.Connection[Any],
    request: Request,
    room: Room,
    *,
    run: int,
    measure: str = "entropy",
    prefilter: int = PREFILTER,
) -> Choice:
    """Of the ``prefilter`` x n that a ``run`` is least sure of, some that are not alike.

    Chosen by `spread`, with the uncertainty as weight, and the vectors of the encoder (default:
    that of the run's model).
    """
    if prefilter < 1:
        raise InvalidInput(f"cannot choose among {prefilter} times as many; give 1 or more")
    source, encoder = predictions_of(conn, run, request)
    own = replace(request, encoder=encoder)
    n_seen = prefilter * request.n
    while True:
        wider = replace(request, n=n_seen)
        unsure = ranked(conn, wider, Room(), "uncertain", run=source, measure=measure)
        trial = room.trial()
        choice = _spread(conn, own, trial, unsure, measure)
        if len(choice.ids) == request.n or len(unsure.ids) < n_seen:
            break
        n_seen *= 4  # too few of these fit the caps
    room.keep(trial)
    return _told(conn, request, source, choice)


def _spread(
    conn: psycopg.Connection[Any], request: Request, room: Room, unsure: Choice, measure: str
) -> Choice:
    pool = read_pool(conn, request, among=unsure.ids)
    free = room.free(conn, pool.ids)
    conn.commit()
    score_of = dict(zip(unsure.ids.tolist(), unsure.scores.tolist()))
    scores = np.array([score_of[media_id] for media_id in pool.ids.tolist()])
    places, distance = spread(pool.x, scores, request.n, request.seed, free)
    reasons = [f"{measure} {scores[at]:.3f}, {_far(away)}" for at, away in zip(places, distance)]
    return pool.choice(places, scores[places], reasons)


def hard(
    conn: psycopg.Connection[Any],
    request: Request,
    room: Room,
    *,
    run: int,
    measure: str = "loss",
) -> Choice:
    """The train items of a training ``run`` that it found hardest, by loss, el2n or forgetting."""
    return ranked(conn, request, room, "hard", run=run, measure=measure)


def predictions_of(
    conn: psycopg.Connection[Any], run_id: int, request: Request
) -> tuple[int, str | None]:
    """The run whose predictions to choose by, and the encoder: that asked for, or the model's.

    NotFound for a run without predictions.
    """
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(statement("sampling", "evaluated"), {"run_id": run_id}).fetchone()
    if found is None:
        raise NotFound(f"no run {run_id} with predictions; run: smartdb runs")
    kind, model_id, own_encoder = found
    if kind == "train" and request.pool != "labelled":
        run_id = training.predict(conn, model_id).run_id
    return run_id, request.encoder or own_encoder


def _told(conn: psycopg.Connection[Any], request: Request, run_id: int, choice: Choice) -> Choice:
    """The choice, with a note on candidates that the run did not predict."""
    values = {"predicate": request.predicate, "run": run_id}
    with bounded(conn, request.predicate), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("sampling", "without_prediction"), values).fetchone()
    if not row or not row[0]:
        return choice
    named = f"media {row[1]}{', ...' if row[0] > 1 else ''}"
    note = (
        f"{row[0]} of the candidates cannot be chosen: run {run_id} did not predict them ({named})"
    )
    counts = {**choice.counts, "without_prediction": row[0]}
    return replace(choice, notes=(*choice.notes, note), counts=counts)


def _far(distance: float) -> str:
    if np.isinf(distance):
        return "the largest of the pool"
    return f"cosine distance {distance:.3f} to the nearest chosen before"
