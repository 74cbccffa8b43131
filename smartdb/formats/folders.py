"""Class folders: each picture is in a folder that is named like its class."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from smartdb import walk
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.files import split_of

TITLE = "class folders"
KINDS: tuple[Kind, ...] = ("classification",)
LOST = "Attributes; a picture needs its bytes to be written."


def is_at(path: Path) -> bool:
    """Whether it is a folder with a picture in one of its folders."""
    return path.is_dir() and any("/" in name for name in _names(path))


def images(path: Path) -> Path | None:
    """The folder itself."""
    return path


def classes(path: Path) -> list[ClassInfo]:
    """The names of the innermost folders, in order."""
    found = {name.split("/")[-2] for name in _names(path) if "/" in name}
    return [ClassInfo(name) for name in sorted(found)]


def read(path: Path, *, images: Path | None = None) -> Iterator[Item]:  # noqa: ARG001
    """Its pictures, each with the innermost folder as its class; those in none have none."""
    for name in _names(path):
        yield Picture(name, name, split=split_of(name))
        if "/" in name:
            yield Annotation(name, "classification", name.split("/")[-2], name)


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """Writes each picture that carries its bytes into the folder of its class, under its name."""
    for each in classes:
        (path / each.name).mkdir(parents=True, exist_ok=True)
    data = {each.name: each.data for each in pictures}
    problems: list[Problem] = []
    for label in annotations:
        found = data.get(label.picture)
        what = _unfit(label, found)
        if what or found is None:
            problems.append(Problem(label.where, "unsupported", what))
            continue
        at = path / label.class_name / Path(label.picture).name
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(found)
    return problems


def _unfit(label: Annotation, data: bytes | None) -> str:
    if label.kind != "classification":
        return f"a folder says no {label.kind}"
    if "/" in label.class_name or label.class_name.startswith("."):
        return f"no folder can be called {label.class_name!r}"
    return "its picture carries no bytes" if data is None else ""


def _names(path: Path) -> Iterator[str]:
    root = os.path.realpath(os.fsencode(path))
    for found in walk.walk(path):
        yield os.fsdecode(os.path.relpath(found.path, root))
