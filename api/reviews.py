"""Reviewing: suspected label errors, and verdicts on labels."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint
from pydantic import Field

from smartdb import pages

from . import cursors
from .database import REVIEWER, read, write
from .fields import Actor, Body, Name, PageQuery, Resource, Text
from .spec import ID, operation

routes = Blueprint("reviews", __name__, url_prefix="/v1")


class ReviewQuery(PageQuery):
    """Which suspicions."""

    kind: Name | None = Field(None, description="swapped, overlooked, ...")


class Suspicion(Resource):
    """A label that may be wrong: a question, not a verdict."""

    issue_id: int
    label_id: int
    media_id: int
    class_: str | None = Field(alias="class", description="What the label says.")
    actor: str | None = Field(description="Who said it.")
    suggested_class: str | None
    kind: str
    score: float = Field(description="How suspicious, 0 to 1.")
    task_id: int | None = Field(description="The review task, if it was queued.")
    task_state: str | None


class ReviewPage(Resource):
    """A page of the review queue, most suspicious first."""

    items: list[Suspicion]
    next: str | None


class Verdict(Body):
    """A reviewer's verdict on a label."""

    actor: Actor
    verdict: Literal["accepted", "corrected", "rejected"]
    class_: Annotated[
        Name | None, Field(alias="class", description="The right class; with corrected only.")
    ] = None
    reason: Text | None = Field(None, description="Why, for a person.")


class ReviewId(Resource):
    """The review that was written."""

    review_id: int


@routes.get("/reviews/queue")
@operation("reviewing", ReviewPage)
def list_review_queue(query: ReviewQuery) -> ReviewPage:
    """List the open suspicions about labels, most suspicious first."""
    after = cursors.start(query, float, int)
    rows = read(pages.review_page, query.kind, after, query.limit + 1)
    items, following = cursors.page(rows, query, "score", "issue_id")
    return ReviewPage.model_validate({"items": items, "next": following})


@routes.post(f"/tasks/<{ID}:task_id>/review")
@operation("reviewing", ReviewId, 400, 403, 404, 409, 413, 415)
def submit_review(task_id: int, json: Verdict) -> ReviewId:
    """Answer a review task that the person holds with a verdict."""
    review_id = write(
        REVIEWER,
        pages.submit_review,
        task_id,
        json.actor,
        json.verdict,
        class_=json.class_,
        reason=json.reason,
    )
    return ReviewId(review_id=review_id)


@routes.post(f"/labels/<{ID}:label_id>/review")
@operation("reviewing", ReviewId, 400, 403, 404, 409, 413, 415)
def review_label(label_id: int, json: Verdict) -> ReviewId:
    """Judge a label, whether or not a task asks for it; settles its suspicions and tasks."""
    review_id = write(
        REVIEWER,
        pages.review_label,
        label_id,
        json.actor,
        json.verdict,
        class_=json.class_,
        reason=json.reason,
    )
    return ReviewId(review_id=review_id)
