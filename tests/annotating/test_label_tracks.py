"""Tracks over the frames of a video: key frames, what is between them, and where they end."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from smartdb import label_edits, ontology, tracks
from smartdb.errors import InvalidInput, NotFound

Conn = psycopg.Connection[Any]
VIDEO = 11
FRAMES = {12: 0, 13: 10, 14: 20, 15: 30}
BOX = {"class": "cat", "kind": "box", "y": 0, "h": 10, "track_id": 5}


@pytest.fixture
def film(owner: Conn, conn: Conn) -> Conn:
    """A video whose frames 0, 10, 20 and 30 are media 12 to 15."""
    owner.execute(
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
        " values (sha256('film'), 'video', 'video/mp4', 1, 100, 80, 1)"
    )
    owner.cursor().executemany(
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id,"
        " parent_media_id, frame_index, pts)"
        " values (sha256(%s::text::bytea), 'frame', 'image/x', 0, 100, 80, 1, 11, %s, %s)",
        [(n, n, n / 10) for n in FRAMES.values()],
    )
    owner.commit()
    ontology.create(conn, "pets", ["cat"])
    return conn


def test_a_box_moves_in_a_straight_line_between_key_frames_until_it_ends(film: Conn) -> None:
    label_edits.add(film, 12, "ana", [{**BOX, "x": 0, "w": 10}])
    label_edits.add(film, 13, "ana", [{**BOX, "x": 50, "w": 20}])
    tracks.end(film, 14, "ana", 5)
    label_edits.add(film, 15, "ana", [{**BOX, "x": 7, "w": 5}])
    (between,) = tracks.at(film, VIDEO, 4)
    assert (between.box, between.is_key) == ((20, 0, 14, 10), False)
    found = tracks.between(film, VIDEO, 0, 40)
    assert [p.frame_index for p in found] == [*range(20), 30]
    assert [p.frame_index for p in found if p.is_key] == [0, 10, 30]
    assert {p.box for p in found if 10 <= p.frame_index < 20} == {(50, 0, 20, 10)}
    assert tracks.resume(film, 14, 5)
    assert not tracks.resume(film, 14, 5)
    assert tracks.at(film, VIDEO, 20)[0].box == (28.5, 0, 12.5, 10)


def test_keypoints_move_but_those_not_labelled_stay(film: Conn) -> None:
    for frame, points in (
        (12, [[0, 0, 2], [4, 4, 2], [0, 0, 0]]),
        (13, [[10, 20, 1], [0, 0, 0], [9, 9, 2]]),
    ):
        shape = {"points": points}
        label = {"class": "cat", "kind": "keypoints", "track_id": 8, "shape": shape}
        label_edits.add(film, frame, "ana", [label])
    (place,) = tracks.at(film, VIDEO, 5)
    assert place.shape == {"points": [[5, 10, 2], [4, 4, 2], [0, 0, 0]]}


def test_frames_of_a_file_are_not_filled_in_and_a_person_counts_before_it(film: Conn) -> None:
    film.execute("insert into core.actor (name, kind) values ('file', 'import')")
    film.execute(
        "insert into core.label (media_id, class_id, kind, x, y, w, h, track_id, origin, actor_id)"
        " select m, c.class_id, 'box', m, 0, 5, 5, 3, 'import', a.actor_id"
        " from core.class as c, core.actor as a, unnest('{12,13}'::bigint[]) as m"
        " where a.name = 'file'"
    )
    assert [p.frame_index for p in tracks.between(film, VIDEO, 0, 99)] == [0, 10]
    label_edits.add(film, 12, "ana", [{**BOX, "x": 40, "w": 5, "track_id": 3}])
    assert tracks.at(film, VIDEO, 0)[0].box[0] == 40


def test_a_track_ends_only_at_a_frame_that_does_not_show_it(film: Conn) -> None:
    label_edits.add(film, 12, "ana", [{**BOX, "x": 0, "w": 10}])
    for kind, match, frame, track in (
        (InvalidInput, "frame 12 has a label of track 5", 12, 5),
        (InvalidInput, "media 1 is no frame of a video", 1, 5),
        (NotFound, "the video of frame 13 has no track 6", 13, 6),
        (NotFound, "no media 99", 99, 5),
    ):
        with pytest.raises(kind, match=match), film.transaction():
            tracks.end(film, frame, "ana", track)
