"""The command sample: choose media by a strategy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from smartdb.cli.batch import tell


def _pairs(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> dict[str, float] | None:
    """Numbers by name."""
    if value is None:
        return None
    try:
        pairs = [part.rpartition("=") for part in value.split(",")]
        return {name.strip(): float(number) for name, _, number in pairs}
    except ValueError:
        raise click.BadParameter(f"{value!r} is not NAME=NUMBER, such as cat=3,dog=1") from None


@click.command()
@click.argument("strategy", metavar="STRATEGY")
@click.option("-n", type=int, default=50, show_default=True, help="How many.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the choice.")
@click.option(
    "--predicate",
    default="true",
    help="Only media that fulfil a SQL condition on smartdb.media read as m.",
)
@click.option("--slice", help="Only media of this slice.")
@click.option(
    "--pool",
    type=click.Choice(["unlabelled", "labelled", "all"]),
    default="all",
    show_default=True,
    help="Only media with or without a class.",
)
@click.option("--encoder", help="Whose vectors tell media apart [default: the run's, the only].")
@click.option("--after", multiple=True, type=int, help="Go on after this batch; several may be.")
@click.option(
    "--cap",
    metavar="NAME=NUMBER,...",
    callback=_pairs,
    help="Most of each group, duplicate group, source or class: group=1.",
)
@click.option("--run", type=int, help="uncertain, uncertain+diverse, hard: by this run.")
@click.option(
    "--measure",
    help="uncertain: entropy, margin, confidence [entropy]; hard: loss, el2n, forgetting [loss].",
)
@click.option("--stratum", help="stratified, balanced: an expression on m, instead of the class.")
@click.option(
    "--ratio",
    metavar="NAME=NUMBER,...",
    callback=_pairs,
    help="balanced: how much of each class, as cat=3,dog=1.",
)
@click.option("--weight", help="weighted: an expression on m, such as m.sharpness.")
@click.option("--media", type=int, help="near, mmr: what to be near to.")
@click.option("--prompt", help="near, mmr: a text to be near to.")
@click.option("--relevance", type=float, help="mmr: 1 near to it, 0 unlike each other [0.5].")
@click.option(
    "--anchors", help="k-center, typical: a condition on m; be unlike these media as well."
)
@click.option("--prefilter", type=int, help="uncertain+diverse: look at so many times n [5].")
@click.option(
    "--mix",
    metavar="NAME=NUMBER,...",
    callback=_pairs,
    help="mixture: how much by each, as random=1,uncertain=2.",
)
@click.option("-o", "--sheet", type=click.Path(path_type=Path), help="Write the pictures, as PNG.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sample(
    strategy: str,
    n: int,
    seed: int,
    predicate: str,
    slice: str | None,
    pool: Any,
    encoder: str | None,
    after: tuple[int, ...],
    cap: dict[str, float] | None,
    sheet: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Choose media by a STRATEGY, and keep them as a batch, each with its score and reason.

    Strategies: random, stratified, balanced, weighted, uncertain, uncertain+diverse, hard, near,
    mmr, k-center, k-means, typical, mixture. The same call on the same data chooses the same.
    """
    from smartdb import database, sampling

    parameters = {name: value for name, value in options.items() if value is not None}
    if "mix" in parameters and strategy != "mixture":
        raise click.UsageError("--mix goes with the strategy mixture")
    with database.session() as conn:
        batch_id = sampling.sample(
            conn,
            strategy,
            n,
            seed=seed,
            predicate=predicate,
            slice=slice,
            pool=pool,
            encoder=encoder,
            after=after,
            cap=_whole(cap),
            **parameters,
        )
        tell(conn, batch_id, sheet, as_json)


def _whole(cap: dict[str, float] | None) -> dict[str, int] | None:
    if cap and any(most != int(most) for most in cap.values()):
        raise click.UsageError("a cap is a whole number")
    return {by: int(most) for by, most in cap.items()} if cap else None
