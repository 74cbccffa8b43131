"""Tracks: the same thing over the frames of a video, labelled at key frames, moved in between.

A label on a frame with a ``track_id`` is a key frame. Between two of them boxes, rotated boxes,
keypoints and polylines move in straight lines by number of frame (as CVAT does); polygons and masks
stay as they were. A track that ends at a frame is not seen from there until its next label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import translated
from smartdb.statements import statement


@dataclass(frozen=True)
class Place:
    """Where a tracked thing is in a frame: (x, y, w, h) in pixels, and its shape if it has one.

    ``label_id`` is the key frame at or before, ``next_label_id`` the one it moves towards.
    """

    frame_index: int
    track_id: int
    class_name: str
    kind: str
    box: tuple[float, float, float, float]
    shape: dict[str, Any] | None
    is_key: bool
    label_id: int
    next_label_id: int | None


def at(conn: psycopg.Connection[Any], video_id: int, frame_index: int) -> list[Place]:
    """Where the tracked things of a video are in one frame; empty where none is seen."""
    return between(conn, video_id, frame_index, frame_index)


def between(
    conn: psycopg.Connection[Any],
    video_id: int,
    first: int,
    last: int,
    track_id: int | None = None,
) -> list[Place]:
    """Where the tracked things (or one) are in each frame of a range, both ends included."""
    values = {"video": video_id, "first": first, "last": last, "track": track_id}
    return [
        Place(frame, track, name, kind, (x, y, w, h), *more)
        for frame, track, name, kind, x, y, w, h, *more in _rows(conn, "tracks_between", values)
    ]


def end(conn: psycopg.Connection[Any], frame_id: int, actor: str, track_id: int) -> None:
    """Says that from a frame (a media) on the thing is not seen. Caller commits.

    NotFound for no such media or track, InvalidInput for a frame that has a label of the track.
    """
    _rows(conn, "end_track", {"frame": frame_id, "actor": actor, "track": track_id})


def resume(conn: psycopg.Connection[Any], frame_id: int, track_id: int) -> bool:
    """Takes back that a track ends at a frame; whether that had been said. Caller commits."""
    return bool(_rows(conn, "resume_track", {"frame": frame_id, "track": track_id})[0][0])


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("label_edits", name), values).fetchall()
