"""Media as tools ask for them: pages, one with all that is known, and its like."""

from __future__ import annotations

from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from smartdb.errors import InvalidInput, NotFound
from smartdb.statements import statement

Row = dict[str, Any]
State = Literal["labelled", "unlabelled", "reviewed", "suspected"]


def media_page(
    conn: psycopg.Connection[Any],
    *,
    after: int | None = None,
    limit: int = 50,
    source: str | None = None,
    class_: str | None = None,
    state: State | None = None,
) -> list[Row]:
    """At most ``limit`` media with an id above ``after``, by id, with the class each counts as.

    ``class_`` keeps those that count as a class in use of that name, of whatever ontology.
    ``state`` keeps those with a class (labelled) or without (unlabelled), those with a label that
    a reviewer accepted or wrote (reviewed), or with one under suspicion (suspected). InvalidInput
    for a class that is not in use.
    """
    parts = [
        "page",
        *(["page_of_source"] if source is not None else []),
        *(["page_of_class"] if class_ is not None else []),
        *([f"page_{state}"] if state is not None else []),
        "page_end",
    ]
    query = sql.SQL("\n").join(statement("media", part) for part in parts)
    values: Row = {"after": after, "limit": limit, "source": source}
    values["class_ids"] = class_ids(conn, class_)
    return _rows(conn, query, values)


def find_media(conn: psycopg.Connection[Any], media_id: int) -> Row:
    """All that is known of a media; NotFound if there is none, or none that this role may see.

    Beside the columns there are lists: locations, labels, issues, findings, and predictions of
    the latest ten runs.
    """
    values = {"media_id": media_id}
    found = _one(conn, "one", media_id)
    for name in ("locations", "labels", "issues", "findings", "predictions"):
        found[name] = _rows(conn, statement("media", name), values)
    return found


def similar_media(
    conn: psycopg.Connection[Any],
    media_id: int,
    *,
    encoder: str | None = None,
    k: int = 10,
    source: str | None = None,
    class_: str | None = None,
) -> tuple[str, list[Row]]:
    """The encoder's name and the ``k`` media nearest to one by it, nearest first, itself left out.

    ``encoder`` may be left out where there is only one. NotFound without media, encoder or
    vector, InvalidInput where one of several encoders must be named, or for a class not in use.
    """
    _one(conn, "id", media_id)
    name = encoder_name(conn, encoder)
    values: Row = {"media_id": media_id, "encoder": name, "k": k, "source": source}
    values["class_ids"] = class_ids(conn, class_)
    return name, _rows(conn, statement("media", "similar"), values)


def encoders(conn: psycopg.Connection[Any]) -> list[Row]:
    """The encoders that there are, by name."""
    return _rows(conn, statement("media", "encoders"), {})


def encoder_name(conn: psycopg.Connection[Any], name: str | None = None) -> str:
    """The name of an encoder that there is, or of the only one; NotFound if there is none."""
    if name is None:
        return only_encoder(conn)
    known = [row["name"] for row in encoders(conn)]
    if name not in known:
        raise NotFound(f"no encoder {name!r}; there are: {', '.join(known) or 'none'}")
    return name


def class_ids(conn: psycopg.Connection[Any], class_: str | None) -> list[int] | None:
    """The classes in use of a name, as ids, of which Postgres knows how frequent they are.

    None without a name; InvalidInput for a class that is not in use.
    """
    if class_ is None:
        return None
    found = _rows(conn, statement("media", "class_ids"), {"class": class_})
    if not found:
        raise InvalidInput(f"no class {class_!r} is in use; see: smartdb classes")
    return [row["class_id"] for row in found]


def only_encoder(conn: psycopg.Connection[Any]) -> str:
    """The name of the only encoder; NotFound without one, InvalidInput if there are several."""
    known = [row["name"] for row in encoders(conn)]
    if not known:
        raise NotFound("there are no embeddings yet; run: smartdb embed")
    if len(known) > 1:
        raise InvalidInput(f"there are several encoders; name one of: {', '.join(known)}")
    return str(known[0])


def _one(conn: psycopg.Connection[Any], name: str, media_id: int) -> Row:
    found = _rows(conn, statement("media", name), {"media_id": media_id})
    if not found:
        raise NotFound(f"no media {media_id}")
    return found[0]


def _rows(
    conn: psycopg.Connection[Any], query: sql.SQL | sql.Composed, values: dict[str, Any]
) -> list[Row]:
    """The rows; planned anew each time, for what is quick depends on the values."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values, prepare=False).fetchall()
