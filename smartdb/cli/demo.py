"""The command ``smartdb demo``: the whole loop on a folder of pictures, told step by step."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartdb import config
from smartdb.cli.dagster import prepare_home
from smartdb.errors import NothingToDo

if TYPE_CHECKING:
    from smartdb.digits import Planted
    from smartdb.pipelines.resources import Loop
    from smartdb.story import Truth

FIRST_STEPS = ("s1_sourcing", "s2_managing", "s3_annotating")
LAST_STEPS = ("s4_reviewing", "s5_training", "s6_error_analysis")


@click.command()
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="Folder of pictures, in class folders or flat [default: handwritten digits, packaged].",
)
@click.option("--labels", metavar="CSV[:COLUMN]", help="Paths and classes, instead of folders.")
@click.option("--truth", metavar="CSV[:COLUMN]", help="Paths and true classes, to answer reviews.")
@click.option(
    "--root", help="Folder where the paths of these tables begin [default: that of the images]."
)
@click.option("--encoder", default="", help="What makes the vectors; see: smartdb embed --help.")
@click.option("--name", default="", help="Name of source, ontology and dataset [the folder's].")
@click.option("--reviews", default=200, show_default=True, help="Most reviews to answer.")
@click.option("--seed", default=0, show_default=True, help="Of folds and training.")
def demo(
    images: Path | None,
    labels: str | None,
    truth: str | None,
    root: str | None,
    encoder: str,
    name: str,
    reviews: int,
    seed: int,
) -> None:
    """Run the whole loop on a folder of pictures: source, manage, annotate, review, train.

    Without --images it runs on scikit-learn's 1,797 handwritten digits, written out as files with
    planted faults, and says how many of these it found. Run again, it does only what is new.
    """
    from smartdb import database, walk
    from smartdb.pipelines.resources import Loop

    prepare_home()
    planted = None if images else _write_digits()
    folder = Path(planted.images) if planted else walk.checked(images or Path())
    known = _truth(Path(root) if root else folder, truth, planted)
    loop = Loop(
        images=os.fsdecode(folder),
        labels=labels or "",
        labels_root=root or "",
        encoder=encoder,
        name=name or ("digits" if planted else ""),
        n_reviews=reviews,
        seed=seed,
    )
    with database.served():
        _tell_turns(loop, known, planted)


def _write_digits() -> Planted:
    from smartdb import digits

    planted = digits.write_digits(config.home() / "demo" / "digits")
    click.echo(f"1,797 real handwritten digits (scikit-learn) in {planted.images}")
    click.echo(
        f"Planted there, to see what is found: {len(planted.wrong)} wrong labels, "
        f"{len(planted.duplicates)} near-duplicates, 1 truncated file, 1 GPS position.\n"
    )
    return planted


def _truth(folder: Path | bytes, table: str | None, planted: Planted | None) -> Truth | None:
    from smartdb import story, tables

    if table:
        return story.table_truth(folder, tables.read_classes(table))
    return story.planted_truth(planted) if planted else None


def _tell_turns(loop: Loop, truth: Truth | None, planted: Planted | None) -> None:
    from smartdb import database, story
    from smartdb.cli import demo_report as report

    loop = loop.but(message="as imported")
    _tell_steps(loop, FIRST_STEPS)
    try:
        with database.session() as conn:
            story.check_labelled(conn, loop.called())
        _tell_steps(loop, LAST_STEPS)
    except NothingToDo as reason:
        click.echo(f"\nThe loop ends here: {reason}.")
        return
    with database.session() as conn:
        first = report.may_answer(conn, loop, truth)
    if truth is not None and first and _review(loop.but(message="after review"), truth):
        _tell_steps(loop.but(message="after review"), LAST_STEPS[1:])
    with database.session("smartdb_reader") as conn:
        report.tell(conn, loop, truth, planted)


def _review(loop: Loop, truth: Truth) -> int:
    """Answers the queue, and what is suspected after that, within the budget; how many it asked."""
    from smartdb import database
    from smartdb.cli import demo_report as report

    asked = 0
    while asked < loop.n_reviews:
        with database.session() as conn:
            found = report.answer(conn, truth, loop.n_reviews - asked)
        if found == 0:
            break
        asked += found
        _tell_steps(loop, ("s4_reviewing",))
    return asked


def _tell_steps(loop: Loop, steps: tuple[str, ...]) -> None:
    """Turns the steps, and says of each what it did and how long it took."""
    from smartdb.cli.demo_report import SENTENCES
    from smartdb.pipelines.turn import turn

    for step in steps:
        title, sentence = SENTENCES[step]
        click.echo(f"{title:<15} ", nl=False)
        started = time.monotonic()
        try:
            told = sentence(turn(loop, [step]))
        except BaseException:
            click.echo()
            raise
        click.echo(f"{told} ({time.monotonic() - started:.1f} s)")
