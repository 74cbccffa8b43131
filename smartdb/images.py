"""Images: what one file holds, and its pixels as everything else in smartdb sees them.

`inspect` reads a file once and tells all that ingest records, or why the file is refused.
`load_rgb` gives the pixels the way encoders, thumbnails and people should see them: upright, RGB.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartdb.errors import InvalidInput, NotFound
from smartdb.video_types import HEAD, looks_like_video
from smartdb.walk import Found, is_video, looks_like_heif, looks_like_image, shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from smartdb.quality import Quality

MAX_PIXELS = 178_956_970
"""Pictures with more pixels are refused as too_large: decoded they need over half a gigabyte."""

MAX_BYTES = 1 << 30
"""Files with more bytes are refused as too_large."""

FORMATS = (
    "JPEG", "PNG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO", "ICNS",
    "PSD", "DDS", "QOI",
)  # fmt: skip
"""Formats of Pillow that are read: images only, told by their first bytes, and none that runs
another program."""

_MIME = {
    "MPO": "image/jpeg",
    "PPM": "image/x-portable-anymap",
    "DDS": "image/vnd-ms.dds",
}


@dataclass(frozen=True)
class Inspected:
    """What a good image or video holds; ``phash`` is 64 characters 0 or 1, None for one colour.

    A video has no ``phash`` and no ``quality``, its frames have; ``duration`` is in seconds.
    """

    sha256: bytes
    n_bytes: int
    mime: str
    width: int
    height: int
    captured_at: datetime | None
    phash: str | None
    exif: dict[str, Any]
    gps: dict[str, Any] | None
    attributes: dict[str, Any]
    quality: Quality | None
    kind: str = "image"
    duration: float | None = None
    fps: float | None = None
    n_frames: int | None = None


@dataclass(frozen=True)
class Refused:
    """Why a file was refused: a stable code, and what the reader said.

    empty_file, not_an_image, unsupported (an image of a kind that cannot be read here),
    truncated, corrupt, too_large, unreadable (the file system says no).
    """

    reason: str
    detail: str


def inspect_found(found: Found) -> Inspected | Refused:
    """What a worker does with a file of a listing."""
    if found.problem:
        return Refused("unreadable", found.problem)
    if is_video(found.path):
        from smartdb import videos

        return videos.inspect(Path(os.fsdecode(found.path)))
    return inspect(found.path)


def inspect(path: bytes) -> Inspected | Refused:
    """Reads, hashes, decodes and measures one file; never raises for what is in it."""
    try:
        file = Path(os.fsdecode(path))
        if file.stat().st_size > MAX_BYTES:
            return Refused("too_large", f"the file has more than {MAX_BYTES} bytes")
        data = file.read_bytes()
    except OSError as error:
        return Refused("unreadable", error.strerror or str(error))
    return inspect_bytes(data)


def inspect_bytes(data: bytes) -> Inspected | Refused:
    """What `inspect` tells about a file with these bytes."""
    from smartdb import quality

    try:
        with _quiet():
            rgb, told = _decoded(data)
    except Exception as error:  # decoders raise whatever they stumble over
        if looks_like_video(data[:HEAD]) and not looks_like_image(data[:HEAD]):
            from smartdb import videos

            return videos.inspect(data)  # by the name of an image
        return Refused(_reason(error, data), _detail(error))
    return Inspected(
        sha256=hashlib.sha256(data).digest(),
        n_bytes=len(data),
        width=rgb.width,
        height=rgb.height,
        phash=phash(rgb),
        quality=quality.measure(rgb),
        **told,
    )


def load_rgb(source: bytes | Path, *, at_least: int | None = None) -> Image.Image:
    """The picture upright and in RGB; ``source`` is a path, or the bytes of the file.

    Transparent parts become white, 16 bits become 8 by their high byte, floats are stretched over
    their range, of an animation it is the first frame. With ``at_least`` a JPEG may be decoded
    smaller, though no side shorter than that, which is faster. NotFound if there is no such file,
    InvalidInput if it cannot be decoded.
    """
    data = source if isinstance(source, bytes) else _file(source)
    try:
        with _quiet():
            image = _opened(data)
            if at_least:
                image.draft("RGB", (at_least, at_least))
            image.load()
            return _rgb(_upright(image))
    except Exception as error:
        name = "the image" if isinstance(source, bytes) else shown(os.fsencode(source))
        raise InvalidInput(
            f"cannot decode {name}: {_detail(error)}; give a picture that can be opened"
        ) from error


def phash(rgb: Image.Image) -> str | None:
    """The 64-bit pHash of imagehash as 64 characters 0 or 1; None for a picture of one colour.

    One colour means that no two pixels of its 32x32 grey version differ by more than 2 of 255:
    what is left then is noise of the compression, and its hash would mean nothing.

    Worked out here, because imagehash brings SciPy, whose import takes a worker longer than some
    hundred images. A test holds the two together; they differ only for drawings with symmetries,
    where many frequencies are 0 and imagehash tells the sign of rounding errors.
    """
    import numpy as np
    from PIL import Image

    grey = np.asarray(rgb.convert("L").resize((32, 32), Image.Resampling.LANCZOS))
    if np.ptp(grey) <= 2:
        return None
    low = _cosines() @ grey @ _cosines().T
    bits = low > np.median(low) + 1e-3  # above rounding errors
    return f"{int.from_bytes(np.packbits(bits).tobytes()):064b}"


@cache
def _cosines() -> NDArray[np.float64]:
    """The 8 lowest frequencies of the DCT-II of 32 values, (8, 32) float64."""
    import numpy as np

    angles = np.pi / 64 * np.outer(np.arange(8.0), 2 * np.arange(32.0) + 1)
    return np.asarray(2 * np.cos(angles), dtype=np.float64)


def mime_of(image: Image.Image) -> str:
    """The type by content, for instance image/jpeg."""
    from PIL import Image

    name = image.format or "unknown"
    return _MIME.get(name) or Image.MIME.get(name) or f"image/x-{name.lower()}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's warnings: about broken metadata, and at half of the limit of pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _decoded(data: bytes) -> tuple[Image.Image, dict[str, Any]]:
    """The pixels, and what the file tells beside them."""
    from smartdb import exif

    image = _opened(data)
    n_frames = _n_frames(image)
    image.load()
    metadata = exif.read(image)
    told = {
        "mime": mime_of(image),
        "captured_at": metadata.captured_at,
        "exif": metadata.tags,
        "gps": metadata.gps,
        "attributes": _attributes(image, n_frames, metadata.problem),
    }
    return _rgb(_upright(image)), told


def _opened(data: bytes) -> Image.Image:
    from PIL import Image

    image = Image.open(io.BytesIO(data), formats=_formats())
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError(f"{image.width}x{image.height} pixels are too many")
    return image


@cache
def _formats() -> tuple[str, ...]:
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _n_frames(image: Image.Image) -> int:
    try:
        n = int(getattr(image, "n_frames", 1))
        image.seek(0)
        return n
    except Exception:  # later frames are broken; the first decides
        return 1


def _attributes(image: Image.Image, n_frames: int, problem: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"format": image.format, "mode": image.mode}
    if n_frames > 1:
        found["n_frames"] = n_frames
    if problem:
        found["exif_problem"] = problem
    return found


def _upright(image: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation wants it shown; broken EXIF means as it is."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image) if image.getexif().get(0x0112, 1) != 1 else image
    except Exception:  # whatever is wrong with it
        return image


def _rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode == "RGB":
        return image
    if image.mode[0] in "IF":  # I;16, I;16B, I, F
        return _eight_bit(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    import numpy as np
    from PIL import Image

    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0.0, neginf=0.0)
    if image.mode != "F" and values.min() >= 0 and values.max() <= 65535:
        deep = image.mode != "I" or values.max() > 255
        return Image.fromarray((values // 256 if deep else values).astype(np.uint8))
    low, span = values.min(), np.ptp(values) or 1.0
    return Image.fromarray(((values - low) / span * 255).astype(np.uint8))


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        name = shown(os.fsencode(path))
        raise NotFound(
            f"cannot read {name}: {error.strerror}; was it moved? ingest again"
        ) from error


def _reason(error: Exception, data: bytes) -> str:
    from PIL import Image, UnidentifiedImageError

    if not data:
        return "empty_file"
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return "too_large"
    if isinstance(error, UnidentifiedImageError):
        head = data[:32]
        kind = "corrupt" if looks_like_image(head) else "not_an_image"
        return "unsupported" if looks_like_heif(head) else kind
    return "truncated" if "truncated" in str(error).lower() else "corrupt"


def _detail(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "no reader knows what this is"
    return f"{type(error).__name__}: {error}".replace("\0", "")[:500]
