"""The command project: what annotators are asked, how far they are, and its queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NAME = click.argument("name")
_MAYBE = click.argument("name", required=False)


def _choices(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is asked, of how many, and what first."""
    for option in (
        click.option("--per-day", type=click.FloatRange(0), help="What a day of waiting adds."),
        click.option("--depth", type=click.IntRange(0), help="How many media shall wait."),
        click.option(
            "--fill-by",
            type=click.Choice(["age", "uncertainty", "diversity"]),
            help="Which media first.",
        ),
        click.option("--predicate", help='Which media, such as "m.brightness < 0.2".'),
        click.option(
            "--gold-share", type=click.FloatRange(0, 0.5), help="Share whose answer is known."
        ),
        click.option("--overlap", type=click.IntRange(1, 100), help="How many people a media."),
        click.option(
            "--instructions",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="What annotators read first.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def project() -> None:
    """Ask people to label: projects, their queues, their progress."""


@project.command()
@_NAME
@click.option("--ontology", default="default", show_default=True, help="Ontology of the classes.")
@click.option(
    "--kind", "kinds", multiple=True, default=["classification"], show_default=True,
    help="Kind of label asked for, such as box; again for more.",
)  # fmt: skip
@_choices
def add(name: str, ontology: str, kinds: tuple[str, ...], **chosen: Any) -> None:
    """Make a project; it asks nothing until its queue is filled."""
    from smartdb import database, projects

    with database.session() as conn:
        projects.create(conn, name, ontology, kinds=kinds, **_given(chosen))
    output.say(f"project {name} made; next: smartdb project fill {name}")


@project.command()
@_NAME
@_choices
def change(name: str, **chosen: Any) -> None:
    """Change what a project asks from now on."""
    from smartdb import database, projects

    with database.session() as conn:
        projects.change(conn, name, **_given(chosen))


@project.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List projects with how far they are."""
    _progress(None, as_json)


@project.command()
@_MAYBE
@_AS_JSON
def progress(name: str | None, as_json: bool) -> None:
    """Say how far a project (all) is, and who did how much of it how fast."""
    from smartdb import database, projects

    _progress(name, as_json)
    if as_json:
        return
    with database.session() as conn:
        people = projects.throughput(conn, name)
    columns = ["project", "actor", "n_done", "n_skipped", "n_leased", "median_seconds", "per_hour"]
    output.table(([row[c] for c in columns] for row in people), columns)


@project.command()
@_MAYBE
@click.option("--batch", "batch_id", type=int, metavar="ID", help="Ask about this batch.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sampler.")
@_AS_JSON
def fill(name: str | None, batch_id: int | None, seed: int, as_json: bool) -> None:
    """Fill the queue of a project (all) to its depth, or with the media of a batch."""
    from smartdb import database, queues

    if batch_id is not None and name is None:
        raise click.UsageError("say of which project the batch shall be asked")
    with database.session() as conn:
        if name is None:
            counts = queues.fill_all(conn, seed=seed)
        elif batch_id is not None:
            counts = queues.ask_batch(conn, name, batch_id)
        else:
            counts = queues.fill(conn, name, seed=seed)
    if as_json:
        output.print_json(counts)
    else:
        output.table(counts.items(), ["count", "n"])


@project.command()
@_NAME
@click.option("--run", "run_id", type=int, required=True, metavar="ID", help="Run that predicted.")
def prioritise(name: str, run_id: int) -> None:
    """Order a project's queue anew by what a run is unsure of."""
    from smartdb import database, queues

    with database.session() as conn:
        output.say(f"{queues.prioritise(conn, name, run_id)} tasks have another priority")


@project.command()
@_NAME
def close(name: str) -> None:
    """Close a project: nothing more of it is claimed."""
    from smartdb import database, projects

    with database.session() as conn:
        projects.close(conn, name)


@project.command("open")
@_NAME
def open_(name: str) -> None:
    """Open a closed project again."""
    from smartdb import database, projects

    with database.session() as conn:
        projects.close(conn, name, is_closed=False)


def _progress(name: str | None, as_json: bool) -> None:
    from smartdb import database, projects

    with database.session() as conn:
        rows = projects.progress(conn, name)
    if as_json:
        output.print_json(rows)
        return
    columns = ["project", "n_media", "n_waiting", "n_leased", "n_done", "n_skipped", "share_done",
               "mean_seconds", "hours_left"]  # fmt: skip
    output.table(([row[c] for c in columns] for row in rows), columns)


def _given(chosen: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in chosen.items() if value is not None}
    if "instructions" in given:
        given["instructions"] = given["instructions"].read_text(encoding="utf-8")
    return given
