"""YOLO: a text file of labels for each picture, in shares of its width and height.

Reads sets of Ultralytics (data.yaml; boxes, polygons, rotated boxes, key points), Darknet
(obj.data), Label Studio and labelImg (classes.txt). Sizes come from the headers of the pictures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from smartdb.errors import InvalidInput
from smartdb.formats import exact, files
from smartdb.formats import yolo_layout as layouts
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.losses import Losses
from smartdb.formats.yolo_layout import Found, Layout
from smartdb.formats.yolo_rows import TASKS, BadRow, Rows, is_rectangle, written

TITLE = "YOLO"
KINDS: tuple[Kind, ...] = ("box", "polygon", "rotated_box", "keypoints")
LOST = (
    "Attributes, tracks, polygons of several parts or with holes, and, in a set that has one kind "
    "of shape, shapes of another kind."
)

_SAMPLE = 200


def is_at(path: Path) -> bool:
    """A data.yaml or obj.data, or label files in labels/ or beside the pictures."""
    try:
        if layouts.config_file(path):
            return True
        return path.is_dir() and any(map(layouts.looks_like_labels, _some_texts(path)))
    except OSError:
        return False


def images(path: Path) -> Path | None:
    """The set's own folder, if it holds pictures."""
    return files.pictures_in(path)


def classes(path: Path) -> list[ClassInfo]:
    """Names from data.yaml, obj.names or classes.txt, by their numbers; each name once."""
    names = layouts.layout(path).names or {}
    return [ClassInfo(name) for name in dict.fromkeys(names[n] for n in sorted(names))]


def read(
    path: Path,
    *,
    images: Path | None = None,
    task: str = "auto",
    labels: str = "",
    names: str = "",
    encoding: str = files.UTF8,
    allow: str = "",
) -> Iterator[Item]:
    """Pictures with the rows of their label files, split by split; then label files of none.

    ``task`` is detect, segment, obb or pose. By itself it is what data.yaml says, or pose where
    that has kpt_shape, or obb where all shapes among the first labels are rectangles of four
    corners. ``labels`` and ``names`` name the folder of label files and the list of classes where
    they are elsewhere; without any list a class is called by its number. ``allow`` names folders
    outside this one that lists may lead to. A row that is there twice counts once.
    """
    found = layouts.layout(path, images, labels, names, encoding, allow)
    rows = _rows(found, task)
    yield from found.problems
    used: set[Path] = set()
    n_labelled = 0
    for each in layouts.pictures(found):
        if isinstance(each, Problem):
            yield each
        else:
            used.add(each.labels)
            n_labelled += each.labels.is_file()
            yield from _picture(found, each, rows)
    yield from layouts.orphans(found, used)
    if not n_labelled:
        detail = (
            "no picture has a label file here; is it another format, or --option labels=FOLDER?"
        )
        yield Problem(str(path), "unsupported", detail)


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """labels/, a list of pictures for each split, and data.yaml; pictures belong into images/."""
    writer = _Writer(files.emptied(path), {info.name: n for n, info in enumerate(classes)})
    for picture in pictures:
        writer.add_picture(picture)
    writer.add_labels(annotations)
    (path / "data.yaml").write_text(writer.config(), encoding="utf-8")
    return writer.problems


def _some_texts(path: Path) -> list[Path]:
    folder = files.opened(path)
    found = files.walk(folder, folder.root, frozenset([".txt"]))
    return [each for each in islice(found, 50) if isinstance(each, Path)]


def _rows(found: Layout, task: str) -> Rows:
    if task not in ("auto", "detect", *TASKS.values()):
        raise InvalidInput(f"no task {task!r}; there are: detect, segment, obb, pose, auto")
    told = found.config.get("kpt_shape")
    try:
        points = (int(told[0]), int(told[1])) if isinstance(told, list) else None
    except (ValueError, IndexError) as error:
        raise InvalidInput(f"kpt_shape {told!r} in {found.where} is not two numbers") from error
    if task == "auto":
        task = str(found.config.get("task") or ("pose" if points else _guessed(found)))
    return Rows(task, found.names, points)


def _guessed(found: Layout) -> str:
    """obb if all shapes of a sample of the labels are rectangles of four corners, else segment."""
    rectangles = Counter[bool]()
    for each in islice(layouts.pictures(found), _SAMPLE):
        if isinstance(each, Problem) or not each.labels.is_file():
            continue
        size = files.size_of(each.path)
        for line in files.lines(found.folder, each.labels, found.encoding) if size else ():
            columns = [] if isinstance(line, Problem) else line[1].split()
            if size and len(columns) > 6:
                rectangles[len(columns) in (9, 10) and _is_rectangle(columns, size)] += 1
    return "obb" if rectangles[True] and not rectangles[False] else "segment"


def _is_rectangle(columns: Sequence[str], size: exact.Size) -> bool:
    try:
        return is_rectangle(exact.points(columns[1:9], size))
    except (ArithmeticError, ValueError):
        return False


def _picture(found: Layout, each: Found, rows: Rows) -> Iterator[Item]:
    if not each.labels.is_file():
        yield Picture(each.name, each.name, split=each.split)
        return
    size = files.size_of(each.path)
    yield Picture(each.name, each.name, size, each.split)
    if size is None:
        where = found.folder.name(each.labels)
        detail = f"the picture {each.name} has no readable size; these labels are left out"
        yield Problem(where, "broken_file", detail)
        return
    first: dict[str, str] = {}
    for line in files.lines(found.folder, each.labels, found.encoding):
        if isinstance(line, Problem):
            yield line
            continue
        where, columns = line[0], line[1].split()
        if columns:
            yield _label(rows, columns, size, each.name, where, first)


def _label(
    rows: Rows, columns: list[str], size: exact.Size, picture: str, where: str,
    first: dict[str, str],
) -> Annotation | Problem:  # fmt: skip
    same = first.setdefault(" ".join(columns), where)
    if same != where:
        return Problem(where, "duplicate_id", f"is the same as {same}")
    try:
        return rows.read(columns, size, picture, where)
    except BadRow as error:
        reason, detail = error.args
        return Problem(where, reason, f"{files.excerpt(' '.join(columns))} {detail}")


class _Writer:
    """A set that is being written: sizes and label files of its pictures, and its task."""

    def __init__(self, path: Path, numbers: dict[str, int]) -> None:
        self.path = path
        self.numbers = numbers
        self.problems: list[Problem] = []
        self.losses = Losses(TITLE)
        self.task = ""
        self.points: tuple[int, int] | None = None
        self.splits: set[str] = set()
        self.pictures: dict[str, tuple[Path, exact.Size | None]] = {}
        self.taken: set[Path] = set()

    def add_picture(self, picture: Picture) -> None:
        """Lists a picture under its split."""
        if not files.safe(picture.name):
            self._refuse(
                picture.where, "unsafe_path", f"the name {picture.name!r} cannot be listed"
            )
            return
        inside = layouts.key(picture.name)
        file = self.path / "labels" / inside.with_suffix(".txt")
        if file in self.taken:
            self._refuse(picture.where, "duplicate_id", f"{picture.name} has the stem of another")
            return
        self.taken.add(file)
        self.pictures[picture.name] = file, picture.size
        split = picture.split or "train"
        self.splits.add(split)
        with (self.path / f"{split}.txt").open("a", encoding="utf-8") as listing:
            listing.write(f"./images/{inside.as_posix()}\n")

    def add_labels(self, annotations: Iterable[Annotation]) -> None:
        """Writes the rows of the labels that fit."""
        with files.Appender() as out:
            for label in annotations:
                row = self._row(label)
                if row:
                    out.write(self.pictures[label.picture][0], row)
                    self.losses.note(label, ())
        self.problems += self.losses.problems()

    def config(self) -> str:
        """The text of data.yaml, in which JSON's strings are YAML's."""
        splits = [f"{split}: {split}.txt" for split in sorted(self.splits)]
        names = [f"  {number}: {json.dumps(name)}" for name, number in self.numbers.items()]
        shape = [f"kpt_shape: [{self.points[0]}, 3]"] if self.points else []
        task = [f"task: {self.task or 'detect'}"]
        return "\n".join(["path: .", *splits, *task, *shape, "names:", *names, ""])

    def _row(self, label: Annotation) -> str | None:
        size = self.pictures[label.picture][1] if label.picture in self.pictures else None
        wrong = self._wrong(label, size)
        row = self._fitting(label, size) if size and not wrong else None
        if row is None:
            made = f" with task {self.task}" if self.task else ""
            wrong = wrong or ("unsupported", f"a YOLO set{made} holds no such {label.kind}")
            self._refuse(label.where, *wrong)
        return row

    def _wrong(self, label: Annotation, size: exact.Size | None) -> tuple[str, str] | None:
        if label.picture not in self.pictures:
            return "missing_image", f"{label.picture} was not written"
        if size is None:
            return "unsupported", "the picture's size is not known"
        if label.class_name not in self.numbers:
            return "unknown_category", f"no class {label.class_name!r}"
        if not exact.is_finite(label):
            return "not_a_number", "YOLO holds finite numbers only"
        return None

    def _fitting(self, label: Annotation, size: exact.Size) -> str | None:
        task = TASKS.get(label.kind, self.task)
        points = self.points
        if label.kind == "keypoints" and not self.task:
            points = (len((label.shape or {})["points"]), 3)
        if self.task not in ("", task):
            return None
        row = written(label, self.numbers[label.class_name], size, points)
        if row:
            self.task, self.points = task, points
        return row

    def _refuse(self, where: str, reason: str, detail: str) -> None:
        self.problems.append(Problem(where, reason, detail))
