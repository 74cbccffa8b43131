"""Exports of dataset versions: where a version was written to, in which format."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from pydantic import Field

from smartdb.pages import export_page

from . import cursors
from .database import read
from .fields import PageQuery, Resource
from .spec import operation

routes = Blueprint("exports", __name__, url_prefix="/v1")


class Export(Resource):
    """A dataset version that was written to files."""

    export_id: int
    dataset: str
    version: int
    format: str
    uri: str = Field(description="The folder, or the place in a store.")
    state: str = Field(description="unfinished, complete or gone.")
    n_items: int = Field(description="Media in it.")
    n_files: int | None
    n_bytes: int | None
    manifest_sha256: str | None
    purpose: str | None
    n_erased: int = Field(description="Media in it that were erased since.")
    n_restricted: int = Field(description="Media in it that are hidden by now.")
    is_stale: bool = Field(description="Whether it holds any of either.")
    created_at: datetime
    finished_at: datetime | None


class ExportPage(Resource):
    """A page of exports, the oldest first."""

    items: list[Export]
    next: str | None


@routes.get("/datasets/<path:dataset>/versions/<int(min=1, max=2147483647):version>/exports")
@operation("datasets", ExportPage, 404)
def list_exports(dataset: str, version: int, query: PageQuery) -> ExportPage:
    """Where one dataset version was written to."""
    (after,) = cursors.start(query, int)
    rows = read(export_page, dataset, version, after or 0, query.limit + 1)
    items, following = cursors.page(rows, query, "export_id")
    return ExportPage.model_validate({"items": items, "next": following})
