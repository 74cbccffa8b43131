"""Comments: what people say to each other about media, labels and tasks."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint

from smartdb import comments

from .database import ANNOTATOR, read, write
from .fields import Actor, Body, Id, Resource, Text
from .spec import ID, operation

routes = Blueprint("comments", __name__, url_prefix="/v1")


class NewComment(Body):
    """Something said about exactly one of a media, a label, a task, or another comment."""

    actor: Actor
    text: Text
    media_id: Id | None = None
    label_id: Id | None = None
    task_id: Id | None = None
    reply_to: Id | None = None


class CommentId(Resource):
    """The comment that was written."""

    comment_id: int


class Comment(Resource):
    """What somebody said."""

    comment_id: int
    object_id: int | None
    label_id: int | None
    task_id: int | None
    reply_to: int | None
    actor: str
    text: str
    created_at: datetime


class CommentList(Resource):
    """What was said about a media, its labels and tasks, oldest first."""

    items: list[Comment]


@routes.post("/comments")
@operation("reviewing", CommentId, 400, 403, 404, 409, 413, 415)
def add_comment(json: NewComment) -> CommentId:
    """Say something about a media, a label, a task or another comment."""
    about = json.model_dump(exclude={"actor", "text"})
    return CommentId(comment_id=write(ANNOTATOR, comments.add, json.actor, json.text, **about))


@routes.get(f"/media/<{ID}:media_id>/comments")
@operation("reviewing", CommentList)
def list_comments(media_id: int) -> CommentList:
    """List what was said about a media, its labels and tasks, oldest first."""
    return CommentList.model_validate({"items": read(comments.comments, media_id)})
