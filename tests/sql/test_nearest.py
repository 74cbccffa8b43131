"""nearest() with an index: never short, whatever the condition, and equal to the exact answer."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest

N, DIM, K = 6000, 16, 10
SETUP = """
insert into core.run (kind, code_version) values ('test', '0');
insert into core.media (sha256, kind, mime, n_bytes, width, height, group_key, run_id)
select sha256(int8send(i)), 'image', 'image/png', 1, 1, 1, 'centre ' || i % 40, 1
from generate_series(1, 6000) as i;
select core.add_encoder('toy', 16)
"""
EXACT = """
select v.media_id from smartdb.embedding_1 as v
where v.media_id in (select w.media_id from smartdb.media_where(%s) as w)
order by (v.v <=> %s::halfvec) + 0, v.media_id limit 10
"""
NEAREST = "select media_id from smartdb.nearest(%s::halfvec, 'toy', 10, %s)"
CONDITIONS = {
    "all": "true",
    "most": "m.media_id % 10 > 0",
    "a tenth": "m.media_id % 10 = 0",
    "few, all in one place far away": "m.group_key = 'centre 17'",
    "four": "m.media_id <= 4",
    "none": "false",
}


@pytest.fixture
def query(owner: psycopg.Connection) -> str:
    """6,000 vectors around 40 centres, indexed; the text of a query near centre 0."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((40, DIM))
    owner.execute(SETUP)
    ids = np.arange(1, N + 1)
    vectors = centres[ids % 40] + 0.3 * rng.standard_normal((N, DIM))
    with owner.cursor() as cursor:
        cursor.executemany(
            "insert into core.embedding_1 values (%s, l2_normalize(%s::halfvec))",
            [(int(i), str(v.tolist())) for i, v in zip(ids, vectors, strict=True)],
        )
    owner.execute("select core.index_encoder(1)")
    owner.commit()
    return str(centres[0].tolist())


def answers(conn: psycopg.Connection, query: str, condition: str) -> tuple[list[int], list[int]]:
    found = conn.execute(NEAREST, (query, condition)).fetchall()
    exact = conn.execute(EXACT, (condition, query)).fetchall()
    return [row[0] for row in found], [row[0] for row in exact]


def test_no_condition_leaves_it_short_or_far_from_exact(
    owner: psycopg.Connection, query: str
) -> None:
    for condition in CONDITIONS.values():
        found, exact = answers(owner, query, condition)
        assert len(found) == len(exact)
        assert len({*found} & {*exact}) >= 0.9 * len(exact), condition


def test_what_the_index_leaves_short_is_answered_exactly(
    owner: psycopg.Connection, query: str
) -> None:
    owner.execute("set hnsw.max_scan_tuples = 1")
    owner.execute("set hnsw.scan_mem_multiplier = 1")
    owner.execute("set work_mem = '64kB'")
    condition = "m.media_id %% 2 = 0 and m.group_key <> 'centre 0'".replace("%%", "%")
    found, exact = answers(owner, query, condition)
    assert found == exact
    assert len(found) == K


def test_more_than_there_are_gives_all(owner: psycopg.Connection, query: str) -> None:
    n = owner.execute(
        "select count(*) from smartdb.nearest(%s::halfvec, 'toy', 9000)", (query,)
    ).fetchone()
    assert n == (N,)


def test_the_index_is_used(owner: psycopg.Connection, query: str) -> None:
    owner.execute("analyze core.embedding_1")
    plan = (
        "explain select media_id from smartdb.embedding_1 order by v <=> %s::halfvec(16) limit 10"
    )
    lines = [row[0] for row in owner.execute(plan, (query,))]
    assert any("embedding_1_hnsw" in line for line in lines)
    before = owner.execute("select pg_stat_get_numscans('core.embedding_1_hnsw'::regclass)")
    n = before.fetchone()
    owner.execute(NEAREST, (query, "true"))
    owner.execute("select pg_stat_force_next_flush()")
    owner.commit()
    after = owner.execute("select pg_stat_get_numscans('core.embedding_1_hnsw'::regclass)")
    assert after.fetchone() != n
