"""Frames: chosen moments of videos as media of their own, whose pixels are decoded on demand.

Each video is decoded once in a worker process, and what is known of its frames is written in one
short transaction, together with the note that this choice of frames is done. So a run that was
killed is continued by the next, a second run reads nothing, and another choice adds only frames
that are not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import astuple, dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import choices, clips, config, contents, images, quality, videos
from smartdb.bulk import copy_rows
from smartdb.choices import Choice
from smartdb.clips import Timing
from smartdb.contents import Content
from smartdb.errors import NotFound, SmartdbError, translated
from smartdb.images import Refused
from smartdb.quality import Quality
from smartdb.runs import run
from smartdb.statements import statement
from smartdb.workers import Lost, parallel

SECONDS = 3600.0
"""A video that takes longer to decode is refused as too_slow."""

PAGE = 100

COUNTS = ("videos", "known", "refused", "added", "same")
"""What a run counts: videos decoded, done before and refused; frames added and there before."""

Progress = Callable[[int], None]

_FRAME = {
    "parent_media_id": "bigint", "frame_index": "integer", "pts": "double precision",
    "sha256": "bytea", "width": "integer", "height": "integer", "phash": "bit(64)",
    "attributes": "jsonb", "brightness": "real", "contrast": "real", "sharpness": "real",
    "entropy": "real", "colourfulness": "real",
}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """What is known of a frame; its pixels are not kept."""

    frame_index: int
    pts: float
    width: int
    height: int
    phash: str | None
    is_damaged: bool
    quality: Quality


@dataclass(frozen=True)
class Todo:
    """A video that a worker decodes, and which of its frames are wanted."""

    video: Content
    timing: Timing
    choice: Choice


def extract(
    conn: psycopg.Connection[Any],
    choice: Choice,
    *,
    source: str | None = None,
    media_ids: Iterable[int] | None = None,
    workers: int | None = None,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Makes media of the chosen frames of videos, and returns `COUNTS`. Commits each video.

    Of all videos, of those of a ``source``, or of those with ``media_ids``. A video that cannot be
    read is refused: its files go to quarantine, and the next run tries it again. ``progress`` is
    told the number of videos that are done. NotFound where there is no such source, or no video.
    """
    ids = None if media_ids is None else sorted({int(i) for i in media_ids})
    scope = {"source": source, "media_ids": ids, "recipe": Jsonb(choice.recipe)}
    n, n_known = _numbers(conn, scope)
    if not n:
        raise NotFound("there is no video" + (f" in source {source!r}" if source else ""))
    tally = Counter(dict.fromkeys(COUNTS, 0)) + Counter(known=n_known)
    parameters = {"source": source, "media_ids": ids, "recipe": choice.recipe}
    with translated(), run(conn, "frames", parameters) as opened:
        conn.execute(statement("frames", "locate"), {"media_id": None})
        conn.commit()
        todo = _todo(conn, scope, choice)
        for item, found in _decoded(todo, workers or config.workers(), seconds):
            tally += _write(conn, item, found, opened.run_id)
            conn.commit()
            if progress:
                progress(tally["videos"] + tally["refused"])
        counts = {name: tally[name] for name in COUNTS}
        opened.counts.update(counts)
    return counts


def decode(todo: Todo) -> list[Frame] | Refused:
    """What a worker does with a video; never raises for what is in it."""
    try:
        source = contents.open_video(todo.video)
        with closing(videos.numbered(source, todo.timing)) as frames:
            return [_frame(*frame) for frame in choices.choose(todo.choice, frames)]
    except NotFound as error:
        return Refused(error.reason, str(error))
    except SmartdbError as error:
        return Refused("corrupt", str(error)[:500])


def _frame(index: int, second: float, frame: Any) -> Frame:
    rgb = clips.picture(frame)
    is_damaged = bool(frame.is_corrupt)
    return Frame(index, second, *rgb.size, images.phash(rgb), is_damaged, quality.measure(rgb))


def _numbers(conn: psycopg.Connection[Any], scope: dict[str, Any]) -> tuple[int, int]:
    """How many videos there are, and to how many of them it has been done."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("frames", "count"), scope).fetchone()
    conn.commit()
    assert row is not None
    return int(row[0]), int(row[1])


def _todo(conn: psycopg.Connection[Any], scope: dict[str, Any], choice: Choice) -> Iterator[Todo]:
    """The videos to which it has not been done, page by page; no transaction stays open."""
    pages = contents.pages(conn, statement("frames", "todo"), {**scope, "limit": PAGE})
    yield from (Todo(video, timing, choice) for (_, timing), video in pages if video)


def _decoded(
    todo: Iterator[Todo], workers: int, seconds: float
) -> Iterator[tuple[Todo, list[Frame] | Refused]]:
    memory = config.worker_memory(workers)
    read = parallel(decode, todo, workers=workers, seconds=seconds, memory=memory, window=PAGE)
    with closing(read):
        for item, found in read:
            if isinstance(found, Lost):
                reason = "worker_died" if found.reason == "died" else found.reason
                yield item, Refused(reason, found.detail)
            else:
                yield item, found


def _write(
    conn: psycopg.Connection[Any], todo: Todo, found: list[Frame] | Refused, run_id: int
) -> Counter[str]:
    """Adds the frames of a video, or its refusal; does not commit."""
    values = {"media_id": todo.video.media_id, "run_id": run_id}
    if isinstance(found, Refused):
        refused = {**values, "reason": found.reason, "detail": found.detail}
        conn.execute(statement("frames", "refuse"), refused)
        return Counter(refused=1)
    recipe = Jsonb(todo.choice.recipe)
    conn.execute(statement("frames", "stage"))
    copy_rows(conn, "frame_new", _FRAME, (_row(todo.video, frame) for frame in found))
    n = conn.execute(statement("frames", "add"), {**values, "recipe": recipe}).rowcount
    done = {**values, "recipe": recipe, "n_frames": len(found)}
    for name in ("add_quality", "find_quality", "locate", "release", "done"):
        conn.execute(statement("frames", name), done)
    return Counter(videos=1, added=n, same=len(found) - n)


def _row(video: Content, frame: Frame) -> tuple[Any, ...]:
    return (
        video.media_id, frame.frame_index, frame.pts,
        videos.frame_sha256(video.sha256, frame.frame_index), frame.width, frame.height,
        frame.phash, {"is_damaged": True} if frame.is_damaged else {}, *astuple(frame.quality),
    )  # fmt: skip
