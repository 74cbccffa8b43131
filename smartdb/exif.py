"""EXIF of a picture: its tags by name in values that JSON can hold, its time and its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

MAX_LENGTH = 1024
"""Longer byte strings and lists are told by their length alone, longer texts are cut."""

_EXIF, _GPS, _INTEROPERABILITY = 0x8769, 0x8825, 0xA005
_TIMES = (
    ("DateTimeOriginal", "OffsetTimeOriginal", "SubsecTimeOriginal"),
    ("DateTimeDigitized", "OffsetTimeDigitized", "SubsecTimeDigitized"),
    ("DateTime", "OffsetTime", "SubsecTime"),
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)$")


@dataclass(frozen=True)
class Metadata:
    """Tags by name, with those of the place under GPSInfo; ``problem`` says what was unreadable.

    ``gps`` is None where no place is told, else what is known of it: ``where`` (exif or xmp) and,
    where it can be worked out, ``latitude`` and ``longitude`` in degrees.
    """

    tags: dict[str, Any]
    captured_at: datetime | None
    gps: dict[str, Any] | None
    problem: str | None


def read(image: Image.Image) -> Metadata:
    """The metadata of a loaded picture, as far as they can be read; never raises."""
    tags: dict[str, Any] = {}
    problems = [
        problem
        for problem in (
            _read_main(image, tags),
            _read_more(image, tags),
            _read_gps(image, tags),
        )
        if problem
    ]
    gps = _gps(tags.get("GPSInfo", {})) or _gps_in_xmp(image)
    return Metadata(tags, _captured_at(tags), gps, "; ".join(problems) or None)


def plain(value: Any) -> Any:
    """A value that JSON and jsonb can hold: bytes as hex, rationals as float, no NaN, no NUL."""
    if isinstance(value, bool | None):
        return value
    if isinstance(value, bytes):
        return value.hex() if len(value) <= MAX_LENGTH else {"n_bytes": len(value)}
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_LENGTH].strip()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        items = list(value)
        return [plain(i) for i in items] if len(items) <= MAX_LENGTH else {"n_values": len(items)}
    return _number(value)


def _number(value: Any) -> float | str | None:
    try:
        number = float(value)
    except ZeroDivisionError:
        return None
    except (TypeError, ValueError, OverflowError):
        return str(plain(str(value)))
    return number if math.isfinite(number) else None


def _read_main(image: Image.Image, tags: dict[str, Any]) -> str | None:
    from PIL import ExifTags

    try:
        for tag, value in image.getexif().items():
            if tag not in (_EXIF, _GPS, _INTEROPERABILITY):
                tags[ExifTags.TAGS.get(tag, f"0x{tag:04x}")] = plain(value)
    except Exception as error:  # Pillow raises whatever broken bytes lead to
        return _problem("EXIF", error)
    return None


def _read_more(image: Image.Image, tags: dict[str, Any]) -> str | None:
    from PIL import ExifTags

    try:
        for tag, value in image.getexif().get_ifd(_EXIF).items():
            if tag not in (_GPS, _INTEROPERABILITY):
                tags[ExifTags.TAGS.get(tag, f"0x{tag:04x}")] = plain(value)
    except Exception as error:
        return _problem("Exif IFD", error)
    return None


def _read_gps(image: Image.Image, tags: dict[str, Any]) -> str | None:
    from PIL import ExifTags

    try:
        found = image.getexif().get_ifd(_GPS)
        if found:
            tags["GPSInfo"] = {
                ExifTags.GPSTAGS.get(tag, f"0x{tag:04x}"): plain(v) for tag, v in found.items()
            }
    except Exception as error:
        return _problem("GPS IFD", error)
    return None


def _problem(part: str, error: Exception) -> str:
    return f"{part}: {plain(str(error))[:200] or type(error).__name__}"


def _captured_at(tags: Mapping[str, Any]) -> datetime | None:
    """The first time that can be read; one without a zone is taken as UTC."""
    for time, offset, fraction in _TIMES:
        found = _time(tags.get(time), tags.get(offset), tags.get(fraction))
        if found:
            return found
    return None


def _time(text: Any, offset: Any, fraction: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
        microsecond = int(str(fraction).strip()[:6].ljust(6, "0")) if _digits(fraction) else 0
        return time.replace(microsecond=microsecond, tzinfo=_zone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _digits(text: Any) -> bool:
    return re.fullmatch(r"[0-9]+", str(text).strip()) is not None


def _zone(offset: Any) -> timezone:
    match = _OFFSET.match(str(offset).strip())
    if not match:
        return UTC
    minutes = int(match[2]) * 60 + int(match[3])
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def _gps(tags: Any) -> dict[str, Any] | None:
    """A place is told where there is a latitude or a longitude, readable or not."""
    if "GPSLatitude" not in tags and "GPSLongitude" not in tags:
        return None
    latitude = _degrees(tags.get("GPSLatitude"), tags.get("GPSLatitudeRef"), 90)
    longitude = _degrees(tags.get("GPSLongitude"), tags.get("GPSLongitudeRef"), 180)
    if latitude is None or longitude is None:
        return {"where": "exif"}
    return {"where": "exif", "latitude": latitude, "longitude": longitude}


def _degrees(parts: Any, ref: Any, limit: int) -> float | None:
    try:
        degrees = math.fsum(float(part) / float(60**i) for i, part in enumerate(parts[:3]))
    except (TypeError, ValueError):
        return None
    if not 0 <= degrees <= limit:
        return None
    return round(-degrees if str(ref).upper()[:1] in ("S", "W") else degrees, 7)


def _gps_in_xmp(image: Image.Image) -> dict[str, Any] | None:
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    text = xmp.encode("utf-8", "replace") if isinstance(xmp, str) else bytes(xmp)
    return {"where": "xmp"} if b"GPSLatitude" in text else None
