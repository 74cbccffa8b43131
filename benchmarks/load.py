"""Loading: rows through staging into the core's tables, beside COPY into a bare table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from benchmarks import synthetic
from benchmarks.harness import Figure, run, seconds
from benchmarks.synthetic import Mixture
from smartdb.bulk import copy_arrays, staging

COLUMNS = {
    "media": "sha256, kind, mime, n_bytes, width, height, captured_at, phash, group_key, exif, "
    "attributes, run_id",
    "media_location": "media_id, source_id, uri, n_bytes, modified_at",
    "quality": "media_id, brightness, contrast, sharpness, entropy, colourfulness",
    "label": "media_id, class_id, kind, x, y, w, h, origin, actor_id, run_id",
}


def fill(conn: psycopg.Connection[Any], n: int, dim: int) -> list[Figure]:
    """Fills a new database with ``n`` media, 3 n labels and n vectors, and says how fast."""
    for command in synthetic.REFERENCE.split(";"):
        conn.execute(command.encode())
    figures = [
        _load(conn, "media", synthetic.MEDIA.format(n)),
        _load(conn, "media_location", synthetic.LOCATION),
        _load(conn, "quality", synthetic.QUALITY),
        _load(conn, "label", synthetic.LABEL),
        _load_vectors(conn, Mixture(n, dim)),
    ]
    for table in (*COLUMNS, "embedding_1"):
        conn.execute(sql.SQL("vacuum (analyze) core.{}").format(sql.Identifier(table)))
    return figures


def _load(conn: psycopg.Connection[Any], table: str, query: str) -> Figure:
    columns = sql.SQL(COLUMNS[table])
    with synthetic.spool(conn, query) as file:
        bare = _bare(conn, table, columns, file)
        start = time.perf_counter()
        with conn.transaction():
            name = staging(conn, "incoming", like=f"core.{table}", columns=_names(table))
            synthetic.pour(conn, file, name, COLUMNS[table])
            insert = sql.SQL("insert into {} ({}) select {} from incoming")
            added = conn.execute(insert.format(sql.Identifier("core", table), columns, columns))
        ours = time.perf_counter() - start
    return _figure(table, added.rowcount, ours, bare)


def _bare(conn: psycopg.Connection[Any], table: str, columns: sql.SQL, file: Any) -> float:
    made = sql.SQL("create table core.bare as select {} from {} with no data")
    conn.execute(made.format(columns, sql.Identifier("core", table)))
    bare = seconds(lambda: synthetic.pour(conn, file, "core.bare", COLUMNS[table]))
    conn.execute("drop table core.bare")
    return bare


def _load_vectors(conn: psycopg.Connection[Any], mixture: Mixture) -> Figure:
    run(conn, "select core.add_encoder('bench', %s)", mixture.dim)
    conn.execute("create table core.bare as select * from core.embedding_1 with no data")
    conn.execute("alter table core.bare alter column v set storage plain")
    bare = ours = 0.0
    for ids, vectors in mixture.chunks():
        columns = {"media_id": ids, "v": vectors}
        bare += seconds(lambda c=columns: copy_arrays(conn, "core.bare", c))
        ours += seconds(lambda c=columns: _add_vectors(conn, c))
    conn.execute("drop table core.bare")
    return _figure("vectors", mixture.n, ours, bare)


def _add_vectors(conn: psycopg.Connection[Any], columns: Mapping[str, Any]) -> None:
    with conn.transaction():
        copy_arrays(conn, staging(conn, "incoming", like="core.embedding_1"), columns)
        conn.execute("insert into core.embedding_1 select media_id, v from incoming")


def _figure(name: str, n: int, ours: float, bare: float) -> Figure:
    note = f"{n / ours:,.0f}/s, COPY into a bare table {n / bare:,.0f}/s"
    limit = f"{ours / bare:.1f}x bare (issue 4: 2x)"
    return Figure(f"load {n:,} {name}", ours, "s", limit, ours <= 2 * bare, note)


def _names(table: str) -> list[str]:
    return COLUMNS[table].split(", ")
