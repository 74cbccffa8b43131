"""Turns: of processes that would do the same thing at once, one does it and the others wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from smartdb.errors import translated
from smartdb.statements import statement

LOCK_SPACE = 7360404
"""First key of the advisory locks (LOCK_SPACE, hash of what is done)."""


@contextmanager
def turn(conn: psycopg.Connection[Any], what: str) -> Iterator[None]:
    """Waits until nobody else has the turn to do ``what``, and gives it back after the block.

    The turn is the session's, so it outlives transactions and goes with the connection. It
    commits what was open before and what the block leaves open, unless the block raises. Must not
    be used inside ``conn.transaction()``.
    """
    values = {"space": LOCK_SPACE, "what": what}
    with translated():
        conn.execute(statement("turns", "take"), values)
        conn.commit()
    try:
        yield
        conn.commit()
    finally:
        _give_back(conn, values)


def _give_back(conn: psycopg.Connection[Any], values: dict[str, Any]) -> None:
    try:
        conn.rollback()
        conn.execute(statement("turns", "give_back"), values)
        conn.commit()
    except psycopg.OperationalError:  # the connection is lost, and the turn with it
        pass
