"""smartdb export: the same bytes each time, whole or not at all, and never what may not leave."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import erasure, exports, layouts, objects, stores, walk
from smartdb.database import connect
from smartdb.errors import Conflict, InvalidInput, NotFound, StoreFailed, UseRefused

from .pets import SPLITS, created

Conn = psycopg.Connection[Any]
ALL = ("coco", "yolo", "voc", "cvat", "label_studio", "folders", "webdataset", "parquet", "arrow",
       "huggingface", "croissant")  # fmt: skip


@pytest.fixture(scope="module")
def pets_template(server_home: Path, template: str, tmp_path_factory: Any) -> str:
    """The name of a database with the dataset pets, which is only ever copied."""
    created(server_home, "smartdb_exported", template, tmp_path_factory.mktemp("pets"))
    return "smartdb_exported"


@pytest.fixture
def url(databases: Any, pets_template: str) -> str:
    """The url of a copy of it."""
    return str(databases.copy(pets_template))


@pytest.fixture
def pets(url: str) -> Iterator[Conn]:
    """A writer's connection to the copy."""
    with connect(url, role="smartdb_writer") as conn:
        yield conn


def bytes_in(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def failing(monkeypatch: pytest.MonkeyPatch, at: int, error: Exception) -> None:
    """The store fails at the file of this number."""
    put, n = stores.put, [0]

    def stumbling(uri: str, data: Any) -> None:
        n[0] += 1
        if n[0] == at:
            raise error
        put(uri, data)

    monkeypatch.setattr(stores, "put", stumbling)


def test_the_same_version_gives_the_same_bytes_in_every_format(pets: Conn, tmp_path: Path) -> None:
    assert layouts.FORMATS == ALL
    for format in ALL:
        made = [
            exports.export(pets, "pets", tmp_path / f"{format} {i}", format=format) for i in "ab"
        ]
        assert bytes_in(tmp_path / f"{format} a") == bytes_in(tmp_path / f"{format} b")
        assert made[0].manifest_sha256 == made[1].manifest_sha256
        assert exports.verify(pets, tmp_path / f"{format} a").wrong == ()


def test_files_are_called_after_their_contents_or_as_they_were_with_clashes_told_apart(
    pets: Conn, tmp_path: Path
) -> None:
    clash = "file:///elsewhere/PIC.1%20%C3%A4.jpg"
    pets.execute("update core.media_location set uri = %s where media_id = 1", (clash,))
    pets.commit()
    hashes = [h for (h,) in pets.execute("select sha256 from smartdb.media order by media_id")]
    called = {}
    for names in ("sha256", "original"):
        out = tmp_path / names
        exports.export(pets, "pets", out, format="coco", pictures="none", names=names)
        files = [json.loads(file.read_bytes()) for file in (out / "annotations").iterdir()]
        called[names] = sorted(image["file_name"] for file in files for image in file["images"])
    assert called["sha256"] == sorted(f"{sha256}.png" for sha256 in hashes)
    assert called["original"] == [
        f"PIC.1 \u00e4_{hashes[0][:16]}.jpg", f"pic.1 \u00e4_{hashes[1][:16]}.png",
        *(f"pic.{i} \u00e4.png" for i in (2, 3, 4, 5)),
    ]  # fmt: skip


def test_shards_are_cut_by_size_and_shuffled_by_the_seed(pets: Conn, tmp_path: Path) -> None:
    options = {"format": "webdataset", "shard_bytes": 1}
    orders = []
    for seed in (1, 2, 3):
        exports.export(pets, "pets", tmp_path / str(seed), seed=seed, **options)
        found = bytes_in(tmp_path / str(seed))
        orders.append({name: found[name] for name in sorted(found) if name.endswith(".tar")})
    train = [f"train-{number:06d}.tar" for number in range(4)]
    assert list(orders[0]) == ["test-000000.tar", *train, "val-000000.tar"]
    assert orders[0] != orders[1] or orders[0] != orders[2]
    assert sorted(orders[0].values()) == sorted(orders[1].values())


def test_a_place_that_holds_anything_else_is_refused_and_left(pets: Conn, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="holds something else"):
        exports.export(pets, "pets", tmp_path, format="coco")
    assert bytes_in(tmp_path) == {"mine.txt": b"mine"}
    first = exports.export(pets, "pets", tmp_path / "out", format="parquet")
    with pytest.raises(Conflict, match="another export"):
        exports.export(pets, "pets", tmp_path / "out", format="arrow")
    again = exports.export(pets, "pets", tmp_path / "out", format="parquet")
    assert (first.is_new, again.is_new) == (True, False)
    assert again.manifest_sha256 == first.manifest_sha256
    assert [e.state for e in exports.exports(pets)] == ["complete"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), StoreFailed("it answers 503")]
)
def test_a_disk_that_fills_or_a_store_that_fails_leaves_nothing_finished_and_is_gone_on_with(
    error: Exception, pets: Conn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = "select digest, smartdb.dataset_digest('pets', 1) from smartdb.dataset_version"
    before = pets.execute(digest).fetchall()
    exports.export(pets, "pets", tmp_path / "whole", format="coco")
    with monkeypatch.context() as patched:
        failing(patched, 6, error)
        with pytest.raises(StoreFailed, match=str(error)[-10:]):
            exports.export(pets, "pets", tmp_path / "out", format="coco")
    assert not (tmp_path / "out" / "manifest.json").exists()
    with pytest.raises(NotFound, match="no finished export"):
        exports.verify(pets, tmp_path / "out")
    assert [e.state for e in exports.exports(pets)] == ["complete", "unfinished"]
    exports.export(pets, "pets", tmp_path / "out", format="coco")
    assert bytes_in(tmp_path / "out") == bytes_in(tmp_path / "whole")
    assert pets.execute(digest).fetchall() == before
    assert [e.state for e in exports.exports(pets)] == ["complete", "complete"]


CHILD = """
import sys
import time
from smartdb import database, exports, stores
put = stores.put
def slow(uri, data):
    put(uri, data)
    print(uri, flush=True)
    time.sleep(0.02)
stores.put = slow
conn = database.connect(sys.argv[1], role="smartdb_writer")
exports.export(conn, "pets", sys.argv[2], format="webdataset", shard_bytes=1)
"""


def test_an_export_that_was_killed_goes_on_without_writing_again_what_was_finished(
    url: str, pets: Conn, tmp_path: Path
) -> None:
    options = {"format": "webdataset", "shard_bytes": 1}
    exports.export(pets, "pets", tmp_path / "whole", **options)
    command = [sys.executable, "-c", CHILD, url, str(tmp_path / "out")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    written = [child.stdout.readline() for _ in range(6)]  # the claim, two shards and their notes
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    first = tmp_path / "out" / "train-000000.tar"
    assert "train-000001.tar" in "".join(written)
    before = first.stat()
    assert not (tmp_path / "out" / "manifest.json").exists()
    done = exports.export(pets, "pets", tmp_path / "out", **options)
    assert first.stat().st_ino == before.st_ino
    assert first.stat().st_mtime_ns == before.st_mtime_ns
    assert bytes_in(tmp_path / "out") == bytes_in(tmp_path / "whole")
    assert done.is_new


def test_verify_names_the_files_that_are_not_as_written(pets: Conn, tmp_path: Path) -> None:
    exports.export(pets, "pets", tmp_path / "out", format="yolo")
    files = sorted((tmp_path / "out" / "labels" / "train").iterdir())
    files[0].write_text("0 0 0 0 0\n")
    files[1].unlink()
    wrong = exports.verify(pets, tmp_path / "out").wrong
    assert [what for _, what in wrong] == ["holds other bytes", "is missing"]
    manifest = tmp_path / "out" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(InvalidInput, match="was changed"):
        exports.verify(pets, tmp_path / "out")
    manifest.unlink()
    with pytest.raises(NotFound):
        exports.verify(pets, tmp_path / "out")
    assert [e.state for e in exports.exports(pets)] == ["gone"]
    assert pets.execute("select count(*) from core.export_part").fetchone() == (0,)


def test_media_that_are_hidden_or_whose_terms_do_not_allow_it_are_refused_by_name(
    pets: Conn, tmp_path: Path
) -> None:
    with pytest.raises(UseRefused, match=r"6 media .* 'publication' \(media 1: .*source pictures"):
        exports.export(pets, "pets", tmp_path / "out", format="parquet", purpose="publication")
    pets.execute("insert into core.restriction (media_id, reason) values (3, 'consent')")
    pets.commit()
    with pytest.raises(UseRefused, match=r"1 media .*media 3: it is hidden.*--leave-out-refused"):
        exports.export(pets, "pets", tmp_path / "out", format="parquet", purpose="training")
    assert not (tmp_path / "out").exists()
    done = exports.export(
        pets, "pets", tmp_path / "out", format="parquet", purpose="training", leave_out_refused=True
    )
    assert (done.n_items, done.left_out) == (5, {"refused": 1})
    rows = pets.execute("select count(*) from smartdb.export_item where media_id = 3").fetchone()
    assert rows == (0,)


def test_what_is_erased_or_hidden_later_makes_an_export_stale_and_the_report_names_its_files(
    url: str, pets: Conn, tmp_path: Path
) -> None:
    exports.export(pets, "pets", tmp_path / "coco", format="coco")
    exports.export(pets, "pets", tmp_path / "wds", format="webdataset")
    assert exports.exports(pets, stale=True) == []
    with connect(url, role="smartdb_privacy") as officer:
        asked = erasure.preview(officer, media_ids=[1]).report["exports"]
        (done,) = erasure.erase(officer, media_ids=[1], reason="asked for")
        officer.execute("insert into core.restriction (media_id, reason) values (2, 'consent')")
        officer.commit()
    assert done.report["exports"] == asked
    assert [(e["format"], e["n_erased"]) for e in asked] == [("coco", 1), ("webdataset", 1)]
    (file,) = asked[0]["files"]
    assert (tmp_path / "coco" / file).is_file()
    assert asked[1]["files"] == ["train-000000.tar"]
    with connect(url, role="smartdb_reader") as reader:
        stale = exports.exports(reader, stale=True)
        assert [(e.n_erased, e.n_restricted) for e in stale] == [(1, 1), (1, 1)]
        seen = reader.execute("select distinct media_id from smartdb.export_item order by 1")
        assert [media_id for (media_id,) in seen] == [3, 4, 5, 6]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select * from core.export_part")
    again = exports.export(pets, "pets", tmp_path / "new", format="coco", leave_out_refused=True)
    assert (again.n_items, dict(again.left_out)) == (4, {"refused": 1, "erased": 1})


def test_a_picture_that_changed_or_is_gone_stops_the_export(pets: Conn, tmp_path: Path) -> None:
    (uri,) = pets.execute("select uri from smartdb.media where media_id = 5").fetchone() or ("",)
    path = Path(os.fsdecode(walk.path_of(uri)))
    good = path.read_bytes()
    try:
        path.write_bytes(b"other bytes")
        with pytest.raises(NotFound, match="has changed since"):
            exports.export(pets, "pets", tmp_path / "out", format="huggingface")
    finally:
        path.write_bytes(good)
    exports.export(pets, "pets", tmp_path / "out", format="huggingface")


def test_links_lead_to_where_pictures_lie(pets: Conn, tmp_path: Path) -> None:
    exports.export(pets, "pets", tmp_path / "out", format="folders", pictures="link")
    links = [path for path in (tmp_path / "out").glob("*/*/*") if path.is_symlink()]
    assert len(links) == len(SPLITS)
    assert exports.verify(pets, tmp_path / "out").wrong == ()
    with pytest.raises(InvalidInput, match="carry their pictures"):
        exports.export(pets, "pets", tmp_path / "tar", format="webdataset", pictures="link")


def test_unknown_words_are_refused(pets: Conn, tmp_path: Path) -> None:
    known = {"format": "coco"}
    for wrong in ({"format": "xls"}, known | {"pictures": "some"}, known | {"names": "mine"}):
        with pytest.raises(InvalidInput):
            exports.export(pets, "pets", tmp_path / "out", **wrong)
    with pytest.raises(NotFound, match="no sealed version 9"):
        exports.export(pets, "pets", tmp_path / "out", format="coco", version=9)
    assert list(tmp_path.iterdir()) == []


def test_a_place_in_a_store_holds_the_same(
    pets: Conn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec, obstore = pytest.importorskip("fsspec"), pytest.importorskip("obstore")
    bucket = pytest.importorskip("obstore.store").MemoryStore()
    monkeypatch.setattr(objects, "_store", lambda _: bucket)
    exports.export(pets, "pets", tmp_path / "out", format="parquet", shard_bytes=1)
    for place in ("memory://exports/pets", "s3://exports/pets"):
        done = exports.export(pets, "pets", place, format="parquet", shard_bytes=1)
        assert exports.verify(pets, done.uri).wrong == ()
        with pytest.raises(Conflict):
            exports.export(pets, "pets", place, format="coco")
    system = fsspec.filesystem("memory")
    found = {path.removeprefix("/exports/pets/"): system.cat(path)
             for path in system.find("/exports/pets")}  # fmt: skip
    assert found == bytes_in(tmp_path / "out")
    keys = [meta["path"] for page in obstore.list(bucket) for meta in page]
    held = {key.removeprefix("pets/"): bytes(obstore.get(bucket, key).bytes()) for key in keys}
    assert held == found


def test_the_command_the_api_and_the_asset_export_alike(
    url: str, pets: Conn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dg = pytest.importorskip("dagster")
    from click.testing import CliRunner
    from smartdb.api import create_app
    from smartdb.pipelines import exporting
    from smartdb.pipelines.resources import Database, Loop

    from smartdb.cli import main

    monkeypatch.setenv("SMARTDB_DATABASE_URL", url)
    arguments = ["export", "pets", "--format", "coco", str(tmp_path / "a"), "--json"]
    made = CliRunner().invoke(main, arguments)
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    settings = {"destination": str(tmp_path / "b"), "format": "coco", "dataset": "pets"}
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [exporting.export], instance=instance,
            resources={"database": Database(), "loop": Loop()},
            run_config={"ops": {"export": {"config": settings}},
                        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )  # fmt: skip
    (event,) = done.asset_materializations_for_node("export")
    assert event.metadata["manifest"].value == told["manifest_sha256"]
    app = create_app(url)
    client = app.test_client()
    page = client.get("/v1/datasets/pets/versions/1/exports?limit=1").json
    assert [e["uri"] for e in page["items"]] == [(tmp_path / "a").as_uri()]
    rest = client.get(f"/v1/datasets/pets/versions/1/exports?after={page['next']}").json
    assert [e["uri"] for e in rest["items"]] == [(tmp_path / "b").as_uri()]
    assert client.get("/v1/datasets/pets/versions/9/exports").status_code == 404
    good = CliRunner().invoke(main, ["export", "verify", str(tmp_path / "a")])
    (tmp_path / "a" / "annotations" / "instances_val.json").unlink()
    bad = CliRunner().invoke(main, ["export", "verify", str(tmp_path / "a")])
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "is missing" in bad.stdout
    assert CliRunner().invoke(main, ["export", "list", "pets"]).stdout.count("complete") == 2
    app.extensions["smartdb"].close()
