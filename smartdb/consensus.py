"""Consensus: one class of each media from what several annotators said, as labels of their own.

The labels are of origin ``consensus``, by an actor named after the method. A reviewer's verdict is
above them: what a reviewer settled is the consensus, and what one called wrong is not brought back.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

import smartdb
from smartdb import bulk, labels, revisions
from smartdb.annotators import wilson
from smartdb.consensus_methods import METHODS, Judgements, probabilities
from smartdb.errors import InvalidInput, NothingToDo, translated
from smartdb.runs import run
from smartdb.statements import statement
from smartdb.turns import turn

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST = 2
"""Judgements that a media needs for a consensus."""

LEAST_GOLD = 50
"""Gold media below which accuracies say little about which method is best."""

MARGIN = 0.05
"""A confidence that moved by no more than this is left as it is."""

_NOTHING = dict.fromkeys(("judged", "answered", "added", "closed"), 0) | {"is_new": False}


@dataclass(frozen=True)
class Score:
    """How a method fared: its answers for media with a consensus, and those of them that are gold.

    ``low`` and ``high`` bound the accuracy (95 %, Wilson); None without gold. ``problem`` says why
    there are no answers.
    """

    method: str
    n_answered: int = 0
    n_tied: int = 0
    n_gold: int = 0
    n_right: int = 0
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    seconds: float = 0.0
    problem: str | None = None


@dataclass(frozen=True)
class Answers:
    """The class of each media and how probable it is, all (n,); ``is_tied``: another is as much."""

    media_ids: Ints
    class_ids: Ints
    confidences: Floats
    is_tied: NDArray[np.bool_]


def run_consensus(
    conn: psycopg.Connection[Any],
    ontology: str | None = None,
    *,
    method: str | None = None,
    run_id: int | None = None,
    least: int = LEAST,
    seed: int = 0,
) -> dict[str, Any]:
    """Writes the consensus of each media with ``least`` judgements, and returns what it did.

    The method is the best on gold, if none is named (see `best`). ``run_id`` is the run whose
    probabilities crowdlab takes [the last of find-issues]. A media without one class that is ahead
    gets none. Rows change where the answer did, or its confidence by more than `MARGIN`. It
    commits; with nothing new it does nothing (``is_new`` False). Returns run_id, method, reason,
    judged, answered, added, closed, settled (by a reviewer), tied, moved (judged meanwhile, left
    as they were). InvalidInput for an unknown method or several ontologies of which none is named.
    """
    chosen = _ontology(conn, ontology)
    if chosen is None:
        return dict(_NOTHING)
    with translated(), turn(conn, f"consensus {chosen}"):
        conn.commit()
        revision = revisions.checkpoint(conn)
        said = read(conn, chosen)
        settled, gold = (_classes(conn, name, chosen) for name in ("verdicts", "gold"))
        standing = _rows(conn, "standing", {"ontology": chosen})
        if not standing and not (said.counts >= least).any():
            return _NOTHING | {"judged": len(said.media_ids)}
        run_id = _predictions(conn, chosen) if run_id is None else run_id
        parameters = {"ontology": chosen, "asked": method, "predictions": run_id, "least": least}
        parameters["digest"] = _digest(said, settled, gold)
        known = _last(conn, parameters, seed, standing)
        conn.commit()
        if known is not None:
            return known
        with run(conn, "consensus", parameters, seed) as opened:
            model = _model(conn, said, run_id)
            conn.commit()  # nothing is computed inside a transaction
            method, reason = (method, "asked for") if method else best(said, gold, model, least)
            found = answers(said, method, model=model, least=least, seed=seed)
            counts = _write(conn, opened.run_id, chosen, method, found, settled, revision)
            opened.counts.update(counts, method=method, reason=reason, judged=len(said.media_ids))
            opened.counts["standing"] = _standing_digest(
                _rows(conn, "standing", {"ontology": chosen})
            )
    return {"run_id": opened.run_id, **_told(opened.counts), "is_new": True}


def compare(
    conn: psycopg.Connection[Any],
    ontology: str | None = None,
    methods: Sequence[str] = METHODS[:3],
    *,
    run_id: int | None = None,
    least: int = LEAST,
    seed: int = 0,
) -> list[Score]:
    """The methods side by side, with their accuracy on gold; reviewers' verdicts are not told them.

    A method that cannot answer says so in its problem. NothingToDo without judgements.
    """
    chosen = _ontology(conn, ontology)
    if chosen is None:
        raise NothingToDo("nobody has judged anything yet; run: smartdb labels import")
    with translated():
        said = read(conn, chosen)
        gold, model = inputs(conn, said, chosen, run_id)
    return scores(said, methods, gold, model, least, seed)


def inputs(
    conn: psycopg.Connection[Any], said: Judgements, ontology: str, run_id: int | None = None
) -> tuple[dict[int, int], Floats | None]:
    """The gold classes by media, and what the model of a run [the last of find-issues] thinks."""
    run_id = _predictions(conn, ontology) if run_id is None else run_id
    return _classes(conn, "gold", ontology), _model(conn, said, run_id)


def scores(
    said: Judgements,
    methods: Sequence[str],
    gold: Mapping[int, int],
    model: Floats | None,
    least: int = LEAST,
    seed: int = 0,
) -> list[Score]:
    """How each method fares on judgements, against gold."""
    return [_score(said, method, gold, model, least, seed) for method in methods]


def best(
    said: Judgements, gold: Mapping[int, int], model: Floats | None, least: int = LEAST
) -> tuple[str, str]:
    """The method to take, and why: the most accurate of the quick ones on gold, if there is enough.

    With less than `LEAST_GOLD` gold media crowdlab where a model speaks of all that was judged,
    else majority: as measured in docs/how-to-agreement.md.
    """
    asked = said.counts >= least
    covered = model is not None and asked.any() and not np.isnan(model[asked]).any()
    quick = [name for name in METHODS[:3] if name != "crowdlab" or covered]
    known = [each for each in scores(said, quick, gold, model, least) if each.problem is None]
    if min(score.n_gold for score in known) >= LEAST_GOLD:
        first = max(known, key=lambda score: score.n_right / score.n_gold)
        return first.method, f"right on {first.n_right} of {first.n_gold} gold media, no other more"
    if known[-1].method == "crowdlab":
        return "crowdlab", "a model speaks of all media, and gold is too little to choose by"
    return "majority", "there is too little gold, and no model to ask (smartdb find-issues)"


def answers(
    said: Judgements,
    method: str,
    *,
    model: Floats | None = None,
    least: int = LEAST,
    seed: int = 0,
) -> Answers:
    """The most probable class of each media with ``least`` judgements; of equals the first by id.

    With crowdlab those of which the model says nothing are left out.
    """
    p = probabilities(method, said, model, seed)
    rows = (said.counts >= least) & ~np.isnan(p).any(axis=1)
    p, media_ids = p[rows], said.media_ids[rows]
    if not len(p):
        nothing = np.zeros(0, np.int64)
        return Answers(nothing, nothing, np.zeros(0), np.zeros(0, np.bool_))
    top = p.argmax(axis=1)
    confidences = p[np.arange(len(p)), top]
    is_tied = (p >= confidences[:, None] - 1e-9).sum(axis=1) > 1
    return Answers(media_ids, said.class_ids[top], confidences, is_tied)


def read(conn: psycopg.Connection[Any], ontology: str) -> Judgements:
    """What annotators said of media in the classes of an ontology, each for themselves."""
    types = {"media_id": "i8", "actor_id": "i8", "class_id": "i8"}
    query = statement("consensus", "judgements")
    rows = bulk.read_columns(conn, query, types, {"ontology": ontology})
    return Judgements.of(rows["media_id"], rows["actor_id"], rows["class_id"])


def _score(
    said: Judgements,
    method: str,
    gold: Mapping[int, int],
    model: Floats | None,
    least: int,
    seed: int,
) -> Score:
    start = time.perf_counter()
    try:
        found = answers(said, method, model=model, least=least, seed=seed)
    except InvalidInput as error:
        if method not in METHODS:
            raise
        return Score(method, problem=str(error))
    seconds = time.perf_counter() - start
    pairs = zip(found.media_ids.tolist(), found.class_ids.tolist(), strict=True)
    right = [gold[media_id] == class_id for media_id, class_id in pairs if media_id in gold]
    n, n_right, n_tied = len(right), sum(right), int(found.is_tied.sum())
    low, high = wilson(n_right, n) if n else (None, None)
    share = n_right / n if n else None
    return Score(method, len(found.media_ids), n_tied, n, n_right, share, low, high, seconds)


def _write(
    conn: psycopg.Connection[Any],
    run_id: int,
    ontology: str,
    method: str,
    found: Answers,
    settled: Mapping[int, int],
    revision: int,
) -> dict[str, int]:
    """Writes the answers; a media that a reviewer settled takes the reviewer's."""
    class_of = [settled.get(media_id) for media_id in found.media_ids.tolist()]
    is_settled = np.array([each is not None for each in class_of], np.bool_)
    class_ids, confidences = found.class_ids.copy(), found.confidences.copy()
    class_ids[is_settled] = [each for each in class_of if each is not None]
    confidences[is_settled] = 1
    kept = is_settled | ~found.is_tied
    actor_id = labels.actor_id_of(conn, f"consensus: {method}", "import")
    conn.execute(statement("consensus", "stage"))
    columns: dict[str, NDArray[Any]] = {
        "media_id": found.media_ids[kept],
        "class_id": class_ids[kept],
        "confidence": np.clip(confidences[kept], 0, 1).astype(np.float32),
        "is_settled": is_settled[kept],
    }
    bulk.copy_arrays(conn, "consensus_answer", columns)
    values = {
        "run_id": run_id, "actor_id": actor_id, "ontology": ontology,
        "revision": revision, "margin": MARGIN,
    }  # fmt: skip
    conn.execute(statement("consensus", "analyse"))
    conn.execute(statement("consensus", "moved"), values)
    conn.execute(statement("consensus", "close"), values)
    added = conn.execute(statement("consensus", "add"), values).rowcount
    ((answered, closed, moved),) = _rows(conn, "counts")
    return {
        "answered": answered, "added": added, "closed": closed, "moved": moved,
        "settled": int(is_settled.sum()), "tied": int((~kept).sum()),
    }  # fmt: skip


def _model(conn: psycopg.Connection[Any], said: Judgements, run_id: int | None) -> Floats | None:
    """What a run's model thinks of the judged media, in the judgements' classes: (n, c), NaN where
    nothing; a class that it does not know has probability 0. None without a run."""
    if run_id is None:
        return None
    known = _rows(conn, "predicted_classes", {"run_id": run_id})
    if not known:
        raise InvalidInput(f"run {run_id} has no predictions; see: smartdb runs")
    place = {class_id: i for i, class_id in enumerate(said.class_ids.tolist())}
    columns = [(i, place[class_id]) for i, class_id in enumerate(known[0][0]) if class_id in place]
    rows = _rows(conn, "probabilities", {"run_id": run_id})
    result = np.full((len(said.media_ids), len(said.class_ids)), np.nan)
    at = {media_id: i for i, media_id in enumerate(said.media_ids.tolist())}
    some = [(at[media_id], p) for media_id, p in rows if media_id in at]
    if not some or not columns:
        return None
    p = np.array([each for _, each in some], np.float64)
    found = np.zeros((len(some), len(said.class_ids)))
    found[:, [to for _, to in columns]] = p[:, [of for of, _ in columns]]
    result[[i for i, _ in some]] = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12)
    return result


def _ontology(conn: psycopg.Connection[Any], ontology: str | None) -> str | None:
    """The one named, else the only one that was judged; None without any."""
    from smartdb import ontology as ontologies

    if ontology is not None:
        ontologies.classes(conn, ontology)
        return ontology
    names = [name for (name,) in _rows(conn, "ontologies")]
    if len(names) > 1:
        raise InvalidInput(
            f"media are judged in several ontologies; name one with --ontology: {names}"
        )
    return names[0] if names else None


def _predictions(conn: psycopg.Connection[Any], ontology: str) -> int | None:
    rows = _rows(conn, "predictions", {"ontology": ontology})
    return int(rows[0][0]) if rows else None


def _classes(conn: psycopg.Connection[Any], name: str, ontology: str) -> dict[int, int]:
    return dict(_rows(conn, name, {"ontology": ontology}))


def _last(
    conn: psycopg.Connection[Any], parameters: Mapping[str, Any], seed: int, standing: list[Any]
) -> dict[str, Any] | None:
    """What the last run told, if it saw the same and what it wrote is what stands."""
    values = {"parameters": Jsonb(dict(parameters)), "seed": seed}
    rows = _rows(conn, "last", values | {"code_version": smartdb.__version__})
    if not rows or rows[0][1].get("standing") != _standing_digest(standing):
        return None
    nothing = {"added": 0, "closed": 0, "moved": 0, "is_new": False}
    return (
        {"run_id": rows[0][0], **_told(rows[0][1]), **nothing} if not rows[0][1]["moved"] else None
    )


def _told(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in counts.items() if name != "standing"}


def _digest(said: Judgements, *facts: Mapping[int, int]) -> str:
    """Changes with any judgement, verdict or gold."""
    ids = (
        said.media_ids[said.media],
        said.actor_ids[said.annotators],
        said.class_ids[said.classes],
    )
    more = [np.array(sorted(fact.items()), np.int64) for fact in facts]
    return hashlib.sha256(b"|".join(part.tobytes() for part in (*ids, *more))).hexdigest()


def _standing_digest(standing: list[Any]) -> str:
    return hashlib.sha256(np.array(standing, np.int64).tobytes()).hexdigest()


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("consensus", name), values).fetchall()
