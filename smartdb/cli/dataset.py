"""The command dataset: create, list, show, diff."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.datasets import DatasetVersion

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NAME = click.argument("name")


@click.group()
def dataset() -> None:
    """Seal versions of datasets, list them, and show what changed between two."""


@dataset.command()
@_NAME
@click.option("--ontology", help="Whose classes count; needed for the first version.")
@click.option(
    "--query",
    help="Condition on smartdb.media read as m, such as \"m.source = 'cars'\" "
    "[default: as in the version before, at first all].",
)
@click.option("--seed", type=int, help="Seed of the split [default: as before, at first 0].")
@click.option("--val", type=click.FloatRange(0, 1), help="Share of val [default: as before, 0.1].")
@click.option(
    "--test", type=click.FloatRange(0, 1), help="Share of test [default: as before, 0.2]."
)
@click.option(
    "--purpose",
    help="Use it is meant for, such as training; media whose terms do not allow it are refused "
    "[default: as before, at first none].",
)
@click.option("--leave-out-refused", is_flag=True, help="Leave those media out instead.")
@click.option("-m", "--message", default="", help="What changed and why.")
@_AS_JSON
def create(
    name: str,
    ontology: str | None,
    query: str | None,
    seed: int | None,
    val: float | None,
    test: float | None,
    purpose: str | None,
    leave_out_refused: bool,
    message: str,
    as_json: bool,
) -> None:
    """Seal the next version: the labelled media that fulfil the query, split by group.

    Makes none if nothing has changed since the newest. Nothing changes its split when media are
    added, and near-duplicates stay on one side.
    """
    from smartdb import database, datasets

    with database.session() as conn:
        made = datasets.create_version(
            conn,
            name,
            ontology=ontology,
            query=query,
            seed=seed,
            val=val,
            test=test,
            purpose=purpose,
            leave_out_refused=leave_out_refused,
            message=message,
        )
    if as_json:
        output.print_json(asdict(made))
        return
    output.table([_row(made)], _COLUMNS)
    if made.is_new:
        changes = ", ".join(f"{made.counts[what]} {what}" for what in ("added", "removed", "moved"))
        output.say(changes)
    else:
        output.say("nothing has changed since this version")
    if made.counts.get("left_out"):
        output.say(f"{made.counts['left_out']} left out: their terms do not allow {made.purpose}")


@dataset.command("list")
@click.argument("name", required=False)
@_AS_JSON
def list_(name: str | None, as_json: bool) -> None:
    """List the sealed versions of a dataset, or of all."""
    from smartdb import database, datasets

    with database.session("smartdb_reader") as conn:
        found = datasets.list_versions(conn, name)
    if as_json:
        output.print_json([asdict(version) for version in found])
    else:
        output.table(map(_row, found), _COLUMNS)


@dataset.command()
@_NAME
@click.argument("version", required=False, type=int)
@_AS_JSON
def show(name: str, version: int | None, as_json: bool) -> None:
    """Show how many of each class a version (the newest) holds in each split."""
    from smartdb import database, datasets

    with database.session("smartdb_reader") as conn:
        found = datasets.find_version(conn, name, version)
        balance = datasets.class_balance(conn, name, found.version)
    if as_json:
        columns = ("split", "class", "n", "share")
        classes = [dict(zip(columns, row)) for row in balance]
        output.print_json({**asdict(found), "class_balance": classes})
        return
    output.say(
        f"{name} version {found.version}: {found.n_items} items, query {found.query}, "
        f"seed {found.seed}, digest {found.digest}"
    )
    output.table(balance, ["split", "class", "n", "share"])


@dataset.command()
@_NAME
@click.argument("version_a", type=int)
@click.argument("version_b", type=int)
@_AS_JSON
def diff(name: str, version_a: int, version_b: int, as_json: bool) -> None:
    """List what changed from version A to the later version B."""
    from smartdb import database, datasets

    columns = ["media_id", "change", "split_a", "split_b", "class_a", "class_b"]
    with database.session("smartdb_reader") as conn:
        rows = datasets.diff(conn, name, version_a, version_b)
    if as_json:
        output.print_json([dict(zip(columns, row)) for row in rows])
    else:
        output.table(rows, columns)


_COLUMNS = ["dataset", "version", "items", "sealed", "query", "message"]


def _row(found: DatasetVersion) -> list[object]:
    sealed = found.sealed_at.isoformat(" ", "seconds")
    return [found.dataset, found.version, found.n_items, sealed, found.query, found.message]
