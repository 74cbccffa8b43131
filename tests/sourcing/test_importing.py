"""smartdb import: run again it adds nothing, what is wrong is told row by row, the rest goes in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import reviews
from smartdb.database import connect
from smartdb.errors import InvalidInput, NotFound
from smartdb.importing import Report, import_labels

Conn = psycopg.Connection[Any]
CATEGORIES = [{"id": 1, "name": "cat", "supercategory": "pet"}, {"id": 2, "name": "dog"}]


def pictures(folder: Path, n: int = 3) -> Path:
    """Pictures 1.png ... of 40 x 30, each with its own content."""
    folder.mkdir(exist_ok=True)
    for i in range(1, n + 1):
        Image.fromarray(np.full((30, 40, 3), i, np.uint8)).save(folder / f"{i}.png")
    return folder


def box(number: int, image: int = 1, bbox: Any = (1, 2, 10, 5), **more: Any) -> dict[str, Any]:
    row = {"id": number, "image_id": image, "category_id": 1, "bbox": bbox}
    return row | more


def coco(path: Path, annotations: list[Any], n: int = 3, **members: Any) -> Path:
    images = [
        {"id": i, "file_name": f"{i}.png", "width": 40, "height": 30} for i in range(1, n + 1)
    ]
    whole = {"images": images, "annotations": annotations, "categories": CATEGORIES}
    path.write_text(json.dumps(whole | members))
    return path


MEDIA = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('known', 'file:///known');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/png', 100, 40, 30, 1 from generate_series(1, 3) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, format('file:///known/%s.png', i), 100, now() from generate_series(1, 3) as i;
"""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Pictures that are not ingested yet."""
    return pictures(tmp_path / "images")


@pytest.fixture
def known(conn: Conn) -> Conn:
    """A database with three media of a source called known; no files lie behind them."""
    conn.execute(MEDIA.encode())
    conn.commit()
    return conn


def load(conn: Conn, path: Path, **options: Any) -> Report:
    if "images" not in options:
        options = {"source": "known", **options}
    return import_labels(conn, path, **{"create_classes": True, "workers": 1, **options})


def labels(conn: Conn) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select class, kind, x, y, w, h from smartdb.label order by label_id"
    ).fetchall()


def problems(conn: Conn) -> list[tuple[Any, ...]]:
    return conn.execute("select place, reason from smartdb.import_problem order by 1, 2").fetchall()


def test_media_and_labels_go_in_together(conn: Conn, tmp_path: Path, images: Path) -> None:
    report = load(
        conn, coco(tmp_path / "a.json", [box(1), box(2, 2, [0.5, 0, 40, 30])]), images=images
    )
    assert report.pictures == {"found": 3, "new": 0, "missing": 0}
    assert report.labels["added"] == 2
    assert labels(conn) == [("cat", "box", 1, 2, 10, 5), ("cat", "box", 0.5, 0, 40, 30)]
    assert problems(conn) == [("annotation 2", "outside")]


def test_a_second_import_adds_nothing_and_a_changed_file_what_is_new(
    known: Conn, tmp_path: Path
) -> None:
    path = coco(tmp_path / "a.json", [box(1), box(2), box(3, 2)])
    assert load(known, path).labels["added"] == 3  # 1 and 2 say the same: twice the same box
    assert load(known, path).labels == {
        "added": 0, "known": 3, "repeated": 0, "unwanted": 0, "wrong": 0,
    }  # fmt: skip
    coco(path, [box(1), box(2), box(7), box(8, 2, [3, 3, 3, 3])])
    changed = load(known, path)
    assert (changed.labels["added"], changed.labels["known"]) == (2, 2)
    assert problems(known) == [("label 3", "not_in_file")]


def test_what_a_reviewer_decided_is_not_brought_back(known: Conn, tmp_path: Path) -> None:
    path = coco(tmp_path / "a.json", [box(1), box(2, 2)])
    load(known, path)
    for label, verdict, name in ((1, "rejected", None), (2, "corrected", "dog")):
        if name:
            load(known, coco(tmp_path / "b.json", [box(1, 3, category_id=2)]))
        reviews.review(known, label, "ana", verdict, name)  # type: ignore[arg-type]
    known.commit()
    before = labels(known)
    assert load(known, path).labels["added"] == 0
    assert labels(known) == before


def test_a_dry_run_writes_nothing(conn: Conn, tmp_path: Path, images: Path) -> None:
    path = coco(tmp_path / "a.json", [box(1), box(2, 4)], n=4)
    report = load(conn, path, images=images, dry_run=True, create_classes=False)
    assert report.pictures == {"found": 0, "new": 3, "missing": 1}
    assert report.labels["added"] == 1
    assert report.unknown == ("cat",)
    count = "select count(*) from core.{}"
    for table in ("media", "label", "run", "class", "import_problem", "actor", "class_mapping"):
        assert conn.execute(count.format(table).encode()).fetchone() == (0,)


def test_unknown_classes_stop_the_import_before_anything_is_written(
    conn: Conn, tmp_path: Path, images: Path
) -> None:
    path = coco(tmp_path / "a.json", [box(1), box(2, 2, category_id=2)])
    with pytest.raises(NotFound, match=r"no class 'cat' \(1\), 'dog' \(1\).*--create-classes"):
        load(conn, path, images=images, create_classes=False)
    assert conn.execute("select count(*) from core.media").fetchone() == (0,)


def test_a_mapping_is_saved_and_may_leave_out(known: Conn, tmp_path: Path) -> None:
    load(known, coco(tmp_path / "a.json", [box(1, category_id=2)]), actor="first")
    path = coco(tmp_path / "b.json", [box(1), box(2, category_id=2)])
    mapped = load(known, path, maps={"cat": "dog", "dog": None}, create_classes=False)
    assert (mapped.labels["added"], mapped.labels["unwanted"]) == (1, 1)
    assert load(known, path, create_classes=False).labels["known"] == 1
    with pytest.raises(InvalidInput, match=r"not among the classes of b\.json: 'cow'"):
        load(known, path, maps={"cow": "dog"})


WRONG: list[tuple[str, Any]] = [
    ("orphan_label", box(9, 99)),
    ("zero_size", box(9, bbox=[1, 1, 0, 4])),
    ("zero_size", box(9, bbox=[1, 1, -2, 4])),
    ("not_a_number", box(9, bbox=[1, float("nan"), 2, 4])),
    ("not_a_number", box(9, bbox=[1, 1, float("inf"), 4])),
    ("not_a_number", box(9, segmentation=[[1, 1, 5, float("nan"), 5, 5]])),
    ("bad_shape", box(9, bbox=[1, 1, "2", 4])),
    ("bad_shape", box(9, bbox=[1, 1, 4])),
    ("bad_shape", box(9, segmentation=[[1, 1, 5, 5]])),
    ("bad_shape", box(9, segmentation={"size": [3, 4], "counts": [0, 12]})),
    ("bad_shape", box(9, segmentation={"size": [30, 40], "counts": "\u00e9"})),
    ("bad_shape", box(9, keypoints=[1, 2])),
    ("unknown_category", box(9, category_id=0)),
    ("bad_row", box(9, attributes={"note": "a\0b"})),
    ("bad_row", box(9, score=1.5)),
    ("bad_row", "no object"),
]


def test_what_is_wrong_is_told_row_by_row_and_the_rest_goes_in(known: Conn, tmp_path: Path) -> None:
    rows = [row if isinstance(row, str) else row | {"id": i} for i, (_, row) in enumerate(WRONG, 1)]
    report = load(known, coco(tmp_path / "a.json", [box(100), *rows, box(101, 2)]))
    assert Counter(reason for _, reason in problems(known)) == Counter(why for why, _ in WRONG)
    told = dict(problems(known))
    for i, (why, row) in enumerate(WRONG, 1):
        assert told[f"annotations[{i}]" if isinstance(row, str) else f"annotation {i}"] == why
    assert (report.labels["added"], report.labels["wrong"]) == (2, len(WRONG))


def test_names_that_leave_the_folder_are_unsafe_and_missing_pictures_are_named(
    known: Conn, tmp_path: Path
) -> None:
    names = ["1.png", "../secret/1.png", "/etc/passwd", "C:\\1.png", "none.png", "x/../2.png"]
    rows = [{"id": i, "file_name": name} for i, name in enumerate(names, 1)]
    path = coco(tmp_path / "a.json", [box(i, i) for i in range(1, 7)], images=rows)
    report = load(known, path)
    assert report.pictures == {"found": 2, "new": 0, "missing": 4}
    assert problems(known) == [
        ("image 2", "unsafe_path"), ("image 3", "unsafe_path"), ("image 4", "unsafe_path"),
        ("image 5", "missing_image"),
    ]  # fmt: skip


def test_duplicate_ids_are_told(known: Conn, tmp_path: Path) -> None:
    rows = [{"id": 1, "file_name": "1.png"}, {"id": 1, "file_name": "2.png"}]
    same, other = box(5), box(5, bbox=[2, 2, 2, 2])
    load(known, coco(tmp_path / "a.json", [box(5), same, other], images=rows))
    found = known.execute("select place, reason, is_warning from smartdb.import_problem").fetchall()
    assert sorted(found) == [
        ("annotation 5", "duplicate_id", False), ("annotation 5", "duplicate_id", True),
        ("images[1]", "duplicate_id", False),
    ]  # fmt: skip
    assert len(labels(known)) == 2


def test_what_comes_before_broken_json_goes_in(known: Conn, tmp_path: Path) -> None:
    path = coco(tmp_path / "a.json", [box(1), box(2)])
    whole = json.loads(path.read_text())
    whole["annotations"] = whole.pop("annotations")  # to the end
    path.write_text(json.dumps(whole)[:-20])
    report = load(known, path)
    assert report.labels["added"] == 1
    detail = known.execute("select detail from smartdb.import_problem").fetchall()
    assert "broken at byte" in detail[0][0]


def test_labels_find_known_media_by_the_end_of_their_place(known: Conn, tmp_path: Path) -> None:
    named = [{"id": i, "file_name": f"no/{i}.png"} for i in (1, 2, 3)]
    path = coco(tmp_path / "a.json", [box(1)], images=named)
    with pytest.raises(NotFound, match=r"none of the 3 pictures of a\.json is among the media"):
        load(known, path, source=None)
    path = coco(tmp_path / "a.json", [box(1)])
    assert load(known, path, source=None).labels["added"] == 1
    assert load(known, path).labels["known"] == 1


def test_a_name_that_several_media_end_with_is_ambiguous(known: Conn, tmp_path: Path) -> None:
    known.execute("""
        insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
        values (2, 1, 'file:///known/more/1.png', 100, now())""")
    load(known, coco(tmp_path / "a.json", [box(1), box(2, 2)]), source=None)
    assert problems(known) == [("image 1", "ambiguous_image")]


def test_pictures_with_the_same_bytes_say_the_same_once(known: Conn, tmp_path: Path) -> None:
    known.execute("update core.media_location set media_id = 1 where media_id = 2")
    report = load(known, coco(tmp_path / "a.json", [box(1), box(2, 2)]))
    assert (report.labels["added"], report.labels["repeated"]) == (1, 1)


SCRIPT = """
import sys
from pathlib import Path
import smartdb.importing
from smartdb.database import connect

smartdb.importing.BATCH = 20
done = smartdb.importing._do
def tell(conn, name, values=None):
    found = done(conn, name, values)
    print(name, flush=True)
    return found
smartdb.importing._do = tell
url, path = sys.argv[1:]
with connect(url) as conn:
    smartdb.importing.import_labels(conn, Path(path), source="known", create_classes=True)
"""
STATE = """
select c.name, m.width, l.x, l.y, l.rev_to, count(*) from core.label as l
join core.media as m using (media_id) join core.class as c using (class_id) group by 1, 2, 3, 4, 5
union all
select reason, 0, null, null, null, count(*) from core.import_problem group by 1
order by 1, 2, 3, 4
"""


def test_killed_in_mid_import_and_run_again_is_as_if_undisturbed(
    databases: Any, template: str, tmp_path: Path
) -> None:
    rows = [box(i, i % 3 + 1, [i % 9, i % 7, 3, 3]) for i in range(1, 400)]
    path = coco(tmp_path / "a.json", [*rows, box(400, 99)])
    urls = undisturbed, killed = databases.copy(template), databases.copy(template)
    for url in urls:
        with connect(url) as conn:
            conn.execute(MEDIA.encode())
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, killed, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(2):  # the first batch is committed when the second is added
        while process.stdout.readline().strip() != "add":
            pass
    process.kill()
    process.communicate()
    n_before = sum(row[-1] for row in state(killed))
    for url in urls:
        with connect(url) as conn:
            load(conn, path)
    assert 0 < n_before < 400
    assert state(killed) == state(undisturbed)


def state(url: str) -> list[tuple[Any, ...]]:
    with connect(url, role="smartdb_owner") as conn:
        return conn.execute(STATE.encode()).fetchall()


def test_the_command_lists_unknown_classes_and_exits_with_1(
    cli: Any, tmp_path: Path, images: Path
) -> None:
    path = str(coco(tmp_path / "a.json", [box(1)]))
    refused = cli("import", path, "--images", str(images))
    assert (refused.exit_code, "--map" in refused.stderr) == (1, True)
    made = cli("import", path, "--images", str(images), "--create-classes", "--json")
    assert json.loads(made.stdout)["labels"]["added"] == 1
    assert cli("import", path, "--option", "x=1").exit_code == 2
