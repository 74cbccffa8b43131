"""Rows of an import: what a reader gives, copied into temporary tables chunk by chunk.

What the database could not even hold (texts that are not UTF-8, NaN inside of a shape) becomes a
problem here; everything else is judged in SQL, where the media are known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import psycopg

from smartdb.bulk import copy_rows
from smartdb.formats.base import WARNINGS, Annotation, Item, Picture, Problem
from smartdb.formats.geometry import run_lengths
from smartdb.import_places import Place

CHUNK = 2000
"""Items that are in memory at once: few, as the garbage collector looks at all of them."""

CHUNK_BYTES = 64 << 20
"""A chunk is full at this many bytes of pictures, too."""

_PICTURE = {
    "place": "bigint", "name": "text", "frame_index": "integer", "said_at": "text",
    "width": "integer", "height": "integer", "uri": "text", "tail": "text", "n_parts": "integer",
    "sha256": "bytea", "problem": "text", "attributes": "bytea",
}  # fmt: skip
_LABEL = {
    "place": "bigint", "picture": "text", "frame_index": "integer", "class": "integer",
    "kind": "text", "x": "float8", "y": "float8", "w": "float8", "h": "float8",
    "shape": "bytea", "attributes": "bytea",  # sent as jsonb has it
    "track": "text", "confidence": "float8", "said_at": "text", "key": "text",
}  # fmt: skip
_PROBLEM = {"place": "text", "reason": "text", "detail": "text", "is_warning": "bool"}

Places = Callable[[Sequence[Picture]], Sequence[Place]]
"""Says where pictures lie; see `import_places`."""


def stage(conn: psycopg.Connection[Any], items: Iterable[Item], places: Places) -> dict[str, int]:
    """Copies all items and returns the class names with their numbers in ``import_label``.

    Commits each chunk, so that nothing is read from files inside of a transaction.
    """
    classes: dict[str, int] = {}
    numbered = enumerate(items)
    while chunk := _chunk(numbered):
        pictures = [(n, item) for n, item in chunk if isinstance(item, Picture)]
        problems = [item for _, item in chunk if isinstance(item, Problem)]
        found = places([picture for _, picture in pictures])
        labels = list(_labels(chunk, classes, problems))
        rows = [_picture_row(*each, problems) for each in zip(pictures, found, strict=True)]
        copy_rows(conn, "import_picture", _PICTURE, rows)
        copy_rows(conn, "import_label", _LABEL, labels)
        copy_rows(conn, "import_problem", _PROBLEM, map(_problem_row, problems))
        conn.commit()
    return classes


def _chunk(numbered: Iterator[tuple[int, Item]]) -> list[tuple[int, Item]]:
    chunk, n_bytes = [], 0
    for number, item in islice(numbered, CHUNK):
        chunk.append((number, item))
        n_bytes += len(item.data or b"") if isinstance(item, Picture) else 0
        if n_bytes > CHUNK_BYTES:
            break
    return chunk


def _picture_row(
    numbered: tuple[int, Picture], place: Place, problems: list[Problem]
) -> tuple[Any, ...]:
    number, picture = numbered
    width, height = picture.size or (None, None)
    attributes = dict(picture.attributes) | ({"split": picture.split} if picture.split else {})
    try:
        told = _json(attributes)
    except (TypeError, ValueError) as error:
        told = None
        problems.append(Problem(picture.where, "bad_row", f"its attributes: {error}"))
    return (
        number, shown(picture.name), picture.frame_index, shown(picture.where), width, height,
        place.uri, place.tail, place.n_parts, place.sha256, place.problem, told,
    )  # fmt: skip


def _labels(
    chunk: Sequence[tuple[int, Item]], classes: dict[str, int], problems: list[Problem]
) -> Iterator[list[Any]]:
    for number, item in chunk:
        if not isinstance(item, Annotation):
            continue
        try:
            if item.class_name not in classes:
                _check_name(item.class_name)
            row = _label_row(number, item)
        except (TypeError, ValueError, OverflowError) as error:
            problems.append(Problem(item.where, _reason(error), str(error)))
        else:
            row[3] = classes.setdefault(item.class_name, len(classes))
            yield row


def _label_row(number: int, item: Annotation) -> list[Any]:
    is_placed = item.kind not in ("classification", "caption")
    if is_placed and item.box is None:
        raise ValueError(f"a {item.kind} without a box")
    if item.kind not in ("classification", "box") and not item.shape:
        raise ValueError(f"a {item.kind} without a shape")
    if item.kind == "mask":
        _check_mask(item.shape or {})
    x, y, w, h = map(float, item.box) if item.box and is_placed else (None,) * 4
    confidence = None if item.confidence is None else float(item.confidence)
    return [
        number, shown(item.picture), item.frame_index, None, item.kind, x, y, w, h,
        _json(item.shape) if item.shape and item.kind != "classification" else None,
        _json(item.attributes) if item.attributes else None,
        None if item.track is None else shown(item.track), confidence, shown(item.where),
        None if item.key is None else shown(item.key),
    ]  # fmt: skip


def _check_mask(shape: Mapping[str, Any]) -> None:
    """ValueError for run lengths that do not make up the size; SQL would need a millisecond."""
    size, counts = shape.get("size"), shape.get("counts")
    if not isinstance(size, (list, tuple)) or len(size) != 2 or not isinstance(counts, str):
        raise ValueError("a mask without its size and compressed run lengths")
    runs = run_lengths(counts)
    if min(runs, default=0) < 0 or sum(runs) != size[0] * size[1]:
        raise ValueError(f"a mask without run lengths of {size[1]} x {size[0]} pixels")


def _problem_row(problem: Problem) -> tuple[Any, ...]:
    where, detail = shown(problem.where), shown(problem.detail)
    return where, problem.reason, detail, problem.reason in WARNINGS


def shown(text: str) -> str:
    """A text as Postgres can hold it: lone surrogates and NUL as an escape."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _check_name(text: str) -> None:
    if not text.strip():
        raise ValueError("its class has no name")
    if shown(text) != text:
        raise ValueError(f"its class is not UTF-8, or has a NUL character: {shown(text)}")


def _json(value: Any) -> bytes:
    """A value as binary jsonb; ValueError for NaN, or a text that Postgres cannot hold."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    if "\\u0000" in text:
        raise ValueError("a text with a NUL character")
    return b"\x01" + text.encode()


def _reason(error: Exception) -> str:
    text = str(error)
    if "JSON compliant" in text:
        return "not_a_number"
    return "bad_shape" if text.startswith("a ") and " without " in text else "bad_row"
