"""Erasing media: bytes, and all that was made of them, by media, source or person.

The request is committed first, and hides the media at once. Then rows go in batches, then files,
and at last the request is finished. A process that is killed anywhere leaves an unfinished request,
which the next call goes on with; the end is the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg
from psycopg.rows import tuple_row

import smartdb
from smartdb import disposal, sources, thumbnails
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.statements import statement
from smartdb.turns import turn

BATCH = 1000
"""Media whose rows, or files, go in one transaction."""


@dataclass(frozen=True)
class Erasure:
    """A request and its report: numbers, and every dataset version and model that held its media.

    ``erasure_id`` is None for what was only asked about.
    """

    erasure_id: int | None
    report: dict[str, Any]


def erase(
    conn: psycopg.Connection[Any],
    *,
    media_ids: Iterable[int] | None = None,
    source: str | None = None,
    subject: str | None = None,
    reason: str,
    delete_files: bool = False,
) -> list[Erasure]:
    """Erases media, those of a source or those that show a person; returns reports, oldest first.

    Requests that were not finished are finished first and are among them. Also erased is what
    derives from the media. Copies that smartdb manages are deleted, original files only with
    ``delete_files`` and while they hold the same bytes; those left are named in the report. It
    commits. InvalidInput unless one of the three is named with a reason, NotFound for what does
    not exist, AccessDenied for all but smartdb_privacy.
    """
    _refuse_vague(media_ids, source, subject)
    if not reason.strip():
        raise InvalidInput("say why: a request to erase needs a reason")
    media_ids = None if media_ids is None else sorted({*media_ids})
    with turn(conn, "erase"):
        resumed = _resume(conn, delete_files)
        try:
            wanted = find(conn, media_ids=media_ids, source=source, subject=subject)
        except NothingToDo:
            if resumed:
                return resumed
            raise
        asked = _asked(media_ids, source, subject)
        begun = _begin(conn, wanted, asked, reason)
        return [*resumed, _finish(conn, begun, delete_files)]


def resume(conn: psycopg.Connection[Any], *, delete_files: bool = False) -> list[Erasure]:
    """Finishes the requests that were cut off, and returns their reports. Commits."""
    with turn(conn, "erase"):
        return _resume(conn, delete_files)


def preview(
    conn: psycopg.Connection[Any],
    *,
    media_ids: Iterable[int] | None = None,
    source: str | None = None,
    subject: str | None = None,
) -> Erasure:
    """What `erase` would reach; nothing is changed."""
    wanted = find(conn, media_ids=media_ids, source=source, subject=subject)
    return Erasure(None, _one(conn, "scope", media_ids=wanted))


def find(
    conn: psycopg.Connection[Any],
    *,
    media_ids: Iterable[int] | None = None,
    source: str | None = None,
    subject: str | None = None,
) -> list[int]:
    """The media that are meant, without what derives from them; NotFound or NothingToDo if none."""
    _refuse_vague(media_ids, source, subject)
    if media_ids is not None:
        return _not_erased(conn, sorted({*media_ids}))
    if source is not None:
        sources.find(conn, source)
        found = [row[0] for row in _rows(conn, "of_source", source=source)]
        if not found:
            raise NothingToDo(f"no media lies in the source {source!r} (any more)")
        return found
    found = [row[0] for row in _rows(conn, "of_subject", subject=subject)]
    if not found:
        raise NothingToDo("no media of this subject is known (any more); see: smartdb subject set")
    return found


def subject_hash(key: str) -> str:
    """What stands for the key of a person where it must not be written."""
    return hashlib.sha256(key.encode()).hexdigest()


def _refuse_vague(media_ids: Iterable[int] | None, source: str | None, subject: str | None) -> None:
    if sum(given is not None for given in (media_ids, source, subject)) != 1:
        raise InvalidInput("say what to erase: either media, or a source, or a subject")


def _not_erased(conn: psycopg.Connection[Any], media_ids: list[int]) -> list[int]:
    known = dict(_rows(conn, "known", media_ids=media_ids))
    missing = [media_id for media_id in media_ids if media_id not in known]
    if missing:
        raise NotFound(f"no media {_some(missing)}")
    found = [media_id for media_id in media_ids if not known[media_id]]
    if not found:
        raise NothingToDo("none of the media named is left: they were erased already")
    return found


def _asked(media_ids: Sequence[int] | None, source: str | None, subject: str | None) -> str:
    if media_ids is not None:
        return f"media {_some(media_ids)}"
    return f"source {source}" if source is not None else f"subject {subject_hash(subject or '')}"


def _some(media_ids: Sequence[int]) -> str:
    first = ", ".join(map(str, media_ids[:20]))
    return f"{first} and {len(media_ids) - 20} more" if len(media_ids) > 20 else first


def _begin(conn: psycopg.Connection[Any], media_ids: list[int], asked: str, reason: str) -> int:
    values = {"media_ids": media_ids, "asked": asked, "reason": reason}
    with conn.transaction():
        found = _one(conn, "begin", **values, code_version=smartdb.__version__)
    conn.commit()
    return int(found)


def _resume(conn: psycopg.Connection[Any], delete_files: bool) -> list[Erasure]:
    unfinished = [row[0] for row in _rows(conn, "unfinished")]
    return [_finish(conn, erasure_id, delete_files) for erasure_id in unfinished]


def _finish(conn: psycopg.Connection[Any], erasure_id: int, delete_files: bool) -> Erasure:
    """Does what is left of a request, until nothing is."""
    report = None
    while report is None:
        while _one(conn, "rows", erasure_id=erasure_id, n=BATCH):
            conn.commit()
        conn.commit()
        _erase_files(conn, erasure_id, delete_files)
        report = _one(conn, "finish", erasure_id=erasure_id)
        conn.commit()
    return Erasure(erasure_id, report)


def _erase_files(conn: psycopg.Connection[Any], erasure_id: int, delete_files: bool) -> None:
    """Deletes files and thumbnails, batch by batch, outside transactions; then forgets them."""
    after = 0
    while rows := _rows(conn, "files", erasure_id=erasure_id, after=after, n=BATCH):
        conn.commit()
        for sha256, _ in groupby(rows, key=lambda row: row[1]):
            thumbnails.forget(sha256)
        placed = [row for row in rows if row[3] is not None]
        outcomes = [
            disposal.dispose(uri, sha256, delete=is_managed or delete_files)
            for _, sha256, _, uri, is_managed in placed
        ]
        if placed:
            sources, uris = [row[2] for row in placed], [row[3] for row in placed]
            values = {"sources": sources, "uris": uris, "outcomes": outcomes}
            _one(conn, "forget_files", erasure_id=erasure_id, **values)
        conn.commit()
        after = rows[-1][0]


def _one(conn: psycopg.Connection[Any], name: str, **values: Any) -> Any:
    return _rows(conn, name, **values)[0][0]


def _rows(conn: psycopg.Connection[Any], name: str, **values: Any) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("erasure", name), values or None).fetchall()
