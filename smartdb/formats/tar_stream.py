"""The files of a tar, one after another, with nothing written to disk and nothing believed.

A name that leaves its folder, a link or a device gives a problem and the rest goes on. A file of
more than `MAX_MEMBER` bytes is passed over; an archive that expands as a bomb does is given up.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from smartdb.formats.base import Problem
from smartdb.formats.names import leaves

MAX_MEMBER = 256 << 20
"""Bytes of a file in the archive."""
MAX_MEMBERS = 10_000_000
"""Files in an archive."""
MAX_RATIO = 200
"""How many times a compressed archive may expand, beyond the first `FREE` bytes."""
FREE = 64 << 20
MAX_HEADER = 1 << 20
"""Bytes of an extended header, which tarfile reads at once."""

SUFFIXES = (".tar", ".tar.gz", ".tgz")
BROKEN = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError)
EXTENDED = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A file of an archive."""

    name: str
    where: str
    data: bytes


def entries(path: Path) -> Iterator[Entry | Problem]:
    """The files of a .tar, .tar.gz or .tgz in order, and what is wrong with it."""
    try:
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                file.seek(0)
                yield from _entries(path.name, _Expanding(file), "r|")
            else:
                file.seek(0)
                yield from _entries(path.name, file, "r:")
    except _Bomb as error:
        yield Problem(path.name, "unsupported", f"{error}; the rest is not read")
    except BROKEN as error:
        yield Problem(path.name, "broken_file", f"{error}; the rest is not read")


def _entries(where: str, file: Any, mode: Any) -> Iterator[Entry | Problem]:
    with tarfile.open(fileobj=file, mode=mode, tarinfo=_Header) as tar:
        n = 0
        while (member := tar.next()) is not None:
            tar.members = []  # type: ignore[attr-defined]  # tarfile keeps them all
            n += 1
            if n > MAX_MEMBERS:
                raise _Bomb(f"more than {MAX_MEMBERS} files")
            if not member.isdir():
                yield _entry(tar, member, f"{where}#{_printable(member.name)}")


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo, where: str) -> Entry | Problem:
    if leaves(member.name):
        return Problem(where, "unsafe_path", "the name leads out of the archive's folder")
    if member.issym() or member.islnk():
        return Problem(where, "unsafe_path", f"a link to {_printable(member.linkname)}")
    if not member.isreg():
        return Problem(where, "unsupported", "neither a file nor a folder")
    if _printable(member.name) != member.name:
        return Problem(where, "bad_row", "the name is not UTF-8")
    if member.size > MAX_MEMBER:
        return Problem(where, "unsupported", f"{member.size} bytes, more than {MAX_MEMBER}")
    opened = tar.extractfile(member)
    data = opened.read() if opened else b""
    if len(data) != member.size:
        raise tarfile.ReadError(f"{where} ends too early")
    return Entry(member.name, where, data)


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")


class _Bomb(Exception):
    """The archive is made to fill memory or disk."""


class _Header(tarfile.TarInfo):
    """A header that does not pass for the end of the archive when it is broken."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Header:
        try:
            found = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the mark of the end
            problem = str(error) if buf else "the archive has no end mark; it may be cut off"
            raise tarfile.ReadError(problem) from error
        if found.type in EXTENDED and found.size > MAX_HEADER:
            raise tarfile.ReadError(f"an extended header of {found.size} bytes")
        return found


class _Expanding(io.RawIOBase):
    """A gzip file that stops when it expands too much."""

    def __init__(self, file: IO[bytes]) -> None:
        self.packed = file
        self.plain = gzip.GzipFile(fileobj=file)
        self.n_read = 0

    def read(self, size: int = -1) -> bytes:
        data = self.plain.read(size)
        self.n_read += len(data)
        if self.n_read > FREE and self.n_read > MAX_RATIO * self.packed.tell():
            raise _Bomb(f"it expands more than {MAX_RATIO} times")
        return data
