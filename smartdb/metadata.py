"""Metadata that may tell about people: what a picture has, and whether a copy is free of it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from smartdb.errors import SmartdbError

if TYPE_CHECKING:
    from PIL import Image

STRIPPABLE = ("location", "serial", "thumbnail", "maker_note", "xmp", "iptc", "comment", "all")
"""What a source's policy can name for its clean copies to be without."""

KINDS = ("gps", "serial", "thumbnail", "maker_note", "xmp", "iptc", "comment")
"""Kinds of finding that the metadata give: those of `STRIPPABLE`, where location is gps."""

TIMES = {
    "DateTime": 0x0132, "DateTimeOriginal": 0x9003, "DateTimeDigitized": 0x9004,
    "OffsetTime": 0x9010, "OffsetTimeOriginal": 0x9011, "OffsetTimeDigitized": 0x9012,
    "SubsecTime": 0x9290, "SubsecTimeOriginal": 0x9291, "SubsecTimeDigitized": 0x9292,
}  # fmt: skip
"""EXIF tags that a clean copy keeps."""

_SERIALS = (
    "BodySerialNumber", "LensSerialNumber", "CameraSerialNumber", "CameraOwnerName", "Artist",
    "Copyright", "HostComputer", "ImageUniqueID", "XPAuthor",
)  # fmt: skip
_COMMENTS = ("ImageDescription", "UserComment", "XPComment", "XPTitle", "XPSubject", "XPKeywords")
_XMP = ("xmp", "XML:com.adobe.xmp", "Raw profile type xmp")
_IPTC, _THUMBNAILS = 0x0404, (0x0409, 0x040C)  # image resources of Photoshop
_HARMLESS = frozenset({
    "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "exif", "icc_profile", "gamma",
    "srgb", "chromaticity",
})  # fmt: skip
_NO_IMAGE_DATA = ("JFIF", "Exif", "ICC_PROFILE", "Adobe")


def personal(image: Image.Image, tags: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Kinds of `KINDS` but gps (see `smartdb.exif`) that a loaded picture has, with what there is.

    ``tags`` are its EXIF tags by name. The detail never holds the values themselves. Never raises.
    """
    found = {
        "serial": _named(tags, _SERIALS),
        "thumbnail": _thumbnails(image),
        "maker_note": _named(tags, ("MakerNote", "DNGPrivateData")),
        "xmp": _packets(image) | _tiff(image, 700, "xmp"),
        "iptc": _photoshop(image, (_IPTC,)) | _tiff(image, 33723, "iptc"),
        "comment": _named(tags, _COMMENTS) | _texts(image),
    }
    return {kind: detail for kind, detail in found.items() if detail}


def left(data: bytes) -> list[str]:
    """Names of whatever a copy holds beside pixels, colour profile and the tags of `TIMES`."""
    from PIL import Image

    from smartdb import exif

    image = Image.open(io.BytesIO(data))
    image.load()
    read = exif.read(image)
    names = {name for name in read.tags if name not in TIMES}
    names |= {str(key) for key in image.info if key not in _HARMLESS}
    names |= {f"segment {name}" for name in _segments(image)}
    names |= set(personal(image, read.tags)) | ({"gps"} if read.gps else set())
    return sorted(names | ({read.problem} if read.problem else set()))


def check_clean(data: bytes) -> None:
    """SmartdbError if anything is `left`."""
    found = left(data)
    if found:
        raise SmartdbError(f"a clean copy still holds {', '.join(found)}; it was not kept")


def times(tags: Mapping[str, Any]) -> bytes:
    """An EXIF block that holds nothing but the times among the tags; empty if there are none."""
    from PIL import Image

    block = Image.Exif()
    more = block.get_ifd(0x8769)
    for name, tag in TIMES.items():
        if isinstance(tags.get(name), str) and tags[name]:
            (block if name == "DateTime" else more)[tag] = tags[name]
    return block.tobytes() if block or more else b""


def _named(tags: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Which of the tags say something; blanks say nothing."""
    told = [name for name in names if _says(name, str(tags.get(name) or ""))]
    return {"tags": told} if told else {}


def _says(name: str, value: str) -> bool:
    if name == "UserComment":  # in hexadecimal: eight bytes that name the encoding, then the text
        with suppress(ValueError):
            value = bytes.fromhex(value)[8:].decode("latin-1")
    return value.strip(" \0") != ""


def _thumbnails(image: Image.Image) -> dict[str, Any]:
    from PIL import ExifTags

    found = _photoshop(image, _THUMBNAILS)
    try:
        if image.getexif().get_ifd(ExifTags.IFD.IFD1):
            found["exif"] = True
    except Exception:  # broken EXIF; a copy is made without it anyway
        found["exif"] = True
    if image.format == "MPO":
        found["n_pictures"] = int(getattr(image, "n_frames", 1))
    return found


def _packets(image: Image.Image) -> dict[str, Any]:
    return {key: len(image.info[key]) for key in _XMP if image.info.get(key)}


def _photoshop(image: Image.Image, numbers: tuple[int, ...]) -> dict[str, Any]:
    resources = image.info.get("photoshop")
    if not isinstance(resources, dict):
        return {}
    return {f"resource {n:#x}": True for n in numbers if n in resources}


def _tiff(image: Image.Image, tag: int, name: str) -> dict[str, Any]:
    held = getattr(image, "tag_v2", None)
    return {f"tiff {name}": True} if held is not None and tag in held else {}


def _texts(image: Image.Image) -> dict[str, Any]:
    texts = getattr(image, "text", None) or {}
    found = [str(key)[:79] for key in texts if str(key) not in _XMP]
    if image.info.get("comment"):
        found.append("comment")
    return {"texts": found[:20]} if found else {}


def _segments(image: Image.Image) -> list[str]:
    """JPEG segments of applications that a clean copy does not need."""
    held = [(name, bytes(data[:12])) for name, data in getattr(image, "applist", [])]
    return [
        name
        for name, data in held
        if not any(data.startswith(word.encode()) for word in _NO_IMAGE_DATA)
    ]
