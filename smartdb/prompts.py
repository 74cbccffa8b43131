"""Prompts: texts that an encoder's text tower turned into vectors, kept to search with in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from smartdb import bulk, embeddings
from smartdb.encoders import Encoder
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.statements import statement

LONGEST = 2000
"""Characters of a text; towers read fewer (CLIP 77 tokens) and leave out the rest."""


def add(conn: psycopg.Connection[Any], encoder: Encoder, texts: Sequence[str]) -> int:
    """Saves the vectors of ``texts`` by the encoder's text tower, and returns how many were new.

    Texts that are saved already are not computed again. The model computes outside of any
    transaction, and the caller commits what is written then. InvalidInput for an encoder without
    a text tower, for an empty text, and for one above `LONGEST`; NotFound where the database does
    not know the encoder, so has no pictures to search.
    """
    known = embeddings.find(conn, encoder.name)
    wanted = list(dict.fromkeys(_checked(text) for text in texts))
    saved = {row["text"] for row in saved_prompts(conn, known.name)}
    conn.commit()
    new = [text for text in wanted if text not in saved]
    vectors = encoder.encode_text(new)
    bulk.staging(conn, "prompt_new", like="core.prompt", columns=["text", "v"])
    bulk.copy_rows(conn, "prompt_new", {"text": "text", "v": "halfvec"}, zip(new, vectors))
    with translated():
        return conn.execute(statement("prompts", "add"), {"encoder_id": known.encoder_id}).rowcount


def saved_prompts(
    conn: psycopg.Connection[Any], encoder_name: str | None = None
) -> list[dict[str, Any]]:
    """The saved texts (encoder, text, created_at) by encoder and text, of all encoders or one."""
    if encoder_name is not None:
        embeddings.find(conn, encoder_name)
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("prompts", "list"), {"encoder": encoder_name}).fetchall()


def remove(conn: psycopg.Connection[Any], encoder_name: str | None, text: str) -> None:
    """Takes back a saved text; NotFound if there is none. The caller commits."""
    encoder = embeddings.find(conn, encoder_name)
    values = {"encoder_id": encoder.encoder_id, "text": text}
    with translated():
        n = conn.execute(statement("prompts", "remove"), values).rowcount
    if not n:
        raise NotFound(f"no prompt {text!r} of encoder {encoder.name!r}; see: smartdb prompt list")


def _checked(text: str) -> str:
    if not text.strip() or len(text) > LONGEST or "\0" in text:
        raise InvalidInput(f"a prompt is a text of 1 to {LONGEST} characters, not {text[:50]!r}")
    return text
