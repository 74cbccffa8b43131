"""A second run: what is missing, moved or back, and what a listing does not say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import contents, listings, stores
from smartdb import ingest as module
from smartdb.ingest import ingest

Connection = psycopg.Connection[Any]


def in_turn(function: Callable[[Any], Any], items: Iterable[Any], **_: Any) -> Iterator[Any]:
    for item in items:
        yield item, function(item)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "parallel", in_turn)


def draw(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize((48, 36), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cats, two dogs, and a copy of the first cat."""
    at = tmp_path / "pets"
    for seed, name in enumerate(("cats/1", "cats/2", "dogs/3", "dogs/4")):
        draw(at / f"{name}.png", seed)
    shutil.copy(at / "cats" / "1.png", at / "copy.png")
    return at


def missing(conn: Connection) -> list[str]:
    query = """
        select regexp_replace(uri, '.*/pets/', '') from smartdb.media_location
        where missing_at is not null order by 1"""
    found = [uri for (uri,) in conn.execute(query.encode())]
    conn.commit()
    return found


def again(conn: Connection, folder: Path, **options: Any) -> dict[str, int]:
    """The counts of a run that are not 0."""
    counts = ingest(conn, folder, source="pets", **options)
    return {name: n for name, n in counts.items() if n}


def test_a_file_that_is_gone_is_marked_once_and_stays_a_media(
    conn: Connection, folder: Path
) -> None:
    again(conn, folder)
    (folder / "dogs" / "3.png").unlink()
    assert again(conn, folder) == {"known": 4, "missing": 1}
    assert missing(conn) == ["dogs/3.png"]
    assert again(conn, folder) == {"known": 4}
    lost = "select n_locations, missing_at is null from smartdb.media where n_locations = 0"
    assert conn.execute(lost.encode()).fetchall() == [(0, False)]
    assert conn.execute("select count(*) from core.media").fetchone() == (4,)


def test_a_duplicate_that_is_gone_leaves_its_media_where_the_other_is(
    conn: Connection, folder: Path
) -> None:
    again(conn, folder)
    (folder / "cats" / "1.png").unlink()
    assert again(conn, folder) == {"known": 4, "missing": 1}
    query = "select n_locations, missing_at, uri from smartdb.media where uri like '%/copy.png'"
    ((n, at, uri),) = conn.execute(query.encode()).fetchall()
    assert (n, at) == (1, None)
    (media_id,) = conn.execute("select min(media_id) from core.media").fetchone() or (0,)
    assert contents.find(conn, media_id).places[0] == uri


@pytest.mark.parametrize("changed", [False, True])
def test_a_file_that_is_back_is_no_longer_missing(
    conn: Connection, folder: Path, tmp_path: Path, changed: bool
) -> None:
    again(conn, folder)
    shutil.move(folder / "dogs" / "3.png", tmp_path / "3.png")
    assert again(conn, folder)["missing"] == 1
    shutil.move(tmp_path / "3.png", folder / "dogs" / "3.png")
    if changed:
        draw(folder / "dogs" / "3.png", 77)
    counts = again(conn, folder)
    assert counts == ({"known": 4, "changed": 1, "read": 1} if changed else {"known": 5})
    assert missing(conn) == []


def test_files_that_moved_keep_their_media(conn: Connection, folder: Path) -> None:
    again(conn, folder)
    before = conn.execute("select media_id, sha256 from core.media order by 1").fetchall()
    (folder / "dogs").rename(folder / "hounds")
    assert again(conn, folder) == {"known": 3, "same_bytes": 2, "read": 2, "moved": 2}
    assert conn.execute("select media_id, sha256 from core.media order by 1").fetchall() == before
    assert missing(conn) == ["dogs/3.png", "dogs/4.png"]
    uris = "select count(*) from smartdb.media where uri like '%/hounds/%' and n_locations = 1"
    assert conn.execute(uris.encode()).fetchone() == (2,)


def test_a_folder_ingested_alone_says_nothing_of_the_others(conn: Connection, folder: Path) -> None:
    again(conn, folder)
    (folder / "cats" / "2.png").unlink()
    (folder / "dogs" / "3.png").unlink()
    assert again(conn, folder / "dogs") == {"known": 1, "missing": 1}
    assert missing(conn) == ["dogs/3.png"]


def test_a_folder_beside_one_whose_name_it_begins_with_is_another(
    conn: Connection, folder: Path
) -> None:
    draw(folder / "dog" / "5.png", 5)
    again(conn, folder)
    shutil.rmtree(folder / "dogs")
    assert again(conn, folder / "dog") == {"known": 1}
    assert missing(conn) == []


def test_a_folder_that_cannot_be_listed_loses_none_of_its_files(
    conn: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(conn, folder)
    (folder / "cats" / "2.png").unlink()
    listdir = os.listdir

    def refuse(path: Any) -> Any:
        if os.fsencode(path).endswith(b"/dogs"):
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr("smartdb.walk.os.listdir", refuse)
    counts = again(conn, folder)
    assert (counts["missing"], counts["refused"]) == (1, 1)
    assert missing(conn) == ["cats/2.png"]


def test_a_listing_that_breaks_off_marks_nothing(
    conn: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(conn, folder)
    listing = stores.listing

    def broken(*arguments: Any) -> Iterator[Any]:
        yield next(iter(listing(*arguments)))
        raise OSError("the network is gone")

    monkeypatch.setattr("smartdb.stores.listing", broken)
    with pytest.raises(OSError, match="network"):
        again(conn, folder)
    assert missing(conn) == []


def test_a_folder_that_was_emptied_marks_all_its_files(conn: Connection, folder: Path) -> None:
    again(conn, folder)
    shutil.rmtree(folder)
    folder.mkdir()
    assert again(conn, folder) == {"missing": 5}
    assert again(conn, folder) == {}


def test_what_another_run_added_meanwhile_is_not_missing(
    database: str, conn: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smartdb.database import connect

    again(conn, folder)
    finish = listings.finish

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr("smartdb.listings.finish", finish)
        draw(folder / "late.png", 9)
        with connect(database) as other:
            assert again(other, folder)["added"] == 1
        return finish(*arguments)

    monkeypatch.setattr("smartdb.listings.finish", late)
    assert again(conn, folder) == {"known": 5}
    assert missing(conn) == []


def test_managed_copies_are_never_missing(conn: Connection, folder: Path) -> None:
    counts = again(conn, folder, manage=True)
    assert (counts["added"], counts["same_bytes"]) == (4, 1)
    shutil.rmtree(folder / "dogs")
    assert again(conn, folder, manage=True)["missing"] == 2
    managed = "select count(*), count(missing_at) from core.media_location where is_managed"
    assert conn.execute(managed.encode()).fetchone() == (4, 0)
    for each in contents.find_pictures(conn):
        assert len(contents.read_bytes(each)) > 0
    summary = "select n_files, n_missing, n_media from smartdb.source_summary"
    assert conn.execute(summary.encode()).fetchall() == [(3, 2, 4)]


def test_managed_copies_say_nothing_about_classes(conn: Connection, folder: Path) -> None:
    from smartdb import labels

    again(conn, folder, manage=True)
    labels.import_folder_labels(conn, "pets")
    query = "select class, count(*) from smartdb.media_class group by 1 order by 1"
    assert conn.execute(query.encode()).fetchall() == [("cats", 2), ("dogs", 2)]


def test_restricted_media_are_marked_too(conn: Connection, owner: Connection, folder: Path) -> None:
    again(conn, folder)
    owner.execute("insert into core.restriction select media_id, 'gps' from core.media")
    owner.commit()
    (folder / "cats" / "2.png").unlink()
    assert again(conn, folder) == {"known": 4, "missing": 1}
    assert missing(owner) == ["cats/2.png"]
    draw(folder / "cats" / "2.png", 1)
    again(conn, folder)
    assert missing(owner) == []


def test_a_loop_of_links_ends_and_its_files_are_counted_once(
    conn: Connection, folder: Path
) -> None:
    (folder / "cats" / "up").symlink_to(folder)
    (folder / "dogs" / "self").symlink_to(folder / "dogs")
    (folder / "over").symlink_to(folder / "under")
    (folder / "under").symlink_to(folder / "over")
    assert again(conn, folder) == {"added": 4, "same_bytes": 1, "read": 5, "skipped": 2}
    assert again(conn, folder) == {"known": 5, "skipped": 2}


def test_the_frames_of_a_video_are_missing_with_it_and_back_with_it(
    conn: Connection, owner: Connection, folder: Path
) -> None:
    again(conn, folder)
    uri = (folder / "dogs" / "3.png").as_uri()
    owner.execute(
        """
        with frame as (
            insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id,
                parent_media_id, frame_index, pts)
            select sha256('x'), 'frame', 'x/y', 1, 8, 8, 1, l.media_id, 7, 0.5
            from core.media_location as l where l.uri = %(uri)s
            returning media_id
        )
        insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
        select f.media_id, 1, %(uri)s || '#frame=7', 1, now() from frame as f""",
        {"uri": uri},
    )
    owner.commit()
    data = (folder / "dogs" / "3.png").read_bytes()
    state = (folder / "dogs" / "3.png").stat()
    assert again(conn, folder) == {"known": 5}
    (folder / "dogs" / "3.png").unlink()
    assert again(conn, folder) == {"known": 4, "missing": 1}
    assert missing(conn) == ["dogs/3.png", "dogs/3.png#frame=7"]
    frame = "select n_locations from smartdb.media where kind = 'frame'"
    assert conn.execute(frame.encode()).fetchone() == (0,)
    (folder / "dogs" / "3.png").write_bytes(data)
    os.utime(folder / "dogs" / "3.png", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert again(conn, folder) == {"known": 5}
    assert missing(conn) == []
