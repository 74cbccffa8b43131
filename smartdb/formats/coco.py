"""COCO: instances (crowd and run lengths too), keypoints, captions and image-level categories.

An annotation is one row: its keypoints if it has visible ones (with its outline beside them), else
its outline, else its box, else its caption or bare category. ``iscrowd`` is the attribute
``is_crowd``; ``area`` is one where the geometry does not tell it. Ids are those of the file, 0 or 1
first alike. Floats stay as they are.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from smartdb.formats import coco_layout, json_stream
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.files import pictures_in
from smartdb.formats.geometry import Box, bounds, compressed

TITLE = "COCO"
KINDS: tuple[Kind, ...] = ("classification", "box", "polygon", "mask", "keypoints", "caption")
LOST = "Polygons with holes, rotated boxes and polylines."
CAPTION = "caption"
"""The class of captions, which have no category."""


@dataclass
class Head:
    """What annotations refer to: names and sizes of images by id, categories by id."""

    names: dict[Any, str] = field(default_factory=dict)
    sizes: dict[Any, tuple[int, int] | None] = field(default_factory=dict)
    classes: dict[Any, ClassInfo] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def without(self, category: Any) -> str:
        """Why an annotation of this category cannot go in."""
        if not self.classes:
            return f"category_id is {category!r}, but the file declares no categories"
        ids = [each for each in self.classes if isinstance(each, int)]
        known = f" ({min(ids)} to {max(ids)})" if ids else ""
        return f"category_id {category!r} is not among the file's categories{known}"


def is_at(path: Path) -> bool:
    """Whether it is a JSON file with annotations or images, and no panoptic one; or a folder of
    such files, which the export of a dataset has in annotations/."""
    if path.is_dir():
        return bool(coco_layout.label_files(path, _has_labels))
    return has_members(path, b'"images"') and not has_members(path, b'"segments_info"')


def images(path: Path) -> Path | None:
    """A folder itself, if it holds pictures; a file does not tell where its images are."""
    return pictures_in(path) if path.is_dir() else None


def classes(path: Path) -> list[ClassInfo]:
    """The categories of the file, or of all files of the folder, each name once."""
    files = coco_layout.label_files(path, _has_labels)
    found = [info for file in files for info in head_of(file).classes.values()]
    return list({info.name: info for info in reversed(found)}.values())[::-1]


def read(path: Path, *, images: Path | None = None) -> Iterator[Item]:
    """The rows of a file, or of each file of a folder: it is read twice, for what annotations
    refer to may stand behind them."""
    for file in coco_layout.label_files(path, _has_labels):
        head = head_of(file)
        if path.is_file():
            yield from _read(file, head)
            continue
        root, first = images or path, next(iter(head.names.values()), "")
        prefix = coco_layout.prefix_of(file, root, first)
        yield from (coco_layout.placed(item, file, prefix) for item in _read(file, head))


def _has_labels(file: Path) -> bool:
    return is_at(file) and has_members(file, b'"annotations"')


def _read(path: Path, head: Head) -> Iterator[Item]:
    split = coco_layout.split_of(path)
    yield from (replace(picture, split=split) for picture in pictures(head))
    yield from head.problems
    try:
        for key, index, row in json_stream.members(path):
            if key == "annotations" and index is not None:
                yield _annotation(row, index, head)
    except json_stream.BrokenJson:
        return  # head_of has told it


def head_of(path: Path) -> Head:
    """Images and categories of a file, with what is wrong with them."""
    head = Head()
    try:
        for key, index, row in json_stream.members(path):
            if key == "images" and index is not None:
                _image(row, f"images[{index}]", head)
            elif key == "categories" and index is not None:
                _category(row, f"categories[{index}]", head)
    except json_stream.BrokenJson as error:
        head.problems.append(Problem(path.name, "broken_file", f"{error}; the rest is left out"))
    return head


def pictures(head: Head) -> Iterator[Picture]:
    """The images of a head."""
    for image_id, name in head.names.items():
        yield Picture(name, f"image {image_id}", head.sizes[image_id])


def has_members(path: Path, name: bytes) -> bool:
    """Whether a JSON file has a member of this name, at a glance over its bytes."""
    if path.suffix.lower() != ".json" or not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return text[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and text.find(name) >= 0


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """Writes one file, images first, categories last, in the memory of the images' names."""
    ids: dict[str, int] = {}
    known = {each.name: each for each in classes}
    problems: list[Problem] = []
    with path.open("w", encoding="utf-8") as file:
        file.write('{"info": {}, "licenses": [], "images": ')
        _write_list(file, (_image_row(each, ids) for each in pictures))
        file.write(', "annotations": ')
        _write_list(file, _annotation_rows(annotations, ids, known, problems))
        file.write(', "categories": ')
        _write_list(file, (category_row(i, each) for i, each in enumerate(known.values(), 1)))
        file.write("}\n")
    return problems


def category_row(number: int, info: ClassInfo) -> dict[str, Any]:
    """A category of a file."""
    row: dict[str, Any] = {"id": number, "name": info.name, "supercategory": info.parent or ""}
    if info.keypoints:
        row |= {
            "keypoints": list(info.keypoints),
            "skeleton": [list(each) for each in info.skeleton],
        }
    return row | dict(info.attributes)


def _image(row: Any, where: str, head: Head) -> None:
    if not isinstance(row, dict) or not isinstance(row.get("file_name"), str) or "id" not in row:
        head.problems.append(Problem(where, "bad_row", "an image needs an id and a file_name"))
        return
    image_id, name = row["id"], row["file_name"]
    if not isinstance(image_id, (int, str)):
        head.problems.append(Problem(where, "bad_row", "its id is neither a number nor a text"))
    elif image_id in head.names:
        what = f"image {image_id} is {head.names[image_id]} already; {name} is left out"
        head.problems.append(Problem(where, "duplicate_id", what))
    else:
        size = row.get("width"), row.get("height")
        head.names[image_id] = name if "/" in name else name.replace("\\", "/")
        head.sizes[image_id] = size if all(isinstance(n, int) and n > 0 for n in size) else None  # type: ignore[assignment]


def _category(row: Any, where: str, head: Head) -> None:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str) or "id" not in row:
        head.problems.append(Problem(where, "bad_row", "a category needs an id and a name"))
    elif not isinstance(row["id"], (int, str)) or not row["name"].strip():
        head.problems.append(Problem(where, "bad_row", "its id is no number, or its name empty"))
    elif row["id"] in head.classes:
        what = f"category {row['id']} is {head.classes[row['id']].name!r} already"
        head.problems.append(Problem(where, "duplicate_id", what))
    else:
        head.classes[row["id"]] = _class_info(row)


def _class_info(row: Mapping[str, Any]) -> ClassInfo:
    parent, points = row.get("supercategory"), row.get("keypoints") or ()
    skeleton = tuple((a, b) for a, b in row.get("skeleton") or () if points)
    attributes = {name: row[name] for name in ("isthing",) if name in row}
    above = parent if isinstance(parent, str) and parent not in ("", row["name"]) else None
    return ClassInfo(row["name"], above, tuple(points), skeleton, attributes)


def _annotation(row: Any, index: int, head: Head) -> Annotation | Problem:
    if not isinstance(row, dict):
        return Problem(f"annotations[{index}]", "bad_row", "an annotation is no object")
    key = row.get("id")
    where = f"annotations[{index}]" if key is None else f"annotation {key}"
    try:
        picture = head.names.get(row.get("image_id"))
        info = head.classes.get(row.get("category_id"))
        if picture is None:
            return Problem(where, "orphan_label", f"there is no image {row.get('image_id')!r}")
        if isinstance(row.get("caption"), str):
            shape = {"text": row["caption"]}
            return Annotation(picture, "caption", CAPTION, where, shape=shape, key=_text(key))
        if info is None:
            return Problem(where, "unknown_category", head.without(row.get("category_id")))
        kind, box, shape_of = _geometry(row, head.sizes[row["image_id"]])
        return Annotation(
            picture, kind, info.name, where, box, shape_of, _attributes(row, box, shape_of),
            track=_text(row.get("track_id")), confidence=row.get("score"), key=_text(key),
        )  # fmt: skip
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        return Problem(where, "bad_shape", str(error))


def _geometry(
    row: Mapping[str, Any], size: tuple[int, int] | None
) -> tuple[Kind, Box | None, dict[str, Any] | None]:
    """Kind, box and shape of an annotation; ValueError says what is wrong with them."""
    box = _box(row["bbox"]) if row.get("bbox") else None
    outline = row.get("segmentation")
    shape: dict[str, Any] | None = None
    if outline:
        shape = _outline(outline, size)
        box = box or _bounds(shape)
    points = _points(row["keypoints"]) if row.get("keypoints") else []
    if seen := [point for point in points if point[2]]:
        return "keypoints", box or bounds(seen), {"points": points, **(shape or {})}
    if shape:
        return ("polygon" if "polygons" in shape else "mask"), box, shape
    return ("box" if box else "classification"), box, None


def _box(given: Any) -> Box:
    if not isinstance(given, list) or len(given) != 4:
        raise ValueError(f"bbox is to be [x, y, width, height], not {str(given)[:80]}")
    x, y, w, h = given
    return _number(x), _number(y), _number(w), _number(h)


def _number(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is not int:
        raise ValueError(f"{str(value)[:40]!r} is no number")
    return float(value)


def _outline(given: Any, size: tuple[int, int] | None) -> dict[str, Any]:
    if isinstance(given, dict):
        return compressed(given, size or (0, 0))
    if not isinstance(given, list):
        raise ValueError("segmentation is neither polygons nor run lengths")
    return {"polygons": [[_ring(flat)] for flat in given]}


def _ring(flat: Any) -> list[list[float]]:
    if not isinstance(flat, list) or len(flat) < 6 or len(flat) % 2:
        raise ValueError("a polygon is to be [x, y, x, y, x, y, ...], three points or more")
    for value in flat:
        _number(value)
    return [list(point) for point in zip(flat[::2], flat[1::2], strict=True)]


def _points(flat: Any) -> list[list[float]]:
    if not isinstance(flat, (list, tuple)) or len(flat) % 3:
        raise ValueError("keypoints are to be [x, y, visibility, ...]")
    for value in flat:
        _number(value)
    return [list(point) for point in zip(flat[::3], flat[1::3], flat[2::3], strict=True)]


def _bounds(shape: Mapping[str, Any]) -> Box:
    if "polygons" in shape:
        return bounds(point for rings in shape["polygons"] for ring in rings for point in ring)
    from pycocotools import mask

    x, y, w, h = (float(value) for value in mask.toBbox(_rle(shape)))
    return x, y, w, h


def _attributes(
    row: Mapping[str, Any], box: Box | None, shape: Mapping[str, Any] | None
) -> dict[str, Any]:
    found = row.get("attributes")
    attributes = dict(found) if isinstance(found, dict) else {}
    if row.get("iscrowd"):
        attributes["is_crowd"] = True
    area = row.get("area")
    if area is not None and box:
        own = area_of(box, shape)
        if abs(_number(area) - own) > 0.01 + own / 1000:
            attributes["area"] = area
    return attributes


def area_of(box: Box, shape: Mapping[str, Any] | None) -> float:
    """The area in pixels² of an outline (of its polygons added, of a mask), else of the box."""
    if shape and "polygons" in shape:
        return sum(_ring_area(rings[0]) for rings in shape["polygons"])
    if shape and "counts" in shape:
        from pycocotools import mask

        return float(mask.area(_rle(shape)))
    return box[2] * box[3]


def _ring_area(ring: Sequence[Sequence[float]]) -> float:
    twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))
    return abs(twice) / 2


def _rle(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"size": shape["size"], "counts": shape["counts"].encode("ascii")}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _image_row(picture: Picture, ids: dict[str, int]) -> dict[str, Any]:
    number = ids.setdefault(picture.name, len(ids) + 1)
    width, height = picture.size or (0, 0)
    return {"id": number, "file_name": picture.name, "width": width, "height": height}


def _annotation_rows(
    annotations: Iterable[Annotation],
    ids: Mapping[str, int],
    known: dict[str, ClassInfo],
    problems: list[Problem],
) -> Iterator[dict[str, Any]]:
    numbers = {name: number for number, name in enumerate(known, 1)}
    for number, each in enumerate(annotations, 1):
        why = _unfit(each, ids)
        if why:
            problems.append(Problem(each.where, "unsupported", why))
            continue
        row: dict[str, Any] = {"id": number, "image_id": ids[each.picture]}
        if each.kind != "caption":
            known.setdefault(each.class_name, ClassInfo(each.class_name))
            row["category_id"] = numbers.setdefault(each.class_name, len(numbers) + 1)
        yield row | _geometry_row(each)


def _unfit(each: Annotation, ids: Mapping[str, int]) -> str | None:
    if each.picture not in ids:
        return f"{each.picture} is not among the pictures"
    if each.kind not in KINDS:
        return f"COCO has no {each.kind}"
    if each.shape and any(len(rings) > 1 for rings in each.shape.get("polygons", ())):
        return "COCO's polygons have no holes"
    if each.kind == "caption" and each.class_name != CAPTION:
        return "COCO's captions have no class"
    return None


def _geometry_row(each: Annotation) -> dict[str, Any]:
    shape, attributes = each.shape or {}, dict(each.attributes)
    if each.kind == "caption":
        return {"caption": shape["text"]}
    row: dict[str, Any] = {"iscrowd": int(bool(attributes.pop("is_crowd", False)))}
    if each.box:
        area = attributes.pop("area", None)
        row |= {"bbox": list(each.box), "area": area_of(each.box, shape) if area is None else area}
    if "points" in shape:
        row["keypoints"] = [value for point in shape["points"] for value in point]
        row["num_keypoints"] = sum(bool(point[2]) for point in shape["points"])
    if "polygons" in shape:
        row["segmentation"] = [[v for p in rings[0] for v in p] for rings in shape["polygons"]]
    elif "counts" in shape:
        row["segmentation"] = {"size": shape["size"], "counts": shape["counts"]}
    more = {"attributes": attributes, "score": each.confidence, "track_id": each.track}
    return row | {name: value for name, value in more.items() if value or value == 0}


def _write_list(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    file.write("[")
    for i, row in enumerate(rows):
        file.write(",\n" if i else "\n")
        file.write(json.dumps(row, ensure_ascii=False))
    file.write("]")
