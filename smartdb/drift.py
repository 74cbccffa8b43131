"""Drift: whether one part of the media looks like another.

Sides are a version, a source, a slice or any predicate (so a time window, or an ingest run too).
Each is sampled by a hash of the ids, so a million cost what the sample costs and the same seed
compares the same media. What the numbers are: `smartdb.drift_quality`, `smartdb.two_samples`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import tuple_row

from smartdb import (
    bulk,
    datasets,
    embeddings,
    predicates,
    runs,
    slices,
    sources,
    two_samples,
    version_members,
)
from smartdb.embeddings import Registered
from smartdb.errors import InvalidInput, NothingToDo, translated
from smartdb.statements import statement

SAMPLE, VECTORS = 20_000, 1_000
"""Media, and vectors, of each side that are compared."""

LARGEST, LARGEST_PSI, SURE = 0.3, 0.25, 0.001
"""A newer ingest has drifted above this distance, a version above this index if p is below."""
FEWEST = 50
"""Of fewer media on either side nothing is said: the distance of 50 is above 0.3 by chance alone
less than once in 4,000 times."""

_VERSION = re.compile(r"(?P<dataset>.+):(?P<version>\d+)")


@dataclass(frozen=True)
class Side:
    """One side of a comparison, as it was asked for, and as a condition on smartdb.media."""

    name: str
    predicate: str


@dataclass(frozen=True)
class Measure:
    """How far b is from a in a statistic; a row of smartdb.drift, which says what each is."""

    statistic: str
    measure: str
    distance: float
    psi: float | None
    p: float
    n_a: int
    n_b: int


@dataclass(frozen=True)
class Drift:
    """What was compared, the farthest statistic first, and the media most typical of each side."""

    a: str
    b: str
    measures: list[Measure]
    typical_a: list[int] = field(default_factory=list)
    typical_b: list[int] = field(default_factory=list)
    run_id: int | None = None


def side(conn: psycopg.Connection[Any], text: str) -> Side:
    """A version (``pets:3``), a slice, a source, or else a predicate, in this order.

    InvalidInput for a predicate that does not work.
    """
    found = _VERSION.fullmatch(text)
    if found and datasets.list_versions(conn, found["dataset"]):
        version = datasets.find_version(conn, found["dataset"], int(found["version"])).version
        return Side(text, version_members.of_version(conn, found["dataset"], version))
    if any(text == each.name for each in slices.slices(conn)):
        return Side(text, predicates.combined(conn, None, text))
    if text in sources.names(conn):
        return Side(text, str(_rows(conn, "source", source=text)[0][0]))
    return Side(text, predicates.combined(conn, text))


def compare(
    conn: psycopg.Connection[Any],
    a: str,
    b: str,
    *,
    encoder: str | None = None,
    n: int = SAMPLE,
    seed: int = 0,
    timeout_s: float = predicates.TIMEOUT_S,
) -> Drift:
    """How far b is from the reference a, each as `side` reads it; the result is stored. Commits.

    At most ``n`` media of each side are compared, chosen by ``seed``, and at most `VECTORS`
    vectors by ``encoder`` (default: the only one; none if there is none). NothingToDo if a side
    is empty, InvalidInput for a predicate that does not work or takes too long.
    """
    sides = side(conn, a), side(conn, b)
    parameters = {"a": a, "b": b, "encoder": encoder, "n": n}
    with runs.run(conn, "drift", parameters, seed) as run:
        found = measure(conn, *sides, encoder=encoder, n=n, seed=seed, timeout_s=timeout_s)
        with translated(), conn.cursor() as cursor:
            rows = [(run.run_id, *astuple(each)) for each in found.measures]
            cursor.executemany(statement("drift", "add"), rows)
        run.counts["statistics"] = len(rows)
    return Drift(**{**vars(found), "run_id": run.run_id})


def measure(
    conn: psycopg.Connection[Any],
    a: Side,
    b: Side,
    *,
    encoder: str | None = None,
    n: int = SAMPLE,
    seed: int = 0,
    with_vectors: bool = True,
    timeout_s: float = predicates.TIMEOUT_S,
) -> Drift:
    """`compare` without storing it; vectors only if ``with_vectors``."""
    if n < 1:
        raise InvalidInput(f"cannot compare {n} media of each side: at least 1")
    values = {"a": a.predicate, "b": b.predicate, "n": n, "seed": seed}
    with predicates.bounded(conn, f"{a.name} / {b.name}", timeout_s):
        for each, chosen in ((a, "a"), (b, "b")):
            if not _rows(conn, "any", predicate=values[chosen]):
                raise NothingToDo(f"no media that you may see are in {each.name!r}")
        measures = _quality(conn, values) + _classes(conn, values)
        typical: tuple[list[int], list[int]] = ([], [])
        if with_vectors and (encoder or embeddings.all_encoders(conn)):
            vectors, typical = _vectors(conn, a, b, embeddings.find(conn, encoder), seed)
            measures += vectors
    if not measures:
        raise NothingToDo(
            f"the media of {a.name!r} and {b.name!r} have neither statistics, classes nor vectors"
        )
    measures.sort(key=lambda each: (-each.distance, each.statistic))
    return Drift(a.name, b.name, measures, *typical)


def quality(conn: psycopg.Connection[Any], source: str) -> dict[str, float]:
    """The distance in each statistic of the media that the newest ingest of a source added from
    all before them; empty where a side has fewer than `FEWEST` media."""
    rows = _rows(conn, "newest", source=source)
    found = _rows(conn, "quality", a=rows[0][0], b=rows[0][1], n=SAMPLE, seed=0) if rows else []
    return {
        statistic: round(ks, 3) for statistic, ks, _, n_a, n_b in found if min(n_a, n_b) >= FEWEST
    }


def version(conn: psycopg.Connection[Any], dataset: str) -> list[Measure]:
    """How far the newest version of a dataset is from the one before; empty if there is none."""
    last = datasets.list_versions(conn, dataset)[-2:]
    if len(last) < 2:
        return []
    before, newest = (side(conn, f"{dataset}:{each.version}") for each in last)
    return measure(conn, before, newest, with_vectors=False).measures


def has_drifted(found: Measure) -> bool:
    """Whether a change is large and no accident."""
    return found.psi is not None and found.psi > LARGEST_PSI and found.p < SURE


def _quality(conn: psycopg.Connection[Any], values: dict[str, Any]) -> list[Measure]:
    return [
        Measure(statistic, "ks", ks, psi, two_samples.ks_p(ks, n_a, n_b), n_a, n_b)
        for statistic, ks, psi, n_a, n_b in _rows(conn, "quality", **values)
    ]


def _classes(conn: psycopg.Connection[Any], values: dict[str, Any]) -> list[Measure]:
    rows = _rows(conn, "classes", **values)
    a, b = (np.array([row[place] for row in rows], np.float64) for place in (1, 2))
    if not a.sum() or not b.sum():
        return []
    n_a, n_b, parts = int(a.sum()), int(b.sum()), two_samples.psi(a, b)
    distance, p = two_samples.total_variation(a, b), two_samples.chi_square_p(a, b)
    found = [Measure("class", "total_variation", distance, float(parts.sum()), p, n_a, n_b)]
    for (name, *_), one_a, one_b, part in zip(rows, a, b, parts, strict=True):
        pair = np.array([one_a, n_a - one_a]), np.array([one_b, n_b - one_b])
        share, p = abs(one_a / n_a - one_b / n_b), two_samples.chi_square_p(*pair)
        found.append(Measure(f"class {name}", "share", share, float(part), p, n_a, n_b))
    return found


def _vectors(
    conn: psycopg.Connection[Any], a: Side, b: Side, encoder: Registered, seed: int
) -> tuple[list[Measure], tuple[list[int], list[int]]]:
    """The discrepancy of the vectors, and the five media most typical of a and of b."""
    (ids_a, rows_a), (ids_b, rows_b) = (
        _sampled(conn, encoder, each.predicate, seed + place) for place, each in enumerate((a, b))
    )
    if min(len(ids_a), len(ids_b)) < 2:
        return [], ([], [])
    distance, p, witness = two_samples.mmd(rows_a, rows_b, seed)
    found = Measure(f"encoder {encoder.name}", "mmd", distance, None, p, len(ids_a), len(ids_b))
    most_a = ids_a[np.argsort(-witness[: len(ids_a)], kind="stable")[:5]]
    most_b = ids_b[np.argsort(witness[len(ids_a) :], kind="stable")[:5]]
    return [found], (most_a.tolist(), most_b.tolist())


def _sampled(
    conn: psycopg.Connection[Any], encoder: Registered, predicate: str, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    view = sql.Identifier("smartdb", f"embedding_{encoder.encoder_id}")
    query = statement("drift", "vectors").format(view)
    values = {"predicate": predicate, "n": VECTORS, "seed": seed}
    return bulk.read_vectors(conn, query, values)


def _rows(conn: psycopg.Connection[Any], name: str, **values: Any) -> Sequence[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("drift", name), values).fetchall()
