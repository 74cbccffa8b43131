"""The masks of Pascal VOC: SegmentationClass and SegmentationObject, and the classes they mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smartdb.formats import masks
from smartdb.formats.base import Annotation, ClassInfo, Item, Problem

VOC = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair",
    "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
    "train", "tvmonitor",
)  # fmt: skip
NOTHING = {"background", "ignored", "void"}
BORDER = (255, 0xE0E0C0)  # pixels at the edge of a thing, as index and as colour: of no class

Array = NDArray[Any]
Names = dict[int | tuple[int, ...], str]
"""Class names by index or by colour."""


def declared(root: Path) -> list[ClassInfo]:
    """The classes of labelmap.txt (with colour, parts and actions) or class_id_to_name.json."""
    lines, ids = root / "labelmap.txt", root / "class_id_to_name.json"
    if lines.is_file():
        return [_declared(line) for line in _lines(lines)]
    if ids.is_file():
        return [ClassInfo(name) for name in json.loads(ids.read_text("utf-8")).values()]
    return []


def files(root: Path) -> list[Path]:
    """The masks of classes."""
    return sorted((root / "SegmentationClass").rglob("*.png"))


def read(root: Path, id_: str, name: str) -> Iterator[Item]:
    """The masks of a picture: one for each thing, without SegmentationObject one for each class."""
    by_class = root / "SegmentationClass" / f"{id_}.png"
    if not by_class.is_file():
        return
    where = by_class.relative_to(root).as_posix()
    try:
        yield from _read(root, id_, name, by_class, where)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        yield Problem(where, "broken_file", f"the mask cannot be read: {error}")


def _read(root: Path, id_: str, name: str, by_class: Path, where: str) -> Iterator[Item]:
    names = _names(root)
    indices, meaning = _indices(by_class, names)
    by_thing = root / "SegmentationObject" / f"{id_}.png"
    things = _indices(by_thing, {})[0] if by_thing.is_file() else indices
    if things.shape != indices.shape:
        raise ValueError(f"{by_thing.name} has another size in SegmentationObject")
    for thing in np.unique(things).tolist():
        pixels = things == thing
        found, counts = np.unique(indices[pixels], return_counts=True)
        index = int(found[counts.argmax()])
        class_name = meaning.get(index)
        if class_name is None and index not in (0, *BORDER):
            yield Problem(where, "unknown_category", f"no class for {index} in {id_}")
        elif class_name and class_name not in NOTHING and (thing or things is indices):
            box, shape = masks.of_pixels(pixels)
            yield Annotation(name, "mask", class_name, f"{where}#{thing}", box, shape)


def _indices(file: Path, names: Names) -> tuple[Array, dict[int, str]]:
    """The index of each pixel, or its colour as 0xRRGGBB, and what these mean."""
    with Image.open(file) as picture:
        if picture.width * picture.height > masks.MAX_PIXELS:
            raise ValueError(f"{picture.width} x {picture.height} pixels")
        if picture.mode in ("P", "L"):
            return np.asarray(picture), _by_palette(picture.getpalette(), names)
        pixels = np.asarray(picture.convert("RGB")).astype(np.int64)
    codes = (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
    coloured = {key: name for key, name in names.items() if isinstance(key, tuple)}
    return codes, {(r << 16) + (g << 8) + b: name for (r, g, b), name in coloured.items()}


def _by_palette(palette: list[int] | None, names: Names) -> dict[int, str]:
    meaning = {index: name for index, name in names.items() if isinstance(index, int)}
    if meaning or not palette:
        return meaning
    colours = [tuple(palette[i : i + 3]) for i in range(0, len(palette), 3)]
    return {i: names[colour] for i, colour in enumerate(colours) if colour in names}


def _names(root: Path) -> Names:
    ids = root / "class_id_to_name.json"
    if (root / "labelmap.txt").is_file():
        infos = declared(root)
        coloured: Names = {
            tuple(i.attributes["colour"]): i.name for i in infos if "colour" in i.attributes
        }
        return coloured or dict(enumerate(info.name for info in infos))
    if ids.is_file():
        return {int(key): name for key, name in json.loads(ids.read_text("utf-8")).items()}
    by_index: Names = dict(enumerate(VOC))
    return by_index | {_colour(index): name for index, name in enumerate(VOC)}


def _colour(index: int) -> tuple[int, ...]:
    """The colour of an index in VOC's palette: its bits dealt out to red, green and blue.

    >>> _colour(15)
    (192, 128, 128)
    """
    bits = [(index >> 3 * place, 7 - place) for place in range(8)]
    return tuple(sum((part >> channel & 1) << at for part, at in bits) for channel in range(3))


def _lines(file: Path) -> list[str]:
    lines = file.read_text("utf-8-sig", "replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _declared(line: str) -> ClassInfo:
    name, colour, parts, actions = [*line.split(":"), "", "", ""][:4]
    said: dict[str, Any] = {}
    if colour:
        said["colour"] = [int(value) for value in colour.split(",")]
    if parts:
        said["parts"] = parts.split(",")
    if actions:
        said["actions"] = actions.split(",")
    return ClassInfo(name, attributes=said)
