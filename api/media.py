"""Media: lists, one with all that is known of it, and those like it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint
from pydantic import Field

from smartdb.media import State, encoders, find_media, media_page, similar_media

from . import cursors
from .database import read
from .fields import Name, PageQuery, Query, Resource
from .spec import ID, operation

routes = Blueprint("media", __name__, url_prefix="/v1")


class MediaItem(Resource):
    """A media in a list. Its picture is at `/v1/media/{media_id}/image` and `/thumbnail`."""

    media_id: int
    source: str | None = Field(description="The source it was found in first.")
    kind: str = Field(description="image, video or frame.")
    mime: str = Field(description="Type of the file by its content.")
    n_bytes: int
    width: int = Field(description="Pixels, upright.")
    height: int = Field(description="Pixels, upright.")
    sha256: str = Field(description="Of the file, in hexadecimal.")
    created_at: datetime
    class_: str | None = Field(alias="class", description="The class it counts as now.")
    class_origin: str | None = Field(description="consensus, human or import.")
    n_issues: int = Field(description="Open suspicions about its labels.")


class MediaPage(Resource):
    """A page of media, by id."""

    items: list[MediaItem]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class MediaQuery(PageQuery):
    """Which media."""

    class_: Name | None = Field(None, alias="class", description="Media that count as this class.")
    source: Name | None = Field(None, description="Media that lie in this source.")
    label_state: State | None = Field(
        None,
        description="labelled: has a class. unlabelled: has none. reviewed: has a label that a "
        "reviewer accepted or wrote. suspected: has a label under suspicion.",
    )


class Location(Resource):
    """A place where the bytes of a media lie."""

    source: str
    uri: str
    n_bytes: int
    modified_at: datetime


class Label(Resource):
    """A label as it is now; boxes in pixels of the upright picture."""

    label_id: int
    object_id: int
    class_: str | None = Field(alias="class")
    kind: str
    x: float | None
    y: float | None
    w: float | None
    h: float | None
    shape: Any
    attributes: Any
    origin: str = Field(description="human, import, consensus, model or propagated.")
    actor: str | None
    confidence: float | None
    review_state: str = Field(description="unreviewed, accepted or corrected.")
    created_at: datetime


class Issue(Resource):
    """An open suspicion about a label."""

    issue_id: int
    label_id: int | None = Field(description="Null where a label is missing (overlooked).")
    kind: str
    score: float
    class_: str | None = Field(alias="class")
    suggested_class: str | None
    suggestion: dict[str, Any] | None = Field(description="Where and how it would be put.")


class Finding(Resource):
    """What a check found and nobody has settled."""

    finding_id: int
    kind: str
    score: float | None
    region: list[float] | None = Field(description="x, y, width, height; null: the whole picture.")


class MediaPrediction(Resource):
    """What a run predicted for the media."""

    run_id: int
    split: str | None
    class_: str | None = Field(alias="class", description="What it was judged against.")
    predicted_class: str
    is_correct: bool | None
    confidence: float
    margin: float
    entropy: float


class Media(Resource):
    """A media with all that is known of it, but for its EXIF."""

    media_id: int
    source: str | None
    kind: str
    mime: str
    n_bytes: int
    width: int
    height: int
    sha256: str
    created_at: datetime
    captured_at: datetime | None
    group_key: str | None
    parent_media_id: int | None
    frame_index: int | None
    attributes: Any
    run_id: int = Field(description="The ingest run that added it.")
    brightness: float | None
    contrast: float | None
    sharpness: float | None
    entropy: float | None
    colourfulness: float | None
    class_: str | None = Field(alias="class", description="The class it counts as now.")
    class_origin: str | None
    locations: list[Location]
    labels: list[Label]
    issues: list[Issue]
    findings: list[Finding]
    predictions: list[MediaPrediction] = Field(description="Of the latest ten runs.")


class SimilarQuery(Query):
    """How to search."""

    encoder: Name | None = Field(None, description="May be left out where there is only one.")
    k: int = Field(10, ge=1, le=200, description="How many.")
    source: Name | None = Field(None, description="Only media that lie in this source.")
    class_: Name | None = Field(None, alias="class", description="Only media of this class.")


class SimilarItem(Resource):
    """A media and how far it is."""

    media_id: int
    distance: float = Field(description="Cosine distance, 0 to 2.")
    source: str | None
    kind: str
    mime: str
    width: int
    height: int
    class_: str | None = Field(alias="class")


class Similar(Resource):
    """The nearest media, nearest first."""

    encoder: str
    items: list[SimilarItem]


class Encoder(Resource):
    """What made vectors."""

    encoder_id: int
    name: str
    dim: int
    weights_sha256: str | None
    created_at: datetime


class Encoders(Resource):
    """The encoders, by name."""

    items: list[Encoder]


@routes.get("/media")
@operation("media", MediaPage)
def list_media(query: MediaQuery) -> MediaPage:
    """List media, by id, filtered."""
    (after,) = cursors.start(query, int)
    rows = read(
        media_page,
        after=after,
        limit=query.limit + 1,
        source=query.source,
        class_=query.class_,
        state=query.label_state,
    )
    items, following = cursors.page(rows, query, "media_id")
    return MediaPage.model_validate({"items": items, "next": following})


@routes.get(f"/media/<{ID}:media_id>")
@operation("media", Media, 404)
def get_media(media_id: int) -> Media:
    """One media with labels, suspicions, findings and predictions."""
    return Media.model_validate(read(find_media, media_id))


@routes.get(f"/media/<{ID}:media_id>/similar")
@operation("media", Similar, 404)
def list_similar(media_id: int, query: SimilarQuery) -> Similar:
    """The media nearest to one by an encoder."""
    encoder, rows = read(
        similar_media,
        media_id,
        encoder=query.encoder,
        k=query.k,
        source=query.source,
        class_=query.class_,
    )
    return Similar.model_validate({"encoder": encoder, "items": rows})


@routes.get("/encoders")
@operation("media", Encoders)
def list_encoders() -> Encoders:
    """The encoders that media can be compared by."""
    return Encoders.model_validate({"items": read(encoders)})
