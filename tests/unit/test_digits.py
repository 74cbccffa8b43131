"""The packaged demo images and the truth about them."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

pytest.importorskip("sklearn", reason="the digits come with scikit-learn: install smartdb[ml]")

from smartdb import digits, images, walk
from smartdb.digits import Planted, write_digits


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("digits")


@pytest.fixture(scope="module")
def planted(folder: Path) -> Planted:
    return write_digits(folder)


def fingerprint(folder: Path) -> str:
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    parts = [f"{p.relative_to(folder)} {hashlib.sha256(p.read_bytes()).hexdigest()}" for p in paths]
    return "\n".join(parts)


def test_the_truth_counts_what_was_planted(planted: Planted) -> None:
    assert len(planted.true_class) == 1797 + 20
    assert len(planted.unlabelled) == 100
    assert len(planted.wrong) == round(0.05 * 1697)
    assert len(planted.duplicates) == 20
    assert Counter(planted.true_class.values()).keys() == set("0123456789")


def test_the_folders_are_the_given_classes(planted: Planted) -> None:
    root = Path(planted.images)
    given = {p: p.split("/")[0] if "/" in p else None for p in planted.true_class}
    assert {p for p, c in given.items() if c is None} == set(planted.unlabelled)
    assert {p for p, c in given.items() if c not in (None, planted.true_class[p])} == set(
        planted.wrong
    )
    on_disk = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    assert on_disk == {*planted.true_class, planted.truncated}


def test_each_planted_fault_is_one(planted: Planted) -> None:
    root = Path(planted.images)
    cut = images.inspect(str(root / planted.truncated).encode())
    assert isinstance(cut, images.Refused)
    assert cut.reason == "truncated"
    place = images.inspect(str(root / planted.gps).encode())
    assert isinstance(place, images.Inspected)
    assert place.gps == {"where": "exif", "latitude": 48.8584, "longitude": 2.2945}


def test_duplicates_are_alike_but_not_equal(planted: Planted) -> None:
    for original, copy in planted.duplicates:
        first, second = (
            images.inspect(str(Path(planted.images) / p).encode()) for p in (original, copy)
        )
        assert isinstance(first, images.Inspected)
        assert isinstance(second, images.Inspected)
        assert first.sha256 != second.sha256
        assert sum(a != b for a, b in zip(str(first.phash), str(second.phash))) <= 16
        assert planted.true_class[original] == planted.true_class[copy]


def test_all_other_pictures_differ(planted: Planted) -> None:
    root = Path(planted.images)
    assert len({(root / path).read_bytes() for path in planted.true_class}) == len(
        planted.true_class
    )


def test_a_second_call_writes_nothing_and_returns_the_same(folder: Path, planted: Planted) -> None:
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert write_digits(folder) == planted
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_what_was_interrupted_or_deleted_is_completed(folder: Path, planted: Planted) -> None:
    before = fingerprint(folder)
    (folder / "truth.json").unlink()
    (Path(planted.images) / planted.gps).unlink()
    assert digits.read_truth(folder) is None
    assert write_digits(folder) == planted
    assert fingerprint(folder) == before
    (Path(planted.images) / planted.gps).unlink()
    write_digits(folder)
    assert fingerprint(folder) == before


def test_another_seed_plants_elsewhere(folder: Path, planted: Planted) -> None:
    other, _ = digits._plan(folder / "images", seed=8)
    assert other.wrong != planted.wrong


def test_the_uris_are_those_of_ingest(planted: Planted, conn: psycopg.Connection[Any]) -> None:
    listed = {found.uri for found in walk.walk(Path(planted.images))}
    assert listed == {planted.uri(path) for path in (*planted.true_class, planted.truncated)}
