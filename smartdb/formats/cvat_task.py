"""CVAT's backup of a task: a zip of task.json, annotations.json and the pictures below data/.

Shapes are those of CVAT's XML in other words, so they are read and written by way of them. Points
of a mask are its run lengths by rows and left, top, right, bottom; those of an ellipse its centre,
the right end and the upper end. Tracks hold their key frames, and are read as those. Written after
CVAT's own ``engine/backup.py``.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from smartdb.errors import InvalidInput
from smartdb.formats import cvat_shapes
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture, Problem
from smartdb.formats.cvat_writer import OWN, shape_of
from smartdb.formats.names import leaves
from smartdb.formats.xml_nodes import Node

TASK, ANNOTATIONS, MANIFEST = "task.json", "annotations.json", "data/manifest.jsonl"
MAX_JSON = 1 << 30
"""Bytes of one of its JSON files that are read: a bomb claims more."""

MAX_VALUES = 50_000_000
TAGS = {
    "rectangle": "box", "polygon": "polygon", "polyline": "polyline", "points": "points",
    "ellipse": "ellipse", "mask": "mask", "skeleton": "skeleton",
}  # fmt: skip
"""By type of a shape the element of CVAT's XML that is the same."""

TYPES = {tag: type_ for type_, tag in TAGS.items()}
WRONG = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError)


def is_at(path: Path) -> bool:
    """Whether it is a zip with a task in it."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as opened:
        return {TASK, ANNOTATIONS} <= set(opened.namelist())


def read(path: Path) -> Iterator[Item]:
    """Pictures in the order of their frames, then what is said of them, job by job.

    InvalidInput for what is no such zip.
    """
    with zipfile.ZipFile(path) as opened:
        task, jobs = _json(opened, TASK), _json(opened, ANNOTATIONS)
        manifest = _lines(opened) if MANIFEST in opened.namelist() else []
    if not isinstance(task, dict) or not isinstance(jobs, list):
        raise InvalidInput(f"{path.name} is no backup of a CVAT task")
    pictures = list(_pictures(path.name, task, manifest))
    yield from pictures
    skeletons = _skeletons(task.get("labels"))
    for number, job in enumerate(jobs):
        where = f"{path.name}, job {number}"
        if not isinstance(job, dict):
            yield Problem(where, "bad_row", "a job is no object")
            continue
        yield from _job(where, job, pictures, skeletons)


def write(
    path: Path,
    name: str,
    pictures: Sequence[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
    data_of: Callable[[Picture], bytes],
) -> list[Problem]:
    """Writes a zip that CVAT restores a task from; a problem for each label it cannot hold.

    ``data_of`` gives the bytes of a picture, one at a time. Pictures are frames in their order.
    """
    infos = {info.name: info for info in classes}
    frames = {each.name: number for number, each in enumerate(pictures)}
    job: dict[str, Any] = {"version": 0, "tags": [], "shapes": [], "tracks": []}
    problems = []
    for each in annotations:
        if not _put(job, frames[each.picture], each, infos.get(each.class_name)):
            detail = f"CVAT has no {each.kind} like that of {each.picture}; it is left out"
            problems.append(Problem(each.where, "unsupported", detail))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(TASK, json.dumps(_task(name, pictures, classes), ensure_ascii=False))
        opened.writestr(ANNOTATIONS, json.dumps([job], ensure_ascii=False))
        opened.writestr(MANIFEST, _manifest(pictures))
        for picture in pictures:
            stored = zipfile.ZipInfo(f"data/{picture.name}")
            opened.writestr(stored, data_of(picture), zipfile.ZIP_STORED)
    return problems


def _json(opened: zipfile.ZipFile, name: str) -> Any:
    try:
        info = opened.getinfo(name)
        if info.file_size > MAX_JSON:
            raise InvalidInput(f"{name} claims {info.file_size} bytes; that is no task")
        return json.loads(opened.read(info))
    except (KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{opened.filename}: {name} cannot be read: {error}") from error


def _lines(opened: zipfile.ZipFile) -> list[Any]:
    found = []
    with opened.open(MANIFEST) as file:
        for line in file.read(MAX_JSON).decode("utf-8", "replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def _pictures(where: str, task: Mapping[str, Any], manifest: Sequence[Any]) -> Iterator[Picture]:
    """The frames: those that the manifest lists from start_frame on, in steps."""
    listed = [each for each in manifest if isinstance(each, dict) and "name" in each]
    data = task.get("data")
    data = data if isinstance(data, dict) else {}
    start = int(data.get("start_frame") or 0)
    stop = int(data.get("stop_frame") or 0)
    _, _, step = str(data.get("frame_filter") or "").partition("step=")
    chosen = listed[start : stop + 1 if stop else None : int(step) if step.isdecimal() else 1]
    for each in chosen:
        name = f"{each['name']}{each.get('extension', '')}"
        size = (each.get("width"), each.get("height"))
        known = size if all(isinstance(side, int) and side > 0 for side in size) else None
        yield Picture(name, where, known)  # type: ignore[arg-type]


def _skeletons(labels: Any) -> dict[str, tuple[str, ...]]:
    found = {}
    for each in labels if isinstance(labels, list) else []:
        inner = each.get("sublabels") if isinstance(each, dict) else None
        if isinstance(inner, list):
            found[str(each.get("name"))] = tuple(str(one.get("name")) for one in inner)
    return found


def _job(
    where: str,
    job: Mapping[str, Any],
    pictures: Sequence[Picture],
    skeletons: Mapping[str, tuple[str, ...]],
) -> Iterator[Item]:
    for part in ("tags", "shapes"):
        for number, said in enumerate(job.get(part) or ()):
            yield from _said(f"{where}, {part} {number}", said, pictures, skeletons)
    for number, track in enumerate(job.get("tracks") or ()):
        at = f"{where}, track {number}"
        if not isinstance(track, dict):
            yield Problem(at, "bad_row", "a track is no object")
            continue
        for shape in track.get("shapes") or ():
            if isinstance(shape, dict) and shape.get("outside"):
                continue
            said = {**shape, "label": track.get("label")} if isinstance(shape, dict) else shape
            if isinstance(said, dict):
                both = [*(track.get("attributes") or ()), *(shape.get("attributes") or ())]
                said["attributes"] = both
            yield from _said(at, said, pictures, skeletons, str(number))


def _said(
    where: str,
    said: Any,
    pictures: Sequence[Picture],
    skeletons: Mapping[str, tuple[str, ...]],
    track: str | None = None,
) -> Iterator[Item]:
    try:
        frame, label = said["frame"], said["label"]
        if type(frame) is not int or not 0 <= frame < len(pictures):
            yield Problem(where, "bad_row", f"the task has no frame {frame!r}")
            return
        picture = pictures[frame]
        if not isinstance(label, str) or not label:
            yield Problem(where, "unknown_category", f"a shape of {picture.name} has no label")
            return
        attributes = _attributes(said)
        if "type" not in said:
            yield Annotation(picture.name, "classification", label, where, attributes=attributes)
            return
        node = _node(said)
        kind, box, shape = cvat_shapes.read(node, picture.size, skeletons.get(label, ()))
        if node.tag == "ellipse":
            attributes["ellipse"] = True
        yield Annotation(picture.name, kind, label, where, box, shape, attributes, track)
    except WRONG as error:
        yield Problem(where, "bad_shape", f"it cannot be read: {error!r}")


def _attributes(said: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"occluded": True} if said.get("occluded") else {}
    for each in said.get("attributes") or ():
        found[str(each["name"])] = each["value"]
    return found


def _node(said: Mapping[str, Any]) -> Node:
    """A shape as the element of CVAT's XML that says the same."""
    tag = TAGS[said["type"]]
    flags = {name: str(int(bool(said.get(name)))) for name in ("outside", "occluded")}
    if tag == "skeleton":
        inner = [_node({**each, "type": "points"}) for each in said["elements"]]
        for node, each in zip(inner, said["elements"], strict=True):
            node.attributes["label"] = str(each["label"])
        return Node(tag, 0, flags, children=inner)
    points = [float(each) for each in said["points"][:MAX_VALUES]]
    if not all(map(math.isfinite, points)):
        raise ValueError("a point is not a number")
    if tag == "box":
        names = ("xtl", "ytl", "xbr", "ybr")
        made = {name: repr(value) for name, value in zip(names, points, strict=True)}
    elif tag == "ellipse":
        cx, cy, right, top = points
        made = {"cx": repr(cx), "cy": repr(cy), "rx": repr(right - cx), "ry": repr(cy - top)}
    elif tag == "mask":
        *counts, left, top, right, bottom = map(int, points)
        size = {"width": right - left + 1, "height": bottom - top + 1}
        made = {"rle": ",".join(map(str, counts)), "left": str(left), "top": str(top)}
        made |= {name: str(value) for name, value in size.items()}
    else:
        pairs = zip(points[::2], points[1::2], strict=True)
        made = {"points": ";".join(f"{x!r},{y!r}" for x, y in pairs)}
    if said.get("rotation"):
        made["rotation"] = repr(float(said["rotation"]))
    return Node(tag, 0, flags | made)


def _put(job: dict[str, Any], frame: int, said: Annotation, info: ClassInfo | None) -> bool:
    """Puts a label into a job; False if CVAT has no such."""
    head = {"frame": frame, "label": said.class_name, "group": 0, "source": "manual"}
    attributes = [
        {"name": name, "value": value if isinstance(value, str) else json.dumps(value)}
        for name, value in said.attributes.items()
        if name not in OWN
    ]
    made = shape_of(said, info)
    if made is None:
        return False
    if said.kind == "classification":
        job["tags"].append(head | {"attributes": attributes})
        return True
    state = {"occluded": said.attributes.get("occluded") is True, "outside": False, "z_order": 0}
    tag, _, given = made
    shape = head | state | {"type": TYPES[tag], "attributes": attributes}
    shape |= {"rotation": 0.0 if tag == "mask" else _number(given.get("rotation", 0))}
    if tag == "skeleton":
        elements = _elements(said, info)
        if elements is None:
            return False
        shape |= {"points": [], "elements": [{**head, "attributes": [], **e} for e in elements]}
    else:
        shape |= {"points": _points(tag, given), "elements": []}
    job["shapes"].append(shape)
    return True


def _points(tag: str, given: Mapping[str, Any]) -> list[float]:
    if tag == "box":
        return [_number(given[each]) for each in ("xtl", "ytl", "xbr", "ybr")]
    if tag == "ellipse":
        cx, cy, rx, ry = (_number(given[each]) for each in ("cx", "cy", "rx", "ry"))
        return [cx, cy, cx + rx, cy - ry]
    if tag == "mask":
        left, top, width, height = (int(given[e]) for e in ("left", "top", "width", "height"))
        counts = [float(count) for count in str(given["rle"]).split(",")]
        return [*counts, left, top, left + width - 1, top + height - 1]
    pairs = (pair.split(",") for pair in str(given["points"]).split(";"))
    return [float(each) for pair in pairs for each in pair]


def _elements(said: Annotation, info: ClassInfo | None) -> list[dict[str, Any]] | None:
    points = (said.shape or {})["points"]
    if info is None or len(info.keypoints) != len(points):
        return None
    return [
        {
            "type": "points", "label": name, "points": [float(x), float(y)], "z_order": 0,
            "outside": v == 0, "occluded": v == 1, "rotation": 0.0, "elements": [],
        }
        for name, (x, y, v) in zip(info.keypoints, points, strict=True)
    ]  # fmt: skip


def _number(value: Any) -> float:
    return float(value)


def _task(name: str, pictures: Sequence[Picture], classes: Sequence[ClassInfo]) -> dict[str, Any]:
    last = max(len(pictures) - 1, 0)
    return {
        "name": name, "bug_tracker": "", "status": "annotation", "subset": "", "version": "1.0",
        "labels": [_label(each) for each in classes],
        "data": {
            "chunk_size": 72, "image_quality": 100, "start_frame": 0, "stop_frame": last,
            "storage_method": "cache", "storage": "local", "chunk_type": "imageset",
            "sorting_method": "predefined",
        },
        "jobs": [{"start_frame": 0, "stop_frame": last, "status": "annotation"}],
    }  # fmt: skip


def _label(info: ClassInfo) -> dict[str, Any]:
    attributes = [
        {
            "name": name, "mutable": bool(each.get("mutable", False)),
            "input_type": each.get("input_type", "text"),
            "default_value": str(each.get("default_value", "")),
            "values": [str(value) for value in each.get("values", [])] or [""],
        }
        for name, each in info.attributes.items()
    ]  # fmt: skip
    made: dict[str, Any] = {"name": info.name, "color": "", "type": "any"}
    made["attributes"] = attributes
    inner: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for point in info.keypoints:
        one = {"name": point, "color": "", "type": "points", "attributes": []}
        inner["sublabels"].append(one)
    return made | ({"type": "skeleton"} | dict(inner) if info.keypoints else {"sublabels": []})


def _manifest(pictures: Sequence[Picture]) -> str:
    lines: list[dict[str, Any]] = [{"version": "1.1"}, {"type": "images"}]
    for each in pictures:
        path = PurePosixPath(each.name)
        if leaves(each.name):
            raise InvalidInput(f"{each.name!r} leads out of the folder; it cannot be in a zip")
        width, height = each.size or (0, 0)
        lines.append({
            "name": str(path.with_suffix("")), "extension": path.suffix, "width": width,
            "height": height, "meta": {"related_images": []},
        })  # fmt: skip
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
