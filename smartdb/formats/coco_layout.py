"""Where a COCO dataset keeps its files: annotations/instances_train2017.json beside train2017/."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from smartdb.formats.base import Annotation, Item, Picture, Problem
from smartdb.formats.files import SPLITS

PLACES = ("annotations/*.json", "*.json", "*/_annotations.coco.json")
_LOOKED_AT = 20


def label_files(path: Path, is_labels: Callable[[Path], bool]) -> list[Path]:
    """The file itself, or the label files of a folder: those of the first place that has some."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        return []
    for place in PLACES:
        found = [each for each in islice(sorted(path.glob(place)), _LOOKED_AT) if is_labels(each)]
        if found:
            return found
    return []


def split_of(file: Path) -> str | None:
    """The split that a file or its folder is called after, with or without a year."""
    return next((SPLITS[name.rstrip("0123456789")] for name in _names(file)
                 if name.rstrip("0123456789") in SPLITS), None)  # fmt: skip


def prefix_of(file: Path, root: Path, name: str) -> str:
    """The folder below ``root`` that holds the picture of this name, with "/"; "" if none does."""
    tried = [f"{above}{own}/" for own in _names(file) for above in ("images/", "")]
    beside = file.parent.relative_to(root).as_posix() if file.is_relative_to(root) else "."
    tried += ["images/", *([] if beside == "." else [f"{beside}/"])]
    return next((each for each in tried if (root / each / name).is_file()), "")


def placed(item: Item, file: Path, prefix: str) -> Item:
    """What a file says, as that of one file among several."""
    where = f"{file.name}: {item.where}"
    if isinstance(item, Picture):
        return replace(item, name=prefix + item.name, where=where)
    if isinstance(item, Problem):
        return replace(item, where=where)
    assert isinstance(item, Annotation)
    key = None if item.key is None else f"{file.stem}: {item.key}"
    return replace(item, picture=prefix + item.picture, where=where, key=key)


def _names(file: Path) -> list[str]:
    """train2017 of annotations/instances_train2017.json, train of train/_annotations.coco.json."""
    return [file.stem.rpartition("_")[2], file.parent.name]
