"""Copy-paste: objects of other pictures pasted into one, after Ghiasi et al. (CVPR 2021).

Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation: objects are cut
out by their masks (of a box: its rectangle), the donor is scaled at random, and what they cover is
taken from the masks and boxes of the picture; what is covered wholly is dropped. No blending: the
paper found that it does not help.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from smartdb import outlines
from smartdb.formats.geometry import Box
from smartdb.outlines import Outline

if TYPE_CHECKING:
    from PIL import Image

PASTED = ("mask", "polygon", "box", "rotated_box")
"""Kinds of label whose objects can be cut out."""


@dataclass(frozen=True)
class Sample:
    """A picture (RGB) with its labels."""

    picture: Image.Image
    outlines: tuple[Outline, ...]


@dataclass(frozen=True)
class CopyPaste:
    """A step that pastes up to ``n`` objects, each scaled by a factor of ``scale``.

    ``p`` is how often it is done at all. An object that would be larger than the picture is made to
    fit. Outlines become masks where something is pasted over them.
    """

    n: int = 3
    scale: Sequence[float] = (0.5, 1.5)
    p: float = 1.0

    def __post_init__(self) -> None:
        if type(self.n) is not int or self.n < 1:
            raise ValueError(f"n must be a whole number from 1, not {self.n!r}")
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale must be two factors above 0, not {self.scale!r}")
        if not 0 <= self.p <= 1:
            raise ValueError(f"p must be 0 to 1, not {self.p!r}")

    def paste(self, sample: Sample, donors: Sequence[Sample], rng: np.random.Generator) -> Sample:
        """The picture with objects of the donors, and all labels as they are seen now."""
        found = [(d, o) for d in donors for o in d.outlines if o.kind in PASTED]
        if not found or rng.random() >= self.p:
            return sample
        n = int(rng.integers(1, self.n + 1))
        for at in rng.permutation(len(found))[:n]:
            donor, outline = found[at]
            sample = self._one(sample, donor, outline, rng)
        return sample

    def _one(
        self, sample: Sample, donor: Sample, outline: Outline, rng: np.random.Generator
    ) -> Sample:
        cut = _cut(donor, outline)
        if cut is None:
            return sample
        picture, shape = _scaled(
            *cut, sample.picture.size, rng.uniform(self.scale[0], self.scale[1])
        )
        width, height = sample.picture.size
        left = int(rng.integers(0, width - picture.width + 1))
        top = int(rng.integers(0, height - picture.height + 1))
        covered = np.zeros((height, width), np.bool_)
        covered[top : top + picture.height, left : left + picture.width] = shape
        rgb = np.array(sample.picture)
        there = (slice(top, top + picture.height), slice(left, left + picture.width))
        rgb[there][shape] = np.asarray(picture)[shape]
        kept = [_behind(each, covered) for each in sample.outlines]
        new = _placed(outline, covered, (left, top, picture.width, picture.height))
        made = tuple(each for each in [*kept, new] if each is not None)
        from PIL import Image

        return Sample(Image.fromarray(rgb), made)


def _cut(donor: Sample, outline: Outline) -> tuple[Image.Image, NDArray[np.bool_]] | None:
    """The part of the donor around an object, and which of its pixels are the object's."""
    pixels = outlines.filled(outline, donor.picture.size)
    if not pixels.any():
        return None
    (ys, xs) = np.nonzero(pixels)
    box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    return donor.picture.crop(box), pixels[box[1] : box[3], box[0] : box[2]]


def _scaled(
    picture: Image.Image, shape: NDArray[np.bool_], size: tuple[int, int], factor: float
) -> tuple[Image.Image, NDArray[np.bool_]]:
    from PIL import Image

    factor = min(factor, size[0] / picture.width, size[1] / picture.height)
    new = (
        min(size[0], max(1, round(picture.width * factor))),
        min(size[1], max(1, round(picture.height * factor))),
    )
    mask = Image.fromarray(shape).resize(new, Image.Resampling.NEAREST)
    return picture.resize(new, Image.Resampling.BILINEAR), np.asarray(mask, dtype=np.bool_)


def _behind(outline: Outline, covered: NDArray[np.bool_]) -> Outline | None:
    """A label after something was pasted over it; None if nothing of it is seen any more."""
    height, width = covered.shape
    if outline.kind == "keypoints":
        return _hidden_points(outline, covered)
    if outline.kind not in PASTED:
        return outline
    pixels = outlines.filled(outline, (width, height))
    if not (pixels & covered).any():
        return outline
    seen = pixels & ~covered
    if not seen.any():
        return None
    if outline.kind in ("mask", "polygon"):
        return outlines.of_mask(outline, seen)
    if outline.kind == "box" and outline.box:
        return replace(outline, box=_within(outline.box, seen))
    return outline


def _within(box: Box, seen: NDArray[np.bool_]) -> Box:
    """The part of a box around the pixels that are seen, to the pixel."""
    ys, xs = np.nonzero(seen)
    x0, y0 = max(box[0], float(xs.min())), max(box[1], float(ys.min()))
    x1 = min(box[0] + box[2], float(xs.max() + 1))
    y1 = min(box[1] + box[3], float(ys.max() + 1))
    return x0, y0, x1 - x0, y1 - y0


def _hidden_points(outline: Outline, covered: NDArray[np.bool_]) -> Outline:
    """Keypoints that are covered are labelled but not visible (1), as COCO says it."""
    height, width = covered.shape
    points = [
        [x, y, 1 if v and covered[min(height - 1, int(y)), min(width - 1, int(x))] else v]
        for x, y, v in (outline.shape or {})["points"]
    ]
    shape: dict[str, Any] = {**(outline.shape or {}), "points": points}
    return replace(outline, shape=shape)


def _placed(outline: Outline, covered: NDArray[np.bool_], box: tuple[int, ...]) -> Outline | None:
    """The label of what was pasted: a mask, or the box it was cut out with."""
    if outline.kind in ("mask", "polygon"):
        return outlines.of_mask(outline, covered)
    x, y, w, h = (float(value) for value in box)
    return replace(outline, kind="box", box=(x, y, w, h), shape=None)
