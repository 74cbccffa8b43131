"""Commands of the step Source: from which value on a statistic of a picture is a finding."""

from __future__ import annotations

from dataclasses import asdict, astuple

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def threshold() -> None:
    """List or set from which value on a statistic is a finding (dark, blurry, ...)."""


@threshold.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List the thresholds."""
    from smartdb import database
    from smartdb.thresholds import thresholds

    with database.session(role="smartdb_reader") as conn:
        found = thresholds(conn)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    output.table((astuple(each) for each in found), ["finding", "statistic", "below", "above"])


@threshold.command("set")
@click.argument("kind")
@click.option("--below", type=float, help="Smaller values are a finding.")
@click.option("--above", type=float, help="Larger values are a finding.")
@click.option("--statistic", help="What is bounded; a new KIND needs it.")
@_AS_JSON
def set_(
    kind: str, below: float | None, above: float | None, statistic: str | None, as_json: bool
) -> None:
    """Set the bounds of findings KIND and make its open findings anew, reading no file."""
    from smartdb import database
    from smartdb.thresholds import set_threshold

    with database.session() as conn:
        counts = set_threshold(conn, kind, below=below, above=above, statistic=statistic)
    _print_counts(counts, as_json)


@threshold.command()
@click.argument("kind")
@_AS_JSON
def remove(kind: str, as_json: bool) -> None:
    """Remove a threshold and its open findings."""
    from smartdb import database
    from smartdb.thresholds import remove_threshold

    with database.session() as conn:
        counts = remove_threshold(conn, kind)
    _print_counts(counts, as_json)


def _print_counts(counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        output.print_json(counts)
    else:
        output.table(counts.items(), ["findings", "n"])
