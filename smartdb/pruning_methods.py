"""Methods of pruning: each gives every candidate a score, larger is kept longer, and says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from smartdb import bulk, clusters, embeddings, semdedup
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.semdedup import Side
from smartdb.statements import statement

Method = Literal["semdedup", "duplicates", "quality", "el2n", "forgetting", "prototypes", "random"]
Ints = NDArray[np.int64]
Parameters = Mapping[str, Any]

METHODS: tuple[Method, ...] = get_args(Method)
OF_VECTORS = ("semdedup", "prototypes")
OF_RUNS = ("el2n", "forgetting")

EPS = 0.03
"""Cosine distance at which SemDeDup takes two for the same; see docs/how-to-prune.md."""

EASY_BELOW = 50_000
"""Candidates below which prototypes keeps the easy: with few data the hard ones mislead."""


@dataclass(frozen=True)
class Options:
    """What methods can be told, each only what it uses; None or empty: its default."""

    eps: float | None = None
    side: Side | None = None
    n_clusters: int | None = None
    runs: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Candidates by id (n,), what chance says of each from 0 to 1 (n,), and how to score them."""

    ids: Ints
    draw: NDArray[np.float64]
    encoder: str | None
    seed: int
    parameters: Parameters


@dataclass(frozen=True)
class Scores:
    """Of the candidates in order: score (n,), why, and the id of what represents it (n,), or 0.

    ``n_kept`` is how many the method itself would keep; None: it only orders.
    """

    score: NDArray[np.float64]
    reasons: Sequence[str]
    kept_by: Ints
    n_kept: int | None = None


def settle(method: Method, options: Options, n: int) -> dict[str, Any]:
    """The parameters of a method for n candidates, those not given by default.

    InvalidInput for what the method does not use or what cannot be.
    """
    given = {name: value for name, value in vars(options).items() if value not in (None, ())}
    own = _defaults(n)[method]
    odd = [name for name in given if name not in own]
    if odd:
        uses = f"only {', '.join(own)}" if own else "nothing of the kind"
        raise InvalidInput(f"{method} does not use {odd[0]}, {uses}")
    found = {**own, **given}
    _refuse_odd(found)
    return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items()}


def score(conn: psycopg.Connection[Any], method: Method, asked: Asked) -> Scores:
    """The scores of candidates; NotFound says which of them lack what, and what makes it."""
    return _SCORERS[method](conn, asked)


def read_vectors(conn: psycopg.Connection[Any], encoder: str, ids: Ints) -> NDArray[np.float32]:
    """Unit vectors (n, d) of candidates by id; NotFound if one has none."""
    found, vectors = embeddings.read_vectors(conn, encoder, ids)
    _refuse_missing(ids, found, f"no vector of encoder {encoder!r}", f"embed --encoder {encoder}")
    return clusters.unit(vectors)


def _random(_: psycopg.Connection[Any], asked: Asked) -> Scores:
    return Scores(1 - asked.draw, ["random"] * len(asked.ids), _nobody(asked))


def _semdedup(conn: psycopg.Connection[Any], asked: Asked) -> Scores:
    assert asked.encoder is not None
    eps, side = asked.parameters["eps"], asked.parameters["side"]
    vectors = read_vectors(conn, asked.encoder, asked.ids)
    conn.commit()  # nothing is open while it computes
    found = semdedup.redundancy(vectors, seed=asked.seed, side=side)
    goes = found.is_duplicate(eps)
    reasons = [
        f"first of its cluster of {size}" if distance == semdedup.FIRST
        else f"cosine distance {distance:.4f} to one of its cluster that is kept longer"
        + (f", at most {eps:g}" if is_duplicate else "")
        for distance, size, is_duplicate in zip(found.distance, found.cluster_size, goes)
    ]  # fmt: skip
    kept_by = np.where(goes, asked.ids[found.kept_by(eps)], 0)
    return Scores(found.distance, reasons, kept_by, int((~goes).sum()))


def _prototypes(conn: psycopg.Connection[Any], asked: Asked) -> Scores:
    """Sorscher et al. (2022): how far each lies from the centre of its k-means cluster."""
    assert asked.encoder is not None
    vectors = read_vectors(conn, asked.encoder, asked.ids)
    conn.commit()
    found = clusters.kmeans(vectors, asked.parameters["n_clusters"], asked.seed)
    distance = 1 - found.similarity.astype(np.float64)
    sizes = np.bincount(found.of)[found.of]
    says = "cosine distance {:.4f} to the centre of its cluster of {}"
    return _by_hardness(asked, distance, [says.format(*each) for each in zip(distance, sizes)])


def _duplicates(conn: psycopg.Connection[Any], asked: Asked) -> Scores:
    if not _rows(conn, "is_grouped"):
        raise NotFound("near-duplicates were not grouped yet; run: smartdb duplicates")
    types = {"media_id": "i8", "kept_by": "i8", "n_members": "i8"}
    found = _columns(conn, "groups", types, asked)
    at = np.searchsorted(asked.ids, found["media_id"])
    by, size = asked.ids.copy(), np.ones(len(asked.ids), np.int64)
    by[at], size[at] = found["kept_by"], found["n_members"]
    goes = by != asked.ids
    reasons = [
        "no near-duplicate among the candidates" if n == 1
        else f"another represents its group of {n} near-duplicates" if is_duplicate
        else f"represents its group of {n} near-duplicates"
        for n, is_duplicate in zip(size, goes)
    ]  # fmt: skip
    kept_by, stays = np.where(goes, by, 0), ~goes
    return Scores(stays.astype(np.float64), reasons, kept_by, int(stays.sum()))


def _quality(conn: psycopg.Connection[Any], asked: Asked) -> Scores:
    kinds = asked.parameters["kinds"]
    known = [kind for (kind,) in _rows(conn, "thresholds")]
    unknown = sorted(set(kinds) - set(known))
    if unknown:
        raise NotFound(f"no threshold {unknown[0]!r}; there are: {', '.join(known)}")
    measured = _columns(conn, "measured", {"media_id": "i8"}, asked)["media_id"]
    _refuse_missing(asked.ids, measured, "no statistics of their pixels", "ingest")
    values = {"media_ids": asked.ids.tolist(), "kinds": kinds or known}
    failed = {media: (n, why) for media, n, why in _rows(conn, "failed", values)}
    passes = (0, f"within {len(kinds or known)} thresholds")
    found = [failed.get(media, passes) for media in asked.ids.tolist()]
    n_failed = np.array([n for n, _ in found], np.float64)
    reasons = [why for _, why in found]
    return Scores(0 - n_failed, reasons, _nobody(asked), len(asked.ids) - len(failed))


def _el2n(conn: psycopg.Connection[Any], asked: Asked) -> Scores:
    found = _dynamics(conn, asked)
    mean = _mean_of(asked)
    return _by_hardness(asked, found["el2n"], [f"EL2N {e:.3f}{mean}" for e in found["el2n"]])


def _forgetting(conn: psycopg.Connection[Any], asked: Asked) -> Scores:
    found = _dynamics(conn, asked)
    columns = zip(found["n_forgotten"], found["n_epochs"], found["n_correct"])
    reasons = [
        (f"forgotten {times:.3g} times" if n_correct else "never learnt")
        + f" in {epochs} epochs{_mean_of(asked)}"
        for times, epochs, n_correct in columns
    ]
    return _by_hardness(asked, found["n_forgotten"], reasons)


_SCORERS: dict[Method, Callable[[psycopg.Connection[Any], Asked], Scores]] = {
    "semdedup": _semdedup,
    "duplicates": _duplicates,
    "quality": _quality,
    "el2n": _el2n,
    "forgetting": _forgetting,
    "prototypes": _prototypes,
    "random": _random,
}


def _defaults(n: int) -> dict[Method, dict[str, Any]]:
    side = "easy" if n < EASY_BELOW else "hard"
    return {
        "semdedup": {"eps": EPS, "side": "hard"},
        "duplicates": {},
        "quality": {"kinds": ()},
        "el2n": {"side": "hard", "runs": ()},
        "forgetting": {"side": "hard", "runs": ()},
        "prototypes": {"side": side, "n_clusters": clusters.usual(n)},
        "random": {},
    }


def _refuse_odd(parameters: Parameters) -> None:
    if not 0 <= parameters.get("eps", 0) <= 1:
        raise InvalidInput(f"eps is a cosine distance from 0 to 1, not {parameters['eps']:g}")
    if parameters.get("side", "hard") not in get_args(Side):
        raise InvalidInput(f"side is hard or easy, not {parameters['side']!r}")
    if parameters.get("n_clusters", 1) < 1:
        raise InvalidInput(f"there must be one cluster or more, not {parameters['n_clusters']}")
    if parameters.get("runs") == ():
        raise InvalidInput("name the training run to go by (or several, of other seeds): --run")


def _dynamics(conn: psycopg.Connection[Any], asked: Asked) -> dict[str, NDArray[Any]]:
    """Means over the runs; what was never learnt counts as forgotten in each epoch."""
    runs = asked.parameters["runs"]
    types = {
        "media_id": "i8",
        "el2n": "f8",
        "n_forgotten": "f8",
        "n_epochs": "i8",
        "n_correct": "i8",
    }
    found = _columns(conn, "dynamics", types, asked, runs=runs)
    lack = f"no training dynamics of run {', '.join(map(str, runs))}"
    _refuse_missing(asked.ids, found["media_id"], lack, "train DATASET")
    return found


def _by_hardness(asked: Asked, hardness: NDArray[np.float64], reasons: Sequence[str]) -> Scores:
    sign = 1 if asked.parameters["side"] == "hard" else -1
    return Scores(sign * hardness, reasons, _nobody(asked))


def _nobody(asked: Asked) -> Ints:
    return np.zeros(len(asked.ids), np.int64)


def _mean_of(asked: Asked) -> str:
    n = len(asked.parameters["runs"])
    return "" if n == 1 else f", mean of {n} runs"


def _refuse_missing(ids: Ints, found: Ints, lack: str, command: str) -> None:
    missing = np.setdiff1d(ids, found, assume_unique=True)
    if len(missing):
        raise NotFound(
            f"{len(missing)} of {len(ids)} candidates have {lack} (media {missing[0]}"
            f"{', ...' if len(missing) > 1 else ''}); run: smartdb {command}, "
            "or narrow the candidates by --predicate"
        )


def _columns(
    conn: psycopg.Connection[Any], name: str, types: Mapping[str, str], asked: Asked, **more: Any
) -> dict[str, NDArray[Any]]:
    values = {"media_ids": asked.ids.tolist(), **more}
    return bulk.read_columns(conn, statement("pruning", name), types, values)


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Parameters | None = None
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("pruning", name), values).fetchall()
