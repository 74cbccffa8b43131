"""The command batch: list what samplers chose, and show it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import psycopg

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def batch() -> None:
    """List the batches that samplers chose, and show what is in one."""


@batch.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def list_(limit: int, as_json: bool) -> None:
    """List the batches, the newest first."""
    from smartdb import batches, database

    with database.session("smartdb_reader") as conn:
        found = batches.newest(conn, limit)
    if as_json:
        output.print_json([asdict(one) for one in found])
        return
    rows = [[b.batch_id, b.strategy, b.n_items, b.seed, _said(b.parameters)] for b in found]
    output.table(rows, ["batch", "strategy", "items", "seed", "parameters"])


@batch.command()
@click.argument("batch_id", metavar="BATCH", type=int)
@click.option("-o", "--sheet", type=click.Path(path_type=Path), help="Write the pictures, as PNG.")
@_AS_JSON
def show(batch_id: int, sheet: Path | None, as_json: bool) -> None:
    """Show the media of a BATCH in the order of choice, each with its score and reason."""
    from smartdb import database

    with database.session("smartdb_reader") as conn:
        tell(conn, batch_id, sheet, as_json)


def tell(conn: psycopg.Connection[Any], batch_id: int, sheet: Path | None, as_json: bool) -> None:
    """Prints a batch; writes its first pictures as a sheet where one is asked for."""
    from smartdb import batches, previews
    from smartdb.cli.train import write_plot
    from smartdb.errors import NothingToDo

    found, items = batches.find(conn, batch_id), batches.items(conn, batch_id)
    if sheet:
        picture = previews.batch(conn, batch_id)
        if picture is None:
            raise NothingToDo(f"you may see no media of batch {batch_id}")
        write_plot(sheet, picture)
    if as_json:
        output.print_json({**asdict(found), "items": [item._asdict() for item in items]})
        return
    output.table(items, ["rank", "media_id", "score", "reason", "uri"])
    output.say(f"batch {batch_id}")
    for note in found.notes:
        output.say(f"note: {note}")


def _said(parameters: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())
