"""Thresholds: from which value on a statistic of a picture is a finding, a question to a person.

They are rows of ``core.quality_threshold``. A change makes the findings anew from the statistics
that are stored: no file is read, and what a person has resolved stays.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.runs import run
from smartdb.statements import statement

STATISTICS = (
    "brightness", "contrast", "sharpness", "entropy", "colourfulness", "shorter_side", "aspect",
)  # fmt: skip
"""What a threshold may bound: columns of ``core.quality``, pixels of the shorter side, and the
longer side by the shorter."""


@dataclass(frozen=True)
class Threshold:
    """A media has the finding ``kind`` if its statistic is smaller than ``below`` or larger than
    ``above``; None bounds nothing."""

    kind: str
    statistic: str
    below: float | None
    above: float | None


def thresholds(conn: psycopg.Connection[Any]) -> list[Threshold]:
    """The thresholds by kind."""
    with translated(), conn.cursor(row_factory=class_row(Threshold)) as cursor:
        return cursor.execute(statement("threshold", "list")).fetchall()


def set_threshold(
    conn: psycopg.Connection[Any],
    kind: str,
    *,
    below: float | None = None,
    above: float | None = None,
    statistic: str | None = None,
) -> dict[str, int]:
    """Sets a threshold and returns how many findings that ``added`` and ``removed``. Commits.

    A new kind needs its ``statistic``, one of `STATISTICS`; one that is there keeps its own unless
    another is given. A bound that is None is none. InvalidInput without any bound, for a statistic
    that does not exist, and for a kind that another check finds, such as gps.
    """
    if below is None and above is None:
        raise InvalidInput(f"no bound for {kind!r}; give --below or --above, or remove it")
    known = {threshold.kind: threshold for threshold in thresholds(conn)}
    statistic = statistic or (known[kind].statistic if kind in known else None)
    if statistic not in STATISTICS:
        raise InvalidInput(f"{kind!r} needs a statistic; give one of: {', '.join(STATISTICS)}")
    wanted = Threshold(kind, statistic, below, above)
    with run(conn, "threshold", asdict(wanted)) as opened, translated():
        conn.execute(statement("threshold", "set"), asdict(wanted))
        opened.counts.update(_derive(conn, kind, opened.run_id))
    return dict(opened.counts)


def remove_threshold(conn: psycopg.Connection[Any], kind: str) -> dict[str, int]:
    """Takes a threshold and its open findings away; counts as of `set_threshold`. Commits.

    NotFound if there is no such threshold.
    """
    with run(conn, "threshold", {"kind": kind, "removed": True}) as opened, translated():
        if conn.execute(statement("threshold", "remove"), {"kind": kind}).rowcount == 0:
            raise NotFound(f"no threshold {kind!r}; see: smartdb threshold list")
        opened.counts.update(_derive(conn, kind, opened.run_id))
    return dict(opened.counts)


def _derive(conn: psycopg.Connection[Any], kind: str, run_id: int) -> dict[str, int]:
    values = {"kind": kind, "run_id": run_id}
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("threshold", "derive"), values).fetchone()
    assert row is not None
    return {"added": row["n_added"], "removed": row["n_removed"]}
