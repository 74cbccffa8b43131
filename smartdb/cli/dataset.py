"""The command dataset: create, list, show, diff, and those of dataset_marks."""

from __future__ import annotations

from dataclasses import asdict

import click

from smartdb.cli import dataset_marks, output
from smartdb.cli.dataset_options import AS_JSON, COLUMNS, MESSAGE, NAME, REFUSED, described, report


@click.group()
def dataset() -> None:
    """Seal versions of datasets, compare, restore, fork, tag, verify and prune them."""


@dataset.command()
@NAME
@click.option("--ontology", help="Whose classes count; needed for the first version.")
@click.option(
    "--query",
    help="Condition on smartdb.media read as m, such as \"m.source = 'cars'\" "
    "[default: as in the version before, at first all].",
)
@click.option("--from-batch", "batch", type=int, help="The media that a sampler chose.")
@click.option("--from-slice", "slice_", metavar="NAME", help="The media of a slice or saved set.")
@click.option(
    "--from-version",
    "parent",
    metavar="VERSION",
    help="The members of a version: number, tag, or DATASET@either.",
)
@click.option(
    "--add",
    multiple=True,
    metavar="ID|CONDITION",
    help="And these: ids of media with commas between, or a condition; may be given again.",
)
@click.option("--remove", multiple=True, metavar="ID|CONDITION", help="But not these.")
@click.option("--seed", type=int, help="Seed of the split [default: as before, at first 0].")
@click.option("--val", type=click.FloatRange(0, 1), help="Share of val [default: as before, 0.1].")
@click.option(
    "--test", type=click.FloatRange(0, 1), help="Share of test [default: as before, 0.2]."
)
@click.option(
    "--stratify",
    type=click.Choice(["class", "none"]),
    help="Give each class its share of val and test [default: as before, at first none].",
)
@click.option(
    "--purpose",
    help="Use it is meant for, such as training; media whose terms do not allow it are refused "
    "[default: as before, at first none].",
)
@REFUSED
@click.option("--encoder", help="Whose vectors chose the members, to be noted.")
@MESSAGE
@AS_JSON
def create(
    name: str,
    ontology: str | None,
    query: str | None,
    batch: int | None,
    slice_: str | None,
    parent: str | None,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    seed: int | None,
    val: float | None,
    test: float | None,
    stratify: str | None,
    purpose: str | None,
    leave_out_refused: bool,
    encoder: str | None,
    message: str,
    as_json: bool,
) -> None:
    """Seal the next version: the labelled media that fulfil the query, split by group.

    Instead of a query name a batch, a slice or a version; --add and --remove change what that
    gives, or the newest version if nothing is named. None is made if nothing has changed since.
    Nothing changes its split when media are added, and near-duplicates stay on one side.
    """
    from smartdb import database, datasets

    with database.session() as conn:
        made = datasets.create_version(
            conn,
            name,
            ontology=ontology,
            query=query,
            batch=batch,
            slice=slice_,
            parent=parent,
            add=_things(add),
            remove=_things(remove),
            seed=seed,
            val=val,
            test=test,
            stratify=stratify,
            purpose=purpose,
            encoder=encoder,
            leave_out_refused=leave_out_refused,
            message=message,
        )
    report(made, as_json)


@dataset.command("list")
@click.argument("name", required=False)
@AS_JSON
def list_(name: str | None, as_json: bool) -> None:
    """List the sealed versions of a dataset, or of all."""
    from smartdb import database, datasets

    with database.session("smartdb_reader") as conn:
        found = datasets.list_versions(conn, name)
    if as_json:
        output.print_json([asdict(version) for version in found])
    else:
        output.table(map(described, found), COLUMNS)


@dataset.command()
@NAME
@click.argument("version", required=False)
@AS_JSON
def show(name: str, version: str | None, as_json: bool) -> None:
    """Show how many of each class a version (number or tag; the newest) holds in each split."""
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
@NAME
@click.argument("version_a")
@click.argument("version_b")
@click.option("--media", "what", flag_value="media", default=True, help="The media (default).")
@click.option("--labels", "what", flag_value="labels", help="The labels of the shared members.")
@click.option("--classes", "what", flag_value="classes", help="The classes of the ontology.")
@AS_JSON
def diff(name: str, version_a: str, version_b: str, what: str, as_json: bool) -> None:
    """List what changed from version A to the later version B (numbers or tags), media by media."""
    from smartdb import database, datasets

    find, columns = datasets.DIFFS[what]
    with database.session("smartdb_reader") as conn:
        a, b = (datasets.find_version(conn, name, each).version for each in (version_a, version_b))
        rows = find(conn, name, a, b)
    if as_json:
        output.print_json([dict(zip(columns, row)) for row in rows])
    else:
        output.table(rows, columns)


def _things(given: tuple[str, ...]) -> list[str]:
    """Conditions as they are, lists of ids one by one."""
    things: list[str] = []
    for each in given:
        ids = [part.strip() for part in each.split(",")]
        things += ids if all(part.isdecimal() for part in ids) else [each]
    return things


for command in dataset_marks.COMMANDS:
    dataset.add_command(command)
