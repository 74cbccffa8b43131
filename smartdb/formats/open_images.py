"""Open Images: tables of labels, boxes and masks, by the id of a picture, in CSV files.

Files are told by their header, not their name. Boxes are in shares of width and height, so the
pictures (ID.jpg, in any folder) must be there; masks are PNG files in folders called masks.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from smartdb.formats import exact, files, masks, png
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.files import Folder
from smartdb.formats.losses import Losses

TITLE = "Open Images"
KINDS: tuple[Kind, ...] = ("classification", "box", "mask")
LOST = (
    "Attributes other than source, is_occluded, is_truncated, is_group_of, is_depiction, "
    "is_inside, box_id, predicted_iou and clicks; confidence of a mask; tracks; nested classes."
)

FLAGS = {
    "IsOccluded": "is_occluded", "IsTruncated": "is_truncated", "IsGroupOf": "is_group_of",
    "IsDepiction": "is_depiction", "IsInside": "is_inside",
}  # fmt: skip
"""Attributes of boxes that are true or false; left out where the file has -1, not known."""

_EDGES = ("XMin", "XMax", "YMin", "YMax")
_BOX_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence", *_EDGES, *FLAGS)
_LABEL_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence")
_MASK_TEXTS = {"BoxID": "box_id", "PredictedIoU": "predicted_iou", "Clicks": "clicks"}
_MASK_COLUMNS = (
    "MaskPath", "ImageID", "LabelName", "BoxID", "BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax",
    "PredictedIoU", "Clicks",
)  # fmt: skip
_LIST_COLUMNS = ("ImageID", "Subset")
_KINDS = (
    ("mask", {"MaskPath", "ImageID", "LabelName"}),
    ("box", {"ImageID", "LabelName", *_EDGES}),
    ("label", {"ImageID", "LabelName"}),
    ("list", {"ImageID", "Subset"}),
    ("class", {"LabelName", "DisplayName"}),
)
_CSV = frozenset([".csv"])


def is_at(path: Path) -> bool:
    """A CSV file, or one in the folder or its annotations/, with a header of Open Images."""
    try:
        found = [path] if path.is_file() else [*path.glob("*.csv"), *path.glob("annotations/*.csv")]
        return any(_kind(each) not in ("", "class") for each in islice(found, 100))
    except OSError:
        return False


def images(path: Path) -> Path | None:
    """The folder images/ of the set, or the whole set, if it holds pictures."""
    inside = _root(path) / "images"
    return files.pictures_in(inside if inside.is_dir() else _root(path))


def classes(path: Path) -> list[ClassInfo]:
    """Display names with their id as attribute ``mid``, and the parent by the hierarchy."""
    found = _opened(path, None, files.UTF8, "")
    parents = _parents(found)
    return [
        ClassInfo(name, found.names.get(parents.get(mid, "")), attributes={"mid": mid})
        for mid, name in found.names.items()
    ]


def read(
    path: Path, *, images: Path | None = None, encoding: str = files.UTF8, allow: str = ""
) -> Iterator[Item]:
    """All pictures, then the rows of each table in its order.

    A class without a display name is called by its id. Labels of a whole picture keep their
    confidence: 0 says that people saw that it is not so. Rows that are there twice, one near the
    other, count once. A mask of another size than its picture is resized by nearest, and says its
    own size in the attribute mask_size. Columns of no meaning here are kept as texts.
    """
    found = _opened(path, images, encoding, allow)
    yield from found.problems
    yield from _pictures(found)
    found.masks.update(_masks(found) if any(kind == "mask" for _, kind in found.tables) else ())
    for table, kind in found.tables:
        if kind in ("box", "label", "mask"):
            yield from _labels(found, table, kind)
    if not any(kind for _, kind in found.tables):
        yield Problem(str(path), "unsupported", "no CSV file here has a header of Open Images")


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """annotations/ with a table of each kind for each split, and masks/; pictures by their id."""
    (files.emptied(path) / "annotations").mkdir()
    with files.Appender() as out:
        writer = _Writer(path, out, {info.name: str(info.attributes.get("mid", info.name))
                                     for info in classes})  # fmt: skip
        for info in classes:
            row = _csv([writer.mids[info.name], info.name])
            out.write(path / "annotations" / "class-descriptions.csv", row)
        for picture in pictures:
            writer.add_picture(picture)
        for label in annotations:
            writer.add_label(label)
    return [*writer.problems, *writer.losses.problems()]


@dataclass
class _Set:
    """What is known while reading: tables by kind, class names, pictures and masks by id."""

    folder: Folder
    images: Folder
    encoding: str
    tables: list[tuple[Path, str]]
    names: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    pictures: dict[str, tuple[str, exact.Size | None]] = field(default_factory=dict)
    masks: dict[str, Path] = field(default_factory=dict)


def _root(path: Path) -> Path:
    """The folder, or that of a file; above annotations/ if that is it."""
    folder = (path if path.is_dir() else path.parent).resolve()
    return folder.parent if folder.name == "annotations" else folder


def _opened(path: Path, own: Path | None, encoding: str, allow: str) -> _Set:
    base = files.opened(_root(path), allow)
    own = own or images(path)
    held = files.opened(own, allow) if own else base
    folder = Folder(base.root, (*base.allowed, held.root))
    found = _Set(folder, Folder(held.root, folder.allowed), encoding, [])
    for each in [path.resolve()] if path.is_file() else files.walk(folder, folder.root, _CSV):
        if isinstance(each, Problem):
            found.problems.append(each)
        elif folder.holds(each):
            found.tables.append((each, _kind(each)))
    _name_classes(found)
    return found


def _kind(path: Path) -> str:
    """list, class, label, box or mask by the first line; "" for another table."""
    with path.open("rb") as file:
        first = file.readline(1 << 16).decode("utf-8-sig", "replace").strip()
    columns = set(first.split(","))
    if re.match(r"/[mgt]/", first):
        return "class"
    return next((kind for kind, needed in _KINDS if needed <= columns), "")


def _name_classes(found: _Set) -> None:
    """Fills in the display names; one that two classes have gets the id behind it."""
    taken = set[str]()
    for table in [table for table, kind in found.tables if kind == "class"]:
        for line in files.lines(found.folder, table, found.encoding):
            columns = line if isinstance(line, Problem) else _columns(*line)
            if isinstance(columns, Problem):
                found.problems.append(columns)
            elif len(columns) != 2 or not columns[1]:
                where = line[0] if isinstance(line, tuple) else ""
                if any(columns):
                    found.problems.append(Problem(where, "bad_row", "is no id with a name"))
            elif columns[0] != "LabelName" and columns[0] not in found.names:
                mid, name = columns
                found.names[mid] = f"{name} ({mid})" if name in taken else name
                taken.add(found.names[mid])


def _parents(found: _Set) -> dict[str, str]:
    """The parent of each class by hierarchy files, which nest classes in Subcategory."""
    parents: dict[str, str] = {}
    for each in files.walk(found.folder, found.folder.root, frozenset([".json"])):
        if isinstance(each, Path) and "hierarchy" in each.name:
            text = files.text(found.folder, each)
            try:
                left = [json.loads(text)] if isinstance(text, str) else []
            except (ValueError, RecursionError):
                left = []
            while left:
                node = left.pop()
                below = [n for n in node.get("Subcategory", []) if isinstance(n, dict)]
                parents |= {str(n.get("LabelName")): str(node.get("LabelName")) for n in below}
                left += below
    return parents


def _columns(where: str, line: str) -> list[str] | Problem:
    """The columns of one line; no field goes over lines, so a lost quote spoils one row."""
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        return Problem(where, "bad_row", f"{files.excerpt(line)} is no CSV: {error}")


def _rows(found: _Set, table: Path) -> Iterator[tuple[str, str, dict[str, str]] | Problem]:
    """(where, line, columns by name) of the rows of a table."""
    header: list[str] | None = None
    for line in files.lines(found.folder, table, found.encoding):
        columns = line if isinstance(line, Problem) else _columns(*line)
        if isinstance(columns, Problem) or isinstance(line, Problem):
            yield columns if isinstance(columns, Problem) else Problem("", "bad_row", "")
        elif header is None:
            header = columns
        elif len(columns) == len(header):
            yield line[0], line[1], dict(zip(header, columns))
        elif line[1].strip():
            detail = f"has {len(columns)} columns, the header {len(header)}"
            yield Problem(line[0], "bad_row", f"{files.excerpt(line[1])} {detail}")


def _pictures(found: _Set) -> Iterator[Item]:
    """Pictures of the lists, then those that are there but in none."""
    paths: dict[str, Path] = {}
    is_walked = found.images.root.is_relative_to(found.folder.root)
    for each in files.walk(found.images, found.images.root, files.SUFFIXES):
        if isinstance(each, Problem):
            yield from () if is_walked else [each]
        elif "masks" in Path(found.images.name(each)).parts[:-1]:
            continue
        elif each.stem in paths:
            detail = f"has the id of {found.images.name(paths[each.stem])}; the first one counts"
            yield Problem(found.images.name(each), "duplicate_id", detail)
        else:
            paths[each.stem] = each
    for table, kind in found.tables:
        for row in _rows(found, table) if kind == "list" else ():
            yield row if isinstance(row, Problem) else _listed(found, paths, row[0], row[2])
    for identity in paths:
        if identity not in found.pictures:
            yield _picture(found, paths, identity, None, "", {})


def _masks(found: _Set) -> Iterator[tuple[str, Path]]:
    """Pictures of masks by name, those in folders called masks."""
    for each in files.walk(found.folder, found.folder.root, frozenset([".png"])):
        if isinstance(each, Path) and "masks" in Path(found.folder.name(each)).parts[:-1]:
            yield each.name, each


def _listed(found: _Set, paths: Mapping[str, Path], where: str, row: dict[str, str]) -> Item:
    identity = row.pop("ImageID")
    if identity in found.pictures:
        return Problem(where, "duplicate_id", f"{files.excerpt(identity)} is listed already")
    if not files.safe(identity) or "/" in identity:
        return Problem(where, "unsafe_path", f"{files.excerpt(identity)} is no id of a picture")
    split = files.SPLITS.get(row.pop("Subset").lower())
    kept = {
        name: value for name, value in row.items() if value and (name, value) != ("Rotation", "0")
    }
    return _picture(found, paths, identity, split, where, kept)


def _picture(
    found: _Set, paths: Mapping[str, Path], identity: str, split: str | None, where: str,
    attributes: Mapping[str, str],
) -> Picture:  # fmt: skip
    path = paths.get(identity)
    name = found.images.name(path) if path else f"{identity}.jpg"
    size = files.size_of(path) if path else None
    found.pictures[identity] = name, size
    split = split or files.split_of(name)
    return Picture(name, where or name, size, split, attributes=attributes)


def _labels(found: _Set, table: Path, kind: str) -> Iterator[Item]:
    picture, seen = "", dict[str, str]()
    for row in _rows(found, table):
        if isinstance(row, Problem):
            yield row
            continue
        where, line, columns = row
        identity = columns["ImageID"]
        if identity != picture:
            picture, seen = identity, {}
        same = seen.setdefault(line, where)
        if same != where:
            yield Problem(where, "duplicate_id", f"is the same as {same}")
            continue
        if identity not in found.pictures:
            if not files.safe(identity) or "/" in identity:
                yield Problem(where, "unsafe_path", f"{files.excerpt(identity)} is no id")
                continue
            split = next((files.SPLITS[w] for w in re.split("[-_.]", table.name.lower())
                          if w in files.SPLITS), None)  # fmt: skip
            yield _picture(found, {}, identity, split, where, {})
        yield _label(found, kind, where, columns)


def _label(found: _Set, kind: str, where: str, row: dict[str, str]) -> Item:
    name, size = found.pictures[row["ImageID"]]
    if size is None and kind != "label":
        detail = f"{name} is missing or has no readable size, which this row needs"
        return Problem(where, "missing_image", detail)
    try:
        if kind == "mask":
            return _mask(found, where, row, name, size or (0, 0))
        if kind == "box":
            return _box(found, where, row, name, size or (0, 0))
        return _annotation(found, where, row, name, "classification")
    except (ArithmeticError, ValueError) as error:
        detail = str(error) if isinstance(error, ValueError) else "has an edge that is no number"
        return Problem(where, "bad_row", detail)


def _box(
    found: _Set, where: str, row: dict[str, str], picture: str, size: exact.Size
) -> Annotation:
    x0, x1, y0, y1 = (Decimal(row.pop(edge)) for edge in _EDGES)
    box = (
        float(x0 * size[0]), float(y0 * size[1]),
        float((x1 - x0) * size[0]), float((y1 - y0) * size[1]),
    )  # fmt: skip
    flags = {FLAGS[column]: _flag(row.pop(column)) for column in FLAGS if column in row}
    known = {name: value for name, value in flags.items() if value is not None}
    return _annotation(found, where, row, picture, "box", box=box, attributes=known)


def _flag(text: str) -> bool | None:
    if text not in ("1", "0", "-1", ""):
        raise ValueError(f"has {files.excerpt(text)} where 1, 0 or -1 should be")
    return {"1": True, "0": False}.get(text)


def _mask(
    found: _Set, where: str, row: dict[str, str], picture: str, size: exact.Size
) -> Annotation | Problem:
    name = row.pop("MaskPath")
    path = found.masks.get(name)
    if path is None:
        reason = "missing_image" if files.safe(name) else "unsafe_path"
        return Problem(where, reason, f"there is no mask {files.excerpt(name)} in a folder masks/")
    pixels = png.from_png(path)
    own = list(pixels.shape)
    if (own[1], own[0]) != size:
        pixels = png.from_png(path, size)
    box, shape = masks.of_pixels(pixels)
    more: dict[str, Any] = {} if own == shape["size"] else {"mask_size": own}
    more |= {name: row[column] for column, name in _MASK_TEXTS.items() if row.get(column)}
    if "predicted_iou" in more:
        more["predicted_iou"] = float(more["predicted_iou"])
    kept = {key: row[key] for key in ("ImageID", "LabelName")}
    return _annotation(found, where, kept, picture, "mask", box=box, shape=shape, attributes=more)


def _annotation(
    found: _Set, where: str, row: dict[str, str], picture: str, kind: Kind,
    attributes: Mapping[str, Any] | None = None, **geometry: Any,
) -> Annotation:  # fmt: skip
    """The label, with the columns that are left as attributes."""
    del row["ImageID"]
    mid, sure = row.pop("LabelName"), row.pop("Confidence", "")
    confidence = float(sure) if sure else None
    if not mid:
        raise ValueError("has no LabelName")
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError(f"has the confidence {sure}, which is not from 0 to 1")
    source = {"source": row.pop("Source")} if row.get("Source") else {}
    row.pop("Source", None)
    rest = {name: value for name, value in row.items() if value}
    return Annotation(
        picture, kind, found.names.get(mid, mid), where, confidence=confidence,
        attributes={**source, **(attributes or {}), **rest}, **geometry,
    )  # fmt: skip


def _csv(values: Sequence[str]) -> str:
    return ",".join(
        '"' + value.replace('"', '""') + '"' if any(c in value for c in ',"') else value
        for value in values
    )


@dataclass
class _Writer:
    """A set that is being written."""

    path: Path
    out: files.Appender
    mids: dict[str, str]
    pictures: dict[str, Picture] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    begun: set[Path] = field(default_factory=set)
    n_masks: int = 0
    losses: Losses = field(default_factory=lambda: Losses(TITLE))

    def add_picture(self, picture: Picture) -> None:
        """Lists a picture by its id."""
        identity = Path(picture.name).stem
        if not files.safe(picture.name):
            self._refuse(picture.where, "unsafe_path", f"{picture.name!r} gives no id")
        elif identity in self.ids:
            self._refuse(picture.where, "duplicate_id", f"{identity} is the id of another picture")
        else:
            self.ids.add(identity)
            self.pictures[picture.name] = picture
            self._row(picture, "images-with-rotation", _LIST_COLUMNS, [identity, _subset(picture)])

    def add_label(self, label: Annotation) -> None:
        """Writes a row, and its mask."""
        picture = self.pictures.get(label.picture)
        if picture is None:
            self._refuse(label.where, "missing_image", f"{label.picture} was not written")
        elif label.class_name not in self.mids:
            self._refuse(label.where, "unknown_category", f"no class {label.class_name!r}")
        elif not exact.is_finite(label):
            self._refuse(label.where, "not_a_number", "Open Images holds finite numbers only")
        elif label.kind == "classification":
            self._row(picture, "annotations-human-imagelabels", _LABEL_COLUMNS, self._start(label))
            self.losses.note(label, ("source",))
        elif picture.size is None:
            self._refuse(label.where, "unsupported", "the picture's size is not known")
        elif label.kind == "box":
            row = [*self._start(label), *_edges(label, picture.size), *_flags(label)]
            self._row(picture, "annotations-bbox", _BOX_COLUMNS, row)
            self.losses.note(label, ("source", *FLAGS.values()))
        elif label.kind == "mask":
            self._mask(picture, picture.size, label)
            self.losses.note(label, (*_MASK_TEXTS.values(), "mask_size"), confidence=False)
        else:
            self._refuse(label.where, "unsupported", f"Open Images holds no {label.kind}")

    def _start(self, label: Annotation) -> list[str]:
        sure = "" if label.confidence is None else repr(label.confidence)
        source = str(label.attributes.get("source", ""))
        return [Path(label.picture).stem, source, self.mids[label.class_name], sure]

    def _mask(self, picture: Picture, size: exact.Size, label: Annotation) -> None:
        pixels = masks.to_pixels(label.shape or {})
        name = f"{Path(picture.name).stem}_{self.n_masks:06}.png"
        self.n_masks += 1
        file = self.path / "masks" / _subset(picture) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png.to_png(pixels))
        texts = [str(label.attributes.get(key, "")) for key in _MASK_TEXTS.values()]
        start = [name, Path(picture.name).stem, self.mids[label.class_name]]
        row = [*start, texts[0], *_edges(label, size), *texts[1:]]
        self._row(picture, "annotations-object-segmentation", _MASK_COLUMNS, row)

    def _row(
        self, picture: Picture, name: str, columns: Sequence[str], values: Sequence[str]
    ) -> None:
        if not all(value.isprintable() for value in values):
            where = f"{picture.name} in {name}"
            self._refuse(where, "unsupported", "a text goes over lines, which CSV is not read with")
            return
        file = self.path / "annotations" / f"{_subset(picture)}-{name}.csv"
        if file not in self.begun:
            self.begun.add(file)
            self.out.write(file, ",".join(columns))
        self.out.write(file, _csv(values))

    def _refuse(self, where: str, reason: str, detail: str) -> None:
        self.problems.append(Problem(where, reason, detail))


def _subset(picture: Picture) -> str:
    return {"val": "validation", None: "train"}.get(picture.split) or str(picture.split)


def _edges(label: Annotation, size: exact.Size) -> list[str]:
    x, y, w, h = label.box or (0.0, 0.0, 0.0, 0.0)
    left, top = exact.share(x, size[0]), exact.share(y, size[1])
    right, bottom = left + exact.share(w, size[0]), top + exact.share(h, size[1])
    return [exact.shown(value) for value in (left, right, top, bottom)]


def _flags(label: Annotation) -> list[str]:
    known = (label.attributes.get(name) for name in FLAGS.values())
    return ["-1" if flag is None else str(int(bool(flag))) for flag in known]
