"""What the readers of label formats give: pictures, what is said about them, and what is wrong.

A reader is a generator of `Picture`, `Annotation` and `Problem`, in the order of the file, with
memory for one picture's rows (or one file's, where the format forces it). It knows nothing of the
database. Coordinates are those of the upright image in pixels, from its upper left corner, x to
the right, edges not centres, floats as the file has them: nothing is rounded and nothing clipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "classification", "box", "rotated_box", "polygon", "mask", "polyline", "keypoints", "caption"
]

WARNINGS = ("outside", "size_differs")
"""Reasons with which a row goes in all the same; the others: comment on core.import_problem."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture (or a frame of a video) that the file names.

    ``name`` is the path as the file has it, "/" between folders; ``data`` holds the bytes where
    the format carries them. ``size`` is (width, height) as the file says. Pictures that the
    format has no labels for come too.
    """

    name: str
    where: str
    size: tuple[int, int] | None = None
    split: str | None = None
    frame_index: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What the file says about a picture, in the geometry of ``core.label``.

    ``box`` is (x, y, w, h), None for classification and caption; of a shape it is the bounding box.
    ``shape`` is as the comment on ``core.label.shape`` tells. ``where`` names file and line or id.
    ``key`` is the identity that the format itself gives it, if it does, and `importing` tells if it
    is there twice. ``track`` names the same thing over frames.
    """

    picture: str
    kind: Kind
    class_name: str
    where: str
    box: tuple[float, float, float, float] | None = None
    shape: Mapping[str, Any] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    track: str | None = None
    confidence: float | None = None
    key: str | None = None
    frame_index: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot go in (`WARNINGS`: one to look at): where, a stable code, a sentence."""

    where: str
    reason: str
    detail: str


Item = Picture | Annotation | Problem


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class as the file declares it: its super-class, and the skeleton of its keypoints.

    ``kinds`` are those of the labels that it may be used in, where that is known.
    """

    name: str
    parent: str | None = None
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
