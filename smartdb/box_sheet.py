"""A sheet of suspected boxes: what was said in red, what is suggested in green, a crop of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import contents, plots
from smartdb.errors import SmartdbError
from smartdb.statements import statement

if TYPE_CHECKING:
    from PIL import Image

    from smartdb.contents import Content

Box = tuple[float, float, float, float]

SAID, SUGGESTED = "#e6194b", "#3cb44b"

_SIZE = 240


def suspected(conn: psycopg.Connection[Any], kind: str | None = None, n: int = 24) -> bytes | None:
    """The ``n`` most suspicious boxes (of a kind) as PNG; None where there is nothing to show."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        query = statement("box_issues", "sheet")
        rows = cursor.execute(query, {"kind": kind, "n": n}).fetchall()
    media_ids = sorted({row[0] for row in rows})
    found = {each.media_id: each for each in contents.find_all(conn, media_ids)}
    conn.commit()
    if not rows:
        return None
    pictures = [_drawn(found.get(i), said, other) for i, _, said, other in rows]
    return plots.contact_sheet(pictures, [row[1] for row in rows], columns=6, size=_SIZE)


def _drawn(content: Content | None, said: Box | None, other: Box | None) -> Image.Image | None:
    from PIL import ImageDraw

    try:
        picture = contents.load_rgb(content) if content else None
    except SmartdbError:
        return None
    if picture is None:
        return None
    left, top, right, bottom = _around([box for box in (said, other) if box], picture.size)
    crop = picture.crop((left, top, right, bottom))
    scale = max(1, _SIZE // max(crop.size))
    crop = crop.resize((crop.width * scale, crop.height * scale))
    draw = ImageDraw.Draw(crop)
    for box, colour in ((said, SAID), (other, SUGGESTED)):
        if box:
            x, y = (box[0] - left) * scale, (box[1] - top) * scale
            corners = (x, y, x + box[2] * scale, y + box[3] * scale)
            draw.rectangle(corners, outline=colour, width=max(2, max(crop.size) // 100))
    return crop


def _around(boxes: list[Box], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A part of the picture that shows the boxes with as much again around them."""
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    margin = max(right - left, bottom - top) / 2
    return (
        max(0, int(left - margin)),
        max(0, int(top - margin)),
        min(size[0], max(1, int(right + margin))),
        min(size[1], max(1, int(bottom + margin))),
    )
