"""Writes CVAT XML 1.1: images, and the frames of a video as tracks."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from smartdb.formats import masks
from smartdb.formats.base import Annotation, ClassInfo, Picture, Problem
from smartdb.formats.decimals import text, total
from smartdb.formats.geometry import bounds
from smartdb.formats.rotated import of_corners
from smartdb.formats.xml_text import HEAD, element, escaped, is_illegal, words

OWN = {"occluded", "z_order", "source", "group_id", "interpolated", "ellipse", "points"}
PREFIX = "attribute."
OUT_BY = 1.0  # pixels that a bounding box may differ from its shape's before that is told

Parts = tuple[str, list[str], dict[str, object]]
"""A shape as tag, elements inside, attributes."""


@dataclass
class _Writer:
    """What is to be written, by picture and by track."""

    infos: dict[str, ClassInfo]
    problems: list[Problem] = field(default_factory=list)
    labels: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    tracks: dict[tuple[str, str], dict[int, tuple[Annotation, Parts]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    types: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    def lose(self, annotation: Annotation, what: str) -> None:
        self.problems.append(Problem(annotation.where, "unsupported", f"CVAT XML has no {what}"))


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """Writes one XML file; a problem for each label or value that CVAT has no place for."""
    writer, known = _Writer({info.name: info for info in classes}), list(pictures)
    stills = {p.name: p for p in known if p.frame_index is None}
    videos = list(dict.fromkeys(p.name for p in known if p.frame_index is not None))
    said = list(annotations)
    for annotation in said:
        for name, value in annotation.attributes.items():
            writer.types[annotation.class_name][name].add(_type(value))
    for annotation in said:
        _take(writer, annotation, stills.get(annotation.picture), videos)
    frames = sorted(
        {p.frame_index for p in known if p.frame_index is not None and p.name == videos[0]}
        | {frame for shapes in writer.tracks.values() for frame in shapes}
    )
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{HEAD}<annotations>\n  <version>1.1</version>\n  ")
        file.write(_meta(writer, known, videos, frames))
        for number, still in enumerate(stills.values()):
            file.write(f"\n  {_image(writer, number, still)}")
        for (track, label), shapes in writer.tracks.items():
            file.write(f"\n  {_track(track, label, shapes, frames)}")
        file.write("\n</annotations>\n")
    return writer.problems


def _take(
    writer: _Writer, annotation: Annotation, still: Picture | None, videos: list[str]
) -> None:
    """Makes the element of a label and puts it where it belongs."""
    parts = _parts(writer, annotation)
    if parts is None:
        return
    frame = annotation.frame_index
    if still is not None and annotation.track is not None:
        frame = still.attributes.get("frame_index")
    if annotation.confidence is not None:
        writer.lose(annotation, "place for a confidence")
    if annotation.track is not None and frame is None:
        writer.lose(annotation, f"track in pictures that are no frames: {annotation.picture}")
    if frame is None:
        writer.labels[annotation.picture].append(element(parts[0], *parts[1], **parts[2]))
    elif still is None and annotation.picture not in videos[:1]:
        writer.lose(annotation, f"second video in a file: {annotation.picture} is left out")
    else:
        _take_frame(writer, annotation, parts, frame)


def _take_frame(writer: _Writer, annotation: Annotation, parts: Parts, frame: int) -> None:
    name, track = annotation.class_name, annotation.track
    if annotation.kind == "classification":
        writer.lose(annotation, f"tag on frames of a video: {name} of frame {frame} is left out")
        return
    if track is None:
        track = f"single-{len(writer.tracks)}"
        writer.lose(annotation, f"label without a track in a video: {name} became track {track}")
    shapes = writer.tracks[track, name]
    if frame in shapes:
        writer.lose(annotation, f"second shape of track {track} in frame {frame}: it is left out")
    else:
        del parts[2]["label"]
        shapes[frame] = annotation, parts


def _parts(writer: _Writer, annotation: Annotation) -> Parts | None:
    """The element of a label; None, with a problem, if there is none."""
    name = annotation.class_name
    made = None if is_illegal(name) else shape_of(annotation, writer.infos.get(name))
    if made is None:
        kind = annotation.kind
        writer.lose(annotation, f"{kind} like that of {annotation.picture}; it is left out")
        return None
    tag, inside, geometry = made
    if _is_loose(annotation):
        writer.lose(annotation, f"place for a box that is not the {annotation.kind}'s own bounds")
    if annotation.kind == "keypoints" and set(annotation.shape or {}) != {"points"}:
        writer.lose(annotation, "place for an outline beside keypoints")
    said = annotation.attributes
    marks: dict[str, object] = {"label": name, "source": said.get("source")}
    if tag != "tag":
        marks |= {"occluded": int(said.get("occluded") is True), "z_order": said.get("z_order", 0)}
    marks["group_id"] = said.get("group_id")
    return tag, [*inside, *_attributes(writer, annotation)], marks | geometry


def _attributes(writer: _Writer, annotation: Annotation) -> Iterator[str]:
    for name, value in annotation.attributes.items():
        if name in OWN:
            continue
        is_text = writer.types[annotation.class_name][name] not in ({"checkbox"}, {"number"})
        text = value if isinstance(value, str) else json.dumps(value)
        if is_illegal(name) or is_illegal(text):
            writer.lose(annotation, f"place for control characters, in the attribute {name!r}")
            continue
        if is_text and not isinstance(value, str):
            writer.lose(annotation, f"attribute that is {value!r}; {name} is written as text")
        yield _attribute(name.removeprefix(PREFIX), text)


def _attribute(name: str, text: str) -> str:
    return element("attribute", escaped(text), name=name)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "checkbox"
    return "number" if isinstance(value, int | float) else "text"


def _is_loose(annotation: Annotation) -> bool:
    """Whether the bounding box is another than the shape's."""
    box, shape = annotation.box, annotation.shape or {}
    if annotation.kind not in ("polygon", "polyline", "keypoints") or box is None:
        return False
    points = shape["polygons"][0][0] if annotation.kind == "polygon" else shape["points"]
    if annotation.kind == "keypoints":
        points = [point for point in points if point[2]] or points
    return any(abs(a - b) > OUT_BY for a, b in zip(box, bounds(points), strict=True))


def shape_of(annotation: Annotation, info: ClassInfo | None) -> Parts | None:
    """Tag, elements inside and attributes of a label's geometry; None if CVAT has no such."""
    shape, kind = annotation.shape or {}, annotation.kind
    if kind == "classification":
        return "tag", [], {}
    if kind == "box" and annotation.box:
        x, y, w, h = annotation.box
        right, bottom = text(total(x, w)), text(total(y, h))
        return "box", [], {"xtl": text(x), "ytl": text(y), "xbr": right, "ybr": bottom}
    if kind == "polygon" and len(shape["polygons"]) == 1 and len(shape["polygons"][0]) == 1:
        return "polygon", [], {"points": _points(shape["polygons"][0][0])}
    if kind == "polyline":
        return "polyline", [], {"points": _points(shape["points"])}
    if kind == "rotated_box":
        return _rotated(shape["corners"], annotation.attributes.get("ellipse") is True)
    if kind == "mask" and annotation.box:
        return _mask(shape)
    return _keypoints(annotation, info) if kind == "keypoints" else None


def _points(points: Iterable[Sequence[float]]) -> str:
    return ";".join(f"{float(p[0])!r},{float(p[1])!r}" for p in points)


def _rotated(corners: Sequence[Sequence[float]], is_ellipse: bool) -> Parts | None:
    found = of_corners(corners)
    if found is None:
        return None
    cx, cy, w, h = found.cx, found.cy, found.w, found.h
    if is_ellipse:
        said = {"cx": cx, "cy": cy, "rx": w / 2, "ry": h / 2, "rotation": found.degrees}
        return "ellipse", [], dict(said)
    edges = {"xtl": cx - w / 2, "ytl": cy - h / 2, "xbr": cx + w / 2, "ybr": cy + h / 2}
    return "box", [], {**edges, "rotation": found.degrees}


def _mask(shape: Mapping[str, Any]) -> Parts | None:
    pixels = masks.to_pixels(shape)
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not rows.size:
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])
    counts = masks.to_rows(pixels[top : bottom + 1, left : right + 1])
    place = {"left": left, "top": top, "width": right - left + 1, "height": bottom - top + 1}
    return "mask", [], {"rle": ", ".join(map(str, counts)), **place}


def _keypoints(annotation: Annotation, info: ClassInfo | None) -> Parts | None:
    points = (annotation.shape or {})["points"]
    names = list(info.keypoints) if info else []
    if not names and all(point[2] == 2 for point in points):
        return "points", [], {"points": _points(points)}
    names = names or [str(number) for number in range(1, len(points) + 1)]
    if len(points) != len(names):
        return None
    texts = annotation.attributes.get("points") or {}
    inside = []
    for name, point in zip(names, points, strict=True):
        said = [_attribute(key, value) for key, value in texts.get(name, {}).items()]
        marks = {"outside": int(point[2] == 0), "occluded": int(point[2] == 1)}
        inside.append(element("points", *said, label=name, **marks, points=_points([point])))
    return "skeleton", inside, {}


def _image(writer: _Writer, number: int, still: Picture) -> str:
    if is_illegal(still.name):
        writer.problems.append(Problem(still.where, "unsafe_path", f"{still.name!r} is no name"))
        return ""
    width, height = still.size or (None, None)
    said = {"id": number, "name": still.name, "subset": still.split}
    inside = [f"\n    {label}" for label in writer.labels[still.name]]
    return element("image", *inside, "\n  ", **said, width=width, height=height)


def _track(
    track: str, label: str, shapes: Mapping[int, tuple[Annotation, Parts]], frames: list[int]
) -> str:
    """A track: its shapes in order, and where it ends or pauses, the last one as outside."""
    following = dict(pairwise(frames))
    inside = []
    for frame in sorted(shapes):
        annotation, (tag, within, said) = shapes[frame]
        key = int(annotation.attributes.get("interpolated") is not True)
        inside.append(element(tag, *within, frame=frame, keyframe=key, outside=0, **said))
        after = following.get(frame)
        if after is not None and after not in shapes:
            inside.append(element(tag, *within, frame=after, keyframe=1, outside=1, **said))
    lines = (f"\n    {line}" for line in inside)
    return element("track", *lines, "\n  ", id=track, label=label)


def _meta(writer: _Writer, pictures: list[Picture], videos: list[str], frames: list[int]) -> str:
    labels = "".join(
        _label(name, writer.infos.get(name), writer.types[name])
        for name in dict.fromkeys([*writer.infos, *writer.types])
        if not is_illegal(name)
    )
    inside = [words("mode", "interpolation" if frames else "annotation")]
    steps = {b - a for a, b in pairwise(frames)} or {1}
    if frames and len(steps) == 1:
        inside += [words("size", len(frames)), words("start_frame", frames[0])]
        inside += [words("stop_frame", frames[-1]), words("frame_filter", f"step={steps.pop()}")]
    elif frames:
        detail = "frames at uneven steps; those without a label are left out"
        writer.problems.append(Problem(videos[0] if videos else "", "unsupported", detail))
    size = next((p.size for p in pictures if p.size and p.frame_index is not None), None)
    if size:
        inside.append(element("original_size", words("width", size[0]), words("height", size[1])))
    source = [words("source", videos[0])] if videos else []
    return element("meta", element("task", *inside, element("labels", labels)), *source)


def _label(name: str, info: ClassInfo | None, types: Mapping[str, set[str]]) -> str:
    """The declaration of a class and its attributes, with a skeleton's points as labels too."""
    declared = info.attributes if info else {}
    own = [
        _declaration(each.removeprefix(PREFIX), kinds, declared.get(each))
        for each, kinds in types.items()
        if each not in OWN and not is_illegal(each)
    ]
    own += [_declaration(each, {"text"}, declared[each]) for each in declared if each not in types]
    points = info.keypoints if info else ()
    kind = "skeleton" if points else "any"
    drawing = [words("svg", _svg(info))] if info and points else []
    found = [
        element(
            "label", words("name", name), words("type", kind), element("attributes", *own), *drawing
        )
    ]
    found += [
        element("label", words("name", point), words("type", "points"), words("parent", name))
        for point in points
    ]
    return "".join(found)


def _declaration(name: str, kinds: set[str], declared: Any) -> str:
    said = declared if isinstance(declared, Mapping) else {}
    kind = next(iter(kinds)) if len(kinds) == 1 else "text"
    if kind == "text" and said.get("input_type") in ("select", "radio"):
        kind = said["input_type"]
    values = said.get("values", ["false", "true"] if kind == "checkbox" else [])
    return element(
        "attribute",
        words("name", name),
        words("mutable", bool(said.get("mutable", False))),
        words("input_type", kind),
        words("default_value", said.get("default_value", "")),
        words("values", "\n".join(map(str, values))),
    )


def _svg(info: ClassInfo) -> str:
    """The drawing of a skeleton, its points in a circle."""
    n = len(info.keypoints)
    turns = [2 * math.pi * i / n for i in range(n)]
    at = [(50 + 40 * math.sin(turn), 50 - 40 * math.cos(turn)) for turn in turns]
    lines = (
        f'<line x1="{at[a - 1][0]:.2f}" y1="{at[a - 1][1]:.2f}" x2="{at[b - 1][0]:.2f}" '
        f'y2="{at[b - 1][1]:.2f}" data-type="edge" data-node-from="{a}" data-node-to="{b}"></line>'
        for a, b in info.skeleton
    )
    circles = (
        f'<circle r="1.5" cx="{x:.2f}" cy="{y:.2f}" data-type="element node" '
        f'data-element-id="{i}" data-node-id="{i}" data-label-name={quoteattr(name)}></circle>'
        for i, ((x, y), name) in enumerate(zip(at, info.keypoints, strict=True), 1)
    )
    return "".join([*lines, *circles])
