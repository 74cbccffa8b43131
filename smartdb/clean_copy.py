"""A clean copy of a picture: built anew from its pixels, so that nothing else comes along.

It is what everything else in smartdb sees of the picture: upright, RGB, 8 bits, the first frame.
What may not be seen is blurred, filled or pixelated; of the metadata it keeps the times, and the
colour profile unless all is to go. A filled region is gone. Of a blurred or pixelated one a model
may still make out who it is: that it takes more effort is all that one can say.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from smartdb import metadata

if TYPE_CHECKING:
    from PIL import Image

How = Literal["blur", "fill", "pixelate"]
Region = Sequence[float]

MARGIN = 0.15
"""A region is widened by this share of its size on each side: detectors cut hair and chins."""

BLOCKS = 6
"""Pixelated regions keep this many blocks along the longer side; blurred ones as little detail."""

QUALITY = 95
"""Of copies that are JPEG where the original was none, with colours at full resolution."""

LOSSLESS = ("image/png", "image/bmp", "image/tiff", "image/gif", "image/x-portable-anymap")
"""Copies of these are PNG, which loses nothing; all others become JPEG."""


@dataclass(frozen=True)
class Look:
    """How a copy is to be encoded: as its original was, as far as that can be.

    ``tables`` and ``subsampling`` are of a JPEG, so that encoding it again loses next to nothing;
    ``tags`` are the EXIF tags by name, of which the copy keeps the times.
    """

    mime: str
    tags: Mapping[str, Any] = field(default_factory=dict)
    icc_profile: bytes | None = None
    tables: Mapping[int, Sequence[int]] | None = None
    subsampling: int = 0


def look_of(data: bytes, mime: str, keep_profile: bool) -> Look:
    """How a file is encoded, and the times it tells."""
    from PIL import JpegImagePlugin

    from smartdb import exif, images

    with images._quiet(), images._opened(data) as image:
        tags = exif.read(image).tags
        profile = image.info.get("icc_profile") if keep_profile and image.mode == "RGB" else None
        tables = getattr(image, "quantization", None)
        if image.mode != "RGB" or not tables or len(tables) != 2:
            return Look(mime, tags, profile)
        sampling = JpegImagePlugin.get_sampling(image)  # type: ignore[no-untyped-call]
        return Look(mime, tags, profile, dict(tables), sampling if sampling in (1, 2) else 0)


def make(
    rgb: Image.Image, look: Look, *, regions: Sequence[Region] = (), how: How = "blur"
) -> bytes:
    """The file of a clean copy of an upright RGB picture.

    ``regions`` are x, y, width, height in its pixels. SmartdbError if reading the copy again
    shows anything that should not be there.
    """
    clean = rgb.copy()
    clean.info.clear()
    for region in regions:
        obscure(clean, region, how)
    options: dict[str, Any] = {"exif": metadata.times(look.tags), "icc_profile": look.icc_profile}
    if look.mime not in LOSSLESS:
        options |= {"qtables": look.tables} if look.tables else {"quality": QUALITY}
        options["subsampling"] = ("4:4:4", "4:2:2", "4:2:0")[look.subsampling]
    buffer = io.BytesIO()
    kind = "PNG" if look.mime in LOSSLESS else "JPEG"
    clean.save(buffer, kind, **{name: value for name, value in options.items() if value})
    metadata.check_clean(buffer.getvalue())
    return buffer.getvalue()


def obscure(picture: Image.Image, region: Region, how: How) -> None:
    """Blurs, fills (with its mean colour) or pixelates a region of a picture, in place."""
    from PIL import Image, ImageFilter

    box = widened(region, picture.size)
    if box[0] >= box[2] or box[1] >= box[3]:  # it lies outside
        return
    crop = picture.crop(box)
    if how == "fill":
        crop = crop.resize((1, 1), Image.Resampling.BOX).resize(crop.size)
    else:
        block = max(1.0, max(crop.size) / BLOCKS)
        small = (max(1, round(crop.width / block)), max(1, round(crop.height / block)))
        coarse = crop.resize(small, Image.Resampling.BOX)
        crop = coarse.resize(crop.size, Image.Resampling.NEAREST)
        if how == "blur":  # of the blocks, so that no detail is left to sharpen
            crop = crop.filter(ImageFilter.GaussianBlur(block / 2))
    picture.paste(crop, box)


def widened(region: Region, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a region with its margin, within a picture of this size."""
    x, y, w, h = region
    return (
        max(0, int(x - MARGIN * w)),
        max(0, int(y - MARGIN * h)),
        min(size[0], int(-(-(x + w * (1 + MARGIN)) // 1))),
        min(size[1], int(-(-(y + h * (1 + MARGIN)) // 1))),
    )
