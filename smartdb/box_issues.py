"""Box issues: suspected errors of boxes and outlines, each a question for a reviewer.

By themselves: ``duplicate`` (the same actor's box again), ``impossible_geometry`` (out of the
picture, or less than a pixel). Held against a detector or a second annotator: ``badly_placed``,
``swapped``, ``spurious``, ``overlooked`` (no label there), ``rough_outline`` (other pixels).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from smartdb import box_rules, bulk, outline_issues, tasks
from smartdb.box_pairs import Boxes, Ints
from smartdb.box_rules import Suspects
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.runs import last, run
from smartdb.statements import statement

OWN = ("duplicate", "impossible_geometry")
"""Kinds that need nobody else's word."""

HELD = ("badly_placed", "swapped", "spurious", "overlooked", "rough_outline")
"""Kinds that a detector or a second annotator tells."""

_COLUMNS = {
    "label_id": "i8", "media_id": "i8", "class_id": "i8", "actor_id": "i8", "x": "f8", "y": "f8",
    "w": "f8", "h": "f8", "confidence": "f8", "has_outline": "?", "is_settled": "?",
}  # fmt: skip
_SUSPECT = {
    "kind": "text", "media_id": "bigint", "label_id": "bigint", "by_label_id": "bigint",
    "by_predicted_id": "bigint", "score": "real",
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """Live labels with a size, by label_id: ids, who drew them (n,), and their boxes."""

    label_ids: Ints
    actor_ids: Ints
    has_outline: NDArray[np.bool_]
    is_settled: NDArray[np.bool_]
    boxes: Boxes

    def only(self, rows: NDArray[Any]) -> Drawn:
        """Some of them, by index or by a mask."""
        return Drawn(
            self.label_ids[rows],
            self.actor_ids[rows],
            self.has_outline[rows],
            self.is_settled[rows],
            self.boxes.only(rows),
        )


def find(
    conn: psycopg.Connection[Any],
    *,
    against: str | None = None,
    predictions: int | None = None,
    ontology: str | None = None,
    actor: str | None = None,
) -> dict[str, Any]:
    """Suspects boxes, writes them as issues, and commits.

    ``against`` names the detector or annotator whose boxes are held against the labels, or
    ``predictions`` the run that imported a detector's; only media where it has a box at all are
    judged by it. ``actor`` judges one actor's labels only; else those
    of people, importers and consensus. Nothing changed since the last such run: it is returned,
    with ``is_new`` False. Returns run_id, examined, new, dropped (no longer suspected), withdrawn
    (review tasks), and how many are open of each kind. NothingToDo for no boxes, NotFound for an
    unknown actor, InvalidInput where the ontology is not the only one, or one is held against
    itself.
    """
    if against is not None and (against == actor or predictions is not None):
        raise InvalidInput(f"{against!r} cannot be held against itself, or with a run; name one")
    is_held = against is not None or predictions is not None
    with translated():
        chosen = _ontology(conn, ontology)
        parameters: dict[str, Any] = {"against": against, "ontology": chosen, "actor": actor}
        parameters["predictions"] = predictions
        labels = _drawn(conn, "boxes", parameters)
        others = labels.only(np.zeros(0, np.int64))
        if is_held:
            name = "boxes" if against else "predicted"
            others = _drawn(conn, name, {**parameters, "actor": against})
    parameters["boxes"] = _digest(labels, others)
    known = last(conn, "box_issues", parameters)
    conn.commit()
    if known is not None:
        return {"run_id": known[0], **known[1], "new": 0, "is_new": False}
    with translated(), run(conn, "box_issues", parameters) as opened:
        found = list(suspects(conn, labels, others, is_held))
        rows = _rows_of(labels, others, found, predictions is not None)
        kinds = list(OWN + HELD) if is_held else list(OWN)
        opened.counts.update(_write(conn, opened.run_id, labels, rows, kinds))
    return {"run_id": opened.run_id, **opened.counts, "is_new": True}


def suspects(
    conn: psycopg.Connection[Any], labels: Drawn, others: Drawn, is_held: bool
) -> Iterator[Suspects]:
    """What is suspected of labels, by themselves and by what another says on the same media."""
    n_actors = labels.actor_ids.max(initial=0) + 1  # an actor's own boxes are compared, by class
    own = replace(labels.boxes, class_ids=labels.boxes.class_ids * n_actors + labels.actor_ids)
    yield box_rules.twins(own)
    if not is_held:
        return
    rows = np.flatnonzero(np.isin(labels.boxes.media_ids, others.boxes.media_ids))
    for each in box_rules.against(labels.boxes.only(rows), others.boxes):
        yield each if each.kind == "overlooked" else replace(each, rows=rows[each.rows])
    drawn, shown = np.flatnonzero(labels.has_outline), np.flatnonzero(others.has_outline)
    one, other = labels.only(drawn), others.only(shown)
    rough = outline_issues.rough(conn, one.boxes, one.label_ids, other.boxes, other.label_ids)
    yield replace(rough, rows=drawn[rough.rows], by=shown[rough.by])


def _write(
    conn: psycopg.Connection[Any],
    run_id: int,
    labels: Drawn,
    rows: Iterable[Sequence[Any]],
    kinds: list[str],
) -> dict[str, int]:
    conn.execute(statement("box_issues", "stage"))
    examined = {"label_id": labels.label_ids, "media_id": labels.boxes.media_ids}
    bulk.copy_arrays(conn, "examined_box", examined)
    bulk.copy_rows(conn, "suspect_box", _SUSPECT, rows)
    conn.execute(statement("box_issues", "suspect_impossible"))
    conn.execute(statement("box_issues", "suggest"))
    added = [
        row for name in ("add", "add_overlooked") for row in _rows(conn, name, {"run_id": run_id})
    ]
    stale = _rows(conn, "drop_stale", {"run_id": run_id, "kinds": kinds})
    closed = [label_id for (label_id,) in stale if label_id is not None]
    counts = {"examined": len(labels.label_ids), "new": sum(is_new for _, is_new in added)}
    counts |= {"dropped": len(stale), "withdrawn": tasks.withdraw(conn, closed)}
    return counts | Counter(kind for kind, _ in added)


def _rows_of(
    labels: Drawn, others: Drawn, found: list[Suspects], is_predicted: bool
) -> Iterator[tuple[str, int, int | None, int | None, int | None, float]]:
    """The suspicions as rows of _SUSPECT, without what a reviewer has settled."""
    for each in found:
        is_missing = each.kind == "overlooked"
        told = labels if each.kind == "duplicate" else others
        judged = others if is_missing else labels
        for row, by, score in zip(each.rows, each.by, each.scores, strict=True):
            if is_missing or not labels.is_settled[row]:
                label = None if is_missing else int(labels.label_ids[row])
                other = int(told.label_ids[by]) if by >= 0 else None
                media_id = int(judged.boxes.media_ids[row])
                by_label, by_predicted = other, None
                if is_predicted and told is others:
                    by_label, by_predicted = None, other
                sure = float(np.clip(score, 0, 1))
                yield each.kind, media_id, label, by_label, by_predicted, sure


def _drawn(conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]) -> Drawn:
    rows = bulk.read_columns(conn, statement("box_issues", name), _COLUMNS, values)
    if not len(rows["label_id"]):
        raise _nothing(conn, name, values)
    xywh = np.stack([rows[name] for name in "xywh"], axis=1)
    boxes = Boxes(rows["media_id"], rows["class_id"], xywh, rows["confidence"])
    return Drawn(rows["label_id"], rows["actor_id"], rows["has_outline"], rows["is_settled"], boxes)


def _nothing(conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]) -> Exception:
    actor, ontology = values["actor"], values["ontology"]
    if actor is not None and not _rows(conn, "actor", values):
        return NotFound(f"no actor {actor!r}; the view smartdb.actor has them")
    who = f"{actor!r} has" if actor else "there are"
    if name == "predicted":
        who = f"run {values['predictions']} predicted"
    return NothingToDo(f"{who} no boxes or outlines in ontology {ontology!r}; import some first")


def _ontology(conn: psycopg.Connection[Any], ontology: str | None) -> str:
    used = [name for (name,) in _rows(conn, "ontologies", {})]
    if ontology is not None:
        return ontology
    if not used:
        raise NothingToDo("there are no boxes or outlines yet; run: smartdb import")
    if len(used) > 1:
        raise InvalidInput(f"boxes are in several ontologies; name one with --ontology: {used}")
    return str(used[0])


def _digest(labels: Drawn, others: Drawn) -> str:
    """Of which labels the answer depends on."""
    parts = (labels.label_ids, labels.is_settled, others.label_ids)
    return hashlib.sha256(b"|".join(part.tobytes() for part in parts)).hexdigest()


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("box_issues", name), values or None).fetchall()
