"""Stores: where files lie and how they are listed, looked at, read and written, by URI.

file:// is this machine (`smartdb.walk`); s3, gs, az, http and https go through obstore
(`smartdb.objects`), any other scheme through fsspec (`smartdb.filesystems`). Nothing here asks the
database.
"""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, unquote_to_bytes, urlsplit

from smartdb import artifacts, walk
from smartdb.errors import InvalidInput, NotFound, StoreFailed
from smartdb.walk import Found

_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


def is_uri(place: str) -> bool:
    """Whether it is a URI such as s3://bucket/folder, not a path."""
    return bool(_URI.match(place))


def is_local(uri: str) -> bool:
    """Whether it is of a file of this machine."""
    return uri.startswith("file:///")


def root_of(place: bytes | str | Path) -> str:
    """The canonical URI of a folder: an absolute path free of links, or a place in a store.

    Keys of s3, gs, az are given as they are, URLs percent-encoded as usual. InvalidInput for a
    folder of this machine that cannot be listed, or a URI that names no bucket or host.
    """
    text = os.fsdecode(place) if not isinstance(place, str) else place
    if not is_uri(text):
        return walk.uri_of(walk.checked(os.fsencode(place)))
    if is_local(text):
        return walk.uri_of(walk.checked(walk.path_of(text)))
    scheme, _, rest = text.partition("://")
    host, _, path = rest.strip("/").partition("/")
    if not host or "::" in scheme:
        raise InvalidInput(f"not a place in a store: {text}; give it as s3://bucket/folder")
    if not scheme.lower().startswith("http"):
        path = quote(path, safe="/")
    return f"{scheme.lower()}://{host}/{path}".rstrip("/")


def name_of(root: str) -> str:
    """What to call a source if nobody says: its last folder, else its bucket or host."""
    parts = urlsplit(root)
    last = unquote_to_bytes(parts.path).strip(b"/").rpartition(b"/")[2]
    return walk.shown(last) if last else parts.netloc or "/"


def listing(root: str, tally: Counter[str] | None = None) -> Iterator[Found]:
    """The candidates below a folder, with their sizes, times and versions; in a steady order.

    In a store a name decides what is a candidate: a look into each file would cost a request.
    ``tally`` gets the number of other files as "skipped". A folder that cannot be listed comes as a
    `Found` with a problem; StoreFailed if the store does not answer.
    """
    counts = Counter() if tally is None else tally
    if is_local(root):
        return walk.walk(walk.path_of(root), counts)
    return _candidates(root, counts)


def look(uri: str) -> Found:
    """The file as it is now; one with a problem if it cannot be looked at."""
    return walk.look(walk.path_of(uri)) if is_local(uri) else _library(uri).look(uri)


def is_gone(uri: str) -> bool:
    """Whether there is surely no such file any more."""
    if is_local(uri):
        return not os.path.lexists(walk.path_of(uri))
    if not look(uri).problem:
        return False
    try:
        read(uri)
    except NotFound as error:  # it tells a file that is missing from a store that says no
        return error.reason == "missing"
    return False


def read(uri: str) -> bytes:
    """The bytes of a file; NotFound (``reason`` missing or unreadable) if they cannot be had."""
    if not is_local(uri):
        return bytes(_library(uri).read(uri))
    path = walk.path_of(uri)
    name = walk.shown(path)
    try:
        return Path(os.fsdecode(path)).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"there is no file {name} any more; ingest its folder again") from error
    except OSError as error:
        raise NotFound(
            f"cannot read {name}: {error.strerror}; ingest its folder again", reason="unreadable"
        ) from error


def write_new(uri: str, data: bytes) -> None:
    """Writes a file in one step, so that a reader sees all of it or none; one that is there stays.

    Whoever writes second writes the same: the names are those of contents.
    """
    if not is_local(uri):
        _library(uri).write_new(uri, data)
        return
    path = Path(os.fsdecode(walk.path_of(uri)))
    if not path.exists():
        artifacts.write_file(path, data, 0o444)


def put(uri: str, data: bytes | Path) -> None:
    """Writes bytes, or moves a local file there, in one step; what is there is replaced.

    StoreFailed if it cannot be written.
    """
    if not is_local(uri):
        _library(uri).put(uri, data)
        if isinstance(data, Path):
            data.unlink()
        return
    path = Path(os.fsdecode(walk.path_of(uri)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            part = path.with_name(f".part-{os.getpid()}-{threading.get_ident()}")
            part.write_bytes(data)
            data = part
        data.replace(path)
    except OSError as error:
        if isinstance(data, Path):
            data.unlink(missing_ok=True)
        raise StoreFailed(f"cannot write {walk.shown(bytes(path))}: {error.strerror}") from error


def size(uri: str) -> int | None:
    """The bytes of a file; None if there is none."""
    found = look(uri)
    return None if found.problem else found.n_bytes


def is_empty(root: str) -> bool:
    """Whether there is no file at all below a folder, which need not be there."""
    if not is_local(root):
        return bool(_library(root).is_empty(root))
    path = Path(os.fsdecode(walk.path_of(root)))
    if path.exists() and not path.is_dir():
        raise InvalidInput(f"{path} is a file; name a folder")
    return not path.exists() or next(path.iterdir(), None) is None


def remove(uri: str) -> None:
    """Deletes a file; nothing happens if there is none."""
    if not is_local(uri):
        _library(uri).remove(uri)
        return
    with suppress(FileNotFoundError):
        Path(os.fsdecode(walk.path_of(uri))).unlink()


def _candidates(root: str, tally: Counter[str]) -> Iterator[Found]:
    below = len(root)
    for found in _library(root).listing(root):
        if found.problem or _is_candidate(found.uri[below:]):
            yield walk.short(found)
        else:
            tally["skipped"] += 1


def _is_candidate(path: str) -> bool:
    is_hidden = any(part.startswith(".") for part in path.split("/"))
    return not is_hidden and walk.has_media_name(path.encode())


def _library(uri: str) -> ModuleType:
    """The module that knows the scheme."""
    from smartdb import filesystems, objects

    return objects if urlsplit(uri).scheme in objects.SCHEMES else filesystems
