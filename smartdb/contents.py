"""Contents: the one way to the bytes and the pixels of a media, wherever it lies.

`find` asks the database for what is needed, in a moment; `read_bytes` and `load_rgb` then read
without it. What they give has the SHA-256 of the media, so no other picture ever passes for it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from smartdb import images, stores, walk
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.statements import statement

if TYPE_CHECKING:
    from PIL import Image

PICTURES = ("image", "frame")
"""Kinds of media that have one picture."""

REASONS = ("missing", "changed", "unreadable", "no_place")
"""Why bytes cannot be had (``reason`` of the NotFound): there is no such file any more, it holds
other bytes, the file system or the store says no, nothing says where they lie."""

_REMOTE_VIDEOS = 2  # that are kept in memory, since their frames are asked for one after another


@dataclass(frozen=True)
class Content:
    """A media and its places, as URIs in the order to try them; a frame's are its video's."""

    media_id: int
    kind: str
    sha256: bytes
    mime: str
    width: int
    height: int
    places: tuple[str, ...]
    frame_index: int | None = None
    pts: float | None = None
    parent: Content | None = None
    """Of a frame, the video."""


def find(conn: psycopg.Connection[Any], media_id: int) -> Content:
    """What is known of where a media lies; NotFound if there is none, or none this role may see."""
    found = find_all(conn, [media_id])
    if not found:
        raise NotFound(f"no media {media_id}")
    return found[0]


def find_all(conn: psycopg.Connection[Any], media_ids: Iterable[int]) -> list[Content]:
    """Those of the media that this role may see, by id."""
    values = {"media_ids": [int(media_id) for media_id in media_ids]}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return [_content(*row) for row in cursor.execute(statement("contents", "find"), values)]


def pages(
    conn: psycopg.Connection[Any], query: sql.SQL | sql.Composed, values: Mapping[str, Any]
) -> Iterator[tuple[tuple[Any, ...], Content | None]]:
    """Rows of a query with their contents, page by page; no transaction stays open in between.

    A row begins with its media_id, and the query gives those above ``after``, in order. None
    stands for a content that cannot be found, as one that is hidden.
    """
    after = 0
    while True:
        with translated(), conn.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(query, {**values, "after": after}).fetchall()
        found = {each.media_id: each for each in find_all(conn, [row[0] for row in rows])}
        conn.commit()
        if not rows:
            return
        yield from ((row, found.get(row[0])) for row in rows)
        after = rows[-1][0]


def find_pictures(
    conn: psycopg.Connection[Any], media_ids: Iterable[int] | None = None
) -> list[Content]:
    """Images and frames by id, all or those asked for; NotFound names the ones that are not."""
    if media_ids is None:
        with translated(), conn.cursor(row_factory=tuple_row) as cursor:
            media_ids = [i for (i,) in cursor.execute(statement("contents", "pictures"))]
    wanted = {int(media_id) for media_id in media_ids}
    found = [content for content in find_all(conn, wanted) if content.kind in PICTURES]
    missing = wanted - {content.media_id for content in found}
    if missing:
        raise NotFound(f"no image with these ids: {', '.join(map(str, sorted(missing)[:5]))}")
    return found


def read_bytes(content: Content) -> bytes:
    """The bytes from the first place that still has them; NotFound if there is none.

    InvalidInput for a frame, which has no file of its own.
    """
    if content.kind == "frame":
        raise InvalidInput(
            f"media {content.media_id} is a frame and has no file; ask for its image, or for the "
            f"file of its video{f', media {content.parent.media_id}' if content.parent else ''}"
        )
    error = _no_place(content)
    for uri in content.places:
        try:
            data = stores.read(uri)
            if hashlib.sha256(data).digest() == content.sha256:
                return data
            error = _changed(uri)
        except NotFound as failed:
            error = failed
    raise error


def load_rgb(content: Content, *, at_least: int | None = None) -> Image.Image:
    """The picture upright and in RGB, see `images.load_rgb`; of a frame, decoded from its video.

    NotFound if no place has the bytes any more, InvalidInput for a video and for what
    cannot be decoded.
    """
    if content.kind == "video":
        raise InvalidInput(f"media {content.media_id} is a video; ask for one of its frames")
    if content.kind == "image":
        return images.load_rgb(read_bytes(content), at_least=at_least)
    if content.parent is None or content.frame_index is None or content.pts is None:
        raise _no_place(content)
    videos = import_module("smartdb.videos")  # with PyAV, so only for videos
    picture: Image.Image = videos.load_frame(
        open_video(content.parent), content.frame_index, content.pts
    )
    return picture


def load_poster(content: Content, *, at_least: int | None = None) -> Image.Image:
    """What stands for a media: its picture, or the frame near a tenth of a video."""
    if content.kind != "video":
        return load_rgb(content, at_least=at_least)
    videos = import_module("smartdb.videos")
    picture: Image.Image = videos.poster(open_video(content))
    return picture


def shown(uri: str) -> str:
    """A place for people: the path of a local file, else the URI."""
    return walk.shown(walk.path_of(uri)) if stores.is_local(uri) else uri


def _content(
    media_id: int, kind: str, sha256: bytes, mime: str, width: int, height: int,
    frame_index: int | None, pts: float | None, places: list[str], video_id: int | None,
    video_sha256: bytes, video_mime: str, video_width: int, video_height: int,
) -> Content:  # fmt: skip
    parent = None
    if video_id is not None:
        parent = Content(
            video_id, "video", video_sha256, video_mime, video_width, video_height, tuple(places)
        )
    at = tuple(places) if kind != "frame" or parent else ()
    return Content(media_id, kind, sha256, mime, width, height, at, frame_index, pts, parent)


def open_video(video: Content) -> bytes | Path:
    """The first place that still has the video.

    A local one comes as its path, so that no more of it is read than a frame needs; others are
    read whole and kept for the next frame.
    """
    error = _no_place(video)
    for uri in filter(stores.is_local, video.places):
        try:
            path = _path(uri)
            if _sha256(path, path.stat()) == video.sha256:
                return path
            error = _changed(uri)
        except OSError as failed:
            error = NotFound(f"cannot read {shown(uri)}: {failed.strerror}")
    if all(map(stores.is_local, video.places)):
        raise error
    elsewhere = tuple(uri for uri in video.places if not stores.is_local(uri))
    return _remote_video(replace(video, places=elsewhere))


def _sha256(path: Path, state: os.stat_result) -> bytes:
    """Of a file as it is: worked out once for all the frames of a video."""
    return _hashed(path, (state.st_size, state.st_mtime_ns, state.st_ino))


@lru_cache(maxsize=4096)
def _hashed(path: Path, _: tuple[int, ...]) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


_remote_video = lru_cache(maxsize=_REMOTE_VIDEOS)(read_bytes)


def _path(uri: str) -> Path:
    return Path(os.fsdecode(walk.path_of(uri)))


def _no_place(content: Content) -> NotFound:
    return NotFound(
        f"nothing says where the bytes of media {content.media_id} lie", reason="no_place"
    )


def _changed(uri: str) -> NotFound:
    return NotFound(
        f"{shown(uri)} has changed since it was ingested; ingest its folder again",
        reason="changed",
    )
