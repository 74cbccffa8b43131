"""Tasks to CVAT and back: by its XML for images and videos, and by its backup of a task."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import exchange_conflicts, exchange_in, exchange_out
from smartdb.errors import InvalidInput, NotFound
from smartdb.formats import cvat_task, masks
from smartdb.formats.base import Annotation, Picture

Connection = psycopg.Connection[Any]

CLASSES = """
insert into core.ontology (name) values ('animals');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from) values
(1, 'cat', 1), (1, 'dog', 1), (1, 'かもめ "γ" <&>', 1);
"""
PIXELS = np.zeros((24, 32), bool)
PIXELS[5:11, 7:20] = True
LABELS: list[dict[str, Any]] = [
    {"class": "cat", "kind": "box", "x": 3.123456, "y": 4.5, "w": 10.1, "h": 8},
    {"class": "dog", "kind": "rotated_box",
     "shape": {"corners": [[10, 4], [14, 7], [11, 11], [7, 8]]}},
    {"class": "dog", "kind": "mask", "shape": masks.of_pixels(PIXELS)[1]},
    {"class": 'かもめ "γ" <&>', "kind": "polygon", "attributes": {"seen": "ja", "n": 3},
     "shape": {"polygons": [[[[1, 1], [9, 1], [9, 9]]]]}},
    {"class": "dog", "kind": "polygon",
     "shape": {"polygons": [[[[1, 1], [9, 1], [9, 9]], [[4, 2], [6, 2], [6, 4]]]]}},
    {"class": "cat", "kind": "keypoints", "shape": {"points": [[5.5, 6.25, 2], [7, 8, 1]]}},
    {"class": "cat", "kind": "polyline", "shape": {"points": [[1, 2], [8, 9], [20, 3]]}},
    {"class": "cat"},
]  # fmt: skip


@pytest.fixture
def animals(owner: Connection, conn: Connection) -> Connection:
    """Media 1 with a label of every kind that ana said, and media 2 with a class."""
    owner.execute(CLASSES)
    owner.commit()
    for media_id, labels in ((1, LABELS), (2, [{"class": "dog"}])):
        query = b"select smartdb.add_labels(%s, 'ana', %s)"
        conn.execute(query, (media_id, json.dumps(labels)))
    conn.commit()
    return conn


def said(conn: Connection, media_id: int) -> dict[tuple[str, str], tuple[Any, ...]]:
    query = b"select class, kind, object_id, x, actor from smartdb.label where media_id = %s"
    return {tuple(row[:2]): row[2:] for row in conn.execute(query, (media_id,)).fetchall()}


def back(conn: Connection, path: Path, text: str, **options: Any) -> dict[str, int]:
    path.write_text(text)
    counts = exchange_in.receive(conn, path, **{"actor": "bo", **options}).counts
    return {name: n for name, n in counts.items() if n}


def test_xml_of_images_goes_out_and_comes_back(animals: Connection, tmp_path: Path) -> None:
    path = tmp_path / "task.xml"
    report = exchange_out.send(animals, path, "cvat", source="pets")
    assert (report.n_media, report.n_labels) == (10, 8)
    assert [p.detail for p in report.examples if "left out" in p.detail] == [
        "CVAT XML has no polygon like that of train/cat/1.png; it is left out"
    ]
    before = said(animals, 1)
    xml = path.read_text()
    rounded = xml.replace('xtl="3.123456"', 'xtl="3.12"').replace("</track>", "")
    counts = back(animals, tmp_path / "a.xml", rounded)
    assert (counts.pop("answers"), counts.pop("kept")) == (10, 8)
    assert not counts
    xml = xml.replace('xtl="3.123456"', 'xtl="5"')
    xml = re.sub(r"<polyline .*?</polyline>", "", xml, flags=re.S)
    xml = xml.replace(
        "</tag>", '</tag><box label="dog" xtl="1" ytl="1" xbr="9" ybr="9" occluded="0"/>', 1
    )
    counts = back(animals, tmp_path / "b.xml", xml)
    assert (counts["edited"], counts["removed"], counts["added"]) == (1, 1, 1)
    after = said(animals, 1)
    assert after["cat", "box"] == (before["cat", "box"][0], 5, "bo")
    assert after["dog", "box"][1:] == (1, "bo")
    assert ("cat", "polyline") not in after
    assert after["dog", "polygon"] == before["dog", "polygon"]  # what CVAT cannot hold stays
    assert back(animals, tmp_path / "c.xml", xml) == {"answers": 10, "known": 10}


def test_a_copied_shape_is_a_new_thing_and_a_file_without_marks_removes_nothing(
    animals: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "task.xml"
    exchange_out.send(animals, path, "cvat", source="pets")
    xml = path.read_text()
    box = re.search(r"<box .*?</box>", xml, re.S)
    assert box is not None
    copied = xml.replace(box[0], box[0] + box[0].replace('xtl="3.123456"', 'xtl="6"'))
    assert back(animals, tmp_path / "a.xml", copied)["added"] == 1
    bare = re.sub(r'<attribute name="smartdb">.*?</attribute>', "", xml)
    bare = re.sub(r"<mask .*?</mask>", "", bare, flags=re.S)
    with pytest.raises(InvalidInput, match="say --exchange"):
        back(animals, tmp_path / "b.xml", bare)
    with pytest.raises(NotFound, match="no exchange 99"):
        back(animals, tmp_path / "b.xml", bare, exchange_id=99)
    counts = back(animals, tmp_path / "b.xml", bare, exchange_id=1)
    assert (counts.get("removed"), counts.get("added")) == (None, None)


def test_a_broken_file_is_one_error_and_a_broken_shape_refuses_its_picture(
    animals: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "task.xml"
    exchange_out.send(animals, path, "cvat", source="pets")
    xml = path.read_text()
    before = said(animals, 1)
    for text in (xml[:-40], xml.replace("<image", "<!DOCTYPE x><image", 1), "<annotations>"):
        with pytest.raises(InvalidInput, match=r"a\.xml"):
            back(animals, tmp_path / "a.xml", text)
    with pytest.raises(InvalidInput, match="say --actor"):
        back(animals, tmp_path / "a.xml", xml, actor=None)
    broken = xml.replace('xtl="3.123456"', 'xtl="left"').replace("2.png", "unknown.png")
    counts = back(animals, tmp_path / "b.xml", broken)
    assert counts["refused"] == 2
    assert said(animals, 1) == before
    assert {each.reason for each in exchange_conflicts.refusals(animals)} == {
        "bad_shape", "unknown_media"
    }  # fmt: skip


def test_what_was_changed_here_too_is_a_conflict(animals: Connection, tmp_path: Path) -> None:
    path = tmp_path / "task.xml"
    exchange_out.send(animals, path, "cvat", source="pets")
    animals.execute(b"""select smartdb.edit_label(label_id, 'ana', '{"w": 5}')
    from smartdb.label where kind = 'box'""")
    animals.commit()
    xml = path.read_text().replace('xtl="3.123456"', 'xtl="5"')
    meta = "<task><assignee><username>eve</username></assignee></task>"
    xml = xml.replace("<meta>", f"<meta>{meta}")
    assert back(animals, tmp_path / "a.xml", xml, actor=None)["conflicts"] == 1
    (conflict,) = exchange_conflicts.conflicts(animals)
    assert (conflict.ours_actor, conflict.theirs_actor) == ("ana", "eve")


def test_tracks_of_a_video_go_out_and_come_back_by_their_key_frames(
    owner: Connection, conn: Connection, tmp_path: Path
) -> None:
    owner.execute(CLASSES.encode() + b"""
    insert into core.media (sha256, kind, mime, n_bytes, width, height, duration, run_id)
    values (sha256('v'), 'video', 'video/mp4', 9, 64, 48, 2, 1);
    insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
    values (11, 1, 'file:///pets/clips/a%20b.mp4', 9, '2026-01-01');
    insert into core.media (
        sha256, kind, mime, n_bytes, width, height, parent_media_id, frame_index, pts, run_id)
    select sha256(('f' || i)::bytea), 'frame', 'image/png', 0, 64, 48, 11, i * 10, i, 1
    from generate_series(0, 2) as i;
    insert into core.task (kind, media_id)
    select 'label', i from generate_series(12, 14) as i""")  # fmt: skip
    owner.commit()
    query = b"select smartdb.add_labels(%s, 'ana', %s)"
    for media_id, x in ((12, 1), (13, 11)):
        box = {"class": "cat", "kind": "box", "x": x, "y": 2, "w": 9, "h": 9, "track_id": 5}
        conn.execute(query, (media_id, json.dumps([box])))
    conn.commit()
    path = tmp_path / "video.xml"
    report = exchange_out.send(conn, path, "cvat", kind="label")
    assert (report.n_media, report.n_labels) == (3, 2)
    xml = path.read_text()
    assert xml.count("<track ") == 1
    counts = back(conn, tmp_path / "a.xml", xml)
    assert (counts["kept"], counts.get("added"), counts.get("removed")) == (2, None, None)
    moved = xml.replace('xtl="11"', 'xtl="13"').replace('xtl="11.0"', 'xtl="13"')
    between = moved.replace(
        '<box frame="10"', '<box frame="5" keyframe="0" outside="0" xtl="6" ytl="2" xbr="15" '
        'ybr="11"/><box frame="10"', 1
    )  # fmt: skip
    counts = back(conn, tmp_path / "b.xml", between)
    assert (counts["edited"], counts.get("added"), counts.get("refused")) == (1, None, None)
    query = b"select x, actor from smartdb.label where media_id in (12, 13) order by media_id"
    assert conn.execute(query).fetchall() == [(1, "ana"), (13, "bo")]


def test_a_backup_of_a_task_holds_what_was_written_to_it(tmp_path: Path) -> None:
    path = tmp_path / "task.zip"
    pictures = [Picture("a/ü 1.png", "", (32, 24)), Picture("b.png", "", (32, 24))]
    labels = [
        Annotation(
            "a/ü 1.png", each.get("kind", "classification"), each["class"], str(n),
            (each["x"], each["y"], each["w"], each["h"]) if "x" in each else (0, 0, 1, 1),
            each.get("shape"), {"seen": "ja"} if n == 3 else {},
        )
        for n, each in enumerate(LABELS)
        if n != 5  # points that are not all seen need a skeleton
    ]  # fmt: skip
    problems = cvat_task.write(path, "x", pictures, labels, [], lambda p: p.name.encode())
    assert [p.where for p in problems] == ["4"]  # the hole
    with zipfile.ZipFile(path) as opened:
        assert opened.read("data/a/ü 1.png") == "a/ü 1.png".encode()
    found = list(cvat_task.read(path))
    assert [each.name for each in found if isinstance(each, Picture)] == ["a/ü 1.png", "b.png"]
    read = {(a.class_name, a.kind): a for a in found if isinstance(a, Annotation)}
    assert len(read) == len(labels) - 1
    for n, each in enumerate(LABELS):
        if n not in (4, 5):
            one = read[each["class"], each.get("kind", "classification")]
            assert _near(one.shape, each.get("shape"))
            assert _near((one.box or [None])[0], each.get("x", (one.box or [None])[0]))
    assert read['かもめ "γ" <&>', "polygon"].attributes == {"seen": "ja"}


def _near(a: Any, b: Any) -> bool:
    from smartdb.exchange_answers import _close

    return _close(a, b)


def test_a_task_goes_out_with_its_pictures_and_comes_back(
    tmp_path: Path, cli: Callable[..., Any], conn: Connection
) -> None:
    from PIL import Image

    folder = tmp_path / "in" / "cat"
    folder.mkdir(parents=True)
    for number in range(2):
        Image.new("RGB", (32, 24), (9, 90, 30 * number)).save(folder / f"k{number}.png")
    assert cli("ingest", str(tmp_path / "in"), "--source", "in", "--workers", "1").exit_code == 0
    done = cli("labels", "import-folders", "--source", "in", "--ontology", "animals")
    assert done.exit_code == 0, done.output
    path = tmp_path / "task.zip"
    done = cli("exchange", "out", "cvat-task", str(path), "--source", "in", "--ontology", "animals")
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(path) as opened:
        names = opened.namelist()
        jobs = json.loads(opened.read("annotations.json"))
    assert {"data/cat/k0.png", "data/cat/k1.png", "task.json"} <= set(names)
    shape = {
        "type": "ellipse", "points": [10, 10, 14, 7], "frame": 1, "label": "cat", "rotation": 30.0,
        "occluded": True, "outside": False, "attributes": [], "elements": [],
    }  # fmt: skip
    jobs[0]["shapes"].append(shape)
    changed = tmp_path / "back.zip"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in names:
            text = json.dumps(jobs) if name == "annotations.json" else old.read(name)
            new.writestr(name, text)
    done = cli("exchange", "in", str(changed), "--actor", "eve", "--json")
    assert done.exit_code == 0, done.output
    counts = json.loads(done.stdout)
    assert (counts["added"], counts["kept"], counts["refused"]) == (1, 2, 0)
    query = b"select kind, w, attributes, actor from smartdb.label where kind <> 'classification'"
    kind, w, attributes, actor = conn.execute(query).fetchone()  # type: ignore[misc]
    assert (kind, actor, attributes) == ("rotated_box", "eve", {"occluded": True})
    assert 6 < w < 10
    jobs[0]["shapes"].append({**shape, "points": [1]})
    with zipfile.ZipFile(changed, "a") as new, pytest.warns(UserWarning, match="Duplicate"):
        new.writestr("annotations.json", json.dumps(jobs))
    receipt = exchange_in.receive(conn, changed, actor="eve")
    assert receipt.counts["removed"] == 0
    assert receipt.counts["refused"] == 1
    assert cli("exchange", "list").exit_code == 0
    assert "bad_shape" in cli("exchange", "refusals").stdout


@pytest.mark.shared
def test_authentic_files_of_cvat_come_in_by_name(
    animals: Connection, owner: Connection, shared_data: Path, tmp_path: Path
) -> None:
    owner.execute(b"""update core.media_location
    set uri = format('file:///pets/img%s.jpg', media_id - 1) where media_id in (1, 2);
    insert into core.class (ontology_id, name, version_from)
    values (1, 'label1', 1), (1, 'label2', 1), (1, 'skeleton', 1)""")
    owner.commit()
    exchange_out.send(animals, tmp_path / "out.xml", "cvat", source="pets")
    folder = shared_data / "formats" / "datumaro" / "cvat_dataset"
    text = (folder / "for_images" / "train.xml").read_text()
    counts = back(animals, tmp_path / "a.xml", text, exchange_id=1)
    assert (counts["answers"], counts["refused"]) == (2, 2)  # it has shapes without a label
    text = text.replace('label=""', 'label="label1"')
    counts = back(animals, tmp_path / "b.xml", text, exchange_id=1)
    assert (counts["added"], counts.get("removed")) == (6, None)
    assert back(animals, tmp_path / "c.xml", text, exchange_id=1)["known"] == 2
    video = folder / "for_video" / "annotations.xml"
    receipt = exchange_in.receive(animals, video, exchange_id=1, actor="eve")
    assert receipt.counts["refused"] == receipt.counts["answers"]  # no such video went out
