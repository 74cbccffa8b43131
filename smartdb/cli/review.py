"""Commands of the step Review: issues, review."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.label_issues import State
    from smartdb.reviews import Suspicion, Verdict

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
        (
            s.issue_id,
            s.kind,
            s.label_id,
            s.label,
            _suggested(s),
            s.score,
            s.actor,
            s.task_state,
            s.uri,
        )
        for s in found
    )
    columns = ["issue", "kind", "label", "says", "suggested", "score", "by", "task", "uri"]
    output.table(rows, columns)


@review.command()
@click.argument("issue_id", metavar="ISSUE", type=int)
@click.argument("verdict", type=click.Choice(["confirmed", "dismissed"]))
@_REVIEWER
@_REASON
def resolve(
    issue_id: int,
    verdict: Literal["confirmed", "dismissed"],
    reviewer: str | None,
    reason: str | None,
) -> None:
    """Answer a suspicion; confirmed writes what it suggests, also a label that was overlooked."""
    import getpass

    from smartdb import database, reviews

    name = reviewer or getpass.getuser()
    with database.session(role="smartdb_reviewer") as conn:
        written = reviews.resolve(conn, issue_id, name, verdict, reason)
    said = f"; label {written} was written" if written else ""
    output.say(f"issue {issue_id} {verdict} by {name}{said}")


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


@review.command()
@click.argument("label_id", metavar="LABEL", type=int)
@click.option("--reason", required=True, help="Why the verdict is wrong.")
@_REVIEWER
def dispute(label_id: int, reviewer: str | None, reason: str) -> None:
    """Object to the last verdict on a label."""
    import getpass

    from smartdb import database, reviews

    with database.session(role="smartdb_annotator") as conn:
        reviews.dispute(conn, label_id, reviewer or getpass.getuser(), reason)
    output.say(f"label {label_id} is disputed; settle it: smartdb review adjudicate {label_id}")


@review.command()
@_AS_JSON
def disputed(as_json: bool) -> None:
    """List the labels about which people differ."""
    from smartdb import database, reviews

    with database.session(role="smartdb_reader") as conn:
        found = reviews.disputed(conn)
    if as_json:
        output.print_json(found)
        return
    columns = ("label_id", "class", "labelled_by", "state_before", "disputed_by", "verdict")
    rows = [[row[name] for name in (*columns, "reason", "uri")] for row in found]
    output.table(rows, ["label", "says", "by", "was", "disputed by", "who says", "why", "uri"])


@review.command()
@click.argument("label_id", metavar="LABEL", type=int)
@click.option(
    "--verdict",
    type=click.Choice(["accepted", "corrected", "rejected"]),
    required=True,
    help="What the label is; accepted: right as it stands.",
)
@click.option("--class", "class_name", help="The right class; with corrected.")
@_REVIEWER
@_REASON
def adjudicate(
    label_id: int,
    verdict: Verdict,
    class_name: str | None,
    reviewer: str | None,
    reason: str | None,
) -> None:
    """Settle a dispute for good; only who neither wrote nor judged the label may."""
    import getpass

    from smartdb import database, reviews

    name = reviewer or getpass.getuser()
    with database.session(role="smartdb_reviewer") as conn:
        reviews.adjudicate(conn, label_id, name, verdict, class_name, reason)
    output.say(f"label {label_id} {verdict} by {name}, for good")


@review.command()
@click.argument("review_id", metavar="REVIEW", type=int)
@_REVIEWER
def withdraw(review_id: int, reviewer: str | None) -> None:
    """Take your verdict back, with what it did."""
    import getpass

    from smartdb import database, reviews

    with database.session(role="smartdb_reviewer") as conn:
        stands = reviews.withdraw(conn, review_id, reviewer or getpass.getuser())
    output.say(f"withdrawn; label {stands} stands")


@review.command()
@click.argument("object_id", metavar="OBJECT", type=int)
@_AS_JSON
def story(object_id: int, as_json: bool) -> None:
    """Tell all that happened to a label, by the object_id that its rows share."""
    from smartdb import database, reviews

    with database.session(role="smartdb_reader") as conn:
        events = reviews.story(conn, object_id)
    if as_json:
        output.print_json(events)
        return
    rows = (
        (
            e["at"],
            e["event"],
            e["actor"],
            e["label_id"],
            _class(e["before"]),
            _class(e["after"]),
            e["reason"],
        )
        for e in events
    )
    output.table(rows, ["at", "event", "by", "label", "before", "after", "why"])


@review.command()
@click.argument("text")
@click.option("--media", "media_id", type=int, help="About this media.")
@click.option("--label", "label_id", type=int, help="About this label.")
@click.option("--task", "task_id", type=int, help="About this task.")
@click.option("--reply-to", type=int, help="In reply to this comment.")
@_REVIEWER
def comment(
    text: str,
    media_id: int | None,
    label_id: int | None,
    task_id: int | None,
    reply_to: int | None,
    reviewer: str | None,
) -> None:
    """Say something about a media, a label or a task."""
    import getpass

    from smartdb import comments, database

    about = {"media_id": media_id, "label_id": label_id, "task_id": task_id, "reply_to": reply_to}
    with database.session(role="smartdb_annotator") as conn:
        number = comments.add(conn, reviewer or getpass.getuser(), text, **about)
    output.say(f"comment {number}")


def _suggested(suspicion: Suspicion) -> str | None:
    """The class that is suggested, and where: x, y, width, height in pixels."""
    says = suspicion.suggestion or {}
    box = [f"{says[key]:g}" for key in "xywh" if says.get(key) is not None]
    words = [suspicion.suggested, says.get("kind"), f"({', '.join(box)})" if box else None]
    return " ".join(word for word in words if word) or None


def _class(says: dict[str, Any] | None) -> str | None:
    return None if says is None else says.get("class")


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
