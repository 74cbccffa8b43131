"""From a folder of pictures to rows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import ExifTags, Image
from psycopg.rows import tuple_row

from smartdb import walk
from smartdb.database import connect
from smartdb.errors import Conflict, InvalidInput, NothingToDo
from smartdb.ingest import ingest

Connection = psycopg.Connection[Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures: two with the same bytes, one cut off, one with a place; and a text."""
    at = tmp_path / "pictures"
    (at / "cats").mkdir(parents=True)
    draw(at / "cats" / "1.png", 1)
    draw(at / "cats" / "2.png", 2)
    shutil.copy(at / "cats" / "1.png", at / "same.png")
    (at / "cut.png").write_bytes((at / "cats" / "1.png").read_bytes()[:500])
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (1.0, 30.0, 0.0), 3: "W", 4: (2.0, 0.0, 0.0)}
    )
    Image.open(at / "cats" / "2.png").save(at / "place.jpg", exif=exif)
    (at / "labels.csv").write_text("name,label")
    return at


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No processes are started, which takes most of the time, except by tests that use them."""
    if "processes" not in request.fixturenames:
        monkeypatch.setattr("smartdb.ingest.parallel", in_turn)


def in_turn(function: Callable[[Any], Any], items: Iterable[Any], **_: Any) -> Iterator[Any]:
    for item in items:
        yield item, function(item)


@pytest.fixture
def processes() -> None:
    """Marks a test that reads in processes, as users do."""


def draw(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((48, 36), Image.Resampling.BICUBIC).save(path)


def rows(conn: Connection, query: str) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(query.encode()).fetchall()
    conn.commit()
    return found


def test_every_file_becomes_a_row_or_a_refusal(
    conn: Connection, folder: Path, processes: None
) -> None:
    counts = ingest(conn, folder, workers=1)
    assert counts == {"added": 3, "same_bytes": 1, "refused": 1, "skipped": 1, "read": 5,
                      "known": 0, "changed": 0, "missing": 0, "moved": 0}  # fmt: skip
    assert rows(
        conn, "select kind, mime, width, height, phash is null from core.media order by 2"
    ) == [
        ("image", "image/jpeg", 48, 36, False),
        ("image", "image/png", 48, 36, False),
        ("image", "image/png", 48, 36, False),
    ]
    assert rows(conn, "select count(*) from core.quality") == [(3,)]
    assert rows(conn, "select reason from core.quarantine") == [("truncated",)]
    uris = [uri for (uri,) in rows(conn, "select uri from core.media_location order by uri")]
    assert uris == [found.uri for found in walk.walk(folder) if b"cut" not in found.path]


def test_the_run_and_the_source_are_recorded(conn: Connection, folder: Path) -> None:
    counts = ingest(conn, folder, source="demo", licence="CC0-1.0")
    assert rows(conn, "select name, uri, licence from core.source") == [
        ("demo", walk.uri_of(os.fsencode(folder)), "CC0-1.0")
    ]
    run = rows(conn, "select kind, status, counts from core.run")
    assert run == [("ingest", "succeeded", counts)]


def test_a_second_run_reads_nothing(conn: Connection, folder: Path) -> None:
    ingest(conn, folder)
    before = rows(conn, "select * from core.media_location order by uri")
    counts = ingest(conn, folder)
    assert counts == {"added": 0, "same_bytes": 0, "refused": 1, "skipped": 1, "read": 0,
                      "known": 4, "changed": 0, "missing": 0, "moved": 0}  # fmt: skip
    assert rows(conn, "select * from core.media_location order by uri") == before


def test_only_new_and_changed_files_are_read(conn: Connection, folder: Path) -> None:
    ingest(conn, folder)
    draw(folder / "new.png", 3)
    draw(folder / "cats" / "1.png", 4)
    counts = ingest(conn, folder)
    assert (counts["added"], counts["changed"], counts["known"], counts["read"]) == (1, 1, 3, 2)
    now = rows(conn, """
        select m.n_bytes = l.n_bytes
        from core.media_location as l join core.media as m using (media_id)
        where l.uri like '%/cats/1.png'""")  # fmt: skip
    assert now == [(True,)]
    assert rows(conn, "select count(*) from core.media") == [(5,)]  # the old content is kept


def test_a_file_that_was_only_touched_is_read_once_more(conn: Connection, folder: Path) -> None:
    ingest(conn, folder)
    os.utime(folder / "same.png", (1, 1))
    assert ingest(conn, folder)["changed"] == 1
    assert ingest(conn, folder)["read"] == 0


def test_a_repaired_file_leaves_the_quarantine(conn: Connection, folder: Path) -> None:
    ingest(conn, folder)
    draw(folder / "cut.png", 9)
    counts = ingest(conn, folder)
    assert (counts["added"], counts["refused"]) == (1, 0)
    assert rows(conn, "select count(*) from core.quarantine") == [(0,)]


def test_a_file_that_broke_goes_to_quarantine_and_back(conn: Connection, folder: Path) -> None:
    ingest(conn, folder)
    good = (folder / "same.png").read_bytes()
    was = (folder / "same.png").stat()
    (folder / "same.png").write_bytes(b"")
    assert ingest(conn, folder)["refused"] == 2
    (folder / "same.png").write_bytes(good)
    os.utime(folder / "same.png", ns=(was.st_atime_ns, was.st_mtime_ns))
    assert ingest(conn, folder)["refused"] == 1
    assert rows(conn, "select reason from core.quarantine") == [("truncated",)]


def test_an_image_name_without_an_image_is_not_an_image(conn: Connection, folder: Path) -> None:
    (folder / "text.jpg").write_text("this is a text")
    (folder / "nothing.jpg").touch()
    ingest(conn, folder)
    assert rows(conn, "select reason from core.quarantine order by reason") == [
        ("empty_file",), ("not_an_image",), ("truncated",),
    ]  # fmt: skip


def test_a_broken_link_is_quarantined_and_tried_at_each_run(conn: Connection, folder: Path) -> None:
    (folder / "link.png").symlink_to(folder / "later.png")
    ingest(conn, folder)
    assert ("unreadable", "cannot be looked at: No such file or directory") in rows(
        conn, "select reason, detail from core.quarantine"
    )
    draw(folder / "later.png", 5)
    counts = ingest(conn, folder)
    assert (counts["added"], counts["same_bytes"], counts["refused"]) == (1, 1, 1)


@pytest.mark.parametrize("name", [b"it's.png", b'"q".png', b"new\nline.png", b"caf\xe9.png"])
def test_any_file_name_is_ingested(conn: Connection, tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    draw(Path(os.fsdecode(path)), 1)
    ingest(conn, tmp_path, source="names")
    ((uri,),) = rows(conn, "select uri from core.media_location")
    assert walk.path_of(uri) == path


def test_findings_follow_the_thresholds(conn: Connection, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (3, 3, 3)).save(tmp_path / "dark.png")
    Image.new("RGB", (40, 40), (255, 255, 255)).save(tmp_path / "white.png")
    draw(tmp_path / "fine.png", 1)
    conn.execute("delete from core.quality_threshold where kind not in ('dark', 'bright')")
    ingest(conn, tmp_path, source="s")
    found = rows(conn, """
        select l.uri, array_agg(f.kind order by f.kind) from core.finding as f
        join core.media_location as l using (media_id) group by 1 order by 1""")  # fmt: skip
    assert [(uri[uri.rindex("/") + 1 :], kinds) for uri, kinds in found] == [
        ("dark.png", ["dark"]),
        ("white.png", ["bright"]),
    ]


def test_a_place_in_the_exif_is_a_finding_with_its_position(conn: Connection, folder: Path) -> None:
    ingest(conn, folder)
    assert rows(conn, "select detail from core.finding where kind = 'gps'") == [
        ({"where": "exif", "latitude": 1.5, "longitude": -2.0},)
    ]


def test_a_finding_that_was_settled_stays_settled(conn: Connection, folder: Path) -> None:
    ingest(conn, folder)
    conn.execute("update core.finding set resolution = 'accepted' where kind = 'gps'")
    conn.commit()
    os.utime(folder / "place.jpg", (5, 5))
    ingest(conn, folder)
    assert rows(conn, "select resolution from core.finding where kind = 'gps'") == [("accepted",)]


def test_two_runs_from_scratch_give_the_same_ids(
    databases: Any, template: str, folder: Path, processes: None
) -> None:
    seen = []
    for workers in (1, 3):
        with connect(databases.copy(template)) as conn:
            ingest(conn, folder, workers=workers)
            seen.append(rows(conn, "select media_id, sha256 from core.media order by 1"))
    assert seen[0] == seen[1]


def test_restricted_media_are_recognised_and_not_read_again(
    conn: Connection, owner: Connection, folder: Path
) -> None:
    ingest(conn, folder)
    owner.execute("""
        insert into core.restriction (media_id, reason)
        select distinct media_id, 'gps' from core.media_location""")
    owner.commit()
    assert rows(conn, "select count(*) from core.media") == [(0,)]
    assert ingest(conn, folder)["read"] == 0

    shutil.copy(folder / "cats" / "2.png", folder / "copy.png")
    counts = ingest(conn, folder)
    assert (counts["added"], counts["same_bytes"], counts["read"]) == (0, 1, 1)
    draw(folder / "cats" / "2.png", 7)
    assert ingest(conn, folder)["changed"] == 1
    assert rows(owner, "select count(*) from core.media_location") == [(5,)]
    assert rows(conn, "select count(*) from core.media_location") == [(1,)]


def test_progress_is_told_the_number_of_files_done(conn: Connection, folder: Path) -> None:
    told: list[int] = []
    ingest(conn, folder, progress=told.append)
    ingest(conn, folder, progress=told.append)
    assert told[-1] == 5
    assert max(told) == 5


def test_a_missing_or_empty_folder_leaves_nothing_behind(conn: Connection, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    with pytest.raises(InvalidInput, match="no such folder"):
        ingest(conn, tmp_path / "missing")
    with pytest.raises(NothingToDo, match=r"nothing to ingest in .*/empty: it is empty"):
        ingest(conn, tmp_path / "empty")
    with pytest.raises(
        NothingToDo, match=r"nothing to ingest in .*/texts: no image or video among its 1"
    ):
        ingest(conn, tmp_path / "texts")
    assert rows(
        conn, "select (select count(*) from core.run) + (select count(*) from core.source)"
    ) == [(0,)]


def test_another_folder_of_the_same_name_is_refused(conn: Connection, tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "pictures").mkdir(parents=True)
        draw(tmp_path / parent / "pictures" / "1.png", 1)
    ingest(conn, tmp_path / "a" / "pictures")
    with pytest.raises(Conflict, match=r"source 'pictures' is file:///.*/a/pictures; give this"):
        ingest(conn, tmp_path / "b" / "pictures")
    assert rows(conn, "select count(*) from core.media_location") == [(1,)]


def test_a_folder_below_the_source_may_be_ingested_alone(conn: Connection, folder: Path) -> None:
    ingest(conn, folder)
    draw(folder / "cats" / "3.png", 3)
    draw(folder / "4.png", 4)
    assert ingest(conn, folder / "cats", source="pictures")["added"] == 1


def test_recording_a_batch_costs_no_more_in_a_larger_database(owner: Connection) -> None:
    owner.execute("insert into core.run (kind, code_version) values ('fill', '0')")
    add = """
        insert into core.media
            (sha256, kind, mime, n_bytes, width, height, exif, attributes, run_id)
        select sha256(i::text::bytea), 'image', 'image/png', 1, 1, 1, '{}', '{}', 1
        from generate_series(%(first)s::integer, %(first)s::integer + 999) as i"""
    describe = """
        explain (analyze, format json)
        insert into core.quality
        select media_id, 0, 0, 0, 0, 0 from core.media order by media_id desc limit 1000"""
    times = []
    for batch in range(9):
        owner.execute(add, {"first": 1000 * batch})
        with owner.cursor(row_factory=tuple_row) as cursor:
            ((plan,),) = cursor.execute(describe).fetchall()
        times.append(plan[0]["Execution Time"])
    assert min(times[-3:]) < 5 * min(times[:3]) + 20, times  # ms; a scan for each row takes 300
