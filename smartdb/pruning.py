"""Pruning: in which order media are worth keeping, and what is lost at each fraction kept.

A plan is stored with a score and a reason for every candidate, and its curve with what is covered
at each fraction. Nothing is deleted: `apply` names what is kept as a slice, and
``m.media_id in (select media_id from smartdb.pruning_kept(1, keep => 0.1))`` is a predicate.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import bulk, embeddings, predicates, pruning_methods, runs, slices
from smartdb.errors import InvalidInput, NotFound, NothingToDo, SmartdbError, translated
from smartdb.pruning_methods import OF_RUNS, OF_VECTORS, Asked, Ints, Method, Options, Scores
from smartdb.statements import statement
from smartdb.turns import turn

PICTURES = "m.kind in ('image', 'frame')"
"""The candidates, unless asked otherwise; of methods that go by runs, what these trained on."""

TRAINED = (
    "m.media_id in (select d.media_id from smartdb.training_dynamics as d where d.run_id in ({}))"
)
KEPT = "m.media_id in (select k.media_id from smartdb.pruning_kept({}) as k)"
DEFAULTS = Options()

ITEM_COLUMNS = {
    "media_id": "bigint",
    "rank": "integer",
    "score": "double precision",
    "reason": "text",
    "kept_by": "bigint",
}


@dataclass(frozen=True)
class Pruning:
    """A plan; ``n_kept`` is how many the method itself keeps, None if it only orders."""

    pruning_id: int
    method: str
    parameters: Mapping[str, Any]
    seed: int
    run_id: int
    encoder: str | None
    predicate: str
    n_candidates: int
    n_kept: int | None
    created_at: datetime
    is_new: bool = False


@dataclass(frozen=True)
class Excluded:
    """A candidate that a plan leaves out, and why."""

    media_id: int
    rank: int
    score: float
    reason: str
    kept_by: int | None
    uri: str | None


def plan(
    conn: psycopg.Connection[Any],
    method: Method,
    options: Options = DEFAULTS,
    *,
    predicate: str | None = None,
    encoder: str | None = None,
    seed: int = 0,
) -> Pruning:
    """Scores the media that fulfil a predicate by a method, and stores their order with reasons.

    Equal scores are in an order by ``seed``. By default the candidates are the pictures, or what
    ``options.runs`` trained on; ``encoder`` (default: the only one) is whose vectors are compared
    and by which the curve measures coverage. The same call on the same facts returns the plan
    that is there. It computes outside of any transaction and commits. NothingToDo without
    candidates, InvalidInput for options the method does not have, NotFound for an unknown encoder
    and for candidates without vectors, dynamics, statistics: it names the command.
    """
    if method not in pruning_methods.METHODS:
        raise InvalidInput(f"no method {method!r}; there are: {', '.join(pruning_methods.METHODS)}")
    predicate = predicate or _default_predicate(method, options)
    encoder = _encoder(conn, method, encoder)
    ids = predicates.members(conn, predicate)
    if not len(ids):
        raise _nothing(predicate, options)
    parameters = pruning_methods.settle(method, options, len(ids))
    asked = Asked(ids, _draw(conn, ids, seed), encoder, seed, parameters)
    conn.commit()
    about = {"method": method, "predicate": predicate, "encoder": encoder, "seed": seed}
    with turn(conn, f"prune {method} {predicate}"):
        found = None if method in OF_VECTORS else pruning_methods.score(conn, method, asked)
        values = {**about, "parameters": Jsonb(parameters), "inputs_sha256": _digest(ids, found)}
        known = _rows(conn, "known", values)
        if known:
            return find(conn, int(known[0][0]))
        with runs.run(conn, "prune", {**about, **parameters}, seed) as run:
            found = found or pruning_methods.score(conn, method, asked)
            with translated(), conn.transaction():
                made = _write(conn, asked, found, {**values, "run_id": run.run_id})
            run.counts.update(pruning_id=made, candidates=len(ids), kept=found.n_kept)
    return Pruning(**{**vars(find(conn, made)), "is_new": True})


def find(conn: psycopg.Connection[Any], pruning_id: int) -> Pruning:
    """A plan by its id; NotFound if there is none."""
    found = _rows(conn, "find", {"pruning_id": pruning_id})
    if not found:
        raise NotFound(f"no pruning {pruning_id}; run: smartdb prune list")
    return Pruning(*found[0])


def plans(conn: psycopg.Connection[Any], limit: int = 50) -> list[Pruning]:
    """The newest plans, newest first."""
    return [Pruning(*row) for row in _rows(conn, "list", {"limit": limit})]


def size(conn: psycopg.Connection[Any], pruning_id: int, keep: float | None = None) -> int:
    """How many a plan keeps at a fraction, rounded up, or by itself; InvalidInput as in SQL."""
    return int(_rows(conn, "size", {"pruning_id": pruning_id, "keep": keep})[0][0])


def excluded(
    conn: psycopg.Connection[Any], pruning_id: int, keep: float | None = None, limit: int = 1000
) -> list[Excluded]:
    """What a plan leaves out at a fraction, what would be kept next first."""
    values = {"pruning_id": pruning_id, "keep": keep, "limit": limit}
    return [Excluded(*row) for row in _rows(conn, "excluded", values)]


def kept_predicate(
    conn: psycopg.Connection[Any], pruning_id: int, keep: float | None = None
) -> str:
    """The condition on smartdb.media, read as m, that what a plan keeps fulfils."""
    size(conn, pruning_id, keep)  # or an error
    arguments = [str(int(pruning_id))] + ([] if keep is None else [f"keep => {float(keep)!r}"])
    return KEPT.format(", ".join(arguments))


def apply(
    conn: psycopg.Connection[Any], pruning_id: int, name: str, keep: float | None = None
) -> str:
    """Names what a plan keeps as a slice, and returns the slice's predicate; it commits.

    Nothing is deleted; what is left out is `excluded`. The same again does nothing, Conflict if
    the name is that of another slice.
    """
    predicate = kept_predicate(conn, pruning_id, keep)
    how = "what it keeps itself" if keep is None else f"{keep:g} of its candidates"
    note = f"kept by pruning {pruning_id} ({find(conn, pruning_id).method}): {how}"
    if predicate not in (each.predicate for each in slices.slices(conn) if each.name == name):
        slices.save(conn, name, predicate, note=note)
    conn.commit()
    return predicate


def n_kept(keep: float, n: int) -> int:
    """How many of n a fraction keeps, rounded up as smartdb.pruning_size does."""
    if not 0 <= keep <= 1:
        raise InvalidInput(f"keep is a fraction from 0 to 1, not {keep:g}")
    return math.ceil(keep * n - 1e-9)


def _default_predicate(method: Method, options: Options) -> str:
    if method not in OF_RUNS or not options.runs:
        return PICTURES
    return TRAINED.format(", ".join(map(str, options.runs)))


def _nothing(predicate: str, options: Options) -> SmartdbError:
    if options.runs and predicate == TRAINED.format(", ".join(map(str, options.runs))):
        which = ", ".join(map(str, options.runs))
        return NotFound(f"run {which} has no training dynamics; run: smartdb train DATASET")
    return NothingToDo(f"there is nothing to prune: no media fulfil {predicate}")


def _encoder(conn: psycopg.Connection[Any], method: Method, name: str | None) -> str | None:
    """The encoder asked for or the only one; None where there is none and none is needed."""
    if name is None and method not in OF_VECTORS and not embeddings.all_encoders(conn):
        return None
    return embeddings.find(conn, name).name


def _draw(conn: psycopg.Connection[Any], ids: Ints, seed: int) -> Any:
    """From 0 to 1 for each media, by its id and the seed: the order of sample_random."""
    types = {"media_id": "i8", "draw": "i8"}
    values = {"media_ids": ids.tolist(), "seed": seed}
    drawn = bulk.read_columns(conn, statement("pruning", "candidates"), types, values)["draw"]
    return drawn.astype(np.float64) / 2**64 + 0.5


def _digest(ids: Ints, found: Scores | None) -> bytes:
    """Of candidates and, where they can change, of the scores made of the facts about them."""
    digest = hashlib.sha256(ids.astype("<i8").tobytes())
    if found is not None:
        digest.update(found.score.astype("<f8").tobytes() + found.kept_by.astype("<i8").tobytes())
    return digest.digest()


def _write(
    conn: psycopg.Connection[Any], asked: Asked, found: Scores, values: Mapping[str, Any]
) -> int:
    numbers = {"n_candidates": len(asked.ids), "n_kept": found.n_kept}
    made = int(_rows(conn, "add", {**values, **numbers})[0][0])
    order = np.lexsort((asked.draw, -found.score)).tolist()
    staged = bulk.staging(
        conn, "copied_pruning_item", like="core.pruning_item", columns=list(ITEM_COLUMNS)
    )
    ids, score, by = asked.ids.tolist(), found.score.tolist(), found.kept_by.tolist()
    rows = (
        (ids[at], rank, score[at], found.reasons[at], by[at] or None)
        for rank, at in enumerate(order, start=1)
    )
    bulk.copy_rows(conn, staged, ITEM_COLUMNS, rows)
    conn.execute(statement("pruning", "add_items"), {"pruning_id": made})
    return made


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("pruning", name), values).fetchall()
