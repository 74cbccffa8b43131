"""Commands of the step Review: issues, review."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.label_issues import State
    from smartdb.reviews import Verdict

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_LIMIT = click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most."
)
_REVIEWER = click.option("--as", "reviewer", help="Your name [default: the login's].")
_REASON = click.option("--reason", help="Why, for whoever reads it later.")
_LABELS = click.argument("label_ids", metavar="LABEL...", nargs=-1, type=int, required=True)
_STATES = ("open", "confirmed", "dismissed")


@click.command()
@_LIMIT
@click.option(
    "--state", type=click.Choice(_STATES), default="open", show_default=True, help="State."
)
@click.option("--kind", help="Only of this kind, such as swapped or conflicting.")
@_AS_JSON
def issues(limit: int, state: State, kind: str | None, as_json: bool) -> None:
    """List suspected label errors, most suspicious first."""
    from smartdb import database, label_issues

    with database.session(role="smartdb_reader") as conn:
        found = label_issues.issues(conn, state=state, kind=kind, n=limit)
    if as_json:
        output.print_json([asdict(issue) for issue in found])
        return
    rows = ((i.label_id, i.label, i.suggested, i.kind, i.score, i.uri) for i in found)
    output.table(rows, ["label", "says", "suggested", "kind", "score", "uri"])


@click.group()
def review() -> None:
    """See what waits for a verdict, and give it."""


@review.command()
@click.argument("n", type=click.IntRange(0), required=False)
def queue(n: int | None) -> None:
    """Open review tasks for the N most suspicious labels [default: all]."""
    from smartdb import database, tasks

    with database.session() as conn:
        counts = tasks.queue_reviews(conn, n)
    output.say(f"{counts['opened']} review tasks opened, {counts['waiting']} wait")


@review.command("list")
@_LIMIT
@_AS_JSON
def list_(limit: int, as_json: bool) -> None:
    """List the labels that wait for a verdict, most suspicious first."""
    from smartdb import database, reviews

    with database.session(role="smartdb_reader") as conn:
        found = reviews.queue(conn, limit)
    if as_json:
        output.print_json([asdict(suspicion) for suspicion in found])
        return
    rows = (
        (s.label_id, s.label, s.suggested, s.score, s.actor, s.task_state, s.uri) for s in found
    )
    output.table(rows, ["label", "says", "suggested", "score", "by", "task", "uri"])


@review.command()
@_LABELS
@_REVIEWER
@_REASON
def accept(label_ids: tuple[int, ...], reviewer: str | None, reason: str | None) -> None:
    """Say that labels are right."""
    _judge(label_ids, reviewer, "accepted", None, reason)


@review.command()
@_LABELS
@click.option("--class", "class_name", required=True, help="The right class.")
@_REVIEWER
@_REASON
def correct(
    label_ids: tuple[int, ...], class_name: str, reviewer: str | None, reason: str | None
) -> None:
    """Say that labels should be another class."""
    _judge(label_ids, reviewer, "corrected", class_name, reason)


@review.command()
@_LABELS
@_REVIEWER
@_REASON
def reject(label_ids: tuple[int, ...], reviewer: str | None, reason: str | None) -> None:
    """Say that labels are wrong, without knowing what is right."""
    _judge(label_ids, reviewer, "rejected", None, reason)


def _judge(
    label_ids: tuple[int, ...],
    reviewer: str | None,
    verdict: Verdict,
    class_name: str | None,
    reason: str | None,
) -> None:
    """One verdict on all the labels, or on none if one cannot be judged."""
    import getpass

    from smartdb import database, reviews

    name = reviewer or getpass.getuser()
    with database.session(role="smartdb_reviewer") as conn:
        for label_id in label_ids:
            reviews.review(conn, label_id, name, verdict, class_name, reason)
    output.say(f"{len(label_ids)} {verdict} by {name}")
