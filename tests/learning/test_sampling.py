"""The next batch: uncertain, spread out, the same for the same seed, written once."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import batches, datasets, sampling, training
from smartdb.errors import InvalidInput, NotFound, NothingToDo
from smartdb.samplers.spread import spread


@pytest.fixture
def run_id(conn: psycopg.Connection) -> int:
    """A training run on 300 labelled media; 460 have a vector, 60 no label."""
    datasets.create_version(conn, "fruit", ontology="things", query="m.media_id <= 300")
    return training.train_head(conn, "fruit", 1, "toy").run_id


def next_batch(conn: psycopg.Connection, run: int, n: int, **options: Any) -> int:
    options = {"pool": "unlabelled", **options}
    return sampling.sample(conn, "uncertain+diverse", n, run=run, **options)


def chosen(conn: psycopg.Connection, batch_id: int) -> list[int]:
    return [item.media_id for item in batches.items(conn, batch_id)]


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def test_a_batch_is_chosen_among_the_unlabelled(conn: psycopg.Connection, run_id: int) -> None:
    items = batches.items(conn, next_batch(conn, run_id, 8))
    assert [item[0] for item in items] == list(range(1, 9))
    assert {item[1] for item in items} <= set(range(401, 461))
    assert "the largest of the pool" in items[0][3]
    assert all("cosine distance" in item[3] for item in items[1:])
    query = (
        "select media_id, entropy from smartdb.prediction join smartdb.run using (run_id)"
        " where kind = 'predict' and class is null order by entropy desc limit 40"
    )
    wanted = dict(conn.execute(query).fetchall())
    assert {item[1] for item in items} <= wanted.keys()
    assert [item[2] for item in items] == pytest.approx([wanted[item[1]] for item in items])
    assert items[0][1] == next(iter(wanted))


def test_the_same_call_again_returns_the_same_batch(conn: psycopg.Connection, run_id: int) -> None:
    first = next_batch(conn, run_id, 8, seed=3)
    assert next_batch(conn, run_id, 8, seed=3) == first
    other = next_batch(conn, run_id, 8, seed=4)
    assert other != first
    assert chosen(conn, other) != chosen(conn, first)
    assert conn.execute("select count(*) from core.batch").fetchone() == (2,)
    assert conn.execute("select count(*) from core.run where kind = 'sample'").fetchone() == (2,)


def test_labelled_media_leave_the_pool(conn: psycopg.Connection, run_id: int) -> None:
    before = chosen(conn, next_batch(conn, run_id, 10))
    conn.execute(
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " select media_id, 1, 'import', 1 from unnest(%s::bigint[]) as u (media_id)",
        [before],
    )
    after = chosen(conn, next_batch(conn, run_id, 10, seed=1))
    assert not set(after) & set(before)


def test_a_pool_that_is_too_small_is_taken_whole_and_says_so(
    conn: psycopg.Connection, run_id: int
) -> None:
    items = batches.items(conn, next_batch(conn, run_id, 100))
    assert sorted(item[1] for item in items) == list(range(401, 461))
    assert all("all 60 candidates were taken, 100 asked for" in item[3] for item in items)


def test_an_empty_pool_is_an_error_that_leaves_no_batch(
    conn: psycopg.Connection, run_id: int
) -> None:
    conn.execute(
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " select i, 1, 'import', 1 from generate_series(401, 460) as i"
    )
    conn.commit()
    with pytest.raises(NothingToDo, match="no unlabelled media"):
        next_batch(conn, run_id, 5)
    assert conn.execute("select count(*) from core.batch").fetchone() == (0,)


def test_other_pools_are_the_labelled_and_all(conn: psycopg.Connection, run_id: int) -> None:
    labelled = chosen(conn, next_batch(conn, run_id, 20, pool="labelled"))
    assert set(labelled) <= set(range(1, 301))
    everything = chosen(conn, next_batch(conn, run_id, 460, pool="all"))
    assert sorted(everything) == list(range(1, 461))


def test_what_makes_no_sense_is_refused(conn: psycopg.Connection, run_id: int) -> None:
    for options, said in (
        ({"n": 0}, "cannot choose 0"),
        ({"n": 5, "prefilter": 0}, "cannot choose among 0"),
        ({"n": 5, "pool": "some"}, "no pool 'some'"),
    ):
        with pytest.raises(InvalidInput, match=said):
            next_batch(conn, run_id, **options)
    with pytest.raises(NotFound, match="no run 99999 with predictions"):
        next_batch(conn, 99999, 5)
    with pytest.raises(NotFound, match="no encoder 'clip'"):
        next_batch(conn, run_id, 5, encoder="clip")
    with pytest.raises(NotFound, match="no batch 77"):
        batches.items(conn, 77)


def test_of_media_that_look_alike_a_batch_takes_one(
    conn: psycopg.Connection, owner: psycopg.Connection, run_id: int
) -> None:
    first = chosen(conn, next_batch(conn, run_id, 1))[0]
    conn.commit()
    owner.execute(
        "with alike as (delete from core.embedding_1 where media_id between 401 and 420"
        " and media_id <> %(id)s returning media_id)"
        " insert into core.embedding_1"
        " select a.media_id, e.v from alike as a, core.embedding_1 as e where e.media_id = %(id)s",
        {"id": first},
    )
    owner.execute("delete from core.embedding_1 where media_id = 460")
    owner.commit()
    alike = set(range(401, 421)) | {first}
    batch = chosen(conn, next_batch(conn, run_id, 10, seed=1))
    assert len(alike & set(batch)) == 1
    query = "select media_id from smartdb.sample_uncertain(10, 0, 'm.media_id > 400', %s)"
    newest = conn.execute("select max(run_id) from core.run where kind = 'predict'").fetchone()
    uncertain = {row[0] for row in conn.execute(query, newest)}
    assert len(alike & uncertain) == 10


def test_spread_starts_with_the_largest_weight_and_takes_one_of_each_cluster() -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(5)[np.arange(100) % 5]
    x = unit(centres + 0.01 * rng.standard_normal((100, 5)))
    weight = np.ones(100)
    weight[42] = 1.1
    for seed in range(20):
        places, distance = spread(x, weight, 5, seed)
        assert places[0] == 42
        assert sorted(places % 5) == [0, 1, 2, 3, 4]
        assert np.isinf(distance[0])
        assert (distance[1:] > 0.9).all()


def test_spread_takes_equal_rows_last_and_never_twice() -> None:
    x = unit(np.repeat(np.eye(3), 4, axis=0))
    places, distance = spread(x, np.arange(12.0), 12, 0)
    assert sorted(places) == list(range(12))
    assert sorted(places[:3] // 4) == [0, 1, 2]
    assert (distance[3:] < 1e-6).all()


def test_spread_of_nothing_and_of_weight_zero() -> None:
    assert len(spread(np.zeros((0, 3), np.float32), np.zeros(0), 4, 0)[0]) == 0
    places, _ = spread(unit(np.eye(3)), np.zeros(3), 3, 0)
    assert sorted(places) == [0, 1, 2]
