"""Rows of an export: the staged media with what is said of them, as pictures and annotations."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import psycopg
from psycopg.rows import tuple_row

from smartdb import contents
from smartdb.contents import Content
from smartdb.errors import NotFound, translated
from smartdb.export_plan import Plan
from smartdb.extensions import ENDINGS
from smartdb.formats.base import Annotation, Picture
from smartdb.statements import statement

PAGE = 500

_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|#%]')


@dataclass(frozen=True, slots=True)
class Sample:
    """A media of an export: its file's name, which no other has, and its labels.

    ``class_name`` is the class it counts as, of those of the whole picture the latest.
    """

    content: Content
    split: str
    name: str
    n_bytes: int
    labels: tuple[Annotation, ...]
    class_name: str | None

    def picture(self, name: str, data: bytes | None = None) -> Picture:
        """The picture as formats have it, under a name."""
        size = (self.content.width, self.content.height)
        return Picture(name, f"media {self.content.media_id}", size, self.split, data=data)


def samples(
    conn: psycopg.Connection[Any],
    plan: Plan,
    first: int,
    last: int,
    name_of: Callable[[str, str], str],
) -> Iterator[Sample]:
    """The media from one place to another, in order, page by page, no transaction left open.

    ``name_of(split, name)`` is what the format calls a picture. NotFound if one was hidden or
    erased since the export was planned.
    """
    after = first - 1
    while after < last:
        values = {"after": after, "upto": last, "n": PAGE}
        rows = _rows(conn, "page", values)
        ids = [row[0] for row in rows]
        found = {each.media_id: each for each in contents.find_all(conn, ids)}
        said = _labels(conn, plan, ids)
        conn.commit()
        for media_id, _, split, n_bytes, name, is_shared in rows:
            if media_id not in found:
                raise NotFound(
                    f"media {media_id} was hidden or erased while it was exported; run it again "
                    "into an empty place"
                )
            content = found[media_id]
            called = _name(content, name, is_shared)
            labels, class_name = _said(said[media_id], name_of(split, called), boxes=plan.boxes)
            yield Sample(content, split, called, n_bytes, labels, class_name)
        after = rows[-1][1]


def ending_of(content: Content) -> str:
    """The ending of the file of a picture; a frame is written as PNG."""
    if content.kind == "frame":
        return ".png"
    return ENDINGS.get(content.mime, "").partition(" ")[0]


def _name(content: Content, name: str, is_shared: bool) -> str:
    """The name that the file has where it lies, made unique, or that of its content."""
    digest = content.sha256.hex()
    if not name:
        return digest + ending_of(content)
    plain = os.fsdecode(unquote_to_bytes(name.replace("#frame=", "_frame_")))
    stem, dot, ending = plain.rpartition(".")
    if content.kind == "frame":
        stem, ending = plain.replace(".", "_"), "png"
    elif not dot:
        stem, ending = plain, ending_of(content)[1:]
    clean = _UNFIT.sub("_", stem).strip(". ").encode("utf-8", "replace").decode()
    if is_shared or clean != stem or not clean:
        clean = f"{clean[:100]}_{digest[:16]}"
    return f"{clean}.{_UNFIT.sub('_', ending)}" if ending else clean


def _labels(
    conn: psycopg.Connection[Any], plan: Plan, media_ids: list[int]
) -> dict[int, list[tuple[Any, ...]]]:
    values = {
        "revision": plan.version.revision, "media_ids": media_ids,
        "origins": list(plan.origins), "ontology_id": plan.ontology_id,
    }  # fmt: skip
    found = defaultdict(list)
    for media_id, *row in _rows(conn, "labels", values):
        found[media_id].append(tuple(row))
    return found


def _said(
    rows: list[tuple[Any, ...]], picture: str, *, boxes: bool
) -> tuple[tuple[Annotation, ...], str | None]:
    labels, classes = [], []
    for name, kind, x, y, w, h, shape, attributes, track, confidence, label_id, rev in rows:
        box = None if x is None else (x, y, w, h)
        if boxes and box and w and h:
            kind, shape = "box", None
        labels.append(Annotation(
            picture, kind, name, f"label {label_id}", box, shape, attributes or {},
            None if track is None else str(track), confidence,
        ))  # fmt: skip
        if kind == "classification":
            classes.append((rev, name))
    return tuple(labels), max(classes)[1] if classes else None


def _rows(conn: psycopg.Connection[Any], name: str, values: Any) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("exports", name), values).fetchall()
