"""The command task: claim work, answer it, give it back. What waits: smartdb tasks."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.tasks import Kind

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_AS = click.option("--as", "actor", required=True, help="Name of the person.")
_ID = click.argument("task_id", type=int, metavar="ID")
_REASON = click.option("--reason", help="Why.")
_MINUTES = click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True,
    help="How long the lease holds.",
)  # fmt: skip


@click.group()
def task() -> None:
    """Claim tasks, answer them, give them back."""


@task.command()
@_AS
@click.option("--project", help="Only of this project.")
@click.option("--kind", type=click.Choice(["label", "review", "adjudicate"]), default="label")
@click.option("-n", "n", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@_MINUTES
@_AS_JSON
def claim(
    actor: str, project: str | None, kind: Kind, n: int, minutes: float, as_json: bool
) -> None:
    """Claim the most wanted tasks for a person."""
    from smartdb import database, tasks

    lease = timedelta(minutes=minutes)
    with database.session() as conn:
        found = tasks.claim(conn, actor, kind, n, lease, project=project)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    rows = ((t.task_id, t.project, t.media_id, t.priority, t.lease_until) for t in found)
    output.table(rows, ["task", "project", "media", "priority", "lease_until"])


@task.command()
@_ID
@_AS
@click.option("--class", "classes", multiple=True, help="A class; again for more.")
@click.option("--labels", help='Label objects as JSON, or - to read them: [{"class": "cat"}].')
@click.option("--key", help="Tells a repetition from another answer.")
@click.option("--seconds", type=float, help="How long the person worked on it.")
@_AS_JSON
def submit(
    task_id: int,
    actor: str,
    classes: tuple[str, ...],
    labels: str | None,
    key: str | None,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Answer a label task that the person holds. What is refused is kept: smartdb task refused."""
    from smartdb import database, submissions

    if (labels is None) == (not classes):
        raise click.UsageError("answer with --class or with --labels")
    said: list[dict[str, Any]] = [{"class": name} for name in classes]
    if labels is not None:
        said = _read(sys.stdin.read() if labels == "-" else labels)
    with database.session() as conn:
        found = submissions.submit(conn, task_id, actor, said, key=key, seconds=seconds)
    if found.error:
        raise found.error
    if as_json:
        output.print_json(asdict(found))
    else:
        output.say(f"submission {found.submission_id}: {len(found.label_ids or ())} labels")


@task.command()
@click.option("--as", "actor", help="Only those of this person.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def refused(actor: str | None, limit: int, as_json: bool) -> None:
    """List answers that were refused, the newest first, to mend and submit again."""
    from smartdb import database, submissions

    with database.session() as conn:
        found = submissions.refused(conn, actor, limit=limit)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    rows = ((s.submission_id, s.task_id, s.actor, s.reason, json.dumps(s.labels)) for s in found)
    output.table(rows, ["submission", "task", "actor", "reason", "labels"])


@task.command()
@_ID
@_AS
@_MINUTES
def renew(task_id: int, actor: str, minutes: float) -> None:
    """Make a lease longer, or take back one that has run out."""
    from smartdb import database, tasks

    with database.session() as conn:
        until = tasks.renew(conn, task_id, actor, timedelta(minutes=minutes))
    output.say(f"task {task_id} is leased to {actor} until {until:%Y-%m-%d %H:%M:%S %Z}")


@task.command()
@_ID
@_AS
@_REASON
def skip(task_id: int, actor: str, reason: str | None) -> None:
    """End a task that cannot be answered."""
    from smartdb import database, tasks

    with database.session() as conn:
        tasks.skip(conn, task_id, actor, reason)


@task.command("return")
@_ID
@_AS
@_REASON
def return_(task_id: int, actor: str, reason: str | None) -> None:
    """Give a task back for somebody else."""
    from smartdb import database, tasks

    with database.session() as conn:
        tasks.give_back(conn, task_id, actor, reason)


@task.command()
@_ID
@click.option("--to", "actor", required=True, help="Name of the person who gets it.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=1440.0)
def reassign(task_id: int, actor: str, minutes: float) -> None:
    """Give a task that has not ended to a person, whoever holds it."""
    from smartdb import database, tasks

    with database.session() as conn:
        until = tasks.reassign(conn, task_id, actor, timedelta(minutes=minutes))
    output.say(f"task {task_id} is leased to {actor} until {until:%Y-%m-%d %H:%M:%S %Z}")


def _read(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"no JSON: {error}", param_hint="--labels") from error
    if not isinstance(found, list):
        raise click.BadParameter("a list of label objects is wanted", param_hint="--labels")
    return cast(list[dict[str, Any]], found)
