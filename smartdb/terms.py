"""Terms: on what terms media may be used, stated for a source, or for single media."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from smartdb import licences
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
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


class Terms(TypedDict, total=False):
    """What may be stated; None is unknown or, of ``expires_at``, never."""

    licence: str | None
    consent_basis: str | None
    allowed_use: list[str] | None
    expires_at: datetime | None
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

    InvalidInput for a licence that SPDX does not know, a consent basis that is none of `CONSENT`
    or a use that is no word; NothingToDo if nothing is named, NotFound without the source.
    """
    changes = checked(terms)
    query = statement("terms", "set_source").format(changes=_assignments(changes))
    with translated():
        done = conn.execute(query, {**changes, "source": name})
    if not done.rowcount:
        raise NotFound(f"no source {name!r}; see: smartdb source list")


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
