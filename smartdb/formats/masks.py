"""Masks between pixels, run lengths by rows and the compressed run lengths of ``core.label``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.formats import library
from smartdb.formats.geometry import Box

MAX_PIXELS = 1 << 27
"""Pixels of a mask that are decoded at most: a bomb claims more."""

Pixels = NDArray[np.bool_]


def of_pixels(pixels: Pixels) -> tuple[Box, dict[str, Any]]:
    """The bounding box and the shape of a mask of (h, w) bool."""
    mask = library("pycocotools.mask")
    runs = mask.encode(np.asfortranarray(pixels, dtype=np.uint8))
    x, y, w, h = (float(value) for value in mask.toBbox(runs))
    height, width = pixels.shape
    return (x, y, w, h), {"size": [height, width], "counts": runs["counts"].decode("ascii")}


def to_pixels(shape: Mapping[str, Any]) -> Pixels:
    """The pixels (h, w) bool of a mask's shape."""
    runs = {"size": list(shape["size"]), "counts": shape["counts"].encode("ascii")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of numpy 2, to pycocotools
        pixels: Pixels = library("pycocotools.mask").decode(runs).astype(np.bool_)
    return pixels


def of_rows(counts: Sequence[int], width: int, height: int) -> Pixels:
    """The pixels of run lengths by rows, that start with what is not in it.

    ValueError if they do not fill the rectangle exactly, or it is larger than `MAX_PIXELS`.
    """
    if width <= 0 or height <= 0 or width * height > MAX_PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels")
    if any(count < 0 for count in counts) or sum(counts) != width * height:
        raise ValueError(f"the run lengths are not those of {width} x {height} pixels")
    runs = np.arange(len(counts)) % 2 == 1
    return np.repeat(runs, np.asarray(counts, dtype=np.int64)).reshape(height, width)


def to_rows(pixels: Pixels) -> list[int]:
    """The run lengths by rows of pixels (h, w) bool, that start with what is not in it."""
    flat = pixels.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return [0, *lengths] if flat.size and flat[0] else lengths


def placed(pixels: Pixels, left: int, top: int, size: tuple[int, int]) -> Pixels:
    """Pixels put into a picture of size (width, height); ValueError if they lie out of it."""
    width, height = size
    h, w = pixels.shape
    if left < 0 or top < 0 or left + w > width or top + h > height:
        raise ValueError(f"a mask at {left}, {top} of {w} x {h} in a picture of {width} x {height}")
    if width * height > MAX_PIXELS:
        raise ValueError(f"a picture of {width} x {height} pixels")
    whole = np.zeros((height, width), dtype=np.bool_)
    whole[top : top + h, left : left + w] = pixels
    return whole
