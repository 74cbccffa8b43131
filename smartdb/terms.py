"""Terms: on what terms media may be used, stated for a source, or for single media."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict, Unpack

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row, tuple_row

from smartdb import licences, predicates, runs
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.metadata import STRIPPABLE
from smartdb.statements import statement

CONSENT = (
    "not_needed",
    "consent",
    "contract",
    "legal_obligation",
    "vital_interests",
    "public_task",
    "legitimate_interests",
    "withdrawn",
)
"""Legal bases for pictures of people: those of the GDPR, none needed, and none any more."""

USE = re.compile(r"[a-z][a-z0-9_-]*")
"""What the name of a use looks like: training, research, ..."""

KIND = re.compile(r"[a-z_]+")
"""What a kind of finding looks like: gps, face, maker_note, ..."""


class Terms(TypedDict, total=False):
    """What may be stated. None is unknown; of a media: as its sources say.

    ``expires_at`` of a source is None for never, of a media "infinity".
    """

    licence: str | None
    consent_basis: str | None
    allowed_use: list[str] | None
    expires_at: datetime | Literal["infinity"] | None
    jurisdiction: str | None


class SourceTerms(Terms, total=False):
    """`Terms` of a source, and what a sanitised copy of its media must lack."""

    strip_metadata: list[str]
    forbidden_finding: list[str]


@dataclass(frozen=True)
class StatedTerms:
    """What was stated for a source."""

    source: str
    licence: str | None
    consent_basis: str | None
    allowed_use: list[str] | None
    expires_at: datetime | None
    jurisdiction: str | None
    strip_metadata: list[str]
    forbidden_finding: list[str]
    uri: str


def list_sources(conn: psycopg.Connection[Any]) -> list[StatedTerms]:
    """The terms of each source, by name."""
    with translated(), conn.cursor(row_factory=class_row(StatedTerms)) as cursor:
        return cursor.execute(statement("terms", "list")).fetchall()


def set_source(conn: psycopg.Connection[Any], name: str, **terms: Unpack[SourceTerms]) -> None:
    """States terms of a source; what is not named stays as it is.

    InvalidInput for a licence that SPDX does not know, a consent basis that is none of `CONSENT`,
    a use that is no word or metadata that cannot be stripped; NothingToDo if nothing is named,
    NotFound without the source. What is stripped and forbidden is for smartdb_privacy to state: it
    hides and shows media at once.
    """
    changes = checked(terms)
    query = statement("terms", "set_source").format(changes=_assignments(changes))
    with translated():
        done = conn.execute(query, {**changes, "source": name})
    if not done.rowcount:
        raise NotFound(f"no source {name!r}; see: smartdb source list")


def set_media(
    conn: psycopg.Connection[Any], media_ids: Iterable[int], note: str = "", **terms: Unpack[Terms]
) -> int:
    """States terms of single media, which replace those of their sources; returns of how many.

    None takes back what was stated. Raises as `set_source` does, NotFound for unknown media. It
    commits.
    """
    changes = checked(terms)
    wanted = sorted({*media_ids})
    if not wanted:
        raise NothingToDo("no media are named")
    parameters = {"n": len(wanted), "first": wanted[:20], "terms": changes, "note": note}
    with runs.run(conn, "terms", parameters) as run, translated():
        query = statement("terms", "set_media").format(
            columns=sql.SQL(", ").join(map(sql.Identifier, changes)),
            values=sql.SQL(", ").join(map(sql.Placeholder, changes)),
            changes=sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in changes
            ),
        )
        values = {**changes, "media_ids": wanted, "note": note, "run_id": run.run_id}
        conn.execute(query, values)
        run.counts["media"] = len(wanted)
    return len(wanted)


def effective(conn: psycopg.Connection[Any], media_ids: Iterable[int]) -> list[dict[str, Any]]:
    """The terms that hold for media, and where they are from, by id."""
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("terms", "show"), {"media_ids": [*media_ids]}).fetchall()


def refused(
    conn: psycopg.Connection[Any], purpose: str | None, limit: int | None = None
) -> list[tuple[int, str]]:
    """Media, by id, whose terms do not allow a use, with the reason; None: with an ended right."""
    values = {"purpose": purpose and checked_use(purpose), "limit": limit}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("terms", "refused"), values).fetchall()


def told(found: Sequence[tuple[Any, ...]]) -> str:
    """The first of refused media with their reasons, of rows (how many in all, media, reason)."""
    some = "; ".join(f"media {media_id}: {reason}" for _, media_id, reason in found)
    return f"{some}; ..." if found[0][0] > len(found) else some


def hide_ended(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """Hides the media whose right has ended, and shows those again whose right goes on.

    Returns how many were hidden and shown. AccessDenied for all but smartdb_privacy.
    """
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        hidden = cursor.execute(statement("terms", "hide")).rowcount
        shown = cursor.execute(statement("terms", "unhide")).rowcount
    return {"hidden": hidden, "shown": shown}


def where(conn: psycopg.Connection[Any], predicate: str) -> list[int]:
    """The media that fulfil a condition on smartdb.media read as m; InvalidInput if it fails."""
    return [int(media_id) for media_id in predicates.members(conn, predicate)]


def checked(terms: Mapping[str, Any]) -> dict[str, Any]:
    """The terms in the form in which they are written; raises as `set_source` says."""
    if not terms:
        raise NothingToDo("no terms are named; see: smartdb source set --help")
    found = dict(terms)
    if found.get("licence"):
        found["licence"] = licences.checked(found["licence"])
    if found.get("consent_basis") not in (None, *CONSENT):
        raise InvalidInput(f"no such basis: {found['consent_basis']!r}; use one of {CONSENT}")
    for use in found.get("allowed_use") or ():
        checked_use(use)
    for word in found.get("strip_metadata") or ():
        if word not in STRIPPABLE:
            raise InvalidInput(f"no such metadata: {word!r}; use {', '.join(STRIPPABLE)}")
    for kind in found.get("forbidden_finding") or ():
        if not KIND.fullmatch(kind):
            raise InvalidInput(f"a kind of finding is a word such as face, not {kind!r}")
    return found


def checked_use(use: str) -> str:
    """The use, if it is a word such as training; else InvalidInput."""
    if not USE.fullmatch(use):
        raise InvalidInput(f"a use is a word such as training, not {use!r}")
    return use


def moment(text: str) -> datetime:
    """A date (its first moment, in UTC) or a time; InvalidInput for what is neither."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"not a date: {text!r}; write it as 2027-01-31") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _assignments(changes: Mapping[str, Any]) -> sql.Composed:
    """``column = value`` for each change, as the list of an update."""
    pairs = (
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in changes
    )
    return sql.SQL(", ").join(pairs)
