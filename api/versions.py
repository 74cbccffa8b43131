"""What is said of dataset versions: tags, differences, and whether they are what was sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flask import Blueprint
from pydantic import Field

from smartdb.pages import dataset_tags, verify_version, version_diff

from .database import read
from .fields import Query, Resource
from .spec import operation

routes = Blueprint("versions", __name__, url_prefix="/v1")


class VersionTag(Resource):
    """A name that points to a version, or pointed."""

    tag: str
    version: int
    is_live: bool = Field(description="Whether it points there now.")
    actor: str = Field(description="Who set it.")
    created_at: datetime


class VersionTags(Resource):
    """The tags of a dataset, in the order they were set."""

    items: list[VersionTag]


class DiffQuery(Query):
    """Which difference."""

    a: int = Field(ge=1, le=2147483647, description="The earlier version.")
    b: int = Field(ge=1, le=2147483647, description="The later version.")
    of: Literal["media", "labels", "classes"] = Field("media", description="What to compare.")
    limit: int = Field(100, ge=1, le=1000, description="How many changes to list.")


class VersionDiff(Resource):
    """What changed between two versions."""

    n: int = Field(description="How many changes there are.")
    n_by_change: dict[str, int] = Field(description="How many of each kind.")
    items: list[dict[str, Any]] = Field(description="The first of them.")


class Verdict(Resource):
    """Whether a version counts to the digest it was sealed with."""

    is_ok: bool | None = Field(description="null: it cannot be told; the reason says why.")
    expected: str
    found: str | None
    reason: str


@routes.get("/datasets/<path:dataset>/tags")
@operation("datasets", VersionTags)
def list_version_tags(dataset: str) -> VersionTags:
    """Where the tags of a dataset point, and pointed."""
    return VersionTags.model_validate({"items": read(dataset_tags, dataset)})


@routes.get("/datasets/<path:dataset>/diff")
@operation("datasets", VersionDiff, 404)
def get_diff(dataset: str, query: DiffQuery) -> VersionDiff:
    """What changed from one version to a later one: media, labels or classes."""
    found = read(version_diff, dataset, query.a, query.b, query.of, query.limit)
    return VersionDiff.model_validate(found)


@routes.get("/datasets/<path:dataset>/versions/<int(min=1, max=2147483647):version>/verdict")
@operation("datasets", Verdict, 404)
def get_verdict(dataset: str, version: int) -> Verdict:
    """Count a version again and compare it with its digest."""
    return Verdict.model_validate(read(verify_version, dataset, version))
