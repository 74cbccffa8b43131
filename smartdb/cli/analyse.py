"""Commands of error analysis: compare, confusion, errors, slices."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from smartdb.cli import output
from smartdb.cli.train import write_plot

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_RUN = click.argument("run_id", metavar="RUN", type=int)
_SPLIT = click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="test",
    show_default=True,
    help="Which part of the dataset.",
)
_LIMIT = click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="At most."
)
_PLOT = click.option("--plot", type=click.Path(path_type=Path), help="Write a picture, as PNG.")


@click.command()
@click.argument("run_a", type=int)
@click.argument("run_b", type=int)
@_SPLIT
@_LIMIT
@_AS_JSON
def compare(run_a: int, run_b: int, split: str, limit: int, as_json: bool) -> None:
    """Compare RUN_A with RUN_B on the media both predicted, by the labels of RUN_B."""
    from smartdb import database, evaluation

    with database.session("smartdb_reader") as conn:
        found = evaluation.compare(conn, run_a, run_b, split)
        changed = evaluation.regressions(conn, run_a, run_b, split, limit)
    if as_json:
        output.print_json({**asdict(found), "changed": changed})
        return
    output.table([list(asdict(found).values())], list(asdict(found)))
    output.say(_verdict(found))
    if changed:
        click.echo()
        _print(changed)


@click.command()
@_RUN
@_SPLIT
@_PLOT
@_AS_JSON
def confusion(run_id: int, split: str, plot: Path | None, as_json: bool) -> None:
    """Show what a RUN takes for what, and precision and recall of each class."""
    from smartdb import database, evaluation, plots

    with database.session("smartdb_reader") as conn:
        names, counts = evaluation.confusion_matrix(conn, run_id, split)
        classes = evaluation.class_metrics(conn, run_id, split)
        picture = plots.confusion(conn, run_id, split) if plot else b""
    write_plot(plot, picture)
    if as_json:
        output.print_json({"classes": names, "counts": counts.tolist(), "metrics": classes})
        return
    output.table(
        ([name, *row] for name, row in zip(names, counts.tolist())), ["true \\ predicted", *names]
    )
    click.echo()
    _print(classes)


@click.command()
@_RUN
@_SPLIT
@_LIMIT
@_AS_JSON
def errors(run_id: int, split: str, limit: int, as_json: bool) -> None:
    """List the wrong predictions of a RUN, the most confident first.

    issue_score says how suspicious the label is: the model may be right.
    """
    from smartdb import database, evaluation

    with database.session("smartdb_reader") as conn:
        rows = evaluation.errors(conn, run_id, split, limit)
    output.print_json(rows) if as_json else _print(rows)


@click.command()
@_RUN
@_SPLIT
@click.option(
    "--min", "min_n", type=click.IntRange(1), default=20, show_default=True, help="Media at least."
)
@_PLOT
@_AS_JSON
def slices(run_id: int, split: str, min_n: int, plot: Path | None, as_json: bool) -> None:
    """List where a RUN does worse than on the whole; believe a z below about -3."""
    from smartdb import database, evaluation, plots

    with database.session("smartdb_reader") as conn:
        rows = evaluation.worst_slices(conn, run_id, split, min_n)
        picture = plots.slices(conn, run_id, split) if plot else b""
    write_plot(plot, picture)
    output.print_json(rows) if as_json else _print(rows)


def _print(rows: list[dict[str, Any]]) -> None:
    if rows:
        output.table((list(row.values()) for row in rows), list(rows[0]))
    else:
        output.say("none")


def _verdict(found: Any) -> str:
    if found.p_value is None:
        return "both are right on the same media"
    sure = "more than chance explains" if found.p_value < 0.05 else "no more than chance explains"
    better = "better" if found.accuracy_b > found.accuracy_a else "worse"
    same = found.accuracy_a == found.accuracy_b
    return "equally good" if same else f"b is {better}, {sure} (McNemar, p = {found.p_value:.2g})"


@click.command()
@click.argument("media_id", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def lineage(media_id: int, as_json: bool) -> None:
    """Show where a media comes from, and which versions, batches and models it went into."""
    from smartdb import database
    from smartdb.lineage import lineage as find

    with database.session("smartdb_reader") as conn:
        found = find(conn, media_id)
    if as_json:
        output.print_json([asdict(step) for step in found])
        return
    rows = (
        [s.step, s.what, s.detail, s.at and s.at.isoformat(" ", "seconds"), s.run_id] for s in found
    )
    output.table(rows, ["step", "what", "detail", "at", "run"])
