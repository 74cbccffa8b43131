"""Walking a folder: which files are images or videos, their URIs, sizes and times.

A file is a candidate when its name ends like an image's or a video's, or its first bytes are such.
Nothing is decoded.
Other files, hidden ones and special ones (pipes, sockets, devices) are counted as skipped.
Symbolic links are followed, and no folder is entered twice, so loops end.
"""

# ruff: noqa: PTH116, PTH118, PTH120, PTH122, PTH123, PTH208
# Paths are bytes here, and pathlib knows only text.
from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from smartdb import video_types
from smartdb.errors import InvalidInput, NothingToDo
from smartdb.extensions import ENDINGS, RAW

_IMAGES = (endings for mime, endings in ENDINGS.items() if mime.startswith("image/"))
EXTENSIONS = frozenset(ending.encode() for ending in (*" ".join(_IMAGES).split(), *RAW, ".jxl"))
"""Endings of image names, in lower case; of some no reader is here, and those are refused."""

_CANDIDATES = EXTENSIONS | video_types.EXTENSIONS

MAX_URI = 2600
"""Longest URI in bytes that the database can index."""

_SCHEME = "file://"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
_PREFIXES = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"\0\0\0\x0cjP  ",
    b"\xffO\xffQ",
    b"8BPS\0\x01",
    b"qoif",
)
_BRANDS = (
    b"avif",
    b"avis",
    b"heic",
    b"heix",
    b"hevc",
    b"heim",
    b"heis",
    b"mif1",
    b"msf1",
)
_HEIF = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True)
class Found:
    """A file that should be an image or a video; ``problem``: why it cannot even be looked at."""

    path: bytes
    uri: str
    n_bytes: int | None
    modified_at: datetime | None
    problem: str | None = None
    etag: str | None = None
    """Version of an object, as its store tells it; ``path`` is empty then."""


def walk(folder: bytes | Path, tally: Counter[str] | None = None) -> Iterator[Found]:
    """The candidates below ``folder``, each folder's in order of name, memory of one folder.

    A folder or file that cannot be looked at comes as a `Found` with a problem. ``tally`` gets
    the number of other files as "skipped". InvalidInput where there is no such readable folder.
    """
    root = checked(folder)
    return _walk(root, {_identity(os.stat(root))}, Counter() if tally is None else tally)


def checked(folder: bytes | Path) -> bytes:
    """The absolute path, free of links, of a folder that can be listed; else InvalidInput."""
    path = os.path.realpath(os.fsencode(folder))
    name = shown(path)
    try:
        with os.scandir(path):
            return path
    except FileNotFoundError:
        raise InvalidInput(f"no such folder: {name}; give a folder that holds images") from None
    except NotADirectoryError:
        raise InvalidInput(f"not a folder: {name}; give the folder that holds it") from None
    except OSError as error:
        raise InvalidInput(
            f"cannot list the folder {name}: {error.strerror}; make it readable for this user"
        ) from error


def nothing_found(folder: bytes | Path, tally: Counter[str]) -> NothingToDo:
    """The error for a folder without any candidate."""
    others = tally["skipped"]
    what = f"no image or video among its {others} files" if others else "it is empty"
    return NothingToDo(
        f"nothing to ingest in {shown(os.fsencode(folder))}: {what}; give a folder with images"
    )


def shown(path: bytes) -> str:
    """A path for people: quoted where it has unprintable or non-UTF-8 characters."""
    text = path.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else ascii(os.fsdecode(path))


def has_media_name(path: bytes) -> bool:
    """Whether a path ends like an image's or a video's."""
    return os.path.splitext(path)[1].lower() in _CANDIDATES


def uri_of(path: bytes) -> str:
    """The ``file://`` URI of an absolute path, percent-encoded, so that any name has one."""
    return _SCHEME + quote_from_bytes(path, safe="/")


def path_of(uri: str) -> bytes:
    """The path that `uri_of` was given; InvalidInput for a URI that is not of a local file."""
    if not uri.startswith(_SCHEME + "/"):
        raise InvalidInput(f"not the URI of a local file: {uri}")
    return unquote_to_bytes(uri[len(_SCHEME) :])


def class_of(uri: str, root: str) -> str | None:
    """The folder of a file relative to ``root`` (both URIs), the class it was sorted into.

    None for a file directly in the root. Names that are not UTF-8 show their bytes as \\xNN.

    >>> class_of("file:///data/cats/black/1.png", "file:///data")
    'cats/black'
    """
    below = root if root.endswith("/") else f"{root}/"
    if not uri.startswith(below):
        raise InvalidInput(f"{uri} does not lie below {root}")
    folder = os.path.dirname(unquote_to_bytes(uri[len(below) :]))
    return folder.decode("utf-8", "backslashreplace") or None


def looks_like_image(head: bytes) -> bool:
    """Whether the first bytes (32 or more) of a file are those of an image format."""
    if head.startswith(_PREFIXES):
        return True
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[:2] == b"BM":
        return head[6:10] == b"\0\0\0\0"  # two reserved fields
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS


def looks_like_heif(head: bytes) -> bool:
    """Whether the first bytes are those of a HEIF file, which needs a decoder of its own."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF


def is_video(name: bytes, head: bytes) -> bool:
    """Whether to read a file of this name and first bytes (`video_types.HEAD`) as a video."""
    if looks_like_image(head):
        return False
    is_named = os.path.splitext(name)[1].lower() in video_types.EXTENSIONS
    return is_named or video_types.looks_like_video(head)


def short(found: Found) -> Found:
    """What was found, or where its URI is too long a problem with a name that leads nowhere."""
    if len(found.uri) <= MAX_URI:
        return found
    uri = f"{found.uri[:1024]}...{hashlib.sha256(found.path or found.uri.encode()).hexdigest()}"
    problem = "its path is too long for the database; move it up some folders"
    return Found(found.path, uri, None, None, found.problem or problem)


def look(path: bytes) -> Found:
    """The file at ``path`` as it is now."""
    try:
        return _found(path, os.stat(path))
    except OSError as error:
        return _problem(path, f"cannot be looked at: {error.strerror}")


def _walk(folder: bytes, seen: set[tuple[int, int]], tally: Counter[str]) -> Iterator[Found]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield _problem(folder, f"folder cannot be listed: {error.strerror}")
        return
    for name in names:
        if name.startswith(b"."):
            tally["skipped"] += 1
            continue
        yield from _entry(os.path.join(folder, name), seen, tally)


def _entry(path: bytes, seen: set[tuple[int, int]], tally: Counter[str]) -> Iterator[Found]:
    is_name = has_media_name(path)
    try:
        state = os.stat(path)
    except OSError as error:
        if is_name:
            yield _problem(path, f"cannot be looked at: {error.strerror}")
        else:
            tally["skipped"] += 1
        return
    if stat.S_ISDIR(state.st_mode):
        if _identity(state) not in seen:
            seen.add(_identity(state))
            yield from _walk(path, seen, tally)
    elif stat.S_ISREG(state.st_mode) and (is_name or _has_head(path)):
        yield _found(path, state)
    else:
        tally["skipped"] += 1


def _has_head(path: bytes) -> bool:
    head = head_of(path)
    return looks_like_image(head) or video_types.looks_like_video(head)


def head_of(path: bytes) -> bytes:
    """The first bytes of a file, `video_types.HEAD` of them; none if it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(video_types.HEAD)
    except OSError:
        return b""


def _found(path: bytes, state: os.stat_result) -> Found:
    return short(Found(path, uri_of(path), state.st_size, _time(state.st_mtime_ns)))


def _problem(path: bytes, problem: str) -> Found:
    return short(Found(path, uri_of(path), None, None, problem))


def _time(nanoseconds: int) -> datetime:
    """Microseconds, as Postgres has them; times it cannot have become the nearest it can."""
    try:
        return EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return _LATEST if nanoseconds > 0 else EPOCH


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino
