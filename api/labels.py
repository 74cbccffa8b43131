"""Labels of all kinds: what is said of a media, written, changed, taken back, and its history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from smartdb import label_edits

from .database import ANNOTATOR, REVIEWER, read, write
from .fields import LARGEST, Actor, Body, Id, Name, Query, Resource, Share, Text
from .spec import ID, operation

routes = Blueprint("labels", __name__, url_prefix="/v1")

Kind = Literal[
    "classification", "box", "rotated_box", "polygon", "mask", "polyline", "keypoints", "caption",
    "relation",
]  # fmt: skip
Pixels = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
Track = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
Role = Annotated[
    Literal["annotator", "reviewer"],
    Field(description="An annotator changes their own labels and those of no person."),
]
_ROLES = {"annotator": ANNOTATOR, "reviewer": REVIEWER}


class Geometry(Body):
    """Keys that all label objects may have; pixels of the upright picture."""

    kind: Kind = "classification"
    x: Pixels | None = Field(None, description="Left edge of the bounding box.")
    y: Pixels | None = Field(None, description="Top edge.")
    w: Pixels | None = Field(None, description="Width.")
    h: Pixels | None = Field(None, description="Height.")
    shape: dict[str, Any] | None = Field(
        None,
        description="By kind: polygons, size and counts (mask), corners, points, or text. Where it "
        "is given, the bounding box may be left out.",
    )
    attributes: dict[str, Any] | None = None
    confidence: Share | None = Field(None, description="How sure the person is.")
    track_id: Track | None = Field(None, description="The same thing over frames.")
    subject_id: Id | None = Field(None, description="Of a relation: object_id of its subject.")
    target_id: Id | None = Field(None, description="Of a relation: object_id of its target.")


class NewLabel(Geometry):
    """Something that is said of a media."""

    class_: Name = Field(alias="class", description="Name of a class in use.")


class NewLabels(Body):
    """What a person says of a media, all or nothing."""

    actor: Actor
    labels: list[NewLabel] = Field(min_length=1, max_length=5000)
    ontology: Name | None = Field(None, description="Where several have a class of that name.")
    task_id: Id | None = Field(None, description="The task, leased to the person, that it answers.")


class LabelIds(Resource):
    """The labels that were written, or were there already, in the order given."""

    label_ids: list[int]


class SaidLabel(Resource):
    """A label in a state."""

    label_id: int = Field(description="Identity of this state.")
    object_id: int = Field(description="Identity of the labelled thing across edits.")
    media_id: int
    class_: str = Field(alias="class")
    kind: str
    x: float | None = None
    y: float | None = None
    w: float | None = None
    h: float | None = None
    shape: dict[str, Any] | None = None
    attributes: dict[str, Any] | None = None
    confidence: float | None = None
    track_id: int | None = None
    subject_id: int | None = None
    target_id: int | None = None
    origin: str = Field(description="human, import, consensus, model or propagated.")
    actor: str = Field(description="Who said it.")
    created_at: datetime
    is_live: bool


class LabelList(Resource):
    """What is said of a media now, oldest first."""

    items: list[SaidLabel]


class LabelChanges(Geometry):
    """What is to be otherwise: keys that are not given stay, null takes one away."""

    kind: Kind | None = None  # type: ignore[assignment]
    class_: Annotated[Name | None, Field(alias="class")] = None


class LabelEdit(Body):
    """A change of a label as one saw it."""

    actor: Actor
    changes: LabelChanges
    reason: Text | None = Field(None, description="Why, for a person.")
    role: Role = "annotator"


class LabelState(Resource):
    """The label's new state."""

    label_id: int


class RemoveQuery(Query):
    """Who takes a label back, and why."""

    actor: Actor
    reason: Text | None = Field(None, description="Why, for a person.")
    role: Role = "annotator"


class RemovedLabel(Resource):
    """The state that was closed."""

    label_id: int


class StateOfLabel(Resource):
    """A state of a label, and how it ended."""

    label: SaidLabel
    rev_from: int
    rev_to: int | None
    closed_by: str | None = Field(description="Who changed or removed it.")
    reason: str | None
    closed_at: datetime | None
    changed: list[str] = Field(description="What differs after: class, box, ..., or removed.")


class LabelHistory(Resource):
    """Every state of a label, oldest first."""

    items: list[StateOfLabel]


@routes.get(f"/media/<{ID}:media_id>/labels")
@operation("labelling", LabelList, 404)
def list_labels(media_id: int) -> LabelList:
    """List what is said of a media now, all kinds of label."""
    return LabelList.model_validate({"items": read(label_edits.labels_of, media_id)})


@routes.post(f"/media/<{ID}:media_id>/labels")
@operation("labelling", LabelIds, 400, 403, 404, 409, 413, 415)
def add_labels(media_id: int, json: NewLabels) -> LabelIds:
    """Write what a person says of a media, all or nothing."""
    given = [each.model_dump(by_alias=True, exclude_unset=True) for each in json.labels]
    found = write(
        ANNOTATOR,
        label_edits.add,
        media_id,
        json.actor,
        given,
        ontology=json.ontology,
        task_id=json.task_id,
    )
    return LabelIds(label_ids=found)


@routes.patch(f"/labels/<{ID}:label_id>")
@operation("labelling", LabelState, 400, 403, 404, 409, 413, 415)
def edit_label(label_id: int, json: LabelEdit) -> LabelState:
    """Change a label as one saw it; where it was changed since, 409 shows both versions."""
    changes = json.changes.model_dump(by_alias=True, exclude_unset=True)
    found = write(_ROLES[json.role], label_edits.edit, label_id, json.actor, changes, json.reason)
    return LabelState(label_id=found)


@routes.delete(f"/labels/<{ID}:label_id>")
@operation("labelling", RemovedLabel, 403, 404, 409)
def remove_label(label_id: int, query: RemoveQuery) -> RemovedLabel:
    """Take a label back as one saw it; what it said stays in the history."""
    write(_ROLES[query.role], label_edits.remove, label_id, query.actor, query.reason)
    return RemovedLabel(label_id=label_id)


@routes.get(f"/labels/<{ID}:label_id>/history")
@operation("labelling", LabelHistory, 404)
def label_history(label_id: int) -> LabelHistory:
    """List every state of a label: who said it, who changed it, when and why."""
    return LabelHistory.model_validate({"items": read(label_edits.history, label_id)})
