"""Label rules: conditions that every label must fulfil; those that do not are issues.

A rule is one SQL condition on smartdb.label, read as l: ``l.class <> 'face' or l.w >= 8``,
``l.attributes ? 'occluded'``. A label where it is null fulfils it. The rules of an ontology
(kinds, required attributes) refuse a label when it is written; these are for what can be wrong
and is a reviewer's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from smartdb import predicates, tasks
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.predicates import TIMEOUT_S
from smartdb.runs import run
from smartdb.statements import statement


@dataclass(frozen=True)
class Rule:
    """A rule; ``n_broken`` live labels did not fulfil it when it was checked last."""

    name: str
    predicate: str
    note: str | None
    n_broken: int


def save(
    conn: psycopg.Connection[Any],
    name: str,
    predicate: str,
    *,
    note: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Makes a rule, or changes the one of this name; how many live labels break it now.

    InvalidInput for a predicate that does not work or takes too long, and for an empty name. It
    does not commit; nothing is suspected before `check`.
    """
    if not name:
        raise InvalidInput("a rule needs a name")
    values = {"name": name, "predicate": predicate, "note": note}
    n = predicates.write(conn, "label_rules", "count_broken", values, timeout_s)
    with translated():
        conn.execute(statement("label_rules", "save"), values)
    return n


def drop(conn: psycopg.Connection[Any], name: str) -> None:
    """Forgets a rule; its issues go with the next `check`. NotFound for none of this name."""
    with translated():
        if not conn.execute(statement("label_rules", "drop"), {"name": name}).rowcount:
            raise NotFound(f"no rule {name!r}; see: smartdb rules list")


def rules(conn: psycopg.Connection[Any]) -> list[Rule]:
    """The rules by name."""
    with translated(), conn.cursor(row_factory=class_row(Rule)) as cursor:
        return cursor.execute(statement("label_rules", "rules")).fetchall()


def check(conn: psycopg.Connection[Any], *, timeout_s: float = TIMEOUT_S) -> dict[str, int]:
    """Suspects the live labels that break rules (kind rule_broken), and commits.

    Returns run_id, rules, suspected (open now), new, dropped (mended meanwhile), withdrawn
    (review tasks). NothingToDo without rules; InvalidInput names the predicate that does not work.
    """
    known = rules(conn)
    conn.commit()
    if not known:
        raise NothingToDo("there are no rules yet; run: smartdb rules add")
    with translated(), run(conn, "label_rules", {r.name: r.predicate for r in known}) as opened:
        conn.execute(statement("label_rules", "stage"))
        for rule in known:
            with predicates.bounded(conn, rule.predicate, timeout_s, read_only=False):
                values = {"name": rule.name, "predicate": rule.predicate}
                conn.execute(statement("label_rules", "stage_broken"), values)
        written = _rows(conn, "add_broken", opened.run_id)
        mended = [label_id for (label_id,) in _rows(conn, "drop_mended", opened.run_id)]
        opened.counts.update(
            rules=len(known),
            suspected=len(written),
            new=sum(is_new for (is_new,) in written),
            dropped=len(mended),
            withdrawn=tasks.withdraw(conn, mended),
        )
    return {"run_id": opened.run_id, **opened.counts}


def _rows(conn: psycopg.Connection[Any], name: str, run_id: int) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("label_rules", name), {"run_id": run_id}).fetchall()
