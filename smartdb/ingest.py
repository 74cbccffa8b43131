"""Ingest: from a folder of pictures and videos to rows.

The listing goes in batches through one select, which leaves the files that are new or changed.
Workers read those. Each batch of results is written and committed in one short transaction, so a
run that was killed is continued by the next, and nothing is read inside a transaction.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import astuple, dataclass
from functools import partial
from itertools import chain, islice, tee
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import config, contents, images, listings, managed, sources, stores, video_types, walk
from smartdb.bulk import copy_rows
from smartdb.errors import InvalidInput, translated
from smartdb.extensions import extension_of, wrong_extension
from smartdb.images import Inspected, Refused
from smartdb.runs import run
from smartdb.statements import statement
from smartdb.walk import Found
from smartdb.workers import Lost, parallel

BATCH_FILES = 1000
BATCH_BYTES = 256 << 20
"""A batch, which is one transaction, is full at this many files or bytes, whichever comes first."""

SECONDS = 60.0
"""An image that takes longer to read and decode is refused as too_slow."""

SECONDS_PER_MB = 5.0
"""So much longer a video may take for each megabyte it has: all its frames are decoded."""

STORE_SECONDS = 120.0
"""The same in a store, which repeats requests that fail."""

STORE_READERS = 4
"""Processes a core that read from a store, for they mostly wait."""

DONE = ("added", "known", "same_bytes", "changed", "refused")
COUNTS = (*DONE, "skipped", "read", "missing", "moved")
"""What a run counts: how each listed file ended, files that are no images, files opened, and known
files that are gone."""

Progress = Callable[[int], None]
Outcome = tuple[Found, str, Inspected | Refused]

_IMAGE = {
    "uri": "text", "n_bytes": "bigint", "modified_at": "timestamptz", "etag": "text",
    "sha256": "bytea", "mime": "text", "width": "integer", "height": "integer",
    "captured_at": "timestamptz", "phash": "bit(64)", "exif": "jsonb", "attributes": "jsonb",
    "gps": "jsonb",
    "brightness": "real", "contrast": "real", "sharpness": "real", "entropy": "real",
    "colourfulness": "real", "kind": "text", "duration": "double precision",
    "fps": "double precision", "n_frames": "integer", "wrong_extension": "text",
    "personal": "jsonb",
}  # fmt: skip
_AS = {"changed": "changed", "unkept": "known"}
_NO_QUALITY = (None,) * 5
_REFUSED = {
    "uri": "text", "reason": "text", "detail": "text", "n_bytes": "bigint",
    "modified_at": "timestamptz",
}  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What a run writes under, and how it reads; ``workers`` None is one a core."""

    run_id: int
    source_id: int
    workers: int | None
    seconds: float
    progress: Progress | None
    store: str | None = None
    """The managed store that good files are copied into, if they are."""


def ingest(
    conn: psycopg.Connection[Any],
    folder: bytes | str | Path,
    *,
    source: str | None = None,
    licence: str | None = None,
    manage: bool = False,
    workers: int | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Records the images and videos below ``folder`` and returns the counts of the run.

    Commits each batch.

    ``folder`` is a folder, or the URI of a place in a store, such as s3://bucket/photos. With
    ``manage`` each good file is also copied into the managed store (see `smartdb.managed`).

    Of the files listed, ``added`` brought a new content, ``same_bytes`` one that is known,
    ``changed`` are known files that were read again, ``known`` those that were not; ``refused`` are
    in quarantine. ``skipped`` are other files, ``read`` those that were opened: 0 in a second run.
    ``missing`` are known files that are no longer there, ``moved`` those of them whose bytes lie
    elsewhere now; they stay media, and their places are marked until they are back.

    ``source`` is the name of the source, the folder's by default; the source must hold the folder.
    A file that takes longer than ``seconds`` (60, in a store 120) is refused. ``progress`` is told
    the number of files that are done. InvalidInput or NothingToDo for a folder that holds no
    images (and never did), Conflict if the source of that name lies elsewhere.
    """
    uri = stores.root_of(folder)
    name = source or stores.name_of(uri)
    tally = new_tally()
    listing = stores.listing(uri, tally)
    first = next(listing, None)
    if first is None and not listings.is_known(conn, name, uri):
        raise walk.nothing_found(os.fsencode(contents.shown(uri)), tally)
    local = stores.is_local(uri)
    seconds = seconds or (SECONDS if local else STORE_SECONDS)
    workers = workers or (config.workers() if local else STORE_READERS * config.workers())
    store = managed.root() if manage else None
    parameters = {"folder": uri, "source": name, "licence": licence, "seconds": seconds}
    parameters |= {"store": store} if store else {}
    with run(conn, "ingest", parameters) as opened:
        source_id = sources.register(conn, name, uri, licence)
        conn.commit()
        job = Job(opened.run_id, source_id, workers, seconds, progress, store)
        listings.begin(conn)
        files = chain([first] if first else [], listing)
        record(conn, _unread(conn, files, job, tally), job, tally)
        tally.update(listings.finish(conn, source_id, opened.run_id, uri))
        opened.counts.update(tally)
    return dict(tally)


def has_new(conn: psycopg.Connection[Any], source: str) -> bool:
    """Whether a source has files that an ingest would read; lists until the first one is met.

    False, too, where the source cannot be listed at the moment.
    """
    source_id, uri = sources.find(conn, source)
    conn.commit()
    tally = new_tally()
    job = Job(0, source_id, None, SECONDS, None)
    listings.begin(conn)
    try:
        return any(True for _ in _unread(conn, stores.listing(uri, tally), job, tally))
    except InvalidInput:
        return False


def record(
    conn: psycopg.Connection[Any],
    todo: Iterable[tuple[Found, str]],
    job: Job,
    tally: Counter[str],
) -> None:
    """Reads the files of ``todo``, each with its state (new, changed, refused), and records them.

    Commits each batch and counts it in ``tally``.
    """
    files, states = tee(todo)
    workers = job.workers or config.workers()
    read = parallel(
        partial(managed.inspect_and_keep, job.store) if job.store else images.inspect_found,
        (found for found, _ in files),
        workers=workers,
        seconds=partial(_limit, job.seconds),
        memory=config.worker_memory(workers),
        window=2 * BATCH_FILES,
    )
    with translated(), closing(read):
        outcomes = ((f, state, _outcome(r)) for (f, r), (_, state) in zip(read, states))
        for batch in (_without_erased(conn, each, job) for each in _batches(outcomes)):
            _count(tally, batch, _write(conn, batch, job))
            _tell(job, tally)


def _limit(seconds: float, found: Found) -> float:
    """How long a file may take."""
    is_video = extension_of(found.uri).encode() in video_types.EXTENSIONS
    return seconds + SECONDS_PER_MB * (found.n_bytes or 0) / 1e6 if is_video else seconds


def new_tally() -> Counter[str]:
    """All counts at 0."""
    return Counter(dict.fromkeys(COUNTS, 0))


def _tell(job: Job, tally: Mapping[str, int]) -> None:
    if job.progress:
        job.progress(sum(tally[name] for name in DONE))


def _outcome(result: Inspected | Refused | Lost) -> Inspected | Refused:
    if not isinstance(result, Lost):
        return result
    return Refused("worker_died" if result.reason == "died" else result.reason, result.detail)


def _unread(
    conn: psycopg.Connection[Any], listing: Iterator[Found], job: Job, tally: Counter[str]
) -> Iterator[tuple[Found, str]]:
    """The files that must be read, with their state; the others are counted."""
    while page := list(islice(listing, listings.PAGE)):
        states = listings.states(conn, job.source_id, page, manage=job.store is not None)
        for found, state in zip(page, states, strict=True):
            if state in ("known", "refused"):
                tally[state] += 1
            else:
                yield found, state
        _tell(job, tally)


def _batches(outcomes: Iterable[Outcome]) -> Iterator[list[Outcome]]:
    batch: list[Outcome] = []
    size = 0
    for outcome in outcomes:
        batch.append(outcome)
        size += outcome[0].n_bytes or 0
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _without_erased(conn: psycopg.Connection[Any], batch: list[Outcome], job: Job) -> list[Outcome]:
    """The batch with the contents refused that were erased once; copies of them are deleted."""
    digests = [seen.sha256 for _, _, seen in batch if isinstance(seen, Inspected)]
    with conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("ingest", "erased"), {"digests": digests}).fetchall()
    erased: dict[bytes, int] = dict(rows)
    for sha256 in erased if job.store else ():
        stores.remove(managed.place(job.store or "", sha256))

    def judged(seen: Inspected | Refused) -> Inspected | Refused:
        if isinstance(seen, Refused) or seen.sha256 not in erased:
            return seen
        return Refused("erased", f"these bytes were media {erased[seen.sha256]}, which was erased")

    return [(found, state, judged(seen)) for found, state, seen in batch]


def _write(conn: psycopg.Connection[Any], batch: list[Outcome], job: Job) -> set[bytes]:
    """Writes a batch in one transaction, as queries/ingest.sql says; returns the new hashes."""
    values = {"run_id": job.run_id, "source_id": job.source_id, "store": job.store}
    with conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement("ingest", "stage"))
        copy_rows(conn, "ingest_image", _IMAGE, _image_rows(batch))
        copy_rows(conn, "ingest_refused", _REFUSED, _refused_rows(batch))
        new = {row[0] for row in cursor.execute(statement("ingest", "add_media"), values)}
        for name in (
            "name_media",
            "locate",
            *(["locate_managed"] if job.store else []),
            "add_quality",
            "find_quality",
            "add_findings",
            "refuse",
            "release",
        ):
            cursor.execute(statement("ingest", name), values)
    return new


def _count(tally: Counter[str], batch: list[Outcome], new: set[bytes]) -> None:
    for found, state, seen in batch:
        tally["read"] += not found.problem
        if isinstance(seen, Refused):
            tally["refused"] += 1
        elif state in _AS:
            tally[_AS[state]] += 1
            new.discard(seen.sha256)
        else:
            tally["added" if seen.sha256 in new else "same_bytes"] += 1
            new.discard(seen.sha256)


def _image_rows(batch: list[Outcome]) -> Iterator[tuple[Any, ...]]:
    for found, _, seen in batch:
        if isinstance(seen, Inspected):
            yield (
                found.uri, seen.n_bytes, found.modified_at, found.etag, seen.sha256, seen.mime,
                seen.width, seen.height, seen.captured_at, seen.phash, seen.exif, seen.attributes,
                seen.gps,
                *(astuple(seen.quality) if seen.quality else _NO_QUALITY), seen.kind,
                seen.duration, seen.fps, seen.n_frames, wrong_extension(found.uri, seen.mime),
                seen.personal,
            )  # fmt: skip


def _refused_rows(batch: list[Outcome]) -> Iterator[tuple[Any, ...]]:
    for found, _, seen in batch:
        if isinstance(seen, Refused):
            yield found.uri, seen.reason, seen.detail, found.n_bytes, found.modified_at
