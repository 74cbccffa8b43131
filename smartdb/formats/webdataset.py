"""WebDataset: shards in tar, in which files with the same name up to the first dot belong together.

``.cls`` is a class, by its number in the classes.txt beside the shards (or of the option ``names``)
or by its name, ``.txt`` a caption, ``.json`` attributes of the picture. The object "smartdb" in the
JSON holds what the others cannot: boxes, shapes, size, split. A label file named like "left.cls" is
about the picture "left.jpg" of its sample, one without a prefix about the picture without one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartdb.errors import InvalidInput
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.tar_stream import SUFFIXES, Entry, entries
from smartdb.formats.webdataset_writer import CAPTION, CLASSES, PICTURES, write

__all__ = ["KINDS", "LOST", "TITLE", "classes", "images", "is_at", "read", "write"]

TITLE = "WebDataset"
KINDS: tuple[Kind, ...] = (
    "classification", "box", "rotated_box", "polygon", "mask", "polyline", "keypoints", "caption",
)  # fmt: skip
LOST = ""
LABELS = ("cls", "txt", "json")
MAX_LABEL = 16 << 20
MAX_SAMPLE = 512 << 20


@dataclass
class _Sample:
    """Files with the same key; each by (prefix, ending)."""

    key: str
    where: str
    pictures: dict[tuple[str, str], Entry] = field(default_factory=dict)
    labels: dict[tuple[str, str], Entry] = field(default_factory=dict)
    n_bytes: int = 0


def is_at(path: Path) -> bool:
    """Whether it is a tar, or a folder with some."""
    return bool(_shards(path))


def images(path: Path) -> Path | None:  # noqa: ARG001
    """The shards carry the pictures."""
    return None


def classes(path: Path) -> list[ClassInfo]:
    """The lines of classes.txt beside the shards."""
    folder = path if path.is_dir() else path.parent
    return [ClassInfo(name) for name in _names(folder / CLASSES)]


def read(path: Path, *, images: Path | None = None, names: str | None = None) -> Iterator[Item]:  # noqa: ARG001
    """Pictures with their bytes and labels, shard by shard; a key of each sample is remembered.

    ``names`` is a text file with a class on each line, for numbers in .cls.
    """
    if names and not Path(names).is_file():
        raise InvalidInput(f"there is no file {names}; names= is a text file, a class on each line")
    known = _names(Path(names)) if names else [info.name for info in classes(path)]
    seen: set[str] = set()
    strange: set[str] = set()
    for shard in _shards(path):
        for item in _samples(shard, strange):
            if isinstance(item, Problem):
                yield item
            elif item.key in seen:
                detail = f"sample {item.key} is there already; files of a sample lie together"
                yield Problem(item.where, "duplicate_id", detail)
            else:
                seen.add(item.key)
                yield from _sample(item, known)


def _shards(path: Path) -> list[Path]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in files if file.name.endswith(SUFFIXES) and file.is_file()]


def _names(file: Path) -> list[str]:
    return file.read_text("utf-8-sig").splitlines() if file.is_file() else []


def _samples(shard: Path, strange: set[str]) -> Iterator[_Sample | Problem]:
    """The samples of a shard; an ending that is not read is told once."""
    sample: _Sample | None = None
    for entry in entries(shard):
        if isinstance(entry, Problem):
            yield entry
            continue
        folder, slash, file = entry.name.rpartition("/")
        base, _, endings = file.partition(".")
        prefix, _, ending = endings.lower().rpartition(".")
        if not base or ending not in (*PICTURES, *LABELS):
            if ending not in strange:
                strange.add(ending)
                yield Problem(
                    entry.where, "unsupported", f"files that end in .{ending} are not read"
                )
            continue
        key = f"{folder}{slash}{base}"
        if sample is None or sample.key != key:
            if sample is not None:
                yield sample
            sample = _Sample(key, entry.where)
        problem = _put(sample, entry, (prefix, ending))
        if problem:
            yield problem
    if sample is not None:
        yield sample


def _put(sample: _Sample, entry: Entry, at: tuple[str, str]) -> Problem | None:
    """Adds a file to its sample."""
    is_picture = at[1] in PICTURES
    files = sample.pictures if is_picture else sample.labels
    sample.n_bytes += len(entry.data)
    if at in files:
        return Problem(entry.where, "duplicate_id", f"{entry.name} is there twice")
    if sample.n_bytes > MAX_SAMPLE or (not is_picture and len(entry.data) > MAX_LABEL):
        return Problem(entry.where, "unsupported", f"{len(entry.data)} bytes are too many here")
    files[at] = entry
    return None


def _sample(sample: _Sample, names: list[str]) -> Iterator[Item]:
    if not sample.pictures:
        for entry in sample.labels.values():
            yield Problem(entry.where, "missing_image", f"no picture lies beside {entry.name}")
        return
    prefixes = {prefix for prefix, _ in sample.pictures}
    for (prefix, _), entry in sample.pictures.items():
        about = {prefix} if "" in prefixes else {prefix, ""}
        labels = {end: e for (pre, end), e in sample.labels.items() if pre in about}
        yield from _picture(entry, labels, names)
    for (prefix, _), entry in sample.labels.items():
        if prefix not in prefixes and prefix:
            yield Problem(entry.where, "orphan_label", f"no picture has the prefix {prefix!r}")


def _picture(entry: Entry, labels: dict[str, Entry], names: list[str]) -> Iterator[Item]:
    said: dict[str, Any] = {}
    if "json" in labels:
        try:
            said = _object(labels["json"].data)
        except (ValueError, RecursionError) as error:
            yield Problem(labels["json"].where, "bad_row", f"the JSON cannot be read: {error}")
    own = said.pop("smartdb", None)
    own = own if isinstance(own, dict) else {}
    name = str(own.get("name") or entry.name)
    frame = own.get("frame_index") if _is_whole(own.get("frame_index")) else None
    yield Picture(
        name, entry.where, _size(own.get("size") or [said.get("width"), said.get("height")]),
        str(own["split"]) if own.get("split") else None, frame, said, entry.data,
    )  # fmt: skip
    if "cls" in labels:
        yield _class(name, labels["cls"], names, frame)
    if "txt" in labels:
        yield _caption(name, labels["txt"], frame)
    rows = own.get("labels")
    for number, row in enumerate(rows if isinstance(rows, list) else (), 1):
        where = f"{labels['json'].where}, label {number}"
        try:
            yield _annotation(name, where, row, frame)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            yield Problem(where, "bad_row", f"a label of {name}: {error!r}")


def _object(data: bytes) -> dict[str, Any]:
    said = json.loads(data)
    if not isinstance(said, dict):
        raise ValueError("it is no object")
    json.dumps(said, allow_nan=False)
    return said


def _size(said: Any) -> tuple[int, int] | None:
    is_size = isinstance(said, list) and len(said) == 2
    return (said[0], said[1]) if is_size and all(map(_is_whole, said)) and all(said) else None


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1_000_000_000


def _class(name: str, entry: Entry, names: list[str], frame: int | None) -> Item:
    try:
        text = entry.data.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        return Problem(entry.where, "bad_row", f"the class is not UTF-8: {error}")
    if not text or len(text) > 1000:
        return Problem(entry.where, "unknown_category", f"{len(text)} characters are no class")
    if names and text.lstrip("-").isdecimal():
        number = int(text)
        if not 0 <= number < len(names):
            detail = f"class {number} is none of 0 to {len(names) - 1}"
            return Problem(entry.where, "unknown_category", detail)
        text = names[number]
    return Annotation(name, "classification", text, entry.where, frame_index=frame)


def _caption(name: str, entry: Entry, frame: int | None) -> Item:
    try:
        text = entry.data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Problem(entry.where, "bad_row", f"the caption is not UTF-8: {error}")
    if not text.strip() or "\0" in text:
        return Problem(entry.where, "bad_row", "the caption is empty or has NUL characters")
    return Annotation(
        name, "caption", CAPTION, entry.where, shape={"text": text}, frame_index=frame
    )


def _annotation(name: str, where: str, row: dict[str, Any], frame: int | None) -> Annotation:
    box = row.get("box")
    if row["kind"] not in KINDS or (box is not None and len(box) != 4):
        raise ValueError(f"kind {row['kind']!r}, box {box}")
    return Annotation(
        name, row["kind"], row["class"], where,
        (float(box[0]), float(box[1]), float(box[2]), float(box[3])) if box else None,
        row.get("shape"), row.get("attributes") or {}, row.get("track"), row.get("confidence"),
        row.get("key"), frame,
    )  # fmt: skip
