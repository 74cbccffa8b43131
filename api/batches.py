"""Batches: what samplers chose to work on next. Reading only: choosing one writes as a pipeline."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint
from pydantic import Field

from smartdb import batches

from . import cursors
from .database import read
from .fields import PageQuery, Resource
from .spec import ID, operation

routes = Blueprint("batches", __name__, url_prefix="/v1")


class Batch(Resource):
    """What a sampler chose, and how."""

    batch_id: int
    strategy: str
    n_items: int = Field(description="Media in it that may be seen.")
    seed: int
    parameters: Any = Field(description="What the sampler was asked for.")
    counts: Any = Field(description="What it counted and noted.")
    run_id: int
    created_at: datetime


class BatchPage(Resource):
    """A page of batches, the newest first."""

    items: list[Batch]
    next: str | None


class BatchItem(Resource):
    """A chosen media."""

    rank: int = Field(description="Order of choice, from 1.")
    media_id: int
    score: float = Field(description="By the strategy; larger was more wanted.")
    reason: str
    uri: str | None


class BatchItemPage(Resource):
    """A page of the items of a batch, in the order of choice."""

    items: list[BatchItem]
    next: str | None


@routes.get("/batches")
@operation("batches", BatchPage)
def list_batches(query: PageQuery) -> BatchPage:
    """List the batches, the newest first."""
    (before,) = cursors.start(query, int)
    rows = [asdict(each) for each in read(batches.newest, query.limit + 1, before)]
    items, following = cursors.page(rows, query, "batch_id")
    return BatchPage.model_validate({"items": items, "next": following})


@routes.get(f"/batches/<{ID}:batch_id>")
@operation("batches", Batch, 404)
def get_batch(batch_id: int) -> Batch:
    """One batch, and how it was chosen."""
    return Batch.model_validate(read(batches.find, batch_id))


@routes.get(f"/batches/<{ID}:batch_id>/items")
@operation("batches", BatchItemPage, 404)
def list_batch_items(batch_id: int, query: PageQuery) -> BatchItemPage:
    """What is in a batch, in the order of choice."""
    (after,) = cursors.start(query, int)
    found = read(batches.items, batch_id, after=after, limit=query.limit + 1)
    items, following = cursors.page([each._asdict() for each in found], query, "rank")
    return BatchItemPage.model_validate({"items": items, "next": following})
