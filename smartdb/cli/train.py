"""Commands of the step Train: train, predict, runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.models import TrainingRun

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_RUN = click.argument("run_id", metavar="RUN", type=int)


@click.command()
@click.argument("dataset")
@click.argument("version", required=False, type=int)
@click.option("--encoder", help="Whose vectors to train on [default: the only one].")
@click.option(
    "--finetune",
    "spec",
    metavar="SPEC",
    help="Train on pixels instead: open_clip:ARCHITECTURE/TAG|FILE|none.",
)
@click.option("--frozen", is_flag=True, help="With --finetune: train the head alone.")
@click.option("--recipe", help="With --finetune: vary the train pictures by this recipe.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the weights.")
@click.option("--name", help="Name of the model [default: the dataset's].")
@click.option("--epochs", type=click.IntRange(1), help="Epochs [default: 30; --finetune: 3].")
@click.option(
    "--weight-decay", type=click.FloatRange(0), help="[default: the best on val; --finetune: 0.01]."
)
@click.option("--device", default="cpu", show_default=True, help="Such as cuda or cuda:1.")
@click.option("--plot", type=click.Path(path_type=Path), help="Write the loss curve, as PNG.")
@_AS_JSON
def train(
    dataset: str,
    version: int | None,
    encoder: str | None,
    spec: str | None,
    frozen: bool,
    recipe: str | None,
    seed: int,
    name: str | None,
    epochs: int | None,
    weight_decay: float | None,
    device: str,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Train on a sealed VERSION (the newest) of a DATASET; the same again is not trained twice."""
    from smartdb import database, plots, towers, training

    if spec and encoder:
        raise click.UsageError("--finetune reads pixels, --encoder vectors: give one of them")
    if frozen and not spec:
        raise click.UsageError("--frozen goes with --finetune")
    if recipe and not spec:
        raise click.UsageError("--recipe goes with --finetune: vectors cannot be varied")
    given = {"epochs": epochs, "weight_decay": weight_decay}
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    options |= {"seed": seed, "name": name, "device": device}
    with (
        database.session() as conn,
        output.progress("train", epochs or (3 if spec else 30)) as tell,
    ):
        if spec:
            made = towers.finetune(
                conn,
                dataset,
                version,
                spec,
                frozen=frozen,
                recipe=recipe,
                progress=_epoch(tell),
                **options,
            )
        else:
            made = training.train_head(
                conn, dataset, version, encoder, progress=_epoch(tell), **options
            )
        picture = plots.loss(conn, made.run_id) if plot else b""
    write_plot(plot, picture)
    _report(made, as_json)


@click.command()
@_RUN
@_AS_JSON
def predict(run_id: int, as_json: bool) -> None:
    """Predict all media, labelled or not, with the model of a training RUN."""
    from smartdb import database, models, training

    with database.session() as conn:
        model = models.find_model(conn, run_id=run_id)
        made = training.predict(conn, model.model_id)
    if as_json:
        output.print_json(asdict(made))
        return
    output.table([[made.run_id, made.n]], ["run", "predicted"])
    if not made.is_new:
        output.say("nothing new: these are the predictions that are there")


@click.command()
@click.argument("dataset", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def runs(dataset: str | None, limit: int, as_json: bool) -> None:
    """List training runs (of a DATASET), newest first, with their scores on the test split."""
    from smartdb import database, evaluation

    with database.session("smartdb_reader") as conn:
        rows = evaluation.training_runs(conn, dataset, limit)
    if as_json:
        output.print_json(rows)
        return
    columns = ["run", "status", "model", "dataset", "version", "encoder", "seed", "accuracy"]
    shown = [[*list(row.values())[:8], row["test_macro_f1"], row["error"]] for row in rows]
    output.table(shown, [*columns, "macro_f1", "error"])


def write_plot(file: Path | None, picture: bytes) -> None:
    """Writes a picture where one was asked for."""
    from smartdb.errors import InvalidInput

    if file is None:
        return
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise InvalidInput(f"cannot write {file}: {error.strerror}") from error
    output.say(f"wrote {file}")


def _epoch(tell: Callable[[int], None]) -> Callable[[object], None]:
    return lambda _: tell(1)


def _report(made: TrainingRun, as_json: bool) -> None:
    if as_json:
        output.print_json(asdict(made))
        return
    output.say(f"run {made.run_id}, model {made.model_id}" + ("" if made.is_new else ": not new"))
    rows = [[split, *scores.values()] for split, scores in made.metrics.items()]
    output.table(rows, ["split", *next(iter(made.metrics.values()))])
    for note in made.notes:
        output.say(f"note: {note}")
