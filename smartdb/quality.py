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

_OPPONENT = np.array([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])  # red - green, yellow - blue


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
    laplacian = (around - 4 * grey[1:-1, 1:-1]).ravel().astype(np.float64)
    return max(0.0, float(laplacian @ laplacian / laplacian.size - laplacian.mean() ** 2))


def _entropy(share: NDArray[Any]) -> float:
    positive = share[share > 0]
    return max(0.0, float(-(positive * np.log2(positive)).sum()))


def _colourfulness(pixels: NDArray[np.uint8]) -> float:
    """From the first and second moments of the three channels, so one pass over the pixels."""
    flat = pixels.reshape(-1, 3).astype(np.float64)
    mean = flat.mean(axis=0)
    means = _OPPONENT @ mean
    variances = np.diag(
        _OPPONENT @ (flat.T @ flat / len(flat) - np.outer(mean, mean)) @ _OPPONENT.T
    )
    return float(max(0.0, variances.sum()) ** 0.5 + 0.3 * np.hypot(*means))
