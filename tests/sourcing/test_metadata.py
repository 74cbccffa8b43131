"""What metadata tell about people is found, and a clean copy has none of it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from smartdb import clean_copy, exif, images, metadata
from smartdb.errors import SmartdbError


def talkative(kind: str = "JPEG") -> bytes:
    """A picture that tells all there is to tell, with a checked patch in the middle."""
    picture = Image.new("RGB", (96, 64), "teal")
    draw = ImageDraw.Draw(picture)
    for i in range(16):
        draw.rectangle((32 + i, 16, 32 + i, 47), fill="white" if i % 2 else "black")
    block = Image.Exif()
    block[0x0112], block[0x010E], block[0x013B] = 6, "at Ada's", "Ada"
    block.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05", 0xA431: "SN 1", 0x927C: b"note"})
    block.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    buffer = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"exif": block, "icc_profile": profile}
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Author", "Ada")
        texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>Ada</x:xmpmeta>")
        options["pnginfo"] = texts
    else:
        options |= {"comment": b"by Ada", "xmp": b"<x:xmpmeta>Ada</x:xmpmeta>", "quality": 90}
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def copy_of(data: bytes, **options: object) -> bytes:
    look = clean_copy.look_of(data, images.inspect_bytes(data).mime, keep_profile=True)
    return clean_copy.make(images.load_rgb(data), look, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_all_that_metadata_tell_is_found_without_its_values(kind: str) -> None:
    seen = images.inspect_bytes(talkative(kind))
    assert isinstance(seen, images.Inspected)
    assert set(seen.personal) == {"serial", "maker_note", "xmp", "comment"}
    assert seen.gps
    assert "Ada" not in str(seen.personal)
    assert "SN 1" not in str(seen.personal)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_clean_copy_keeps_pixels_time_and_profile_and_nothing_else(kind: str) -> None:
    data = talkative(kind)
    copy = copy_of(data)
    again = images.inspect_bytes(copy)
    assert isinstance(again, images.Inspected)
    assert metadata.left(copy) == []
    assert list(again.exif) == ["DateTimeOriginal"]
    assert (again.width, again.height) == (64, 96)  # upright
    assert Image.open(io.BytesIO(copy)).info["icc_profile"]
    assert b"Ada" not in copy
    difference = np.abs(
        np.asarray(images.load_rgb(copy), int) - np.asarray(images.load_rgb(data), int)
    )
    assert difference.mean() < (0.5 if kind == "JPEG" else 0.001)


def test_what_is_left_in_a_copy_is_an_error() -> None:
    with pytest.raises(SmartdbError, match="comment"):
        metadata.check_clean(talkative())


@pytest.mark.parametrize("how", ["blur", "fill", "pixelate"])
def test_a_region_loses_its_detail_and_the_rest_stays(how: clean_copy.How) -> None:
    picture = images.load_rgb(talkative("PNG"))
    clean = picture.copy()
    clean_copy.obscure(clean, (16, 32, 32, 16), how)
    before, after = np.asarray(picture, int), np.asarray(clean, int)
    assert before[36:44, 20:44].std(axis=0).mean() > 50
    assert after[36:44, 20:44].std(axis=0).mean() < 20
    assert (before[60:] == after[60:]).all()
    assert (before[:20] == after[:20]).all()


def test_a_region_outside_the_picture_changes_nothing() -> None:
    picture = images.load_rgb(talkative("PNG"))
    clean = picture.copy()
    clean_copy.obscure(clean, (900, 900, 20, 20), "fill")
    assert clean.tobytes() == picture.tobytes()


@pytest.mark.shared
def test_copies_of_real_photos_hold_no_metadata_but_the_time(shared_data: Path) -> None:
    n = 0
    for path in sorted((shared_data / "exif").rglob("*.jpg")):
        if path.stat().st_size > 1_000_000:
            continue
        data = path.read_bytes()
        copy = copy_of(data)  # which reads it again and refuses what is left
        with Image.open(io.BytesIO(copy)) as made, Image.open(path) as original:
            assert exif.read(made).captured_at == exif.read(original).captured_at
        n += 1
    assert n == 27


@pytest.mark.shared
def test_odd_pictures_that_can_be_read_have_clean_copies(shared_data: Path) -> None:
    n = 0
    for path in sorted((shared_data / "odd_images").rglob("*"))[::4]:
        seen = images.inspect_bytes(path.read_bytes()) if path.is_file() else None
        if isinstance(seen, images.Inspected) and seen.width * seen.height < 500_000:
            copy_of(path.read_bytes(), regions=[(1, 1, 9, 9)], how="blur")
            n += 1
    assert n > 40
