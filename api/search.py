"""Search: by words, by how pictures look, or by both."""

from __future__ import annotations

from flask import Blueprint
from pydantic import Field

from smartdb.searching import Wish, predicate, search

from .database import Connection, read
from .fields import Id, Name, Query, Resource, Text
from .spec import operation

routes = Blueprint("search", __name__, url_prefix="/v1")


class SearchQuery(Query):
    """What to search for: a text, how pictures look (a prompt, or examples), or both."""

    text: Text | None = Field(
        None,
        description="Words in captions, attributes and file names, as search engines read them: "
        '"exact phrase", or, -without.',
    )
    prompt: Text | None = Field(
        None, description="A text saved by `smartdb prompt add`; finds what looks like it."
    )
    more: list[Id] = Field([], max_length=100, description="Media to find more like; repeatable.")
    fewer: list[Id] = Field([], max_length=100, description="Media to find fewer like.")
    encoder: Name | None = Field(None, description="May be left out where there is only one.")
    k: int = Field(10, ge=1, le=200, description="How many.")
    source: Name | None = Field(None, description="Only media that lie in this source.")
    class_: Name | None = Field(None, alias="class", description="Only media of this class.")


class FoundItem(Resource):
    """A media, and by what it was found."""

    media_id: int
    score: float = Field(description="Larger is better; by both ways that of the fused ranks.")
    text_rank: int | None = Field(description="Its place by the words; null: not by them.")
    vector_rank: int | None = Field(description="Its place by how it looks; null: not by that.")
    distance: float | None = Field(description="Cosine distance, 0 to 2.")
    source: str | None
    kind: str
    mime: str
    width: int
    height: int
    class_: str | None = Field(alias="class")


class Found(Resource):
    """What was found, best first."""

    items: list[FoundItem]


@routes.get("/search")
@operation("media", Found, 404)
def list_found(query: SearchQuery) -> Found:
    """Search media by words, by a saved prompt, by examples, or by words and one of these."""
    return Found.model_validate({"items": read(_found, query)})


def _found(conn: Connection, query: SearchQuery) -> list[dict[str, object]]:
    wish = Wish(
        text=query.text,
        prompt=query.prompt,
        more=query.more,
        fewer=query.fewer,
        encoder=query.encoder,
        predicate=predicate(conn, query.source, query.class_),
        k=query.k,
    )
    return search(conn, wish)
