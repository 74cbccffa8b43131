"""Stores: listing, reading, writing and ingesting where files lie elsewhere."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import contents, objects, quarantine, stores, walk
from smartdb.errors import InvalidInput, NotFound, NothingToDo, SmartdbError
from smartdb.importing import import_labels
from smartdb.ingest import ingest

Connection = psycopg.Connection[Any]


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((48, 36), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def rows(conn: Connection, query: str) -> list[tuple[Any, ...]]:
    found = conn.execute(query.encode()).fetchall()
    conn.commit()
    return found


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


@pytest.fixture
def filled(s3: Any) -> str:
    """The root of five objects: two pictures, a copy, one cut off and a text."""
    s3.put("photos/cats/1 a%20b#é.png", png(1))
    s3.put("photos/cats/2.png", png(2))
    s3.put("photos/same.png", png(1))
    s3.put("photos/cut.png", png(1)[:500])
    s3.put("photos/labels.csv", b"name,label")
    s3.put("photos/.hidden/3.png", png(3))
    s3.put("elsewhere/4.png", png(4))
    return f"s3://{s3.name}/photos"


def test_a_bucket_is_ingested_like_a_folder(
    conn: Connection, s3: Any, filled: str, processes: None
) -> None:
    counts = ingest(conn, filled, workers=2)
    assert counts == {"added": 2, "same_bytes": 1, "refused": 1, "skipped": 2, "read": 4,
                      "known": 0, "changed": 0, "missing": 0, "moved": 0}  # fmt: skip
    assert rows(conn, "select name, uri from core.source") == [("photos", filled)]
    places = rows(conn, "select uri, n_bytes, etag is null from core.media_location order by uri")
    assert places == [
        (f"{filled}/cats/1%20a%2520b%23%C3%A9.png", len(png(1)), False),
        (f"{filled}/cats/2.png", len(png(2)), False),
        (f"{filled}/same.png", len(png(1)), False),
    ]
    assert rows(conn, "select uri, reason from core.quarantine") == [
        (f"{filled}/cut.png", "truncated")
    ]
    assert ingest(conn, filled)["read"] == 0


def test_the_bytes_of_a_media_are_read_from_the_store(
    conn: Connection, s3: Any, filled: str
) -> None:
    ingest(conn, filled)
    ((media_id,),) = rows(conn, "select media_id from smartdb.media where uri like '%2.png'")
    content = contents.find(conn, media_id)
    assert contents.read_bytes(content) == png(2)
    s3.put("photos/cats/2.png", png(9))
    with pytest.raises(NotFound, match="has changed since it was ingested"):
        contents.read_bytes(content)
    s3.delete("photos/cats/2.png")
    with pytest.raises(NotFound, match=r"there is no s3://.*2\.png") as raised:
        contents.read_bytes(content)
    assert raised.value.reason == "missing"


def test_only_new_and_changed_objects_are_read_and_lost_ones_marked(
    conn: Connection, s3: Any, filled: str
) -> None:
    ingest(conn, filled)
    s3.put("photos/cats/2.png", png(2))  # the same bytes: another time, the same version
    s3.put("photos/new.png", png(5))
    s3.put("photos/same.png", png(6))
    s3.delete("photos/cats/1 a%20b#é.png")
    counts = ingest(conn, filled)
    assert (counts["added"], counts["changed"], counts["known"], counts["read"]) == (1, 1, 1, 2)
    assert (counts["missing"], counts["moved"]) == (1, 0)


@pytest.mark.parametrize("how", ["503", "cut"])
def test_requests_that_fail_are_repeated(
    conn: Connection, flaky: Any, filled: str, how: str
) -> None:
    flaky.fail = lambda path, n: how if n == 0 and (how == "503" or "png" in path) else None
    assert ingest(conn, filled)["added"] == 2
    assert rows(conn, "select reason from core.quarantine") == [("truncated",)]
    assert all(n >= 2 for path, n in flaky.asked.items() if "png" in path)


def test_an_object_that_stays_unreadable_is_quarantined_and_tried_again(
    conn: Connection, flaky: Any, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "SECONDS", 0.3)
    monkeypatch.setattr(objects, "_TRIES", 2)
    flaky.fail = lambda path, _: "503" if "2.png" in path else None
    ingest(conn, filled)
    ((uri, detail),) = rows(
        conn, "select uri, detail from core.quarantine where reason = 'unreadable'"
    )
    assert uri.endswith("2.png")
    assert "503" in detail
    flaky.fail = lambda *_: None
    assert quarantine.retry(conn, reason="unreadable")["added"] == 1


def test_retry_drops_objects_that_are_gone(conn: Connection, s3: Any, filled: str) -> None:
    ingest(conn, filled)
    s3.delete("photos/cut.png")
    assert quarantine.retry(conn)["gone"] == 1


def test_folders_of_a_large_store_are_listed_side_by_side_in_order(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in range(12):
        for i in range(3):
            s3.put(f"many/{folder:02d}/{i}.png", b"x")
    s3.put("many/top.png", b"x")
    monkeypatch.setattr(objects, "PAGE", 2)
    found = [each.uri for each in stores.listing(f"s3://{s3.name}/many")]
    expected = [f"s3://{s3.name}/many/{f:02d}/{i}.png" for f in range(12) for i in range(3)]
    assert found == [f"s3://{s3.name}/many/top.png", *expected]


def test_a_listing_that_is_dropped_ends_its_threads(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    for i in range(40):
        s3.put(f"{i % 4}/{i:02d}.png", b"x")
    monkeypatch.setattr(objects, "PAGE", 1)
    listing = stores.listing(f"s3://{s3.name}")
    next(listing)
    listing.close()  # type: ignore[attr-defined]
    assert not [each for each in threading.enumerate() if each.name.startswith("list")]


def test_an_object_with_a_name_that_cannot_be_used_does_not_hide_the_others(
    conn: Connection, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("bad/a/../1.png", png(1))
    s3.put("bad/b.png", png(1))
    s3.put("good/2.png", png(2))
    monkeypatch.setattr(objects, "PAGE", 1)
    counts = ingest(conn, f"s3://{s3.name}", source="s")
    assert (counts["added"], counts["refused"]) == (1, 1)
    ((detail,),) = rows(conn, "select detail from core.quarantine")
    assert "invalid path" in detail


def test_copies_go_into_the_managed_store_once(
    conn: Connection, s3: Any, filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTDB_STORE", str(tmp_path / "kept"))
    ingest(conn, filled)
    counts = ingest(conn, filled, manage=True)
    assert (counts["known"], counts["read"]) == (3, 3)
    assert ingest(conn, filled, manage=True)["read"] == 0
    kept = sorted(path for path in (tmp_path / "kept").rglob("*") if path.is_file())
    assert [path.read_bytes() for path in kept] == sorted((png(1), png(2)), key=_name)
    assert [path.name for path in kept] == [_name(path.read_bytes()) for path in kept]
    places = "select count(*) from core.media_location where is_managed"
    assert rows(conn, places) == [(2,)]
    s3.empty()
    counts = ingest(conn, filled)
    assert (counts["missing"], counts["moved"]) == (3, 0)
    assert rows(conn, "select n_locations, missing_at from smartdb.media") == [(1, None)] * 2
    assert contents.read_bytes(contents.find(conn, 1)) in (png(1), png(2))


def _name(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def test_the_managed_store_may_be_a_bucket(
    conn: Connection, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "b.png").write_bytes(png(1))
    monkeypatch.setenv("SMARTDB_STORE", f"s3://{s3.name}/kept/")
    ingest(conn, tmp_path, source="s", manage=True)
    name = _name(png(1))
    assert s3.keys() == [f"kept/{name[:2]}/{name}"]
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.png").unlink()
    assert contents.read_bytes(contents.find(conn, 1)) == png(1)


def test_camera_raw_in_a_store_is_refused_with_managed_copies_too(
    conn: Connection, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTDB_STORE", str(tmp_path / "kept"))
    s3.put("raw/a.nef", png(1))
    counts = ingest(conn, f"s3://{s3.name}/raw", manage=True)
    assert (counts["refused"], counts["added"]) == (1, 0)
    assert rows(conn, "select reason from core.quarantine") == [("unsupported",)]
    assert not (tmp_path / "kept").exists()


def test_labels_come_with_the_pictures_of_a_store_whatever_its_folder_is_called(
    conn: Connection, s3: Any, tmp_path: Path
) -> None:
    s3.put("my set/1.png", png(1))
    (tmp_path / "labels.csv").write_text("path,class\n1.png,cat\n")
    where = f"s3://{s3.name}/my set/"
    done = import_labels(
        conn, tmp_path / "labels.csv", images=where, source="s", create_classes=True
    )
    assert done.labels["added"] == 1


def test_a_copy_that_is_there_is_never_written_over(s3: Any, tmp_path: Path) -> None:
    for uri in (f"s3://{s3.name}/a/b", (tmp_path / "a" / "b").as_uri(), "memory://kept/a/b"):
        stores.write_new(uri, b"first")
        stores.write_new(uri, b"second")
        assert stores.read(uri) == b"first"
        stores.remove(uri)
        stores.remove(uri)
        assert stores.is_gone(uri)


def test_any_scheme_of_fsspec_can_be_ingested(conn: Connection) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/shelf/photos/a b.png", png(1))
    memory.pipe_file("/shelf/photos/deep/2.png", png(2))
    memory.pipe_file("/shelf/photos/deep/x.txt", b"x")
    counts = ingest(conn, "memory://shelf/photos")
    assert (counts["added"], counts["skipped"]) == (2, 1)
    found = rows(conn, "select uri from core.media_location order by uri")
    assert found == [("memory://shelf/photos/a%20b.png",), ("memory://shelf/photos/deep/2.png",)]
    assert ingest(conn, "memory://shelf/photos")["read"] == 0
    memory.rm("/shelf/photos/a b.png")
    assert ingest(conn, "memory://shelf/photos")["missing"] == 1
    assert contents.read_bytes(contents.find(conn, 2)) == png(2)


@pytest.mark.parametrize(
    ("place", "error", "says"),
    [
        ("s3://no-such-bucket/a", InvalidInput, "no such bucket: s3://no-such-bucket"),
        ("s3://", InvalidInput, "not a place in a store"),
        ("what://is/this", InvalidInput, "cannot open what://is/this"),
        ("az://box/photos", SmartdbError, "Account must be specified"),
    ],
)
def test_a_place_that_cannot_be_listed_is_told(
    conn: Connection, s3: Any, place: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ingest(conn, place)
    assert rows(conn, "select count(*) from core.run") == [(0,)]


def test_an_empty_place_is_told(conn: Connection, s3: Any) -> None:
    with pytest.raises(
        NothingToDo, match=rf"nothing to ingest in s3://{s3.name}/none: it is empty"
    ):
        ingest(conn, f"s3://{s3.name}/none")


def test_a_web_server_that_lists_nothing_says_what_to_do(s3: Any, s3_server: str) -> None:
    with pytest.raises(InvalidInput, match="name them in a manifest"):
        next(stores.listing(stores.root_of(f"{s3_server}/page")))


def test_a_url_can_be_read_and_looked_at(s3: Any, s3_server: str) -> None:
    s3.client.put_object(Bucket=s3.name, Key="a.png", Body=png(1), ACL="public-read")
    url = f"{s3_server}/{s3.name}/a.png"
    assert stores.read(url) == png(1)
    assert stores.look(url).n_bytes == len(png(1))
    assert stores.look(f"{url}x").problem


def test_the_class_of_an_object_is_its_folder() -> None:
    assert walk.class_of("s3://b/photos/black%20cats/1.png", "s3://b/photos") == "black cats"
    assert walk.class_of("s3://b/1.png", "s3://b") is None


def test_a_source_is_called_after_its_last_folder() -> None:
    assert stores.name_of("s3://bucket/a/b%20c") == "b c"
    assert stores.name_of("s3://bucket") == "bucket"
    assert stores.name_of("file:///") == "/"
    assert stores.root_of("S3://bucket/a b/") == "s3://bucket/a%20b"


def test_a_path_too_long_for_the_index_is_a_problem_with_a_name_of_its_own(s3: Any) -> None:
    key = "/".join(["é" * 60] * 8) + ".png"
    s3.put(key, b"x")
    tally: Counter[str] = Counter()
    (found,) = stores.listing(f"s3://{s3.name}", tally)
    assert found.problem is not None
    assert "too long" in found.problem
    assert len(found.uri) < walk.MAX_URI
