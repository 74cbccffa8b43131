"""The managed store: copies that smartdb made, in ``SMARTDB_HOME/media/ab/<sha256>``."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from smartdb import config, walk


def put(data: bytes) -> str:
    """The URI of the copy of these bytes, which is written whole or not at all."""
    path = path_of(hashlib.sha256(data).digest())
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    return walk.uri_of(os.fsencode(path))


def path_of(sha256: bytes) -> Path:
    """Where the copy of a content is or would be."""
    name = sha256.hex()
    return config.home() / "media" / name[:2] / name
