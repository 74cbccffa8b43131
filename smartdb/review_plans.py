"""Review plans: which labels of a lot reviewers look at, and what may be concluded from them.

A lot is the labels that fulfil a condition on smartdb.label (read as ``l``) and nobody reviewed.
Draws are deterministic: same labels, same seed, same sample. What follows from the verdicts is in
the views smartdb.review_plan and smartdb.review_plan_annotator. The caller owns the transaction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.predicates import TIMEOUT_S, bounded
from smartdb.statements import statement

Kind = Literal["share", "annotator", "risk", "acceptance"]

RISKS: Mapping[str, float] = {"issue": 1.0, "annotator": 0.5, "rarity": 0.25, "disagreement": 0.5}
"""How much each sign counts, 0 to 1: the score of an open suspicion, the author's share of wrong
labels, how rare the class is in the lot, how many others say another class of the media."""

PRIORITY = 0.5
"""Priority of the review tasks of plans; that of a suspicion is its score."""


@dataclass(frozen=True)
class Design:
    """A single sampling plan: check ``n``, accept the lot with at most ``max_wrong`` wrong."""

    n: int
    max_wrong: int


@dataclass(frozen=True)
class Plan:
    """A plan, how far it is and what it found; see the view smartdb.review_plan."""

    plan: str
    kind: str
    n_lot: int
    n_sample: int
    n_checked: int
    n_wrong: int
    n_open: int
    error_rate: float | None
    low: float | None
    high: float | None
    confidence: float
    max_wrong: int | None
    error_limit: float | None
    state: str
    finding: str


def design(
    n_lot: int,
    error_limit: float,
    *,
    confidence: float = 0.95,
    max_wrong: int | None = None,
    good: float | None = None,
    producer_risk: float = 0.05,
) -> Design:
    """The smallest single sampling plan for a lot, exact by the hypergeometric distribution.

    A lot of which the share ``error_limit`` or more is wrong is accepted with a probability of at
    most 1 - ``confidence`` (consumer's risk). ``max_wrong`` is given (default 0), or chosen so that
    a lot with a share ``good`` wrong (the AQL) is refused with at most ``producer_risk``.
    Schilling and Neubauer, Acceptance Sampling in Quality Control (2017), chapter 5; as ISO 2859-2
    for isolated lots. InvalidInput for bounds that no plan keeps.
    """
    from scipy.stats import hypergeom  # type: ignore[import-untyped]

    if n_lot < 1 or not 0 < error_limit < 1 or not 0 < confidence < 1:
        raise InvalidInput("a lot has labels; error limit and confidence lie between 0 and 1")
    if good is not None and not 0 <= good < error_limit:
        raise InvalidInput(f"a good lot has fewer wrong than the limit {error_limit}, not {good}")
    bad = math.ceil(error_limit * n_lot - 1e-9)
    fine = math.floor((good or 0.0) * n_lot + 1e-9)
    limits = range(bad) if max_wrong is None and good is not None else [max_wrong or 0]
    for limit in limits:
        low, high = limit, n_lot
        while low + 1 < high:  # the chance to accept a bad lot falls with n
            middle = (low + high) // 2
            if hypergeom.cdf(limit, n_lot, bad, middle) <= 1 - confidence:
                high = middle
            else:
                low = middle
        if hypergeom.cdf(limit, n_lot, bad, high) > 1 - confidence:
            break
        if good is None or hypergeom.cdf(limit, n_lot, fine, high) >= 1 - producer_risk:
            return Design(high, limit)
    raise InvalidInput(
        f"no sample of a lot of {n_lot} keeps these bounds; allow a larger error limit, "
        "or fewer wrong"
    )


def error_bound(n_lot: int, n: int, n_wrong: int, confidence: float = 0.95) -> float:
    """The largest share of wrong labels of a lot that ``n_wrong`` of ``n`` checked leave possible.

    One-sided, exact by the hypergeometric distribution: with a larger share so few would be found
    with a probability below 1 - ``confidence``.
    """
    from scipy.stats import hypergeom

    low, high = n_wrong, n_lot - (n - n_wrong)
    while low < high:
        middle = (low + high + 1) // 2
        if hypergeom.cdf(n_wrong, n_lot, middle, n) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return low / n_lot


def create(
    conn: psycopg.Connection[Any],
    name: str,
    kind: Kind,
    *,
    predicate: str = "true",
    share: float | None = None,
    n: int | None = None,
    error_limit: float | None = None,
    good: float | None = None,
    max_wrong: int | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    risks: Mapping[str, float] = RISKS,
) -> Plan:
    """Draws a plan and returns it; `follow` opens its tasks.

    share: the ``share`` of the lot. annotator: ``n`` of each actor. risk: the ``n`` (or the share)
    likeliest errors. acceptance: as `design` says for ``error_limit``. Conflict for a name that is
    taken, NothingToDo for an empty lot, InvalidInput for a condition that does not work.
    """
    values: dict[str, Any] = {"name": name, "kind": kind, "predicate": predicate, "seed": seed}
    with bounded(conn, predicate, TIMEOUT_S, read_only=False):
        _execute(conn, "stage", {})
        _execute(conn, "fill", {"predicate": predicate})
    lots = {actor: int(count) for actor, count in _rows(conn, "sizes", {})}
    n_lot = sum(lots.values())
    if not n_lot:
        raise NothingToDo(f"no unreviewed label fulfils {predicate!r}")
    plan = None
    if kind == "acceptance":
        if error_limit is None:
            raise InvalidInput("an acceptance plan needs an error limit, such as 0.02")
        plan = design(n_lot, error_limit, confidence=confidence, max_wrong=max_wrong, good=good)
    size = plan.n if plan else _size(kind, n_lot, share, n)
    if kind == "risk":
        _execute(conn, "weigh", {**RISKS, **risks})
    parameters = {"share": share, "n": n, "good": good}
    if kind == "annotator":
        parameters["lots"] = lots  # type: ignore[assignment]
    if kind == "risk":
        parameters["risks"] = {**RISKS, **risks}  # type: ignore[assignment]
    values |= {
        "parameters": Jsonb({key: value for key, value in parameters.items() if value is not None}),
        "n_lot": n_lot,
        "max_wrong": plan.max_wrong if plan else None,
        "error_limit": error_limit if plan else None,
        "confidence": confidence,
    }
    plan_id = _rows(conn, "add", values)[0][0]
    draw = {"plan_id": plan_id, "each": kind == "annotator", "n": size, "seed": seed}
    _execute(conn, "draw", draw)
    return find(conn, name)


def follow(conn: psycopg.Connection[Any], name: str | None = None) -> dict[str, int]:
    """Does what the plans (or one) ask for: opens review tasks, takes in the rest of refused lots.

    Safe to run again. Returns screened (lots), screening (labels taken in) and opened (tasks).
    """
    screened = _rows(conn, "rejected", {"plan": name})
    taken = 0
    for plan_id, _, predicate, revision in screened:
        values = {"plan_id": plan_id, "predicate": predicate, "revision": revision}
        with bounded(conn, predicate, TIMEOUT_S, read_only=False):
            taken += _execute(conn, "screen", values)
        _execute(conn, "screened", {"plan_id": plan_id})
    opened = _execute(conn, "open_tasks", {"plan": name, "priority": PRIORITY})
    return {"screened": len(screened), "screening": taken, "opened": opened}


def plans(conn: psycopg.Connection[Any]) -> list[Plan]:
    """All plans, the newest first."""
    return [Plan(*row) for row in _rows(conn, "plans", {"plan": None})]


def find(conn: psycopg.Connection[Any], name: str) -> Plan:
    """One plan; NotFound if there is none of that name."""
    found = _rows(conn, "plans", {"plan": name})
    if not found:
        raise NotFound(f"no review plan {name!r}; see: smartdb plan list")
    return Plan(*found[0])


def annotators(conn: psycopg.Connection[Any], name: str) -> list[tuple[Any, ...]]:
    """(actor, n_sample, n_checked, n_wrong, error_rate, low, high) of a plan, the worst first."""
    return _rows(conn, "annotators", {"plan": name})


def _size(kind: Kind, n_lot: int, share: float | None, n: int | None) -> int:
    """How many to draw, in all or of each."""
    if (share is None) == (n is None) or (kind == "annotator" and n is None):
        raise InvalidInput(
            f"a plan of kind {kind} needs {'n' if kind == 'annotator' else 'n or a share'}"
        )
    if share is not None and not 0 < share <= 1:
        raise InvalidInput(f"a share lies between 0 and 1, not {share}")
    size = n if n is not None else math.ceil(share * n_lot - 1e-9)  # type: ignore[operator]
    if size < 1:
        raise InvalidInput(f"cannot draw {size} labels")
    return size


def _execute(conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]) -> int:
    with translated():
        return conn.execute(statement("review_plans", name), values or None).rowcount


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("review_plans", name), values or None).fetchall()
