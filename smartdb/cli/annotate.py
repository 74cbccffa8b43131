"""Commands of the step Annotate: classes, labels, tasks."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.tasks import Kind

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ONTOLOGY = click.option(
    "--ontology", default="default", show_default=True, help="Ontology of the classes."
)


@click.command()
@click.option("--ontology", help="Only the classes of this ontology.")
@_AS_JSON
def classes(ontology: str | None, as_json: bool) -> None:
    """List the classes that labels may choose from."""
    from smartdb import database
    from smartdb import ontology as ontologies

    with database.session() as conn:
        names = [ontology] if ontology else ontologies.names(conn)
        found = [(name, each) for name in names for each in ontologies.classes(conn, name)]
    if as_json:
        output.print_json([{"ontology": name, **asdict(each)} for name, each in found])
        return
    output.table(((name, c.name, c.path) for name, c in found), ["ontology", "class", "path"])


@click.group()
def labels() -> None:
    """Import labels from folders or a table."""


@labels.command("import-folders")
@click.option("--source", help="Name of the source [default: the only one].")
@_ONTOLOGY
@_AS_JSON
def import_folders(source: str | None, ontology: str, as_json: bool) -> None:
    """Label each picture with the folder it lies in. Safe to run again."""
    from smartdb import database
    from smartdb.labels import import_folder_labels

    with database.session() as conn:
        counts = import_folder_labels(conn, source or _only_source(conn), ontology=ontology)
    _print_counts(counts, as_json)
    if counts["conflicting"]:
        output.say(f"{counts['conflicting']} in folders of several names; see: smartdb issues")
    if counts["unlabelled"]:
        output.say(f"{counts['unlabelled']} in no folder are to be labelled; see: smartdb tasks")


@labels.command("import")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--path-column", default="path", show_default=True, help="Column with the file.")
@click.option("--class-column", help="Column with the class [default: class, else label].")
@click.option("--actor", required=True, help="Who says so, such as 'worker 1'.")
@click.option(
    "--root", type=click.Path(path_type=Path), help="Folder of the paths [default: the table's]."
)
@_ONTOLOGY
@click.option("--create-classes", is_flag=True, help="Add classes that are new.")
@click.option("--skip-unknown", is_flag=True, help="Leave out files that were not ingested.")
@_AS_JSON
def import_(
    table: Path,
    path_column: str,
    class_column: str | None,
    actor: str,
    root: Path | None,
    ontology: str,
    create_classes: bool,
    skip_unknown: bool,
    as_json: bool,
) -> None:
    """Label pictures by the rows of TABLE, a CSV file. Safe to run again."""
    from smartdb import database
    from smartdb.labels import import_table
    from smartdb.tables import read_classes

    rows = read_classes(table, class_column, path_column)
    with database.session() as conn:
        counts = import_table(
            conn,
            rows,
            actor=actor,
            ontology=ontology,
            root=root or table.parent,
            create_classes=create_classes,
            skip_unknown=skip_unknown,
        )
    _print_counts(counts, as_json)


@click.command()
@click.option(
    "--kind", type=click.Choice(["label", "review", "adjudicate"]), help="Only tasks of this kind."
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@click.option("--open", "open_first", is_flag=True, help="First open a task for all unlabelled.")
@_AS_JSON
def tasks(kind: Kind | None, limit: int, open_first: bool, as_json: bool) -> None:
    """List the tasks that wait for a person, most wanted first."""
    from smartdb import database
    from smartdb import tasks as work

    with database.session() as conn:
        if open_first:
            output.say(f"{work.open_tasks(conn, 'label')['opened']} label tasks opened")
        found = work.queue(conn, kind, limit)
        waiting = {(k, state): n for k, state, n in work.counts(conn)}
    if as_json:
        output.print_json([asdict(task) for task in found])
        return
    rows = ((t.task_id, t.kind, t.media_id, t.label, t.priority, t.uri) for t in found)
    output.table(rows, ["task", "kind", "media", "label", "priority", "uri"])
    output.say(", ".join(f"{n} {k} {state}" for (k, state), n in waiting.items()) or "no tasks")


def _only_source(conn: Any) -> str:
    from smartdb.errors import InvalidInput, NotFound
    from smartdb.sources import sources

    names = [each.source for each in sources(conn)]
    if not names:
        raise NotFound("there are no sources yet; run: smartdb ingest")
    if len(names) > 1:
        raise InvalidInput(f"there are several sources; name one with --source: {names}")
    return names[0]


def _print_counts(counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        output.print_json(counts)
    else:
        output.table(counts.items(), ["count", "n"])
