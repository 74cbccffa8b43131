"""Manifests: tables with a row for each label (or picture), what CSV and Parquet have in common.

A row names its picture (``path`` or one of its other names) and, if it is a label, a class, and a
box as x, y, w, h or xmin, ymin, xmax, ymax or bbox. ``kind``, ``shape`` and ``attributes`` (JSON),
``track``, ``confidence``, ``key``, ``frame_index``, ``width``, ``height`` and ``split`` are read
where they are there. That is what `rows` writes: everything comes back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from smartdb.errors import InvalidInput
from smartdb.formats.base import Annotation, Item, Kind, Picture, Problem
from smartdb.formats.geometry import Box

PATHS = ("path", "file_name", "filename", "file", "image_path", "file_path", "uri", "image", "img")
CLASSES = ("class", "label", "class_name", "category", "labels")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
COLUMNS = (
    "path", "frame_index", "width", "height", "split", "kind", "class", "x", "y", "w", "h", "shape",
    "attributes", "track", "confidence", "key",
)  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass
class Reader:
    """Turns rows into items; ``bbox`` is xywh or xyxy. A picture comes with its first row."""

    path: str
    class_: str | None
    bbox: str = "xywh"
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seen: set[tuple[str, int | None]] = field(default_factory=set)

    def items(self, row: Mapping[str, Any], where: str) -> Iterator[Item]:
        """Picture and label of a row, or what is wrong with it."""
        name, data = _picture(row.get(self.path))
        if not name:
            yield Problem(where, "bad_row", f"its {self.path} is empty")
            return
        try:
            frame = _whole(row.get("frame_index"))
            if (name, frame) not in self.seen:
                self.seen.add((name, frame))
                width, height = _whole(row.get("width")), _whole(row.get("height"))
                size = (width, height) if width and height else None
                split = _text(row.get("split"))
                yield Picture(name, where, size, split, frame, data=data)
            label = self._label(row, name, frame, where)
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            yield Problem(where, "bad_row", str(error))
            return
        if label:
            yield label

    def _label(
        self, row: Mapping[str, Any], name: str, frame: int | None, where: str
    ) -> Annotation | None:
        class_name = self.class_of(self.class_, row.get(self.class_) if self.class_ else None)
        box, shape = self._box(row), _json(row.get("shape"), "shape")
        kind = _text(row.get("kind")) or ("box" if box else "classification")
        if class_name is None:
            if box or shape or row.get("kind"):
                raise ValueError("a label without a class")
            return None
        return Annotation(
            name, kind_of(kind), class_name, where, box, shape,
            _json(row.get("attributes"), "attributes") or {}, _text(row.get("track")),
            _number(row.get("confidence")), _text(row.get("key")), frame,
        )  # fmt: skip

    def class_of(self, column: str | None, value: Any) -> str | None:
        """The name of a class that is given by name or by its number; None for no class."""
        names = self.names.get(column or "")
        if names and isinstance(value, int):
            if value == -1:  # not labelled, as Hugging Face says it
                return None
            if not 0 <= value < len(names):
                raise ValueError(f"class {value} is not among the {len(names)} names")
            return names[value]
        return _text(value)

    def _box(self, row: Mapping[str, Any]) -> Box | None:
        if any(row.get(name) not in (None, "") for name in "xywh"):
            return cast(Box, tuple(_required(row, name) for name in "xywh"))
        if any(row.get(name) not in (None, "") for name in CORNERS):
            return _from_corners([_required(row, name) for name in CORNERS])
        given = row.get("bbox")
        return None if given in (None, "") else self.box_of(_json(given, "bbox"))

    def box_of(self, given: Any) -> Box:
        """A box from a list of four numbers."""
        if not isinstance(given, (list, tuple)) or len(given) != 4:
            raise ValueError(f"bbox is to be four numbers, not {str(given)[:80]}")
        numbers = [float(value) for value in given]
        return cast(Box, tuple(numbers)) if self.bbox == "xywh" else _from_corners(numbers)


def kind_of(name: str) -> Kind:
    """The kind of label of this name; ValueError if there is none."""
    if name not in KINDS:
        raise ValueError(f"no kind of label is called {name!r}")
    return name


def columns_of(
    there: Sequence[str], path: str | None, class_: str | None, bbox: str, what: str
) -> tuple[str, str | None]:
    """The columns of path and class among those there; InvalidInput where one is missing."""
    for name in (path, class_):
        if name is not None and name not in there:
            raise InvalidInput(f"{what} has no column {name!r}, only {', '.join(there)}")
    if bbox not in ("xywh", "xyxy"):
        raise InvalidInput(f"bbox is xywh or xyxy, not {bbox!r}")
    found = path or next((name for name in PATHS if name in there), None)
    if found is None:
        raise InvalidInput(
            f"{what} has no column with the picture ({', '.join(PATHS)}); say which: "
            f"--option path_column=NAME; it has: {', '.join(there)}"
        )
    return found, class_ or next(
        (name for name in CLASSES if name in there and name != found), None
    )


def rows(
    pictures: Iterable[Picture], annotations: Iterable[Annotation], problems: list[Problem]
) -> Iterator[tuple[dict[str, Any], Picture | None]]:
    """A row for each picture, with the picture, then one for each label; values may be None."""
    names = set()
    for each in pictures:
        names.add((each.name, each.frame_index))
        width, height = each.size or (None, None)
        row = {"path": each.name, "frame_index": each.frame_index, "split": each.split}
        yield row | {"width": width, "height": height}, each
    for label in annotations:
        if (label.picture, label.frame_index) not in names:
            problems.append(Problem(label.where, "orphan_label", "its picture is not there"))
            continue
        x, y, w, h = label.box or (None,) * 4
        yield {
            "path": label.picture, "frame_index": label.frame_index, "kind": label.kind,
            "class": label.class_name, "x": x, "y": y, "w": w, "h": h,
            "shape": json.dumps(label.shape) if label.shape else None,
            "attributes": json.dumps(dict(label.attributes)) if label.attributes else None,
            "track": label.track, "confidence": label.confidence, "key": label.key,
        }, None  # fmt: skip


def _picture(value: Any) -> tuple[str | None, bytes | None]:
    """Name and bytes of a picture, that is a path or Hugging Face's {"bytes", "path"}."""
    if isinstance(value, Mapping):
        return _text(value.get("path")), value.get("bytes")
    return _text(value), None


def _from_corners(corners: Sequence[float]) -> Box:
    left, top, right, bottom = corners
    return left, top, right - left, bottom - top


def _required(row: Mapping[str, Any], name: str) -> float:
    value = _number(row.get(name))
    if value is None:
        raise ValueError(f"its {name} is empty")
    return value


def _number(value: Any) -> float | None:
    return None if value is None or value == "" else float(value)


def _whole(value: Any) -> int | None:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    return int(value)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return None if value is None or value == "" else str(value)


def _json(value: Any, name: str) -> Any:
    if value is None or value == "" or not isinstance(value, str):
        return value or None
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"its {name} is no JSON: {error}") from error
