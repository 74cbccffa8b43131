"""Masks between pictures of them, arrays and run lengths."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from smartdb.formats import library
from smartdb.formats.geometry import Box
from smartdb.images import MAX_PIXELS


def from_png(source: Path | bytes, size: tuple[int, int] | None = None) -> Any:
    """The pixels that are not black, (height, width) bool, resized to (width, height) by nearest.

    ValueError if that is no PNG that can be decoded.
    """
    import numpy as np
    from PIL import Image

    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=("PNG",)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ValueError(f"{image.width}x{image.height} pixels are too many")
                pixels = np.asarray(image if image.mode in ("1", "L", "P", "I;16") else
                                    image.convert("L"))  # fmt: skip
    except Exception as error:  # decoders raise whatever they stumble over
        raise ValueError(f"is no PNG that can be decoded: {error}") from error
    found = pixels != 0
    if size is None or size == (found.shape[1], found.shape[0]):
        return found
    resized = Image.fromarray(found).resize(size, Image.Resampling.NEAREST)
    return np.asarray(resized) != 0


def to_png(pixels: Any) -> bytes:
    """A PNG of one bit a pixel."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels.astype(bool)).save(out, "PNG")
    return out.getvalue()


def encoded(pixels: Any) -> tuple[Box, dict[str, Any]]:
    """The bounding box and the run lengths of a mask, (height, width) bool."""
    import numpy as np

    mask = library("pycocotools.mask")
    found = mask.encode(np.asfortranarray(pixels, dtype=np.uint8))
    x, y, w, h = (float(value) for value in mask.toBbox(found))
    height, width = pixels.shape
    shape = {"size": [int(height), int(width)], "counts": found["counts"].decode("ascii")}
    return (x, y, w, h), shape


def decoded(shape: Any) -> Any:
    """The mask of run lengths, (height, width) bool."""
    mask = library("pycocotools.mask")
    runs = {"size": shape["size"], "counts": shape["counts"].encode("ascii")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools with NumPy 2
        return mask.decode(runs) != 0
