"""Augmentation: a picture and its labels through the steps of a recipe, replayed by a seed.

Points (corners of boxes, vertices of outlines, keypoints) go through torchvision as boxes without
area, which it moves in continuous coordinates like ours; masks go through as masks. After each step
what left the picture is dropped and what was cut is clipped. The random numbers are torch's and, of
CopyPaste, NumPy's; the state of torch is put back afterwards. Call it in one thread at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from smartdb import outlines
from smartdb.copy_paste import CopyPaste, Sample
from smartdb.errors import InvalidInput
from smartdb.outlines import Outline

if TYPE_CHECKING:
    from PIL import Image

    from smartdb.recipes import Step


def apply(
    sample: Sample, steps: Sequence[Step], seed: int, donors: Sequence[Sample] = ()
) -> Sample:
    """The picture (RGB) and its labels after the steps; the same seed gives the same again.

    Classifications and captions stay as they are. ``donors`` are what CopyPaste cuts out of.
    InvalidInput if a step cannot be done with this picture, such as a crop that is larger.
    """
    import torch

    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for step in steps:
            if isinstance(step, CopyPaste):
                sample = step.paste(sample, donors, rng)
                continue
            try:
                sample = _through(step, sample)
            except (ValueError, TypeError, RuntimeError) as error:
                name, size = type(step).__name__, sample.picture.size
                raise InvalidInput(
                    f"{name} cannot be done with a picture of {size[0]} x {size[1]}: {error}"
                ) from error
    return sample


def picture_only(picture: Image.Image, steps: Sequence[Step], seed: int) -> Image.Image:
    """The picture after the steps, as a training loader wants it."""
    return apply(Sample(picture, ()), steps, seed).picture


def seed_of(seed: int, sha256: bytes, number: int) -> int:
    """The seed of one variant of one content: the same in every database."""
    digest = hashlib.sha256(b"%d %s %d" % (seed, sha256, number)).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _through(step: Any, sample: Sample) -> Sample:
    """One step of torchvision."""
    import torch
    from PIL import Image
    from torchvision import tv_tensors

    width, height = sample.picture.size
    points = [outlines.points_of(each) for each in sample.outlines]
    pixels = [each.pixels for each in sample.outlines]
    corners = np.array([[0, 0], [width, 0], [0, height]], np.float64)
    at = np.concatenate([corners, *points])
    boxes = torch.from_numpy(np.concatenate([at, at], axis=1)).float()
    given: dict[str, Any] = {
        "image": tv_tensors.Image(torch.from_numpy(np.array(sample.picture)).permute(2, 0, 1)),
        "points": tv_tensors.BoundingBoxes(
            boxes, format="XYXY", canvas_size=(height, width), clamping_mode=None
        ),
    }
    planes = [plane for plane in pixels if plane is not None]
    if planes:
        given["masks"] = tv_tensors.Mask(torch.from_numpy(np.stack(planes)).to(torch.uint8))
    got = step(given)
    rgb = np.ascontiguousarray(got["image"].permute(1, 2, 0).numpy())
    picture = Image.fromarray(rgb)
    new = got["points"].double().numpy()
    new = (new[:, :2] + new[:, 2:]) / 2
    (ax, ay), (bx, by), (cx, cy) = new[:3]
    is_mirrored = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) < 0
    moved_masks = iter(got["masks"].numpy().astype(np.bool_) if planes else ())
    found: list[Outline | None] = []
    start = 3
    for each, some, plane in zip(sample.outlines, points, pixels, strict=True):
        if plane is not None:
            found.append(outlines.of_mask(each, next(moved_masks)))
        elif len(some):
            there = new[start : start + len(some)]
            found.append(outlines.moved(each, there, picture.size, bool(is_mirrored)))
        else:
            found.append(each)
        start += len(some)
    return replace(sample, picture=picture, outlines=tuple(o for o in found if o is not None))
