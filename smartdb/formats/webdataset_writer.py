"""Writes WebDataset: a folder of shards with classes.txt, or one .tar or .tar.gz."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from smartdb.formats.base import Annotation, ClassInfo, Picture, Problem
from smartdb.formats.names import leaves

CAPTION = "caption"
"""The class of captions, which have no category."""
CLASSES = "classes.txt"
PICTURES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff", "heic", "avif", "ppm")
MARKS = {b"\xff\xd8\xff": "jpg", b"\x89PNG": "png", b"RIFF": "webp", b"GIF8": "gif", b"BM": "bmp"}
SHARD_SAMPLES = 10_000
SHARD_BYTES = 1 << 30


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """Writes the pictures' bytes with their labels; a problem for each without bytes."""
    labels: dict[tuple[str, int | None], list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        labels[annotation.picture, annotation.frame_index].append(annotation)
    problems: list[Problem] = []
    numbers = numbers_of(classes)
    is_folder = not path.name.endswith((".tar", ".tar.gz", ".tgz"))
    if is_folder:
        path.mkdir(parents=True, exist_ok=True)
    if numbers:
        file = (path if is_folder else path.parent) / CLASSES
        file.write_text("".join(f"{name}\n" for name in numbers), "utf-8")
    taken: set[str] = set()
    with ExitStack() as stack:
        tar, n_samples, n_bytes, shard = None, 0, 0, 0
        for picture in pictures:
            ending = _ending(picture)
            if picture.data is None or ending is None:
                problems.append(_missing(picture))
                continue
            is_full = n_samples >= SHARD_SAMPLES or n_bytes >= SHARD_BYTES
            if tar is None or (is_folder and is_full):
                stack.close()
                file = path / f"{shard:06d}.tar" if is_folder else path
                tar = stack.enter_context(_opened(file))
                shard, n_samples, n_bytes = shard + 1, 0, 0
            _add(tar, picture, ending, labels[picture.name, picture.frame_index], numbers, taken)
            n_samples, n_bytes = n_samples + 1, n_bytes + len(picture.data)
    return problems


def write_shard(
    file: Path, samples: Iterable[tuple[Picture, Sequence[Annotation]]], numbers: Mapping[str, int]
) -> tuple[list[Picture], list[Problem]]:
    """Writes one tar of pictures with their labels, as they come; which are in it, and a problem
    for each without bytes. ``numbers`` are those of the classes in classes.txt."""
    kept, problems, taken = [], list[Problem](), set[str]()
    with _opened(file) as tar:
        for picture, labels in samples:
            ending = _ending(picture)
            if picture.data is None or ending is None:
                problems.append(_missing(picture))
                continue
            _add(tar, picture, ending, list(labels), numbers, taken)
            tar.members = []  # type: ignore[attr-defined]  # tarfile keeps them all
            kept.append(replace(picture, data=None))
    return kept, problems


def numbers_of(classes: Sequence[ClassInfo]) -> dict[str, int]:
    """The line of each class in classes.txt; none if a name has several lines."""
    if any("\n" in info.name or "\r" in info.name for info in classes):
        return {}
    return {info.name: number for number, info in enumerate(classes)}


def _missing(picture: Picture) -> Problem:
    what = "bytes are not given" if picture.data is None else "bytes are no picture"
    detail = f"the {what}: {picture.name} is left out with its labels"
    return Problem(picture.where, "missing_image", detail)


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    """A tar to write, with the same bytes for the same files at any time."""
    with ExitStack() as stack:
        out: Any = stack.enter_context(file.open("wb"))
        if file.name.endswith("gz"):
            out = stack.enter_context(gzip.GzipFile("", "wb", fileobj=out, mtime=0))
        yield stack.enter_context(tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT))


def _ending(picture: Picture) -> str | None:
    said = picture.name.rpartition(".")[2].lower()
    if said in PICTURES:
        return said
    data = picture.data or b""
    return next((ending for mark, ending in MARKS.items() if data.startswith(mark)), None)


def _add(
    tar: tarfile.TarFile,
    picture: Picture,
    ending: str,
    labels: list[Annotation],
    numbers: Mapping[str, int],
    taken: set[str],
) -> None:
    key = _key(picture, taken)
    own: dict[str, Any] = {}
    if f"{key}.{ending}" != picture.name:
        own["name"] = picture.name
    if picture.frame_index is not None:
        own["frame_index"] = picture.frame_index
    if picture.size:
        own["size"] = list(picture.size)
    if picture.split:
        own["split"] = picture.split
    plain = _plain(labels, numbers)
    own["labels"] = [_row(each) for each in labels if each not in plain.values()]
    own = {name: value for name, value in own.items() if value or name == "frame_index"}
    said = dict(picture.attributes) | ({"smartdb": own} if own else {})
    _put(tar, f"{key}.{ending}", picture.data or b"")
    for name, annotation in plain.items():
        is_class = name == "cls"
        text = numbers[annotation.class_name] if is_class else (annotation.shape or {})["text"]
        _put(tar, f"{key}.{name}", str(text).encode("utf-8"))
    if said:
        _put(tar, f"{key}.json", json.dumps(said, ensure_ascii=False).encode("utf-8"))


def _key(picture: Picture, taken: set[str]) -> str:
    """A name without dots that no other sample has."""
    folder, slash, file = picture.name.rpartition("/")
    base = file.rpartition(".")[0] or file
    name = f"{folder}{slash}{base.replace('.', '_')}"
    name = f"{len(taken):09d}" if leaves(name) or not base else name
    key = next(each for each in _numbered(name) if each not in taken)
    taken.add(key)
    return key


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _plain(labels: list[Annotation], numbers: Mapping[str, int]) -> dict[str, Annotation]:
    """The labels that go into files of their own: the only class, the only caption."""
    found = {}
    for name, kind in (("cls", "classification"), ("txt", "caption")):
        those = [each for each in labels if each.kind == kind]
        if len(those) == 1 and _is_plain(those[0], numbers):
            found[name] = those[0]
    return found


def _is_plain(label: Annotation, numbers: Mapping[str, int]) -> bool:
    said = (label.confidence, label.track, label.key)
    if label.attributes or any(each is not None for each in said):
        return False
    if label.kind == "classification":
        return label.class_name in numbers
    text = (label.shape or {}).get("text", "")
    return label.class_name == CAPTION and bool(text.strip())


def _row(label: Annotation) -> dict[str, Any]:
    row = {
        "kind": label.kind,
        "class": label.class_name,
        "box": label.box,
        "shape": label.shape,
        "attributes": dict(label.attributes),
        "track": label.track,
        "confidence": label.confidence,
        "key": label.key,
    }
    return {name: value for name, value in row.items() if value not in (None, {})}


def _put(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
