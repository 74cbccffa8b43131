"""Thumbnails."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from smartdb import thumbnails
from smartdb.contents import Content
from smartdb.errors import InvalidInput, NotFound
from smartdb.thumbnails import cached_thumbnail, thumbnail


def jpeg(size: tuple[int, int] = (640, 320), **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(buffer, "JPEG", **options)
    return buffer.getvalue()


def content_at(path: Path, sha256: bytes) -> Content:
    return Content(1, "image", sha256, "image/jpeg", 640, 320, (path.as_uri(),))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_the_longer_side_is_as_asked_and_small_pictures_keep_their_size() -> None:
    assert opened(thumbnail(jpeg())).size == (256, 128)
    assert opened(thumbnail(jpeg(), 64)).size == (64, 32)
    assert opened(thumbnail(jpeg((20, 10)))).size == (20, 10)
    assert opened(thumbnail(jpeg((1000, 3)), 64)).size == (64, 1)


def test_it_is_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    assert opened(thumbnail(jpeg(exif=exif), 64)).size == (32, 64)


def test_nothing_but_pixels_is_passed_on() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ada Lovelace"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 51.0, 30.0)})
    data = jpeg(exif=exif, comment=b"at home", xmp=b"<x>GPSLatitude</x>", icc_profile=b"secret")
    for secret in (b"Ada", b"at home", b"GPSLatitude", b"secret"):
        assert secret in data
    made = thumbnail(data)
    for secret in (b"Ada", b"at home", b"GPSLatitude", b"secret", b"Exif"):
        assert secret not in made
    assert not opened(made).getexif()


def test_a_transparent_png_gets_a_white_ground() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(buffer, "PNG")
    assert opened(thumbnail(buffer.getvalue())).getpixel((9, 9)) == (255, 255, 255)


@pytest.mark.parametrize("size", [0, -5, 15, 5000])
def test_a_silly_size_is_refused(size: int) -> None:
    with pytest.raises(InvalidInput, match=f"size {size} is not between 16 and 1024"):
        thumbnail(jpeg(), size)


def test_the_cache_is_filled_once_and_asked_first(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    content = content_at(path, hashlib.sha256(jpeg()).digest())
    first = cached_thumbnail(content, 64)
    path.unlink()
    assert cached_thumbnail(content, 64) == first
    kept = thumbnails.cache_path(content.sha256, 64)
    assert kept.read_bytes() == first
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]
    with pytest.raises(NotFound, match=r"there is no file .*/a\.jpg any more"):
        cached_thumbnail(content, 128)


def test_a_file_that_holds_other_bytes_by_now_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    with pytest.raises(NotFound, match=r"/a\.jpg has changed since it was ingested"):
        cached_thumbnail(content_at(path, bytes(32)))
    assert not thumbnails.cache_path(bytes(32), 256).exists()
