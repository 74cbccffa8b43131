"""The one way to the bytes and the pixels of a media."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from PIL import Image
from psycopg import sql

from smartdb import contents, embeddings, encoders, previews
from smartdb.contents import Content
from smartdb.errors import InvalidInput, NotFound
from smartdb.statements import statement

Connection = psycopg.Connection[Any]
Frame = tuple[bytes | Path, int, float]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    Image.new("RGB", (40, 30), (200, 10, 10)).save(tmp_path / "red.png")
    return tmp_path / "red.png"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """What frames were decoded, by a stand-in for the reader of videos."""
    asked: list[Frame] = []

    def load_frame(file: bytes | Path, frame_index: int, pts: float) -> Image.Image:
        asked.append((file, frame_index, pts))
        return Image.linear_gradient("L").convert("RGB")

    module = ModuleType("smartdb.videos")
    module.load_frame = load_frame  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "smartdb.videos", module)
    return asked


@pytest.fixture
def put(owner: Connection) -> Callable[..., int]:
    """A function that adds a media by a file, with its places, or a frame of one."""
    owner.execute("insert into core.run (kind, code_version) values ('test', '0')")
    owner.execute("insert into core.source (name, uri) values ('s', 'file:///s')")

    def add(kind: str, data: bytes, *places: str, parent: int | None = None) -> int:
        row = owner.execute(
            """
            insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id,
                parent_media_id, frame_index, pts)
            values (%s, %s, 'x/y', 1, 40, 30, 1, %s, %s, %s) returning media_id""",
            [hashlib.sha256(data).digest(), kind, parent,
             *((7, 0.25) if parent else (None, None))],
        ).fetchone()  # fmt: skip
        assert row is not None
        for uri in places:
            owner.execute(
                "insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)"
                " values (%s, 1, %s, 1, now())",
                [row[0], uri],
            )
        owner.commit()
        return int(row[0])

    return add


def test_the_bytes_come_from_the_first_place_that_still_has_them(
    conn: Connection, put: Callable[..., int], image: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.png").write_bytes(b"other")
    places = [tmp_path / "gone.png", tmp_path / "other.png", image]
    media_id = put("image", image.read_bytes(), *(path.as_uri() for path in places))
    content = contents.find(conn, media_id)
    assert contents.read_bytes(content) == image.read_bytes()
    assert contents.load_rgb(content).getpixel((3, 3)) == (200, 10, 10)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("gone.png", "missing"), ("red.png", "changed"), (".", "unreadable"), (None, "no_place")],
)
def test_bytes_that_cannot_be_had_say_why(
    conn: Connection, put: Callable[..., int], image: Path, name: str | None, reason: str
) -> None:
    media_id = put("image", b"some", *([(image.parent / name).as_uri()] if name else []))
    with pytest.raises(NotFound) as raised:
        contents.read_bytes(contents.find(conn, media_id))
    assert raised.value.reason == reason


def test_places_that_are_missing_come_last_and_managed_ones_first(
    conn: Connection, owner: Connection, put: Callable[..., int]
) -> None:
    media_id = put("image", b"some", "file:///a", "file:///b", "file:///c")
    owner.execute("update core.media_location set missing_at = now() where uri = 'file:///a'")
    owner.execute("update core.media_location set is_managed = true where uri = 'file:///c'")
    owner.commit()
    assert contents.find(conn, media_id).places == ("file:///c", "file:///b", "file:///a")


def test_a_frame_is_decoded_from_its_video(
    conn: Connection, put: Callable[..., int], tmp_path: Path, decoded: list[Frame]
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"video")
    video = put("video", b"video", (tmp_path / "clip.mp4").as_uri())
    frame = contents.find(conn, put("frame", b"frame", parent=video))
    assert contents.load_rgb(frame).size == (256, 256)
    assert decoded == [(tmp_path / "clip.mp4", 7, 0.25)]
    with pytest.raises(InvalidInput, match=f"file of its video, media {video}"):
        contents.read_bytes(frame)
    with pytest.raises(InvalidInput, match="is a video; ask for one of its frames"):
        contents.load_rgb(contents.find(conn, video))


@pytest.mark.usefixtures("decoded")
def test_a_frame_of_a_video_that_changed_is_not_decoded(
    conn: Connection, put: Callable[..., int], tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"another video")
    video = put("video", b"video", (tmp_path / "clip.mp4").as_uri())
    frame = contents.find(conn, put("frame", b"frame", parent=video))
    with pytest.raises(NotFound, match="has changed"):
        contents.load_rgb(frame)


def test_frames_are_embedded_like_images(
    conn: Connection, put: Callable[..., int], image: Path, tmp_path: Path, decoded: list[Frame]
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"video")
    put("image", image.read_bytes(), image.as_uri())
    frame = put("frame", b"frame", parent=put("video", b"video", (tmp_path / "clip.mp4").as_uri()))
    lost = put("frame", b"lost", parent=put("video", b"lost video", "file:///lost.mp4"))
    encoder = encoders.load("descriptor")
    counts = embeddings.embed(conn, encoder)
    assert (counts["added"], counts["missing"]) == (2, 1)
    ids, _ = embeddings.read_vectors(conn, "descriptor")
    assert frame in ids
    assert conn.execute("select uri, reason from core.quarantine").fetchall() == [
        ("file:///lost.mp4#frame=7", "missing")
    ]
    gap = "select media_id, uri from smartdb.embedding_gap('descriptor')"
    assert conn.execute(gap.encode()).fetchall() == [(lost, "file:///lost.mp4#frame=7")]
    assert previews.newest(conn, "s") is not None


def test_a_restricted_video_hides_the_pixels_of_its_frames(
    conn: Connection, owner: Connection, put: Callable[..., int], tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"video")
    video = put("video", b"video", (tmp_path / "clip.mp4").as_uri())
    frame = put("frame", b"frame", parent=video)
    owner.execute("insert into core.restriction (media_id, reason) values (%s, 'face')", [video])
    owner.commit()
    with pytest.raises(NotFound, match=f"no media {video}"):
        contents.find(conn, video)
    with pytest.raises(NotFound, match="nothing says where"):
        contents.load_rgb(contents.find(conn, frame))


def test_a_place_is_shown_as_a_path_or_as_its_uri() -> None:
    assert contents.shown("file:///a/b%20c.png") == "/a/b c.png"
    assert contents.shown("s3://bucket/b%20c.png") == "s3://bucket/b%20c.png"


def test_a_frame_without_its_video_has_no_place() -> None:
    with pytest.raises(NotFound, match="nothing says where the bytes of media 3 lie"):
        contents.load_rgb(Content(3, "frame", bytes(32), "x/y", 4, 4, (), 1, 0.1))


def test_places_are_found_by_the_index_one_media_at_a_time(conn: Connection) -> None:
    conn.execute("set enable_seqscan = off")
    query = sql.SQL("explain {}").format(statement("contents", "find"))
    plan = "\n".join(row for (row,) in conn.execute(query, {"media_ids": [1, 2]}))
    assert "Seq Scan on media" not in plan
    assert "media_location_media_idx" in plan
