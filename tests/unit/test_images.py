"""What is seen in one image file."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw, TiffImagePlugin

from smartdb import exif, images, quality
from smartdb.errors import InvalidInput, NotFound
from smartdb.images import Inspected, Refused, inspect, inspect_bytes, load_rgb


def picture(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    ImageDraw.Draw(image).rectangle((4, 4, size[0] // 3, size[1] // 2), fill=(200, 30, 30))
    return image.convert(mode)


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def good(data: bytes) -> Inspected:
    seen = inspect_bytes(data)
    assert isinstance(seen, Inspected), seen
    return seen


def refused(data: bytes) -> Refused:
    seen = inspect_bytes(data)
    assert isinstance(seen, Refused), seen
    return seen


def with_gps(tags: dict[int, Any]) -> bytes:
    return with_exif(lambda t: t.get_ifd(ExifTags.IFD.GPSInfo).update(tags))


def with_exif(write: Callable[[Image.Exif], None]) -> bytes:
    tags = Image.Exif()
    write(tags)
    return encoded(picture(), "JPEG", exif=tags)


def test_an_image_is_described_by_its_content(tmp_path: Path) -> None:
    data = encoded(picture(), "JPEG")
    path = tmp_path / "named_wrongly.png"
    path.write_bytes(data)
    seen = inspect(str(path).encode())
    assert isinstance(seen, Inspected)
    assert seen.sha256 == hashlib.sha256(data).digest()
    assert (seen.n_bytes, seen.mime, seen.width, seen.height) == (len(data), "image/jpeg", 64, 48)
    assert seen.attributes == {"format": "JPEG", "mode": "RGB"}


def test_the_hash_is_that_of_imagehash() -> None:
    for seed in range(50):
        pixels = np.random.default_rng(seed).integers(0, 256, (9, 7, 3)).astype(np.uint8)
        image = Image.fromarray(pixels).resize((90, 70), Image.Resampling.BICUBIC)
        expected = "".join(str(int(bit)) for bit in imagehash.phash(image).hash.flat)
        assert good(encoded(image)).phash == expected


def test_the_hash_of_a_symmetric_drawing_does_not_hang_on_rounding() -> None:
    cross = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(cross).rectangle((24, 0, 39, 63), fill="black")
    assert str(good(encoded(cross)).phash)[8:] == "0" * 56  # nothing changes from row to row


def test_a_picture_of_one_colour_has_no_hash() -> None:
    assert good(encoded(Image.new("RGB", (50, 50), "navy"), "JPEG")).phash is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_file"),
        (b"name,label\n1,2\n", "not_an_image"),
        (encoded(picture())[:120], "truncated"),
        (encoded(picture(), "JPEG")[:900], "truncated"),
        (encoded(picture(), "BMP")[:900], "truncated"),
        (encoded(picture())[:20] + b"?" * 100, "corrupt"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "unsupported"),
    ],
)
def test_a_file_that_cannot_be_decoded_is_refused_with_a_stable_reason(
    data: bytes, reason: str
) -> None:
    seen = refused(data)
    assert seen.reason == reason
    assert seen.detail
    assert "\0" not in seen.detail


def test_a_bomb_is_refused_without_decoding_it() -> None:
    header = bytearray(encoded(Image.new("1", (1, 1)), "GIF"))
    header[6:10] = b"\xff\xff\xff\xff"  # 65535 x 65535
    assert refused(bytes(header)).reason == "too_large"


def test_a_picture_between_pillows_warning_and_the_limit_is_read() -> None:
    seen = good(encoded(Image.new("1", (10_000, 9_000))))
    assert (seen.width, seen.height) == (10_000, 9_000)


def test_a_file_that_is_too_large_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    path = tmp_path / "a.png"
    path.write_bytes(encoded(picture()))
    assert inspect(str(path).encode()) == Refused("too_large", "the file has more than 10 bytes")


def test_a_file_that_cannot_be_opened_is_refused_as_unreadable(tmp_path: Path) -> None:
    seen = inspect(str(tmp_path / "gone.png").encode())
    assert seen == Refused("unreadable", "No such file or directory")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_width_height_and_pixels_are_upright(orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that Exif will undo
    image = picture()
    if orientation in undo:
        image = image.transpose(Image.Transpose(undo[orientation]))
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    for form in ("PNG", "TIFF"):
        data = encoded(image, form, exif=tags)
        assert (good(data).width, good(data).height) == (64, 48)
        assert load_rgb(data).tobytes() == picture().tobytes()


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr", "LAB"]
)
def test_any_mode_becomes_rgb_that_looks_the_same(mode: str) -> None:
    if mode == "I;16":
        grey = np.asarray(picture(mode="L")).astype(np.uint16) * 257
        image = Image.fromarray(grey)
    elif mode == "LAB":
        image = Image.new("LAB", (64, 48), (128, 0, 0))
    else:
        image = picture(mode=mode)
    data = encoded(image, "PNG" if mode in ("LA", "P", "I;16", "1") else "TIFF")
    seen = good(data)
    assert (seen.width, seen.height) == (64, 48)
    if mode not in ("1", "LAB"):
        difference = np.abs(np.asarray(load_rgb(data).convert("L")).astype(int)
                            - np.asarray(picture(mode="L")))  # fmt: skip
        assert difference.mean() < 20


def test_transparent_parts_are_white() -> None:
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert load_rgb(encoded(image)).getpixel((5, 5)) == (255, 255, 255)


def test_of_an_animation_the_first_frame_counts_and_the_number_is_noted() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert good(data).n_frames == 3
    assert load_rgb(data).getpixel((3, 3))[0] > 200


def test_load_rgb_reads_a_path_and_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(picture()))
    assert load_rgb(path).size == (64, 48)
    path.write_bytes(b"no image")
    with pytest.raises(InvalidInput, match=r"cannot decode .*/a\.png: no reader knows"):
        load_rgb(path)
    with pytest.raises(NotFound, match=r"cannot read .*/b\.png: No such file"):
        load_rgb(tmp_path / "b.png")


def test_load_rgb_may_decode_a_jpeg_smaller_but_not_below_what_is_asked() -> None:
    data = encoded(picture((1600, 1200)), "JPEG")
    assert load_rgb(data).size == (1600, 1200)
    assert 300 <= min(load_rgb(data, at_least=300).size) < 1200


def test_exif_is_kept_by_name_in_values_that_json_can_hold() -> None:
    def write(tags: Image.Exif) -> None:
        tags[ExifTags.Base.Make] = "Nikon"
        tags[ExifTags.Base.XResolution] = TiffImagePlugin.IFDRational(300, 2)
        more = tags.get_ifd(ExifTags.IFD.Exif)
        more.update({ExifTags.Base.MakerNote: b"\x01\xff", 0xFDE8: "own"})
        more[ExifTags.Base.UserComment] = bytes(5000)

    found = good(with_exif(write)).exif
    assert found["Make"] == "Nikon"
    assert found["XResolution"] == 150.0
    assert found["MakerNote"] == "01ff"
    assert found["UserComment"] == {"n_bytes": 5000}
    assert found["0xfde8"] == "own"
    json.dumps(found, allow_nan=False)


def test_texts_lose_what_jsonb_cannot_hold() -> None:
    assert exif.plain({"a": "Nik\0on\udcff"}) == {"a": "Nikon?"}


def test_values_that_json_does_not_have_are_dropped() -> None:
    nothing = TiffImagePlugin.IFDRational(0, 0)
    assert exif.plain([float("nan"), math.inf, nothing, True, None]) == [
        None,
        None,
        None,
        True,
        None,
    ]
    assert exif.plain({1: (2, b"\x00")}) == {"1": [2, "00"]}
    assert exif.plain(list(range(5000))) == {"n_values": 5000}


def test_broken_exif_does_not_refuse_the_image() -> None:
    data = encoded(picture(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\xff" + bytes(range(200)))
    seen = good(data)
    assert (seen.width, seen.gps, seen.captured_at) == (64, None, None)
    json.dumps(seen.exif, allow_nan=False)


def test_the_place_in_the_exif_is_found_in_degrees() -> None:
    seen = good(with_gps({1: "S", 2: (33.0, 51.0, 24.0), 3: "E", 4: (151.0, 12.0, 54.0)}))
    assert seen.gps == {"where": "exif", "latitude": -33.8566667, "longitude": 151.215}


def test_a_place_that_cannot_be_worked_out_is_still_a_place() -> None:
    seen = good(
        with_exif(lambda tags: tags.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: 999.0}))
    )
    assert seen.gps == {"where": "exif"}


def test_gps_tags_without_a_place_are_no_place() -> None:
    seen = good(
        with_exif(lambda tags: tags.get_ifd(ExifTags.IFD.GPSInfo).update({29: "2020:01:01"}))
    )
    assert seen.gps is None


def test_a_place_in_xmp_is_found() -> None:
    data = encoded(picture(), "JPEG", xmp=b'<x:xmpmeta exif:GPSLatitude="33,51.4S"/>')
    assert good(data).gps == {"where": "xmp"}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"DateTimeOriginal": "2020:02:03 04:05:06"}, datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)),
        (
            {"DateTimeOriginal": "2020:02:03 04:05:06", "OffsetTimeOriginal": "+02:00",
             "SubsecTimeOriginal": "25"},
            datetime(2020, 2, 3, 2, 5, 6, 250000, tzinfo=UTC),
        ),
        ({"DateTimeOriginal": "0000:00:00 00:00:00", "DateTime": "2021:01:01 00:00:00"},
         datetime(2021, 1, 1, tzinfo=UTC)),
        ({"DateTime": "0001:01:01 00:00:00", "OffsetTime": "+14:00"}, None),
        ({"DateTime": "yesterday"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_time_of_capture_is_read_with_its_zone(
    tags: dict[str, Any], expected: datetime | None
) -> None:
    assert exif._captured_at(tags) == expected


def test_statistics_of_known_pictures() -> None:
    grey = quality.measure(Image.new("RGB", (30, 30), (128, 128, 128)))
    assert grey == quality.Quality(pytest.approx(128 / 255), 0.0, 0.0, 0.0, 0.0)  # type: ignore[arg-type]
    board = np.indices((32, 32)).sum(axis=0) % 2 * 255
    checked = quality.measure(Image.fromarray(board.astype(np.uint8)).convert("RGB"))
    assert (checked.brightness, checked.contrast, checked.entropy) == (0.5, 0.5, 1.0)
    assert checked.sharpness == pytest.approx((4 * 255) ** 2)


def test_colourfulness_is_that_of_hasler_and_suesstrunk() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    r, g, b = pixels.astype(float).transpose(2, 0, 1)
    rg, yb = r - g, 0.5 * (r + g) - b
    expected = math.sqrt(rg.var() + yb.var()) + 0.3 * math.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert quality.measure(Image.fromarray(pixels)).colourfulness == pytest.approx(expected)


def test_a_blurred_picture_is_less_sharp_and_a_tiny_one_has_no_sharpness() -> None:
    from PIL import ImageFilter

    sharp = picture((200, 200))
    blurred = sharp.filter(ImageFilter.GaussianBlur(4))
    assert quality.measure(blurred).sharpness < quality.measure(sharp).sharpness / 4
    assert quality.measure(Image.new("RGB", (2, 900))).sharpness == 0.0


def test_statistics_are_measured_at_one_size() -> None:
    large = picture((1024, 768))
    assert quality.measure(large).sharpness == pytest.approx(
        quality.measure(large.resize((512, 384), Image.Resampling.BOX)).sharpness, rel=0.3
    )
