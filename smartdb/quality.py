"""Statistics of the pixels of a picture, in plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

SIDE = 256
"""Pictures are measured at this length of their longer side; smaller ones as they are."""


@dataclass(frozen=True)
class Quality:
    """The columns of ``core.quality``; their comments define them."""

    brightness: float
    contrast: float
    sharpness: float
    entropy: float
    colourfulness: float


def measure(rgb: Image.Image) -> Quality:
    """The statistics of an RGB picture, measured at `SIDE` pixels so that sizes compare.

    Luminance is Pillow's L: 0.299 R + 0.587 G + 0.114 B, as a byte. Sharpness is the variance of
    the 4-neighbour Laplacian over the inner pixels, 0 for a picture without any.
    """
    small = _reduced(rgb)
    luminance = np.asarray(small.convert("L"))
    share = np.bincount(luminance.ravel(), minlength=256) / luminance.size
    levels = np.arange(256) / 255
    mean = float(share @ levels)
    return Quality(
        brightness=mean,
        contrast=float(share @ (levels - mean) ** 2) ** 0.5,
        sharpness=_sharpness(luminance),
        entropy=_entropy(share),
        colourfulness=_colourfulness(np.asarray(small)),
    )


def _reduced(rgb: Image.Image) -> Image.Image:
    from PIL import Image

    if max(rgb.size) <= SIDE:
        return rgb
    scale = SIDE / max(rgb.size)
    size = (max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale)))
    return rgb.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _sharpness(luminance: NDArray[np.uint8]) -> float:
    if min(luminance.shape) < 3:
        return 0.0
    grey = luminance.astype(np.int16)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return _moments(around - 4 * grey[1:-1, 1:-1])[1]


def _entropy(share: NDArray[Any]) -> float:
    positive = share[share > 0]
    return max(0.0, float(-(positive * np.log2(positive)).sum()))


def _colourfulness(pixels: NDArray[np.uint8]) -> float:
    red, green, blue = (pixels[..., i].astype(np.int16) for i in range(3))
    red_green, red_green_var = _moments(red - green)
    yellow_blue, yellow_blue_var = _moments(red + green - 2 * blue)  # twice of what is defined
    spread = (red_green_var + yellow_blue_var / 4) ** 0.5
    return float(spread + 0.3 * np.hypot(red_green, yellow_blue / 2))


def _moments(values: NDArray[np.int16]) -> tuple[float, float]:
    """Mean and variance from exact sums; without BLAS, whose threads cost more than they do."""
    mean = float(values.mean())
    return mean, max(0.0, float(np.square(values, dtype=np.int32).mean()) - mean**2)
