"""What becomes of odd files: taken as they are meant, or refused for the right reason."""

from __future__ import annotations

import io
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageDraw

from smartdb import images
from smartdb.extensions import wrong_extension
from smartdb.images import Inspected, Refused, inspect_bytes, load_rgb
from smartdb.ingest import ingest

Connection = psycopg.Connection[Any]
heic = runpy.run_path(str(Path(__file__).with_name("heic.py")))["heic"]


def picture(size: tuple[int, int] = (64, 48)) -> Image.Image:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    ImageDraw.Draw(image).rectangle((4, 4, 24, 20), fill=(200, 30, 30))
    return image


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def good(data: bytes) -> Inspected:
    seen = inspect_bytes(data)
    assert isinstance(seen, Inspected), seen
    return seen


def difference(a: Image.Image, b: Image.Image) -> float:
    """Mean difference of a value, 0 to 255; the sizes must be equal."""
    assert a.size == b.size
    return float(np.abs(np.asarray(a, np.int16) - np.asarray(b, np.int16)).mean())


def test_a_name_that_says_another_type_is_a_finding(conn: Connection, tmp_path: Path) -> None:
    for name, seed in (("right.jpeg", 1), ("wrong.png", 2), ("none", 3), ("odd.jpg.bak", 4)):
        (tmp_path / name).write_bytes(encoded(picture((50 + seed, 40)), "JPEG"))
    ingest(conn, tmp_path, source="s", workers=1)
    found = conn.execute("""
        select regexp_replace(m.uri, '.*/', ''), f.detail - 'uri'
        from smartdb.finding_open as f join smartdb.media as m using (media_id)
        where f.kind = 'wrong_extension' order by 1""").fetchall()
    assert found == [
        ("odd.jpg.bak", {"extension": ".bak", "mime": "image/jpeg"}),
        ("wrong.png", {"extension": ".png", "mime": "image/jpeg"}),
    ]


@pytest.mark.parametrize(
    ("uri", "mime", "wrong"),
    [
        ("s3://b/a.JPG", "image/jpeg", None),
        ("https://a.b/c.png?v=1.jpg", "image/png", None),
        ("file:///a.d/b", "image/png", None),
        ("file:///a.tif", "image/jpeg", ".tif"),
        ("file:///a.tif", "image/x-of-a-kind-unknown", None),
    ],
)
def test_only_what_is_known_is_held_against_a_name(uri: str, mime: str, wrong: str | None) -> None:
    assert wrong_extension(uri, mime) == wrong


def test_the_frames_of_an_animation_are_counted_in_their_column(
    conn: Connection, tmp_path: Path
) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    picture().save(tmp_path / "b.png")
    ingest(conn, tmp_path, source="s", workers=1)
    assert conn.execute("select mime, n_frames from smartdb.media order by mime").fetchall() == [
        ("image/gif", 3),
        ("image/png", None),
    ]


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_grey_of_many_bits_looks_the_same_however_many_they_are(bits: int) -> None:
    grey = np.asarray(picture().convert("L")).astype(np.uint16)
    deep = (grey << (bits - 8)) | (grey >> (16 - bits))
    data = encoded(Image.fromarray(deep), "TIFF")
    assert good(data).attributes["bits"] == bits
    assert difference(load_rgb(data), picture().convert("L").convert("RGB")) < 1


def test_grey_that_is_dark_stays_dark() -> None:
    seen = good(encoded(Image.fromarray(np.full((20, 20), 3, np.uint16)), "PNG"))
    assert seen.attributes["bits"] == 8
    assert seen.quality is not None
    assert seen.quality.brightness < 0.02


def without_adobe(data: bytes) -> bytes:
    """A JPEG without its segment APP14."""
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]


def test_cmyk_is_inverted_only_where_adobe_says_so() -> None:
    cmyk = picture().convert("CMYK")
    expected = cmyk.convert("RGB")
    by_adobe = encoded(cmyk, "JPEG", quality=100)
    plain = without_adobe(encoded(ImageChops.invert(cmyk), "JPEG", quality=100))
    assert b"Adobe" in by_adobe
    assert b"Adobe" not in plain
    assert difference(load_rgb(by_adobe), expected) < 2
    assert difference(load_rgb(plain), expected) < 2


def test_a_colour_profile_is_noted_and_not_applied() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(picture(), "PNG", icc_profile=profile)
    assert "sRGB" in good(data).attributes["colour_profile"]
    assert load_rgb(data).tobytes() == picture().tobytes()
    broken = encoded(picture(), "PNG", icc_profile=b"no profile")
    assert good(broken).attributes["colour_profile"] == "unreadable"


@pytest.mark.parametrize("turns", range(4))
def test_heic_is_read_upright(turns: int) -> None:
    pytest.importorskip("pi_heif")
    pytest.importorskip("av")
    data = heic(picture(), turns)
    seen = good(data)
    assert (seen.mime, seen.n_frames) == ("image/heic", None)
    assert difference(load_rgb(data), picture().rotate(90 * turns, expand=True)) < 3


def test_without_its_library_heic_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    formats = tuple(name for name in images._formats() if name != "HEIF")
    monkeypatch.setattr(images, "_formats", lambda: formats)
    head = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    assert inspect_bytes(head + bytes(50)) == Refused("unsupported", images.INSTALL_HEIF)
    assert "pip install 'smartdb[heif]'" in images.INSTALL_HEIF


def test_a_broken_heic_is_corrupt() -> None:
    pytest.importorskip("pi_heif")
    seen = inspect_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    assert isinstance(seen, Refused)
    assert seen.reason == "corrupt"


def test_avif_is_read_upright() -> None:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    turned = picture().transpose(Image.Transpose.ROTATE_90)
    data = encoded(turned, "AVIF", quality=100, exif=tags)
    assert good(data).mime == "image/avif"
    assert difference(load_rgb(data), picture()) < 3


def test_camera_raw_is_refused_and_svg_is_no_image(conn: Connection, tmp_path: Path) -> None:
    (tmp_path / "a.nef").write_bytes(encoded(picture(), "TIFF"))
    (tmp_path / "b.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "c.png").write_bytes(encoded(picture(), "PNG"))
    counts = ingest(conn, tmp_path, source="s", workers=1)
    assert (counts["added"], counts["refused"], counts["skipped"]) == (1, 1, 1)
    assert conn.execute("select reason from core.quarantine").fetchall() == [("unsupported",)]


def test_a_damaged_signature_is_corrupt_and_not_another_kind_of_file() -> None:
    data = b"\x89PNG\n\r\x1a\n" + encoded(picture(), "PNG")[8:]
    seen = inspect_bytes(data)
    assert isinstance(seen, Refused)
    assert seen.reason == "corrupt"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "first", "limit"),  # they are compressed anew for each; turned wrongly, it is over 30
    [
        ("exif/orientation_examples/Landscape_{}.jpg", 1, 12),
        ("odd_images/pillow/hopper_orientation_{}.jpg", 2, 5),
        ("odd_images/pillow/hopper_orientation_{}.webp", 2, 3),
        ("odd_images/pillow/g4_orientation_{}.tif", 1, 0.7),
    ],
)
def test_all_orientations_show_the_same_pixels(
    shared_data: Path, name: str, first: int, limit: float
) -> None:
    upright = load_rgb(shared_data / name.format(first))
    for orientation in range(first + 1, 9):
        assert difference(load_rgb(shared_data / name.format(orientation)), upright) <= limit
