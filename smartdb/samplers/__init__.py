"""Samplers: each strategy a function that chooses among candidates, by the name it is asked for.

A strategy is called ``choose(conn, request, room, **parameters)`` and returns a `Choice`; its
keyword-only parameters are those that a caller may give. What SQL can choose is chosen by the
functions ``smartdb.sample_*``, so that there is one definition of each; the others read vectors.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

from smartdb.samplers.k_center import k_center
from smartdb.samplers.k_means import k_means
from smartdb.samplers.mixture import mixture
from smartdb.samplers.mmr import mmr
from smartdb.samplers.near import near
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room
from smartdb.samplers.stratified import balanced, random, stratified, weighted
from smartdb.samplers.typical import typical
from smartdb.samplers.uncertain import hard, uncertain, uncertain_diverse

Strategy = Callable[..., Choice]

STRATEGIES: dict[str, Strategy] = {
    "random": random,
    "stratified": stratified,
    "balanced": balanced,
    "weighted": weighted,
    "uncertain": uncertain,
    "uncertain+diverse": uncertain_diverse,
    "hard": hard,
    "near": near,
    "mmr": mmr,
    "k-center": k_center,
    "k-means": k_means,
    "typical": typical,
    "mixture": mixture,
}

__all__ = ["STRATEGIES", "Choice", "Request", "Room", "Strategy", "parameters_of"]


def parameters_of(strategy: str) -> dict[str, bool]:
    """Names of a strategy's parameters, and whether each must be given."""
    of = inspect.signature(STRATEGIES[strategy]).parameters.values()
    return {p.name: p.default is p.empty for p in of if p.kind is p.KEYWORD_ONLY}
