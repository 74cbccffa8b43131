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


def drawn(sample: Sample, scale: int = 1) -> Image.Image:
    """The picture, enlarged, with boxes, outlines, masks (half transparent), points and classes."""
    from PIL import Image, ImageDraw

    size = (sample.picture.width * scale, sample.picture.height * scale)
    picture = sample.picture.resize(size, Image.Resampling.NEAREST)
    for outline in sample.outlines:
        pixels = outline.pixels
        if pixels is not None:
            tint = Image.new("RGB", picture.size, _colour(outline))
            blended = Image.blend(picture, tint, 0.45)
            where = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
            picture.paste(blended, mask=where)
    draw = ImageDraw.Draw(picture)
    width = max(2, round(min(picture.size) / 150))
    for outline in sample.outlines:
        _draw(draw, outline, width, scale)
    return picture


def _draw(draw: ImageDraw.ImageDraw, outline: Outline, width: int, scale: int) -> None:
    colour = _colour(outline)
    shape = outline.shape or {}
    for ring in _rings(outline):
        draw.line([(x * scale, y * scale) for x, y in [*ring, ring[0]]], fill=colour, width=width)
    if outline.kind == "polyline":
        line = [(p[0] * scale, p[1] * scale) for p in shape["points"]]
        draw.line(line, fill=colour, width=width)
    if outline.kind == "keypoints":
        for x, y, v in shape["points"]:
            if v:
                at = (x * scale, y * scale)
                dot = (at[0] - width, at[1] - width, at[0] + width, at[1] + width)
                draw.ellipse(dot, fill=colour)
    if outline.box:
        at = (outline.box[0] * scale + 2, outline.box[1] * scale)
        draw.text(at, str(outline.row.get("class", "")), colour)


def _rings(outline: Outline) -> list[list[list[float]]]:
    if outline.kind in ("box", "rotated_box"):
        return [outlines.points_of(outline).tolist()]
    if outline.kind == "polygon":
        return [ring for polygon in (outline.shape or {})["polygons"] for ring in polygon]
    return []


def _colour(outline: Outline) -> str:
    return COLOURS[int(np.int64(outline.row.get("class_id") or 0)) % len(COLOURS)]
