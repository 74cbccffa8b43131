"""Writes Pascal VOC: Annotations/*.xml from 1 with the last pixel included, and ImageSets/Main."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from smartdb.formats.base import Annotation, ClassInfo, Picture, Problem
from smartdb.formats.decimals import text, total
from smartdb.formats.names import leaves
from smartdb.formats.values import text_of
from smartdb.formats.xml_text import HEAD, element, is_lost, words

FLAGS = ("truncated", "occluded", "difficult")
OWN = {*FLAGS, "pose", "actions", "object", "part_of"}
ALL = "all"  # the list of those that are in no split


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """Writes a folder; a problem for each label that is no box or class, and each lost value."""
    path.mkdir(parents=True, exist_ok=True)
    problems: list[Problem] = []
    labels: dict[str, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        if _is_writable(annotation, problems):
            labels[annotation.picture].append(annotation)
    ids: dict[str, Picture] = {}
    for picture in pictures:
        if leaves(picture.name) or is_lost(picture.name):
            problems.append(Problem(picture.where, "unsafe_path", f"{picture.name!r} is no path"))
            continue
        id_ = _id(picture.name, ids)
        ids[id_] = picture
        file = path / "Annotations" / f"{id_}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_document(picture, labels[picture.name], problems), "utf-8", newline="\n")
    _write_lists(path / "ImageSets" / "Main", ids, labels)
    if classes:
        names = "".join(f"{info.name}:::\n" for info in classes)
        (path / "labelmap.txt").write_text(f"# label:color_rgb:parts:actions\n{names}", "utf-8")
    return problems


def _is_writable(annotation: Annotation, problems: list[Problem]) -> bool:
    """Whether it can be written; says what cannot."""

    def say(detail: str) -> None:
        problems.append(Problem(annotation.where, "unsupported", f"Pascal VOC has no {detail}"))

    if annotation.kind not in ("box", "classification"):
        say(f"{annotation.kind}; the label of {annotation.picture} is left out")
        return False
    name = annotation.class_name
    if is_lost(name) or (annotation.kind == "classification" and re.search(r"[/\\]|^\.\.?$", name)):
        say(f"class with a name such as {name!r}")
        return False
    lost = [n for n in ("confidence", "track", "frame_index") if getattr(annotation, n) is not None]
    if annotation.kind == "classification":
        lost += [each for each in annotation.attributes if each != "difficult"]
    for each in lost:
        say(f"place for {each} of the {annotation.kind} of {annotation.picture}")
    return True


def _id(name: str, taken: Mapping[str, Picture]) -> str:
    """A picture's id: its name without the suffix, unless another one has that."""
    short = PurePosixPath(name).with_suffix("").as_posix()
    return name if short in taken else short


def _document(picture: Picture, labels: list[Annotation], problems: list[Problem]) -> str:
    said = picture.attributes
    inside = [words("folder", said.get("folder", "")), words("filename", _file_name(picture.name))]
    for tag in ("source", "owner"):
        if tag in said:
            inside.append(element(tag, *(words(key, value) for key, value in said[tag].items())))
    if picture.size:
        width, height = picture.size
        sizes = (words("width", width), words("height", height), words("depth", 3))
        inside.append(element("size", *sizes))
    objects = _objects([label for label in labels if label.kind == "box"], problems)
    return (
        HEAD + element("annotation", *(f"\n  {line}" for line in [*inside, *objects]), "\n") + "\n"
    )


def _file_name(name: str) -> str:
    return PurePosixPath(name).name


def _objects(boxes: list[Annotation], problems: list[Problem]) -> Iterator[str]:
    """Things with their parts in them."""
    numbers = {b.attributes["object"] for b in boxes if "object" in b.attributes}
    parts: dict[Any, list[str]] = defaultdict(list)
    for box in boxes:
        if box.attributes.get("part_of") in numbers:
            parts[box.attributes["part_of"]].append(element("part", *_basics(box)))
    for box in boxes:
        parent = box.attributes.get("part_of")
        if parent is None or parent not in numbers:
            if parent is not None:
                detail = f"the thing {parent} that it is a part of is not in {box.picture}"
                problems.append(Problem(box.where, "orphan_label", detail))
            yield element(
                "object", *_basics(box), *_said(box), *parts[box.attributes.get("object")]
            )


def _basics(annotation: Annotation) -> list[str]:
    x, y, w, h = annotation.box or (0, 0, 0, 0)
    edges = {
        "xmin": total(x, 1),
        "ymin": total(y, 1),
        "xmax": total(x, w),
        "ymax": total(y, h),
    }
    box = element("bndbox", *(words(edge, text(value)) for edge, value in edges.items()))
    return [words("name", annotation.class_name), box]


def _said(annotation: Annotation) -> Iterator[str]:
    said = annotation.attributes
    yield words("pose", said.get("pose", "Unspecified"))
    for flag in FLAGS:
        value = said.get(flag, False)
        yield words(flag, int(value) if isinstance(value, bool) else text_of(value))
    if "actions" in said:
        done = said["actions"].items()
        yield element("actions", *(words(action, int(value)) for action, value in done))
    others = {key: value for key, value in said.items() if key not in OWN}
    if others:
        yield element("attributes", *(_attribute(key, value) for key, value in others.items()))


def _attribute(name: str, value: Any) -> str:
    return element("attribute", words("name", name), words("value", text_of(value)))


def _write_lists(
    folder: Path, ids: Mapping[str, Picture], labels: Mapping[str, list[Annotation]]
) -> None:
    """The list of each split, and for each class on whole pictures who has it."""
    splits: dict[str, list[str]] = defaultdict(list)
    for id_, picture in ids.items():
        splits[picture.split or ALL].append(id_)
    folder.mkdir(parents=True, exist_ok=True)
    for split, members in splits.items():
        if split != ALL:
            text = "".join(f"{_quoted(id_)}\n" for id_ in members)
            (folder / f"{split}.txt").write_text(text, "utf-8")
    for name, flags in _flags(ids, labels).items():
        for split, members in splits.items():
            lines = (f"{_quoted(id_)} {flags.get(id_, '-1')}\n" for id_ in members)
            (folder / f"{name}_{split}.txt").write_text("".join(lines), "utf-8")


def _flags(
    ids: Mapping[str, Picture], labels: Mapping[str, list[Annotation]]
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for id_, picture in ids.items():
        for label in labels[picture.name]:
            if label.kind == "classification":
                flag = "0" if label.attributes.get("difficult") else "1"
                found[label.class_name][id_] = flag
    return found


def _quoted(id_: str) -> str:
    return f'"{id_}"' if any(character.isspace() for character in id_) or "#" in id_ else id_
