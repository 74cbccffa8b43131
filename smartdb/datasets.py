"""Datasets: sealed versions of which media belong, in which split, with the labels of when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from smartdb import predicates, revisions, runs, version_changes
from smartdb.errors import Conflict, NothingToDo, SmartdbError, translated
from smartdb.sealed import (
    DIFFS,
    DatasetVersion,
    Verdict,
    class_balance,
    class_diff,
    diff,
    find_spec,
    find_version,
    label_diff,
    list_versions,
    row,
    verify,
    version_number,
)
from smartdb.statements import statement
from smartdb.turns import turn
from smartdb.version_plan import SEED, TEST, VAL, Plan, Request, plan, settings

__all__ = [
    "DIFFS", "SEED", "TEST", "VAL", "DatasetVersion", "Verdict", "class_balance", "class_diff",
    "create_version", "diff", "find_spec", "find_version", "fork", "label_diff", "list_versions",
    "restore", "verify", "version_number",
]  # fmt: skip

COUNTS = ("added", "removed", "moved", "items", "train", "val", "test")
KIND = "dataset_version"

Find = Callable[[int], dict[str, int]]
"""Stages the changes at a revision and returns counts."""


def create_version(
    conn: psycopg.Connection[Any],
    name: str,
    *,
    ontology: str | None = None,
    query: str | None = None,
    batch: int | None = None,
    slice: str | None = None,
    parent: str | None = None,
    add: Sequence[int | str] = (),
    remove: Sequence[int | str] = (),
    seed: int | None = None,
    val: float | None = None,
    test: float | None = None,
    stratify: str | None = None,
    purpose: str | None = None,
    encoder: str | None = None,
    leave_out_refused: bool = False,
    message: str = "",
    timeout_s: float = predicates.TIMEOUT_S,
) -> DatasetVersion:
    """Seals the next version of a dataset, or returns the newest if nothing has changed since.

    Members are the media that have a label of the ontology and fulfil ``query``, a condition on
    smartdb.media read as m; or are in the ``batch``, the ``slice``, or the version ``parent``
    (number, tag, or DATASET@either); with what fulfils one of ``add`` and without what fulfils one
    of ``remove``, conditions or ids of media (of the newest version, if nothing else is named).

    What is not given is as in the version before (in the first: query true, seed 0, val 0.1, test
    0.2; the ontology must be named then), so that nothing changes its split when data are added,
    and near-duplicates stay together. ``stratify`` "class" gives each class its share of val and
    test (see docs/decisions); "none" ends that. ``encoder`` notes whose vectors chose.

    ``purpose`` declares the use: if the terms of a member do not allow it UseRefused names it, or
    with ``leave_out_refused`` it is no member, and counted as left_out. It commits. InvalidInput
    for a query that fails, writes or takes too long, NothingToDo if there are no members.
    """
    asked = Request(
        ontology=ontology,
        query=query,
        batch=batch,
        slice=slice,
        parent=parent,
        add=add,
        remove=remove,
        seed=seed,
        val=val,
        test=test,
        stratify=stratify,
        purpose=purpose,
        encoder=encoder,
    )
    with turn(conn, f"dataset {name}"):
        planned = plan(conn, name, asked)

        def find(revision: int) -> dict[str, int]:
            return version_changes.find_changes(
                conn, planned, revision, timeout_s, leave_out_refused
            )

        return _make(conn, planned, find, message)


def restore(
    conn: psycopg.Connection[Any],
    name: str,
    version: int | str,
    *,
    labels: bool = False,
    actor: str | None = None,
    leave_out_refused: bool = False,
    message: str = "",
) -> DatasetVersion:
    """Seals a version with the members and splits of an earlier one, and its query and seed.

    With ``labels`` what was said of the members then is said again, and what was said since is
    closed, as a new revision: history stays. Each label keeps who said it; the run says that
    ``actor`` restored it. Then the digest equals the earlier one, unless members are hidden or
    erased by now (counted as hidden). Labels are written first: killed in between, it is run again.
    It commits. NotFound for an unknown or pruned version.
    """
    with turn(conn, f"dataset {name}"):
        old = find_version(conn, name, version)
        planned = _again(conn, old, name)
        told = {"labels": labels, "actor": actor, "restored": old.version}
        counts = _restore_labels(conn, planned, old, told) if labels else {}

        def find(revision: int) -> dict[str, int]:
            found = version_changes.find_restored(conn, planned, revision, leave_out_refused)
            return {**found, **counts}

        return _make(conn, planned, find, message or f"version {old.version} restored", told)


def fork(
    conn: psycopg.Connection[Any],
    name: str,
    version: int | str | None,
    new: str,
    *,
    leave_out_refused: bool = False,
    message: str = "",
) -> DatasetVersion:
    """Makes a new dataset whose first version is a version of another: members, splits, labels.

    Its labels are those of the same revision, so its digest is the same too (but for members that
    are hidden by now), and with seed and shares it inherits how later media are split. It commits.
    Conflict if there is a dataset of the new name.
    """
    with turn(conn, f"dataset {new}"):
        old = find_version(conn, name, version)
        planned = _again(conn, old, new)
        if planned.dataset_id is not None:
            raise Conflict(f"there is a dataset {new!r} already; choose another name")

        def find(revision: int) -> dict[str, int]:
            return version_changes.find_restored(conn, planned, revision, leave_out_refused)

        message = message or f"fork of {name} version {old.version}"
        return _make(conn, planned, find, message, revision=old.revision)


def _again(conn: psycopg.Connection[Any], old: DatasetVersion, name: str) -> Plan:
    """The plan of a version of ``name`` that is as ``old``, with the same settings."""
    asked = Request(
        ontology=old.ontology,
        query=old.query,
        seed=old.seed,
        val=old.parameters.get("val"),
        test=old.parameters.get("test"),
        stratify=old.parameters.get("stratify", "none"),
        purpose=old.purpose,
        encoder=old.encoder,
    )
    planned = plan(conn, name, asked)
    parent_id = settings(conn, old.dataset, None)["dataset_id"]
    parent = {"parent_dataset_id": parent_id, "parent_version": old.version}
    if name != old.dataset:
        parent["ontology_version"] = old.ontology_version
    return replace(planned, **parent, batch_id=old.batch_id, purpose=old.purpose)


def _restore_labels(
    conn: psycopg.Connection[Any], planned: Plan, old: DatasetVersion, told: Mapping[str, Any]
) -> dict[str, int]:
    parameters = {"dataset": old.dataset, **told}
    with translated(), runs.run(conn, "restore_labels", parameters) as run:
        values = {"dataset_id": planned.dataset_id, "version": old.version}
        values |= {"revision": old.revision, "run_id": run.run_id}
        conn.execute(statement("datasets", "stage_restored"), values)
        conn.execute("analyze pg_temp.restored_item")
        closed = conn.execute(statement("datasets", "close_labels"), values).rowcount
        reopened = conn.execute(statement("datasets", "reopen_labels"), values).rowcount
        conn.execute(statement("datasets", "unstage_restored"))
        run.counts.update(closed=closed, reopened=reopened)
    return {"labels_closed": closed, "labels_reopened": reopened}


def _make(
    conn: psycopg.Connection[Any],
    planned: Plan,
    find: Find,
    message: str,
    told: Mapping[str, Any] | None = None,
    revision: int | None = None,
) -> DatasetVersion:
    """Finds the changes, then writes and seals them in a run; there is no run if there are none."""
    at = revisions.checkpoint(conn) if revision is None else revision
    shown = {"dataset": planned.dataset, "query": planned.query, **_parameters(planned)}
    shown |= {"purpose": planned.purpose, "revision": at, **(told or {})}
    try:
        counts: dict[str, Any] = find(at)
    except SmartdbError:
        conn.rollback()
        with runs.run(conn, KIND, shown, planned.seed):  # one that failed
            raise
    if not version_changes.is_same(conn, planned):
        with runs.run(conn, KIND, shown, planned.seed) as run:
            counts |= _write(conn, planned, run.run_id, at, message)
            run.counts.update(counts)
    conn.execute(statement("datasets", "unstage"))
    sealed = find_version(conn, planned.dataset)
    return replace(sealed, is_new=sealed.version != planned.newest, counts=counts)


def _parameters(planned: Plan) -> dict[str, Any]:
    strata = {"stratify": planned.stratify} if planned.stratify else {}
    return {"val": planned.val, "test": planned.test, **strata}


def _write(
    conn: psycopg.Connection[Any], planned: Plan, run_id: int, revision: int, message: str
) -> dict[str, int]:
    """Writes and seals the version in one transaction, or undoes it if it equals the newest."""
    values: dict[str, Any] = {
        **vars(planned),
        "revision": revision,
        "run_id": run_id,
        "message": message or ("new data or labels" if planned.newest else "first version"),
        "parameters": Jsonb(_parameters(planned)),
    }
    with translated(), conn.transaction() as transaction:
        conn.execute(statement("datasets", "add_dataset"), values)
        begun = row(conn, "begin", values)
        assert begun is not None
        values |= {"dataset_id": begun[0], "version": begun[1]}
        counts = _write_items(conn, planned, values)
        sealed = row(conn, "seal", values | {"n_items": counts["items"]})
        before = _digest(conn, planned)
        if sealed is not None and sealed[0] == before and not planned.is_restated:
            raise psycopg.Rollback(transaction)
    return counts


def _write_items(
    conn: psycopg.Connection[Any], planned: Plan, values: Mapping[str, Any]
) -> dict[str, int]:
    conn.execute(statement("datasets", "end_items"), values)
    conn.execute(statement("datasets", "add_items"), values)
    found = row(conn, "counts", values)
    assert found is not None
    counts = dict(zip(COUNTS, found, strict=True))
    if counts["added"] + counts["removed"] > counts["items"] // 10:
        conn.execute(statement("datasets", "analyse_items"))
    if not counts["items"]:
        raise NothingToDo(f"no labelled media fulfil {planned.query!r}; label some first")
    return counts


def _digest(conn: psycopg.Connection[Any], planned: Plan) -> str | None:
    if planned.newest is None:
        return None
    return find_version(conn, planned.dataset, planned.newest).digest
