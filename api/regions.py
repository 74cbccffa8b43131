"""Regions: the parts of pictures that labels mark, and those like them."""

from __future__ import annotations

from flask import Blueprint
from pydantic import Field

from smartdb.regions import similar_regions

from .database import read
from .fields import Name, Query, Resource
from .spec import ID, operation

routes = Blueprint("regions", __name__, url_prefix="/v1")


class RegionQuery(Query):
    """How to search."""

    encoder: Name | None = Field(None, description="May be left out where there is only one.")
    k: int = Field(10, ge=1, le=200, description="How many.")


class Region(Resource):
    """A labelled region and how far it is; pixels of the upright picture, within it."""

    label_id: int
    media_id: int
    distance: float = Field(description="Cosine distance, 0 to 2.")
    class_: str | None = Field(alias="class")
    x: float
    y: float
    w: float
    h: float


class Regions(Resource):
    """The nearest regions, nearest first."""

    encoder: str
    items: list[Region]


@routes.get(f"/labels/<{ID}:label_id>/similar")
@operation("media", Regions, 404)
def list_similar_regions(label_id: int, query: RegionQuery) -> Regions:
    """The regions nearest to that of a label by an encoder, of any media."""
    encoder, rows = read(similar_regions, label_id, encoder=query.encoder, k=query.k)
    return Regions.model_validate({"encoder": encoder, "items": rows})
