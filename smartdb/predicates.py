"""Predicates: SQL conditions on smartdb.media, read as m, that users write.

Whatever runs one goes through `smartdb.media_where` or `smartdb.checked_predicate`, which refuse
what is not one condition or writes, or through `bounded`, which also bounds its time: a function
of the database cannot limit the statement that it is a part of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import tuple_row

from smartdb import bulk
from smartdb.errors import InvalidInput, SmartdbError, translated
from smartdb.statements import statement

TIMEOUT_S = 600.0
_OF_THE_PREDICATE = ("22", "2500", "42", "57014", "0A", "54")  # SQLSTATEs and their classes


def members(
    conn: psycopg.Connection[Any], predicate: str = "true", *, timeout_s: float = TIMEOUT_S
) -> NDArray[np.int64]:
    """Ids (n,) ascending of the media that fulfil a predicate; errors as of `bounded`."""
    with bounded(conn, predicate, timeout_s):
        query, values = statement("predicates", "members"), {"predicate": predicate}
        return bulk.read_columns(conn, query, {"media_id": "i8"}, values)["media_id"]


def count(
    conn: psycopg.Connection[Any], predicate: str = "true", *, timeout_s: float = TIMEOUT_S
) -> int:
    """How many media fulfil a predicate; errors as of `bounded`."""
    with bounded(conn, predicate, timeout_s):
        return int(_value(conn, "count", predicate=predicate))


def write(
    conn: psycopg.Connection[Any],
    noun: str,
    name: str,
    values: Mapping[str, Any],
    timeout_s: float = TIMEOUT_S,
) -> int:
    """The number that a named statement returns, which writes what a predicate finds.

    ``values`` holds the ``predicate``. It does not commit; errors as of `bounded`.
    """
    with (
        bounded(conn, values["predicate"], timeout_s, read_only=False),
        conn.cursor(row_factory=tuple_row) as cursor,
    ):
        row = cursor.execute(statement(noun, name), values).fetchone()
    assert row is not None
    return int(row[0])


def checked(conn: psycopg.Connection[Any], predicate: str) -> sql.SQL:
    """The predicate in parentheses, as a part of a statement with parameters.

    InvalidInput if it is not one valid condition on smartdb.media read as m.
    """
    with translated():
        text = _value(conn, "checked", predicate=predicate)
    return sql.SQL(text.replace("%", "%%"))


def combined(
    conn: psycopg.Connection[Any],
    predicate: str | None = None,
    slice_name: str | None = None,
    media_ids: Sequence[int] = (),
) -> str:
    """The condition for media that fulfil a predicate, are in a slice and among some; all if none.

    NotFound for an unknown slice, InvalidInput for a predicate that does not work.
    """
    parts = []
    with translated():
        if predicate is not None:
            parts.append(str(_value(conn, "checked", predicate=predicate)))
        if slice_name is not None:
            parts.append(str(_value(conn, "slice", slice=slice_name)))
    if media_ids:
        ids = ",".join(str(int(i)) for i in media_ids)
        parts.append(f"m.media_id = any ('{{{ids}}}'::bigint[])")
    return " and ".join(parts) or "true"


@contextmanager
def bounded(
    conn: psycopg.Connection[Any],
    predicate: str,
    timeout_s: float = TIMEOUT_S,
    *,
    read_only: bool = True,
) -> Iterator[None]:
    """A transaction, or a part of the open one, in which nothing is written and time is bounded.

    Temporary tables may be written. Not ``read_only`` is for what writes the media that
    `smartdb.media_where` finds. InvalidInput with the reason if Postgres blames the predicate
    or a statement takes longer than ``timeout_s``; other errors as themselves.
    """
    limit = str(max(1, round(1000 * timeout_s)))
    try:
        with translated(), conn.transaction():
            before = _value(conn, "limit")
            _value(conn, "limit_time", limit=limit)
            if read_only:
                conn.execute("set transaction read only")
            yield
            _value(conn, "limit_time", limit=before)  # a transaction around this one goes on
    except SmartdbError as error:
        raise explained(error, predicate, timeout_s) from error


def explained(error: SmartdbError, predicate: str, timeout_s: float) -> SmartdbError:
    """The error as one of the predicate, if Postgres blames it; else the error itself."""
    cause = error.__cause__
    state = (cause.sqlstate or "") if isinstance(cause, psycopg.Error) else ""
    if state == "57014":
        why = f"takes longer than {timeout_s:g} s; make it simpler, or allow it more time"
    elif state.startswith(_OF_THE_PREDICATE):
        assert isinstance(cause, psycopg.Error)
        why = f"does not work: {cause.diag.message_primary}"
    else:
        return error
    return InvalidInput(f"the predicate {predicate!r} {why}")


def _value(conn: psycopg.Connection[Any], name: str, **values: str) -> Any:
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("predicates", name), values).fetchone()
    assert row is not None
    return row[0]
