"""Overlays: pictures with their labels drawn over them, for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from smartdb import outlines
from smartdb.outlines import Outline

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from smartdb.copy_paste import Sample

COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")
"""By class, in turn."""


def drawn(sample: Sample) -> Image.Image:
    """The picture with boxes, outlines, masks (half transparent), points and the classes."""
    from PIL import Image, ImageDraw

    picture = sample.picture.copy()
    for outline in sample.outlines:
        pixels = outline.pixels
        if pixels is not None:
            tint = Image.new("RGB", picture.size, _colour(outline))
            blended = Image.blend(picture, tint, 0.45)
            picture.paste(blended, mask=Image.fromarray(pixels))
    draw = ImageDraw.Draw(picture)
    width = max(2, round(min(picture.size) / 150))
    for outline in sample.outlines:
        _draw(draw, outline, width)
    return picture


def _draw(draw: ImageDraw.ImageDraw, outline: Outline, width: int) -> None:
    colour = _colour(outline)
    shape = outline.shape or {}
    for ring in _rings(outline):
        draw.line([(x, y) for x, y in [*ring, ring[0]]], fill=colour, width=width)
    if outline.kind == "polyline":
        draw.line([(p[0], p[1]) for p in shape["points"]], fill=colour, width=width)
    if outline.kind == "keypoints":
        for x, y, v in shape["points"]:
            if v:
                draw.ellipse((x - width, y - width, x + width, y + width), fill=colour)
    if outline.box:
        draw.text((outline.box[0] + 2, outline.box[1]), str(outline.row.get("class", "")), colour)


def _rings(outline: Outline) -> list[list[list[float]]]:
    if outline.kind in ("box", "rotated_box"):
        return [outlines.points_of(outline).tolist()]
    if outline.kind == "polygon":
        return [ring for polygon in (outline.shape or {})["polygons"] for ring in polygon]
    return []


def _colour(outline: Outline) -> str:
    return COLOURS[int(np.int64(outline.row.get("class_id") or 0)) % len(COLOURS)]
