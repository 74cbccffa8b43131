"""Files of a set of labels: found, named and read, and never one outside the folder.

What cannot be read comes as a `Problem` among what can. A link is followed only to where reading
is allowed, and no folder is entered twice, so loops end.
"""

# ruff: noqa: PTH110, PTH112
# Unlike those of Path, the functions of os.path take any name.
from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from smartdb.errors import InvalidInput
from smartdb.formats.base import Problem
from smartdb.images import FORMATS, MAX_PIXELS
from smartdb.walk import EXTENSIONS

SUFFIXES = frozenset(os.fsdecode(ending) for ending in EXTENSIONS)
"""Endings of pictures' names."""

MAX_BYTES = 1 << 28
"""A file with the labels of one picture is refused above this."""

UTF8 = "utf-8-sig"

SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Words in names of folders and files that tell the split."""


@dataclass(frozen=True)
class Folder:
    """The folder that may be read, and folders outside that the user allowed too; real paths."""

    root: Path
    allowed: tuple[Path, ...] = ()

    def holds(self, path: Path) -> bool:
        """Whether the file that the path leads to, links followed, may be read."""
        try:
            real = os.path.realpath(path)
        except ValueError:  # a zero byte
            return False
        return any(_is_below(real, root) for root in (self.root, *self.allowed))

    def name(self, path: Path) -> str:
        """The path from the folder on, with "/"; a path outside as it is."""
        text = str(path)  # not by pathlib, which takes longer than to open the file
        return text[len(str(self.root)) :].lstrip("/") if _is_below(text, self.root) else text


def opened(path: Path, allow: str = "") -> Folder:
    """The folder, or that of a file; ``allow`` lists more folders, parted as in PATH."""
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        raise InvalidInput(f"no such folder: {folder}; name one that holds labels")
    more = [Path(part).resolve() for part in allow.split(os.pathsep) if part]
    return Folder(folder.resolve(), tuple(more))


def walk(folder: Folder, start: Path, suffixes: frozenset[str]) -> Iterator[Path | Problem]:
    """Files below ``start`` with such endings, by name; hidden ones are left out."""
    yield from _walk(folder, start, suffixes, {os.path.realpath(start)})


def _walk(
    folder: Folder, start: Path, suffixes: frozenset[str], entered: set[str]
) -> Iterator[Path | Problem]:
    try:
        found = sorted(os.scandir(start), key=lambda entry: entry.name)
    except OSError as error:
        yield Problem(folder.name(start), "broken_file", f"cannot be listed: {error.strerror}")
        return
    for entry in found:
        path = start / entry.name
        is_folder = os.path.isdir(path) if entry.is_symlink() else entry.is_dir()
        if entry.name.startswith(".") or not (is_folder or path.suffix.lower() in suffixes):
            continue
        if entry.is_symlink() and not folder.holds(path):
            detail = f"is a link to {os.path.realpath(path)}, outside the folder; it is not read"
            yield Problem(folder.name(path), "unsafe_path", detail)
        elif entry.is_symlink() and not os.path.exists(path):
            yield Problem(folder.name(path), "broken_file", "is a link that leads nowhere")
        elif not is_folder:
            yield path
        elif (real := os.path.realpath(path)) in entered:
            detail = "is a link to a folder that was read already"
            yield Problem(folder.name(path), "unsafe_path", detail)
        else:
            entered.add(real)
            yield from _walk(folder, path, suffixes, entered)


def lines(folder: Folder, path: Path, encoding: str = UTF8) -> Iterator[tuple[str, str] | Problem]:
    """(where, line without its end) of a text file, ends of any kind, a byte order mark left out.

    A line with bytes that are not of the encoding is a `Problem`; the others are read.
    """
    name = folder.name(path)
    if not folder.holds(path):
        yield Problem(name, "unsafe_path", "leads outside the folder; it is not read")
        return
    try:
        with path.open("rb") as raw:
            told = _encoding(raw.peek(2), encoding)
            file = io.TextIOWrapper(raw, told, errors="surrogateescape")
            for number, line in enumerate(file, 1):
                where = f"{name}:{number}"
                if line.isascii() or not _is_escaped(line):
                    yield where, line.rstrip("\n")
                else:
                    detail = f"has bytes that are not {encoding.removesuffix('-sig')}"
                    yield Problem(where, "bad_row", f"{detail}; try --option encoding=latin-1")
    except (OSError, UnicodeError) as error:
        yield Problem(name, "broken_file", f"cannot be read: {error}")
    except LookupError as error:
        raise InvalidInput(f"{error}; give one such as utf-8 or latin-1") from error


def text(folder: Folder, path: Path, encoding: str = UTF8) -> str | Problem:
    """A text file as a whole; a `Problem` that names the byte if it is not of the encoding."""
    name = folder.name(path)
    try:
        if not folder.holds(path):
            return Problem(name, "unsafe_path", "leads outside the folder; it is not read")
        if path.stat().st_size > MAX_BYTES:
            return Problem(name, "broken_file", f"has more than {MAX_BYTES} bytes")
        data = path.read_bytes()
        return data.decode(_encoding(data, encoding))
    except UnicodeDecodeError as error:
        detail = f"is not {error.encoding} at byte {error.start}; try --option encoding=latin-1"
        return Problem(name, "broken_file", detail)
    except OSError as error:
        return Problem(name, "broken_file", f"cannot be read: {error.strerror}")
    except LookupError as error:
        raise InvalidInput(f"{error}; give one such as utf-8 or latin-1") from error


def pictures_in(path: Path) -> Path | None:
    """The folder, or that of a file, if there is a picture somewhere below it."""
    folder = opened(path)
    found = walk(folder, folder.root, SUFFIXES)
    return folder.root if any(isinstance(each, Path) for each in found) else None


def size_of(path: Path) -> tuple[int, int] | None:
    """(width, height) of the upright picture, from its header; None if that cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
                turned = Image.Image.getexif(image).get(0x0112, 1) in (5, 6, 7, 8)
    except Exception:  # whatever is wrong with it; ingest tells what
        return None
    if width * height > MAX_PIXELS:
        return None
    return (height, width) if turned else (width, height)


def split_of(name: str) -> str | None:
    """The split that a name of a folder on the way tells, the last one that does."""
    found = [SPLITS[part] for part in name.lower().split("/")[:-1] if part in SPLITS]
    return found[-1] if found else None


def excerpt(line: str) -> str:
    """A line as it can be shown in a message."""
    return repr(line if len(line) <= 60 else line[:57] + "...")


def safe(name: str) -> bool:
    """Whether a name can be that of a file below a folder, and stand in a list of files."""
    parts = name.split("/")
    return bool(name) and not any(part in ("", ".", "..") for part in parts) and name.isprintable()


class Appender:
    """Appends lines to many files, with one open at a time."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._file: TextIO | None = None

    def __enter__(self) -> Appender:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def write(self, path: Path, line: str) -> None:
        """Appends a line, and makes the folder where it is missing."""
        if path != self._path or self._file is None:
            self.__exit__()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._path, self._file = path, path.open("a", encoding="utf-8")
        self._file.write(f"{line}\n")


def emptied(path: Path) -> Path:
    """A folder to write to, made; InvalidInput if there is something in it."""
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise InvalidInput(f"{path} is not empty; name a new folder")
    return path


def _is_below(path: str, root: Path) -> bool:
    return path == str(root) or path.startswith(f"{str(root).rstrip('/')}/")


def _encoding(start: bytes, encoding: str) -> str:
    return "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else encoding


def _is_escaped(line: str) -> bool:
    return any("\udc80" <= letter <= "\udcff" for letter in line)
