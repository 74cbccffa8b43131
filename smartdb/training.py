"""Training a linear head on the vectors of an encoder, and predicting with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

import smartdb
from smartdb import artifacts, datasets, embeddings, heads, models, predictions, runs
from smartdb.errors import NotFound, NothingToDo, translated
from smartdb.heads import Epoch, Head
from smartdb.models import Items, Model, TrainingRun
from smartdb.statements import statement
from smartdb.turns import turn

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PredictionRun:
    """A run that predicted ``n`` media with a model."""

    run_id: int
    model_id: int
    n: int
    is_new: bool


def train_head(
    conn: psycopg.Connection[Any],
    dataset: str,
    version: int | None = None,
    encoder: str | None = None,
    *,
    seed: int = 0,
    name: str | None = None,
    epochs: int = heads.EPOCHS,
    weight_decay: float | None = None,
    class_weights: Literal["balanced"] | None = None,
    device: str = "cpu",
    progress: Callable[[Epoch], object] | None = None,
) -> TrainingRun:
    """Fits a head on the train items of a sealed version, and writes model, predictions, scores.

    The weights of the epoch with the least loss on the val items are kept. The same call again
    returns the run that is there. ``version`` defaults to the newest, ``encoder`` to the only
    one, ``name`` to the dataset's, ``weight_decay`` to that with the least loss on the val items.
    It commits. NotFound for what does not exist and for items without a vector, InvalidInput for
    fewer than two classes or no train items.
    """
    version = datasets.find_version(conn, dataset, version).version
    encoder = embeddings.find(conn, encoder).name
    parameters = {
        **{"dataset": dataset, "version": version, "encoder": encoder, "name": name or dataset},
        **{"epochs": epochs, "weight_decay": weight_decay, "class_weights": class_weights},
    }
    with turn(conn, f"train {json.dumps(parameters)} {seed}"):
        items = models.read_items(conn, dataset, version)
        known = models.find_known(conn, parameters, seed, items)
        if known is not None:
            return known
        with runs.run(conn, "train", parameters, seed) as run:
            x = _vectors_of(conn, items, encoder)
            conn.commit()  # nothing is open while it fits
            head, decay = heads.fit_chosen(
                x[items.of("train")],
                items.y[items.of("train")],
                len(items.class_ids),
                seed=seed,
                epochs=epochs,
                decays=heads.DECAYS if weight_decay is None else (weight_decay,),
                class_weights=class_weights,
                validation=_validation(items, x),
                device=device,
                on_epoch=progress,
            )
            stored = artifacts.write(head.state(), ".safetensors")
            found = head.probabilities(x)
            made = models.record(
                conn,
                run.run_id,
                name or dataset,
                items,
                stored,
                found,
                head.history,
                head.dynamics,
                encoder=encoder,
            )
            made = replace(made, counts={**made.counts, "weight_decay": decay})
            run.counts.update(made.counts)
        return made


def predict(
    conn: psycopg.Connection[Any], model_id: int, media_ids: Sequence[int] | Ints | None = None
) -> PredictionRun:
    """Predicts media with a stored model, by default all that it can read, labelled or not.

    A run of its own (kind predict), so that the next batch can be chosen among the unlabelled.
    The truth it is judged against is that of the model's dataset version. The same again returns
    the run that is there. It commits. NotFound for an unknown model or media without a vector.
    """
    model = models.find_model(conn, model_id)
    wanted = None if media_ids is None else np.unique(np.asarray(media_ids, dtype=np.int64))
    with turn(conn, f"predict {model_id}"):
        ids, read = _readable(conn, model, wanted)
        conn.commit()
        if not len(ids):
            raise NothingToDo(f"there are no media that model {model_id} can read")
        digest = hashlib.sha256(ids.astype("<i8").tobytes()).hexdigest()
        parameters = {"model_id": model_id, "n": len(ids), "media": digest}
        known = _known_predictions(conn, parameters)
        if known is not None:
            return PredictionRun(known, model_id, len(ids), is_new=False)
        with runs.run(conn, "predict", parameters) as run:
            probabilities = read()
            with conn.transaction():
                predictions.write(
                    conn,
                    run.run_id,
                    ids,
                    model.class_ids,
                    probabilities,
                    revision=model.revision,
                    model_id=model_id,
                    dataset=model.dataset,
                    version=model.version,
                )
            run.counts["predicted"] = len(ids)
        return PredictionRun(run.run_id, model_id, len(ids), is_new=True)


def newest(conn: psycopg.Connection[Any], dataset: str) -> Model:
    """The model of the newest training run on a dataset that succeeded; NotFound without one."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("training", "newest"), {"dataset": dataset}).fetchone()
    if row is None:
        raise NotFound(f"nothing was trained on dataset {dataset!r}; run: smartdb train {dataset}")
    return models.find_model(conn, int(row[0]))


def load_head(model: Model) -> Head:
    """The head of a stored model that reads vectors."""
    return Head.from_state(artifacts.read(model.uri, model.sha256))


def _readable(
    conn: psycopg.Connection[Any], model: Model, wanted: Ints | None
) -> tuple[Ints, Callable[[], Floats]]:
    """The media to predict, in order, and how their probabilities are had."""
    if model.encoder is None:
        from smartdb import towers

        return towers.readable(conn, model, wanted)
    ids, x = embeddings.read_vectors(conn, model.encoder, wanted)
    _refuse_missing(ids, wanted, model.encoder, "media asked for")
    return ids, lambda: load_head(model).probabilities(x)


def _vectors_of(conn: psycopg.Connection[Any], items: Items, encoder: str) -> Floats:
    ids, x = embeddings.read_vectors(conn, encoder, items.media_ids)
    what = f"items of {items.dataset} version {items.version}"
    _refuse_missing(ids, items.media_ids, encoder, what)
    return x


def _refuse_missing(ids: Ints, wanted: Ints | None, encoder: str, what: str) -> None:
    missing = np.setdiff1d(wanted, ids) if wanted is not None else ids[:0]
    if wanted is not None and len(missing):
        some = ", ".join(str(each) for each in missing[:5])
        raise NotFound(
            f"{len(missing)} of {len(wanted)} {what} have no vector of encoder {encoder!r} "
            f"(media {some}{', ...' if len(missing) > 5 else ''}); "
            f"run: smartdb embed --encoder {encoder}"
        )


def _validation(items: Items, x: Floats) -> tuple[Floats, Ints] | None:
    held = items.of("val")
    return (x[held], items.y[held]) if held.any() else None


def _known_predictions(conn: psycopg.Connection[Any], parameters: dict[str, Any]) -> int | None:
    values = {"parameters": Jsonb(parameters), "code_version": smartdb.__version__}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("training", "known_predictions"), values).fetchone()
    return None if row is None else int(row[0])
