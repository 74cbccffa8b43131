"""COCO panoptic: a JSON file with segments, and a PNG for each image whose colours are their ids.

A segment is a mask. The PNGs lie in a folder beside the file that has its name (as COCO has it),
or in that of ``--option folder=DIR``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.formats import coco, json_stream, masks
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem

TITLE = "COCO panoptic"
KINDS: tuple[Kind, ...] = ("mask",)
LOST = "Tracks, confidence, attributes; masks that overlap."
MAX_PIXELS = 1 << 28


def is_at(path: Path) -> bool:
    """Whether it is a JSON file with segments."""
    return coco.has_members(path, b'"segments_info"')


def images(path: Path) -> Path | None:  # noqa: ARG001
    """The file does not tell where its images are."""
    return None


def classes(path: Path) -> list[ClassInfo]:
    """The file's categories."""
    return coco.classes(path)


def read(
    path: Path,
    *,
    images: Path | None = None,  # noqa: ARG001
    folder: str | None = None,
) -> Iterator[Item]:
    """Its segments, in the memory of one picture's."""
    head = coco.head_of(path)
    pngs = Path(folder) if folder else path.with_suffix("")
    yield from coco.pictures(head)
    yield from head.problems
    try:
        for key, index, row in json_stream.members(path):
            if key == "annotations" and index is not None:
                yield from _segments(row, f"annotations[{index}]", head, pngs)
    except json_stream.BrokenJson:
        return  # head_of has told it


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """Writes the file, and its PNGs in the folder beside it; in the memory of all masks."""
    known = {each.name: each for each in classes}
    by_picture: dict[str, list[Annotation]] = defaultdict(list)
    problems: list[Problem] = []
    for each in annotations:
        if each.kind == "mask" and each.shape:
            by_picture[each.picture].append(each)
            known.setdefault(each.class_name, ClassInfo(each.class_name))
        else:
            problems.append(Problem(each.where, "unsupported", f"a segment is no {each.kind}"))
    numbers = {name: number for number, name in enumerate(known, 1)}
    images, rows = [], []
    path.with_suffix("").mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, 1):
        width, height = picture.size or (0, 0)
        images.append({"id": number, "file_name": picture.name, "width": width, "height": height})
        png = f"{number:012d}.png"
        segments = _painted(path.with_suffix("") / png, by_picture[picture.name], numbers, problems)
        rows.append({"image_id": number, "file_name": png, "segments_info": segments})
    categories = [coco.category_row(numbers[name], each) for name, each in known.items()]
    whole = {"images": images, "annotations": rows, "categories": categories}
    path.write_text(json.dumps(whole), encoding="utf-8")
    return problems


def _segments(row: Any, where: str, head: coco.Head, folder: Path) -> Iterator[Item]:
    if not isinstance(row, dict) or not isinstance(row.get("segments_info"), list):
        yield Problem(where, "bad_row", "it has no list of segments")
        return
    picture = head.names.get(row.get("image_id"))
    if picture is None:
        yield Problem(where, "orphan_label", f"there is no image {row.get('image_id')!r}")
        return
    try:
        ids = _ids(folder, str(row.get("file_name")))
    except (OSError, ValueError) as error:
        yield Problem(where, "broken_file", f"its PNG cannot be read: {error}")
        return
    for number, segment in enumerate(row["segments_info"]):
        yield _segment(segment, f"{where} segment {number}", picture, ids, head)


def _segment(
    row: Any, where: str, picture: str, ids: NDArray[np.uint32], head: coco.Head
) -> Annotation | Problem:
    try:
        info = head.classes.get(row["category_id"])
        if info is None:
            return Problem(where, "unknown_category", head.without(row["category_id"]))
        pixels = ids == row["id"]
        if not pixels.any():
            return Problem(where, "zero_size", f"no pixel of its PNG has the id {row['id']}")
        bounds, shape = masks.of_pixels(pixels)
        x, y, w, h = map(float, row.get("bbox") or bounds)
        attributes = {"is_crowd": True} if row.get("iscrowd") else {}
        return Annotation(picture, "mask", info.name, where, (x, y, w, h), shape, attributes)
    except (KeyError, TypeError, ValueError) as error:
        return Problem(where, "bad_row", f"a segment needs id, category_id and bbox: {error}")


def _ids(folder: Path, name: str) -> NDArray[np.uint32]:
    """The segment of each pixel: red + 256 green + 65536 blue."""
    from PIL import Image

    at = (folder / name).resolve()
    if not at.is_relative_to(folder.resolve()):
        raise ValueError(f"{name} leads out of {folder.name}")
    with Image.open(at, formats=["PNG"]) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{name} has {image.width} x {image.height} pixels")
        rgb = np.asarray(image.convert("RGB"), np.uint32)
    return rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]


def _painted(
    png: Path,
    segments: Sequence[Annotation],
    numbers: Mapping[str, int],
    problems: list[Problem],
) -> list[dict[str, Any]]:
    """Writes the PNG of a picture and gives its segments; those that overlap are problems."""
    from PIL import Image

    ids: NDArray[np.uint32] | None = None
    rows: list[dict[str, Any]] = []
    for number, each in enumerate(segments, 1):
        assert each.shape is not None
        pixels = masks.to_pixels(each.shape)
        ids = np.zeros(pixels.shape, np.uint32) if ids is None else ids
        if ids.shape != pixels.shape or ids[pixels].any():
            problems.append(Problem(each.where, "unsupported", "it overlaps another segment"))
            continue
        ids[pixels] = number
        row = {"id": number, "category_id": numbers[each.class_name], "area": int(pixels.sum())}
        row |= {"iscrowd": int(bool(each.attributes.get("is_crowd")))}
        rows.append(row | {"bbox": list(each.box or ())})
    if ids is not None:
        rgb = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype(np.uint8)
        Image.fromarray(rgb).save(png)
    return rows
