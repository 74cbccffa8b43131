"""Artifacts: weights and other files that runs leave, stored under the digest of their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from smartdb import config
from smartdb.errors import DiskFull, InvalidInput, NotFound, SmartdbError


@dataclass(frozen=True)
class Artifact:
    """Where a content lies, as a file:// URI, and its SHA-256 (32 bytes)."""

    uri: str
    sha256: bytes


def folder() -> Path:
    """Where artifacts lie: ``artifacts`` in smartdb's home."""
    return config.home() / "artifacts"


def write(data: bytes, suffix: str = "") -> Artifact:
    """Stores bytes and says where; the same bytes are stored once.

    A reader sees all of the file or none of it, also when the machine stops in between. DiskFull
    or SmartdbError if it cannot be written.
    """
    digest = hashlib.sha256(data)
    path = folder() / digest.hexdigest()[:2] / (digest.hexdigest() + suffix)
    try:
        if not _holds(path, digest.digest()):
            write_file(path, data)
    except OSError as error:
        kind = DiskFull if error.errno == 28 else SmartdbError
        raise kind(f"cannot write {path}: {error.strerror}") from error
    return Artifact(path.as_uri(), digest.digest())


def read(uri: str, sha256: bytes) -> bytes:
    """The bytes of an artifact; NotFound if they are gone, SmartdbError if they have changed."""
    path = _path(uri)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound(
            f"cannot read the artifact {path}: {error.strerror}; "
            "was SMARTDB_HOME another when it was written?"
        ) from error
    if hashlib.sha256(data).digest() != sha256:
        raise SmartdbError(f"{path} has changed since it was written; train the model again")
    return data


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Writes a file in one step, so that a reader sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _path(uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.scheme != "file":
        raise InvalidInput(f"cannot read artifacts of this kind: {uri}")
    return Path(unquote(parts.path))


def _holds(path: Path, digest: bytes) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).digest() == digest
