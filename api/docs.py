"""The OpenAPI document, and a page that shows it; nothing in them comes from another host."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import Blueprint, Response, render_template
from markupsafe import Markup, escape

from . import problems
from .spec import TAGS, document

routes = Blueprint("docs", __name__, template_folder="templates")

METHODS = ("get", "post", "put", "patch", "delete")


@routes.get("/openapi.json")
def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document of this API."""
    return document()


@routes.get("/docs")
def page() -> Response:
    """The same document for people."""
    made, nonce = document(), secrets.token_urlsafe(16)
    text = render_template(
        "docs.html",
        document=made,
        groups=[(tag, purpose, _operations(made, tag)) for tag, purpose in TAGS.items()],
        problems=[(problems.code_of(kind), kind) for kind in problems.kinds()],
        nonce=nonce,
    )
    return Response(
        text,
        headers={
            "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        },
    )


@routes.app_template_filter("marked")
def marked(text: str) -> Markup:
    """Text with what stands between backticks set as code. (Parts of a Markup escape `<code>`.)"""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _operations(made: dict[str, Any], tag: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of each operation with this tag, in the order of the paths."""
    return [
        (method, path, operations[method])
        for path, operations in sorted(made["paths"].items())
        for method in METHODS
        if method in operations and tag in operations[method]["tags"]
    ]
