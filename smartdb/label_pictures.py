"""A picture with all that is said of it, for people to look at: every kind of label is drawn."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import psycopg

from smartdb import contents, label_edits, overlays
from smartdb.copy_paste import Sample
from smartdb.errors import NotFound
from smartdb.outlines import Outline

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

WIDTH = 640
"""Smaller pictures are enlarged to about this, so that lines and words can be told apart."""


def png(conn: psycopg.Connection[Any], media_id: int) -> bytes:
    """The picture with its live labels as PNG. Commits before it reads the picture.

    NotFound for no such media, or one without pixels to be had.
    """
    labels = label_edits.labels_of(conn, media_id)
    found = contents.find_all(conn, [media_id])
    conn.commit()
    if not found:
        raise NotFound(f"the pixels of media {media_id} cannot be had")
    out = io.BytesIO()
    drawn(contents.load_rgb(found[0]), labels).save(out, "PNG")
    return out.getvalue()


def drawn(picture: Image.Image, labels: list[dict[str, Any]]) -> Image.Image:
    """The picture with shapes, then relations as lines between their ends, then words.

    A label object is drawn as `label_edits.labels_of` gives it. What is said of the whole picture
    (classes, captions) stands in its upper left corner.
    """
    from PIL import ImageDraw

    scale = max(1, WIDTH // max(picture.size))
    placed = [each for each in labels if "x" in each]
    outlines = tuple(_outline(each) for each in placed)
    shown = overlays.drawn(Sample(picture, outlines), scale)
    draw = ImageDraw.Draw(shown)
    centres = {each["object_id"]: _centre(each, scale) for each in placed}
    for each in labels:
        if each["kind"] == "relation":
            _relation(draw, each, centres)
    whole = [_words(each) for each in labels if each["kind"] in ("classification", "caption")]
    for line, words in enumerate(whole):
        _tell(draw, (4, 4 + 14 * line), words)
    return shown


def _outline(label: dict[str, Any]) -> Outline:
    box = (label["x"], label["y"], label["w"], label["h"])
    row = {"class": label["class"], "class_id": sum(label["class"].encode())}
    return Outline(label["kind"], box, label.get("shape"), (), row)


def _centre(label: dict[str, Any], scale: int) -> tuple[float, float]:
    return (label["x"] + label["w"] / 2) * scale, (label["y"] + label["h"] / 2) * scale


def _relation(
    draw: ImageDraw.ImageDraw, label: dict[str, Any], centres: dict[int, tuple[float, float]]
) -> None:
    """A line with a dot at its target; one whose end is not in this picture is not drawn."""
    ends = [centres.get(label[each]) for each in ("subject_id", "target_id")]
    if ends[0] is None or ends[1] is None:
        return
    draw.line([ends[0], ends[1]], fill="black", width=4)
    draw.line([ends[0], ends[1]], fill="yellow", width=2)
    (a, b), (x, y) = ends[0], ends[1]
    draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill="yellow", outline="black")
    _tell(draw, ((a + x) / 2, (b + y) / 2), label["class"])


def _words(label: dict[str, Any]) -> str:
    text = label.get("shape", {}).get("text")
    return f"{label['class']}: {text}" if text else f"{label['class']} ({label['actor']})"


def _tell(draw: ImageDraw.ImageDraw, at: tuple[float, float], words: str) -> None:
    words = words.encode("latin-1", "replace").decode("latin-1")  # what the built-in font has
    draw.rectangle(draw.textbbox(at, words), fill="black")
    draw.text(at, words, fill="white")
