"""Places of an import: where the pictures that a file names should lie, and those it carries.

A name is taken below the root (the folder or store of the images); one that leads out of it is
unsafe. What a file carries as bytes and no media has yet is written below a folder, to be ingested
from there.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import psycopg
from psycopg.rows import tuple_row

from smartdb import walk
from smartdb.formats.base import Picture
from smartdb.statements import statement

_URI = re.compile(r"[a-z][a-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(frozen=True)
class Place:
    """Where a picture should lie: its URI if that can be told, and the end of it in any case.

    ``tail`` is the name, percent-encoded, with its ``n_parts`` folders, to be looked for where no
    root is known. ``problem`` is unsafe_path for a name that leads out of the root.
    """

    uri: str | None = None
    tail: str | None = None
    n_parts: int | None = None
    sha256: bytes | None = None
    problem: str | None = None


def place_of(name: str, root: str | None) -> Place:
    """Where a picture of this name lies below ``root``, a URI.

    >>> place_of("../b 1.jpg", "file:///data")
    Place(uri=None, tail=None, n_parts=None, sha256=None, problem='unsafe_path')
    >>> place_of("a/../b 1.jpg", "file:///data").uri
    'file:///data/b%201.jpg'
    """
    if _URI.match(name):
        return Place(uri=name)
    if _DRIVE.match(name) or "\0" in name or not name.strip("/."):
        return Place(problem="unsafe_path")
    path = posixpath.normpath(name)
    if path == ".." or path.startswith("../"):
        return Place(problem="unsafe_path")
    encoded = quote_from_bytes(os.fsencode(path), safe="/")
    if path.startswith("/"):
        uri = walk.uri_of(b"") + encoded
        is_out = root is not None and not uri.startswith(root.rstrip("/") + "/")
        return Place(problem="unsafe_path") if is_out else Place(uri=uri)
    tail = f"/{encoded}"
    return Place(root.rstrip("/") + tail if root else None, tail, tail.count("/"))


def places_of(
    conn: psycopg.Connection[Any],
    pictures: Sequence[Picture],
    root: str | None,
    folder: Path | None,
) -> list[Place]:
    """The places of pictures; the bytes of new ones are written below ``folder``, if given."""
    hashes = [p.data if p.data is None else hashlib.sha256(p.data).digest() for p in pictures]
    carried = [sha256 for sha256 in hashes if sha256 is not None]
    known = _known(conn, carried) if carried else set()
    places = []
    for picture, sha256 in zip(pictures, hashes, strict=True):
        place = place_of(picture.name, root)
        if sha256 is None or picture.data is None:
            places.append(place)
            continue
        if folder is not None and sha256 not in known:
            _keep(folder, picture.name, picture.data, sha256)
            known.add(sha256)
        places.append(Place(place.uri, place.tail, place.n_parts, sha256))
    return places


def _known(conn: psycopg.Connection[Any], hashes: Sequence[bytes]) -> set[bytes]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("importing", "known_hashes"), {"hashes": list(hashes)})
        found = {sha256 for (sha256,) in rows}
    conn.commit()
    return found


def _keep(folder: Path, name: str, data: bytes, sha256: bytes) -> None:
    """Writes bytes under their name, or where that is taken or unsafe under their hash."""
    is_safe = place_of(name, "x:").problem is None and not name.startswith("/")
    at = folder / posixpath.normpath(name) if is_safe and not _URI.match(name) else None
    if at is None or (at.exists() and at.read_bytes() != data):
        at = folder / f"{sha256.hex()[:16]}{Path(name).suffix[:8]}"
    if not at.parent.resolve().is_relative_to(folder.resolve()):  # a link leads out
        at = folder / sha256.hex()
    at.parent.mkdir(parents=True, exist_ok=True)
    part = at.with_name(f".{at.name}.part")
    part.write_bytes(data)
    part.replace(at)
