"""Images: what one file holds, and its pixels as everything else in smartdb sees them.

`inspect` reads a file once and tells all that ingest records, or why the file is refused.
`load_rgb` gives the pixels the way encoders, thumbnails and people should see them: upright, RGB.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartdb import stores, video_types, walk
from smartdb.errors import InvalidInput, NotFound
from smartdb.extensions import RAW, extension_of
from smartdb.walk import Found, looks_like_heif, looks_like_image, shown

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
    "PSD", "DDS", "QOI", "HEIF",
)  # fmt: skip
"""Formats of Pillow that are read: images only, told by their first bytes, and none that runs
another program. HEIF is pi_heif's, where that is installed."""

INSTALL_HEIF = (
    "HEIF (HEIC) needs a decoder; run: pip install 'smartdb[heif]', then: smartdb quarantine retry"
)

_MIME = {
    "MPO": "image/jpeg",
    "PPM": "image/x-portable-anymap",
    "DDS": "image/vnd-ms.dds",
}


@dataclass(frozen=True)
class Inspected:
    """What a good image or video holds; ``phash`` is 64 characters 0 or 1, None for one colour.

    A video has no ``phash`` and no ``quality``, its frames have; ``duration`` is in seconds.
    ``n_frames`` is None for a single picture, else how many the video, the animation, the pages or
    the multi-picture file holds. ``personal`` are kinds of metadata that may tell about people,
    with what there is of each.
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
    personal: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """Why a file was refused: a stable code of `smartdb.reasons`, and what the reader said."""

    reason: str
    detail: str


def inspect_found(
    found: Found, keep: Callable[[Inspected, bytes], None] | None = None
) -> Inspected | Refused:
    """What a worker does with a file of a listing; ``keep`` gets good ones that lie in a store."""
    if found.problem:
        return Refused("unreadable", found.problem)
    extension = extension_of(found.uri)
    if extension in RAW:  # what Pillow would read of it is a small preview
        return Refused("unsupported", f"camera raw ({extension}); develop it into a TIFF or JPEG")
    if not found.path:
        data = fetch(found)
        if isinstance(data, Refused):
            return data
        seen = inspect_named(found.uri, data)
        if keep and isinstance(seen, Inspected):
            keep(seen, data)
        return seen
    if extension.encode() in video_types.EXTENSIONS:
        return _inspect_video(found.path)
    return inspect(found.path)


def inspect_named(uri: str, data: bytes) -> Inspected | Refused:
    """What a file with these bytes holds, an image or a video, whatever its name says."""
    from smartdb import videos

    is_named = walk.is_video(uri.encode(), data[: video_types.HEAD])
    return videos.inspect(data) if is_named else inspect_bytes(data)


def _inspect_video(path: bytes) -> Inspected | Refused:
    """A file named like a video, which need not be held in memory; unless it is an image."""
    from smartdb import videos

    is_image = walk.looks_like_image(walk.head_of(path))
    return inspect(path) if is_image else videos.inspect(Path(os.fsdecode(path)))


def fetch(found: Found) -> bytes | Refused:
    """The bytes of a file in a store, or why they are refused unread."""
    if (found.n_bytes or 0) > MAX_BYTES:
        return Refused("too_large", f"the file has more than {MAX_BYTES} bytes")
    try:
        return stores.read(found.uri)
    except NotFound as error:
        return Refused("unreadable", str(error))


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
        if walk.is_video(b"", data[: video_types.HEAD]):
            from smartdb import videos

            return videos.inspect(data)
        return Refused(_reason(error, data), _detail(error, data))
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

    `smartdb.pixels` says what becomes of transparency, depth and colour; of an animation it is the
    first frame. With ``at_least`` a JPEG may be decoded smaller, though no side shorter than that,
    which is faster. NotFound if there is no such file, InvalidInput if it cannot be decoded.
    """
    from smartdb import pixels

    data = source if isinstance(source, bytes) else _file(source)
    try:
        with _quiet():
            image = _opened(data)
            if at_least:
                image.draft("RGB", (at_least, at_least))
            _load(image)
            return pixels.upright_rgb(image)
    except Exception as error:
        name = "the image" if isinstance(source, bytes) else shown(os.fsencode(source))
        raise InvalidInput(
            f"cannot decode {name}: {_detail(error, data)}; give a picture that can be opened"
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
    if name == "HEIF":
        return getattr(image, "custom_mimetype", None) or "image/heif"  # image/heic
    return _MIME.get(name) or Image.MIME.get(name) or f"image/x-{name.lower()}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's warnings: about broken metadata, and at half of the limit of pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _decoded(data: bytes) -> tuple[Image.Image, dict[str, Any]]:
    """The pixels, and what the file tells beside them."""
    from smartdb import exif, pixels
    from smartdb.metadata import personal

    image = _opened(data)
    n_frames = _n_frames(image)
    _load(image)
    metadata = exif.read(image)
    told = {
        "mime": mime_of(image),
        "n_frames": n_frames if n_frames > 1 else None,
        "captured_at": metadata.captured_at,
        "exif": metadata.tags,
        "gps": metadata.gps,
        "personal": personal(image, metadata.tags),
        "attributes": _attributes(image, metadata.problem),
    }
    return pixels.upright_rgb(image), told


def _opened(data: bytes) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(data), formats=_formats())
    except UnidentifiedImageError as error:
        raise _of_its_format(data) or error from None
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError(f"{image.width}x{image.height} pixels are too many")
    return image


def _of_its_format(data: bytes) -> Exception | None:
    """What the reader of the format that the first bytes tell says; None if it says nothing."""
    from PIL import Image

    for factory, accept in (Image.OPEN[name] for name in _formats()):
        if accept and accept(data[:16]) is True:
            try:
                factory(io.BytesIO(data), "")
            except Exception as error:
                return None if "not identified" in str(error) else error
    return None


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except OSError as error:
        compression = image.info.get("compression")
        if image.format == "TIFF" and compression in ("webp", "zstd"):  # left out of some libtiff
            raise OSError(f"TIFF compression {compression} is not supported here") from error
        raise


@cache
def _formats() -> tuple[str, ...]:
    from PIL import Image

    Image.init()
    with suppress(ImportError):
        import pi_heif

        pi_heif.register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _n_frames(image: Image.Image) -> int:
    try:
        n = int(getattr(image, "n_frames", 1))
        image.seek(0)
        return n
    except Exception:  # later frames are broken; the first decides
        return 1


def _attributes(image: Image.Image, problem: str | None) -> dict[str, Any]:
    from smartdb import pixels

    found = {
        "format": image.format,
        "mode": image.mode,
        "bits": pixels.bits_of(image),
        "colour_profile": _colour_profile(image),
        "exif_problem": problem,
    }
    return {name: value for name, value in found.items() if value is not None}


def _colour_profile(image: Image.Image) -> str | None:
    """The description of an embedded ICC profile; it is noted and not applied."""
    from PIL import ImageCms

    from smartdb.exif import plain

    data = image.info.get("icc_profile")
    if not data:
        return None
    try:
        profile = ImageCms.core.profile_frombytes(data)
        return str(plain(profile.profile_description or "unnamed"))
    except Exception:  # littlecms cannot read it
        return "unreadable"


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

    said = str(error).lower()
    if not data:
        return "empty_file"
    if isinstance(error, Image.DecompressionBombError | MemoryError) or "too large" in said:
        return "too_large"
    if _is_unsupported(said, data):
        return "unsupported"
    if isinstance(error, UnidentifiedImageError):
        is_image = looks_like_image(data[:32]) or b"IHDR" in data[:32]  # a damaged signature
        return "corrupt" if is_image else "not_an_image"
    return "truncated" if "truncated" in said else "corrupt"


def _is_unsupported(said: str, data: bytes) -> bool:
    """Whether the file is of a kind that is not read here, for all one can tell."""
    if looks_like_heif(data[:32]):
        return "HEIF" not in _formats()
    return data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")) or any(
        words in said for words in ("unknown pixel mode", "unsupported", "not supported")
    )


def _detail(error: Exception, data: bytes) -> str:
    from PIL import UnidentifiedImageError

    if looks_like_heif(data[:32]) and "HEIF" not in _formats():
        return INSTALL_HEIF
    if isinstance(error, UnidentifiedImageError):
        return "no reader knows what this is"
    if isinstance(error, MemoryError):
        return "decoding needs more memory than a worker may use; see SMARTDB_WORKER_MEMORY"
    return f"{type(error).__name__}: {error}".replace("\0", "")[:500]
