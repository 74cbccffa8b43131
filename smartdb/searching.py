"""Searching: by words, by a saved prompt, by examples, in any mixture; and how well the index does.

Each is one function of the database (smartdb.search_text, search, nearest, nearest_to); here they
are asked with where the media lie, kept to a source, a class or any predicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from smartdb import embeddings
from smartdb.errors import InvalidInput, translated
from smartdb.media import class_ids
from smartdb.statements import statement

Row = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What to search for: ``text`` in what is written, the rest in how pictures look.

    ``prompt`` is a saved text, ``more`` and ``fewer`` are ids of media; only one of the two ways to
    say how pictures look can be given, together with ``text`` or without.
    """

    text: str | None = None
    prompt: str | None = None
    more: Sequence[int] = field(default=())
    fewer: Sequence[int] = field(default=())
    encoder: str | None = None
    """May be left out where there is only one."""
    predicate: str = "true"
    k: int = 10


def search(conn: psycopg.Connection[Any], wish: Wish) -> list[Row]:
    """The ``k`` media that fulfil the wish, best first: media_id, score, text_rank, vector_rank,
    distance, source, kind, mime, width, height, uri, class.

    Without text there is no text_rank, and so on. By both, the score is that of reciprocal rank
    fusion. InvalidInput for a wish of nothing, of both prompt and examples, or of fewer alone.
    """
    if not (wish.text or wish.prompt or wish.more):
        raise InvalidInput("say what to search for: a text, a prompt, or media to find more like")
    if wish.prompt and wish.more:
        raise InvalidInput("search by a prompt or by examples, not by both")
    if wish.fewer and not wish.more:
        raise InvalidInput("say also which media to find more like, not only which to find fewer")
    look = "prompt" if wish.prompt else "examples" if wish.more else ""
    name = "_and_".join(filter(None, ("text" if wish.text else "", look)))
    values = {**asdict(wish), "more": list(wish.more), "fewer": list(wish.fewer)}
    query = statement("searching", "shown").format(found=statement("searching", name))
    return _rows(conn, query, values)


def predicate(conn: psycopg.Connection[Any], source: str | None, class_: str | None) -> str:
    """The predicate that keeps media that lie in a source and count as a class in use."""
    values = {"source": source, "class_ids": class_ids(conn, class_)}
    return str(_rows(conn, statement("searching", "predicate"), values)[0]["predicate"])


def build_index(conn: psycopg.Connection[Any], encoder_name: str | None = None) -> bool:
    """Builds the HNSW index of an encoder's vectors; False if there is one. The caller commits.

    Takes minutes for a million vectors, and writers of this encoder's vectors wait meanwhile.
    """
    encoder = embeddings.find(conn, encoder_name)
    has_index = recall_report(conn, encoder.name, n_queries=0)["has_index"]
    if not has_index:
        with translated():
            conn.execute(statement("searching", "index"), {"encoder_id": encoder.encoder_id})
    return not has_index


def recall_report(
    conn: psycopg.Connection[Any],
    encoder_name: str | None = None,
    *,
    k: int = 10,
    n_queries: int = 20,
    seed: int = 0,
    predicate: str = "true",
) -> Row:
    """One row of smartdb.recall_report: how many of the exact answers nearest() finds, how fast."""
    values = {"encoder": encoder_name, "k": k, "n_queries": n_queries, "seed": seed}
    values["predicate"] = predicate
    return _rows(conn, statement("searching", "recall_report"), values)[0]


def _rows(conn: psycopg.Connection[Any], query: Any, values: Row) -> list[Row]:
    """The rows; planned anew each time, for what is quick depends on the values."""
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values, prepare=False).fetchall()
