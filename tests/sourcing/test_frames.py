"""Frames of videos as media of their own."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import choices, contents, duplicates, embeddings, encoders, neighbours, terms, videos
from smartdb.database import connect
from smartdb.errors import InvalidInput, NotFound
from smartdb.frames import extract as extract_frames
from smartdb.ingest import ingest
from smartdb.sanitise import sanitise

from .drawn_clips import write_clip

pytest.importorskip("av")

Connection = psycopg.Connection[Any]

extract = partial(extract_frames, workers=1)

SCRIPT = """
import sys
from smartdb.choices import every
from smartdb.database import connect
from smartdb.frames import extract

with connect(sys.argv[1]) as conn:
    print("started", flush=True)
    extract(conn, every(0.2), workers=1, progress=lambda n: print(n, flush=True))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips of 2 s with a key frame each half second, and a file that is no video."""
    (tmp_path / "clips").mkdir()
    for seed, name in enumerate(("a.mp4", "b c#1.mkv")):
        write_clip(tmp_path / "clips" / name, options={"g": "5", "sc_threshold": "0"}, seed=seed)
    (tmp_path / "clips" / "bad.mp4").write_bytes(b"not a video")
    return tmp_path / "clips"


@pytest.fixture
def taken(conn: Connection, folder: Path) -> Connection:
    """A connection to a database that knows the clips."""
    assert ingest(conn, folder, workers=1)["added"] == 2
    return conn


def _rows(conn: Connection, query: str) -> list[Any]:
    return [tuple(row) for row in conn.execute(query).fetchall()]


FRAMES = """
    select v.uri, f.frame_index, round(f.pts::numeric, 3)::float8 from smartdb.media as f
    join smartdb.media as v on v.media_id = f.parent_media_id where f.kind = 'frame' order by 1, 2
"""


def test_ingest_records_videos_and_refuses_what_is_none(taken: Connection, folder: Path) -> None:
    found = _rows(
        taken, "select kind, mime, n_frames, fps, duration from smartdb.media order by mime"
    )
    assert found == [("video", "video/mp4", 20, 10, 2), ("video", "video/x-matroska", 20, 10, 2)]
    assert _rows(taken, "select reason from smartdb.quarantine") == [("not_a_video",)]
    assert ingest(taken, folder)["read"] == 0


def test_a_video_under_the_name_of_an_image_is_a_video(conn: Connection, tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4").rename(tmp_path / "clip.jpg")
    assert ingest(conn, tmp_path)["added"] == 1
    assert _rows(conn, "select kind from smartdb.media") == [("video",)]


def test_frames_at_an_interval_are_media_of_their_own(taken: Connection) -> None:
    counts = extract(taken, choices.every(0.5))
    assert counts == {"videos": 2, "known": 0, "refused": 0, "added": 8, "same": 0}
    found = _rows(taken, FRAMES)
    assert [row[1:] for row in found[:4]] == [(0, 0), (5, 0.5), (10, 1), (15, 1.5)]
    assert _rows(taken, "select distinct recipe from core.media where kind = 'frame'") == [
        ({"step": "frame", "by": "interval", "seconds": 0.5},)
    ]


def test_a_frame_is_named_by_its_video_and_lies_where_it_does(taken: Connection) -> None:
    extract(taken, choices.key_frames())
    rows = taken.execute(
        """
        select f.sha256, v.sha256, f.frame_index, l.uri, k.uri, q.media_id is not null,
            encode(sha256('frame'::bytea || v.sha256 || int8send(f.frame_index)), 'hex')
        from core.media as f join core.media as v on v.media_id = f.parent_media_id
        join core.media_location as l on l.media_id = f.media_id
        join core.media_location as k on k.media_id = v.media_id
        left join core.quality as q on q.media_id = f.media_id"""
    ).fetchall()
    assert len(rows) == 8
    for frame, video, index, uri, video_uri, has_quality, in_sql in rows:
        assert frame == videos.frame_sha256(video, index) == bytes.fromhex(in_sql)
        assert uri == f"{video_uri}#frame={index}"
        assert has_quality


def test_a_second_run_decodes_nothing(taken: Connection) -> None:
    extract(taken, choices.every(0.5))
    again = extract(taken, choices.every(0.5))
    assert again == {"videos": 0, "known": 2, "refused": 0, "added": 0, "same": 0}


def test_another_choice_adds_only_what_is_not_there(taken: Connection) -> None:
    extract(taken, choices.every(0.5))
    both = extract(taken, choices.every(0.2))
    assert (both["added"], both["same"]) == (16, 4)
    assert extract(taken, choices.key_frames())["added"] == 0


def test_only_new_videos_are_decoded(taken: Connection, folder: Path) -> None:
    extract(taken, choices.every(1))
    write_clip(folder / "new.mp4", seed=9)
    ingest(taken, folder)
    counts = extract(taken, choices.every(1))
    assert (counts["videos"], counts["known"], counts["added"]) == (1, 2, 2)


def test_frames_of_a_video_stay_on_one_side_of_a_split(taken: Connection) -> None:
    extract(taken, choices.every(0.2))
    groups = _rows(
        taken,
        "select count(distinct split_group) from smartdb.split_group as g join smartdb.media as m"
        " using (media_id) where m.kind = 'frame' group by m.parent_media_id",
    )
    assert groups == [(1,), (1,)]


def test_a_video_that_is_gone_is_refused_and_tried_again(
    taken: Connection, folder: Path, tmp_path: Path
) -> None:
    (folder / "a.mp4").rename(tmp_path / "a.mp4")
    counts = extract(taken, choices.every(1))
    assert (counts["videos"], counts["refused"]) == (1, 1)
    refused = "select reason from smartdb.quarantine where uri like '%/a.mp4'"
    assert _rows(taken, refused) == [("missing",)]
    (tmp_path / "a.mp4").rename(folder / "a.mp4")
    assert extract(taken, choices.every(1))["videos"] == 1
    assert _rows(taken, refused) == []


def test_without_a_video_there_is_an_error(conn: Connection, taken: Connection) -> None:
    with pytest.raises(NotFound, match="no video in source 'other'"):
        extract(taken, choices.every(1), source="other")


def test_a_scene_begins_where_the_picture_changes(conn: Connection, tmp_path: Path) -> None:
    _write_scenes(tmp_path / "scenes.mp4")
    ingest(conn, tmp_path)
    extract(conn, choices.scenes())
    assert _rows(conn, "select frame_index from core.media where kind = 'frame' order by 1") == [
        (0,), (8,), (16,),
    ]  # fmt: skip


def _write_scenes(path: Path) -> None:
    import av

    rng = np.random.default_rng(3)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            scene = rng.integers(0, 256, (6, 8, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
            for i in range(8):
                moved = np.roll(scene, i // 4, axis=1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    "make",
    [
        lambda: choices.every(0),
        lambda: choices.every(float("nan")),
        lambda: choices.scenes(1.0),
        lambda: choices.duration("soon"),
    ],
)
def test_a_choice_that_is_none_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(InvalidInput):
        make()


def test_vectors_and_duplicates_come_from_frames(taken: Connection, folder: Path) -> None:
    """A third clip, of which the video is another but the pictures nearly the same."""
    write_clip(folder / "again.mp4", options={"crf": "35"}, seed=0)
    for seed in range(2, 8):
        write_clip(folder / f"other{seed}.mp4", ticks=range(3), seed=seed)
    ingest(taken, folder)
    extract(taken, choices.every(1))
    encoder = encoders.load("descriptor")
    counts = embeddings.embed(taken, encoder)
    assert (counts["added"], counts["corrupt"], counts["missing"]) == (12, 0, 0)
    neighbours.build(taken, encoder.name, 5)
    duplicates.group(taken, encoder.name)
    pairs = _rows(
        taken,
        """select distinct reverse(split_part(reverse(v.uri), '/', 1))
        from smartdb.duplicate_group as d join smartdb.media as f using (media_id)
        join smartdb.media as v on v.media_id = f.parent_media_id order by 1""",
    )
    assert ("a.mp4",) in pairs
    assert ("again.mp4",) in pairs


def test_the_picture_of_a_frame_is_that_of_its_video(taken: Connection, folder: Path) -> None:
    extract(taken, choices.every(0.5))
    row = taken.execute(
        "select media_id, frame_index, pts from smartdb.media where uri like '%a.mp4#frame=15'"
    ).fetchone()
    assert row is not None
    expected = videos.load_frame(folder / "a.mp4", row[1], row[2])
    found = contents.load_rgb(contents.find(taken, row[0]))
    assert np.array_equal(np.asarray(found), np.asarray(expected))


def test_a_killed_run_is_continued(database: str, folder: Path) -> None:
    for seed in range(10, 22):
        write_clip(folder / f"{seed}.mp4", range(4), seed=seed)
    with connect(database) as conn:
        ingest(conn, folder)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, database], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "2":
            pass
        process.kill()
    with connect(database) as conn:
        done = conn.execute("select count(*) from core.extraction").fetchone()
        assert done is not None
        assert 2 <= done[0] < 14
        counts = extract(conn, choices.every(0.2))
        assert counts["known"] == done[0]
        assert counts["videos"] == 14 - done[0]
        assert _rows(conn, "select count(*) from core.media where kind = 'frame'") == [(44,)]
        assert len(_rows(conn, FRAMES)) == 44
        assert _rows(conn, "select status from core.run where kind = 'frames' order by 1") == [
            ("failed",), ("succeeded",),
        ]  # fmt: skip


def test_the_command_makes_frames(cli: Callable[..., Any], folder: Path) -> None:
    assert cli("ingest", str(folder)).exit_code == 0
    result = cli("frames", "--every", "500ms", "--source", "clips")
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [
        "videos",
        "known",
        "refused",
        "added",
        "same",
        "2",
        "0",
        "0",
        "8",
        "0",
    ]
    assert cli("frames").exit_code == 2
    assert cli("frames", "--scenes", "--key-frames").exit_code == 2
    assert cli("frames", "--scenes").exit_code == 0


def test_a_video_has_a_thumbnail_and_a_strip(taken: Connection) -> None:
    from smartdb import previews, thumbnails

    media_id = _rows(taken, "select min(media_id) from smartdb.media")[0][0]
    small = thumbnails.cached_thumbnail(contents.find(taken, media_id), 32)
    assert Image.open(io.BytesIO(small)).size == (32, 24)
    strip = Image.open(io.BytesIO(previews.video(taken, media_id, 4)))
    assert strip.width == 4 * 168


def test_frames_are_not_counted_as_files_of_a_source(taken: Connection) -> None:
    extract(taken, choices.every(0.5))
    assert _rows(taken, "select n_files, n_media from smartdb.source_summary") == [(2, 2)]


def test_a_frame_with_a_forbidden_finding_is_replaced_by_a_clean_picture(
    taken: Connection, as_role: Callable[[str], Connection]
) -> None:
    extract(taken, choices.every(1.0))
    ((frame, video, source),) = taken.execute(
        "select m.media_id, m.parent_media_id, m.source from smartdb.media as m "
        "where m.kind = 'frame' order by m.media_id limit 1"
    ).fetchall()
    before = np.asarray(contents.load_rgb(contents.find(taken, frame)))
    taken.execute(
        "insert into core.finding (media_id, kind, region, run_id) "
        "values (%s, 'face', '{8,8,24,24}', 1)",
        [frame],
    )
    taken.commit()
    officer = as_role("smartdb_privacy")
    terms.set_source(officer, source, forbidden_finding=["face"])
    officer.commit()
    assert sanitise(officer, source, how="fill", workers=1)["cleaned"] == 1
    ((copy,),) = taken.execute("select media_id from smartdb.media where kind = 'image'").fetchall()
    shown = taken.execute("select media_id from smartdb.media").fetchall()
    assert not {(frame,), (video,)} & set(shown)
    after = np.asarray(contents.load_rgb(contents.find(taken, copy)))
    assert after.shape == before.shape
    assert np.ptp(after[10:30, 10:30], axis=(0, 1)).max() <= 8 < np.ptp(before[10:30, 10:30])
    assert np.abs(after[-8:].astype(int) - before[-8:]).mean() < 8
