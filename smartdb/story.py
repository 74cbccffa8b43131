"""What was found held against what is known to be true: planted faults, or a table of true classes.

Nothing here is used by the loop itself; it only tells how well the loop did.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import ontology as ontologies
from smartdb.digits import Planted
from smartdb.errors import NothingToDo
from smartdb.statements import statement
from smartdb.walk import uri_of

Truth = Mapping[str, str]
"""uri → true class"""


@dataclass(frozen=True)
class Suspicion:
    """Suspected label errors against the truth, over the imported labels whose truth is known."""

    n_labels: int
    n_wrong: int
    n_suspected: int
    n_right: int
    n_confirmed: int

    @property
    def precision(self) -> float | None:
        """Share of the suspected labels that are wrong; None if none was suspected."""
        return self.n_right / self.n_suspected if self.n_suspected else None

    @property
    def recall(self) -> float | None:
        """Share of the wrong labels that were suspected; None if none is wrong."""
        return self.n_right / self.n_wrong if self.n_wrong else None


@dataclass(frozen=True)
class Found:
    """One kind of planted fault: how many were planted, how many of these were found."""

    fault: str
    n_planted: int
    n_found: int


def judge_suspicions(conn: psycopg.Connection[Any], source: str, truth: Truth) -> Suspicion:
    """How the suspected label errors of a source compare with the truth."""
    rows = [row for row in _rows(conn, "given", source=source) if row[0] in truth]
    wrong = [truth[uri] != given for uri, given, _, _ in rows]
    suspected = [score is not None for _, _, score, _ in rows]
    return Suspicion(
        n_labels=len(rows),
        n_wrong=sum(wrong),
        n_suspected=sum(suspected),
        n_right=sum(a and b for a, b in zip(wrong, suspected, strict=True)),
        n_confirmed=sum(state == "confirmed" for _, _, _, state in rows),
    )


def accuracy_against(
    conn: psycopg.Connection[Any], run_id: int, truth: Truth, split: str = "test"
) -> tuple[float, int] | None:
    """Accuracy of a run on a split against the truth, not the labels, and on how many media."""
    rows = [row for row in _rows(conn, "predicted", run_id=run_id, split=split) if row[0] in truth]
    if not rows:
        return None
    return sum(truth[uri] == predicted for uri, predicted in rows) / len(rows), len(rows)


def compare_planted(conn: psycopg.Connection[Any], source: str, planted: Planted) -> list[Found]:
    """Each kind of planted fault with how many of them were found."""
    suspected = {
        uri for uri, _, score, _ in _rows(conn, "given", source=source) if score is not None
    }
    group = dict(_rows(conn, "groups"))
    pairs = [tuple(map(planted.uri, pair)) for pair in planted.duplicates]
    refused = dict(_rows(conn, "quarantined", source=source))
    positions = {uri for (uri,) in _rows(conn, "found", kind="gps")}
    return [
        Found(
            "wrong label",
            len(planted.wrong),
            sum(planted.uri(p) in suspected for p in planted.wrong),
        ),
        Found(
            "near-duplicate",
            len(pairs),
            sum(a in group and group[a] == group.get(b) for a, b in pairs),
        ),
        Found("truncated file", 1, int(refused.get(planted.uri(planted.truncated)) == "truncated")),
        Found("GPS position in EXIF", 1, int(planted.uri(planted.gps) in positions)),
    ]


def check_labelled(conn: psycopg.Connection[Any], ontology: str) -> None:
    """NothingToDo where an ontology has no class, because nothing was ever labelled."""
    if ontology not in ontologies.names(conn):
        raise NothingToDo(
            f"none of the media of {ontology!r} has a label; sort the files into a folder for "
            "each class, or name a table of them (demo --labels), and run this again"
        )


def n_suspected(conn: psycopg.Connection[Any], ontology: str) -> int:
    """How many suspected labels of an ontology wait for a verdict."""
    return int(_rows(conn, "n_suspected", ontology=ontology)[0][0])


def example_media(conn: psycopg.Connection[Any], run_id: int) -> int:
    """A media to show in examples: the most confident error of a run, if it made one."""
    return int(_rows(conn, "example", run_id=run_id)[0][0])


def table_truth(folder: bytes | Path, rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The true class by uri, of rows of (path below the folder, class)."""
    root = Path(os.fsdecode(folder))
    return {uri_of(os.path.realpath(os.fsencode(root / path))): name for path, name in rows}


def planted_truth(planted: Planted) -> dict[str, str]:
    """The true class of each planted image, by uri."""
    return {planted.uri(path): name for path, name in planted.true_class.items()}


def _rows(conn: psycopg.Connection[Any], name: str, **values: Any) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("story", name), values or None).fetchall()
