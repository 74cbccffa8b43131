"""Dataset versions, and where their media and classes come from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint
from pydantic import Field

from smartdb.pages import classes, find_version, version_page
from smartdb.sources import sources

from . import cursors
from .database import read
from .fields import Name, PageQuery, Query, Resource
from .spec import operation

routes = Blueprint("datasets", __name__, url_prefix="/v1")


class VersionQuery(PageQuery):
    """Which versions."""

    dataset: Name | None = Field(None, description="Name of the dataset.")


class Version(Resource):
    """A state of a dataset; once sealed it never changes."""

    dataset: str
    version: int
    n_items: int = Field(description="Members.")
    revision: int = Field(description="Its labels are those live at this revision.")
    query: str = Field(description="Condition on smartdb.media that chose its members.")
    parameters: Any
    seed: int
    digest: str = Field(description="Digest by content.")
    message: str = Field(description="What changed and why.")
    ontology: str
    run_id: int
    sealed_at: datetime


class VersionPage(Resource):
    """A page of versions, by name of the dataset, the newest of each first."""

    items: list[Version]
    next: str | None


class ClassShare(Resource):
    """How many media of a class are in a split."""

    split: str
    class_: str | None = Field(alias="class", description="null: without a class.")
    n: int
    share: float = Field(description="Of the split, 0 to 1.")


class VersionWithBalance(Version):
    """A version and how many media of each class each split holds."""

    class_balance: list[ClassShare]


class ClassQuery(Query):
    """Which classes."""

    ontology: Name | None = Field(None, description="Name of the ontology.")


class Class(Resource):
    """What a label may say."""

    ontology: str
    class_id: int
    class_: str = Field(alias="class")
    parent: str | None = Field(description="The class that it is a kind of.")
    path: str = Field(description="Names from the root to the class.")


class Classes(Resource):
    """The classes in use, ontology by ontology."""

    items: list[Class]


class Source(Resource):
    """Where media come from, on what terms, and how much came."""

    source: str
    uri: str
    licence: str | None
    n_files: int
    n_media: int
    n_refused: int
    n_bytes: int
    last_seen_at: datetime | None


class Sources(Resource):
    """The sources, by name."""

    items: list[Source]


@routes.get("/datasets/versions")
@operation("datasets", VersionPage)
def list_versions(query: VersionQuery) -> VersionPage:
    """List dataset versions, by name, the newest of each first."""
    after = cursors.start(query, str, int)
    rows = read(version_page, query.dataset, after, query.limit + 1)
    items, following = cursors.page(rows, query, "dataset", "version")
    return VersionPage.model_validate({"items": items, "next": following})


@routes.get("/datasets/<path:dataset>/versions/<int(min=1, max=2147483647):version>")
@operation("datasets", VersionWithBalance, 404)
def get_version(dataset: str, version: int) -> VersionWithBalance:
    """One dataset version with the class balance of its splits."""
    return VersionWithBalance.model_validate(read(find_version, dataset, version))


@routes.get("/classes")
@operation("datasets", Classes)
def list_classes(query: ClassQuery) -> Classes:
    """The classes that labels may say."""
    return Classes.model_validate({"items": read(classes, query.ontology)})


@routes.get("/sources")
@operation("datasets", Sources)
def list_sources() -> Sources:
    """Where media come from, and how much came."""
    return Sources.model_validate({"items": read(sources)})
