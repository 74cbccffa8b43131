"""Disposal: deleting the file that holds the bytes of a media, and saying what became of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Literal

from smartdb import walk

Outcome = Literal["deleted", "left", "shared"]
"""deleted: its bytes are not there (any more); left: they lie there still; shared: the place is a
part of another file, such as a frame of its video."""

_CHUNK = 1 << 20


def dispose(uri: str, sha256: bytes, *, delete: bool) -> Outcome:
    """Deletes the file at a place if that is asked and it holds these bytes, and says how it is.

    A file that holds other bytes by now is none of the media's: it is not touched. A store that
    refuses leaves it, too.
    """
    if "#" in uri:
        return "shared"
    if not uri.startswith("file://"):
        return "left"
    path = Path(os.fsdecode(walk.path_of(uri)))
    if not delete:
        return "left" if path.exists() else "deleted"
    try:
        if _sha256(path) == sha256:
            path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return "deleted"
    except OSError:
        return "left"
    return "deleted"


def _sha256(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
