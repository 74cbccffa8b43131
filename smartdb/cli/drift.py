"""The command drift: whether one part of the media looks like another."""

from __future__ import annotations

from dataclasses import asdict, astuple

import click

from smartdb.cli import output


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--encoder", help="Whose vectors are compared [default: the only one].")
@click.option(
    "-n", default=20_000, show_default=True, type=click.IntRange(1), help="Media of each, at most."
)
@click.option("--seed", default=0, show_default=True, help="Chooses them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def drift(a: str, b: str, encoder: str | None, n: int, seed: int, as_json: bool) -> None:
    """Compare B with the reference A: statistics, classes and vectors, the farthest first.

    Each is a version (pets:3), a slice, a source, or a predicate such as "m.captured_at <
    '2026-01-01'". Distances are 0 where alike, 1 without overlap; p is how often chance does that.
    """
    from smartdb import database
    from smartdb.drift import compare

    with database.session() as conn:
        found = compare(conn, a, b, encoder=encoder, n=n, seed=seed)
    if as_json:
        output.print_json(asdict(found))
        return
    columns = ["statistic", "measure", "distance", "psi", "p", "n_a", "n_b"]
    output.table([astuple(each) for each in found.measures], columns)
    for name, ids in ((a, found.typical_a), (b, found.typical_b)):
        if ids:
            output.say(f"most typical of {name}: media {', '.join(map(str, ids))}")
