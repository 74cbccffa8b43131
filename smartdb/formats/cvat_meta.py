"""The <meta> of a CVAT file: its labels, and for a video its frames."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smartdb.formats.base import ClassInfo
from smartdb.formats.decimals import whole
from smartdb.formats.values import value_of
from smartdb.formats.xml_nodes import Node

MAX_FRAMES = 10_000_000  # of a video that claims more, those with labels are read


@dataclass(frozen=True)
class Meta:
    """What a CVAT file says about itself. ``frames`` are those of the video, by absolute number."""

    labels: Mapping[str, ClassInfo] = field(default_factory=dict)
    source: str = ""
    size: tuple[int, int] | None = None
    frames: range = range(0)

    def typed(self, label: str, name: str, text: str) -> Any:
        """An attribute's value: a bool or a number if it is declared so, else the text."""
        info = self.labels.get(label)
        kind = info.attributes.get(name, {}).get("input_type") if info else None
        if kind == "checkbox" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        value = value_of(text) if kind == "number" else text
        return value if isinstance(value, int | float) else text


def parse(node: Node) -> Meta:
    """Reads <meta>, of a task, a project or a job."""
    inner = next((n for n in node.children if n.tag in ("task", "project", "job")), node)
    declared = inner.find("labels")
    nodes = declared.all("label") if declared else []
    tops = [_label(each, nodes) for each in nodes if not each.say("parent")]
    width, height = _int(inner, "original_size/width"), _int(inner, "original_size/height")
    size = (width, height) if width and height else None
    source = node.say("source") or inner.say("source")
    return Meta({each.name: each for each in tops}, source, size, _frames(inner))


def _label(node: Node, others: list[Node]) -> ClassInfo:
    name = node.say("name")
    own = node.find("attributes")
    attributes: dict[str, Any] = {}
    for each in own.all("attribute") if own else []:
        values = [line.strip() for line in each.say("values").splitlines()]
        attributes[each.say("name")] = {
            "input_type": each.say("input_type", "text"),
            "default_value": each.say("default_value"),
            "values": [value for value in values if value],
            "mutable": each.say("mutable").lower() == "true",
        }
    points = tuple(each.say("name") for each in others if each.say("parent") == name)
    return ClassInfo(name, None, points, _edges(node.say("svg"), points), attributes)


def _edges(svg: str, points: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The edges of a skeleton's drawing, between its points counted from 1."""
    tags = re.findall(r"<\w[^>]*>", svg)
    said = [re.findall(r"""([\w-]+)=(?:"([^"]*)"|'([^']*)')""", tag) for tag in tags]
    drawn = [{name: html.unescape(a or b) for name, a, b in each} for each in said]
    places = {
        each["data-node-id"]: points.index(each["data-label-name"]) + 1
        for each in drawn
        if "data-node-id" in each and each.get("data-label-name") in points
    }
    ends = [(each.get("data-node-from"), each.get("data-node-to")) for each in drawn]
    return tuple((places[a], places[b]) for a, b in ends if a in places and b in places)


def _frames(node: Node) -> range:
    """The frames of a video: from start_frame, in steps of frame_filter, as many as size says."""
    if node.say("mode") != "interpolation" or _int(node, "size") > MAX_FRAMES:
        return range(0)
    start, size, stop = _int(node, "start_frame"), _int(node, "size"), _int(node, "stop_frame")
    step = re.search(r"step=(\d+)", node.say("frame_filter"))
    by = (whole(step[1]) or 1) if step else 1
    end = min(start + size * by, stop + 1) if stop else start + size * by
    return range(start, end, by)


def _int(node: Node, path: str) -> int:
    return whole(node.say(path)) or 0
