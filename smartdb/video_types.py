"""Types of videos: the endings of their names, and what their first bytes tell."""

from __future__ import annotations

EXTENSIONS = frozenset(
    b".mp4 .m4v .mov .qt .mkv .webm .avi .flv .wmv .asf .mpg .mpeg .m2v .mts .m2ts .3gp .3g2 .ogv "
    b".mxf".split()
)
"""Endings of video names, in lower case. Not .ts, which more often is a program's."""

HEAD = 192
"""How many first bytes of a file are needed to tell."""

_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"pnot")
_PREFIXES = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"0&\xb2u\x8ef\xcf\x11",  # ASF, WMV
    b"\0\0\1\xba",  # MPEG programme stream
    b"\0\0\1\xb3",  # MPEG video
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01",  # MXF
)
_SOUND = (b"M4A ", b"M4B ", b"M4P ")
_MIME = {
    "matroska": "video/x-matroska",
    "mov": "video/mp4",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "asf": "video/x-ms-asf",
    "mpeg": "video/mpeg",
    "mpegvideo": "video/mpeg",
    "mpegts": "video/mp2t",
    "ogg": "video/ogg",
    "mxf": "application/mxf",
}


def looks_like_video(head: bytes) -> bool:
    """Whether the first `HEAD` bytes of a file that is no image are those of a video.

    >>> looks_like_video(b"RIFF....AVI LIST")
    True
    """
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    if head[:4] == b"OggS":
        return b"theora" in head or b"OVP80" in head
    is_transport_stream = len(head) > 188 and head[0] == head[188] == 0x47
    is_mp4 = head[4:8] in _BOXES and head[8:12] not in _SOUND
    return is_transport_stream or is_mp4 or head.startswith(_PREFIXES)


def mime_of(container: str, head: bytes) -> str:
    """The type by FFmpeg's name of the container and the first bytes.

    >>> mime_of("mov,mp4,m4a,3gp,3g2,mj2", bytes.fromhex("00000014") + b"ftypqt  ")
    'video/quicktime'
    """
    name = container.split(",")[0]
    if name == "mov" and head[4:11] == b"ftyp3gp":
        return "video/3gpp"
    if name == "mov" and (head[4:8] != b"ftyp" or head[8:10] == b"qt"):
        return "video/quicktime"
    if name == "matroska" and b"webm" in head[:64]:
        return "video/webm"
    return _MIME.get(name, f"video/x-{name}")
