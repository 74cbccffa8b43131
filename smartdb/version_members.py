"""Which media a dataset version is made of, as one SQL condition on smartdb.media read as m."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from smartdb import slices
from smartdb.errors import InvalidInput

_SLICE = "m.media_id in (select s.media_id from smartdb.slice_item({}) as s)"
_VERSION = "m.media_id in (select i.media_id from smartdb.dataset_item_at({}, {}) as i)"
_IDS = "m.media_id = any ({})"


@dataclass(frozen=True)
class Members:
    """The condition, and the ids that were asked for one by one."""

    query: str
    ids: tuple[int, ...] = ()


def of_batch(batch: int) -> str:
    """The media of a batch."""
    return slices.IN_BATCH.format(int(batch))


def of_slice(conn: psycopg.Connection[Any], name: str) -> str:
    """The media of a slice: those that fulfil its predicate now, or that were saved."""
    return _filled(conn, _SLICE, name)


def of_version(conn: psycopg.Connection[Any], dataset: str, version: int) -> str:
    """The members of a version."""
    return _filled(conn, _VERSION, dataset, version)


def changed(
    conn: psycopg.Connection[Any],
    query: str,
    add: Iterable[int | str],
    remove: Iterable[int | str],
) -> Members:
    """What fulfils ``query`` or is to be added, less what is to be removed.

    Both take ids of media and conditions. InvalidInput for an id that is to be added and removed.
    """
    added, more = _ids(add)
    removed, less = _ids(remove)
    both = sorted(set(added) & set(removed))
    if both:
        raise InvalidInput(f"media {both[0]} is to be added and removed; say which")
    if added:
        more.append(_filled(conn, _IDS, added))
    if removed:
        less.append(_filled(conn, _IDS, removed))
    wanted = " or ".join(map(_bracketed, [query, *more])) if more else query
    if less:
        unwanted = " or ".join(map(_bracketed, less))
        wanted = f"{_bracketed(wanted)} and ({unwanted}) is not true"
    return Members(wanted, tuple(added))


def _ids(things: Iterable[int | str]) -> tuple[list[int], list[str]]:
    """The ids and the conditions among them."""
    ids, conditions = [], []
    for thing in things:
        if isinstance(thing, int) or thing.strip().isdecimal():
            ids.append(int(thing))
        else:
            conditions.append(thing)
    return sorted(set(ids)), conditions


def _bracketed(condition: str) -> str:
    return f"({condition}\n)" if "--" in condition else f"({condition})"


def _filled(conn: psycopg.Connection[Any], text: str, *values: Any) -> str:
    return sql.SQL(text).format(*map(sql.Literal, values)).as_string(conn)
