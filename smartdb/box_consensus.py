"""Consensus of boxes and masks: what several annotators drew, matched by overlap and merged.

Outlines of different annotators that overlap are one thing. More than half of a media's annotators
must have drawn it, with the same class; its box is the median of theirs, a mask has the pixels that
more than half of theirs have. Its confidence is the share of the annotators who drew it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import box_pairs, labels
from smartdb.errors import InvalidInput, translated
from smartdb.formats import library, masks
from smartdb.runs import run
from smartdb.statements import statement
from smartdb.turns import turn

Floats = NDArray[np.float64]
Kind = Literal["box", "mask"]

IOU = 0.5
"""Overlap from which outlines of two annotators are one thing."""


@dataclass(frozen=True)
class Outline:
    """A box in pixels, or a mask (``shape``, COCO run lengths) with its box, and who drew it."""

    annotator: int
    class_id: int
    x: float
    y: float
    w: float
    h: float
    shape: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Merged:
    """One thing that annotators agree on; ``n_agreeing`` of ``n_annotators`` drew it."""

    class_id: int
    x: float
    y: float
    w: float
    h: float
    shape: Mapping[str, Any] | None
    n_agreeing: int
    n_annotators: int


def run_consensus(
    conn: psycopg.Connection[Any], ontology: str, kind: Kind = "box", *, iou: float = IOU
) -> dict[str, Any]:
    """Writes what annotators agree on of each media that two or more drew on; it commits.

    Only what changed is closed and opened. What a reviewer called wrong is not brought back, what
    one accepted is left. Returns run_id, media, merged, added, closed, kept; without a change no
    run is written (run_id None). InvalidInput for another kind, or an overlap not in (0, 1].
    """
    if kind not in ("box", "mask") or not 0 < iou <= 1:
        raise InvalidInput(f"consensus of {kind} at IoU {iou}: say box or mask, and 0 < IoU <= 1")
    values = {"ontology": ontology, "kind": kind}
    with translated(), turn(conn, f"consensus of {kind} {ontology}"):
        drawn = _rows(conn, "agreement", "outlines", values)
        standing = _rows(conn, "box_consensus", "standing", values)
        refused = _rows(conn, "box_consensus", "refused", values)
        conn.commit()
        found = list(_merged_by_media(drawn, iou))
        gone, new, kept = _changes(found, standing, refused, iou)
        counts = {"media": len({media_id for media_id, _ in found}), "merged": len(found)}
        counts |= {"added": len(new), "closed": len(gone), "kept": kept}
        if not gone and not new:
            return {"run_id": None, **counts}
        with run(conn, "consensus", {**values, "iou": iou}) as opened:
            actor = labels.actor_id_of(conn, f"consensus: {kind}s", "import")
            conn.execute(statement("box_consensus", "close"), {"label_ids": gone})
            for media_id, each, object_id in new:
                row = {**vars(each), "media_id": media_id, "object_id": object_id, "kind": kind}
                row |= {"actor_id": actor, "run_id": opened.run_id}
                row |= {"confidence": each.n_agreeing / each.n_annotators}
                row["shape"] = None if each.shape is None else Jsonb(dict(each.shape))
                conn.execute(statement("box_consensus", "add"), row)
            opened.counts.update(counts)
    return {"run_id": opened.run_id, **counts}


def merge(outlines: Sequence[Outline], iou: float = IOU) -> list[Merged]:
    """What more than half of the annotators of a media drew, all in one class.

    Pairs are joined from the best overlap down, those of one class first; a thing has at most one
    outline of each annotator. With fewer than two annotators nothing is agreed on.
    """
    n = len({outline.annotator for outline in outlines})
    if n < 2:
        return []
    groups = (_voted(group, n) for group in clusters(outlines, iou))
    return [each for each in groups if each is not None]


def clusters(outlines: Sequence[Outline], iou: float = IOU) -> list[list[Outline]]:
    """The outlines by the thing that they show."""
    overlap = ious(outlines, outlines)
    classes = np.array([outline.class_id for outline in outlines])
    order = np.argsort(
        -(overlap + (classes[:, None] == classes[None, :])), axis=None, kind="stable"
    )
    group = {i: [i] for i in range(len(outlines))}
    for place in order.tolist():
        i, j = divmod(place, len(outlines))
        if i >= j or overlap[i, j] < iou or group[i] is group[j]:
            continue
        who = [outlines[k].annotator for k in (*group[i], *group[j])]
        if len(set(who)) == len(who):
            joined = group[i] + group[j]
            group.update(dict.fromkeys(joined, joined))
    seen = {id(members): members for members in group.values()}
    return [[outlines[i] for i in sorted(members)] for members in seen.values()]


def ious(a: Sequence[Outline], b: Sequence[Outline]) -> Floats:
    """Intersection over union of every two outlines: (len(a), len(b)) float64."""
    if not a or not b:
        return np.zeros((len(a), len(b)))
    if all(outline.shape is not None for outline in (*a, *b)):
        return _mask_ious(a, b)
    return box_pairs.iou(_boxes(a)[:, None], _boxes(b)[None])


def _mask_ious(a: Sequence[Outline], b: Sequence[Outline]) -> Floats:
    mask = library("pycocotools.mask")
    runs = [[_runs(outline.shape or {}) for outline in some] for some in (a, b)]
    result: Floats = np.asarray(mask.iou(*runs, [0] * len(b)), np.float64).reshape(len(a), len(b))
    return result


def _runs(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"size": list(shape["size"]), "counts": shape["counts"].encode("ascii")}


def _boxes(outlines: Sequence[Outline]) -> Floats:
    return np.array([(o.x, o.y, o.w, o.h) for o in outlines], np.float64)


def _voted(group: Sequence[Outline], n: int) -> Merged | None:
    """What the group shows, if more than half of n annotators say the same class of it."""
    class_id, votes = Counter(outline.class_id for outline in group).most_common(1)[0]
    if 2 * votes <= n:
        return None
    agreeing = [outline for outline in group if outline.class_id == class_id]
    if agreeing[0].shape is not None:
        return _voted_mask(agreeing, class_id, n)
    drawn = _boxes(agreeing)
    corners = np.hstack([drawn[:, :2], drawn[:, :2] + drawn[:, 2:]])
    x, y, right, bottom = np.median(corners, axis=0).tolist()
    return Merged(class_id, x, y, right - x, bottom - y, None, votes, n)


def _voted_mask(agreeing: Sequence[Outline], class_id: int, n: int) -> Merged | None:
    pixels = np.sum([masks.to_pixels(each.shape or {}) for each in agreeing], axis=0)
    most = 2 * pixels > len(agreeing)
    if not most.any():
        return None
    box, shape = masks.of_pixels(most)
    return Merged(class_id, *box, shape, len(agreeing), n)


def _merged_by_media(rows: list[tuple[Any, ...]], iou: float) -> Iterator[tuple[int, Merged]]:
    for media_id, some in groupby(rows, key=lambda row: row[0]):
        outlines = [Outline(row[1], row[3], *row[5:]) for row in some]
        yield from ((media_id, each) for each in merge(outlines, iou))


def _changes(
    found: list[tuple[int, Merged]],
    standing: list[tuple[Any, ...]],
    refused: list[tuple[Any, ...]],
    iou: float,
) -> tuple[list[int], list[tuple[int, Merged, int | None]], int]:
    """The labels to close, what to add (with the object that it goes on), and how many stay."""
    stands: dict[int, list[tuple[Any, ...]]] = {}
    for row in standing:
        stands.setdefault(row[0], []).append(row)
    bad: dict[int, list[Outline]] = {}
    for media_id, class_id, *place in refused:
        bad.setdefault(media_id, []).append(Outline(0, class_id, *place))
    gone: list[int] = []
    new: list[tuple[int, Merged, int | None]] = []
    kept = 0
    for media_id, each in found:
        here = stands.get(media_id, [])
        match = _nearest(each, here, iou)
        if match is not None and (match[3] or _is_same(each, match)):
            here.remove(match)
            kept += 1
        elif not _is_refused(each, bad.get(media_id, []), iou):
            new.append((media_id, each, match[2] if match else None))
            if match:
                here.remove(match)
                gone.append(match[1])
    gone += [row[1] for rows in stands.values() for row in rows if not row[3]]
    return gone, new, kept


def _nearest(each: Merged, here: list[tuple[Any, ...]], iou: float) -> tuple[Any, ...] | None:
    """The standing label of the class that overlaps most."""
    same = [row for row in here if row[4] == each.class_id]
    if not same:
        return None
    overlap = ious([_outline(each)], [Outline(0, row[4], *row[6:]) for row in same])[0]
    best = int(overlap.argmax())
    return same[best] if overlap[best] >= iou else None


def _is_same(each: Merged, row: tuple[Any, ...]) -> bool:
    close = np.allclose([each.x, each.y, each.w, each.h], row[6:10], rtol=0, atol=1e-6)
    is_sure = abs(each.n_agreeing / each.n_annotators - row[5]) < 1e-6
    return bool(close) and is_sure and each.shape == row[10]


def _is_refused(each: Merged, bad: list[Outline], iou: float) -> bool:
    same = [outline for outline in bad if outline.class_id == each.class_id]
    return bool(same) and bool((ious([_outline(each)], same) >= iou).any())


def _outline(each: Merged) -> Outline:
    return Outline(0, each.class_id, each.x, each.y, each.w, each.h, each.shape)


def _rows(
    conn: psycopg.Connection[Any], noun: str, name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement(noun, name), values).fetchall()
