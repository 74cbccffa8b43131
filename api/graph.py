"""The graph: where media lie on the map of an encoder, for a scatter plot."""

from __future__ import annotations

from flask import Blueprint
from pydantic import Field

from smartdb.media import encoder_name
from smartdb.media_graph import page

from . import cursors
from .database import read
from .fields import Name, PageQuery, Resource
from .spec import operation

routes = Blueprint("graph", __name__, url_prefix="/v1")


class Point(Resource):
    """A media on the map."""

    media_id: int
    map_x: float | None = Field(description="Null until it is placed.")
    map_y: float | None
    cluster_id: int | None
    uniqueness: float = Field(description="0 to 1; 1 is like nothing else.")
    representativeness: float | None = Field(description="1 in the centre of its cluster, to 0.")
    class_: str | None = Field(alias="class", description="The class it counts as now.")


class Points(Resource):
    """A page of points, by media."""

    encoder: str
    items: list[Point]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class GraphQuery(PageQuery):
    """Which map."""

    limit: int = Field(500, ge=1, le=10_000, description="Points on a page.")
    encoder: Name | None = Field(None, description="May be left out where there is only one.")


@routes.get("/graph")
@operation("graph", Points, 404)
def list_points(query: GraphQuery) -> Points:
    """What the neighbour graph of an encoder says of media, by id: a scatter plot page by page."""
    (after,) = cursors.start(query, int)
    encoder = read(encoder_name, query.encoder)
    rows = read(page, encoder, after, query.limit + 1)
    items, following = cursors.page(rows, query, "media_id")
    return Points.model_validate({"encoder": encoder, "items": items, "next": following})
