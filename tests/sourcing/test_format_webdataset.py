"""WebDataset: samples in shards, hostile archives, and there and back."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smartdb.errors import InvalidInput
from smartdb.formats import tar_stream, webdataset
from smartdb.formats.base import Annotation, ClassInfo, Picture

from .reading import labels, problems

JPEG = b"\xff\xd8\xff\xe0picture"


def a_shard(file: Path, *members: tuple[Any, bytes], mode: Any = "w") -> Path:
    """A tar of (name or TarInfo, bytes)."""
    with tarfile.open(file, mode) as tar:
        for name, data in members:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if not isinstance(name, tarfile.TarInfo):
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file


def a_link(name: str, to: str, type_: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = type_, to
    return member, b""


def pictures(items: Iterable[Any]) -> list[str]:
    return [item.name for item in items if isinstance(item, Picture)]


def test_files_of_a_sample_belong_together(tmp_path: Path) -> None:
    said = json.dumps({"width": 20, "height": 10, "url": "http://x"}).encode()
    files = [("d/a.jpg", JPEG), ("d/a.cls", b"1\n"), ("d/a.txt", b"a cat"), ("d/a.json", said)]
    a_shard(tmp_path / "0.tar", *files, ("d/b.png", b"two"))
    (tmp_path / "classes.txt").write_text("dog\ncat\n")
    found = list(webdataset.read(tmp_path))
    a, b = (item for item in found if isinstance(item, Picture))
    assert (a.name, a.size, a.data) == ("d/a.jpg", (20, 10), JPEG)
    assert a.attributes["url"] == "http://x"
    assert (b.name, b.data) == ("d/b.png", b"two")
    assert [(i.picture, i.kind, i.class_name) for i in labels(found)] == [
        ("d/a.jpg", "classification", "cat"), ("d/a.jpg", "caption", "caption"),
    ]  # fmt: skip
    assert webdataset.classes(tmp_path) == [ClassInfo("dog"), ClassInfo("cat")]


def test_class_is_its_number_without_a_list_and_a_name_if_it_is_one(tmp_path: Path) -> None:
    members = [("a.jpg", JPEG), ("a.cls", b"7"), ("b.jpg", JPEG), ("b.cls", "süß".encode())]
    file = a_shard(tmp_path / "0.tar", *members)
    assert [i.class_name for i in labels(webdataset.read(file))] == ["7", "süß"]
    (tmp_path / "n.txt").write_text("zero")
    found = list(webdataset.read(file, names=str(tmp_path / "n.txt")))
    assert problems(found) == [("0.tar#a.cls", "unknown_category")]
    with pytest.raises(InvalidInput, match="names="):
        list(webdataset.read(file, names="nowhere.txt"))


def test_label_with_a_prefix_is_about_the_picture_with_it(tmp_path: Path) -> None:
    members = [("a.left.jpg", JPEG), ("a.left.cls", b"l"), ("a.right.jpg", JPEG), ("a.cls", b"x")]
    file = a_shard(tmp_path / "0.tar", *members, ("a.top.cls", b"t"))
    found = list(webdataset.read(file))
    assert [(i.picture, i.class_name) for i in labels(found)][1:] == [("a.right.jpg", "x")]
    assert problems(found) == [("0.tar#a.top.cls", "orphan_label")]


def test_shards_packed_or_not_are_read_in_order(tmp_path: Path) -> None:
    a_shard(tmp_path / "1.tar.gz", ("b.jpg", JPEG), mode="w:gz")
    a_shard(tmp_path / "0.tar", ("a.jpg", JPEG))
    a_shard(tmp_path / "2.tgz", ("c.jpg", JPEG), mode="w:gz")
    assert pictures(webdataset.read(tmp_path)) == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_names_that_leave_links_and_devices_are_told_and_the_rest_is_read(
    tmp_path: Path, mode: str
) -> None:
    hostile = [
        ("../../etc/cron.d/x.jpg", JPEG), ("/etc/passwd.jpg", JPEG), ("a/../../b.jpg", JPEG),
        ("C:\\\\windows\\\\x.jpg", JPEG), a_link("l.jpg", "/etc/passwd"),
        a_link("h.jpg", "../x", tarfile.LNKTYPE), a_link("d.jpg", "", tarfile.CHRTYPE),
        a_link("f.jpg", "", tarfile.FIFOTYPE),
    ]  # fmt: skip
    file = a_shard(tmp_path / "0.tar.gz", *hostile, ("good.jpg", JPEG), mode=mode)
    found = list(webdataset.read(file))
    assert [reason for _, reason in problems(found)] == ["unsafe_path"] * 6 + ["unsupported"] * 2
    assert pictures(found) == ["good.jpg"]
    assert sorted(tmp_path.iterdir()) == [file]


def test_file_that_is_too_large_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tar_stream, "MAX_MEMBER", 100)
    file = a_shard(tmp_path / "0.tar", ("a.jpg", b"0" * 101), ("b.jpg", JPEG))
    found = list(webdataset.read(file))
    assert problems(found) == [("0.tar#a.jpg", "unsupported")]
    assert pictures(found) == ["b.jpg"]


def test_archive_that_expands_like_a_bomb_is_given_up_and_the_next_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tar_stream, "FREE", 1 << 20)
    a_shard(tmp_path / "0.tar.gz", ("a.jpg", JPEG), ("b.jpg", bytes(20 << 20)), mode="w:gz")
    a_shard(tmp_path / "1.tar", ("c.jpg", JPEG))
    found = list(webdataset.read(tmp_path))
    assert problems(found) == [("0.tar.gz", "unsupported")]
    assert pictures(found) == ["a.jpg", "c.jpg"]


def test_more_files_than_allowed_end_the_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tar_stream, "MAX_MEMBERS", 2)
    file = a_shard(tmp_path / "0.tar", *((f"{n}.jpg", JPEG) for n in range(4)))
    found = list(webdataset.read(file))
    assert problems(found) == [("0.tar", "unsupported")]
    assert pictures(found) == ["0.jpg", "1.jpg"]


def test_extended_header_of_gigabytes_is_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo("a.jpg")
    member.type, member.size = tarfile.XHDTYPE, 4 << 30
    (tmp_path / "0.tar").write_bytes(member.tobuf(tarfile.USTAR_FORMAT) + bytes(10240))
    assert problems(webdataset.read(tmp_path)) == [("0.tar", "broken_file")]


@pytest.mark.parametrize("harm", ["cut in data", "cut in header", "header", "no end", "empty"])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_what_came_before_a_break_is_read(tmp_path: Path, mode: str, harm: str) -> None:
    file = a_shard(tmp_path / "0.tar", ("a.jpg", JPEG), ("b.jpg", JPEG * 99))
    data = file.read_bytes()
    assert len(data) == 10240
    harmed = {
        "cut in data": data[:1800], "cut in header": data[:1100], "no end": data[:1024],
        "header": data[:1024] + b"\1" * 512 + data[1536:], "empty": b"",
    }[harm]  # fmt: skip
    file.write_bytes(gzip.compress(harmed) if mode == "w:gz" else harmed)
    found = list(webdataset.read(file))
    assert problems(found) == [("0.tar", "broken_file")]
    assert pictures(found) == ([] if harm == "empty" else ["a.jpg"])


def test_gzip_that_is_cut_off_is_told(tmp_path: Path) -> None:
    rng = random.Random(0)
    members = [(f"{n}.jpg", JPEG + rng.randbytes(30_000)) for n in range(3)]
    file = a_shard(tmp_path / "0.tar.gz", *members, mode="w:gz")
    file.write_bytes(file.read_bytes()[:-20_000])
    found = list(webdataset.read(file))
    assert problems(found) == [("0.tar.gz", "broken_file")]
    assert pictures(found) == ["0.jpg", "1.jpg"]


def test_labels_without_picture_and_wrong_ones_are_told(tmp_path: Path) -> None:
    wrong = {"smartdb": {"labels": [{"kind": "box"}, {"kind": "box", "class": "c", "box": [1]}, 7]}}
    members = [
        ("a.cls", b"1"), ("b.jpg", JPEG), ("b.txt", b"\xff"), ("b.cls", b""), ("b.json", b"{"),
        ("c.jpg", JPEG), ("c.json", json.dumps(wrong).encode()), ("d.jpg", JPEG),
        ("d.json", b'{"a": NaN}'), ("b.cls", b"1"), ("e.npy", b""), ("f.npy", b""),
    ]  # fmt: skip
    found = list(webdataset.read(a_shard(tmp_path / "0.tar", *members)))
    assert labels(found) == []
    assert problems(found) == [
        ("0.tar#a.cls", "missing_image"), ("0.tar#b.json", "bad_row"),
        ("0.tar#b.cls", "unknown_category"), ("0.tar#b.txt", "bad_row"),
        *((f"0.tar#c.json, label {n}", "bad_row") for n in (1, 2, 3)),
        ("0.tar#d.json", "bad_row"), ("0.tar#e.npy", "unsupported"),
        ("0.tar#b.cls", "duplicate_id"),
    ]  # fmt: skip


def rows(items: Iterable[Any]) -> list[Any]:
    found = [replace(i, where="") for i in items if isinstance(i, Annotation)]
    return sorted(found, key=lambda a: (a.picture, a.frame_index or 0, repr(a)))


SHAPES: dict[str, Any] = {
    "polygon": {"polygons": [[[[0.1, 0.2], [1, 0], [1, 1]]]]},
    "keypoints": {"points": [[0.1, 0.3, 2], [0, 0, 0]]},
    "mask": {"size": [5, 5], "counts": "0X6"},
    "rotated_box": {"corners": [[0.1, 0], [1, 0], [1, 1], [0, 1]]},
    "polyline": {"points": [[0.1, 0.7], [1, 1]]},
}


def a_label(rng: random.Random, picture: Picture) -> Annotation:
    kind: Any = rng.choice([*SHAPES, "box", "classification", "caption"])
    shape = {"text": rng.choice([" two\nlines ", "  "])} if kind == "caption" else SHAPES.get(kind)
    box = None if kind in ("caption", "classification") else (rng.random(), -1.5, 2.25, 3.0)
    name = "caption" if kind == "caption" else rng.choice(["ä/b", "c"])
    more: dict[str, Any] = rng.choice(
        [{}, {"attributes": {"n": [1, None]}, "track": "t", "confidence": 0.1, "key": "k"}]
    )
    return Annotation(
        picture.name, kind, name, "", box, shape, frame_index=picture.frame_index, **more
    )


@pytest.mark.parametrize("name", ["shards", "one.tar", "one.tar.gz"])
def test_labels_come_back_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("smartdb.formats.webdataset_writer.SHARD_SAMPLES", 7)
    rng = random.Random(name)
    names = [
        "a.jpg",
        "d.e/a.b.jpg",
        "d.e/a.c.jpg",
        "/abs/x.jpg",
        "../up.png",
        "s3://b/k.jpg",
        "bare",
    ]
    names += [f"{'long' * 60}/{n}.jpg" for n in range(5)]
    said = [(each, None) for each in names] + [("v.mp4", n) for n in range(9)]
    written = [
        Picture(n, "", rng.choice([None, (20, 10)]), rng.choice([None, "train"]), frame,
                rng.choice([{}, {"a": [1]}]), JPEG + rng.randbytes(99))
        for n, frame in said
    ]  # fmt: skip
    those = [a_label(rng, rng.choice(written)) for _ in range(200)]
    classes = [ClassInfo("c"), ClassInfo("ä/b")]
    assert webdataset.write(tmp_path / name, written, those, classes) == []
    found = list(webdataset.read(tmp_path / name))
    assert problems(found) == []
    assert [replace(i, where="") for i in found if isinstance(i, Picture)] == written
    assert rows(found) == rows(those)
    assert webdataset.classes(tmp_path / name) == classes
    if name == "shards":
        assert len(list((tmp_path / name).glob("*.tar"))) == 3


def test_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.tar.gz", "b.tar.gz"):
        webdataset.write(tmp_path / name, [Picture("a.jpg", "", data=JPEG)], [], [])
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def test_pictures_without_bytes_are_told(tmp_path: Path) -> None:
    said = [Picture("a.jpg", "1"), Picture("b", "2", data=b"?"), Picture("c.jpg", "3", data=JPEG)]
    told = webdataset.write(tmp_path / "s", said, [], [])
    assert [(p.where, p.reason) for p in told] == [("1", "missing_image"), ("2", "missing_image")]
    assert pictures(webdataset.read(tmp_path / "s")) == ["c.jpg"]
