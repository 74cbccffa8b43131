"""What ``smartdb demo`` says of each step, and at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import psycopg

from smartdb import datasets, evaluation, reviews, story
from smartdb.cli import output
from smartdb.errors import NothingToDo

if TYPE_CHECKING:
    from smartdb.digits import Planted
    from smartdb.pipelines.resources import Loop

Found = dict[str, dict[str, Any]]

STATEMENTS = """\
-- the most confident mistakes: is the model wrong, or the label?
select media_id, class, predicted_class, confidence, issue_score, issue_state
from error where run_id = {run_b} and split = 'test' order by confidence desc limit 10;

-- where is the model worse than on the whole?
select facet, slice, n, accuracy, z from worst_slice({run_b});

-- which classes does it take for which?
select class, predicted_class, n from confusion_matrix
where run_id = {run_b} and split = 'test' and class <> predicted_class order by n desc limit 10;

-- pictures that look like picture {media} but are of another class
select n.media_id, c.class, n.distance
from similar({media}, '{encoder}', 100) as n join media_class as c using (media_id)
where c.class <> (select class from media_class where media_id = {media})
order by n.distance limit 10;

-- where does picture {media} come from, and what became of it?
select step, what, detail from lineage({media});"""


def may_answer(conn: psycopg.Connection[Any], loop: Loop, truth: story.Truth | None) -> bool:
    """Whether the queue is to be answered: the first time, and where the truth is known."""
    if truth is None:
        waiting = story.n_suspected(conn, loop.called())
        click.echo(
            f"\n{waiting} suspected labels wait for a reviewer: smartdb review list; "
            "answer them and run this again."
            if waiting
            else "\nNo label is suspected; label what is next (smartdb tasks) and run this again."
        )
    return truth is not None and len(datasets.list_versions(conn, loop.called())) == 1


def answer(conn: psycopg.Connection[Any], truth: story.Truth, n: int) -> int:
    """Answers up to ``n`` review tasks from the truth; how many there were."""
    found = reviews.answer_from_truth(conn, truth, n)
    conn.commit()
    if found["asked"]:
        click.echo(
            f"{'':<15} {found['asked']:,} answered from the known truth: "
            f"{found['wrong_found']:,} labels were wrong and are corrected, "
            f"{found['right']:,} {'was' if found['right'] == 1 else 'were'} right"
        )
    return found["asked"]


def tell(
    conn: psycopg.Connection[Any], loop: Loop, truth: story.Truth | None, planted: Planted | None
) -> None:
    """What was found against what is known, version 1 against the newest, and what to try next."""
    if planted is not None:
        _heading("Found against planted")
        found = story.compare_planted(conn, loop.called(), planted)
        output.table(
            ((f.fault, f.n_planted, f.n_found) for f in found), ("fault", "planted", "found")
        )
    if truth is not None:
        _tell_suspicions(story.judge_suspicions(conn, loop.called(), truth))
    runs = [r for r in evaluation.training_runs(conn, loop.called()) if r["status"] == "succeeded"]
    first, last = runs[-1]["run_id"], runs[0]["run_id"]
    _tell_versions(conn, first, last, truth)
    _heading("Five statements worth trying, in: smartdb psql")
    media = story.example_media(conn, last)
    click.echo(STATEMENTS.format(run_b=last, media=media, encoder=runs[0]["encoder"]))


def _tell_suspicions(found: story.Suspicion) -> None:
    precision, recall = (
        f"{x:.2f}" if x is not None else "-" for x in (found.precision, found.recall)
    )
    click.echo(
        f"\n{found.n_right} of {found.n_suspected} suspected labels are wrong "
        f"(precision {precision}), "
        f"{found.n_wrong} of {found.n_labels} imported labels were wrong (recall {recall})."
    )


def _tell_versions(
    conn: psycopg.Connection[Any], first: int, last: int, truth: story.Truth | None
) -> None:
    if first == last:
        _heading("Version 1")
    else:
        _heading("Version 1 against the newest, on the same test pictures")
    try:
        both = evaluation.compare(conn, first, last)
    except NothingToDo as reason:
        click.echo(f"{reason}; add more pictures and run this again")
        return
    runs = [first] if first == last else [first, last]
    rows: list[tuple[object, ...]] = []
    rows.append(
        ("accuracy by the newest labels", both.accuracy_a, both.accuracy_b)[: 1 + len(runs)]
    )
    if truth is not None:
        scores = (story.accuracy_against(conn, run, truth) for run in runs)
        rows.append(("accuracy by the known truth", *(score and score[0] for score in scores)))
    output.table(rows, ("", *(f"run {run}" for run in runs)))
    if first == last:
        click.echo(f"{both.n} test pictures.")
        return
    click.echo(
        f"{both.n} pictures; {both.n_fixed} fixed, {both.n_broken} broken"
        f" ({_chance(both.p_value)})."
    )


def _chance(p_value: float | None) -> str:
    if p_value is None:
        return "the same pictures are right in both"
    return f"McNemar's test: p = {p_value:.2g}" + (
        "" if p_value < 0.05 else ", no clear difference"
    )


def _heading(text: str) -> None:
    click.echo(f"\n{text}\n{'-' * len(text)}")


def _sourcing(found: Found) -> str:
    n = found["media"]
    return f"{n['added']:,} media added, {n['known']:,} known, {n['refused']:,} refused"


def _managing(found: Found) -> str:
    return (
        f"{found['embedding']['added']:,} vectors by {found['embedding']['encoder']}, "
        f"{found['duplicate_group']['n_groups']:,} groups of near-duplicates"
    )


def _annotating(found: Found) -> str:
    n, waiting = found["label"], found["task_queue"]["waiting"]
    return f"{n['added']:,} labels imported, {n['known']:,} known; {waiting:,} media wait for one"


def _reviewing(found: Found) -> str:
    n = found["label_issue"]
    return f"{n['suspected']:,} of {n['examined']:,} labels suspected, {n['new']:,} of them new"


def _training(found: Found) -> str:
    made, run = found["dataset_version"], found["training_run"]
    return (
        f"version {made['version']}, {made['n_items']:,} media; "
        f"{_accuracy(run.get('test_accuracy'))}"
    )


def _accuracy(value: object) -> str:
    return f"test accuracy {value:.3f}" if isinstance(value, float) else "no test media"


def _analysis(found: Found) -> str:
    n = found["batch_item"]
    if not n["chosen"]:
        return "nothing unlabelled is left to choose a batch from"
    return (
        f"{n['chosen']} chosen to label next (batch {n['batch_id']}): uncertain, unlike each other"
    )


SENTENCES: dict[str, tuple[str, Callable[[Found], str]]] = {
    "s1_sourcing": ("Sourcing", _sourcing),
    "s2_managing": ("Managing", _managing),
    "s3_annotating": ("Annotating", _annotating),
    "s4_reviewing": ("Reviewing", _reviewing),
    "s5_training": ("Training", _training),
    "s6_error_analysis": ("Error analysis", _analysis),
}
