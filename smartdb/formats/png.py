"""Masks as PNG pictures of them."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from smartdb.formats.masks import MAX_PIXELS


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
