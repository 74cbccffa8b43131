"""KITTI object detection: label_2/NAME.txt with a row for each object of image_2/NAME.png.

A row is type, truncated, occluded, alpha, left, top, right, bottom in pixels, height, width and
length in metres, x, y, z in metres, rotation_y, and of detections a score. A type may have spaces.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from smartdb.formats import exact, files
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.files import Folder
from smartdb.formats.losses import Losses

TITLE = "KITTI"
KINDS: tuple[Kind, ...] = ("box",)
LOST = (
    "Attributes that are none of KITTI's, tracks, and splits other than of training/ and testing/."
)

ATTRIBUTES = ("truncated", "occluded", "alpha", "dimensions", "location", "rotation_y", "score")
"""Kept where they are known; dimensions is [height, width, length], location [x, y, z]."""

_UNKNOWN = ("-1", "-1", "-10", "-1 -1 -1", "-1000 -1000 -1000", "-10")
_COLUMNS = ((0, 1), (1, 2), (2, 3), (7, 10), (10, 13), (13, 14))
_LABELS = ("label_2", "label_02", "labels", "label")
_IMAGES = ("image_2", "image_02", "images", "image")
_TEXT = frozenset([".txt"])


def is_at(path: Path) -> bool:
    """Label files whose first row has KITTI's columns."""
    try:
        folder = files.opened(path) if path.is_dir() else None
        found = islice(files.walk(folder, folder.root, _TEXT), 20) if folder else ()
        return any(_looks_right(each) for each in found if isinstance(each, Path))
    except OSError:
        return False


def images(path: Path) -> Path | None:
    """The set's own folder, if it holds pictures."""
    return files.pictures_in(path)


def classes(path: Path) -> list[ClassInfo]:  # noqa: ARG001
    """None: KITTI declares no classes."""
    return []


def read(
    path: Path, *, images: Path | None = None, encoding: str = files.UTF8, suffix: str = ".png"
) -> Iterator[Item]:
    """Pictures with their rows, then the label files that no picture is called like.

    A label file goes with the picture of the same path (label_2/ for image_2/), or else with the
    one picture of that name. Where there are no pictures at all they are called by the label file,
    with ``suffix``, so that labels go onto pictures that are known. DontCare is a class; a score
    from 0 to 1 is the confidence. A row that is there twice counts once.
    """
    folder = files.opened(path)
    held = Folder(images.resolve()) if images else folder
    labels, problems = _labels(folder)
    pictures, more = _pictures(held, apart=held.root != folder.root)
    yield from (*problems, *more, *_unsupported(folder))
    if not pictures:
        pictures = {f"{_key(folder, each).as_posix()}{suffix}": None for each in labels}
    matched, lost = _matched(folder, labels, pictures)
    for name, file in pictures.items():
        size = files.size_of(file) if file and name in matched else None
        yield Picture(name, name, size, files.split_of(name))
        if name in matched:
            yield from _rows(folder, matched[name], name, encoding)
    yield from lost


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """label_2/, with an empty file for a picture without labels; pictures belong into image_2/."""
    written, problems = _files(files.emptied(path), pictures)
    known = {info.name for info in classes}
    losses = Losses(TITLE)
    with files.Appender() as out:
        for label in annotations:
            wrong = _wrong(label, written, known)
            if wrong:
                problems.append(Problem(label.where, *wrong))
            else:
                out.write(written[label.picture], _line(label))
                losses.note(label, _kept(label), confidence="score" not in label.attributes)
    return [*problems, *losses.problems()]


@dataclass(frozen=True)
class _Row:
    """The parts of a row: the type, 14 columns, and the score where there is one."""

    name: str
    columns: Sequence[str]
    score: str | None


def _parsed(line: str) -> _Row | str:
    """The row, told from its right end as the type may have spaces; or what is wrong with it."""
    parts = line.split()
    if len(parts) < 15:
        return f"has {len(parts)} columns, not 15 or 16"
    if len(parts) > 16 and parts[0].isdecimal() and parts[1].lstrip("-").isdecimal():
        return "begins with a frame and a track: it is of KITTI's tracking, which is not read"
    n = 15 if len(parts) > 15 and _is_number(parts[-15]) else 14
    wrong = [part for part in parts[-n:] if not _is_number(part)]
    if wrong:
        return f"has {files.excerpt(wrong[0])} where a number should be"
    return _Row(" ".join(parts[:-n]), parts[-n:][:14], parts[-1] if n == 15 else None)


def _is_number(text: str) -> bool:
    try:
        return bool(float(text) or True)
    except ValueError:
        return False


def _annotation(row: _Row, picture: str, where: str) -> Annotation:
    left, top, right, bottom = (Decimal(value) for value in row.columns[3:7])
    box = (float(left), float(top), float(right - left), float(bottom - top))
    attributes: dict[str, Any] = {}
    for name, (start, end), unknown in zip(ATTRIBUTES, _COLUMNS, _UNKNOWN):
        if not _same(row.columns[start:end], unknown):
            values = [_number(value) for value in row.columns[start:end]]
            attributes[name] = values if end - start > 1 else values[0]
    score = None if row.score is None else _number(row.score)
    if score is not None and not 0 <= score <= 1:
        attributes["score"] = score
    sure = None if score is None or "score" in attributes else float(score)
    return Annotation(
        picture, "box", row.name, where, box=box, attributes=attributes, confidence=sure
    )


def _number(text: str) -> float:
    """An int where the text is one, so that it is written the same."""
    value = float(text)
    if not math.isfinite(value):
        raise ArithmeticError
    return int(text) if text.lstrip("+-").isdecimal() else value


def _same(columns: Sequence[str], unknown: str) -> bool:
    return [float(value) for value in columns] == [float(value) for value in unknown.split()]


def _rows(folder: Folder, file: Path, picture: str, encoding: str) -> Iterator[Item]:
    first: dict[str, str] = {}
    for line in files.lines(folder, file, encoding):
        if isinstance(line, Problem):
            yield line
            continue
        where, text = line[0], line[1].strip()
        same = first.setdefault(text, where) if text else where
        if same != where:
            yield Problem(where, "duplicate_id", f"is the same as {same}")
        elif text:
            yield _item(text, picture, where)


def _item(text: str, picture: str, where: str) -> Item:
    row = _parsed(text)
    if isinstance(row, str):
        return Problem(where, "bad_row", f"{files.excerpt(text)} {row}")
    try:
        return _annotation(row, picture, where)
    except ArithmeticError:
        return Problem(where, "not_a_number", f"{files.excerpt(text)} has a number without end")


def _labels(folder: Folder) -> tuple[list[Path], list[Problem]]:
    """Text files in folders for labels, or all where there are none."""
    found = list(files.walk(folder, folder.root, _TEXT))
    texts = [each for each in found if isinstance(each, Path)]
    inside = [each for each in texts if _under(folder, each, _LABELS)]
    return inside or texts, [each for each in found if isinstance(each, Problem)]


def _pictures(held: Folder, *, apart: bool) -> tuple[dict[str, Path | None], list[Problem]]:
    """Pictures by name: all of a folder of their own, else those in folders for pictures."""
    found = list(files.walk(held, held.root, files.SUFFIXES))
    paths = [each for each in found if isinstance(each, Path)]
    inside = [each for each in paths if _under(held, each, _IMAGES)]
    chosen = paths if apart or not inside else inside
    return {held.name(each): each for each in chosen}, [
        each for each in found if isinstance(each, Problem)
    ]


def _unsupported(folder: Folder) -> Iterator[Problem]:
    for path in files.walk(folder, folder.root, frozenset([".xml"])):
        if isinstance(path, Path) and path.name == "tracklet_labels.xml":
            detail = "KITTI's raw tracklets are boxes in space, which are not read"
            yield Problem(folder.name(path), "unsupported", detail)
    for name in ("instance", "semantic", "semantic_rgb"):
        if any((folder.root / above / name).is_dir() for above in ("", "training")):
            detail = "KITTI's segmentation, in pictures of numbers, is not read"
            yield Problem(name, "unsupported", detail)


def _matched(
    folder: Folder, labels: Sequence[Path], pictures: Mapping[str, Path | None]
) -> tuple[dict[str, Path], list[Problem]]:
    """The label file of each picture that has one, and a problem for each of no picture."""
    by_key, by_stem = {_without(name): name for name in pictures}, defaultdict[str, list[str]](list)
    for name in pictures:
        by_stem[Path(name).stem].append(name)
    matched, lost = {}, []
    for file in labels:
        same = by_stem[file.stem]
        called = by_key.get(_key(folder, file)) or (same[0] if len(same) == 1 else None)
        if called is None or called in matched:
            detail = f"{len(same)} pictures have this name; its labels are left out"
            lost.append(Problem(folder.name(file), "orphan_label", detail))
        else:
            matched[called] = file
    return matched, lost


def _under(folder: Folder, path: Path, names: Sequence[str]) -> bool:
    return any(part in names for part in Path(folder.name(path)).parts[:-1])


def _key(folder: Folder, path: Path) -> Path:
    return _without(folder.name(path))


def _without(name: str) -> Path:
    """The path without its ending and its folder for pictures or labels."""
    parts = Path(name).with_suffix("").parts
    return Path(*(part for part in parts[:-1] if part not in (*_LABELS, *_IMAGES)), parts[-1])


def _looks_right(path: Path) -> bool:
    with path.open("rb") as file:
        line = file.read(4096).decode("latin-1").strip().partition("\n")[0]
    row = _parsed(line)
    return isinstance(row, _Row) and not _is_number(line.split()[0])


def _files(path: Path, pictures: Iterable[Picture]) -> tuple[dict[str, Path], list[Problem]]:
    written: dict[str, Path] = {}
    problems = []
    for picture in pictures:
        inside = _without(picture.name) if files.safe(picture.name) else None
        file = path / "label_2" / f"{inside}.txt"
        if inside is None or file.exists():
            reason = "duplicate_id" if inside else "unsafe_path"
            detail = f"{picture.name!r} cannot have a label file of its own"
            problems.append(Problem(picture.where, reason, detail))
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        written[picture.name] = file
    return written, problems


def _wrong(
    label: Annotation, written: Mapping[str, Path], known: set[str]
) -> tuple[str, str] | None:
    if label.picture not in written:
        return "missing_image", f"{label.picture} was not written"
    if label.kind != "box":
        return "unsupported", f"KITTI holds boxes, no {label.kind}"
    if label.class_name not in known:
        return "unknown_category", f"no class {label.class_name!r}"
    if not exact.is_finite(label):
        return "not_a_number", "KITTI holds finite numbers only"
    back = _parsed(_line(label))
    if isinstance(back, str) or back.name != label.class_name:
        return "unsupported", f"a row with the class {label.class_name!r} would not read the same"
    return None


def _line(label: Annotation) -> str:
    x, y, w, h = map(exact.decimal, label.box or (math.nan,) * 4)
    box = " ".join(map(exact.shown, (x, y, x + w, y + h)))
    told = [_told(label.attributes.get(n), unknown) for n, unknown in zip(ATTRIBUTES, _UNKNOWN)]
    score = label.attributes.get("score", label.confidence)
    end = [] if score is None else [repr(score)]
    return " ".join([label.class_name, *told[:3], box, *told[3:], *end])


def _kept(label: Annotation) -> list[str]:
    """Names of the attributes whose values fit into their columns."""
    fits = [name for name, unknown in zip(ATTRIBUTES, _UNKNOWN)
            if _told(label.attributes.get(name), unknown) != unknown]  # fmt: skip
    return [*fits, "score"]


def _told(value: Any, unknown: str) -> str:
    """A column or three of an attribute; what is no number of numbers is unknown."""
    values = value if isinstance(value, list | tuple) else [value]
    fits = len(values) == len(unknown.split()) and all(type(v) in (int, float) for v in values)
    return " ".join(map(repr, values)) if fits else unknown
