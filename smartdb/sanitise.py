"""Sanitising: replaces media that show or tell what their source forbids by clean copies.

The copy is another media whose parent is the original, in the managed store. It has the labels,
terms and group of the original, which stays hidden for ever: what was found is still in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import clean_copy, config, contents, images, managed, sources, stores
from smartdb.clean_copy import How, Look
from smartdb.contents import Content
from smartdb.detection import SECONDS, Progress
from smartdb.errors import SmartdbError, translated
from smartdb.images import Inspected, Refused
from smartdb.metadata import KINDS
from smartdb.runs import run
from smartdb.statements import statement
from smartdb.workers import Lost, parallel

BATCH = 50
"""Copies that are recorded in one transaction."""


@dataclass(frozen=True)
class Wish:
    """A media to be cleaned: of which findings, and of what in its pixels."""

    content: Content
    findings: tuple[int, ...]
    regions: tuple[tuple[float, ...], ...]
    how: How
    keep_profile: bool
    store: str


@dataclass(frozen=True)
class Made:
    """A clean copy: where it lies and what it holds."""

    uri: str
    inspected: Inspected


def sanitise(
    conn: psycopg.Connection[Any],
    source: str,
    *,
    how: How = "blur",
    workers: int | None = None,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Makes a clean copy of each image or frame of a source with something to be rid of.

    That are the open findings of kinds that its sources forbid, and metadata they strip. Returns
    ``cleaned``, ``changed`` (found or settled otherwise meanwhile: run again), ``unread`` (the
    bytes cannot be had or decoded) and ``left``, the media that only a person can settle: videos,
    and findings without a region. Commits each batch; a second run does only what is new. The
    connection must be of smartdb_privacy, for originals are hidden.
    """
    sources.find(conn, source)
    parameters = {"source": source, "how": how}
    tally = Counter(cleaned=0, changed=0, unread=0, left=0)
    with translated(), run(conn, "sanitise", parameters) as opened:
        copies = parallel(
            make,
            _wishes(conn, source, how, tally),
            workers=workers or config.workers(),
            seconds=seconds,
            window=2 * BATCH,
        )
        with closing(copies):
            while batch := list(islice(copies, BATCH)):
                with conn.transaction():
                    tally.update(_record(conn, *copy, opened.run_id) for copy in batch)
                if progress:
                    progress(sum(tally.values()))
        opened.counts.update(tally)
    return dict(tally)


def make(wish: Wish) -> Made | str:
    """What a worker does: the copy, stored and checked, or why there is none."""
    try:
        look, picture = _look(wish)
        copy = clean_copy.make(picture, look, regions=wish.regions, how=wish.how)
    except SmartdbError as error:
        return str(error)
    inspected = images.inspect_bytes(copy)
    if isinstance(inspected, Refused):
        return inspected.detail
    uri = managed.place(wish.store, inspected.sha256)
    stores.write_new(uri, copy)
    return Made(uri, inspected)


def _look(wish: Wish) -> tuple[Look, Any]:
    """How the copy is to be encoded, and the pixels; a frame has no file and so no metadata."""
    if wish.content.kind == "frame":
        return Look("image/jpeg"), contents.load_rgb(wish.content)
    data = contents.read_bytes(wish.content)
    look = clean_copy.look_of(data, wish.content.mime, wish.keep_profile)
    return look, images.load_rgb(data)


def _wishes(
    conn: psycopg.Connection[Any], source: str, how: How, tally: Counter[str]
) -> Iterator[Wish]:
    """The media to be cleaned, by id; each page in a transaction of its own."""
    store = managed.root()
    values = {"source": source, "metadata": list(KINDS), "n": BATCH}
    for row, content in contents.pages(conn, statement("sanitise", "todo"), values):
        _, can_be_cleaned, findings, regions, strips_all = row
        if not can_be_cleaned or content is None:
            tally["left"] += 1
            continue
        boxes = tuple(tuple(region) for region in regions)
        yield Wish(content, tuple(findings), boxes, how, not strips_all, store)


def _record(conn: psycopg.Connection[Any], wish: Wish, made: Made | str | Lost, run_id: int) -> str:
    """Writes what became of a wish; returns how it is counted."""
    if not isinstance(made, Made):
        detail = made.detail if isinstance(made, Lost) else made
        values = {"findings": list(wish.findings), "detail": Jsonb({"not_cleaned": detail})}
        conn.execute(statement("sanitise", "note"), values)
        return "unread"
    seen = made.inspected
    recipe = {
        "step": "sanitise", "how": wish.how, "regions": [list(r) for r in wish.regions],
        "margin": clean_copy.MARGIN, "findings": list(wish.findings),
    }  # fmt: skip
    values = {
        "parent": wish.content.media_id, "digest": seen.sha256, "mime": seen.mime,
        "n_bytes": seen.n_bytes, "captured_at": seen.captured_at, "phash": seen.phash,
        "exif": Jsonb(seen.exif), "attributes": Jsonb(seen.attributes),
        "quality": list(astuple(seen.quality)) if seen.quality else None,
        "recipe": Jsonb(recipe), "uri": made.uri, "findings": list(wish.findings), "run": run_id,
    }  # fmt: skip
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("sanitise", "add_derivative"), values).fetchone()
    return "cleaned" if row and row[0] is not None else "changed"
