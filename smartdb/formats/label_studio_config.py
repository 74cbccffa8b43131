"""The labelling configuration of a Label Studio project: what each control says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartdb.errors import InvalidInput
from smartdb.formats.base import Problem
from smartdb.formats.xml_nodes import Node, nodes
from smartdb.formats.xml_text import element


@dataclass(frozen=True)
class Config:
    """By name the tag of each control and what it is about; the labels, and the picture's field."""

    controls: dict[str, str]
    labels: list[str]
    image_key: str | None
    targets: dict[str, str] = field(default_factory=dict)


def find(path: Path) -> Path | None:
    """The configuration beside a JSON file: of the same name with .xml, or label_config.xml."""
    near = [path.with_suffix(".xml"), path.parent / "label_config.xml"]
    return next((file for file in near if file != path and _is_config(file)), None)


def read(file: Path | None) -> Config:
    """Reads a configuration; None gives an empty one, InvalidInput says that it is broken."""
    found = Config({}, [], None)
    if file is None:
        return found
    image_key = None
    for top in nodes(file, ("View",), file.name):
        if isinstance(top, Problem):
            raise InvalidInput(f"the labelling configuration {top.where}: {top.detail}")
        for node in _all(top):
            said = node.attributes
            if node.tag == "Image":
                image_key = re.sub(r"^\$|\[.*", "", said.get("value", "").strip()) or None
            elif "toName" in said and "name" in said:
                found.controls[said["name"]] = node.tag
                found.targets[said["name"]] = said["toName"]
            elif node.tag in ("Label", "Choice") and said.get("value"):
                found.labels.append(said["value"])
    labels = list(dict.fromkeys(found.labels))
    return Config(found.controls, labels, image_key, found.targets)


def write(file: Path, controls: dict[str, tuple[str, list[str]]]) -> None:
    """Writes a configuration: by the name of a control its tag and its labels."""
    inside = [element("Image", name="image", value="$image")]
    for name, (tag, labels) in controls.items():
        inner = "Choice" if tag == "Choices" else "Label"
        more: dict[str, Any] = {"choice": "multiple"} if tag == "Choices" else {}
        options = (element(inner, value=label) for label in labels)
        inside.append(element(tag, *options, name=name, toName="image", **more))
    text = element("View", *(f"\n  {line}" for line in inside), "\n")
    file.write_text(f"{text}\n", "utf-8", newline="\n")


def _is_config(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return b"<View" in opened.read(4096)


def _all(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _all(child)
