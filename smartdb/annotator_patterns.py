"""Annotator patterns: classes that one actor confuses significantly more often than the others.

Where several actors label the same media, a habit (always cat for a small dog) shows as one cell
of the actor's confusion that is larger than that of the others: the view
smartdb.annotator_pattern. Its labels are issues of kind ``annotator_pattern``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from smartdb import tasks
from smartdb.errors import translated
from smartdb.runs import run
from smartdb.statements import statement


@dataclass(frozen=True)
class Pattern:
    """Of ``n_seen`` media that the others call ``others_say``, the actor called ``n`` otherwise.

    ``rate`` is n / n_seen, ``rate_of_others`` the same of all others, ``z`` how many standard
    errors lie between.
    """

    actor: str
    others_say: str
    actor_says: str
    n: int
    n_seen: int
    rate: float
    rate_of_others: float | None
    z: float | None


def patterns(conn: psycopg.Connection[Any], *, everything: bool = False) -> list[Pattern]:
    """The significant patterns (``everything``: all confusions), the clearest first."""
    with translated(), conn.cursor(row_factory=class_row(Pattern)) as cursor:
        return cursor.execute(
            statement("annotator_patterns", "patterns"), {"all": everything}
        ).fetchall()


def find(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """Suspects the labels of significant patterns, and commits.

    The score is the share of the labels of a pattern that are more than the others would confuse.
    Returns run_id, patterns, suspected (open now), new, dropped and withdrawn (review tasks).
    """
    with translated(), run(conn, "annotator_patterns") as opened:
        n = len(patterns(conn))
        written = _rows(conn, "add", opened.run_id)
        gone = [label_id for (label_id,) in _rows(conn, "drop_gone", opened.run_id)]
        opened.counts.update(
            patterns=n,
            suspected=len(written),
            new=sum(is_new for (is_new,) in written),
            dropped=len(gone),
            withdrawn=tasks.withdraw(conn, gone),
        )
    return {"run_id": opened.run_id, **opened.counts}


def _rows(conn: psycopg.Connection[Any], name: str, run_id: int) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        values = {"run_id": run_id}
        return cursor.execute(statement("annotator_patterns", name), values).fetchall()
