"""Crops: parts of pictures, cut out around the bounding boxes of labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from smartdb import contents
from smartdb.contents import Content
from smartdb.errors import InvalidInput

if TYPE_CHECKING:
    from PIL import Image

Box = Sequence[float]

MARGIN = 0.1
"""A region is widened by this share of its width and height on each side, for some context."""


def crop(picture: Image.Image, box: Box, margin: float = MARGIN) -> Image.Image:
    """The part of a picture in a box (x, y, w, h), widened by its margin, within the picture.

    Pixels that the box only touches belong to it. InvalidInput if it lies outside, or has no area.
    """
    x, y, w, h = box
    left, top = max(0, int(x - margin * w)), max(0, int(y - margin * h))
    right = min(picture.width, math.ceil(x + w + margin * w))
    bottom = min(picture.height, math.ceil(y + h + margin * h))
    is_inside = x < picture.width and y < picture.height and x + w > 0 and y + h > 0
    if not (is_inside and w > 0 and h > 0):
        raise InvalidInput(
            f"the box {list(box)} has nothing of a picture of {picture.width} x {picture.height}; "
            "give x, y, width, height in its pixels"
        )
    return picture.crop((left, top, right, bottom))


@dataclass
class Shared:
    """A picture that is decoded for the first of its regions and let go after the last."""

    content: Content
    n_left: int
    _lock: Lock = field(default_factory=Lock)
    _picture: Image.Image | None = None
    _error: Exception | None = None

    def take(self) -> Image.Image:
        """The picture, for one region; raises what reading it raised, for each."""
        with self._lock:
            self._read()
            picture = self._picture
            self.n_left -= 1
            if not self.n_left:
                self._picture = None
        if picture is None:
            assert self._error is not None
            raise self._error
        return picture

    def _read(self) -> None:
        if self._picture is None and self._error is None:
            try:
                self._picture = contents.load_rgb(self.content)
            except Exception as error:  # decoders raise anything for broken files
                self._error = error


@dataclass(frozen=True)
class Region:
    """A region that is to be cut out of a picture it shares with others."""

    label_id: int
    box: Box
    margin: float
    shared: Shared

    def load(self) -> Image.Image:
        """Its pixels."""
        return crop(self.shared.take(), self.box, self.margin)
