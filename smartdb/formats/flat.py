"""A flat folder: pictures without labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from smartdb.formats import folders
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem

TITLE = "flat folder"
KINDS: tuple[Kind, ...] = ()
LOST = "All labels; a picture needs its bytes to be written."


def is_at(path: Path) -> bool:
    """Whether it is a folder with a picture."""
    return path.is_dir() and any(True for _ in read(path))


def images(path: Path) -> Path | None:
    """The folder itself."""
    return path


def classes(path: Path) -> list[ClassInfo]:  # noqa: ARG001
    """None."""
    return []


def read(path: Path, *, images: Path | None = None) -> Iterator[Item]:  # noqa: ARG001
    """Its pictures."""
    return (item for item in folders.read(path) if isinstance(item, Picture))


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],  # noqa: ARG001
) -> list[Problem]:
    """Writes each picture that carries its bytes under its name."""
    problems = [Problem(a.where, "unsupported", "it has no labels") for a in annotations]
    path.mkdir(parents=True, exist_ok=True)
    for each in pictures:
        if each.data is None:
            problems.append(Problem(each.where, "unsupported", "it carries no bytes"))
        else:
            (path / Path(each.name).name).write_bytes(each.data)
    return problems
