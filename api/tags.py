"""Tags on media: put on and taken off all that match, and which there are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from pydantic import Field, model_validator

from smartdb import predicates, tags

from .database import ANNOTATOR, Connection, read, write
from .fields import Actor, Body, Id, Name, Resource, Text
from .spec import operation

routes = Blueprint("tags", __name__, url_prefix="/v1")

TIMEOUT_S = 10.0
"""What a predicate may take; less than any statement of the API."""


class Tag(Resource):
    """A tag, and on how many media it is."""

    tag: str
    n_media: int
    first_at: datetime = Field(description="When the first of these got it.")
    last_at: datetime = Field(description="When the last of these got it.")


class Tags(Resource):
    """The tags, by name."""

    items: list[Tag]


class Chosen(Body):
    """Which media: all that fulfil what is given."""

    tag: Name
    predicate: Text | None = Field(
        None, description="SQL condition on smartdb.media, read as m, that only reads."
    )
    slice: Name | None = Field(None, description="Name of a slice.")
    media_ids: Annotated[list[Id], Field(max_length=10_000)] | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Chosen:
        if self.predicate is None and self.slice is None and not self.media_ids:
            raise ValueError("say which media: predicate, slice or media_ids")
        return self


class TagMedia(Chosen):
    """A tag for media."""

    actor: Actor


class Tagged(Resource):
    """On how many media the tag changed."""

    tag: str
    n: int


@routes.get("/tags")
@operation("media", Tags)
def list_tags() -> Tags:
    """The tags that are on media, by name."""
    return Tags.model_validate({"items": read(tags.tags)})


@routes.post("/media/tags")
@operation("media", Tagged, 400, 403, 404, 413, 415)
def tag_media(json: TagMedia) -> Tagged:
    """Put a tag on all media that match; n did not have it."""
    return Tagged(tag=json.tag, n=write(ANNOTATOR, _tag, json))


@routes.post("/media/tags/remove")
@operation("media", Tagged, 400, 403, 404, 413, 415)
def untag_media(json: Chosen) -> Tagged:
    """Take a tag off all media that match; n had it."""
    return Tagged(tag=json.tag, n=write(ANNOTATOR, _untag, json))


def _tag(conn: Connection, wish: TagMedia) -> int:
    return tags.add(conn, wish.tag, _which(conn, wish), actor=wish.actor, timeout_s=TIMEOUT_S)


def _untag(conn: Connection, wish: Chosen) -> int:
    return tags.remove(conn, wish.tag, _which(conn, wish), timeout_s=TIMEOUT_S)


def _which(conn: Connection, wish: Chosen) -> str:
    return predicates.combined(conn, wish.predicate, wish.slice, wish.media_ids or ())
