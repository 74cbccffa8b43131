"""Lists as tools ask for them: pages by keyset, whose key is that of the last row seen.

Every function runs the statement of its name in ``queries/api.sql``, whose columns the rows have.
A page begins after ``after``, the key of the last row of the page before; a key of None begins
at the start. Unknown names give empty lists, except where NotFound is said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import psycopg
from psycopg.rows import dict_row

from smartdb import datasets, exports, version_marks
from smartdb.errors import NotFound
from smartdb.statements import statement

Row = dict[str, Any]
Connection = psycopg.Connection[Any]


def answer(conn: Connection) -> None:
    """Reads the interface, to see that it can be."""
    _rows(conn, "answer")


def classes(conn: Connection, ontology: str | None = None) -> list[Row]:
    """The classes in use, of one ontology or all."""
    return _rows(conn, "classes", ontology=ontology)


def task_page(
    conn: Connection, kind: str, after: tuple[float | None, int | None], limit: int
) -> list[Row]:
    """Tasks that wait, most wanted first; the key is (priority, task_id)."""
    return _rows(conn, "tasks", kind=kind, priority=after[0], task_id=after[1], limit=limit)


def review_page(
    conn: Connection, kind: str | None, after: tuple[float | None, int | None], limit: int
) -> list[Row]:
    """Open suspicions, most suspicious first; the key is (score, issue_id)."""
    score, issue_id = after
    values = {"kind": kind, "score": score}
    tied: list[Row] = []
    if score is not None:
        tied = _rows(conn, "review_queue_tied", **values, issue_id=issue_id, limit=limit)
    if len(tied) == limit:
        return tied
    return tied + _rows(conn, "review_queue_below", **values, limit=limit - len(tied))


def consensus_page(
    conn: Connection, method: str | None, after: int | None, limit: int
) -> list[Row]:
    """What annotators say together, by label; the key is label_id."""
    return _rows(conn, "consensus", method=method, after=after or 0, limit=limit)


def version_page(
    conn: Connection, dataset: str | None, after: tuple[str | None, int | None], limit: int
) -> list[Row]:
    """Sealed dataset versions, by name, the newest of each first; the key is (dataset, version)."""
    return _rows(conn, "versions", dataset=dataset, after=after[0], version=after[1], limit=limit)


def export_page(conn: Connection, dataset: str, version: int, after: int, limit: int) -> list[Row]:
    """Exports of a sealed version, oldest first; the key is export_id. NotFound without one."""
    datasets.find_version(conn, dataset, version)
    return [asdict(e) for e in exports.exports(conn, dataset, version, after=after, limit=limit)]


def find_version(conn: Connection, dataset: str, version: int) -> Row:
    """One sealed version, with its ``class_balance``; NotFound if there is none."""
    found = datasets.find_version(conn, dataset, version)
    columns = ("split", "class", "n", "share")
    balance = datasets.class_balance(conn, dataset, version)
    return {**asdict(found), "class_balance": [dict(zip(columns, row)) for row in balance]}


def dataset_tags(conn: Connection, dataset: str) -> list[Row]:
    """Where the tags of a dataset point, and pointed."""
    return [asdict(tag) for tag in version_marks.tags(conn, dataset)]


def version_diff(conn: Connection, dataset: str, a: int, b: int, of: str, limit: int) -> Row:
    """How many changes there are between two versions, and the first ``limit`` as rows."""
    find, columns = datasets.DIFFS[of]
    rows = find(conn, dataset, a, b)
    changes = Counter(row[columns.index("change")] for row in rows)
    items = [dict(zip(columns, row, strict=True)) for row in rows[:limit]]
    return {"n": len(rows), "n_by_change": dict(changes), "items": items}


def verify_version(conn: Connection, dataset: str, version: int) -> Row:
    """Whether a version counts to its digest."""
    return asdict(datasets.verify(conn, dataset, version))


def run_page(
    conn: Connection, kind: str | None, status: str | None, after: int | None, limit: int
) -> list[Row]:
    """Runs, the newest first; the key is the run_id."""
    return _rows(conn, "runs", kind=kind, status=status, after=after, limit=limit)


def find_run(conn: Connection, run_id: int) -> Row:
    """One run, with the model that it trained; NotFound if there is none."""
    return _one(conn, "run", f"no run {run_id}", run_id=run_id)


def run_metrics(conn: Connection, run_id: int) -> list[Row]:
    """What a run measured, final values first; NotFound if there is no such run."""
    find_run(conn, run_id)
    return _rows(conn, "metrics", run_id=run_id)


def class_metrics(conn: Connection, run_id: int, split: str) -> list[Row]:
    """Precision, recall and F1 of each class; NotFound if there is no such run."""
    find_run(conn, run_id)
    return _rows(conn, "class_metrics", run_id=run_id, split=split)


def confusion(conn: Connection, run_id: int, split: str) -> list[Row]:
    """The cells of the confusion matrix that are not 0; NotFound if there is no such run."""
    find_run(conn, run_id)
    return _rows(conn, "confusion", run_id=run_id, split=split)


def worst_slices(conn: Connection, run_id: int, split: str, min_n: int) -> list[Row]:
    """Slices of at least ``min_n`` media that do worse than the whole, worst first; NotFound if
    there is no such run."""
    find_run(conn, run_id)
    return _rows(conn, "slices", run_id=run_id, split=split, min_n=min_n)


def error_page(
    conn: Connection,
    run_id: int,
    *,
    split: str | None,
    class_: str | None,
    predicted_class: str | None,
    after: tuple[float | None, int | None],
    limit: int,
) -> list[Row]:
    """Wrong predictions, the most confident first; the key is (confidence, media_id)."""
    find_run(conn, run_id)
    values = {"split": split, "class": class_, "predicted_class": predicted_class, "limit": limit}
    key = {"confidence": after[0], "media_id": after[1]}
    return _rows(conn, "errors", run_id=run_id, **values, **key)


def claim_tasks(
    conn: Connection, actor: str, kind: str, n: int, lease: float, project: str | None = None
) -> list[Row]:
    """Claims up to ``n`` tasks for ``lease`` seconds, with what a person must see to answer."""
    values = {"actor": actor, "kind": kind, "n": n, "lease": lease, "project": project}
    return _rows(conn, "claimed", **values)


def _one(conn: Connection, name: str, missing: str, **values: Any) -> Row:
    found = _rows(conn, name, **values)
    if not found:
        raise NotFound(missing)
    return found[0]


def _rows(conn: Connection, name: str, **values: Any) -> list[Row]:
    """The rows; planned anew each time, for what is quick depends on the values."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("api", name), values, prepare=False).fetchall()
