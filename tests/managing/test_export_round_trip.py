"""What is exported and imported again says the same, in each format, as far as it can hold it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import exports, formats, layouts
from smartdb.database import connect
from smartdb.formats.base import Picture
from smartdb.importing import import_labels

from .pets import SPLITS, created, seal

Conn = psycopg.Connection[Any]

EXACT = ("coco", "webdataset", "parquet", "arrow", "huggingface", "croissant")
"""Formats that keep attributes and confidence as they are."""


@pytest.fixture(scope="module")
def pets(server_home: Path, template: str, tmp_path_factory: Any) -> Iterator[Conn]:
    """A writer's connection to a database with the dataset pets, the same for all tests here."""
    url = created(server_home, "smartdb_round", template, tmp_path_factory.mktemp("pets"))
    with connect(url, role="smartdb_writer") as conn:
        yield conn


def rounded(value: Any) -> Any:
    """Numbers to 9 digits, lists and dicts as texts."""
    if isinstance(value, float | int):
        return round(float(value), 8)
    if isinstance(value, list):
        return tuple(map(rounded, value))
    if isinstance(value, dict):
        return tuple(sorted((name, rounded(each)) for name, each in value.items()))
    return value


def told(conn: Conn, ontology: str, *, exact: bool) -> Counter[Any]:
    """What the labels say of the media, by their hashes."""
    rows = conn.execute(
        "select m.sha256, l.class, l.kind, l.x, l.y, l.w, l.h, l.shape,"
        " coalesce(l.attributes, '{}'), l.confidence"
        " from smartdb.label as l join smartdb.media as m using (media_id)"
        " where l.class_id in (select class_id from smartdb.ontology_tree where ontology = %s)",
        (ontology,),
    ).fetchall()
    return Counter(tuple(map(rounded, row if exact else row[:8])) for row in rows)


@pytest.mark.parametrize("format", layouts.FORMATS)
def test_what_is_imported_again_says_the_same(format: str, pets: Conn, tmp_path: Path) -> None:
    done = exports.export(pets, "pets", tmp_path / format, format=format)
    module = formats.load(formats.detect(tmp_path / format))
    report = import_labels(
        pets, tmp_path / format, ontology=format, actor=format, create_classes=True, workers=1
    )
    assert (report.problems, report.pictures["found"]) == ([], len(SPLITS))
    said, back = (told(pets, each, exact=format in EXACT) for each in ("pets", format))
    assert back <= said
    assert sum(said.values()) - sum(back.values()) <= sum(done.problems.values())
    assert {row[2] for row in back} == set(module.KINDS) or format == "yolo"
    assert back == said or format not in EXACT[1:]
    read = module.read(tmp_path / format, images=module.images(tmp_path / format))
    splits = Counter(item.split for item in read if isinstance(item, Picture))
    assert splits == Counter(SPLITS)


def test_media_that_come_in_have_their_split_as_an_attribute(
    pets: Conn, conn: Conn, tmp_path: Path
) -> None:
    exports.export(pets, "pets", tmp_path / "out", format="coco")
    import_labels(conn, tmp_path / "out", create_classes=True, workers=1)
    asked = "select sha256, attributes ->> 'split' from smartdb.media order by sha256"
    assert (
        conn.execute(asked).fetchall()
        == pets.execute(
            "select m.sha256, i.split from smartdb.dataset_item as i"
            " join smartdb.media as m using (media_id) order by m.sha256"
        ).fetchall()
    )


SETS = (
    ("coco", "annotations/instances.json", "images", ("coco", "parquet")),
    ("bccd", "Annotations", "JPEGImages", ("voc",)),
)


@pytest.mark.shared
def test_real_photos_and_cells_come_back_the_same(
    owner: Conn, shared_data: Path, tmp_path: Path
) -> None:
    for name, path, images, written in SETS:
        load = {"create_classes": True, "workers": 2}
        place = shared_data / name / images
        import_labels(owner, shared_data / name / path, images=place, ontology=name, **load)
        ids = owner.execute(
            "select distinct media_id from smartdb.label as l"
            " where class_id in (select class_id from smartdb.ontology_tree where ontology = %s)"
            " order by 1", (name,)
        ).fetchall()  # fmt: skip
        seal(owner, name, name, {media_id: SPLITS[media_id % 6] for (media_id,) in ids})
        owner.commit()
        said = told(owner, name, exact=True)
        for format in written:
            out, back = tmp_path / f"{name}-{format}", f"{name} {format}"
            done = exports.export(
                owner, name, out, format=format, pictures="none", names="original"
            )
            assert (done.n_items, done.problems) == (len(ids), {})
            report = import_labels(owner, out, ontology=back, actor=back, source=images, **load)
            assert report.problems == []
            assert told(owner, back, exact=True) == said
