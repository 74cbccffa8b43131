"""Tags: words that people put on media, all at once by a predicate, on the server.

History is kept: `smartdb.tag_at(revision)` tells what was on when. None of these functions commits.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from smartdb import predicates
from smartdb.errors import NotFound, translated
from smartdb.predicates import TIMEOUT_S
from smartdb.statements import statement


def add(
    conn: psycopg.Connection[Any],
    tag: str,
    predicate: str,
    *,
    actor: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Puts a tag on the media that fulfil a predicate and returns how many did not have it.

    ``actor`` is who does so, by default the login. InvalidInput for a predicate that does not
    work or takes too long, and for a tag of no or more than 200 characters.
    """
    values = {"tag": tag, "predicate": predicate, "actor": actor}
    return predicates.write(conn, "tags", "add", values, timeout_s)


def remove(
    conn: psycopg.Connection[Any],
    tag: str,
    predicate: str = "true",
    *,
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Takes a tag off the media that fulfil a predicate and returns how many had it.

    NotFound if no media has it.
    """
    if not any(row["tag"] == tag for row in tags(conn)):
        raise NotFound(f"no media has the tag {tag!r}; see: smartdb tag list")
    return predicates.write(conn, "tags", "remove", {"tag": tag, "predicate": predicate}, timeout_s)


def tags(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The tags there are, with ``n_media``, ``first_at`` and ``last_at``, by name."""
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("tags", "tags")).fetchall()
