"""Datasets: sealed versions of which media belong, in which split, with the labels of when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import predicates, runs
from smartdb.errors import (
    InvalidInput,
    NotFound,
    NothingToDo,
    UseRefused,
    translated,
)
from smartdb.statements import statement
from smartdb.terms import checked_use
from smartdb.turns import turn

SEED, VAL, TEST = 0, 0.1, 0.2
COUNTS = ("added", "removed", "moved", "items", "train", "val", "test")


@dataclass(frozen=True)
class DatasetVersion:
    """A sealed version; ``is_new`` says that this call made it."""

    dataset: str
    version: int
    n_items: int
    revision: int
    query: str
    parameters: Mapping[str, Any]
    seed: int
    digest: str
    message: str
    ontology: str
    run_id: int
    sealed_at: datetime
    purpose: str | None = None
    is_new: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Plan:
    dataset: str
    ontology_id: int
    query: str
    seed: int
    val: float
    test: float
    newest: int | None
    purpose: str | None
    before: str | None  # the purpose of the newest


def create_version(
    conn: psycopg.Connection[Any],
    name: str,
    *,
    ontology: str | None = None,
    query: str | None = None,
    seed: int | None = None,
    val: float | None = None,
    test: float | None = None,
    purpose: str | None = None,
    leave_out_refused: bool = False,
    message: str = "",
    timeout_s: float = predicates.TIMEOUT_S,
) -> DatasetVersion:
    """Seals the next version of a dataset, or returns the newest if nothing has changed since.

    Members are the media that have a class of the ontology and fulfil ``query``, a condition on
    smartdb.media read as m. What is not given is as in the version before (in the first: query
    true, seed 0, val 0.1, test 0.2; the ontology must be named then), so that nothing changes its
    split when data are added, and near-duplicates stay together. ``purpose`` declares the use: if
    the terms of a member do not allow it UseRefused names it, or with ``leave_out_refused`` it is
    no member, and counted as left_out. It commits. InvalidInput for a query that fails, writes or
    takes too long, NothingToDo if there are no members.
    """
    with turn(conn, f"dataset {name}"):
        plan = _plan(conn, name, ontology, query, seed, val, test, purpose)
        parameters = {"dataset": name, "query": plan.query, "val": plan.val, "test": plan.test}
        parameters |= {"purpose": plan.purpose, "leave_out_refused": leave_out_refused}
        with runs.run(conn, "dataset_version", parameters, plan.seed) as run:
            revision = _checkpoint(conn)
            _find_changes(conn, plan, revision, timeout_s)
            run.counts.update(_settle_refused(conn, plan, leave_out_refused))
            run.counts.update(_write(conn, plan, run.run_id, revision, message))
        sealed = find_version(conn, name)
        is_new = sealed.version != plan.newest
        return DatasetVersion(**{**vars(sealed), "is_new": is_new, "counts": dict(run.counts)})


def find_version(
    conn: psycopg.Connection[Any], name: str, version: int | None = None
) -> DatasetVersion:
    """A sealed version, by default the newest; NotFound if there is none."""
    found = _versions(conn, name, version)
    if not found:
        which = "version" if version is None else f"version {version}"
        raise NotFound(f"dataset {name!r} has no sealed {which}; run: smartdb dataset list")
    return found[-1]


def list_versions(conn: psycopg.Connection[Any], name: str | None = None) -> list[DatasetVersion]:
    """Sealed versions of a dataset, or of all, oldest first."""
    return _versions(conn, name, None)


def class_balance(
    conn: psycopg.Connection[Any], name: str, version: int
) -> list[tuple[str, str | None, int, float]]:
    """Split, class, number and share in the split, for each class a version holds."""
    return _rows(conn, "class_balance", {"dataset": name, "version": version})


def diff(
    conn: psycopg.Connection[Any], name: str, version_a: int, version_b: int
) -> list[tuple[int, str, str | None, str | None, str | None, str | None]]:
    """Media, change (added, removed, moved, relabelled), splits and classes before and after."""
    find_version(conn, name, version_a)
    find_version(conn, name, version_b)
    if version_a > version_b:
        raise InvalidInput(f"version {version_a} is later than {version_b}: name the earlier first")
    values = {"dataset": name, "version_a": version_a, "version_b": version_b}
    return _rows(conn, "diff", values)


def _plan(
    conn: psycopg.Connection[Any],
    name: str,
    ontology: str | None,
    query: str | None,
    seed: int | None,
    val: float | None,
    test: float | None,
    purpose: str | None,
) -> _Plan:
    if not name:
        raise InvalidInput("a dataset needs a name")
    before = _row(conn, "settings", {"dataset": name})
    if before is None:
        if ontology is None:
            raise InvalidInput(
                f"dataset {name!r} is new: name the ontology of its classes: --ontology"
            )
        before = (_ontology_id(conn, ontology), ontology, *[None] * 6)
    if ontology not in (None, before[1]):
        raise InvalidInput(f"dataset {name!r} has the classes of {before[1]!r}, not {ontology!r}")
    plan = _Plan(
        dataset=name,
        ontology_id=before[0],
        query=_first(query, before[3], "true"),
        seed=_first(seed, before[4], SEED),
        val=_first(val, before[5], VAL),
        test=_first(test, before[6], TEST),
        newest=before[2],
        purpose=checked_use(purpose) if purpose else before[7],
        before=before[7],
    )
    if not (plan.val >= 0 and plan.test >= 0 and plan.val + plan.test < 1):
        raise InvalidInput(f"val {plan.val} and test {plan.test} must be shares that leave a rest")
    return plan


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _ontology_id(conn: psycopg.Connection[Any], ontology: str) -> int:
    row = _row(conn, "ontology_id", {"ontology": ontology})
    if row is None:
        raise NotFound(f"no ontology {ontology!r}; see: smartdb classes")
    return int(row[0])


def _checkpoint(conn: psycopg.Connection[Any]) -> int:
    with translated(), conn.transaction():
        row = _row(conn, "checkpoint", {})
    assert row is not None
    return int(row[0])


def _find_changes(
    conn: psycopg.Connection[Any], plan: _Plan, revision: int, timeout_s: float
) -> None:
    """Writes what differs from the newest version, where nothing else can be written."""
    values = {**vars(plan), "revision": revision}
    conn.execute(statement("datasets", "stage"))
    conn.execute(statement("datasets", "find_refused"), values)
    conn.execute(statement("datasets", "analyse_refused"))
    with predicates.bounded(conn, plan.query, timeout_s):
        condition = predicates.checked(conn, plan.query)
        conn.execute(statement("datasets", "join_in_order"))
        conn.execute(statement("datasets", "find_changes").format(query=condition), values)
    conn.execute(statement("datasets", "analyse"))


def _settle_refused(conn: psycopg.Connection[Any], plan: _Plan, leave_out: bool) -> dict[str, int]:
    """Leaves out the media whose terms refuse the purpose, or names them: UseRefused."""
    if plan.purpose is None:
        return {}
    found = _rows(conn, "refused", {})
    n = found[0][0] if found else 0
    if n and not leave_out:
        some = "; ".join(f"media {media_id}: {reason}" for _, media_id, reason in found)
        raise UseRefused(
            f"{n} media do not allow {plan.purpose!r} ({some}{'; ...' if n > len(found) else ''}); "
            f"see: smartdb terms refused {plan.purpose}; state terms: smartdb source set, "
            "smartdb terms set; or leave them out: --leave-out-refused"
        )
    conn.execute(statement("datasets", "leave_out"))
    return {"left_out": n}


def _write(
    conn: psycopg.Connection[Any], plan: _Plan, run_id: int, revision: int, message: str
) -> dict[str, int]:
    """Writes and seals the version in one transaction, or undoes it if it equals the newest."""
    values: dict[str, Any] = {
        **vars(plan),
        "revision": revision,
        "run_id": run_id,
        "message": message or ("new data or labels" if plan.newest else "first version"),
        "parameters": Jsonb({"val": plan.val, "test": plan.test}),
    }
    with translated(), conn.transaction() as transaction:
        conn.execute(statement("datasets", "add_dataset"), values)
        begun = _row(conn, "begin", values)
        assert begun is not None
        values |= {"dataset_id": begun[0], "version": begun[1]}
        counts = _write_items(conn, plan, values)
        sealed = _row(conn, "seal", values | {"n_items": counts["items"]})
        before = _digest(conn, plan)
        if sealed is not None and sealed[0] == before and plan.purpose == plan.before:
            raise psycopg.Rollback(transaction)
    conn.execute(statement("datasets", "unstage"))
    return counts


def _write_items(
    conn: psycopg.Connection[Any], plan: _Plan, values: Mapping[str, Any]
) -> dict[str, int]:
    conn.execute(statement("datasets", "end_items"), values)
    conn.execute(statement("datasets", "add_items"), values)
    row = _row(conn, "counts", values)
    assert row is not None
    counts = dict(zip(COUNTS, row, strict=True))
    if counts["added"] + counts["removed"] > counts["items"] // 10:
        conn.execute(statement("datasets", "analyse_items"))
    if not counts["items"]:
        raise NothingToDo(f"no labelled media fulfil {plan.query!r}; label some first")
    return counts


def _digest(conn: psycopg.Connection[Any], plan: _Plan) -> str | None:
    return None if plan.newest is None else find_version(conn, plan.dataset, plan.newest).digest


def _versions(
    conn: psycopg.Connection[Any], name: str | None, version: int | None
) -> list[DatasetVersion]:
    values = {"dataset": name, "version": version}
    return [DatasetVersion(*row) for row in _rows(conn, "versions", values)]


def _row(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> tuple[Any, ...] | None:
    rows = _rows(conn, name, values)
    return rows[0] if rows else None


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("datasets", name), values or None).fetchall()
