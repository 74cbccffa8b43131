"""Endings of file names, held against what the files hold."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urlsplit

ENDINGS = {
    "image/jpeg": ".jpg .jpeg .jpe .jfif .mpo",
    "image/png": ".png .apng",
    "image/apng": ".apng .png",
    "image/gif": ".gif",
    "image/bmp": ".bmp .dib",
    "image/webp": ".webp",
    "image/tiff": ".tif .tiff",
    "image/avif": ".avif .avifs .heif .hif",
    "image/heic": ".heic .heif .hif",
    "image/heif": ".heif .heic .hif",
    "image/jp2": ".jp2 .j2k .jpx .jpf .jpc .j2c .jpeg2000",
    "image/jpx": ".jpx .jpf .jp2 .j2k",
    "image/x-portable-anymap": ".ppm .pgm .pbm .pnm .pfm",
    "image/x-icon": ".ico",
    "image/icns": ".icns",
    "image/vnd.adobe.photoshop": ".psd",
    "image/vnd-ms.dds": ".dds",
    "image/qoi": ".qoi",
    "video/mp4": ".mp4 .m4v .mov .qt .3gp .3g2",
    "video/quicktime": ".mov .qt .mp4 .m4v",
    "video/3gpp": ".3gp .3g2 .mp4",
    "video/x-matroska": ".mkv .webm",
    "video/webm": ".webm .mkv",
    "video/x-msvideo": ".avi",
    "video/x-flv": ".flv",
    "video/x-ms-asf": ".wmv .asf",
}
"""Type of the content → the endings of names that say so."""

RAW = (
    ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".kdc", ".mrw", ".nef", ".nrw", ".orf", ".pef",
    ".raf", ".raw", ".rw2", ".sr2", ".srw", ".x3f",
)  # fmt: skip
"""Endings of camera raw files; many look like a TIFF with a small preview."""


def extension_of(uri: str) -> str:
    """The ending of a URI's file name in lower case with its dot, or an empty text.

    >>> extension_of("file:///data/cat%20.JPG")
    '.jpg'
    """
    return posixpath.splitext(unquote(urlsplit(uri).path, errors="replace"))[1].lower()


def wrong_extension(uri: str, mime: str) -> str | None:
    """The ending of a name that says another type than the content is; None where it is right.

    A name without an ending says nothing, and of a type not in `ENDINGS` nothing is known.

    >>> wrong_extension("file:///data/cat.png", "image/jpeg")
    '.png'
    """
    extension, right = extension_of(uri), ENDINGS.get(mime)
    return extension if extension and right and extension not in right.split() else None
