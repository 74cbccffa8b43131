"""Ontologies: what labels may be, in each version, and what changed between two."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint
from pydantic import Field

from smartdb import label_migration, ontology_changes
from smartdb.ontology_form import plain

from .database import Connection, read
from .fields import Query, Resource
from .spec import operation

routes = Blueprint("ontologies", __name__, url_prefix="/v1/ontologies")

VERSION = 2**31 - 1


class OntologyVersion(Resource):
    """A version of an ontology; it never changes."""

    ontology: str
    version: int
    message: str = Field(description="What changed and why.")
    n_classes: int
    n_rules: int = Field(description="Rules that map labels to it.")
    created_at: datetime


class OntologyVersions(Resource):
    """The versions of the ontologies, oldest first."""

    items: list[OntologyVersion]


class OntologyQuery(Query):
    """Which version."""

    version: int | None = Field(None, ge=1, le=VERSION, description="Its number; the newest.")


class Ontology(Resource):
    """An ontology in a version: its classes as in its file."""

    ontology: str
    version: int
    note: str | None
    classes: list[dict[str, Any]] = Field(
        description="Each with class, parent, kinds, attributes, skeleton, open; see the how-to."
    )


class DiffQuery(Query):
    """Between which versions."""

    version_a: int = Field(ge=1, le=VERSION, description="The earlier.")
    version_b: int | None = Field(None, ge=1, le=VERSION, description="The later; the newest.")


class Change(Resource):
    """One thing that changed."""

    change: str
    class_a: str | None = Field(description="Name of the class in the earlier version.")
    class_b: str | None = Field(description="Name of the class in the later version.")
    attribute: str | None
    was: Any
    now: Any
    is_additive: bool = Field(description="Whether labels that fitted still do.")


class Changes(Resource):
    """What changed, by class."""

    items: list[Change]


class UnfitQuery(Query):
    """How many."""

    limit: int = Field(50, ge=1, le=500, description="At most.")


class UnfitLabel(Resource):
    """A live label that the newest version would not take."""

    label_id: int
    media_id: int
    class_: str = Field(alias="class", validation_alias="class_")
    problem: str = Field(description="What the newest version has against it, and would allow.")


class UnfitLabels(Resource):
    """Labels that are to be mapped or judged."""

    items: list[UnfitLabel]


@routes.get("")
@operation("labelling", OntologyVersions)
def list_ontologies() -> OntologyVersions:
    """The versions of all ontologies, oldest first."""
    return OntologyVersions.model_validate({"items": read(ontology_changes.versions)})


@routes.get("/<ontology>")
@operation("labelling", Ontology, 404)
def get_ontology(ontology: str, query: OntologyQuery) -> Ontology:
    """The classes of an ontology, and what labels of them may be and say."""
    return Ontology.model_validate(read(_document, ontology, query.version))


@routes.get("/<ontology>/diff")
@operation("labelling", Changes, 404)
def diff_ontology(ontology: str, query: DiffQuery) -> Changes:
    """What changed in an ontology from one version to a later one."""
    return Changes.model_validate({"items": read(_diff, ontology, query)})


@routes.get("/<ontology>/unfit")
@operation("labelling", UnfitLabels, 404)
def list_unfit_labels(ontology: str, query: UnfitQuery) -> UnfitLabels:
    """Live labels that the newest version of an ontology would not take, and why."""
    found = read(label_migration.unfit, ontology, query.limit)
    return UnfitLabels.model_validate({"items": [asdict(each) for each in found]})


def _document(conn: Connection, ontology: str, version: int | None) -> dict[str, Any]:
    at = version or ontology_changes.newest(conn, ontology)
    found = plain(ontology_changes.definition(conn, ontology, at))
    return {"note": None} | found | {"version": at}


def _diff(conn: Connection, ontology: str, query: DiffQuery) -> list[ontology_changes.Difference]:
    last = query.version_b or ontology_changes.newest(conn, ontology)
    return ontology_changes.diff(conn, ontology, query.version_a, last)
