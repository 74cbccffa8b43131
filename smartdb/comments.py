"""Comments: what people say to each other about media, labels and tasks.

The caller owns the transaction.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from smartdb.errors import translated
from smartdb.statements import statement


def add(
    conn: psycopg.Connection[Any],
    actor: str,
    text: str,
    *,
    media_id: int | None = None,
    label_id: int | None = None,
    task_id: int | None = None,
    reply_to: int | None = None,
) -> int:
    """Comments on exactly one of the four and returns the comment_id.

    NotFound for no such thing, InvalidInput for an empty comment or one on several things.
    """
    about = {"media_id": media_id, "label_id": label_id, "task_id": task_id, "reply_to": reply_to}
    return int(_rows(conn, "comment", {"actor": actor, "text": text, **about})[0]["add_comment"])


def comments(conn: psycopg.Connection[Any], media_id: int) -> list[dict[str, Any]]:
    """What was said about a media, its labels and tasks, oldest first."""
    return _rows(conn, "comments", {"media_id": media_id})


def _rows(conn: psycopg.Connection[Any], name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("reviews", name), values).fetchall()
