"""Thumbnails: small upright JPEGs that hold pixels and nothing else, kept in a cache folder."""

from __future__ import annotations

import io
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from smartdb import config, contents
from smartdb.contents import Content
from smartdb.errors import InvalidInput
from smartdb.images import load_rgb

if TYPE_CHECKING:
    from PIL import Image

SIZES = range(16, 1025)
"""Lengths in pixels that the longer side may have."""

MIME = "image/jpeg"

_ABANDONED = 600  # seconds after which nobody is writing a file any more


def thumbnail(source: bytes | Path, size: int = 256) -> bytes:
    """A JPEG whose longer side is at most ``size`` pixels; smaller pictures keep their size.

    ``source`` is a path or the bytes of an image file. Nothing of its metadata (place, camera,
    comments, embedded thumbnails, colour profiles) is passed on. InvalidInput for a size outside
    `SIZES` or an image that cannot be decoded, NotFound where there is no such file.
    """
    _check(size)
    return _small(load_rgb(source, at_least=2 * size), size)


def cached_thumbnail(content: Content, size: int = 256) -> bytes:
    """`thumbnail` of a media, from the cache, or made from its bytes and kept.

    Of a video it shows the frame near a tenth of it.

    NotFound if it must be made and no place has the bytes any more.
    """
    _check(size)
    kept = cache_path(content.sha256, size)
    try:
        return kept.read_bytes()
    except FileNotFoundError:
        made = _small(contents.load_poster(content, at_least=2 * size), size)
        _keep(kept, made)
        return made


def forget(sha256: bytes) -> None:
    """Deletes the thumbnails of a media, of every size, and what killed processes left behind."""
    folder = cache_path(sha256, SIZES[0]).parent
    for kept in folder.glob(f"{sha256.hex()}_*.jpg"):
        kept.unlink(missing_ok=True)
    for part in folder.glob("*.part"):
        with suppress(FileNotFoundError):  # its writer has renamed it
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink()


def cache_path(sha256: bytes, size: int) -> Path:
    """Where the thumbnail of this size is kept."""
    name = sha256.hex()
    return config.home() / "thumbnails" / name[:2] / f"{name}_{size}.jpg"


def _check(size: int) -> None:
    if size not in SIZES:
        raise InvalidInput(f"size {size} is not between {SIZES[0]} and {SIZES[-1]} pixels")


def _small(picture: Image.Image, size: int) -> bytes:
    picture.thumbnail((size, size))
    picture.info.clear()  # or Pillow passes the JPEG comment on
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _keep(path: Path, data: bytes) -> None:
    """Writes in one step, so that a reader sees a whole thumbnail or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        file.write(data)
    Path(file.name).replace(path)
