"""Random samples, by the SQL functions: plain, stratified, balanced, weighted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from smartdb.errors import InvalidInput
from smartdb.samplers.ranking import ranked
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room

Conn = psycopg.Connection[Any]


def random(conn: Conn, request: Request, room: Room) -> Choice:
    """At random."""
    return ranked(conn, request, room, "random")


def stratified(conn: Conn, request: Request, room: Room, *, stratum: str | None = None) -> Choice:
    """At random, the classes (or the values of ``stratum``, an expression on m) in proportion."""
    return ranked(conn, request, room, "stratified", stratum=stratum)


def balanced(
    conn: Conn,
    request: Request,
    room: Room,
    *,
    ratio: Mapping[str, float] | None = None,
    stratum: str | None = None,
) -> Choice:
    """At random, of each class the same number, or as many as ``ratio`` says of those it names.

    Where a class has too few the others make up for it, and a note says what fell short.
    """
    if ratio is not None and (
        not ratio or any(not 0 <= part < float("inf") for part in ratio.values())
    ):
        raise InvalidInput(f"ratios are finite numbers of 0 or more for some classes, not {ratio}")
    given = None if ratio is None else Jsonb(dict(ratio))
    found = ranked(conn, request, room, "balanced", ratio=given, stratum=stratum)
    short = _short(found, request.n, ratio)
    if not short:
        return found
    missing = ", ".join(f"{name} {most}" for name, most in short.items())
    return replace(found, notes=(f"fewer than wanted: {missing}",), counts={"short": short})


def weighted(conn: Conn, request: Request, room: Room, *, weight: str) -> Choice:
    """At random, each as likely as its ``weight``, an expression on m."""
    return ranked(conn, request, room, "weighted", weight=weight)


def _short(found: Choice, n: int, ratio: Mapping[str, float] | None) -> dict[str, int]:
    """By how many each stratum is below its share of ``n``, rounded down."""
    names = [reason.partition(" ")[2] for reason in found.reasons]
    shares = dict(zip(names, found.scores.tolist()))
    if ratio is not None:
        total = sum(ratio.values())
        shares = {name: part / total for name, part in ratio.items()}
    n_of = Counter(names)
    missing = {name: int(n * share + 1e-9) - n_of[name] for name, share in shares.items()}
    return {name: most for name, most in missing.items() if most > 0}
