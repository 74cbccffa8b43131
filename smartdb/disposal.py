"""Disposal: deleting the file that holds the bytes of a media, and saying what became of it."""

from __future__ import annotations

import hashlib
from typing import Literal

from smartdb import stores
from smartdb.errors import NotFound, SmartdbError

Outcome = Literal["deleted", "left"]
"""deleted: its bytes are not there (any more); left: they lie there still, or nobody can tell."""


def dispose(uri: str, sha256: bytes, *, delete: bool) -> Outcome:
    """Deletes the file at a place if that is asked and it holds these bytes, and says how it is.

    A file that holds other bytes by now is none of the media's: it is not touched. A store that
    refuses leaves it, too.
    """
    if not delete:
        return "deleted" if stores.is_local(uri) and stores.is_gone(uri) else "left"
    try:
        if hashlib.sha256(stores.read(uri)).digest() == sha256:
            stores.remove(uri)
    except NotFound as error:
        return "deleted" if error.reason == "missing" else "left"
    except (SmartdbError, OSError):
        return "left"
    return "deleted"
