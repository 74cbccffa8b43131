"""What annotators are asked, how far they are, and answers that were refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint
from pydantic import Field

from smartdb import projects, submissions

from . import cursors
from .database import read
from .fields import Actor, PageQuery, Resource
from .spec import operation

routes = Blueprint("projects", __name__, url_prefix="/v1")


class Project(Resource):
    """What is asked, about how many media, and how far it is."""

    project: str
    ontology: str
    instructions: str = Field(description="What annotators read before they begin.")
    kinds: list[str] = Field(description="Kinds of label that are asked for.")
    overlap: int = Field(description="How many people are asked about each media.")
    closed_at: datetime | None
    n_media: int = Field(description="Media asked about.")
    n_media_done: int
    n_waiting: int = Field(description="Answers that nobody is giving yet.")
    n_leased: int
    n_done: int
    n_skipped: int
    share_done: float | None
    mean_seconds: float | None
    hours_left: float | None = Field(description="Hours of one person's work in what was asked.")


class Projects(Resource):
    """The projects, by name."""

    items: list[Project]


class RefusedQuery(PageQuery):
    """Whose answers."""

    actor: Actor


class Refused(Resource):
    """An answer that was refused, as it was sent; mend it and answer the task again."""

    submission_id: int
    task_id: int | None
    media_id: int | None
    labels: list[dict[str, Any]] | None
    reason: str
    sqlstate: str
    key: str
    n_tries: int
    tried_at: datetime


class RefusedPage(Resource):
    """A page of refused answers, the newest first."""

    items: list[Refused]
    next: str | None


@routes.get("/projects")
@operation("labelling", Projects)
def list_projects() -> Projects:
    """List the projects with their instructions and how far they are."""
    rows = {row["project"]: row for row in read(projects.progress)}
    items = [{**vars(each), **rows[each.project]} for each in read(projects.projects)]
    return Projects.model_validate({"items": items})


@routes.get("/submissions")
@operation("labelling", RefusedPage)
def list_submissions(query: RefusedQuery) -> RefusedPage:
    """List a person's answers that were refused and not accepted since, the newest first."""
    (before,) = cursors.start(query, int)
    rows = read(submissions.refused, query.actor, before=before, limit=query.limit + 1)
    items, following = cursors.page([vars(row) for row in rows], query, "submission_id")
    return RefusedPage.model_validate({"items": items, "next": following})
