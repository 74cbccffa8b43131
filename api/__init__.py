"""The HTTP API: `create_app` makes the Flask app, ``smartdb serve`` runs it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from . import (
    agreement,
    batches,
    comments,
    datasets,
    docs,
    exports,
    graph,
    health,
    images,
    label_studio,
    labels,
    media,
    ontologies,
    problems,
    projects,
    prunings,
    recipes,
    regions,
    reviews,
    runs,
    search,
    tags,
    tasks,
    versions,
)
from .database import Pool

__all__ = ["LOOPBACK", "create_app"]

LOOPBACK = ("localhost", "127.0.0.1")
"""Names by which only this machine can call itself."""

MAX_BODY = 1 << 20

_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def create_app(url: str | None = None, *, trusted_hosts: Sequence[str] | None = LOOPBACK) -> Flask:
    """The app over the database at ``url``, by default the configured one, which must be up.

    Nobody is asked who they are yet, so requests that name another host than ``trusted_hosts``
    are refused: a page on the internet cannot reach the API through the user's browser by giving
    its own name this machine's address. None trusts every name.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        TRUSTED_HOSTS=None if trusted_hosts is None else list(trusted_hosts),
    )
    app.extensions["smartdb"] = Pool(url)
    app.before_request(_number)
    app.before_request(_require_json)
    app.after_request(_add_headers)
    problems.register(app)
    parts = (
        media, graph, images, regions, search, projects, tasks, labels, ontologies, tags, reviews,
        comments, agreement, datasets, versions, recipes, exports, prunings, batches, runs,
        label_studio, health, docs,
    )  # fmt: skip
    for module in parts:
        app.register_blueprint(module.routes)
    return app


def _number() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _require_json() -> None:
    """A body must be JSON, and called so; this also keeps out forms of other sites."""
    if request.method not in ("POST", "PUT", "PATCH") or request.url_rule is None:
        return
    if not request.is_json:
        raise UnsupportedMediaType("send JSON, with Content-Type: application/json")
    try:
        body = request.get_json()
    except RecursionError:
        body = None
    if not isinstance(body, dict):
        raise BadRequest("send one JSON object")


def _add_headers(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
