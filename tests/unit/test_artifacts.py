"""Artifacts lie under the digest of their content, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from smartdb import artifacts
from smartdb.errors import DiskFull, InvalidInput, NotFound, SmartdbError


def _files() -> list[Path]:
    return [path for path in artifacts.folder().rglob("*") if path.is_file()]


def test_an_artifact_reads_back_and_is_named_by_its_digest() -> None:
    stored = artifacts.write(b"weights", ".bin")
    assert stored.sha256 == hashlib.sha256(b"weights").digest()
    assert stored.uri.endswith(stored.sha256.hex() + ".bin")
    assert artifacts.read(stored.uri, stored.sha256) == b"weights"


def test_the_same_bytes_are_stored_once() -> None:
    assert artifacts.write(b"weights") == artifacts.write(b"weights")
    assert len(_files()) == 1


def test_a_damaged_file_is_refused_by_a_reader_and_mended_by_a_writer() -> None:
    stored = artifacts.write(b"weights")
    _files()[0].write_bytes(b"wei")
    with pytest.raises(SmartdbError, match="has changed since"):
        artifacts.read(stored.uri, stored.sha256)
    artifacts.write(b"weights")
    assert artifacts.read(stored.uri, stored.sha256) == b"weights"


def test_an_artifact_that_is_gone_is_named() -> None:
    stored = artifacts.write(b"weights")
    _files()[0].unlink()
    with pytest.raises(NotFound, match=stored.sha256.hex()):
        artifacts.read(stored.uri, stored.sha256)


def test_a_home_with_odd_characters_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMARTDB_HOME", str(tmp_path / "a b%20é#'"))
    stored = artifacts.write(b"x")
    assert artifacts.read(stored.uri, stored.sha256) == b"x"


def test_a_full_disk_is_an_error_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="No space left"):
        artifacts.write(b"weights")
    assert _files() == []


def test_a_uri_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="s3://"):
        artifacts.read("s3://bucket/key", b"")
