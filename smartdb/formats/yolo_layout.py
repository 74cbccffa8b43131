"""Where a YOLO set keeps things: classes, pictures by split, and the labels of a picture.

Told by data.yaml (Ultralytics), obj.data (Darknet) or classes.txt beside images/ and labels/
(Label Studio, labelImg), or by nothing but the folders.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from smartdb.formats import files, library
from smartdb.formats.base import Problem
from smartdb.formats.files import Folder

CLASS_FILES = ("classes.txt", "obj.names", "labels/classes.txt", "predefined_classes.txt")
_CONFIGS = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_TEXT = frozenset([".txt"])


@dataclass(frozen=True)
class Found:
    """A picture: its file, its name, its split, and where its labels would be."""

    path: Path
    name: str
    split: str | None
    labels: Path


@dataclass(frozen=True)
class Layout:
    """A set. ``names`` is None where no file lists classes; a missing index has no name.

    ``images`` is the folder that the pictures' names start from, ``labels`` that of the label
    files where these don't follow from images/ in the name.
    """

    folder: Folder
    images: Folder
    labels: Path | None
    encoding: str
    config: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    names: Mapping[int, str] | None = None
    problems: tuple[Problem, ...] = ()


def layout(
    path: Path, images: Path | None = None, labels: str = "", names: str = "",
    encoding: str = files.UTF8, allow: str = "",
) -> Layout:  # fmt: skip
    """What a folder or its data.yaml tells, without a look at the pictures."""
    folder = files.opened(path, allow)
    apart = images is not None and images.resolve() != folder.root
    held = files.opened(images, allow) if apart and images else folder
    named = [(folder.root / each).resolve() for each in (labels, names) if each]
    both = Folder(folder.root, (*folder.allowed, held.root, *named))
    config, where, problems = _config(both, path, encoding)
    listed, more = _names(both, config, where, names, encoding)
    return Layout(
        folder=both,
        images=Folder(held.root, both.allowed),
        labels=folder.root / labels if labels else None,
        encoding=encoding,
        config=config,
        where=where,
        names={} if listed is None and problems else listed,
        problems=(*problems, *more),
    )


def pictures(found: Layout) -> Iterator[Found | Problem]:
    """The pictures of the set, each once; and lists or folders that are not there."""
    seen: set[str] = set()
    for path, split in _paths(found):
        if isinstance(path, Problem):
            yield path
            continue
        name = found.images.name(path)
        if name in seen:
            yield Problem(name, "duplicate_id", "is named twice; the first one counts")
            continue
        seen.add(name)
        yield Found(path, name, split or files.split_of(name), label_path(found, name))


def label_path(found: Layout, name: str) -> Path:
    """The file with the labels of a picture, by its name; it need not be there."""
    root, inside = found.folder.root, label_name(name)
    if found.labels:
        return found.labels / key(name).with_suffix(".txt")
    if found.images.root == root or "labels" in inside.split("/")[:-1]:
        return root / inside
    mirrored = root / "labels" / inside
    return mirrored if mirrored.parent.is_dir() else root / inside


def label_name(name: str) -> str:
    """The rule of Ultralytics: the last images/ becomes labels/, the ending .txt."""
    before, found, after = f"/{name}".rpartition("/images/")
    swapped = f"{before}/labels/{after}"[1:] if found else name
    return os.path.splitext(swapped)[0] + ".txt"  # noqa: PTH122 (names come by the million)


def key(name: str) -> Path:
    """The name without its last images/."""
    before, _, after = f"/{name}".rpartition("/images/")
    return Path(f"{before}/{after}".lstrip("/"))


def orphans(found: Layout, used: set[Path]) -> Iterator[Problem]:
    """Label files of no picture: all in folders called labels, and what looks so by pictures."""
    beside = {each.parent for each in used}
    for path in files.walk(found.folder, found.labels or found.folder.root, _TEXT):
        if isinstance(path, Problem) or path in used or path.name in CLASS_FILES:
            continue
        if _is_label_folder(found, path) or (path.parent in beside and looks_like_labels(path)):
            detail = "no picture has this name; its labels are left out"
            yield Problem(found.folder.name(path), "orphan_label", detail)


def looks_like_labels(path: Path) -> bool:
    """Whether the first row of a text file is a number of a class and at least four numbers."""
    try:
        with path.open("rb") as file:
            row = file.read(4096).decode("utf-8-sig").strip().partition("\n")[0].split()[:20]
        return len(row) > 4 and int(row[0]) >= 0 and all(float(value) < 1e6 for value in row)
    except (OSError, ValueError):
        return False


def config_file(path: Path) -> Path | None:
    """The data.yaml or obj.data of a folder, by name or because it lists names of classes."""
    if path.is_file():
        return path if path.suffix in (".yaml", ".yml", ".data") else None
    named = [path / name for name in _CONFIGS]
    others = chain(sorted(path.glob("*.yaml")), sorted(path.glob("*.yml")), [path / "obj.data"])
    for each in named:
        if each.is_file():
            return each
    return next((each for each in others if each.is_file() and _lists_names(each)), None)


def _lists_names(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(1 << 16)
    return any(line.lstrip().startswith(b"names") for line in start.splitlines())


def _config(
    folder: Folder, path: Path, encoding: str
) -> tuple[Mapping[str, Any], str, list[Problem]]:
    file = config_file(path if path.is_file() else folder.root)
    if file is None:
        return {}, "", []
    text = files.text(folder, file, encoding)
    where = folder.name(file.resolve() if path.is_file() else file)
    if isinstance(text, Problem):
        return {}, where, [text]
    if file.suffix == ".data":
        pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
        return {name.strip(): value.strip() for name, _, value in pairs}, where, []
    return _yaml(text, where)


def _yaml(text: str, where: str) -> tuple[Mapping[str, Any], str, list[Problem]]:
    yaml = library("yaml")
    try:
        config = yaml.load(text, Loader=yaml.BaseLoader)  # all is text: a class may be called no
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f"{where}:{mark.line + 1}" if mark else where
        return {}, where, [Problem(line, "broken_file", f"is not YAML: {_first_line(error)}")]
    if not isinstance(config, dict):
        return {}, where, [Problem(where, "broken_file", "is no mapping with names and train")]
    return config, where, []


def _first_line(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).partition("\n")[0][:200]


def _names(
    folder: Folder, config: Mapping[str, Any], where: str, names: str, encoding: str
) -> tuple[dict[int, str] | None, list[Problem]]:
    told = None if names else config.get("names")
    if isinstance(told, list):
        return _checked(where, dict(enumerate(map(str, told))), config)
    if isinstance(told, dict):
        return _numbered(where, told, config)
    choice = [names] if names else [*([Path(told).name, told] if told else []), *CLASS_FILES]
    file = next((folder.root / each for each in choice if (folder.root / each).is_file()), None)
    if file is None:
        return None, _nowhere(where, names or told)
    return _listed(folder, file, encoding, config)


def _nowhere(where: str, name: Any) -> list[Problem]:
    return [Problem(where, "broken_file", f"there is no list of classes {name!r}")] if name else []


def _numbered(
    where: str, told: Mapping[str, Any], config: Mapping[str, Any]
) -> tuple[dict[int, str], list[Problem]]:
    wrong = [number for number in told if not number.isdecimal()]
    found, problems = _checked(
        where, {int(n): str(name) for n, name in told.items() if n.isdecimal()}, config
    )
    return found, problems + [
        Problem(where, "bad_row", f"names: {number!r} is no number of a class") for number in wrong
    ]


def _listed(
    folder: Folder, file: Path, encoding: str, config: Mapping[str, Any]
) -> tuple[dict[int, str], list[Problem]]:
    found, problems = {}, []
    for number, line in enumerate(files.lines(folder, file, encoding)):
        if isinstance(line, Problem):
            problems.append(line)
        elif line[1].strip():
            found[number] = line[1].strip()
    checked, more = _checked(folder.name(file), found, config)
    return checked, problems + more


def _checked(
    where: str, names: dict[int, str], config: Mapping[str, Any]
) -> tuple[dict[int, str], list[Problem]]:
    problems, first = [], dict[str, int]()
    for number, name in names.items():
        if first.setdefault(name, number) != number:
            detail = f"class {number} has the name of class {first[name]}, {name!r}"
            problems.append(Problem(where, "duplicate_id", detail))
    told = str(config.get("nc", config.get("classes", len(names))))
    if told != str(len(names)):
        detail = f"says {told} classes, and names {len(names)}"
        problems.append(Problem(where, "bad_row", detail))
    return names, problems


def _paths(found: Layout) -> Iterator[tuple[Path | Problem, str | None]]:
    """Paths with the split that the configuration tells."""
    if found.images.root != found.folder.root:
        yield from _apart(found)
        return
    told = [(split, entry) for split in ("train", "val", "test", "valid")
            for entry in _entries(found.config.get(split))]  # fmt: skip
    for split, entry in told:
        for path in _resolved(found, entry, found.where):
            yield path, files.SPLITS[split]
    if not told:
        inside = found.folder.root / "images"
        start = inside if inside.is_dir() else found.folder.root
        for path in files.walk(found.folder, start, files.SUFFIXES):
            yield path, None


def _apart(found: Layout) -> Iterator[tuple[Path | Problem, str | None]]:
    """Pictures of another folder, with the splits of the configuration by their names."""
    splits = {}
    for split in ("train", "val", "test", "valid"):
        for entry in _entries(found.config.get(split)):
            file = found.folder.root / entry
            listed = files.lines(found.folder, file, found.encoding) if file.is_file() else ()
            names = [row[1] for row in listed if not isinstance(row, Problem)]
            splits.update(dict.fromkeys(map(_key_text, names or [entry]), files.SPLITS[split]))
    for path in files.walk(found.images, found.images.root, files.SUFFIXES):
        if isinstance(path, Problem):
            yield path, None
            continue
        own = key(found.images.name(path))
        tried = (own, *own.parents)
        yield path, next((splits[str(p)] for p in tried if str(p) in splits), None)


def _key_text(name: str) -> str:
    return str(key(f"{name.strip().removeprefix('./').rstrip('/')}/")) if name else ""


def _entries(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str) and each.strip()]


def _resolved(found: Layout, entry: str, where: str, base: Path | None = None) -> Iterator[
    Path | Problem
]:  # fmt: skip
    """What an entry stands for: a folder of pictures, a list of them, or a picture."""
    path = _existing(found, entry.strip(), base)
    if path is None:
        yield _missing(found, entry, where)
    elif path.is_dir():
        yield from files.walk(found.folder, path, files.SUFFIXES)
    elif path.suffix.lower() == ".txt" and base is None:
        for row in files.lines(found.folder, path, found.encoding):
            if isinstance(row, Problem):
                yield row
            elif row[1].strip():
                yield from _resolved(found, row[1], row[0], path.parent)
    else:
        yield path


def _existing(found: Layout, entry: str, base: Path | None) -> Path | None:
    """The first place an entry may mean that is there and may be read.

    From the list's folder, from ``path:``, from the folder itself; Darknet's data/ and the ../ of
    Roboflow stand for the folder.
    """
    root, told = found.folder.root, found.config.get("path")
    given = entry.replace("\\", "/")
    short = given.removeprefix("data/")
    while short.startswith("../"):
        short = short.removeprefix("../")
    bases = [base, root / told if isinstance(told, str) else None, root]
    tried = [each / name for name in dict.fromkeys((given, short)) for each in bases if each]
    tried = [Path(os.path.normpath(each)) for each in tried]
    there = (each for each in tried if os.path.exists(each))  # noqa: PTH110 (any name)
    return next((each for each in there if found.folder.holds(each)), None)


def _missing(found: Layout, entry: str, where: str) -> Problem:
    path = Path(os.path.normpath(found.folder.root / entry.strip()))
    if not found.folder.holds(path):
        detail = f"{files.excerpt(entry)} is outside the folder; allow it by --option allow=FOLDER"
        return Problem(where, "unsafe_path", detail)
    return Problem(where, "missing_image", f"there is no {files.excerpt(entry)}")


def _is_label_folder(found: Layout, path: Path) -> bool:
    return bool(found.labels) or "labels" in Path(found.folder.name(path)).parts[:-1]
