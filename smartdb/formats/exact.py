"""Coordinates between text and pixels, in decimals, so that what is written reads the same.

A share of the width times the width, in binary floats, misses most pixels by a last digit. In
decimals with `PLACES` places every coordinate from 1e-4 pixels up comes back as the same float.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from smartdb.formats.base import Annotation
from smartdb.formats.geometry import Box

PLACES = Decimal("1e-24")
HALF = Decimal("0.5")

Size = tuple[int, int]


def share(value: float, side: int) -> Decimal:
    """A length in pixels as a share of a side."""
    return (Decimal(value) / side).quantize(PLACES)


def shown(value: Decimal) -> str:
    """A number as text, without trailing zeros and without an exponent."""
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def decimal(value: float) -> Decimal:
    """The number that the shortest text of a float shows."""
    return Decimal(repr(value))


def span(low: Decimal, high: Decimal, side: int = 1) -> tuple[float, float]:
    """(start, length) in pixels of an interval given by its ends, in either order, in shares."""
    if low > high:
        low, high = high, low
    return float(low * side), float((high - low) * side)


def points(values: Iterable[str], size: Size) -> list[list[float]]:
    """[[x, y], ...] in pixels, from shares of width and height as text."""
    numbers = [Decimal(value) for value in values]
    width, height = size
    return [[float(x * width), float(y * height)] for x, y in zip(numbers[::2], numbers[1::2])]


def centred(values: Iterable[str], size: Size) -> Box:
    """(x, y, w, h) in pixels, from the shares of centre and sides as text."""
    x, y, w, h = map(Decimal, values)
    width, height = size
    return (
        float((x - w * HALF) * width),
        float((y - h * HALF) * height),
        float(w * width),
        float(h * height),
    )


def centred_text(box: Box, size: Size) -> list[str]:
    """What `centred` reads as this box."""
    x, y, w, h = (share(value, size[i % 2]) for i, value in enumerate(box))
    return [shown(value) for value in (x + w * HALF, y + h * HALF, w, h)]


def points_text(shape: Iterable[Iterable[float]], size: Size) -> list[str]:
    """What `points` reads as these points, of which only x and y are taken."""
    return [shown(share(value, side)) for x, y, *_ in shape for value, side in zip((x, y), size)]


def is_finite(annotation: Annotation) -> bool:
    """Whether box and points of an annotation are numbers below 1e8, which can be written."""
    return all(abs(value) < 1e8 for value in numbers([annotation.box, annotation.shape]))


def numbers(value: Any) -> Iterator[float]:
    """All numbers in lists and dicts in each other."""
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, Mapping):
        yield from numbers(list(value.values()))
