"""Detection: lets a detector look at the media of a source that it has not looked at yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import cache
from itertools import islice
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import config, contents, detectors, sources
from smartdb.bulk import copy_rows
from smartdb.contents import Content
from smartdb.detectors import Box, Detector
from smartdb.errors import SmartdbError, translated
from smartdb.runs import run
from smartdb.statements import statement
from smartdb.workers import Lost, parallel

BATCH = 200
"""Media whose findings are written in one transaction."""

SECONDS = 60.0
"""A picture that takes longer to read and look at is a problem."""

Progress = Callable[[int], None]
Item = tuple[str, Content]
Seen = list[Box] | str


def detect(
    conn: psycopg.Connection[Any],
    source: str,
    detector: str,
    *,
    workers: int | None = None,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Looks at the images and frames of a source, and returns the counts. Commits each batch.

    ``looked`` are the media that were looked at, ``media`` those of them with findings, ``found``
    the findings, ``problems`` the media that could not be read: these are tried again next time.
    Nothing is looked at twice by the same version of a detector, nor what a clean copy replaced. As
    smartdb_privacy it looks at hidden media too. NotFound without the source, InvalidInput without
    the detector.
    """
    ready = detectors.load(detector)
    sources.find(conn, source)
    told = {"name": ready.name, "version": ready.version, "parameters": dict(ready.parameters)}
    tally = Counter(looked=0, media=0, found=0, problems=0)
    with translated(), run(conn, "detect", {"source": source, "detector": told}) as opened:
        detector_id = _register(conn, ready)
        conn.commit()
        todo = ((detector, content) for content in _todo(conn, source, detector_id))
        seen = parallel(
            look, todo, workers=workers or config.workers(), seconds=seconds, window=2 * BATCH
        )
        with closing(seen):
            while batch := list(islice(seen, BATCH)):
                _write(conn, batch, ready, detector_id, opened.run_id)
                _count(tally, (answer for _, answer in batch))
                if progress:
                    progress(tally["looked"] + tally["problems"])
        opened.counts.update(tally)
    return dict(tally)


def look(item: Item) -> Seen:
    """What a worker does: what is found within a picture, or why it cannot be looked at."""
    import numpy as np

    name, content = item
    try:
        picture = contents.load_rgb(content)
    except SmartdbError as error:
        return str(error)
    boxes = (_within(box, picture.size) for box in _loaded(name).find(np.asarray(picture)))
    return [box for box in boxes if box.w > 0 and box.h > 0]


@cache
def _loaded(name: str) -> Detector:
    return detectors.load(name)


def _within(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that lies in the picture."""
    left, top = max(0.0, box.x), max(0.0, box.y)
    right, bottom = min(float(size[0]), box.x + box.w), min(float(size[1]), box.y + box.h)
    return Box(box.score, left, top, right - left, bottom - top)


def _register(conn: psycopg.Connection[Any], detector: Detector) -> int:
    values = {
        "name": detector.name,
        "version": detector.version,
        "parameters": Jsonb(dict(detector.parameters)),
    }
    with conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement("detection", "register"), values)
        row = cursor.execute(statement("detection", "find"), values).fetchone()
    assert row is not None
    return int(row[0])


def _todo(conn: psycopg.Connection[Any], source: str, detector_id: int) -> Iterator[Content]:
    """The media that are to be looked at, by id; each page in a transaction of its own."""
    values = {"source": source, "detector_id": detector_id, "n": BATCH}
    pages = contents.pages(conn, statement("detection", "todo"), values)
    yield from (content for _, content in pages if content)


def _write(
    conn: psycopg.Connection[Any],
    batch: list[tuple[Item, Seen | Lost]],
    detector: Detector,
    detector_id: int,
    run_id: int,
) -> None:
    told = {
        "detector": detector.name,
        "version": detector.version,
        "parameters": dict(detector.parameters),
    }
    values = {
        "detector_id": detector_id, "run_id": run_id, "kind": detector.kind, "detail": Jsonb(told),
    }  # fmt: skip
    with conn.transaction():
        conn.execute(statement("detection", "stage"))
        copy_rows(conn, "detect_seen", {"media_id": "bigint", "problem": "text"}, _seen(batch))
        columns = {"media_id": "bigint", "score": "real", "region": "real[]"}
        copy_rows(conn, "detect_found", columns, _found(batch))
        for name in ("add_seen", "add_found"):
            conn.execute(statement("detection", name), values)


def _seen(batch: Iterable[tuple[Item, Seen | Lost]]) -> Iterator[tuple[int, str | None]]:
    for (_, content), answer in batch:
        problem = answer.detail if isinstance(answer, Lost) else answer
        yield content.media_id, problem if isinstance(problem, str) else None


def _found(batch: Iterable[tuple[Item, Seen | Lost]]) -> Iterator[tuple[int, float, list[float]]]:
    for (_, content), answer in batch:
        if isinstance(answer, list):
            for box in answer:
                yield content.media_id, box.score, [box.x, box.y, box.w, box.h]


def _count(tally: Counter[str], answers: Iterable[Seen | Lost]) -> None:
    for answer in answers:
        if isinstance(answer, list):
            tally.update(looked=1, media=bool(answer), found=len(answer))
        else:
            tally["problems"] += 1
