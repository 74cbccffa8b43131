"""Pixels of an opened picture as everything else sees them: upright, RGB, 8 bits.

Values stay as they are stored: embedded colour profiles and PNG's gamma are not applied, as in the
usual loaders of training frameworks. CMYK becomes RGB by its plain formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

_ORIENTATION = 0x0112


def upright_rgb(image: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation wants it shown, in RGB.

    Transparent parts become white. Grey of more than 8 bits keeps the highest 8 of its `bits_of`;
    values that are negative, above 65535 or floats are stretched over their range. Broken EXIF
    means as it is.
    """
    return _rgb(_upright(_uninverted(image)))


def bits_of(image: Image.Image) -> int | None:
    """How many bits hold the largest value of grey with more than 8 bits; at least 8.

    Cameras store 10, 12 or 14 bits in 16, and nothing in the file says so: taken as 16 bits they
    would come out black. None for other pictures, and for values that are negative or above 65535.
    """
    import numpy as np

    if not image.mode.startswith("I"):  # I, I;16, I;16B
        return None
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        return None
    return max(8, int(values.max()).bit_length())


def _uninverted(image: Image.Image) -> Image.Image:
    """Pillow takes any CMYK JPEG as Adobe writes it, inverted; one without Adobe's mark is not."""
    from PIL import ImageChops

    is_jpeg = image.format in ("JPEG", "MPO")
    if image.mode != "CMYK" or not is_jpeg or "adobe" in image.info:
        return image
    right = ImageChops.invert(image)
    right.info.update(image.info)  # the orientation is told there
    return right


def _upright(image: Image.Image) -> Image.Image:
    from PIL import ImageOps

    try:
        is_upright = image.getexif().get(_ORIENTATION, 1) == 1
        return image if is_upright else ImageOps.exif_transpose(image)
    except Exception:  # whatever is wrong with it
        return image


def _rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode == "RGB":
        return image
    if image.mode[0] in "IF":  # I;16, I;16B, I, F
        return Image.fromarray(_eight_bit(image)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> NDArray[Any]:
    """Grey as (height, width) uint8."""
    import numpy as np

    bits = bits_of(image)
    if bits is not None:
        return np.asarray(np.asarray(image) >> (bits - 8), np.uint8)
    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0.0, neginf=0.0)
    low, span = values.min(), np.ptp(values) or 1.0
    return np.asarray((values - low) / span * 255).astype(np.uint8)
