"""Region vectors: keyed by label row, never stale, hidden and erased with their media."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import contents, crops, embeddings, encoders, regions, walk
from smartdb.errors import Conflict, InvalidInput, NotFound

Connection = psycopg.Connection[Any]

LABELS = """
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'two');
insert into core.class (ontology_id, name, version_from) values (1, 'disc', 1), (1, 'square', 1);
insert into core.actor (name, kind) values ('file', 'import'), ('ana', 'person');
insert into core.label (media_id, class_id, kind, x, y, w, h, shape, origin, actor_id) values
    (1, 1, 'box', 2, 2, 20, 20, null, 'import', 1),
    (1, 2, 'polygon', 30, 10, 20, 30,
     '{"polygons": [[[[30, 10], [50, 10], [50, 40], [30, 40]]]]}', 'import', 1),
    (1, 1, 'box', 55, 40, 30, 30, null, 'import', 1),
    (1, 1, 'box', 1, 1, 2, 30, null, 'import', 1),
    (1, 1, 'box', 90, 1, 9, 9, null, 'import', 1),
    (2, 2, 'mask', 5, 5, 30, 30, '{"size": [48, 64], "counts": "0"}', 'import', 1),
    (2, 1, 'rotated_box', 30, 5, 30, 30,
     '{"corners": [[30, 5], [60, 5], [60, 35], [30, 35]]}', 'import', 1),
    (3, 1, 'box', 5, 5, 30, 30, null, 'import', 1),
    (1, 1, 'keypoints', 5, 5, 30, 30, '{"points": [[5, 5, 2], [35, 35, 2]]}', 'import', 1),
    (1, 1, 'caption', null, null, null, null, '{"text": "a disc"}', 'import', 1),
    (1, 1, 'classification', null, null, null, null, null, 'import', 1);
"""


@pytest.fixture
def encoder() -> encoders.Encoder:
    """The one without weights."""
    return encoders.load("descriptor", batch_size=2)


@pytest.fixture
def pictures(owner: Connection, tmp_path: Path) -> Path:
    """Media 1 to 3 of 64 x 48 pixels with `LABELS`: boxes, an outline, a mask and others."""
    owner.execute("insert into core.run (kind, code_version) values ('ingest', '0')")
    owner.execute("insert into core.source (name, uri) values ('drawn', 'file:///drawn')")
    rng = np.random.default_rng(0)
    for media_id in (1, 2, 3):
        path = tmp_path / f"{media_id}.png"
        Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8)).save(path)
        values = [hashlib.sha256(path.read_bytes()).digest(), walk.uri_of(str(path).encode())]
        owner.execute(
            "with new as (insert into core.media"
            " (sha256, kind, mime, n_bytes, width, height, run_id)"
            " values (%s, 'image', 'image/png', 1, 64, 48, 1) returning media_id)"
            " insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)"
            " select media_id, 1, %s, 1, now() from new",
            values,
        )
    owner.execute(LABELS.encode())
    owner.commit()
    return tmp_path


@pytest.fixture
def embedded(pictures: Path, conn: Connection, encoder: encoders.Encoder) -> dict[str, int]:
    """The counts of embedding all regions."""
    return regions.embed(conn, encoder, workers=1)


def rows(conn: Connection, query: str, *values: Any) -> list[Any]:
    """The rows of a query, those of one column as values."""
    found = conn.execute(query.encode(), values).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def test_regions_get_one_vector_each_and_a_second_run_does_nothing(
    embedded: dict[str, int], conn: Connection, encoder: encoders.Encoder
) -> None:
    assert {name: n for name, n in embedded.items() if n} == {"added": 6, "outside": 1, "tiny": 1}
    query = "select label_id from smartdb.region_embedding_1 order by label_id"
    assert rows(conn, query) == [1, 2, 3, 6, 7, 8]
    gap = "select label_id, problem from smartdb.region_gap('descriptor') order by label_id"
    assert rows(conn, gap) == [(4, "tiny"), (5, "outside")]
    again = regions.embed(conn, encoder)
    assert {name: n for name, n in again.items() if n} == {"outside": 1, "tiny": 1}
    assert rows(conn, "select count(*) from core.run where kind = 'embed'") == [1]


@pytest.mark.usefixtures("embedded")
def test_an_edited_box_has_no_vector_until_it_gets_its_own(
    conn: Connection, encoder: encoders.Encoder
) -> None:
    before = regions.read_vector(conn, 1, "descriptor")
    conn.execute("update core.label set rev_to = 0 where label_id = 1")
    conn.execute(
        "insert into core.label (object_id, media_id, class_id, kind, x, y, w, h, origin, actor_id)"
        " select object_id, media_id, class_id, kind, 9, 9, w, h, 'human', 2"
        " from core.label where label_id = 1"
    )
    conn.commit()
    gap = "select label_id from smartdb.region_gap('descriptor') where problem is null"
    (new,) = rows(conn, gap)
    assert 1 not in rows(conn, "select label_id from smartdb.region_embedding_1")
    with pytest.raises(NotFound, match="no vector of encoder descriptor for the region of label 1"):
        regions.read_vector(conn, 1, "descriptor")
    conn.rollback()
    counts = regions.embed(conn, encoder)
    assert (counts["added"], counts["pruned"]) == (1, 1)
    assert rows(conn, "select count(*) from core.region_embedding_1 where label_id = 1") == [0]
    assert not np.allclose(before, regions.read_vector(conn, new, "descriptor"))


def test_a_picture_is_decoded_once_and_its_regions_are_its_pixels(
    pictures: Path, conn: Connection, encoder: encoders.Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    load = contents.load_rgb

    def counted(content: Any, **options: Any) -> Image.Image:
        read.append(content.media_id)
        return load(content, **options)

    monkeypatch.setattr(contents, "load_rgb", counted)
    regions.embed(conn, encoder, margin=0, workers=2)
    assert sorted(read) == [1, 2, 3]
    part = Image.open(pictures / "1.png").crop((30, 10, 50, 40))
    expected = encoder.encode([part])[0]
    assert np.allclose(regions.read_vector(conn, 2, "descriptor"), expected, atol=1e-3)


@pytest.mark.usefixtures("embedded")
def test_what_is_nearest_among_regions_and_media_is_one_statement(
    conn: Connection, encoder: encoders.Encoder
) -> None:
    embeddings.embed(conn, encoder)
    near = regions.nearest(conn, 1, "descriptor", 3)
    assert [row["label_id"] for row in near] == rows(
        conn,
        "select b.label_id from smartdb.region_embedding_1 as a, smartdb.region_embedding_1 as b"
        " where a.label_id = 1 and b.label_id <> 1 order by a.v <=> b.v, b.label_id limit 3",
    )
    by_class = "select count(*) from smartdb.similar_region(2, 'descriptor', 9, %s)"
    assert rows(conn, by_class, "l.class = 'disc'") == [4]
    across = (
        "select r.label_id, n.media_id from smartdb.region as r, lateral smartdb.nearest("
        " smartdb.vector_of_region(r.label_id, 'descriptor'), 'descriptor', 1) as n"
        " where r.problem is null"
    )
    assert len(rows(conn, across)) == 6
    back = (
        "select count(*) from smartdb.nearest_region("
        " smartdb.vector_of(2, 'descriptor'), 'descriptor', 9)"
    )
    assert rows(conn, back) == [6]


@pytest.mark.usefixtures("embedded")
def test_the_index_finds_the_same_and_is_never_short(conn: Connection) -> None:
    query = "select label_id from smartdb.similar_region(1, 'descriptor', 3, %s)"
    exact = [rows(conn, query, where) for where in ("true", "l.kind = 'mask'")]
    conn.execute("select core.index_regions(1)")
    assert [rows(conn, query, where) for where in ("true", "l.kind = 'mask'")] == exact
    assert exact[1] == [6]


@pytest.mark.usefixtures("embedded")
def test_a_predicate_that_is_none_or_writes_is_refused(
    as_role: Callable[[str], Connection],
) -> None:
    conn = as_role("smartdb_writer")
    writing = "nextval('core.label_object') > 0"
    for wrong in ("l.colour = 1", "true) or (true", "true; drop table core.label", writing):
        with pytest.raises(InvalidInput, match=r"the predicate .* does not work"):
            regions.nearest(conn, 1, "descriptor", 3, wrong)
        conn.rollback()


@pytest.mark.usefixtures("embedded")
def test_regions_of_a_hidden_media_are_hidden(
    owner: Connection, as_role: Callable[[str], Connection]
) -> None:
    vector = rows(owner, "select v from smartdb.region_embedding_1 where label_id = 8")[0]
    owner.execute("insert into core.restriction (media_id, reason) values (3, 'consent')")
    owner.execute("delete from core.region_embedding_1 where label_id = 1")
    owner.commit()
    for role in ("smartdb_reader", "smartdb_writer"):
        conn = as_role(role)
        seen = "select label_id from smartdb.nearest_region(%s, 'descriptor', 9)"
        assert sorted(rows(conn, seen, vector)) == [2, 3, 6, 7]
        assert 8 not in rows(conn, "select label_id from smartdb.region")
        assert 8 not in rows(conn, "select label_id from smartdb.region_gap('descriptor')")
        with pytest.raises(psycopg.Error, match="no vector"):
            conn.execute("select smartdb.vector_of_region(8, 'descriptor')")
        conn.rollback()
    query = "select count(*) from core.region_embedding_1 where label_id = 8"
    assert rows(as_role("smartdb_writer"), query) == [0]


@pytest.mark.usefixtures("embedded")
def test_erasing_a_media_erases_the_vectors_of_its_regions(
    owner: Connection, as_role: Callable[[str], Connection]
) -> None:
    officer = as_role("smartdb_privacy")
    officer.execute("select core.begin_erasure('asked', 'media 1', '0', '{1}')")
    officer.execute("select core.erase_rows(1)")
    officer.commit()
    assert rows(owner, "select label_id from core.region_embedding_1 order by 1") == [6, 7, 8]
    assert rows(owner, "select (report ->> 'vectors')::int from core.erasure") == [3]


def test_an_unreadable_picture_is_said_so_and_tried_again(
    pictures: Path, conn: Connection, encoder: encoders.Encoder
) -> None:
    bytes_of = (pictures / "1.png").read_bytes()
    (pictures / "1.png").unlink()
    counts = regions.embed(conn, encoder)
    assert (counts["added"], counts["missing"]) == (3, 3)
    assert rows(conn, "select reason from smartdb.quarantine") == ["missing"]
    (pictures / "1.png").write_bytes(bytes_of)
    assert regions.embed(conn, encoder)["added"] == 3
    assert rows(conn, "select reason from smartdb.quarantine") == []


def test_a_run_that_broke_off_is_continued(
    pictures: Path, conn: Connection, encoder: encoders.Encoder
) -> None:
    calls = []

    def forward(batch: Any) -> Any:
        calls.append(len(batch))
        if len(calls) == 3:
            raise MemoryError("no more")
        return encoder.forward(batch)

    with pytest.raises(MemoryError):
        regions.embed(conn, replace(encoder, forward=forward), chunk=2)
    assert rows(conn, "select count(*) from core.region_embedding_1") == [4]
    assert regions.embed(conn, encoder)["added"] == 2


@pytest.mark.usefixtures("embedded")
def test_all_regions_of_an_encoder_are_cut_out_alike(
    conn: Connection, encoder: encoders.Encoder
) -> None:
    with pytest.raises(Conflict, match=r"margin of 0\.1; for another one give it a name"):
        regions.embed(conn, encoder, margin=0.5)
    conn.rollback()
    with pytest.raises(InvalidInput, match="0 to 2, not 3"):
        regions.embed(conn, encoder, margin=3)
    assert rows(conn, "select region_margin from smartdb.encoder") == [0.1]


def test_a_crop_stays_in_the_picture_and_has_something() -> None:
    picture = Image.new("RGB", (64, 48))
    assert crops.crop(picture, (60, 40, 10, 10), 0.5).size == (9, 13)
    assert crops.crop(picture, (1.5, 1.5, 1, 1), 0).size == (2, 2)
    for box in ((64, 1, 5, 5), (-5, 1, 5, 5), (1, 1, 0, 5)):
        with pytest.raises(InvalidInput, match="nothing of a picture of 64 x 48"):
            crops.crop(picture, box)


def test_the_command_embeds_and_nearest_searches(pictures: Path, cli: Callable[..., Any]) -> None:
    done = json.loads(cli("regions", "--encoder", "descriptor", "--json").stdout)
    assert (done["added"], done["tiny"]) == (6, 1)
    by_label = json.loads(cli("nearest", "--region", "2", "-k", "2", "--json").stdout)
    assert len(by_label) == 2
    box = cli("nearest", str(pictures / "1.png"), "--box", "30,10,20,30", "-k", "1", "--json")
    assert json.loads(box.stdout)[0]["label_id"] == 2
    assert "label_id" in cli("nearest", "1", "--among", "regions").stdout
    assert cli("nearest", "--region", "2", "--among", "media").exit_code == 0
    for wrong in (
        ("nearest",),
        ("nearest", "1", "--box", "1,2"),
        ("nearest", "1", "--region", "1"),
    ):
        assert cli(*wrong).exit_code == 2


@pytest.mark.usefixtures("embedded")
def test_the_api_tells_the_regions_like_one(database: str) -> None:
    from smartdb.api import create_app

    app = create_app(database)
    client = app.test_client()
    answer = client.get("/v1/labels/1/similar?k=2")
    assert [answer.status_code, len(answer.json["items"])] == [200, 2]
    assert client.get("/v1/labels/4/similar").status_code == 404
    assert client.get("/v1/labels/1/similar?encoder=none").status_code == 404
    app.extensions["smartdb"].close()


@pytest.mark.usefixtures("embedded")
def test_the_page_runs(cli: Callable[..., Any], as_role: Callable[[str], Connection]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to-regions.md").read_text()
    commands, statements = re.findall(r"^```(?:sh|sql)\n(.*?)^```", page, re.M | re.S)
    assert cli("embed", "--encoder", "descriptor").exit_code == 0
    for line in commands.splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    conn = as_role("smartdb_reader")
    conn.execute("set search_path = smartdb, public")
    for statement in statements.split(";\n")[:-1]:
        assert rows(conn, statement)
