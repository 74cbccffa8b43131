"""The neighbour graph: exact, deterministic, replaced as a whole, and not made twice."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import bulk, embeddings, knn, neighbours
from smartdb.encoders import Encoder
from smartdb.errors import InvalidInput, NotFound

Connection = psycopg.Connection[Any]
Floats = np.ndarray[Any, np.dtype[np.float32]]


def random_units(n: int, d: int, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def add(conn: Connection) -> Callable[[Floats], list[int]]:
    """A function that adds media with these vectors of the encoder "x", and returns their ids."""
    run = "insert into core.run (kind, code_version) values ('test', '0') returning run_id"
    row = conn.execute(run).fetchone()
    assert row is not None

    def add(vectors: Floats) -> list[int]:
        encoder = Encoder("x", vectors.shape[1], np.asarray, np.asarray, 1)
        encoder_id = embeddings.register(conn, encoder)
        added = conn.execute(
            "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id) "
            "select sha256(uuidv7()::text::bytea), 'image', 'image/png', 1, 1, 1, %s "
            "from generate_series(1, %s) returning media_id",
            [row[0], len(vectors)],
        )
        ids = [found[0] for found in added]
        staged = bulk.staging(conn, "staged", like=f"core.embedding_{encoder_id}")
        bulk.copy_arrays(conn, staged, {"media_id": np.array(ids), "v": vectors})
        conn.execute(f"insert into core.embedding_{encoder_id} table staged".encode())
        conn.commit()
        return ids

    return add


@pytest.mark.parametrize(("n", "k"), [(300, 10), (12, 10), (11, 10), (5, 10), (2, 1)])
def test_knn_finds_what_comparing_all_with_all_finds(
    n: int, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knn, "ROWS", 64)
    monkeypatch.setattr(knn, "COLUMNS", 50)
    vectors = random_units(n, 16)
    near, distances = knn.knn(vectors, k)
    exact = 1 - vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(exact, 9)
    order = np.argsort(exact, axis=1)[:, : min(k, n - 1)]
    np.testing.assert_array_equal(near, order)
    np.testing.assert_allclose(distances, np.take_along_axis(exact, order, 1), atol=1e-6)


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_has_no_neighbours(n: int) -> None:
    near, distances = knn.knn(random_units(n, 4), 10)
    assert near.shape == distances.shape == (n, 0)


def test_of_equal_distances_the_smaller_row_comes_first() -> None:
    vectors = np.repeat(random_units(3, 33), 5, axis=0)[np.random.default_rng(1).permutation(15)]
    near, distances = knn.knn(vectors, 6)
    for row, (others, far) in enumerate(zip(near, distances, strict=True)):
        assert row not in others
        same = [i for i in range(15) if i != row and (vectors[i] == vectors[row]).all()]
        assert others[:4].tolist() == same
        assert far[4] == far[5]
        assert others[4] < others[5]


def test_memory_stays_within_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knn, "ROWS", 100)
    monkeypatch.setattr(knn, "COLUMNS", 400)
    vectors = random_units(4000, 8)
    tracemalloc.start()
    knn.knn(vectors, 10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6  # all distances at once would be 64 MB


def test_edges_are_those_of_the_vectors(conn: Connection, add: Any) -> None:
    vectors = random_units(30, 8)
    ids = add(vectors)
    counts = neighbours.build(conn, "x", k=4)
    assert (counts["n_vectors"], counts["n_edges"], counts["is_new"]) == (30, 120, 1)
    near, distances = knn.knn(vectors.astype(np.float16).astype(np.float32), 4)
    rows = conn.execute(
        "select media_id, rank, neighbour_id, distance from core.neighbour order by 1, 2"
    ).fetchall()
    expected = [
        (ids[i], rank + 1, ids[near[i, rank]], pytest.approx(distances[i, rank], abs=1e-3))
        for i in range(30)
        for rank in range(4)
    ]
    assert rows == expected


def test_a_second_build_with_nothing_new_does_nothing(
    conn: Connection, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(random_units(6, 8))
    first = neighbours.build(conn, "x", k=3)
    monkeypatch.setattr(neighbours, "compare", None)
    assert neighbours.build(conn, "x", k=2) == {**first, "n_compared": 0, "is_new": 0}
    assert conn.execute("select count(*) from core.run where kind = 'neighbours'").fetchone() == (
        1,
    )


def test_a_larger_k_makes_the_graph_anew_and_a_smaller_one_does_not(
    conn: Connection, add: Any
) -> None:
    add(random_units(6, 8))
    assert neighbours.build(conn, "x", k=2)["n_edges"] == 12
    wider = neighbours.build(conn, "x", k=3)
    assert (wider["n_edges"], wider["n_compared"], wider["k"]) == (18, 6, 3)
    add(random_units(2, 8, seed=1))
    more = neighbours.build(conn, "x", k=2)
    assert (more["n_edges"], more["n_compared"], more["k"]) == (24, 2, 3)


def test_a_build_that_fails_leaves_the_old_edges(
    conn: Connection, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(random_units(6, 8))
    neighbours.build(conn, "x", k=3)

    def fail(*_: Any) -> Any:
        raise MemoryError("out of memory")

    monkeypatch.setattr(neighbours, "compare", fail)
    with pytest.raises(MemoryError):
        neighbours.build(conn, "x", k=4)
    assert conn.execute("select count(*) from core.neighbour").fetchone() == (18,)
    last = "select status from core.run where kind = 'neighbours' order by run_id desc limit 1"
    assert conn.execute(last).fetchone() == ("failed",)


def test_edges_of_hidden_media_go_with_the_next_build(conn: Connection, add: Any) -> None:
    ids = add(random_units(6, 8))
    neighbours.build(conn, "x", k=3)
    conn.execute("insert into core.restriction (media_id, reason) values (%s, 'test')", [ids[0]])
    conn.commit()
    assert neighbours.build(conn, "x", k=3)["n_vectors"] == 5
    rows = conn.execute("select media_id, neighbour_id from core.neighbour").fetchall()
    assert ids[0] not in {end for row in rows for end in row}


def test_one_media_or_none_has_no_edges(conn: Connection, add: Any) -> None:
    add(random_units(0, 8))
    assert neighbours.build(conn, "x")["n_edges"] == 0
    add(random_units(1, 8))
    assert neighbours.build(conn, "x")["n_edges"] == 0


def test_what_cannot_be_built_says_why(conn: Connection) -> None:
    with pytest.raises(InvalidInput, match="k is 0, it must be from 1 to 1000"):
        neighbours.build(conn, "x", k=0)
    with pytest.raises(NotFound, match="no encoders yet"):
        neighbours.build(conn, "x")
