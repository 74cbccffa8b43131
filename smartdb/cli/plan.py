"""The command plan: samples of labels to review, and what follows from them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.review_plans import Kind, Plan

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_KINDS = ("share", "annotator", "risk", "acceptance")


@click.group()
def plan() -> None:
    """Review a sample of labels, and know how many of all are wrong."""


@plan.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    default="share",
    show_default=True,
    help="annotator: --n of each; risk: the likeliest errors; acceptance: judges the lot.",
)
@click.option(
    "--where", "predicate", default="true", help="SQL condition on smartdb.label, read as l."
)
@click.option("--share", type=float, help="Share of the lot to look at, 0 to 1.")
@click.option("--n", type=click.IntRange(1), help="How many to look at.")
@click.option("--error-limit", type=float, help="acceptance: refuse a lot with this share wrong.")
@click.option("--good", type=float, help="acceptance: accept a lot with this share wrong (AQL).")
@click.option(
    "--max-wrong", type=click.IntRange(0), help="acceptance: wrong ones allowed in the sample."
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Of the bound.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draw.")
@_AS_JSON
def create(name: str, kind: Kind, as_json: bool, **options: Any) -> None:
    """Draw a sample of the unreviewed labels and open its review tasks."""
    from smartdb import database, review_plans

    with database.session() as conn:
        made = review_plans.create(conn, name, kind, **options)
        opened = review_plans.follow(conn, name)["opened"]
    _show(made, as_json)
    output.say(f"{opened} review tasks opened; claim them, or: smartdb review list")


@plan.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List the plans and what they found."""
    from smartdb import database, review_plans

    with database.session(role="smartdb_reader") as conn:
        found = review_plans.plans(conn)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    rows = (
        (p.plan, p.kind, p.state, p.n_lot, p.n_sample, p.n_checked, p.n_wrong, p.finding)
        for p in found
    )
    output.table(rows, ["plan", "kind", "state", "lot", "sample", "checked", "wrong", "finding"])


@plan.command()
@click.argument("name")
@_AS_JSON
def show(name: str, as_json: bool) -> None:
    """Show a plan, and each whose labels it drew."""
    from smartdb import database, review_plans

    with database.session(role="smartdb_reader") as conn:
        found = review_plans.find(conn, name)
        each = review_plans.annotators(conn, name)
    _show(found, as_json)
    if each and not as_json:
        output.table(each, ["by", "sample", "checked", "wrong", "share wrong", "low", "high"])


@plan.command()
@click.argument("name", required=False)
def follow(name: str | None) -> None:
    """Open the tasks that are missing, and take in the rest of lots that were not accepted."""
    from smartdb import database, review_plans

    with database.session() as conn:
        counts = review_plans.follow(conn, name)
    output.table(counts.items(), ["count", "n"])


def _show(found: Plan, as_json: bool) -> None:
    if as_json:
        output.print_json(asdict(found))
        return
    output.table(
        ((key, value) for key, value in asdict(found).items() if value is not None),
        ["of the plan", ""],
    )
