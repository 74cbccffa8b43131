"""Ten pictures in folders, none of them labelled yet; no files lie behind them.

Media 1 to 4 lie in train/cat, 5 to 8 in train/dog, 8 also in val/cat, 9 and 10 in no folder.
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from smartdb import server
from smartdb.database import connect

PETS = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('pets', 'file:///pets');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(('pet ' || i)::bytea), 'image', 'image/png', 100, 32, 24, 1
from generate_series(1, 10) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, format('file:///pets/%s%s.png', folder, i), 100, timestamptz '2026-01-01'
from (
    select i, case when i <= 4 then 'train/cat/' when i <= 8 then 'train/dog/' end as folder
    from generate_series(1, 10) as i
    union all select 8, 'val/cat/'
) as file;
"""


@pytest.fixture(scope="session")
def pets_template(server_home: Any, template: str) -> str:
    """The name of a database with the pets, which is only ever copied."""
    name = "smartdb_pets"
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    with connect(server.url(server_home, name), role="smartdb_owner") as conn:
        conn.execute(PETS)
    return name


@pytest.fixture
def database(pets_template: str, databases: Any) -> str:
    """The url of a copy of the pets, dropped after the test."""
    url: str = databases.copy(pets_template)
    return url
