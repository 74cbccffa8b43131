"""The database of an app: idle connections, and one transaction for a request, in one role.

A connection logs in as whoever the url says and acts, transaction by transaction, as the role
that the route names: grants and row-level security decide what it may do and see.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import psycopg
from flask import current_app

from smartdb.database import connect
from smartdb.errors import DatabaseError, translated
from smartdb.statements import statement

READER = "smartdb_reader"
ANNOTATOR = "smartdb_annotator"
REVIEWER = "smartdb_reviewer"
STATEMENT_TIMEOUT = "15s"

P = ParamSpec("P")
T = TypeVar("T")
Connection = psycopg.Connection[Any]


class WriteUnsure(DatabaseError):
    """the database was lost while it wrote this; read what is there before you send it again"""


class Pool:
    """Idle connections to one database; as many as there were requests at the same time.

    Opened on demand, so a process that forks before its first request shares none.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def run(self, role: str, work: Callable[[Connection], T], *, read_only: bool) -> T:
        """What ``work`` returns, in one transaction as ``role``.

        A connection that proves lost is replaced and the work done once more, unless it may have
        written: then WriteUnsure. Else the errors of `smartdb.errors`.
        """
        for is_last in (False, True):
            try:
                return self._once(self._take(), role, work, read_only)
            except _Lost as lost:
                if lost.may_have_written:
                    raise WriteUnsure from lost.cause
                if is_last:
                    raise lost.cause from lost.cause.__cause__
                self.close()  # what idled as long is lost as well
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Closes the idle connections; the pool goes on with new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for conn in idle:
            conn.close()

    def _take(self) -> Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return connect(self._url, role=None, autocommit=True)

    def _once(
        self, conn: Connection, role: str, work: Callable[[Connection], T], read_only: bool
    ) -> T:
        has_begun = False
        options = {
            "role": role,
            "timeout": STATEMENT_TIMEOUT,
            "read_only": "on" if read_only else "off",
        }
        try:
            with translated(), conn.transaction():
                conn.execute(statement("api", "begin"), options)
                has_begun = True
                result = work(conn)
        except Exception as error:
            if conn.closed:
                raise _Lost(error, has_begun and not read_only) from error
            raise
        finally:
            self._give_back(conn)
        return result

    def _give_back(self, conn: Connection) -> None:
        if conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
            with self._lock:
                self._idle.append(conn)
        else:
            conn.close()


class _Lost(Exception):
    def __init__(self, cause: Exception, may_have_written: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.may_have_written = may_have_written


def pool() -> Pool:
    """The pool of the app that answers."""
    return cast(Pool, current_app.extensions["smartdb"])


def read(work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """``work(conn, ...)`` as a reader, in one read-only transaction."""
    return pool().run(READER, lambda conn: work(conn, *args, **kwargs), read_only=True)


def write(
    role: str, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """``work(conn, ...)`` as ``role``, in one transaction."""
    return pool().run(role, lambda conn: work(conn, *args, **kwargs), read_only=False)
