"""Every error as application/problem+json (RFC 9457), from the tree in `smartdb.errors`."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from flask import Flask, Response, g, request
from pydantic import Field
from werkzeug.exceptions import HTTPException

from smartdb.errors import (
    AccessDenied,
    DatabaseError,
    InvalidInput,
    NotYours,
    SmartdbError,
    StaleEdit,
)

from .fields import Resource

log = logging.getLogger("smartdb.api")

MIME = "application/problem+json"
RETRY_AFTER = "5"
"""Seconds after which to try again when the database does not answer."""


class FieldError(Resource):
    """What is wrong with one parameter or key."""

    where: str = Field(description="The parameter or key, as in `query.limit` or `json.actor`.")
    message: str


class Problem(Resource):
    """An error."""

    type: str = Field(description="A page about this kind of error; about:blank: see the status.")
    title: str = Field(description="What this kind of error is.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened, and what to do next.")
    instance: str = Field(description="The path that was asked for.")
    code: str = Field(description="Stable name of this kind of error, for programs.")
    request_id: str = Field(description="Names this request in the server's log.")
    sqlstate: str | None = Field(default=None, description="What the database called it.")
    submission_id: int | None = Field(
        default=None, description="The refused answer to a task, which is kept: /v1/submissions."
    )
    errors: list[FieldError] | None = Field(
        default=None, description="What is wrong with the request."
    )
    versions: dict[str, Any] | None = Field(
        default=None,
        description="Of a stale edit, label objects: base (as it was seen), theirs (as it is now; "
        "null: it was removed), yours (as it was to become).",
    )


class InvalidRequest(InvalidInput):
    """parameters or keys of the request are missing, unknown or not valid"""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{each.where}: {each.message}" for each in errors[:5]))


class Timeout(DatabaseError):
    """the database needs longer for this than the API waits; ask for less, or ask in SQL"""


def register(app: Flask) -> None:
    """Has every error of the app answered as a problem."""
    app.register_error_handler(SmartdbError, _of_smartdb)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_bug)


def code_of(kind: type[Exception]) -> str:
    """The stable name of a kind of error: LeaseLost is lease_lost."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def kinds(root: type[SmartdbError] = SmartdbError) -> Iterator[type[SmartdbError]]:
    """Every kind of error of smartdb, the root first."""
    yield root
    for child in root.__subclasses__():
        yield from kinds(child)


def _of_smartdb(error: SmartdbError) -> Response:
    cause = error.__cause__
    sqlstate = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    if sqlstate == "57014":
        error = Timeout()
    elif type(error) is DatabaseError and isinstance(cause, psycopg.DataError):
        error = InvalidInput(str(error))  # such as text with a NUL
    kind = type(error)
    if error.status >= 500 or isinstance(error, AccessDenied):
        log.error("%s %s: %s (request %s)", request.method, request.path, error, g.request_id)
    return _answer(
        Problem(
            type=f"/docs#problem-{code_of(kind)}",
            title=kind.__doc__ or "",
            status=error.status,
            detail=_detail(error),
            instance=request.path,
            code=code_of(kind),
            request_id=g.request_id,
            sqlstate=sqlstate,
            submission_id=error.submission_id,
            errors=error.errors if isinstance(error, InvalidRequest) else None,
            versions=error.versions if isinstance(error, StaleEdit) else None,
        )
    )


def _detail(error: SmartdbError) -> str:
    """The message; for the server's own trouble only the kind, since it names hosts and users."""
    is_ours = error.status >= 500 or isinstance(error, AccessDenied)
    is_ours = is_ours and not isinstance(error, NotYours)  # which names a label, not a role
    return type(error).__doc__ or "" if is_ours else str(error)


def _of_http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:  # redirects
        return error
    answer = _answer(_plain(error.code, error.name, error.description or error.name))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def _of_bug(error: Exception) -> Response:
    log.error(
        "%s %s failed (request %s)", request.method, request.path, g.request_id, exc_info=error
    )
    return _answer(_plain(500, "Internal Server Error", "smartdb failed; its log says more"))


def _plain(status: int, name: str, detail: str) -> Problem:
    return Problem(
        type="about:blank",
        title=name,
        status=status,
        detail=detail,
        instance=request.path,
        code=re.sub(r"\W+", "_", name).lower(),
        request_id=g.request_id,
    )


def _answer(problem: Problem) -> Response:
    body = problem.model_dump_json(exclude_none=True)
    answer = Response(body, status=problem.status, mimetype=MIME)
    if problem.status == 503:
        answer.headers["Retry-After"] = RETRY_AFTER
    return answer
