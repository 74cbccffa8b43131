"""Sampling: one call that chooses media by a strategy and writes them down as a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import psycopg
from psycopg import sql

from smartdb import batches, predicates
from smartdb.errors import InvalidInput, NothingToDo
from smartdb.samplers import STRATEGIES, Choice, Request, Room, parameters_of
from smartdb.samplers.requests import Pool

_HAS_CLASS = "exists (select from smartdb.media_class as c where c.media_id = m.media_id)"
_IN_POOL = {"all": "true", "labelled": _HAS_CLASS, "unlabelled": f"not {_HAS_CLASS}"}
_BATCHES = (
    "not exists (select from smartdb.batch_item as b"
    " where b.media_id = m.media_id and b.batch_id = any ({}))"
)


def sample(
    conn: psycopg.Connection[Any],
    strategy: str,
    n: int,
    *,
    seed: int = 0,
    predicate: str = "true",
    slice: str | None = None,
    pool: Pool = "all",
    encoder: str | None = None,
    after: int | Sequence[int] = (),
    cap: Mapping[str, int] | None = None,
    **parameters: Any,
) -> int:
    """Chooses ``n`` media by a strategy of `smartdb.samplers` and returns the batch's id.

    The candidates fulfil ``predicate`` (SQL on smartdb.media, read as m), lie in the ``slice`` and
    the ``pool``, and are in none of the batches ``after``. ``cap`` says how many may be chosen of
    each "group", "duplicate" group, "source" or "class". ``parameters`` are the strategy's own.
    The same call on the same data chooses the same, and returns the batch that is there. It
    commits. Fewer than ``n`` candidates are all taken, and the reason says so; NothingToDo if there
    are none, InvalidInput for what makes no sense, NotFound for what is not there.
    """
    if n < 1:
        raise InvalidInput(f"cannot choose {n} media; ask for 1 or more")
    _check(strategy, parameters, pool)
    earlier = [after] if isinstance(after, int) else sorted(set(after))
    room = Room(dict(cap or {}))
    about = _About(predicate, slice, pool, earlier)
    request = _request(conn, n, seed, encoder, about)
    choice = STRATEGIES[strategy](conn, request, room, **parameters)
    if not len(choice.ids):
        raise NothingToDo(request.nobody)
    asked = {"n": n, **asdict(about), "encoder": encoder, "cap": dict(room.caps), **parameters}
    return batches.write(conn, strategy, _said(asked), seed, _noted(choice, n, room))


@dataclass(frozen=True)
class _About:
    """Which media are candidates."""

    predicate: str
    slice: str | None
    pool: Pool
    after: list[int]

    def nobody(self) -> str:
        """Says that there is none."""
        parts = [f"no {'' if self.pool == 'all' else self.pool + ' '}media"]
        parts += [f"that fulfils {self.predicate}"] if self.predicate != "true" else []
        parts += [f"in slice {self.slice!r}"] if self.slice else []
        parts += [f"outside of batch {', '.join(map(str, self.after))}"] if self.after else []
        return f"there is nothing to choose from: {' '.join(parts)} can be chosen"


def _check(strategy: str, parameters: Mapping[str, Any], pool: str) -> None:
    if strategy not in STRATEGIES:
        raise InvalidInput(f"no strategy {strategy!r}; there are: {', '.join(STRATEGIES)}")
    if pool not in get_args(Pool):
        raise InvalidInput(f"no pool {pool!r}; there are: {', '.join(get_args(Pool))}")
    known = parameters_of(strategy)
    if strategy == "mixture":
        for part in parameters.get("mix") or ():
            known |= parameters_of(part) if part in STRATEGIES else {}
    for name in parameters:
        if name not in known:
            has = f"it has: {', '.join(known)}" if known else "it has none"
            raise InvalidInput(f"strategy {strategy} has no parameter {name}; {has}")
    for name, is_needed in known.items():
        if is_needed and parameters.get(name) is None:
            raise InvalidInput(f"strategy {strategy} needs the parameter {name}")


def _request(
    conn: psycopg.Connection[Any], n: int, seed: int, encoder: str | None, about: _About
) -> Request:
    """What to ask the strategy for: all conditions as one predicate."""
    given = about.predicate if about.predicate != "true" else None
    conditions = [predicates.combined(conn, given, about.slice), _IN_POOL[about.pool]]
    before: tuple[int, ...] = ()
    if about.after:
        before = tuple(batches.members(conn, about.after))
        conditions.append(sql.SQL(_BATCHES).format(sql.Literal(about.after)).as_string(conn))
    joined = " and ".join(part for part in conditions if part != "true") or "true"
    return Request(n, seed, joined, about.pool, encoder, before, about.nobody())


def _noted(choice: Choice, n: int, room: Room) -> Choice:
    """The choice, whose reasons say so where it is smaller than asked for."""
    if len(choice.ids) >= n:
        return choice
    whole = f"no more than {len(choice.ids)} fit the caps" if room.caps else ""
    whole = whole or f"all {len(choice.ids)} candidates were taken"
    note = f"{whole}, {n} asked for"
    reasons = [f"{reason}, {note}" for reason in choice.reasons]
    return replace(choice, reasons=reasons, notes=(*choice.notes, note))


def _said(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that were given, for the record."""
    empty: tuple[Any, ...] = (None, "true", [], {}, "all")
    return {
        name: value.tolist() if hasattr(value, "tolist") else value
        for name, value in asked.items()
        if not any(value is each or value == each for each in empty)
    }
