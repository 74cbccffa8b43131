"""Models: what a training run makes, and how it is written down in one short transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

import smartdb
from smartdb import bulk, datasets, dynamics, predictions
from smartdb.artifacts import Artifact
from smartdb.dynamics import Dynamics
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.heads import Epoch
from smartdb.scores import scores
from smartdb.statements import statement

SPLITS = ("train", "val", "test")
METRIC_COLUMNS = {
    "run_id": "bigint",
    "name": "text",
    "split": "text",
    "step": "integer",
    "value": "double precision",
    "n": "bigint",
}


@dataclass(frozen=True)
class Items:
    """Labelled members of a sealed version, by media_id: (n,) each.

    ``split`` is a place in SPLITS, ``y`` a place in ``class_ids``, the classes that occur.
    """

    dataset: str
    version: int
    revision: int
    media_ids: NDArray[np.int64]
    split: NDArray[np.int32]
    y: NDArray[np.int64]
    class_ids: tuple[int, ...]
    classes: tuple[str, ...]

    def of(self, split: str) -> NDArray[np.bool_]:
        """Which items are in a split."""
        found: NDArray[np.bool_] = self.split == SPLITS.index(split)
        return found

    def absent(self, split: str) -> list[str]:
        """Names of the classes without items in a split."""
        found = set(self.y[self.of(split)].tolist())
        return [name for place, name in enumerate(self.classes) if place not in found]

    def counts(self) -> dict[str, Any]:
        """What a run says of them: how many, and which classes a split lacks."""
        sizes = {split: int(self.of(split).sum()) for split in SPLITS}
        lacking = {f"classes_without_{s}": self.absent(s) for s in SPLITS if self.absent(s)}
        return {"items": len(self.y), **sizes, "classes": len(self.classes), **lacking}

    def notes(self) -> tuple[str, ...]:
        """What a person should know of them, one sentence each."""
        return tuple(
            f"{len(absent)} of {len(self.classes)} classes have no {split} item: {_some(absent)}"
            for split in SPLITS
            if (absent := self.absent(split))
        )


@dataclass(frozen=True)
class Model:
    """A stored model; ``encoder`` is None if it reads pixels."""

    model_id: int
    name: str
    run_id: int
    dataset: str
    version: int
    revision: int
    encoder: str | None
    class_ids: tuple[int, ...]
    uri: str
    sha256: bytes


@dataclass(frozen=True)
class TrainingRun:
    """A training run: its model, its final scores by split and name, and what to know of it."""

    run_id: int
    model_id: int
    metrics: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...]
    is_new: bool
    counts: Mapping[str, Any]


def read_items(conn: psycopg.Connection[Any], dataset: str, version: int) -> Items:
    """The labelled members of a sealed version; NotFound if there is no such version.

    InvalidInput if they have fewer than two classes or none is in train.
    """
    sealed = datasets.find_version(conn, dataset, version)
    values = {"dataset": dataset, "version": version}
    types = {"media_id": "i8", "split": "i4", "class_id": "i8"}
    rows = bulk.read_columns(conn, statement("training", "items"), types, values)
    class_ids, y = np.unique(rows["class_id"], return_inverse=True)
    names = _rows(conn, "class_names", {"class_ids": class_ids.tolist()})
    items = Items(
        dataset=dataset,
        version=version,
        revision=sealed.revision,
        media_ids=rows["media_id"],
        split=rows["split"],
        y=y.astype(np.int64),
        class_ids=tuple(class_ids.tolist()),
        classes=tuple(name for (name,) in names),
    )
    _refuse_unfit(items)
    return items


def find_model(
    conn: psycopg.Connection[Any], model_id: int | None = None, *, run_id: int | None = None
) -> Model:
    """A model by its id or by its training run; NotFound if there is none."""
    rows = _rows(conn, "model", {"model_id": model_id, "run_id": run_id})
    if not rows:
        which = f"model {model_id}" if run_id is None else f"model of run {run_id}"
        raise NotFound(f"there is no {which}; run: smartdb runs")
    model = Model(*rows[0])
    return replace(model, class_ids=tuple(model.class_ids))


def find_known(
    conn: psycopg.Connection[Any], parameters: Mapping[str, Any], seed: int, items: Items
) -> TrainingRun | None:
    """The run of this code that made just this model, if one succeeded."""
    values = {
        "parameters": Jsonb(dict(parameters)),
        "seed": seed,
        "code_version": smartdb.__version__,
    }
    rows = _rows(conn, "known", values)
    if not rows:
        return None
    run_id, model_id, counts = rows[0]
    metrics = read_metrics(conn, run_id)
    return TrainingRun(run_id, model_id, metrics, items.notes(), is_new=False, counts=counts)


def read_metrics(conn: psycopg.Connection[Any], run_id: int) -> dict[str, dict[str, float]]:
    """Final scores of a run: split → name → value."""
    found: dict[str, dict[str, float]] = {}
    for split, name, value in _rows(conn, "metrics", {"run_id": run_id}):
        found.setdefault(split, {})[name] = value
    return {split: found[split] for split in SPLITS if split in found}


def record(
    conn: psycopg.Connection[Any],
    run_id: int,
    name: str,
    items: Items,
    artifact: Artifact,
    probabilities: NDArray[np.float32],
    history: Sequence[Epoch],
    watched: Dynamics | None,
    *,
    encoder: str | None,
) -> TrainingRun:
    """Writes a model, its predictions (n, c) for the items, its scores and its learning curve.

    ``watched`` are the dynamics of the train items. One transaction, which it commits.
    """
    values = {
        **{"name": name, "run_id": run_id, "dataset": items.dataset, "version": items.version},
        **{"encoder": encoder, "class_ids": list(items.class_ids)},
        **{"uri": artifact.uri, "sha256": artifact.sha256},
    }
    found = measure(items, probabilities)
    with translated(), conn.transaction():
        model_id = int(_rows(conn, "add_model", values)[0][0])
        predictions.write(
            conn,
            run_id,
            items.media_ids,
            items.class_ids,
            probabilities,
            revision=items.revision,
            model_id=model_id,
            dataset=items.dataset,
            version=items.version,
        )
        bulk.copy_rows(conn, "core.metric", METRIC_COLUMNS, _metrics(run_id, items, found, history))
        if watched is not None:
            at = items.of("train")
            dynamics.write(
                conn, run_id, items.media_ids[at], items.y[at], probabilities[at], watched
            )
    counts = items.counts() | {f"test_{k}": round(v, 6) for k, v in found.get("test", {}).items()}
    return TrainingRun(run_id, model_id, found, items.notes(), is_new=True, counts=counts)


def measure(items: Items, probabilities: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """Scores of probabilities (n, c) for the items, by split; a split without items has none."""
    return {
        split: scores(probabilities[items.of(split)], items.y[items.of(split)])
        for split in SPLITS
        if items.of(split).any()
    }


def _metrics(
    run_id: int,
    items: Items,
    found: Mapping[str, Mapping[str, float]],
    history: Sequence[Epoch],
) -> Iterator[tuple[int, str, str, int | None, float, int]]:
    n = {split: int(items.of(split).sum()) for split in SPLITS}
    for split, values in found.items():
        for name, value in values.items():
            yield run_id, name, split, None, value, n[split]
    for epoch in history:
        yield run_id, "loss", "train", epoch.step, epoch.loss, n["train"]
        if epoch.val_loss is not None:
            yield run_id, "loss", "val", epoch.step, epoch.val_loss, n["val"]


def _refuse_unfit(items: Items) -> None:
    which = f"{items.dataset} version {items.version}"
    if not len(items.y):
        raise NothingToDo(f"{which} has no labelled items that you may see")
    if len(items.class_ids) < 2:
        raise InvalidInput(f"{which} has one class only ({items.classes[0]}); label another")
    if not items.of("train").any():
        raise InvalidInput(f"{which} has no train items; make a version with smaller val and test")


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("training", name), values).fetchall()


def _some(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
