"""The managed store: copies of media that smartdb keeps itself, each under the hash of its bytes.

SMARTDB_STORE says where, as a folder or the URI of any store that can be written to. A copy is
written once and in one step, and never changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from smartdb import config, images, stores, walk
from smartdb.errors import NotFound
from smartdb.images import Inspected, Refused
from smartdb.walk import Found


def root() -> str:
    """The URI of the store."""
    given = config.store()
    if not stores.is_uri(given):
        return walk.uri_of(bytes(Path(given).expanduser().resolve()))
    return given.rstrip("/")


def place(store: str, sha256: bytes) -> str:
    """Where the copy of a content lies in a store."""
    name = sha256.hex()
    return f"{store}/{name[:2]}/{name}"


def inspect_and_keep(store: str, found: Found) -> Inspected | Refused:
    """What a worker does with a file of a listing that is to be copied into the store.

    Raises what the store does: then there is no use in going on.
    """
    seen = images.inspect_found(
        found, lambda seen, data: stores.write_new(place(store, seen.sha256), data)
    )
    return _kept(store, found, seen) if found.path and isinstance(seen, Inspected) else seen


def _kept(store: str, found: Found, seen: Inspected) -> Inspected | Refused:
    """A file that was just read is read again for the copy, from the memory of the system."""
    try:
        data = stores.read(found.uri)
    except NotFound as error:
        return Refused("unreadable", str(error))
    if hashlib.sha256(data).digest() != seen.sha256:
        return Refused("unreadable", "it was changed while it was read; ingest again")
    stores.write_new(place(store, seen.sha256), data)
    return seen
