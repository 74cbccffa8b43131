"""Work for annotators: what waits, claims, answers, and giving back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from smartdb import pages, submissions, tasks
from smartdb.tasks import Kind

from . import cursors
from .database import ANNOTATOR, REVIEWER, read, write
from .fields import Actor, Body, Name, PageQuery, Resource, Share, Text
from .spec import ID, operation

routes = Blueprint("tasks", __name__, url_prefix="/v1")


class TaskQuery(PageQuery):
    """Which tasks."""

    kind: Kind = Field("label", description="label or review.")


class Task(Resource):
    """A task that waits: open, or claimed with a lease that has run out."""

    task_id: int
    kind: str
    media_id: int
    label_id: int | None = Field(description="The label to judge; null for a label task.")
    priority: float = Field(description="Larger comes first.")
    state: str
    batch_id: int | None
    created_at: datetime
    last_assignee: str | None
    project: str | None = Field(description="The project that asks.")


class TaskPage(Resource):
    """A page of waiting tasks, most wanted first."""

    items: list[Task]
    next: str | None


class Claim(Body):
    """A wish for work."""

    actor: Actor
    kind: Kind = "label"
    project: Name | None = Field(None, description="Only of this project.")
    n: int = Field(1, ge=1, le=100, description="How many tasks, at most.")
    lease_seconds: int = Field(
        600, ge=10, le=86_400, description="After this the tasks are open to others again."
    )


class ClaimedTask(Resource):
    """A task that is yours until its lease runs out."""

    task_id: int
    media_id: int
    label_id: int | None
    priority: float
    lease_until: datetime
    class_: str | None = Field(alias="class", description="What the label to judge says.")
    labelled_by: str | None
    suggested_class: str | None = Field(description="What a detector of label errors would say.")
    issue_kind: str | None
    issue_score: float | None
    project: str | None = Field(description="The project that asks.")
    prefill: list[dict[str, Any]] | None = Field(description="Label objects to start from.")


class ClaimedTasks(Resource):
    """What was claimed, most wanted first; empty where nothing waits."""

    items: list[ClaimedTask]


class LabelAnswer(Body):
    """The answer to a label task."""

    actor: Actor
    class_: Name = Field(alias="class", description="Name of a class in use.")
    ontology: Name | None = Field(None, description="Where several have a class of that name.")
    confidence: Share | None = Field(None, description="How sure the person is.")


class LabelId(Resource):
    """The label that was written, or was there already."""

    label_id: int


class Answer(Body):
    """The answer to a label task: any number of labels of any kind."""

    actor: Actor
    labels: Annotated[list[dict[str, Any]], Field(max_length=10_000)] = Field(
        description="Label objects: class, kind, x, y, w, h, shape, attributes, confidence."
    )
    key: Name | None = Field(None, description="Tells a repetition from another answer.")
    seconds: float | None = Field(
        None, ge=0, le=1e9, allow_inf_nan=False, description="How long the person worked on it."
    )


class Accepted(Resource):
    """What was written; the same for the same answer sent again."""

    submission_id: int
    label_ids: list[int]


class Lease(Body):
    """A wish for more time."""

    actor: Actor
    lease_seconds: int = Field(600, ge=10, le=86_400)


class Leased(Resource):
    """Until when the task is yours."""

    task_id: int
    lease_until: datetime


class Skip(Body):
    """Gives a task back unanswered."""

    actor: Actor
    reason: Text | None = None


class Skipped(Resource):
    """The task that was given back."""

    task_id: int
    state: str


@routes.get("/tasks")
@operation("labelling", TaskPage)
def list_tasks(query: TaskQuery) -> TaskPage:
    """List the tasks of a kind that wait, most wanted first."""
    after = cursors.start(query, float, int)
    rows = read(pages.task_page, query.kind, after, query.limit + 1)
    items, following = cursors.page(rows, query, "priority", "task_id")
    return TaskPage.model_validate({"items": items, "next": following})


@routes.post("/tasks/claim")
@operation("labelling", ClaimedTasks, 400, 403, 413, 415)
def claim_tasks(json: Claim) -> ClaimedTasks:
    """Claim the most wanted tasks of a kind for a person; no two callers get the same."""
    role = ANNOTATOR if json.kind == "label" else REVIEWER
    rows = write(
        role, pages.claim_tasks, json.actor, json.kind, json.n, json.lease_seconds, json.project
    )
    return ClaimedTasks.model_validate({"items": rows})


@routes.post(f"/tasks/<{ID}:task_id>/submit")
@operation("labelling", LabelId, 400, 403, 404, 409, 413, 415)
def submit_label(task_id: int, json: LabelAnswer) -> LabelId:
    """Answer a label task that the person holds with a class."""
    label_id = write(
        ANNOTATOR,
        tasks.submit_label,
        task_id,
        json.actor,
        json.class_,
        ontology=json.ontology,
        confidence=json.confidence,
    )
    return LabelId(label_id=label_id)


@routes.post(f"/tasks/<{ID}:task_id>/skip")
@operation("labelling", Skipped, 400, 403, 404, 409, 413, 415)
def skip_task(task_id: int, json: Skip) -> Skipped:
    """End a task that the person holds and that nobody could answer; it counts as skipped."""
    write(ANNOTATOR, tasks.skip, task_id, json.actor, json.reason)
    return Skipped(task_id=task_id, state="skipped")


@routes.post(f"/tasks/<{ID}:task_id>/answer")
@operation("labelling", Accepted, 400, 403, 404, 409, 413, 415)
def answer_task(task_id: int, json: Answer) -> Accepted:
    """Answer a label task that the person holds with labels of any kind.

    What is refused is kept, with the reason: the problem says its submission_id.
    """
    found = write(
        ANNOTATOR,
        submissions.submit,
        task_id,
        json.actor,
        json.labels,
        key=json.key,
        seconds=json.seconds,
    )
    if found.error:
        raise found.error  # after the commit, which keeps it
    return Accepted(submission_id=found.submission_id, label_ids=found.label_ids or [])


@routes.post(f"/tasks/<{ID}:task_id>/renew")
@operation("labelling", Leased, 400, 403, 404, 409, 413, 415)
def renew_task(task_id: int, json: Lease) -> Leased:
    """Make a lease longer, or take back one that has run out while nobody else claimed it."""
    lease = timedelta(seconds=json.lease_seconds)
    until = write(ANNOTATOR, tasks.renew, task_id, json.actor, lease)
    return Leased(task_id=task_id, lease_until=until)


@routes.post(f"/tasks/<{ID}:task_id>/return")
@operation("labelling", Skipped, 400, 403, 404, 409, 413, 415)
def return_task(task_id: int, json: Skip) -> Skipped:
    """Give a task that the person holds back for somebody else."""
    write(ANNOTATOR, tasks.give_back, task_id, json.actor, json.reason)
    return Skipped(task_id=task_id, state="open")
