"""CVAT XML 1.1: images with shapes and tags, and the tracks of a video.

CVAT's own marks are attributes beside those of the label: ``occluded`` if set, ``z_order`` if not
0, ``source``, ``group_id``, and ``interpolated`` for a shape of a track that is no key frame. An
attribute of the label that is named like one of them is called "attribute.occluded". An ellipse is
the rotated box around it with the attribute ``ellipse``. Where a track is outside there is no row:
the thing is not seen there. Frames between the shapes of a track get nothing; CVAT exports each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartdb.formats import cvat_meta, cvat_shapes, xml_nodes
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.cvat_meta import Meta
from smartdb.formats.cvat_shapes import SHAPES, is_set
from smartdb.formats.cvat_writer import OWN, PREFIX, write
from smartdb.formats.decimals import whole
from smartdb.formats.xml_nodes import Node

__all__ = ["KINDS", "LOST", "TITLE", "classes", "images", "is_at", "read", "write"]

TITLE = "CVAT XML"
KINDS: tuple[Kind, ...] = (
    "classification", "box", "rotated_box", "polygon", "mask", "polyline", "keypoints",
)  # fmt: skip
LOST = (
    "Confidence, captions, polygons of several rings; a rotated box comes back within 1e-9 pixels."
)


@dataclass
class _File:
    """What is known of a file while it is read."""

    where: str
    images: Path
    stills: dict[int, str]
    meta: Meta = field(default_factory=Meta)
    seen: set[str | int] = field(default_factory=set)

    def at(self, node: Node) -> str:
        return f"{self.where}:{node.line}"


def is_at(path: Path) -> bool:
    """Whether it is XML with the root <annotations>, or a folder with such files."""
    return any(_is_cvat(file) for file in _files(path)[:1])


def images(path: Path) -> Path | None:
    """The folder "images" beside the XML file, as CVAT exports it; else the file's own folder."""
    return _folder(path)


def classes(path: Path) -> list[ClassInfo]:
    """The labels of <meta>, with their attributes, and the points of skeletons."""
    found: dict[str, ClassInfo] = {}
    for file in _files(path):
        for node in xml_nodes.nodes(file, ("meta", "image", "track"), file.name):
            if isinstance(node, Node) and node.tag == "meta":
                found |= cvat_meta.parse(node).labels
            break  # it stands first
    return list(found.values())


def read(path: Path, *, images: Path | None = None, encoding: str | None = None) -> Iterator[Item]:
    """Pictures with their labels, and tracks one after another.

    A frame of a video is the picture "frame_000010.png" where ``images`` holds such, as CVAT
    exports them, else a frame of the video that <source> names. ``encoding`` overrules what the
    XML says.
    """
    folder = images or _folder(path)
    for file in _files(path):
        state = _File(file.name, folder, _stills(folder))
        for node in xml_nodes.nodes(file, ("meta", "image", "track"), file.name, encoding):
            if isinstance(node, Problem):
                yield node
            elif node.tag == "meta":
                state.meta = cvat_meta.parse(node)
                yield from _frames(state, state.meta.frames, file.name)
            elif node.tag == "image":
                yield from _image(state, node)
            else:
                yield from _track(state, node)


def _folder(path: Path) -> Path:
    folder = path if path.is_dir() else path.parent
    return folder / "images" if (folder / "images").is_dir() else folder


def _stills(folder: Path) -> dict[int, str]:
    """The pictures of frames that lie in a folder, as CVAT exports them, by frame."""
    names = sorted(file.name for file in folder.glob("frame_*.*"))
    matches = ((name, re.match(r"frame_(\d{6,})\.", name)) for name in names)
    return {int(match[1]): name for name, match in matches if match}


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.xml")) if path.is_dir() else [path]


def _is_cvat(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(4096).replace(b"\0", b"")
    return re.search(rb"<annotations[\s>]", head) is not None


def _image(state: _File, node: Node) -> Iterator[Item]:
    said = node.attributes
    name, split = said.get("name", ""), said.get("subset") or None
    if not name:
        yield Problem(state.at(node), "bad_row", f"image {said.get('id')} has no name")
        return
    if split and (state.images / split / name).is_file():
        name = f"{split}/{name}"
    if name in state.seen:
        yield Problem(state.at(node), "duplicate_id", f"image {name} is there twice")
        return
    state.seen.add(name)
    picture = Picture(name, state.at(node), _size(node), split)
    yield picture
    for child in node.children:
        yield from _label(state, child, picture, child.attributes.get("label", ""), {})


def _size(node: Node) -> tuple[int, int] | None:
    width, height = (whole(node.attributes.get(each, "")) for each in ("width", "height"))
    return (width, height) if width and height else None


def _label(
    state: _File,
    node: Node,
    picture: Picture,
    label: str,
    more: dict[str, Any],
    track: str | None = None,
) -> Iterator[Item]:
    where = state.at(node)
    if node.tag not in SHAPES and node.tag != "tag":
        yield Problem(where, "unsupported", f"a <{node.tag}> of {picture.name} is not read")
    elif not label:
        yield Problem(where, "unknown_category", f"a {node.tag} of {picture.name} has no label")
    else:
        attributes = more | _attributes(state, node, label)
        try:
            kind, box, shape = _geometry(state, node, picture, label)
        except (ValueError, OverflowError) as error:
            yield Problem(where, "bad_shape", f"in {picture.name}: {error}")
        else:
            frame = picture.frame_index
            yield Annotation(
                picture.name, kind, label, where, box, shape, attributes, track, frame_index=frame
            )


def _geometry(state: _File, node: Node, picture: Picture, label: str) -> Any:
    if node.tag == "tag":
        return "classification", None, None
    info = state.meta.labels.get(label)
    return cvat_shapes.read(node, picture.size, info.keypoints if info else ())


def _attributes(state: _File, node: Node, label: str) -> dict[str, Any]:
    said = node.attributes
    found: dict[str, Any] = {"ellipse": True} if node.tag == "ellipse" else {}
    if is_set(node, "occluded"):
        found["occluded"] = True
    if said.get("keyframe") == "0":
        found["interpolated"] = True
    for name in ("z_order", "group_id"):
        if re.fullmatch("-?[0-9]{1,9}", said.get(name, "")) and int(said[name]):
            found[name] = int(said[name])
    if said.get("source"):
        found["source"] = said["source"]
    for name, text in _texts(node).items():
        found[f"{PREFIX}{name}" if name in OWN else name] = state.meta.typed(label, name, text)
    if node.tag == "skeleton":
        inner = {each.attributes.get("label", ""): _texts(each) for each in node.all("points")}
        if any(inner.values()):
            found["points"] = {name: texts for name, texts in inner.items() if texts}
    return found


def _texts(node: Node) -> dict[str, str]:
    return {n.attributes.get("name", ""): "".join(n.content) for n in node.all("attribute")}


def _frames(state: _File, frames: Iterable[int], where: str) -> Iterator[Picture]:
    """The pictures of frames that were not there yet."""
    for frame in frames:
        if frame not in state.seen and _still(state, frame) not in state.seen:
            state.seen.add(frame)
            yield _frame(state, frame, where)


def _frame(state: _File, frame: int, where: str) -> Picture:
    size = state.meta.size
    if state.stills:
        return Picture(_still(state, frame), where, size, attributes={"frame_index": frame})
    return Picture(state.meta.source or Path(state.where).stem, where, size, frame_index=frame)


def _still(state: _File, frame: int) -> str:
    suffix = next(iter(state.stills.values()), "").rpartition(".")[2]
    return state.stills.get(frame, f"frame_{frame:06d}.{suffix}")


def _track(state: _File, track: Node) -> Iterator[Item]:
    label, name = track.attributes.get("label", ""), track.attributes.get("id", "")
    more, points = _attributes(state, track, label), track.all("track")
    for node in track.children:
        frame = _frame_of(node)
        if node.tag in ("track", "attribute"):
            continue
        if frame is None:
            yield Problem(state.at(node), "bad_row", f"a shape of track {name} has no frame")
        elif not is_set(node, "outside"):
            yield from _frames(state, [frame], state.at(node))
            picture = _frame(state, frame, state.at(node))
            yield from _label(state, _whole(node, points, frame), picture, label, more, name)


def _frame_of(node: Node) -> int | None:
    return whole(node.attributes.get("frame", ""))


def _whole(node: Node, points: list[Node], frame: int) -> Node:
    """A skeleton with the points that its track's own tracks have at a frame, or had last."""
    for each in points:
        known = [(_frame_of(n), n) for n in each.all("points")]
        before = [n for at, n in known if at is not None and at <= frame]
        if before:
            said = before[-1].attributes | {"label": each.attributes.get("label", "")}
            node.children.append(
                Node("points", before[-1].line, said, children=before[-1].children)
            )
    return node
