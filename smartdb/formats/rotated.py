"""Rotated rectangles: four corners, or a centre, a size and degrees clockwise (y points down)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TOLERANCE = 1e-3  # pixels that a corner may be off and the four are still a rectangle

Corners = list[list[float]]


@dataclass(frozen=True)
class Rectangle:
    """A rectangle of width and height around a centre, turned by degrees, 0 < degrees <= 360."""

    cx: float
    cy: float
    w: float
    h: float
    degrees: float

    def corners(self) -> Corners:
        """Its corners from the one that is upper left before turning, clockwise."""
        cos, sin = _direction(self.degrees)
        half = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        offsets = ((i * self.w / 2, j * self.h / 2) for i, j in half)
        return [[self.cx + x * cos - y * sin, self.cy + x * sin + y * cos] for x, y in offsets]

    @property
    def anchor(self) -> tuple[float, float]:
        """The first corner, about which Label Studio turns."""
        x, y = self.corners()[0]
        return x, y


def at_anchor(x: float, y: float, w: float, h: float, degrees: float) -> Rectangle:
    """The rectangle whose first corner is (x, y), turned about that."""
    cos, sin = _direction(degrees)
    cx, cy = x + w / 2 * cos - h / 2 * sin, y + w / 2 * sin + h / 2 * cos
    return Rectangle(cx, cy, w, h, degrees)


def of_corners(corners: Sequence[Sequence[float]]) -> Rectangle | None:
    """The rectangle of four corners; None if they are none. Their turn may be either way round."""
    if len(corners) != 4:
        return None
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = ((p[0], p[1]) for p in corners)
    w, h = math.hypot(bx - ax, by - ay), math.hypot(cx - bx, cy - by)
    if math.hypot(ax + cx - bx - dx, ay + cy - by - dy) > TOLERANCE:
        return None
    if abs((bx - ax) * (cx - bx) + (by - ay) * (cy - by)) > TOLERANCE * max(w, h, 1):
        return None
    if (bx - ax) * (cy - by) - (by - ay) * (cx - bx) < 0:
        return of_corners([corners[1], corners[0], corners[3], corners[2]])
    degrees = math.degrees(math.atan2(by - ay, bx - ax)) % 360 or 360.0
    return Rectangle((ax + cx) / 2, (ay + cy) / 2, w, h, degrees)


def _direction(degrees: float) -> tuple[float, float]:
    """Cosine and sine, exact for quarter turns."""
    if degrees % 90 == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(degrees // 90) % 4]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
