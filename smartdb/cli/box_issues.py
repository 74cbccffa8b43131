"""The command find-box-issues."""

from __future__ import annotations

from pathlib import Path

import click

from smartdb.cli import output
from smartdb.cli.train import write_plot


@click.command("find-box-issues")
@click.option("--against", help="Detector or annotator whose boxes to hold against the labels.")
@click.option("--predictions", metavar="RUN", type=int, help="Or the run of imported boxes.")
@click.option("--actor", help="Judge this actor's boxes only [default: all but models'].")
@click.option("--ontology", help="Whose labels to judge [default: the only one].")
@click.option("--plot", type=click.Path(path_type=Path), help="Write the worst as PNG.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def find_box_issues(
    against: str | None,
    predictions: int | None,
    actor: str | None,
    ontology: str | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Suspect boxes and outlines: drawn twice, impossible, or another sees them otherwise."""
    from smartdb import box_sheet, database
    from smartdb.box_issues import find

    with database.session() as conn:
        counts = find(
            conn, against=against, predictions=predictions, actor=actor, ontology=ontology
        )
        picture = box_sheet.suspected(conn) if plot else None
    if picture:
        write_plot(plot, picture)
    if as_json:
        output.print_json(counts)
        return
    output.table(counts.items(), ["count", "n"])
    output.say("look at them: select * from smartdb.box_issue; ask people: smartdb review queue")
