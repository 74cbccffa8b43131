"""The command prune: plan, list, curve, excluded, apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output
from smartdb.cli.train import write_plot

if TYPE_CHECKING:
    from smartdb.pruning import Pruning
    from smartdb.pruning_curve import Point

_METHODS = ("semdedup", "duplicates", "quality", "el2n", "forgetting", "prototypes", "random")
_COLUMNS = ["pruning", "method", "encoder", "seed", "candidates", "keeps", "predicate"]
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ID = click.argument("pruning_id", metavar="PRUNING", type=int)
_KEEP = click.option(
    "--keep", type=float, help="Fraction that is kept, 0 to 1 [default: what the method keeps]."
)


@click.group()
def prune() -> None:
    """Order media by what is worth keeping, see what each fraction covers, name what is kept."""


@prune.command()
@click.argument("method", type=click.Choice(_METHODS))
@click.option(
    "--predicate",
    help="Candidates: a condition on smartdb.media read as m [default: all pictures; "
    "of el2n and forgetting what the runs trained on].",
)
@click.option("--encoder", help="Whose vectors are compared [default: the only one].")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of clusters and ties.")
@click.option("--eps", type=float, help="semdedup: cosine distance of duplicates [default: 0.03].")
@click.option(
    "--side",
    type=click.Choice(["hard", "easy"]),
    help="Which are kept longest [default: hard; of prototypes easy below 50,000 candidates].",
)
@click.option("--clusters", type=int, help="prototypes: number [default: sqrt(n / 2), to 100].")
@click.option("--run", "runs", type=int, multiple=True, help="el2n, forgetting: training run(s).")
@click.option("--kind", "kinds", multiple=True, help="quality: threshold(s) [default: all].")
@_AS_JSON
def plan(
    method: Any,
    predicate: str | None,
    encoder: str | None,
    seed: int,
    eps: float | None,
    side: Any,
    clusters: int | None,
    runs: tuple[int, ...],
    kinds: tuple[str, ...],
    as_json: bool,
) -> None:
    """Score the candidates by a METHOD, store their order, and show what fractions of it cover.

    semdedup keeps one of what says the same, duplicates one of each near-duplicate group, quality
    what is within the thresholds; el2n and forgetting go by a training run, prototypes by the
    distance from cluster centres; random is what the others are to be held against.
    """
    from smartdb import database, pruning, pruning_curve
    from smartdb.pruning_methods import Options

    options = Options(eps, side, clusters, runs, kinds)
    with database.session() as conn:
        made = pruning.plan(conn, method, options, predicate=predicate, encoder=encoder, seed=seed)
        points = pruning_curve.curve(conn, made.pruning_id)
    if as_json:
        output.print_json({**asdict(made), "curve": [asdict(point) for point in points]})
        return
    output.table([_row(made)], _COLUMNS)
    _show(points)
    if not made.is_new:
        output.say("nothing new: this plan was there")
    output.say(f"next: smartdb prune apply {made.pruning_id} --keep 0.1 --slice NAME")


@prune.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def list_(limit: int, as_json: bool) -> None:
    """List the plans, newest first."""
    from smartdb import database, pruning

    with database.session("smartdb_reader") as conn:
        found = pruning.plans(conn, limit)
    if as_json:
        output.print_json([asdict(one) for one in found])
    else:
        output.table(map(_row, found), _COLUMNS)


@prune.command()
@_ID
@click.option("--keep", "keeps", type=float, multiple=True, help="Measure this fraction too.")
@click.option("--plot", type=click.Path(path_type=Path), help="Write the curve, as PNG.")
@_AS_JSON
def curve(pruning_id: int, keeps: tuple[float, ...], plot: Path | None, as_json: bool) -> None:
    """Show what a PRUNING leaves at each fraction kept."""
    from smartdb import database, plots, pruning_curve

    with database.session() as conn:
        points = pruning_curve.curve(conn, pruning_id, keeps or None)
        picture = plots.pruning(conn, [pruning_id]) if plot else b""
    write_plot(plot, picture)
    if as_json:
        output.print_json([asdict(point) for point in points])
    else:
        _show(points)


@prune.command()
@_ID
@_KEEP
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def excluded(pruning_id: int, keep: float | None, limit: int, as_json: bool) -> None:
    """List what a PRUNING leaves out, each with the reason, the next to be kept first."""
    from smartdb import contents, database, pruning

    with database.session("smartdb_reader") as conn:
        found = pruning.excluded(conn, pruning_id, keep, limit)
    if as_json:
        output.print_json([asdict(one) for one in found])
        return
    shown = [[*astuple(one)[:5], contents.shown(one.uri) if one.uri else None] for one in found]
    output.table(shown, ["media_id", "rank", "score", "reason", "kept_by", "file"])


@prune.command()
@_ID
@_KEEP
@click.option("--slice", "name", required=True, metavar="NAME", help="Name of the slice.")
def apply(pruning_id: int, keep: float | None, name: str) -> None:
    """Name what a PRUNING keeps as a slice. Nothing is deleted."""
    from smartdb import database, pruning

    with database.session() as conn:
        predicate = pruning.apply(conn, pruning_id, name, keep)
        n = pruning.size(conn, pruning_id, keep)
        n_excluded = pruning.find(conn, pruning_id).n_candidates - n
    output.table([[name, n, n_excluded, predicate]], ["slice", "kept", "excluded", "predicate"])


def _row(one: Pruning) -> list[Any]:
    numbers = [one.n_candidates, one.n_kept]
    return [one.pruning_id, one.method, one.encoder, one.seed, *numbers, one.predicate]


def _show(points: Sequence[Point]) -> None:
    columns = ["keep", "kept", "mean_distance", "p95_distance", "clusters_hit", "classes"]
    columns += ["smallest_class", "class_distance", "duplicates_dropped"]
    output.table([astuple(point)[:9] for point in points], columns)
