"""Reviewing: suspected label errors, and verdicts on labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from smartdb import pages, reviews

from . import cursors
from .database import ANNOTATOR, REVIEWER, read, write
from .fields import Actor, Body, Name, PageQuery, Resource, Text
from .labels import LabelChanges
from .spec import ID, operation

routes = Blueprint("reviews", __name__, url_prefix="/v1")


class ReviewQuery(PageQuery):
    """Which suspicions."""

    kind: Name | None = Field(None, description="swapped, overlooked, ...")


class Suspicion(Resource):
    """A label that may be wrong: a question, not a verdict."""

    issue_id: int
    label_id: int | None = Field(description="Null where a label is missing (overlooked).")
    media_id: int
    class_: str | None = Field(alias="class", description="What the label says.")
    actor: str | None = Field(description="Who said it.")
    suggested_class: str | None
    suggestion: dict[str, Any] | None = Field(
        description="Where and how the detector would put it: kind, x, y, w, h, shape."
    )
    kind: str
    score: float = Field(description="How suspicious, 0 to 1.")
    task_id: int | None = Field(description="The review task, if it was queued.")
    task_state: str | None


class ReviewPage(Resource):
    """A page of the review queue, most suspicious first."""

    items: list[Suspicion]
    next: str | None


class Answer(Body):
    """What a reviewer says, and why."""

    actor: Actor
    correction: LabelChanges | None = Field(
        None, description="What is to be another, geometry and attributes too."
    )
    reason: Text | None = Field(None, description="Why, for a person.")

    def changes(self) -> dict[str, Any] | None:
        """The label object of what is to be another."""
        if self.correction is None:
            return None
        return self.correction.model_dump(by_alias=True, exclude_unset=True)


class Verdict(Answer):
    """A reviewer's verdict on a label; corrected names a class, a correction, or both."""

    verdict: Literal["accepted", "corrected", "rejected"]
    class_: Annotated[
        Name | None, Field(alias="class", description="The right class; with corrected only.")
    ] = None


class Resolution(Answer):
    """A reviewer's answer to a suspicion; a correction changes what it suggests."""

    verdict: Literal["confirmed", "dismissed"]


class Objection(Body):
    """Why the last verdict on a label is wrong."""

    actor: Actor
    reason: Text


class ReviewId(Resource):
    """The review that was written."""

    review_id: int


class Resolved(Resource):
    """What answering a suspicion wrote."""

    label_id: int | None = Field(description="The label that was written; null if none was.")


@routes.get("/reviews/queue")
@operation("reviewing", ReviewPage)
def list_review_queue(query: ReviewQuery) -> ReviewPage:
    """List the open suspicions about labels, most suspicious first."""
    after = cursors.start(query, float, int)
    rows = read(pages.review_page, query.kind, after, query.limit + 1)
    items, following = cursors.page(rows, query, "score", "issue_id")
    return ReviewPage.model_validate({"items": items, "next": following})


@routes.post(f"/issues/<{ID}:issue_id>/resolve")
@operation("reviewing", Resolved, 400, 403, 404, 409, 413, 415)
def resolve_issue(issue_id: int, json: Resolution) -> Resolved:
    """Answer a suspicion: confirming writes what it suggests, also a label that was overlooked."""
    label_id = write(
        REVIEWER,
        reviews.resolve,
        issue_id,
        json.actor,
        json.verdict,
        json.reason,
        correction=json.changes(),
    )
    return Resolved(label_id=label_id)


@routes.post(f"/tasks/<{ID}:task_id>/review")
@operation("reviewing", ReviewId, 400, 403, 404, 409, 413, 415)
def submit_review(task_id: int, json: Verdict) -> ReviewId:
    """Answer a review or adjudicate task that the person holds with a verdict."""
    return _judge(reviews.submit, task_id, json)


@routes.post(f"/labels/<{ID}:label_id>/review")
@operation("reviewing", ReviewId, 400, 403, 404, 409, 413, 415)
def review_label(label_id: int, json: Verdict) -> ReviewId:
    """Judge a label, whether or not a task asks for it; settles its suspicions and tasks."""
    return _judge(reviews.review, label_id, json)


@routes.post(f"/labels/<{ID}:label_id>/dispute")
@operation("reviewing", ReviewId, 400, 403, 404, 409, 413, 415)
def dispute_label(label_id: int, json: Objection) -> ReviewId:
    """Object to the last verdict on a label, as its author may; an adjudicator is asked."""
    return ReviewId(review_id=write(ANNOTATOR, reviews.dispute, label_id, json.actor, json.reason))


@routes.post(f"/labels/<{ID}:label_id>/adjudicate")
@operation("reviewing", ReviewId, 400, 403, 404, 409, 413, 415)
def adjudicate_label(label_id: int, json: Verdict) -> ReviewId:
    """Settle a dispute for good, by somebody who neither wrote nor judged the label."""
    return _judge(reviews.adjudicate, label_id, json)


def _judge(work: Callable[..., int], about: int, json: Verdict) -> ReviewId:
    review_id = write(
        REVIEWER,
        work,
        about,
        json.actor,
        json.verdict,
        json.class_,
        json.reason,
        correction=json.changes(),
    )
    return ReviewId(review_id=review_id)
