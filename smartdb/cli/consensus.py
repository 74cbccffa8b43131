"""Commands of the step Review: agreement, consensus."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.box_consensus import Kind

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ONTOLOGY = click.option("--ontology", help="Whose classes [default: the only one judged].")
_METHODS = ("majority", "dawid-skene", "crowdlab", "glad", "mace")
_LEAST = click.option(
    "--least",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Judgements a media needs.",
)
_RUN = click.option(
    "--run", "run_id", type=int, help="Whose probabilities crowdlab takes [find-issues's last]."
)
_SEED = click.option("--seed", type=int, default=0, show_default=True, help="Seed of mace.")
_PARTS = ("overall", "pairs", "classes", "weeks", "annotators", "drift")


@click.command()
@click.argument("part", type=click.Choice(_PARTS), default="overall")
@_ONTOLOGY
@click.option("--boxes", "kind", flag_value="box", help="Of boxes, by matching them.")
@click.option("--masks", "kind", flag_value="mask", help="Of masks, by matching them.")
@_AS_JSON
def agreement(part: str, ontology: str | None, kind: Kind | None, as_json: bool) -> None:
    """How far annotators agree, overall, by pairs, classes or weeks; how good each is, and drift.

    agreement is the share of pairs that say the same; kappa (Cohen, Fleiss) and alpha
    (Krippendorff) are 1 for perfect and 0 for what chance gives.
    """
    from smartdb import agreement as measure
    from smartdb import annotators, database
    from smartdb.errors import InvalidInput

    if kind and not ontology:
        raise InvalidInput("say whose classes: --ontology NAME")
    found: list[Any]
    with database.session(role="smartdb_writer" if kind else "smartdb_reader") as conn:
        if kind:
            found = measure.of_outlines(conn, str(ontology), kind)
        elif part == "annotators":
            found = annotators.quality(conn)
        elif part == "drift":
            found = annotators.drift(conn)
        else:
            functions: dict[str, Any] = {
                "overall": measure.overall,
                "pairs": measure.pairs,
                "classes": measure.by_class,
                "weeks": measure.over_time,
            }
            found = functions[part](conn, ontology)
    _print([asdict(each) for each in found], as_json)


@click.group()
def consensus() -> None:
    """One class of each media from what several annotators said."""


@consensus.command("run")
@_ONTOLOGY
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    help="How [default: the best on gold, else crowdlab where a model spoke, else majority].",
)
@_LEAST
@_RUN
@_SEED
@_AS_JSON
def run_(
    ontology: str | None,
    method: str | None,
    least: int,
    run_id: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Write the consensus. Safe to run again; verdicts of reviewers stay above it."""
    from smartdb import consensus as together
    from smartdb import database

    with database.session() as conn:
        counts = together.run_consensus(
            conn, ontology, method=method, run_id=run_id, least=least, seed=seed
        )
    if as_json:
        output.print_json(counts)
        return
    output.table(counts.items(), ["count", "n"])
    if not counts["judged"]:
        output.say("nobody has judged anything yet; run: smartdb labels import")


@consensus.command()
@_ONTOLOGY
@click.option("--method", "methods", type=click.Choice(_METHODS), multiple=True, help="Only this.")
@click.option("--all", "every", is_flag=True, help="Also glad and mace, which take minutes.")
@_LEAST
@_RUN
@_SEED
@_AS_JSON
def compare(
    ontology: str | None,
    methods: tuple[str, ...],
    every: bool,
    least: int,
    run_id: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Show the methods side by side, with their accuracy on gold."""
    from smartdb import consensus as together
    from smartdb import database

    chosen = methods or (_METHODS if every else _METHODS[:3])
    with database.session() as conn:
        found = together.compare(conn, ontology, chosen, run_id=run_id, least=least, seed=seed)
    _print([asdict(score) for score in found], as_json)


@consensus.command()
@click.argument("kind", type=click.Choice(["box", "mask"]))
@click.option("--ontology", required=True, help="Whose classes.")
@click.option("--iou", type=float, default=0.5, show_default=True, help="Overlap of one thing.")
@_AS_JSON
def merge(kind: Kind, ontology: str, iou: float, as_json: bool) -> None:
    """Merge the boxes or masks of several annotators. Safe to run again."""
    from smartdb import box_consensus, database

    with database.session() as conn:
        counts = box_consensus.run_consensus(conn, ontology, kind, iou=iou)
    if as_json:
        output.print_json(counts)
    else:
        output.table(counts.items(), ["count", "n"])


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.print_json(rows)
    elif rows:
        shown = [name for name in rows[0] if any(row[name] is not None for row in rows)]
        output.table(([row[name] for name in shown] for row in rows), shown)
    else:
        output.say("no media was judged by two annotators")
