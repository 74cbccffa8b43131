"""Detectors look once, clean copies replace what may not be seen, originals stay hidden."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image, ImageDraw
from psycopg import sql

from smartdb import contents, detection, detectors, images, labels, metadata, server, terms
from smartdb.database import connect
from smartdb.detectors import Box, Detector
from smartdb.errors import InvalidInput, NotFound
from smartdb.ingest import ingest
from smartdb.sanitise import sanitise

Connection = psycopg.Connection[Any]
FACE = (40, 30, 24, 24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.jpg tells its place, b.png has a black square, c.png is nothing special."""
    folder = tmp_path_factory.mktemp("street")
    (folder / "cars").mkdir()
    scene = Image.effect_noise((128, 96), 60).point(lambda value: max(value, 20)).convert("RGB")
    block = Image.Exif()
    block.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    block.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    scene.save(folder / "cars" / "a.jpg", exif=block, comment=b"by Ada")
    scene.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(folder / "cars" / "c.png")
    x, y, w, h = FACE
    ImageDraw.Draw(scene).rectangle((x, y, x + w - 1, y + h - 1), fill="black")
    scene.save(folder / "cars" / "b.png")
    return folder


@pytest.fixture(scope="module")
def street_template(server_home: Path, template: str, folder: Path) -> str:
    """The name of a database with the source street, which is only ever copied."""
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database smartdb_street template {}")
        admin.execute(copy.format(sql.Identifier(template)))
    with connect(server.url(server_home, "smartdb_street")) as conn:
        ingest(conn, folder, source="street", workers=1)
        labels.import_folder_labels(conn, "street")
    return "smartdb_street"


@pytest.fixture
def database(databases: Any, street_template: str) -> str:
    return str(databases.copy(street_template))


@pytest.fixture
def street(conn: Connection) -> Connection:
    return conn


@pytest.fixture
def officer(street: Connection, as_role: Callable[[str], Connection]) -> Connection:
    return as_role("smartdb_privacy")


def forbid(officer: Connection, *kinds: str, strip: tuple[str, ...] = ()) -> None:
    terms.set_source(officer, "street", forbidden_finding=list(kinds), strip_metadata=list(strip))
    officer.commit()


def named(conn: Connection, name: str) -> int:
    ((media_id,),) = conn.execute(
        "select media_id from core.media_location where uri like %s", ["%" + name]
    ).fetchall()
    conn.commit()
    return int(media_id)


def found_at(
    officer: Connection, media_id: int, region: tuple[int, ...], kind: str = "face"
) -> None:
    officer.execute(
        "insert into core.finding (media_id, kind, region, run_id) values (%s, %s, %s, 1)",
        [media_id, kind, list(region)],
    )
    officer.commit()


def copy_of(officer: Connection, media_id: int) -> int:
    ((copy,),) = officer.execute(
        "select media_id from core.media where parent_media_id = %s", [media_id]
    ).fetchall()
    officer.commit()
    return int(copy)


def dark_squares(rest: str) -> Detector:
    """A plug-in: what is black and as large as FACE."""

    def find(rgb: np.ndarray) -> list[Box]:
        ys, xs = np.where((rgb == 0).all(axis=2))
        size = (float(np.ptp(xs)) + 1, float(np.ptp(ys)) + 1) if len(xs) > 400 else None
        return [Box(1.0, float(xs.min()), float(ys.min()), *size)] if size else []

    return Detector("dark:" + rest, "face", "1", find, {"rest": rest})


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An installed package with the detector `dark_squares`, found by processes of their own."""
    folder = tmp_path / "site"
    (folder / "dark-1.dist-info").mkdir(parents=True)
    (folder / "dark-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: dark\nVersion: 1\n"
    )
    (folder / "dark-1.dist-info" / "entry_points.txt").write_text(
        "[smartdb.detectors]\ndark = dark:dark_squares\n"
    )
    source = Path(__file__).read_text()
    body = source[source.index("def dark_squares") : source.index("@pytest.fixture\ndef plug_in")]
    head = "import numpy as np\nfrom smartdb.detectors import Box, Detector\n"
    (folder / "dark.py").write_text(head + body)
    monkeypatch.syspath_prepend(str(folder))
    return "dark:24"


def test_a_plug_in_looks_once_and_says_who_it_is(officer: Connection, plug_in: str) -> None:
    forbid(officer, "face")
    counts = detection.detect(officer, "street", plug_in, workers=1)
    assert counts == {"looked": 3, "media": 1, "found": 1, "problems": 0}
    rows = officer.execute("select media_id, region, detail, is_hidden from smartdb.finding_open"
                           " where kind = 'face'").fetchall()  # fmt: skip
    officer.commit()
    told = {"detector": "dark:24", "version": "1", "parameters": {"rest": "24"}}
    assert rows == [(named(officer, "b.png"), [float(v) for v in FACE], told, True)]
    assert detection.detect(officer, "street", plug_in, workers=1)["looked"] == 0
    assert detection.detect(officer, "street", "dark:other", workers=1)["looked"] == 3


def test_a_file_that_is_gone_is_a_problem_that_is_tried_again(
    officer: Connection, plug_in: str, folder: Path, tmp_path: Path
) -> None:
    path = folder / "cars" / "b.png"
    path.rename(tmp_path / "away")
    assert detection.detect(officer, "street", plug_in, workers=1)["problems"] == 1
    (tmp_path / "away").rename(path)
    again = detection.detect(officer, "street", plug_in, workers=1)
    assert (again["looked"], again["found"], again["problems"]) == (1, 1, 0)


def test_what_is_not_there_is_named(officer: Connection) -> None:
    with pytest.raises(InvalidInput, match="haar:frontalface"):
        detectors.load("magic")
    with pytest.raises(InvalidInput, match="frontalface"):
        detectors.load("haar:magic")
    with pytest.raises(InvalidInput, match="yunet:FILE"):
        detectors.load("yunet:nowhere.onnx")
    with pytest.raises(NotFound, match="no source 'x'"):
        sanitise(officer, "x")


def test_a_clean_copy_replaces_a_photo_that_tells_its_place(
    officer: Connection, street: Connection
) -> None:
    forbid(officer, "gps")
    original = named(officer, "a.jpg")
    assert sanitise(officer, "street", workers=1) == {
        "cleaned": 1,
        "changed": 0,
        "unread": 0,
        "left": 0,
    }
    copy = copy_of(officer, original)
    seen = street.execute(
        "select kind, mime, source, exif, parent_media_id, captured_at is not null"
        " from smartdb.media where media_id = %s", [copy]).fetchall()  # fmt: skip
    assert seen == [
        ("image", "image/jpeg", "street", {"DateTimeOriginal": "2020:01:02 03:04:05"}, None, True)
    ]
    assert (
        street.execute("select from smartdb.media where media_id = %s", [original]).fetchall() == []
    )
    data = contents.read_bytes(contents.find(street, copy))
    street.commit()
    assert metadata.left(data) == []
    ((is_managed, uri),) = officer.execute(
        "select is_managed, uri from core.media_location where media_id = %s", [copy]
    ).fetchall()
    assert is_managed
    assert f"/media/{uri[-64:-62]}/" in uri


def test_a_second_run_has_nothing_to_do_and_findings_name_the_copy(officer: Connection) -> None:
    forbid(officer, "gps")
    original = named(officer, "a.jpg")
    sanitise(officer, "street", workers=1)
    assert sum(sanitise(officer, "street", workers=1).values()) == 0
    rows = officer.execute(
        "select kind, resolution, (detail ->> 'derivative')::bigint from core.finding"
        " where media_id = %s and kind in ('gps', 'comment')"
        " order by 1", [original]).fetchall()  # fmt: skip
    copy = copy_of(officer, original)
    assert rows == [("comment", "removed", copy), ("gps", "removed", copy)]


def test_the_original_stays_hidden_whatever_the_policy_says_later(
    officer: Connection, street: Connection
) -> None:
    forbid(officer, "gps")
    sanitise(officer, "street", workers=1)
    forbid(officer)
    original = named(officer, "a.jpg")
    assert (
        street.execute("select from smartdb.media where media_id = %s", [original]).fetchall() == []
    )


def test_metadata_that_are_to_be_stripped_are_replaced_without_being_hidden_before(
    officer: Connection, street: Connection
) -> None:
    forbid(officer, strip=("comment",))
    original = named(officer, "a.jpg")
    assert street.execute("select count(*) from smartdb.media").fetchall() == [(3,)]
    street.commit()
    assert sanitise(officer, "street", workers=1)["cleaned"] == 1
    assert copy_of(officer, original)


@pytest.mark.parametrize("how", ["blur", "fill", "pixelate"])
def test_a_region_is_gone_and_the_rest_is_the_same(officer: Connection, how: Any) -> None:
    forbid(officer, "face")
    original = named(officer, "b.png")
    found_at(officer, original, FACE)
    assert sanitise(officer, "street", how=how, workers=1)["cleaned"] == 1
    copy = images.load_rgb(contents.read_bytes(contents.find(officer, copy_of(officer, original))))
    before = images.load_rgb(contents.read_bytes(contents.find(officer, original)))
    a, b = np.asarray(copy, int), np.asarray(before, int)
    assert (a[:20] == b[:20]).all()  # PNG stays PNG
    assert not (a[26:58, 36:68] == b[26:58, 36:68]).all()


def test_labels_keep_their_word_unless_most_of_them_was_removed(
    officer: Connection, street: Connection
) -> None:
    forbid(officer, "face")
    original = named(officer, "b.png")
    for x, y, w, h in (FACE, (0, 0, 20, 20)):
        street.execute(
            "insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)"
            " values (%s, 1, 'box', %s, %s, %s, %s, 'import', 1)",
            [original, x, y, w, h],
        )
    street.commit()
    found_at(officer, original, FACE)
    sanitise(officer, "street", workers=1)
    rows = street.execute(
        "select kind, x, origin, actor from smartdb.label where media_id = %s order by kind, x",
        [copy_of(officer, original)]).fetchall()  # fmt: skip
    assert rows == [
        ("box", 0, "import", "folder names"),
        ("box", 40, "propagated", "folder names"),
        ("classification", None, "import", "folder names"),
    ]


def test_original_and_copy_are_on_one_side_of_every_split(
    officer: Connection, street: Connection
) -> None:
    original = named(officer, "a.jpg")
    group = "select split_group from smartdb.split_group where media_id = %s"
    before = street.execute(group, [original]).fetchall()
    street.commit()
    forbid(officer, "gps")
    sanitise(officer, "street", workers=1)
    copy = copy_of(officer, original)
    assert street.execute(group, [copy]).fetchall() == before
    assert officer.execute(group, [original]).fetchall() == before
    street.commit()
    found_at(officer, copy, FACE, "gps")  # and so is a copy of the copy
    sanitise(officer, "street", workers=1)
    assert street.execute(group, [copy_of(officer, copy)]).fetchall() == before
    members = street.execute(
        "select media_id, is_representative from smartdb.duplicate_group"
    ).fetchall()
    assert members == [(copy_of(officer, copy), True)]


def test_two_originals_with_the_same_pixels_share_one_copy(
    officer: Connection, street: Connection, folder: Path, tmp_path: Path
) -> None:
    data = (folder / "cars" / "a.jpg").read_bytes()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "d.jpg").write_bytes(data.replace(b"by Ada", b"by Bob"))
    ingest(street, tmp_path / "more", source="more", workers=1)
    officer.execute("update core.source set forbidden_finding = '{gps}' where name = 'more'")
    officer.commit()
    sanitise(officer, "more", workers=1)
    forbid(officer, "gps")
    assert sanitise(officer, "street", workers=1)["cleaned"] == 1
    ((n,),) = officer.execute(
        "select count(*) from core.media where recipe ->> 'step' = 'sanitise'"
    ).fetchall()
    assert n == 1


def test_what_only_a_person_can_settle_is_left(officer: Connection) -> None:
    forbid(officer, "blurry")
    officer.execute(
        "insert into core.finding (media_id, kind, run_id) values (%s, 'blurry', 1)",
        [named(officer, "c.png")],
    )
    officer.commit()
    assert sanitise(officer, "street", workers=1)["left"] == 1


def test_a_file_that_is_gone_is_noted_at_its_findings(
    officer: Connection, folder: Path, tmp_path: Path
) -> None:
    forbid(officer, "gps")
    path = folder / "cars" / "a.jpg"
    path.rename(tmp_path / "away")
    assert sanitise(officer, "street", workers=1)["unread"] == 1
    (tmp_path / "away").rename(path)
    ((note,),) = officer.execute(
        "select detail ->> 'not_cleaned' from core.finding where kind = 'gps'"
    ).fetchall()
    assert "no file" in note


def test_a_finding_that_comes_while_a_copy_is_made_refuses_the_copy(officer: Connection) -> None:
    forbid(officer, "face")
    media_id = named(officer, "b.png")
    found_at(officer, media_id, FACE)
    found_at(officer, media_id, (1, 1, 9, 9))
    add = (
        "select core.add_derivative(%s, sha256('x'), 'image/png', 9, null, null, '{}', '{}',"
        " null, '{}', 'file:///m',"
        " (select array_agg(finding_id) from core.finding where kind = 'face'"
        " and region[1] = 40), 1)"
    )
    assert officer.execute(add, [media_id]).fetchall() == [(None,)]


def test_the_commands_do_the_same(cli: Callable[..., Any], officer: Connection) -> None:
    assert cli("source", "set", "street", "--forbid", "gps,face", "--strip", "all").exit_code == 0
    pytest.importorskip("cv2")
    looked = json.loads(cli("detect", "--source", "street", "--workers", "1", "--json").stdout)
    assert looked["haar:frontalface"]["looked"] == 3
    listed = json.loads(cli("finding", "list", "--kind", "gps", "--json").stdout)
    assert [finding["is_hidden"] for finding in listed] == [True]
    settled = cli(
        "finding", "resolve", str(listed[0]["finding_id"]), "--as", "accepted", "--note", "fine"
    )
    assert "seen" in settled.stdout
    assert cli("finding", "resolve", str(listed[0]["finding_id"]), "--as", "open").exit_code == 0
    done = json.loads(
        cli("sanitise", "--source", "street", "--fill", "--workers", "1", "--json").stdout
    )
    assert done["cleaned"] >= 1
    data = io.BytesIO(
        contents.read_bytes(contents.find(officer, copy_of(officer, named(officer, "a.jpg"))))
    )
    assert "icc_profile" not in Image.open(data).info
