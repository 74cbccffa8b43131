"""The graph grows: what adding, hiding and losing vectors leaves is what one build makes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import bulk, duplicates, embeddings, knn, neighbours, runs
from smartdb.encoders import Encoder

Connection = psycopg.Connection[Any]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Add = Callable[[Floats], list[int]]

EDGES = "select media_id, rank, neighbour_id, distance::float8 from core.neighbour order by 1, 2"


def units(n: int, d: int = 8, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def add(conn: Connection) -> Add:
    """A function that adds media with these vectors of the encoder "x", and returns their ids."""
    with runs.run(conn, "test") as opened:
        pass

    def add(vectors: Floats) -> list[int]:
        encoder = Encoder("x", vectors.shape[1], np.asarray, np.asarray, 1)
        encoder_id = embeddings.register(conn, encoder)
        added = conn.execute(
            "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id) "
            "select sha256(uuidv7()::text::bytea), 'image', 'image/png', 1, 1, 1, %s "
            "from generate_series(1, %s) returning media_id",
            [opened.run_id, len(vectors)],
        )
        ids = [found[0] for found in added]
        write(conn, encoder_id, ids, vectors)
        return ids

    return add


def write(conn: Connection, encoder_id: int, ids: list[int], vectors: Floats) -> None:
    staged = bulk.staging(conn, "staged", like=f"core.embedding_{encoder_id}")
    bulk.copy_arrays(conn, staged, {"media_id": np.array(ids), "v": vectors})
    conn.execute(f"insert into core.embedding_{encoder_id} table staged".encode())
    conn.commit()


def exact(conn: Connection, k: int) -> list[tuple[Any, ...]]:
    """The edges as one build over all vectors that can be seen makes them."""
    ids, vectors = embeddings.read_vectors(conn, "x")
    near, distance = knn.knn(vectors, k)
    return [
        (int(ids[row]), rank + 1, int(ids[near[row, rank]]), float(distance[row, rank]))
        for row in range(len(ids))
        for rank in range(near.shape[1])
    ]


def edges(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute(EDGES).fetchall()


def facts(conn: Connection) -> list[tuple[Any, ...]]:
    """What the graph says of each media, and what its edges say."""
    return conn.execute(
        "select g.media_id, g.n_neighbours = count(n.rank), "
        "abs(g.distance - avg(n.distance)) < 1e-6 "
        "from core.media_graph as g left join core.neighbour as n using (media_id) "
        "group by g.media_id, g.n_neighbours, g.distance order by 1"
    ).fetchall()


@pytest.mark.parametrize("rows", [7, 4096])
def test_a_graph_built_in_parts_is_the_graph_built_at_once(
    conn: Connection, add: Add, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(knn, "ROWS", rows)
    monkeypatch.setattr(knn, "COLUMNS", rows + 2)
    vectors = units(120)
    vectors[60:70] = vectors[3]  # equal distances too
    parts = (0, 3, 40, 41, 100, 120)
    for start, end in pairwise(parts):
        add(vectors[start:end])
        assert neighbours.build(conn, "x", k=5)["n_compared"] == end - start
        assert edges(conn) == exact(conn, 5)
    assert facts(conn) == [(media_id, True, True) for media_id, _, _ in facts(conn)]


def test_only_what_changes_is_written(conn: Connection, add: Add) -> None:
    add(units(200))
    neighbours.build(conn, "x", k=3)
    before = set(conn.execute("select xmin::text, media_id, rank from core.neighbour").fetchall())
    new = add(units(2, seed=1))
    neighbours.build(conn, "x", k=3)
    after = set(conn.execute("select xmin::text, media_id, rank from core.neighbour").fetchall())
    touched = {media_id for _, media_id, _ in after - before}
    nearer = {row[0] for row in edges(conn) if row[2] in new} | set(new)
    assert touched == nearer
    assert len(touched) < 30


def test_vectors_that_go_are_repaired(conn: Connection, add: Add) -> None:
    ids = add(units(60))
    neighbours.build(conn, "x", k=4)
    conn.execute("delete from core.embedding_1 where media_id = any (%s)", [ids[:3]])
    conn.commit()
    gap = dict(conn.execute("select * from smartdb.graph_gap('x')").fetchall())
    lost = [media_id for media_id, reason in gap.items() if reason == "lost edge"]
    assert 0 < len(lost) < 40
    assert neighbours.build(conn, "x", k=4)["n_compared"] == len(lost)
    assert edges(conn) == exact(conn, 4)
    assert len(facts(conn)) == 57
    assert neighbours.build(conn, "x", k=4)["is_new"] == 0


def test_a_vector_that_is_made_anew_gets_its_new_neighbours(conn: Connection, add: Add) -> None:
    ids = add(units(40))
    neighbours.build(conn, "x", k=4)
    conn.execute("delete from core.embedding_1 where media_id = %s", [ids[5]])
    write(conn, 1, [ids[5]], units(1, seed=9))
    neighbours.build(conn, "x", k=4)
    assert edges(conn) == exact(conn, 4)


def test_hidden_media_leave_the_graph_and_come_back(
    conn: Connection, add: Add, as_role: Callable[[str], Connection]
) -> None:
    ids = add(units(40))
    neighbours.build(conn, "x", k=4)
    conn.execute("insert into core.restriction (media_id, reason) values (%s, 'test')", [ids[7]])
    conn.commit()
    reader = as_role("smartdb_reader")
    shown = "select count(*) from smartdb.media_graph where media_id = %s"
    assert reader.execute(shown, [ids[7]]).fetchone() == (0,)
    neighbours.build(conn, "x", k=4)
    assert edges(conn) == exact(conn, 4)
    assert conn.execute("select count(*) from core.media_graph").fetchone() == (39,)
    privacy = as_role("smartdb_privacy")
    privacy.execute("delete from core.restriction where media_id = %s", [ids[7]])
    privacy.commit()
    assert neighbours.build(conn, "x", k=4)["n_compared"] == 1
    assert len(edges(conn)) == 160
    assert edges(conn) == exact(conn, 4)


def test_edges_deleted_by_hand_come_back(conn: Connection, add: Add) -> None:
    add(units(10))
    neighbours.build(conn, "x", k=3)
    conn.execute("delete from core.neighbour where rank = 2 and media_id <= 4")
    conn.commit()
    assert neighbours.build(conn, "x", k=3)["is_new"] == 1
    assert edges(conn) == exact(conn, 3)


def test_a_vector_that_goes_while_it_is_compared_leaves_no_edge(
    conn: Connection, add: Add, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(units(20))

    def go(*arguments: Any) -> None:
        knn.compare(*arguments)
        with psycopg.connect(database) as other:  # nothing of the build is in its way
            other.execute("set role smartdb_writer; set lock_timeout = '2s'")
            other.execute("delete from core.embedding_1 where media_id = %s", [ids[4]])

    monkeypatch.setattr(neighbours, "compare", go)
    neighbours.build(conn, "x", k=3)
    assert ids[4] not in {end for row in edges(conn) for end in (row[0], row[2])}
    monkeypatch.setattr(neighbours, "compare", knn.compare)
    assert neighbours.build(conn, "x", k=3)["is_new"] == 1
    assert edges(conn) == exact(conn, 3)


def test_an_update_that_fails_leaves_the_old_edges(
    conn: Connection, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(units(20))
    neighbours.build(conn, "x", k=3)
    before, told = edges(conn), facts(conn)
    add(units(20, seed=1))
    monkeypatch.setattr(embeddings, "n_vectors", None)  # in the middle of writing
    with pytest.raises(TypeError):
        neighbours.build(conn, "x", k=3)
    assert (edges(conn), facts(conn)) == (before, told)
    monkeypatch.undo()


def test_a_k_beyond_the_number_of_media_gives_all(conn: Connection, add: Add) -> None:
    for n, edges_wanted in ((0, 0), (1, 0), (1, 2), (1, 6)):
        add(units(n, seed=n + edges_wanted))
        assert neighbours.build(conn, "x", k=1000)["n_edges"] == edges_wanted
        assert neighbours.build(conn, "x", k=10)["is_new"] == 0
    uniqueness = conn.execute("select max(uniqueness) from smartdb.media_graph").fetchone()
    assert uniqueness == (1,)


def test_uniqueness_is_the_weighted_distance_as_a_share_of_the_largest(
    conn: Connection, add: Add
) -> None:
    add(units(30))
    neighbours.build(conn, "x", k=5)
    _, vectors = embeddings.read_vectors(conn, "x")
    _, distance = knn.knn(vectors, 3)
    weighted = distance @ np.array([0.6, 0.3, 0.1])
    found = conn.execute("select uniqueness from smartdb.media_graph order by media_id").fetchall()
    np.testing.assert_allclose([row[0] for row in found], weighted / weighted.max(), atol=1e-6)


def test_groups_are_made_anew_only_when_the_graph_changed(conn: Connection, add: Add) -> None:
    vectors = units(30)
    add(vectors)
    neighbours.build(conn, "x", k=5)
    assert duplicates.group(conn, "x")["n_groups"] == 0
    add(vectors[:2])
    neighbours.build(conn, "x", k=5)
    grown = duplicates.group(conn, "x")
    assert (grown["n_groups"], grown["n_media"], grown["is_new"]) == (2, 4, 1)
    neighbours.build(conn, "x", k=5)
    assert duplicates.group(conn, "x")["is_new"] == 0
