"""A row of a YOLO label file, and back: what its columns mean depends on their number.

5 box, 6 box and confidence         class x y w h [confidence], the centre, all as shares
9 in a set of rotated boxes         class and four corners [confidence]
5 + n x d in a set of key points    class, box, and n points of d = 2 or 3 numbers
odd, 7 or more                      class and the corners of a polygon (even: and confidence)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from smartdb.formats import exact
from smartdb.formats.base import Annotation, Kind
from smartdb.formats.exact import Size
from smartdb.formats.geometry import Box, bounds

TASKS = {"polygon": "segment", "rotated_box": "obb", "keypoints": "pose"}
"""The task that a kind of shape makes a set one for; boxes go with each."""


class BadRow(ValueError):
    """a row that is no label; the arguments are the code and the sentence of a `Problem`"""


@dataclass(frozen=True)
class Rows:
    """How the rows of a set are to be read. ``points`` is (number, 2 or 3) of its key points."""

    task: str
    names: Mapping[int, str] | None
    points: tuple[int, int] | None = None

    def read(self, columns: Sequence[str], size: Size, picture: str, where: str) -> Annotation:
        """The label that the columns of a row are; `BadRow` if they are none."""
        name = self._class(columns)
        try:
            kind, box, shape, rest = self._geometry(columns[1:], size)
            confidence = _confidence(rest)
        except (ArithmeticError, ValueError) as error:
            if isinstance(error, BadRow):
                raise
            raise BadRow("bad_row", "has a column that is no number") from error
        return Annotation(picture, kind, name, where, box, shape, confidence=confidence)

    def _class(self, columns: Sequence[str]) -> str:
        try:
            number = int(columns[0])
        except ValueError as error:
            raise BadRow("bad_row", "does not begin with the number of a class") from error
        if self.names is None and number >= 0:
            return str(number)
        if self.names is None or number not in self.names:
            raise BadRow("unknown_category", f"there is no class {number}")
        return self.names[number]

    def _geometry(
        self, values: Sequence[str], size: Size
    ) -> tuple[Kind, Box, dict[str, Any] | None, Sequence[str]]:
        n = len(values)
        if self.points and n == 4 + self.points[0] * self.points[1]:
            shape = {"points": _key_points(values[4:], self.points[1], size)}
            return "keypoints", exact.centred(values[:4], size), shape, ()
        if n in (4, 5):
            return "box", exact.centred(values[:4], size), None, values[4:]
        if self.task == "obb" and n in (8, 9):
            corners = exact.points(values[:8], size)
            return "rotated_box", bounds(corners), {"corners": corners}, values[8:]
        if n < 6 or self.task == "pose":
            raise BadRow("bad_row", f"has {n + 1} columns, which is no row of {self.task}")
        ring = exact.points(values[: n - n % 2], size)
        return "polygon", bounds(ring), {"polygons": [[ring]]}, values[n - n % 2 :]


def written(
    label: Annotation, number: int, size: Size, points: tuple[int, int] | None
) -> str | None:
    """The row that is read as this label; None if there is none."""
    values = _columns(label, size, points)
    if values is None or (label.confidence is not None and label.kind == "keypoints"):
        return None
    confidence = [] if label.confidence is None else [repr(label.confidence)]
    return " ".join([str(number), *values, *confidence])


def is_rectangle(corners: Sequence[Sequence[float]]) -> bool:
    """Whether four corners make a rectangle, to a fiftieth of its diagonal."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    diagonal = abs(complex(cx - ax, cy - ay))
    skew = abs(complex(ax + cx - bx - dx, ay + cy - by - dy)) / 2
    other = abs(complex(dx - bx, dy - by))
    return max(skew, abs(diagonal - other)) <= diagonal / 50


def _confidence(rest: Sequence[str]) -> float | None:
    if not rest:
        return None
    confidence = float(rest[0])
    if not 0 <= confidence <= 1:
        raise BadRow("bad_row", f"has the confidence {rest[0]}, which is not from 0 to 1")
    return confidence


def _key_points(values: Sequence[str], columns: int, size: Size) -> list[list[float]]:
    """[[x, y, visibility], ...]; of two columns negative ones are not labelled."""
    flat = [values[i + k] for i in range(0, len(values), columns) for k in (0, 1)]
    found = exact.points(flat, size)
    if columns == 3:
        return [[*point, float(Decimal(v))] for point, v in zip(found, values[2::3])]
    return [[x, y, 0.0 if x < 0 or y < 0 else 2.0] for x, y in found]


def _columns(label: Annotation, size: Size, points: tuple[int, int] | None) -> list[str] | None:
    shape = label.shape or {}
    if label.box is None:
        return None
    if label.kind == "box":
        return exact.centred_text(label.box, size)
    if label.kind == "rotated_box":
        return exact.points_text(shape["corners"], size)
    if label.kind == "polygon" and [len(rings) for rings in shape["polygons"]] == [1]:
        ring = shape["polygons"][0][0]
        return exact.points_text(ring, size) if len(ring) > 2 else None
    if label.kind == "keypoints" and points and len(shape["points"]) == points[0]:
        box = exact.centred_text(label.box, size)
        return box + [
            text
            for x, y, seen in shape["points"]
            for text in (*exact.points_text([[x, y]], size), repr(seen))
        ]
    return None
