"""The pictures themselves: the file, the picture for display, and thumbnails.

Where a file lies is only ever taken from the database, and what is sent has the SHA-256 that it
had when it was ingested. Files are read and decoded outside any transaction.
"""

from __future__ import annotations

import io

from flask import Blueprint, Response, request
from pydantic import Field
from werkzeug.http import quote_etag

from smartdb.contents import Content, find, load_rgb, read_bytes
from smartdb.errors import InvalidInput
from smartdb.thumbnails import cached_thumbnail

from .database import read
from .fields import Query
from .spec import ID, operation

routes = Blueprint("images", __name__, url_prefix="/v1")

DISPLAYABLE = 64_000_000
"""Pixels of the largest picture that is decoded for display: about 200 MB of memory."""

SHOWN_BY_BROWSERS = tuple(f"image/{n}" for n in ("jpeg", "png", "gif", "webp", "avif", "bmp"))
UNNAMED = "application/octet-stream"


class ThumbnailQuery(Query):
    """Which thumbnail."""

    size: int = Field(256, ge=16, le=1024, description="Pixels of the longer side, at most.")


@routes.get(f"/media/<{ID}:media_id>/file")
@operation("media", None, 304, 404, 416, media_types=(*SHOWN_BY_BROWSERS, UNNAMED))
def get_file(media_id: int) -> Response:
    """The file as it was ingested, byte for byte, with whatever metadata it holds.

    Ranges and conditional requests are answered; the ETag is the SHA-256.
    """
    content = read(find, media_id)
    tag = content.sha256.hex()
    if _is_known(tag):
        return _unchanged(tag)
    mime = content.mime if content.mime in SHOWN_BY_BROWSERS else UNNAMED
    return _bytes(read_bytes(content), mime, tag)


@routes.get(f"/media/<{ID}:media_id>/image")
@operation("media", None, 304, 404, media_types=("image/jpeg", "image/png"))
def get_image(media_id: int) -> Response:
    """The picture for display: upright, in RGB, without metadata, in full size.

    A JPEG where the file is one, else a PNG. The boxes of labels are in its pixels.
    """
    content = read(find, media_id)
    tag = f"image-{content.sha256.hex()}"
    if _is_known(tag):
        return _unchanged(tag)
    return _bytes(*_displayed(content), tag)


@routes.get(f"/media/<{ID}:media_id>/thumbnail")
@operation("media", None, 304, 404, media_types=("image/jpeg",))
def get_thumbnail(media_id: int, query: ThumbnailQuery) -> Response:
    """A small upright JPEG without metadata."""
    content = read(find, media_id)
    tag = f"thumbnail-{query.size}-{content.sha256.hex()}"
    if _is_known(tag):
        return _unchanged(tag)
    return _bytes(cached_thumbnail(content, query.size), "image/jpeg", tag)


def _displayed(content: Content) -> tuple[bytes, str]:
    """The picture encoded anew from its pixels, and its type."""
    if content.width * content.height > DISPLAYABLE:
        raise InvalidInput(
            f"media {content.media_id} is too large to display "
            f"({content.width} x {content.height} pixels); ask for its thumbnail, or its file"
        )
    picture = load_rgb(content)
    picture.info.clear()
    buffer = io.BytesIO()
    if content.mime == "image/jpeg":
        picture.save(buffer, "JPEG", quality=92, subsampling=0)
        return buffer.getvalue(), "image/jpeg"
    picture.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue(), "image/png"


def _is_known(tag: str) -> bool:
    return request.if_none_match.contains_weak(tag)


def _unchanged(tag: str) -> Response:
    return _private(Response(status=304), tag)


def _bytes(data: bytes, mime: str, tag: str) -> Response:
    response = _private(Response(data, mimetype=mime), tag)
    response.make_conditional(request, accept_ranges=True, complete_length=len(data))
    return response


def _private(response: Response, tag: str) -> Response:
    """Lets the browser keep it, and ask each time whether it may still show it."""
    response.headers["ETag"] = quote_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
