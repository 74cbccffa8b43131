"""Mixtures: some of the batch by one strategy, some by another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg

from smartdb.errors import InvalidInput, NothingToDo
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room


def mixture(
    conn: psycopg.Connection[Any],
    request: Request,
    room: Room,
    *,
    mix: Mapping[str, float],
    **parameters: Any,
) -> Choice:
    """Of n as many by each strategy as its weight in ``mix`` says, in that order, none twice.

    What one cannot give, the others do. Each gets those of the ``parameters`` that it has.
    """
    from smartdb.samplers import STRATEGIES, parameters_of

    _check(mix, set(STRATEGIES) - {"mixture"})
    parts: list[Choice] = []
    wanted = _shares(mix, request.n)
    left, n_left = request, request.n
    for name in [*mix, *mix]:  # the second time round for what is missing
        n = min(n_left, wanted.pop(name, n_left))
        if n == 0:
            continue
        own = {key: value for key, value in parameters.items() if key in parameters_of(name)}
        try:
            part = STRATEGIES[name](conn, replace(left, n=n), room, **own)
        except NothingToDo:
            continue
        parts.append(replace(part, reasons=[f"{name}: {reason}" for reason in part.reasons]))
        left, n_left = left.after(part.ids), n_left - len(part.ids)
    return _joined(parts)


def _shares(mix: Mapping[str, float], n: int) -> dict[str, int]:
    """Whole numbers in the ratio of the weights that add up to ``n``: largest remainders."""
    total = sum(mix.values())
    exact = {name: n * weight / total for name, weight in mix.items()}
    share = {name: math.floor(part) for name, part in exact.items()}
    rest = sorted(exact, key=lambda name: share[name] - exact[name])
    for name in rest[: n - sum(share.values())]:
        share[name] += 1
    return share


def _check(mix: Mapping[str, float], known: set[str]) -> None:
    if unknown := set(mix) - known:
        raise InvalidInput(
            f"cannot mix {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}"
        )
    if not mix or not all(0 < weight < math.inf for weight in mix.values()):
        raise InvalidInput(f"the weights of a mixture are finite and above 0, not {dict(mix)}")


def _joined(parts: list[Choice]) -> Choice:
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    counts = {key: value for part in parts for key, value in part.counts.items()}
    return Choice(
        np.concatenate([np.zeros(0, np.int64), *(part.ids for part in parts)]),
        np.concatenate([np.zeros(0), *(part.scores for part in parts)]),
        [reason for part in parts for reason in part.reasons],
        tuple(notes),
        counts,
    )
