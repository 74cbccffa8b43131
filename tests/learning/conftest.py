"""A world to learn from: 460 pictures of three overlapping classes, seen by a 16-number encoder.

Media 1 to 400 are labelled (import), 401 to 460 are not; 11 and 12, 21 and 22 are near-duplicates;
the pictures of sensor 1 (one in ten) are darker. No files lie behind them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from smartdb import bulk, server
from smartdb.database import connect

N, N_LABELLED, DIM = 460, 400, 16
WORLD = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('world', 'file:///world');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(('world ' || i)::bytea), 'image', 'image/png', 100, 32, 24, 1
from generate_series(1, 460) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, 'file:///world/' || i || '.png', 100, '2026-01-01' from generate_series(1, 460) as i;
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select i, case when i % 10 = 0 then 0.1 else 0.5 end, 0.2, i, 5, 30
from generate_series(1, 460) as i;
insert into core.duplicate (media_id, group_id, run_id)
values (11, 11, 1), (12, 11, 1), (21, 21, 1), (22, 21, 1);
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'three');
insert into core.class (ontology_id, name, version_from)
values (1, 'apple', 1), (1, 'pear', 1), (1, 'plum', 1);
insert into core.actor (name, kind) values ('folders', 'import');
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1 + i % 3, 'import', 1 from generate_series(1, 400) as i;
select core.add_encoder('toy', 16);
"""


@pytest.fixture(scope="session")
def world_template(server_home: Path, template: str) -> str:
    """The name of a database with the world, which is only ever copied."""
    name = "smartdb_world"
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    with connect(server.url(server_home, name), role="smartdb_owner") as conn:
        conn.execute(WORLD)
        staged = bulk.staging(conn, "copied_vector", like="core.embedding_1")
        ids = np.arange(1, N + 1, dtype=np.int64)
        bulk.copy_arrays(conn, staged, {"media_id": ids, "v": world_vectors()})
        conn.execute("insert into core.embedding_1 select * from copied_vector")
    return name


@pytest.fixture
def database(world_template: str, databases: Any) -> str:
    """The url of a copy of the world, dropped after the test."""
    url: str = databases.copy(world_template)
    return url


def world_vectors() -> np.ndarray:
    """Unit vectors (460, 16): a centre for each class, and noise."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((3, DIM))
    x = centres[np.arange(1, N + 1) % 3] + 1.5 * rng.standard_normal((N, DIM))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
