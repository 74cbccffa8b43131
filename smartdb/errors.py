"""What can go wrong, as a tree. Each class docstring is its default message.

    SmartdbError
      DatabaseError               503  the server, not the request
        DatabaseUnreachable  DatabaseTooOld  ExtensionMissing  SchemaOutdated  DiskFull
      AccessDenied                403  NotYours
      NotFound                    404
      Conflict                    409  SealedError  LeaseLost  StaleEdit  IllegalVerdict
      InvalidInput                422  DimensionMismatch  NothingToDo  UseRefused
      EncoderUnavailable          422
      StoreFailed                 503  a store of files does not answer as it should

The functions of the database raise with the SQLSTATEs in ``BY_SQLSTATE``; `translated` turns
driver errors into these classes, with the driver's error as the cause.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg


class SmartdbError(Exception):
    """smartdb failed"""

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    submission_id: int | None = None
    """The refused answer to a task that is kept, if this says why it was refused."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class DatabaseError(SmartdbError):
    """the database failed"""

    status = 503


class DatabaseUnreachable(DatabaseError):
    """cannot reach the database; run: smartdb doctor"""


class DatabaseTooOld(DatabaseError):
    """smartdb needs PostgreSQL 15 or later with pgvector 0.8 or later"""


class ExtensionMissing(DatabaseError):
    """the server has no pgvector; install it there, then run: smartdb init"""


class SchemaOutdated(DatabaseError):
    """the database has no smartdb schema of this version; run: smartdb init"""


class DiskFull(DatabaseError):
    """the disk of the database is full; free space and run again, nothing was half-written"""


class AccessDenied(SmartdbError):
    """the database refused this role"""

    status = 403


class NotYours(AccessDenied):
    """it is another person's; ask a reviewer"""


class NotFound(SmartdbError):
    """no such thing"""

    status = 404

    def __init__(self, message: str | None = None, *, reason: str = "missing") -> None:
        """``reason`` is a stable code for why the bytes of a media cannot be had."""
        super().__init__(message)
        self.reason = reason


class Conflict(SmartdbError):
    """it was changed by someone else meanwhile; read it again"""

    status = 409


class SealedError(Conflict):
    """sealed versions and history cannot change"""


class LeaseLost(Conflict):
    """the task is not leased to you (any more); claim it again"""


class StaleEdit(Conflict):
    """the label was changed by someone else meanwhile; look at both and decide"""

    def __init__(
        self, message: str | None = None, versions: Mapping[str, Any] | None = None
    ) -> None:
        """``versions`` holds label objects: base (as it was seen), theirs (as it is now; None: it
        was removed) and yours (as it was to become).
        """
        super().__init__(message)
        self.versions = dict(versions or {})


class IllegalVerdict(Conflict):
    """the label's review state does not allow this verdict; see smartdb.review_transition"""


class InvalidInput(SmartdbError):
    """the input is not valid"""

    status = 422
    exit_code = 2


class DimensionMismatch(InvalidInput):
    """the vector has another length than the encoder's"""


class NothingToDo(InvalidInput):
    """there is nothing to work on"""


class UseRefused(InvalidInput):
    """the terms of some media do not allow the use"""


class EncoderUnavailable(SmartdbError):
    """the encoder cannot be loaded"""

    status = 422


class StoreFailed(SmartdbError):
    """the store does not answer"""

    status = 503


BY_SQLSTATE: dict[str, type[SmartdbError]] = {
    "SD001": NotFound,
    "SD002": InvalidInput,
    "SD003": SealedError,
    "SD004": LeaseLost,
    "SD005": Conflict,
    "SD006": NotYours,
    "SD007": IllegalVerdict,
    "22000": DimensionMismatch,  # pgvector: different vector dimensions
    "23505": Conflict,
    "23503": NotFound,
    "23514": InvalidInput,
    "42501": AccessDenied,
    "42P01": SchemaOutdated,
    "3F000": SchemaOutdated,
    "53100": DiskFull,
}


def from_driver(error: psycopg.Error) -> SmartdbError:
    """The error of this tree that says what ``error`` says, with its hint as the next step."""
    kind = BY_SQLSTATE.get(error.sqlstate or "")
    if kind is None:
        broken = isinstance(error, psycopg.OperationalError)
        kind = DatabaseUnreachable if broken and error.sqlstate is None else DatabaseError
    message = error.diag.message_primary or str(error).strip() or kind.__doc__ or ""
    if kind in (SchemaOutdated, DiskFull):
        return kind(f"{message}: {kind.__doc__}")
    hint = error.diag.message_hint
    said = f"{message}; {hint}" if hint else message
    detail = error.diag.message_detail or ""
    if kind is Conflict and error.sqlstate == "SD005" and detail.startswith("{"):
        return StaleEdit(said, json.loads(detail))
    return kind(said)


@contextmanager
def translated() -> Iterator[None]:
    """Raises errors of the driver as errors of this tree."""
    try:
        yield
    except psycopg.Error as error:
        raise from_driver(error) from error
