"""Keyset cursors: the key of the last item, opaque, good only for the list it came from."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from smartdb.errors import InvalidInput

from .fields import PageQuery

Key = tuple[Any, ...]


def start(query: PageQuery, *kinds: type) -> Key:
    """The key after which the page begins: one value of each kind; all None for the first page.

    InvalidInput for a text that is no cursor, or one of another list or another filter.
    """
    if query.after is None:
        return (None,) * len(kinds)
    try:
        scope, *key = json.loads(base64.urlsafe_b64decode(query.after + "=="))
    except (ValueError, TypeError):
        raise _unfit() from None
    if scope != _scope(query) or [type(value) for value in key] != list(kinds):
        raise _unfit()
    return tuple(key)


def page(
    rows: Sequence[Mapping[str, Any]], query: PageQuery, *names: str
) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    """The first ``query.limit`` of the rows, and the cursor of the next page if there are more.

    ``rows`` are up to one more than asked for; ``names`` are the columns of the key.
    """
    if len(rows) <= query.limit:
        return rows, None
    items = rows[: query.limit]
    key = [_scope(query), *(items[-1][name] for name in names)]
    text = base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode())
    return items, text.decode().rstrip("=")


def _scope(query: PageQuery) -> str:
    """Tells one list with one filter from every other."""
    wanted = query.model_dump(mode="json", exclude={"limit", "after"})
    text = json.dumps([request.path, wanted], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _unfit() -> InvalidInput:
    return InvalidInput(
        "this is no cursor of this list with this filter; start again without 'after'"
    )
