"""Rankings: the SQL function of a strategy, asked for as many as there is room for."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import tuple_row

from smartdb.predicates import bounded
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room
from smartdb.statements import statement

_NOTE = re.compile(r", all \d+ candidates were taken, \d+ asked for$")
_MOST = 2**31 - 1


def ranked(
    conn: psycopg.Connection[Any], request: Request, room: Room, name: str, **values: Any
) -> Choice:
    """The first ``request.n`` of the statement ``name`` that there is room for.

    What a sampler in SQL chooses first does not hang on how many it is asked for, so where groups
    are capped it is asked for more until there are enough.
    """
    n = 4 * request.n if room.caps else request.n
    while True:
        rows = _rows(conn, request, name, {**values, "n": n})
        ids = np.array([row[0] for row in rows], np.int64)
        trial = room.trial()
        places = trial.pick(conn, ids, request.n)
        if len(places) == request.n or len(rows) < n or n == _MOST:
            break
        n = min(4 * n, _MOST)
    room.keep(trial)
    scores = np.array([row[1] for row in rows], np.float64)
    reasons = [_NOTE.sub("", rows[at][2]) for at in places]
    return Choice(ids[places], scores[places], reasons)


def _rows(
    conn: psycopg.Connection[Any], request: Request, name: str, values: dict[str, Any]
) -> list[tuple[int, float, str]]:
    values |= {"seed": request.seed, "predicate": request.predicate}
    with bounded(conn, request.predicate), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("sampling", name), values).fetchall()
