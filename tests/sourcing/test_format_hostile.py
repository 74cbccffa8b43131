"""Damaged files of VOC, CVAT, Label Studio and WebDataset: a reader may complain, never fail."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from smartdb.formats import load
from smartdb.formats.base import Annotation, Picture

PARTS = (
    b"nan", b"inf", b"-1", b"1e400", b"1e-999999999", b"9" * 30, b"9" * 5000, b"null", b"[]",
    b"{}", b'"', b"<", b">", b"\xff", b"\0", b"", b"true", b",", b'{"a": 1}',
)  # fmt: skip
TOKEN = re.compile(rb"-?[0-9][0-9.]*|\"[^\"]{0,40}\"|true|false|null")
FILES = {
    "voc": "Annotations/a.xml", "cvat": "a.xml", "label_studio": "a.json", "webdataset": "a.tar",
}  # fmt: skip


def a_dataset(folder: Path, name: str) -> Path:
    """A small dataset of a format; the path to read."""
    pictures = [Picture(f"{c}.jpg", "", (20, 10), "train", None, {}, b"\xff\xd8\xff") for c in "ab"]
    ring = [[0.5, 1], [9, 1], [9, 9]]
    labels = [
        Annotation("a.jpg", "box", "cat", "", (1, 2, 3, 4), attributes={"n": 1, "pose": "Left"}),
        Annotation("a.jpg", "classification", "cat", ""),
        Annotation("b.jpg", "polygon", "cat", "", (0.5, 1, 8.5, 8), {"polygons": [[ring]]}),
        Annotation("b.jpg", "mask", "cat", "", (0, 0, 20, 10), {"size": [10, 20], "counts": "0X6"}),
    ]
    path = folder if name == "voc" else folder / FILES[name]
    load(name).write(path, pictures, labels, [])
    return path


def damaged(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.choice([1, 1, 2, 5])):
        tokens = list(TOKEN.finditer(data))
        token = rng.choice(tokens) if tokens and rng.random() < 0.5 else None
        start = token.start() if token else rng.randrange(len(data))
        end = token.end() if token else start + rng.choice([0, 1, 4, 50])
        data = data[:start] + rng.choice(PARTS) + data[end:]
    return data


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_give_problems_and_no_exception(tmp_path: Path, name: str) -> None:
    rng = random.Random(name)
    path = a_dataset(tmp_path, name)
    file = tmp_path / FILES[name]
    whole = file.read_bytes()
    for _ in range(100):
        file.write_bytes(damaged(rng, whole))
        assert list(load(name).read(path)) is not None
        load(name).is_at(path)


def test_video_that_claims_frames_without_end_gives_those_with_labels(tmp_path: Path) -> None:
    meta = "<meta><task><mode>interpolation</mode><size>999999999</size></task></meta>"
    box = '<box frame="7" xtl="1" ytl="1" xbr="2" ybr="2"/>'
    file = tmp_path / "a.xml"
    file.write_text(f'<annotations>{meta}<track id="0" label="a">{box}</track></annotations>')
    found = list(load("cvat").read(file))
    assert [i.frame_index for i in found if isinstance(i, Picture)] == [7]


def test_xml_beside_a_json_that_is_no_configuration_is_left_alone(tmp_path: Path) -> None:
    path = a_dataset(tmp_path, "label_studio")
    path.with_suffix(".xml").write_text("<annotations><broken>")
    assert load("label_studio").classes(path) == []
    assert any(isinstance(item, Annotation) for item in load("label_studio").read(path))
