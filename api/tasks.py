"""Work for annotators: what waits, claims, answers, and giving back."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from pydantic import Field

from smartdb import pages
from smartdb.tasks import Kind

from . import cursors
from .database import ANNOTATOR, REVIEWER, read, write
from .fields import Actor, Body, Name, PageQuery, Resource, Share
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


class TaskPage(Resource):
    """A page of waiting tasks, most wanted first."""

    items: list[Task]
    next: str | None


class Claim(Body):
    """A wish for work."""

    actor: Actor
    kind: Kind = "label"
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


class Skip(Body):
    """Gives a task back unanswered."""

    actor: Actor


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
    rows = write(role, pages.claim_tasks, json.actor, json.kind, json.n, json.lease_seconds)
    return ClaimedTasks.model_validate({"items": rows})


@routes.post(f"/tasks/<{ID}:task_id>/submit")
@operation("labelling", LabelId, 400, 403, 404, 409, 413, 415)
def submit_label(task_id: int, json: LabelAnswer) -> LabelId:
    """Answer a label task that the person holds with a class."""
    label_id = write(
        ANNOTATOR,
        pages.submit_label,
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
    """Give back a task that the person holds, unanswered; it counts as skipped."""
    write(ANNOTATOR, pages.skip_task, task_id, json.actor)
    return Skipped(task_id=task_id, state="skipped")
