"""Commands of detections: evaluate them, and see what is wrong."""

from __future__ import annotations

import click

from smartdb.cli import output

_RUN = click.argument("run_id", metavar="RUN", type=int)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_IOU = click.option(
    "--iou", type=float, default=0.5, show_default=True, help="0.5, 0.55, ... or 0.95."
)


@click.group()
def detections() -> None:
    """Judge the boxes that a model found."""


@detections.command()
@_RUN
@click.option("--dataset", help="Judge on this dataset [default: all that is labelled or found].")
@click.option("--version", type=int, help="Its version [default: the last].")
@click.option("--split", type=click.Choice(["train", "val", "test"]), help="Its split.")
@_AS_JSON
def evaluate(
    run_id: int, dataset: str | None, version: int | None, split: str | None, as_json: bool
) -> None:
    """Match the detections of RUN with the labels; print COCO's twelve numbers."""
    from smartdb import database, detection_evaluation

    with database.session() as conn:
        found = detection_evaluation.evaluate(
            conn, run_id, dataset=dataset, version=version, split=split
        )
    if as_json:
        output.print_json(found)
        return
    output.table(found.items(), ["number", "value"])
    output.say(f"what is wrong: smartdb detections errors {found['run_id']}")


@detections.command()
@_RUN
@_IOU
@click.option("--predicate", default="true", help="On which media, as SQL on smartdb.media as m.")
@_AS_JSON
def classes(run_id: int, iou: float, predicate: str, as_json: bool) -> None:
    """Average precision and recall of each class, of evaluation RUN."""
    from smartdb import database, detection_evaluation

    with database.session("smartdb_reader") as conn:
        rows = detection_evaluation.classes(conn, run_id, iou, predicate)
    names = ["class", "labels", "average_precision", "recall"]
    if as_json:
        output.print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    output.table(rows, names)


@detections.command()
@_RUN
@_IOU
@click.option("--confidence", type=float, default=0.0, show_default=True, help="And above.")
@_AS_JSON
def errors(run_id: int, iou: float, confidence: float, as_json: bool) -> None:
    """Count what is wrong with the detections of evaluation RUN, by TIDE's kinds."""
    from smartdb import database, detection_evaluation

    with database.session("smartdb_reader") as conn:
        rows = detection_evaluation.errors(conn, run_id, iou, confidence)
    names = ["kind", "class", "other_class", "n"]
    if as_json:
        output.print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    output.table(rows, names)
    output.say(f"which ones: smartdb.detection_error({run_id}, {iou}) in SQL")
