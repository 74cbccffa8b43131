"""Questions whose answer should be none: what Dagster's asset checks and `smartdb doctor` ask."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.statements import statement


def embedding_gap(conn: psycopg.Connection[Any], encoder: str, source: str) -> tuple[int, int]:
    """Images of a source without a vector of the encoder, and images of the source."""
    return _pair(conn, "gap", encoder=encoder, source=source)


def refused_files(conn: psycopg.Connection[Any], source: str) -> tuple[int, int]:
    """Files of a source in quarantine, and all its files."""
    return _pair(conn, "refused", source=source)


def small_classes(conn: psycopg.Connection[Any], ontology: str, minimum: int) -> dict[str, int]:
    """Classes that fewer than ``minimum`` media count as, with how many do."""
    return {name: n for name, n in _rows(conn, "classes", ontology=ontology) if n < minimum}


def split_leaks(conn: psycopg.Connection[Any], dataset: str) -> list[tuple[int, str, int, str]]:
    """Up to 100 pairs (media, split, media, split) that the newest version wrongly parts."""
    return _rows(conn, "leaks", dataset=dataset)


def semantic_duplicates(
    conn: psycopg.Connection[Any], dataset: str, encoder: str, eps: float
) -> tuple[int, int]:
    """Members of the newest version within cosine distance ``eps`` of one before them, and all.

    It reads the stored neighbour graph, so it costs no more than a join; an edge that is not among
    the nearest neighbours of the later one is not seen.
    """
    return _pair(conn, "semantic_duplicates", dataset=dataset, encoder=encoder, eps=eps)


def agreement(conn: psycopg.Connection[Any], ontology: str) -> tuple[int, float | None]:
    """Media of an ontology that several annotators judged, and Krippendorff's alpha of these."""
    rows = _rows(conn, "agreement", ontology=ontology)
    return (rows[0][0], rows[0][1]) if rows else (0, None)


def new_reviews(conn: psycopg.Connection[Any], ontology: str, after: int) -> tuple[int, int]:
    """How many verdicts were given since review ``after``, and the id of the newest review."""
    return _pair(conn, "reviews", ontology=ontology, after=after)


def _pair(conn: psycopg.Connection[Any], name: str, **values: Any) -> tuple[int, int]:
    rows = _rows(conn, name, **values)
    return (rows[0][0], rows[0][1]) if rows else (0, 0)


def _rows(conn: psycopg.Connection[Any], name: str, **values: Any) -> list[Any]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("checks", name), values).fetchall()
