"""The command predictions: what models elsewhere predicted, from files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_PATH = click.Path(exists=True, path_type=Path)


@click.group()
def predictions() -> None:
    """Import predictions of classes and boxes from files, and list what was imported."""


@predictions.command("import")
@click.argument("path", type=_PATH)
@click.option("--model", help="Whose predictions [default: the name of the file].")
@click.option("--format", "name", help="yolo, csv, coco, ... [default: what it looks like].")
@click.option("--instances", type=_PATH, help="COCO file that COCO results are of.")
@click.option("--ontology", default="default", show_default=True, help="What its classes are of.")
@click.option("--source", help="Source whose media they are of [default: all].")
@click.option("--images", help="Folder or store that names of pictures start from.")
@click.option(
    "--map", "maps", multiple=True, metavar="GIVEN=CLASS", help="Read a class as another."
)
@_AS_JSON
def import_(
    path: Path,
    model: str | None,
    name: str | None,
    instances: Path | None,
    ontology: str,
    source: str | None,
    images: str | None,
    maps: tuple[str, ...],
    as_json: bool,
) -> None:
    """Import predictions with confidences at PATH, of media that are known. Safe to run again."""
    from smartdb import database, predicted_labels
    from smartdb.cli.import_ import pairs

    chosen = {given: to or None for given, to in pairs(maps, "--map", "GIVEN=CLASS")}
    with database.session() as conn:
        report = predicted_labels.import_file(
            conn, path, model=model, instances=instances, format=name, ontology=ontology,
            source=source, images=images, maps=chosen,
        )  # fmt: skip
    if as_json:
        output.print_json(asdict(report))
        return
    rows = [(f"pictures {key}", n) for key, n in report.pictures.items()]
    rows += [(f"predictions {key}", n) for key, n in report.labels.items()]
    output.table(rows, ["count", "n"])
    for reason, _, n in report.problems:
        output.say(f"{n} rows: {reason}; see smartdb.import_problem")
    output.say(
        f"run {report.run_id}; make labels of it: smartdb autolabel predictions {report.run_id}"
    )


@predictions.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List the imports of predictions, newest first."""
    from smartdb import database, predicted_labels

    with database.session() as conn:
        rows = predicted_labels.runs(conn)
    if as_json:
        output.print_json(rows)
        return
    columns = ["run", "model", "ontology", "file", "predictions", "at"]
    output.table([list(row.values()) for row in rows], columns)
