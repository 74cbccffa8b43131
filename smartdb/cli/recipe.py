"""The groups recipe and augment: how pictures are varied, and doing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_SEED = click.option("--seed", type=int, help="Where chance begins [default: the recipe's].")


@click.group()
def recipe() -> None:
    """Write down how pictures are varied for training."""


@recipe.command("add")
@click.argument("name")
@click.argument("pipeline")
@click.option("--seed", type=int, default=0, show_default=True, help="Where chance begins.")
@click.option("--note", default="", help="What it is for.")
def add(name: str, pipeline: str, seed: int, note: str) -> None:
    """Add a recipe: PIPELINE is JSON, or a file of it, [{"transform": ..., "arguments": {...}}]."""
    from smartdb import database, recipes
    from smartdb.errors import InvalidInput

    try:
        is_text = pipeline.lstrip().startswith("[")
        steps = json.loads(pipeline if is_text else Path(pipeline).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {pipeline}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput(f"the pipeline is no JSON: {error}") from error
    with database.session() as conn:
        made = recipes.add(conn, name, steps, seed=seed, note=note)
        conn.commit()
    output.say(f"recipe {made.name!r} of {len(made.pipeline)} steps")


@recipe.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List the recipes."""
    from smartdb import database, recipes

    with database.session("smartdb_reader") as conn:
        known = recipes.as_rows(conn)
    if as_json:
        output.print_json(known)
        return
    rows = [[r["name"], r["seed"], _steps(r["pipeline"]), r["note"]] for r in known]
    output.table(rows, ["recipe", "seed", "steps", "note"])


@recipe.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Print the pipeline of a recipe as JSON."""
    from smartdb import database, recipes

    with database.session("smartdb_reader") as conn:
        output.print_json(list(recipes.find(conn, name).pipeline))


@click.group()
def augment() -> None:
    """Make variants of pictures by a recipe, with their labels."""


@augment.command("run")
@click.argument("recipe")
@click.option("--predicate", help="Of media that fulfil this SQL condition on smartdb.media as m.")
@click.option("--dataset", help="Of the train items of this dataset.")
@click.option("--version", type=int, help="Of the dataset [default: the newest].")
@click.option("-n", default=1, show_default=True, type=click.IntRange(1), help="Variants of each.")
@_SEED
@_AS_JSON
def run(
    recipe: str,
    predicate: str | None,
    dataset: str | None,
    version: int | None,
    n: int,
    seed: int | None,
    as_json: bool,
) -> None:
    """Make variants as media, in the groups of their originals. Those there are are left."""
    from smartdb import database, predicates, variants

    with database.session() as conn, output.progress("augment") as tell:
        ids = None if predicate is None else predicates.members(conn, predicate).tolist()
        counts = variants.run(
            conn, recipe, ids, dataset=dataset, version=version, n=n, seed=seed, progress=tell
        )
    if as_json:
        output.print_json({"recipe": recipe, **counts})
        return
    output.table([[recipe, *counts.values()]], ["recipe", *counts])


@augment.command("preview")
@click.argument("recipe")
@click.argument("media_id", type=int)
@click.option("-n", default=7, show_default=True, type=click.IntRange(1, 31), help="Variants.")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(path_type=Path),
    default="augment.png",
    show_default=True,
    help="The PNG to write.",
)
@_SEED
def preview(recipe: str, media_id: int, n: int, file: Path, seed: int | None) -> None:
    """Draw a media and some variants with their labels; nothing is added."""
    from smartdb import database, variants
    from smartdb.cli.train import write_plot

    with database.session() as conn:
        sheet = variants.preview(conn, recipe, media_id, n=n, seed=seed)
    write_plot(file, sheet)


def _steps(pipeline: list[dict[str, Any]]) -> str:
    return ", ".join(step["transform"] for step in pipeline)
