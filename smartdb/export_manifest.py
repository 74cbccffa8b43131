"""The manifest of an export: what it is, and every file with its bytes and digest.

``manifest.json`` is written last, a line for each file, and its last member is the SHA-256 of all
that stands before that line: ``head -n -2 manifest.json | sha256sum``.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from smartdb.errors import InvalidInput
from smartdb.export_work import File

NAME = "manifest.json"


@dataclass(frozen=True)
class Written:
    """A manifest that was written, with the numbers of the files in it."""

    n_files: int
    n_bytes: int
    sha256: bytes


def write(
    path: Path, identity: Mapping[str, Any], problems: Counter[str], files: Iterable[File]
) -> Written:
    """Writes the manifest of these files to a local path."""
    n_files = n_bytes = 0
    with path.open("wb") as file:
        out = _Digesting(file)
        out.line("{")
        for name, value in {**identity, "problems": dict(sorted(problems.items()))}.items():
            out.line(f"{_json(name)}: {_json(value)},")
        out.line('"files": [')
        for each in files:
            comma = ",\n" if n_files else ""
            row = {"path": each.path, "n_bytes": each.n_bytes, "sha256": each.sha256}
            out.write(f"{comma}{_json(row)}")
            n_files, n_bytes = n_files + 1, n_bytes + each.n_bytes
        out.line("\n],")
        out.line(f'"n_files": {n_files},\n"n_bytes": {n_bytes},')
        out.line(f'"sha256": "{out.digest.hexdigest()}"\n}}')
    with path.open("rb") as file:
        return Written(n_files, n_bytes, hashlib.file_digest(file, "sha256").digest())


def head(text: bytes) -> dict[str, Any]:
    """What a manifest says of the export; InvalidInput if it is none, or its digest is wrong."""
    body, found, last = text.rpartition(b'"sha256": "')
    start, mark, _ = text.partition(b'\n"files": [\n')
    try:
        if not found or not mark or last != hashlib.sha256(body).hexdigest().encode() + b'"\n}\n':
            raise ValueError
        said = json.loads(start.rstrip().rstrip(b",") + b"}")
    except ValueError as error:
        raise InvalidInput("its manifest.json is none of an export, or was changed") from error
    assert isinstance(said, dict)
    return said


def files(text: bytes) -> Iterator[File]:
    """The files that a manifest names, one after another."""
    lines = iter(io.BytesIO(text[text.index(b'\n"files": [\n') + 12 :]))
    for line in lines:
        if line.startswith(b"]"):
            return
        if line.strip():
            yield File(**json.loads(line.rstrip().rstrip(b",")))


class _Digesting:
    """A file whose bytes are hashed as they are written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, text: str) -> None:
        data = text.encode()
        self.digest.update(data)
        self.file.write(data)

    def line(self, text: str) -> None:
        self.write(f"{text}\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)
