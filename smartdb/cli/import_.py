"""The command import: labels of any format, with their pictures or onto known media."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.importing import Report


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "name", help="Format of PATH [default: what it looks like].")
@click.option("--images", help="Folder or store of the pictures, which is ingested first.")
@click.option("--source", help="Source of the pictures [default: the name of --images, else any].")
@click.option("--ontology", default="default", show_default=True, help="Ontology of the classes.")
@click.option("--mapping", help="Name that the reading of classes is saved under [default: actor].")
@click.option(
    "--map", "maps", multiple=True, metavar="GIVEN=CLASS",
    help="Read a class of the file as this one; GIVEN= leaves its labels out. May be repeated.",
)  # fmt: skip
@click.option("--create-classes", is_flag=True, help="Make classes that are new.")
@click.option("--actor", help="Who says so [default: the format and the file's name].")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE",
    help="An option of the format. May be repeated.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would happen, and write nothing.")
@click.option("--workers", type=click.IntRange(1), help="Processes that read pictures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_(
    path: Path,
    name: str | None,
    images: str | None,
    source: str | None,
    ontology: str,
    mapping: str | None,
    maps: tuple[str, ...],
    create_classes: bool,
    actor: str | None,
    options: tuple[str, ...],
    dry_run: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Import the labels at PATH, with their pictures or onto known media. Safe to run again.

    PATH is a file or folder: COCO, YOLO, Pascal VOC, CVAT, Label Studio, labelme, KITTI, Open
    Images, WebDataset, CSV, Parquet, or folders named like classes. What is wrong in it is listed
    in smartdb.import_problem row by row; the rest goes in.
    """
    from smartdb import database
    from smartdb.importing import import_labels

    chosen = {given: to or None for given, to in pairs(maps, "--map", "GIVEN=CLASS")}
    given_options = dict(pairs(options, "--option", "NAME=VALUE"))
    with database.session() as conn, output.counted("ingest") as tell:
        report = import_labels(
            conn,
            path,
            format=name,
            images=images,
            source=source,
            ontology=ontology,
            mapping=mapping,
            maps=chosen,
            create_classes=create_classes,
            actor=actor,
            options=given_options,
            dry_run=dry_run,
            workers=workers,
            progress=tell,
        )
    if as_json:
        output.print_json(asdict(report))
    else:
        _print(report)
    _talk(report, dry_run)


def pairs(given: tuple[str, ...], option: str, form: str) -> list[tuple[str, str]]:
    pairs = [each.rpartition("=") for each in given]
    wrong = [each for each, (_, equals, _) in zip(given, pairs) if not equals]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not of the form {form}", param_hint=option)
    return [(name, value) for name, _, value in pairs]


def _print(report: Report) -> None:
    rows = [(f"pictures {name}", n) for name, n in report.pictures.items()]
    rows += [(f"labels {name}", n) for name, n in report.labels.items()]
    output.table(rows, ["count", "n"])
    counted = ((c.given, c.class_name or "-", c.kind, c.n) for c in report.classes)
    output.table(counted, ["given", "class", "kind", "labels"])
    if report.problems:
        odd = (
            (reason, "goes in" if warns else "left out", n) for reason, warns, n in report.problems
        )
        output.table(odd, ["problem", "row", "n"])
        some = ((p.reason, p.where, p.detail) for p in report.examples)
        output.table(some, ["problem", "where", "detail"])


def _talk(report: Report, dry_run: bool) -> None:
    if report.unknown:
        output.say(
            f"{len(report.unknown)} classes are unknown: {', '.join(report.unknown)}; "
            "say what they mean (--map GIVEN=CLASS) or make them classes (--create-classes)"
        )
    if dry_run:
        output.say(f"nothing was written; without --dry-run this is said by {report.actor!r}")
    elif report.problems:
        output.say("all problems, row by row: select * from smartdb.import_problem")
