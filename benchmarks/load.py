"""Loading: rows through staging into the core's tables, beside bare COPY of the same rows.

Bare COPY goes into a table with the same indexes and checks, but without triggers, row-level
security and staging; COPY into a table with nothing on it is told too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from benchmarks import synthetic
from benchmarks.harness import Figure, Took, run, seconds, took
from benchmarks.synthetic import Mixture
from smartdb.bulk import copy_arrays, staging

COLUMNS = {
    "media": "sha256, kind, mime, n_bytes, width, height, captured_at, phash, group_key, exif, "
    "attributes, run_id",
    "media_location": "media_id, source_id, uri, n_bytes, modified_at",
    "quality": "media_id, brightness, contrast, sharpness, entropy, colourfulness",
    "label": "media_id, class_id, kind, x, y, w, h, origin, actor_id, run_id",
}


@dataclass(frozen=True)
class Bare:
    """Seconds of COPY into a table with nothing on it, and into one with the same indexes."""

    plain: float
    indexed: float


def fill(conn: psycopg.Connection[Any], n: int, dim: int) -> list[Figure]:
    """Fills a new database with ``n`` media, 3 n labels and n vectors, and says how fast."""
    for command in synthetic.REFERENCE.split(";"):
        conn.execute(command.encode())
    figures = [
        _load(conn, "media", n, synthetic.MEDIA.format(n)),
        _load(conn, "media_location", n, synthetic.LOCATION),
        _load(conn, "quality", n, synthetic.QUALITY),
        _load(conn, "label", 3 * n, synthetic.LABEL),
        _load_vectors(conn, Mixture(n, dim)),
    ]
    for table in (*COLUMNS, "embedding_1"):
        conn.execute(sql.SQL("vacuum (analyze) core.{}").format(sql.Identifier(table)))
    return figures


def fill_rows(conn: psycopg.Connection[Any], n: int) -> None:
    """Fills a new database with ``n`` media and 3 n labels, and compares nothing."""
    for command in synthetic.REFERENCE.split(";"):
        conn.execute(command.encode())
    queries = (synthetic.MEDIA.format(n), synthetic.LOCATION, synthetic.QUALITY, synthetic.LABEL)
    for table, query in zip(COLUMNS, queries):
        with synthetic.spool(conn, query) as file:
            _stage_and_insert(conn, table, sql.SQL(COLUMNS[table]), file)
        conn.execute(sql.SQL("vacuum (analyze) core.{}").format(sql.Identifier(table)))


def add_vectors(conn: psycopg.Connection[Any], mixture: Mixture) -> None:
    """Gives the first media the vectors of ``mixture``, of a new encoder called bench."""
    run(conn, "select core.add_encoder('bench', %s)", mixture.dim)
    for ids, vectors in mixture.chunks():
        _add_vectors(conn, {"media_id": ids, "v": vectors})
    conn.execute("vacuum (analyze) core.embedding_1")


def _load(conn: psycopg.Connection[Any], table: str, n: int, query: str) -> Figure:
    columns = sql.SQL(COLUMNS[table])
    with synthetic.spool(conn, query) as file:
        bare = _bare(conn, table, columns, file)
        ours = took(conn, partial(_stage_and_insert, conn, table, columns, file))
    return _figure(table, n, ours, bare)


def _stage_and_insert(
    conn: psycopg.Connection[Any], table: str, columns: sql.SQL, file: Any
) -> None:
    with conn.transaction():
        name = staging(conn, "incoming", like=f"core.{table}", columns=COLUMNS[table].split(", "))
        synthetic.pour(conn, file, name, COLUMNS[table])
        insert = sql.SQL("insert into {} ({}) select {} from incoming")
        conn.execute(insert.format(sql.Identifier("core", table), columns, columns))


def _bare(conn: psycopg.Connection[Any], table: str, columns: sql.SQL, file: Any) -> Bare:
    """COPY into a table without index or constraint, and into a twin with the same ones."""
    made = sql.SQL("create table core.bare as select {} from {} with no data")
    conn.execute(made.format(columns, sql.Identifier("core", table)))
    twin = sql.SQL("create table core.twin (like {} including all)")
    conn.execute(twin.format(sql.Identifier("core", table)))
    bare = seconds(lambda: synthetic.pour(conn, file, "core.bare", COLUMNS[table]))
    indexed = seconds(lambda: synthetic.pour(conn, file, "core.twin", COLUMNS[table]))
    conn.execute("drop table core.bare, core.twin")
    return Bare(bare, indexed)


def _load_vectors(conn: psycopg.Connection[Any], mixture: Mixture) -> Figure:
    run(conn, "select core.add_encoder('bench', %s)", mixture.dim)
    conn.execute("create table core.bare (like core.embedding_1 including storage)")
    conn.execute("create table core.twin (like core.embedding_1 including all)")
    bare = indexed = wall = cpu = 0.0
    for ids, vectors in mixture.chunks():
        columns: dict[str, Any] = {"media_id": ids, "v": vectors}
        bare += seconds(partial(copy_arrays, conn, "core.bare", columns))
        indexed += seconds(partial(copy_arrays, conn, "core.twin", columns))
        ours = took(conn, partial(_add_vectors, conn, columns))
        wall, cpu = wall + ours.wall, cpu + (ours.cpu or 0)
    conn.execute("drop table core.bare, core.twin")
    return _figure("vectors", mixture.n, Took(wall, cpu), Bare(bare, indexed))


def _add_vectors(conn: psycopg.Connection[Any], columns: Mapping[str, Any]) -> None:
    with conn.transaction():
        copy_arrays(conn, staging(conn, "incoming", like="core.embedding_1"), columns)
        conn.execute("insert into core.embedding_1 select media_id, v from incoming")


def _figure(name: str, n: int, ours: Took, bare: Bare) -> Figure:
    note = f"{n / ours.wall:,.0f}/s; {ours.wall / bare.plain:.1f}x COPY without any index"
    limit = f"< 2x, is {ours.wall / bare.indexed:.1f}x COPY"
    holds = ours.wall <= 2 * bare.indexed if n >= 100_000 else None  # small loads say nothing
    return Figure(f"load {n:,} {name}", ours.wall, "s", limit, holds, note, ours.cpu)
