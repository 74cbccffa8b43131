"""Pascal VOC: an XML file of boxes per picture, lists of pictures, and masks by palette.

The original counts pixels from 1 and includes the last one: a box of the whole of a 20 x 10 picture
is 1, 1, 20, 10. Many tools write edges from 0 instead: 0, 0, 20, 10. The files do not tell which;
``boxes=edges`` reads the second kind. Both are exact.

Flags that are 0 and the pose Unspecified are left out, as if they were not said. ``<path>``, where
the picture lay on somebody's machine, is not read. An object with parts has the attribute
``object``, its number in the file, and its parts have that number in ``part_of``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartdb.errors import InvalidInput
from smartdb.formats import voc_masks, xml_nodes
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.decimals import decimal, difference, total, whole
from smartdb.formats.values import value_of
from smartdb.formats.voc_layout import Layout, Lists, class_of, find_picture, layout, lists
from smartdb.formats.voc_writer import write
from smartdb.formats.xml_nodes import Node

__all__ = ["KINDS", "LOST", "TITLE", "classes", "images", "is_at", "read", "write"]

TITLE = "Pascal VOC"
KINDS: tuple[Kind, ...] = ("classification", "box")
LOST = "Other shapes than boxes, confidence, track, and flags that are false."
FLAGS = ("truncated", "occluded", "difficult")
TAGS = ("filename", "folder", "source", "owner", "size", "segmented", "object")
PLAIN = {"name", "pose", "bndbox", "part", "actions", "attributes", "point", *FLAGS}


def is_at(path: Path) -> bool:
    """Whether there are Annotations/*.xml, palette masks, or XML files of an <annotation>."""
    try:
        files = layout(path).files()
    except InvalidInput:
        return True
    if files:
        with files[0].open("rb") as file:
            head = file.read(2000)
        return re.search(rb"<annotation[\s>]", head) is not None and b"<imagesize" not in head
    return path.is_dir() and (layout(path).root / "SegmentationClass").is_dir()


def images(path: Path) -> Path | None:
    """JPEGImages beside the labels; without one, the folder of the XML files."""
    found = layout(path)
    if found.images or found.annotations != found.root:
        return found.images
    return path if path.is_dir() else path.parent


def classes(path: Path) -> list[ClassInfo]:
    """The classes of labelmap.txt or class_id_to_name.json, else those of ImageSets/Main."""
    found = layout(path)
    declared = voc_masks.declared(found.root)
    if declared:
        return declared
    main = sorted((found.root / "ImageSets" / "Main").glob("*_*.txt"))
    return [ClassInfo(name) for name in dict.fromkeys(class_of(file.stem) for file in main)]


def read(
    path: Path,
    *,
    images: Path | None = None,
    boxes: str = "inclusive",
    encoding: str | None = None,
) -> Iterator[Item]:
    """Pictures with their boxes, masks and classes, then those that only ImageSets name.

    ``boxes`` is "inclusive" (from 1, the last pixel belongs to it) or "edges" (from 0).
    ``encoding`` overrules what the XML files say.
    """
    if boxes not in ("inclusive", "edges"):
        raise InvalidInput(f"boxes={boxes!r}; it is inclusive (from 1) or edges (from 0)")
    dataset = layout(path)
    folder = images or dataset.images
    said = lists(dataset)
    yield from said.problems
    seen: dict[str, str] = {}
    for file in dataset.files():
        where, id_ = dataset.where(file), dataset.id_of(file)
        nodes = list(xml_nodes.nodes(file, TAGS, where, encoding))
        yield from (node for node in nodes if isinstance(node, Problem))
        found = {node.tag: node for node in reversed(nodes) if isinstance(node, Node)}
        if not found:
            continue
        name = find_picture(folder, id_, found["filename"].text if "filename" in found else "")
        if name in seen:
            yield Problem(where, "duplicate_id", f"{seen[name]} has the labels of {name} already")
            continue
        seen[name] = where
        yield _picture(name, where, found, said.splits.get(id_))
        objects = [n for n in nodes if isinstance(n, Node) and n.tag == "object"]
        yield from _objects(name, where, objects, 1 if boxes == "inclusive" else 0)
        yield from _of_picture(dataset, said, id_, name)
    yield from _unlabelled(dataset, folder, said, seen)


def _unlabelled(
    dataset: Layout, folder: Path | None, said: Lists, seen: dict[str, str]
) -> Iterator[Item]:
    """The pictures that only a list names or a mask shows."""
    labelled = {dataset.id_of(file) for file in dataset.files()}
    masks = {dataset.id_of(file) for file in voc_masks.files(dataset.root)}
    for id_ in sorted({*said.splits, *said.classes, *masks} - labelled):
        name = find_picture(folder, id_, "")
        if name not in seen:
            yield Picture(name, "ImageSets", split=said.splits.get(id_))
            yield from _of_picture(dataset, said, id_, name)


def _of_picture(dataset: Layout, said: Lists, id_: str, name: str) -> Iterator[Item]:
    for class_name, flag, where in said.classes.get(id_, ()):
        attributes = {"difficult": True} if flag == "0" else {}
        yield Annotation(name, "classification", class_name, where, attributes=attributes)
    yield from voc_masks.read(dataset.root, id_, name)


def _picture(name: str, where: str, found: dict[str, Node], split: str | None) -> Picture:
    attributes: dict[str, Any] = {}
    for tag in ("source", "owner"):
        said = {child.tag: child.text for child in found[tag].children} if tag in found else {}
        if said:
            attributes[tag] = said
    if "folder" in found and found["folder"].text:
        attributes["folder"] = found["folder"].text
    return Picture(name, where, _size(found.get("size")), split, attributes=attributes)


def _size(node: Node | None) -> tuple[int, int] | None:
    width, height = (whole(node.say(side) if node else "") for side in ("width", "height"))
    return (width, height) if width and height else None


def _objects(name: str, where: str, objects: list[Node], first: int) -> Iterator[Item]:
    for number, node in enumerate(objects, 1):
        parts = node.all("part")
        attributes = _attributes(node)
        if parts:
            attributes["object"] = number
        yield from _object(name, where, node, attributes, first)
        for part in parts:
            yield from _object(name, where, part, {"part_of": number}, first)


def _object(
    name: str, where: str, node: Node, attributes: dict[str, Any], first: int
) -> Iterator[Item]:
    place = f"{where}:{node.line}"
    unknown = [child.tag for child in node.children if child.tag not in PLAIN]
    if unknown:
        yield Problem(place, "unsupported", f"<{unknown[0]}> of an object is not read")
    class_name = node.say("name")
    if not class_name:
        yield Problem(place, "unknown_category", "the object has no name")
    elif node.find("bndbox") is None:
        yield Problem(place, "bad_row", f"the object {class_name!r} has no bndbox")
    else:
        try:
            box = _box(node, first)
        except ValueError as error:
            yield Problem(place, "bad_row", f"the box of {class_name!r}: {error}")
        else:
            yield Annotation(name, "box", class_name, place, box=box, attributes=attributes)


def _box(node: Node, first: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = (
        decimal(node.say(f"bndbox/{edge}")) for edge in ("xmin", "ymin", "xmax", "ymax")
    )
    width, height = difference(total(right, first), left), difference(total(bottom, first), top)
    return difference(left, first), difference(top, first), width, height


def _attributes(node: Node) -> dict[str, Any]:
    own = node.find("attributes")
    named = own.all("attribute") if own else []
    found: dict[str, Any] = {each.say("name"): value_of(each.say("value")) for each in named}
    for flag in FLAGS:
        if (text := node.say(flag)) not in ("", "0"):
            found[flag] = True if text == "1" else value_of(text)
    if (pose := node.say("pose")) not in ("", "Unspecified"):
        found["pose"] = pose
    actions = node.find("actions")
    if actions:
        found["actions"] = {child.tag: child.text == "1" for child in actions.children}
    return found
