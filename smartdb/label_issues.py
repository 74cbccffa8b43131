"""Label issues: suspected label errors, which are questions for a reviewer and never verdicts.

``swapped``: a detector of `smartdb.label_detectors` doubts the class. Other kinds come from
`smartdb.label_conflicts`, `smartdb.label_rules`, `smartdb.annotator_patterns`. A decided issue is
never opened again for the same label, and a label that a reviewer has settled is not asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from smartdb import (
    bulk,
    detector_choice,
    label_conflicts,
    label_detectors,
    label_scores,
    labelled,
    predictions,
    revisions,
    tasks,
)
from smartdb.detector_choice import Choice
from smartdb.errors import InvalidInput, NothingToDo, translated
from smartdb.folds import groups_of_class, out_of_fold
from smartdb.label_detectors import Evidence, Word
from smartdb.labelled import Labelled, Predicted
from smartdb.runs import last, run
from smartdb.statements import statement

Ints = NDArray[np.int64]
State = Literal["open", "confirmed", "dismissed"]

_SUSPECTED = ("label_id", "media_id", "score", "suggested_class_id")


@dataclass(frozen=True)
class Issue:
    """A suspected label error; score from 0 to 1, larger is more suspicious.

    label_id and label are None where a label is missing (overlooked).
    """

    issue_id: int
    label_id: int | None
    media_id: int
    label: str | None
    suggested: str | None
    kind: str
    score: float
    state: str
    uri: str


def find(
    conn: psycopg.Connection[Any],
    encoder: str | None = None,
    *,
    ontology: str | None = None,
    folds: int = 5,
    seed: int = 0,
    detector: str | None = None,
) -> dict[str, Any]:
    """Suspects labels that out-of-fold probabilities doubt, and returns what it did. It commits.

    Near-duplicates and groups share a fold. The probabilities are kept as predictions of the run,
    and what each detector says of each label as label scores. The issues are those of
    ``detector``; None takes the one that verdicts prefer, else the default. ``encoder`` and
    ``ontology`` may be left out where there is one. The same on the same labels returns the run
    that is there (``is_new`` False). Returns run_id, detector, reason (why that), examined,
    suspected (open now), new, dropped (no longer suspected), settled (by a reviewer, not asked),
    changed (relabelled meanwhile), conflicting and twins (open now), withdrawn (review tasks),
    missing (detectors that had nothing to go by) and left_out: the classes in fewer groups than
    ``folds``. NothingToDo for no vectors, labels, or fewer than two classes; NotFound for an
    unknown encoder or ontology.
    """
    if detector is not None:
        label_detectors.refuse_unknown(detector)
    ontology, encoder = _ontology(conn, ontology), _encoder(conn, encoder)
    conn.commit()
    revision = revisions.checkpoint(conn)
    with translated():
        found = labelled.read(conn, encoder, ontology, revision)
    choice = _choice(conn, detector)
    parameters = {
        "encoder": encoder, "ontology": ontology, "folds": folds, "detector": choice.detector,
        "labels": found.digest(), "edges": _edges(conn, encoder),
    }  # fmt: skip
    known = last(conn, "label_issues", parameters, seed)
    conn.commit()
    if known is not None:
        return {"run_id": known[0], **known[1], "new": 0, "is_new": False}
    with translated(), run(conn, "label_issues", parameters, seed) as opened:
        names = _class_names(conn, found.class_ids)
        conn.commit()  # nothing is computed inside a transaction
        found, left_out = _large_classes(found, names, folds, encoder)
        class_ids, labels = np.unique(found.class_ids, return_inverse=True)
        probabilities = out_of_fold(found.vectors, labels, found.groups, folds, seed)
        predictions.write(
            conn, opened.run_id, found.media_ids, class_ids.tolist(), probabilities,
            revision=revision,
        )  # fmt: skip
        seen = Predicted(found.media_ids, found.label_ids, labels, class_ids, probabilities)
        counts = _judge(conn, opened.run_id, seen, found.is_settled, encoder, choice)
        opened.counts.update(counts, left_out=left_out)
    return {"run_id": opened.run_id, **opened.counts, "is_new": True}


def find_in_run(
    conn: psycopg.Connection[Any],
    run_id: int,
    *,
    encoder: str | None = None,
    detector: str | None = None,
    asked: Sequence[str] = label_detectors.SIDE_BY_SIDE,
) -> dict[str, Any]:
    """Suspects the labels that the predictions of a run doubt: `find` without its training.

    They are compared with the labels they were judged against; what the model was trained on is
    left out. ``encoder`` names whose neighbours to ask, None asks none; ``asked`` the detectors
    whose scores are kept beside those of ``detector``. Returns the same but left_out. NotFound
    for a run without predictions.
    """
    if detector is not None:
        label_detectors.refuse_unknown(detector)
    choice = _choice(conn, detector)
    if encoder is not None:
        encoder = _encoder(conn, encoder)
    parameters = {"predictions": run_id, "encoder": encoder, "detector": choice.detector}
    conn.commit()
    with translated(), run(conn, "label_issues", parameters) as opened:
        seen = labelled.read_predicted(conn, run_id)
        settled = labelled.settled(conn, seen.label_ids)
        opened.counts.update(_judge(conn, opened.run_id, seen, settled, encoder, choice, asked))
    return {"run_id": opened.run_id, **opened.counts, "is_new": True}


def issues(
    conn: psycopg.Connection[Any],
    *,
    state: State | None = "open",
    kind: str | None = None,
    n: int | None = None,
) -> list[Issue]:
    """The ``n`` (all) most suspicious issues in a state (any); open ones on live labels only."""
    values = {"state": state, "kind": kind, "n": n}
    with translated():
        return [Issue(*row) for row in _rows(conn, "issues", values)]


def _judge(
    conn: psycopg.Connection[Any],
    run_id: int,
    seen: Predicted,
    settled: NDArray[np.bool_],
    encoder: str | None,
    choice: Choice,
    asked: Sequence[str] = label_detectors.SIDE_BY_SIDE,
) -> dict[str, Any]:
    """Asks the detectors, and writes their scores and the issues of the chosen one."""
    evidence = _evidence(conn, seen, encoder)
    conn.commit()
    missing = label_detectors.missing(evidence)
    if choice.detector in missing and not choice.is_asked:
        choice = Choice(
            label_detectors.DEFAULT,
            f"the default: {choice.detector} has nothing to go by: {missing[choice.detector]}",
        )
    able = [name for name in asked if name not in missing]
    names = tuple(dict.fromkeys((*able, choice.detector)))
    words = label_detectors.words(evidence, names)
    label_scores.write(conn, run_id, seen.label_ids, words)
    _stage(conn, seen, words[choice.detector], settled)
    return {
        **_write(conn, run_id),
        "settled": int((words[choice.detector].suspects & settled).sum()),
        "examined": len(seen.labels),
        "detector": choice.detector,
        "reason": choice.reason,
        "missing": missing,
    }


def _evidence(conn: psycopg.Connection[Any], seen: Predicted, encoder: str | None) -> Evidence:
    edges = labelled.neighbours(conn, encoder, seen.media_ids) if encoder is not None else None
    neighbours, distances = edges or (None, None)
    return Evidence(
        seen.labels,
        seen.probabilities,
        neighbours,
        distances,
        labelled.judgements(conn, seen.media_ids, seen.class_ids),
    )


def _large_classes(
    found: Labelled, names: Mapping[int, str], folds: int, encoder: str
) -> tuple[Labelled, list[str]]:
    """Without the classes in fewer groups than folds, and the names of those."""
    class_ids, labels = np.unique(found.class_ids, return_inverse=True)
    is_large = groups_of_class(labels, found.groups) >= folds
    left_out = sorted(names[int(each)] for each in class_ids[~is_large])
    if is_large.sum() < 2:
        few = f" (fewer: {', '.join(left_out)})" if left_out else ""
        raise NothingToDo(
            f"two classes with {folds} or more labelled media each, near-duplicates counted once, "
            f"are needed to find label errors, and there are {is_large.sum()}{few}; "
            f"label more, or embed more: smartdb embed --encoder {encoder}"
        )
    return found.only(is_large[labels]), left_out


def _stage(
    conn: psycopg.Connection[Any], seen: Predicted, word: Word, settled: NDArray[np.bool_]
) -> None:
    """Copies what is suspected: how doubtful each label is, and the likeliest other class."""
    rows = np.flatnonzero(word.suspects & ~settled)
    others = seen.probabilities[rows]
    others[np.arange(len(rows)), seen.labels[rows]] = -1
    conn.execute(statement("label_issues", "stage"))
    columns = {
        "label_id": seen.label_ids[rows],
        "media_id": seen.media_ids[rows],
        "score": word.scores[rows],
        "suggested_class_id": seen.class_ids[others.argmax(axis=1)],
    }
    bulk.copy_arrays(conn, "suspected_label", {name: columns[name] for name in _SUSPECTED})


def _write(conn: psycopg.Connection[Any], run_id: int) -> dict[str, int]:
    changed = conn.execute(statement("label_issues", "drop_changed")).rowcount
    written = _rows(conn, "add_swapped", {"run_id": run_id})
    stale = [label_id for (label_id,) in _rows(conn, "drop_stale", {"run_id": run_id})]
    label_conflicts.find_conflicting(conn, run_id)
    label_conflicts.find_twins(conn, run_id)
    return {
        "suspected": len(written),
        "new": sum(is_new for (is_new,) in written),
        "dropped": len(stale),
        "changed": changed,
        "conflicting": _n_open(conn, "conflicting"),
        "twins": _n_open(conn, "twins_differ"),
        "withdrawn": tasks.withdraw(conn, stale),
    }


def _n_open(conn: psycopg.Connection[Any], kind: str) -> int:
    return int(_rows(conn, "n_open", {"kind": kind})[0][0])


def _choice(conn: psycopg.Connection[Any], detector: str | None) -> Choice:
    if detector is not None:
        return Choice(detector, "asked for", is_asked=True)
    return detector_choice.choose(conn, label_detectors.SIDE_BY_SIDE)


def _edges(conn: psycopg.Connection[Any], encoder: str) -> int | None:
    """The run that made the edges of an encoder; None for none."""
    from smartdb import embeddings, neighbours

    return neighbours.last_build(conn, embeddings.find(conn, encoder))


def _encoder(conn: psycopg.Connection[Any], encoder: str | None) -> str:
    from smartdb import embeddings

    return embeddings.find(conn, encoder).name


def _ontology(conn: psycopg.Connection[Any], ontology: str | None) -> str:
    from smartdb import ontology as ontologies

    if ontology is not None:
        ontologies.classes(conn, ontology)
        return ontology
    used = [name for (name,) in _rows(conn, "ontologies")]
    if not used:
        raise NothingToDo("there are no labels yet; run: smartdb labels import-folders")
    if len(used) > 1:
        raise InvalidInput(f"labels are in several ontologies; name one with --ontology: {used}")
    return str(used[0])


def _class_names(conn: psycopg.Connection[Any], class_ids: Ints) -> dict[int, str]:
    ids = np.unique(class_ids).tolist()
    names = _rows(conn, "class_names", {"class_ids": ids})
    return {class_id: name for class_id, (name,) in zip(ids, names, strict=True)}


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("label_issues", name), values).fetchall()
