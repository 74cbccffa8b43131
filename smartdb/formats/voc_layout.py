"""Where the parts of a Pascal VOC dataset lie, and its lists of pictures (ImageSets)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from smartdb.errors import InvalidInput
from smartdb.formats.base import Problem

PARTS = ("Annotations", "SegmentationClass", "ImageSets")
SPLITS = ("train", "val", "test", "trainval")  # a picture of several is in the first of them
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")


@dataclass(frozen=True)
class Layout:
    """A dataset: its root, and the folder of XML files, which may be the root itself."""

    root: Path
    annotations: Path

    @property
    def images(self) -> Path | None:
        """The folder of the pictures; None if it is not there."""
        near = [self.root / "JPEGImages", self.annotations.parent / "JPEGImages"]
        return next((folder for folder in near if folder.is_dir()), None)

    def files(self) -> list[Path]:
        """The XML files in order of their names."""
        if self.annotations.is_file():
            return [self.annotations]
        if self.annotations == self.root:
            return sorted(self.root.glob("*.xml"))
        return sorted(self.annotations.rglob("*.xml"))

    def id_of(self, file: Path) -> str:
        """What the lists call the picture of an XML file or a mask."""
        for folder in (self.annotations, *(self.root / part for part in PARTS)):
            if folder.is_dir() and file.is_relative_to(folder):
                return file.relative_to(folder).with_suffix("").as_posix()
        return file.stem

    def where(self, file: Path) -> str:
        """A file's name for people."""
        return file.relative_to(self.root).as_posix() if file != self.root else file.name


@dataclass(frozen=True)
class Lists:
    """What ImageSets say: each picture's split, and the classes that a picture has."""

    splits: dict[str, str]
    classes: dict[str, list[tuple[str, str, str]]]
    """By id: (class, "1" or for a difficult one "0", where it is said)."""
    problems: list[Problem]


def layout(path: Path) -> Layout:
    """The dataset at a path: a root, a folder above one, a folder of XML files or one file."""
    if path.is_file():
        return Layout(path, path)
    near = [path, *sorted(path.glob("*/")), *sorted(path.glob("*/*/"))]
    roots = [folder for folder in near if any((folder / part).is_dir() for part in PARTS)]
    if roots and roots[0] != path and len(roots) > 1:
        names = ", ".join(str(root.relative_to(path)) for root in roots)
        raise InvalidInput(f"{path} holds several VOC datasets; name one of: {names}")
    return Layout(roots[0], roots[0] / "Annotations") if roots else Layout(path, path)


def lists(dataset: Layout) -> Lists:
    """Reads ImageSets/*/*.txt; of a picture's splits the one of Main counts."""
    found = Lists({}, {}, [])
    folder = dataset.root / "ImageSets"
    if not folder.is_dir():
        return found
    kinds = sorted(folder.glob("*/"), key=lambda kind: (kind.name != "Main", kind.name))
    for kind in kinds:
        read = {file: list(_lines(file)) for file in sorted(kind.glob("*.txt"))}
        plain = [file for file, lines in read.items() if not any(flag for *_, flag in lines)]
        plain.sort(key=lambda file: (_rank(file.stem), file.stem))
        for file in plain:
            _add_split(found, dataset.where(file), file.stem, [id_ for _, id_, _ in read[file]])
        if kind.name == "Main":
            for file in read:
                if file not in plain:
                    _add_class(found, dataset.where(file), file.stem, read[file])
    return found


def class_of(stem: str) -> str:
    """The class of a list such as "cat_trainval" or "traffic_light_val".

    >>> class_of("traffic_light_val")
    'traffic_light'
    """
    return stem.rpartition("_")[0] or stem


def find_picture(images: Path | None, id_: str, filename: str) -> str:
    """The name of a picture: as its file is called, if it is there, else as the XML has it.

    Files that leave out the suffix, or name the file before it was renamed, are found by id.
    """
    folder = PurePosixPath(id_).parent
    named = filename and (folder / filename).as_posix()
    if images is None or ".." in PurePosixPath(named).parts:
        return named or id_
    if named and (images / named).is_file():
        return named
    stems = (stem for stem in (named, id_) if stem)
    options = (f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES)
    return next((name for name in options if (images / name).is_file()), named or id_)


def _lines(file: Path) -> Iterator[tuple[int, str, str]]:
    """(line, id, flag) of a list; the flag is "" in a plain one. # starts a comment."""
    for number, line in enumerate(file.read_text("utf-8-sig", "replace").splitlines(), 1):
        match = re.fullmatch(r"\s*(?:\"(.+)\"|([^#\s].*?))(?:\s+(1|0|-1))?\s*", line)
        if match:
            yield number, match[1] or match[2], match[3] or ""


def _rank(split: str) -> int:
    return SPLITS.index(split) if split in SPLITS else len(SPLITS)


def _add_split(found: Lists, where: str, split: str, ids: Iterable[str]) -> None:
    for id_ in ids:
        before = found.splits.setdefault(id_, split)
        if {before, split} in ({"train", "test"}, {"train", "val"}, {"val", "test"}):
            detail = f"{id_} is in {before} and in {split}; {before} is kept"
            found.problems.append(Problem(where, "duplicate_id", detail))


def _add_class(found: Lists, where: str, stem: str, lines: Iterable[tuple[int, str, str]]) -> None:
    for number, id_, flag in lines:
        if flag in ("1", "0"):
            said = (class_of(stem), flag, f"{where}:{number}")
            found.classes.setdefault(id_, []).append(said)
        elif not flag:
            detail = f"{id_} has no 1, 0 or -1 for class {class_of(stem)}"
            found.problems.append(Problem(f"{where}:{number}", "bad_row", detail))
