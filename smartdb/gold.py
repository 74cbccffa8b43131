"""Gold: labels that are known to be true, and how answers to tasks compare with them.

Annotators are asked about media with gold labels without knowing (`queues.ask`). Who writes scores
is a pipeline, not the answer itself: an answer tells nothing of whether it was measured. The caller
owns the transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row

from smartdb.errors import NotFound, translated
from smartdb.statements import statement

IOU = 0.5
"""What two boxes of a class must overlap to be the same thing."""

COLUMNS = ("task_id", "media_id", "actor_id", "n_gold", "n_given", "n_matched")

Pair = tuple[int, int, int, float]
"""task_id, gold label_id, label_id of the answer, IoU (1 for what has no box)."""


def mark(
    conn: psycopg.Connection[Any],
    label_ids: Sequence[int],
    actor: str,
    reason: str | None = None,
) -> int:
    """Says that live labels are true, and returns how many were not marked before.

    NotFound, and nothing marked, if one is not live.
    """
    values = {"label_ids": list(label_ids), "actor": actor, "reason": reason}
    missing = _rows(conn, "not_live", values)
    if missing:
        raise NotFound(f"no live label {missing[0][0]}; see: smartdb.label")
    return len(_rows(conn, "mark", values))


def withdraw(conn: psycopg.Connection[Any], label_ids: Sequence[int]) -> int:
    """Takes marks back, and returns how many; scores that were given stay."""
    return len(_rows(conn, "withdraw", {"label_ids": list(label_ids)}))


def score(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """Scores the answers to tasks whose media has gold labels: {"scored": 3, "right": 2}.

    Only answers that have no score, of people who did not say themselves what is taken for true. An
    answer is what the person said of the media first, of the kinds the project asks for. Labels
    match one to one: the same class and kind and, where there are boxes, those that overlap most
    and by at least `IOU`. The score is the F1 of it.
    """
    answers = _rows(conn, "answers", {})
    matched = matches(_rows(conn, "pairs", {"least": IOU}))
    rows = [dict(zip(COLUMNS, (*row, matched.get(row[0], 0)), strict=True)) for row in answers]
    with translated(), conn.cursor() as cursor:
        cursor.executemany(statement("gold", "write"), rows)
    right = sum(row["n_gold"] == row["n_given"] == row["n_matched"] for row in rows)
    return {"scored": len(rows), "right": right}


def matches(pairs: Iterable[Pair]) -> dict[int, int]:
    """How many labels of each task match one to one, the pairs that overlap most first.

    >>> matches([(1, 10, 20, 0.6), (1, 10, 21, 0.9), (1, 11, 21, 0.7), (2, 12, 22, 1.0)])
    {1: 1, 2: 1}
    """
    taken: set[tuple[str, int, int]] = set()
    found: dict[int, int] = defaultdict(int)
    for task, gold, label, _ in sorted(pairs, key=lambda p: (p[0], -p[3], p[1], p[2])):
        ends = {("gold", task, gold), ("label", task, label)}
        if not ends & taken:
            taken |= ends
            found[task] += 1
    return dict(found)


def summary(conn: psycopg.Connection[Any], project: str | None = None) -> list[dict[str, Any]]:
    """Rows of smartdb.gold_summary, who was least right first."""
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("gold", "summary"), {"project": project}).fetchall()


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("gold", name), values or None).fetchall()
