"""Label issues: suspected label errors, which are questions for a reviewer and never verdicts.

``swapped``: a head that did not see the media doubts the class (see `smartdb.confident`).
``conflicting``: an importer puts the same bytes in several classes. A decided issue is never
opened again for the same label, and a label that a reviewer has settled is not asked about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

import smartdb
from smartdb import bulk, confident, predictions, tasks
from smartdb.errors import InvalidInput, NothingToDo, translated
from smartdb.folds import groups_of_class, out_of_fold
from smartdb.runs import run
from smartdb.statements import statement

Ints = NDArray[np.int64]
Rule = Literal["rank", "prediction", "confident_joint", "noise_rate"]
State = Literal["open", "confirmed", "dismissed"]

_LABELLED = {
    "media_id": "i8", "label_id": "i8", "class_id": "i8", "split_group": "i8", "is_settled": "?",
}  # fmt: skip
_EXAMINED = {
    "label_id": "bigint", "media_id": "bigint", "score": "real",
    "suggested_class_id": "bigint", "is_suspect": "boolean",
}  # fmt: skip


@dataclass(frozen=True)
class Issue:
    """A suspected label error; score from 0 to 1, larger is more suspicious."""

    issue_id: int
    label_id: int
    media_id: int
    label: str
    suggested: str | None
    kind: str
    score: float
    state: str
    uri: str


@dataclass(frozen=True)
class Labelled:
    """The labels in force at a revision whose media have a vector, row by row.

    All (n,), ``vectors`` (n, d) float32; ``groups`` number what must not be parted.
    """

    media_ids: Ints
    label_ids: Ints
    class_ids: Ints
    groups: Ints
    is_settled: NDArray[np.bool_]
    vectors: NDArray[np.float32]

    def only(self, rows: NDArray[np.bool_]) -> Labelled:
        """Some of the rows."""
        parts = {name: value[rows] for name, value in vars(self).items()}
        return replace(self, **parts)

    def digest(self) -> str:
        """Changes with any of the rows; the vectors of a media never do."""
        facts = (self.media_ids, self.label_ids, self.class_ids, self.groups, self.is_settled)
        return hashlib.sha256(b"".join(part.tobytes() for part in facts)).hexdigest()


def find(
    conn: psycopg.Connection[Any],
    encoder: str | None = None,
    *,
    ontology: str | None = None,
    folds: int = 5,
    seed: int = 0,
    rule: Rule = "rank",
) -> dict[str, Any]:
    """Suspects labels that out-of-fold probabilities doubt, and returns what it did. It commits.

    Near-duplicates and groups share a fold. The probabilities are kept as predictions of the run.
    The score is 1 less the probability of the given class. ``encoder`` and ``ontology`` may be
    left out where there is one. The same on the same labels returns the run that is there
    (``is_new`` False). Returns run_id, examined, suspected (open now), new, dropped (no
    longer suspected), settled (by a reviewer, not asked), changed (relabelled meanwhile),
    conflicting (open now), withdrawn (review tasks) and left_out: the classes in fewer groups
    than ``folds``. NothingToDo for no vectors, labels, or fewer than two classes; NotFound for an
    unknown encoder or ontology.
    """
    if rule not in confident.RULES:
        raise InvalidInput(f"no rule {rule!r}; say one of {', '.join(confident.RULES)}")
    chosen = _ontology(conn, ontology)
    encoder = _encoder(conn, encoder)
    conn.commit()
    revision = _checkpoint(conn)
    with translated():
        found = read(conn, encoder, chosen, revision)
    parameters = {"encoder": encoder, "ontology": chosen, "folds": folds, "rule": rule}
    parameters["labels"] = found.digest()
    known = _last(conn, parameters, seed)
    conn.commit()
    if known is not None:
        return {"run_id": known[0], **known[1], "new": 0, "is_new": False}
    with translated(), run(conn, "label_issues", parameters, seed) as opened:
        names = _class_names(conn, found.class_ids)
        conn.commit()  # nothing is computed inside a transaction
        found, left_out = _large_classes(found, names, folds, encoder)
        class_ids, labels = np.unique(found.class_ids, return_inverse=True)
        probabilities = out_of_fold(found.vectors, labels, found.groups, folds, seed)
        ids = class_ids.tolist()
        predictions.write(
            conn, opened.run_id, found.media_ids, ids, probabilities, revision=revision
        )
        suspects = confident.RULES[rule](labels, probabilities)
        _stage(conn, found, labels, class_ids, probabilities, suspects)
        counts = _write(conn, opened.run_id)
        counts["settled"] = int((suspects & found.is_settled).sum())
        opened.counts.update(counts, examined=len(labels), left_out=left_out)
    return {"run_id": opened.run_id, **opened.counts, "is_new": True}


def find_conflicting(conn: psycopg.Connection[Any], run_id: int) -> int:
    """Suspects the labels of media that one importer puts in several classes; returns how many.

    Issues of conflicts that are over are dropped. The caller owns the transaction.
    """
    with translated():
        settled = [label_id for (label_id,) in _rows(conn, "drop_settled_conflicts")]
        rows = _rows(conn, "add_conflicting", {"run_id": run_id})
        if settled:
            tasks.withdraw(conn, settled)
    return sum(is_new for (is_new,) in rows)


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


def read(conn: psycopg.Connection[Any], encoder: str, ontology: str, revision: int) -> Labelled:
    """What is labelled in an ontology at a revision and has a vector; NothingToDo for nothing."""
    from smartdb import embeddings

    values = {"ontology": ontology, "revision": revision}
    rows = bulk.read_columns(conn, statement("label_issues", "labelled"), _LABELLED, values)
    if not len(rows["media_id"]):
        raise NothingToDo(
            f"ontology {ontology!r} has no labels yet; run: smartdb labels import-folders"
        )
    ids, vectors = embeddings.read_vectors(conn, encoder)
    shared, at, place = np.intersect1d(
        rows["media_id"], ids, assume_unique=True, return_indices=True
    )
    if not len(shared):
        raise NothingToDo(
            f"no labelled media has a vector of {encoder}; run: smartdb embed --encoder {encoder}"
        )
    return Labelled(
        media_ids=shared,
        label_ids=rows["label_id"][at],
        class_ids=rows["class_id"][at],
        groups=rows["split_group"][at],
        is_settled=rows["is_settled"][at],
        vectors=vectors[place],
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
    conn: psycopg.Connection[Any],
    found: Labelled,
    labels: Ints,
    class_ids: Ints,
    probabilities: NDArray[np.float32],
    suspects: NDArray[np.bool_],
) -> None:
    """Copies what was examined: how doubtful each label is, and the likeliest other class."""
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -1
    scores = np.clip(confident.self_confidence(labels, probabilities), 0, 1)
    conn.execute(statement("label_issues", "stage"))
    columns = {
        "label_id": found.label_ids,
        "media_id": found.media_ids,
        "score": scores.astype(np.float32),
        "suggested_class_id": class_ids[others.argmax(axis=1)],
        "is_suspect": suspects & ~found.is_settled,
    }
    bulk.copy_arrays(conn, "examined_label", {name: columns[name] for name in _EXAMINED})


def _write(conn: psycopg.Connection[Any], run_id: int) -> dict[str, int]:
    changed = conn.execute(statement("label_issues", "drop_changed")).rowcount
    written = _rows(conn, "add_swapped", {"run_id": run_id})
    stale = [label_id for (label_id,) in _rows(conn, "drop_stale", {"run_id": run_id})]
    find_conflicting(conn, run_id)
    return {
        "suspected": len(written),
        "new": sum(is_new for (is_new,) in written),
        "dropped": len(stale),
        "changed": changed,
        "conflicting": len(issues(conn, kind="conflicting")),
        "withdrawn": tasks.withdraw(conn, stale),
    }


def _last(
    conn: psycopg.Connection[Any], parameters: Mapping[str, Any], seed: int
) -> tuple[int, dict[str, Any]] | None:
    values = {
        "parameters": Jsonb(parameters),
        "seed": seed,
        "code_version": smartdb.__version__,
    }
    rows = _rows(conn, "last", values)
    return (rows[0][0], rows[0][1]) if rows else None


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


def _checkpoint(conn: psycopg.Connection[Any]) -> int:
    """A revision, in a transaction of its own: writers wait until it ends."""
    ((revision,),) = _rows(conn, "checkpoint")
    conn.commit()
    return int(revision)


def _class_names(conn: psycopg.Connection[Any], class_ids: Ints) -> dict[int, str]:
    ids = np.unique(class_ids).tolist()
    names = _rows(conn, "class_names", {"class_ids": ids})
    return {class_id: name for class_id, (name,) in zip(ids, names, strict=True)}


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("label_issues", name), values).fetchall()
