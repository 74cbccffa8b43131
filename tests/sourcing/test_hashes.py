"""Pairs alike by hash: all within four bits, each once, and only what is new is compared again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import bulk, duplicates, embeddings, hashes
from smartdb.embeddings import Registered
from smartdb.encoders import Encoder

Connection = psycopg.Connection[Any]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Add = Callable[[Hashes], list[int]]


@pytest.fixture
def encoder(conn: Connection) -> Registered:
    embeddings.register(conn, Encoder("x", 4, np.asarray, np.asarray, 1))
    conn.commit()
    return embeddings.find(conn, "x")


@pytest.fixture
def add(conn: Connection, encoder: Registered) -> Add:
    """A function that adds media with these hashes, each with a vector of its own."""
    row = conn.execute(
        "insert into core.run (kind, code_version) values ('test', '0') returning run_id"
    ).fetchone()
    assert row is not None

    def add(wanted: Hashes) -> list[int]:
        ids = [
            conn.execute(
                "insert into core.media (sha256, kind, mime, n_bytes, width, height, phash, run_id)"
                " values (sha256(uuidv7()::text::bytea), 'image', 'image/png', 1, 1, 1, "
                "%s::bit(64), %s) returning media_id",
                (f"{value:064b}", row[0]),
            ).fetchone()[0]  # type: ignore[index]
            for value in wanted.tolist()
        ]
        vectors = np.random.default_rng(len(ids)).standard_normal((len(ids), 4)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        table = f"core.embedding_{encoder.encoder_id}"
        staged = bulk.staging(conn, "staged", like=table)
        bulk.copy_arrays(conn, staged, {"media_id": np.array(ids), "v": vectors})
        conn.execute(f"insert into {table} table staged".encode())
        conn.commit()
        return ids

    return add


def some_hashes(n: int, seed: int) -> Hashes:
    """Random ones, and as many again that differ from one of these in one to six bits."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 2**64, n, dtype=np.uint64)
    near = base.copy()
    for place, value in enumerate(base.tolist()):
        for bit in rng.choice(64, rng.integers(1, 7), replace=False).tolist():
            value ^= 1 << bit
        near[place] = value
    return np.concatenate([base, near])


def stored(conn: Connection) -> dict[tuple[int, int], int]:
    rows = conn.execute("select media_id, other_id, bits from core.duplicate_pair")
    return {(a, b): bits for a, b, bits in rows}


def expected(ids: list[int], given: Hashes, most: int) -> dict[tuple[int, int], int]:
    bits = np.bitwise_count(given[:, None] ^ given[None, :])
    a, b = np.nonzero(np.triu(bits <= most, 1))
    ends = zip(a.tolist(), b.tolist(), strict=True)
    return {(ids[i], ids[j]): int(bits[i, j]) for i, j in ends}


def test_the_blocks_are_64_bits_and_no_mask_is_met_twice() -> None:
    assert sum(hashes.BLOCKS) == 64
    assert len(set(hashes.masks())) == 15
    assert np.bitwise_or.reduce(np.array(hashes.masks(), np.int64)) == -1


def test_all_pairs_within_four_bits_are_found_and_none_beyond_six(
    conn: Connection, encoder: Registered, add: Add
) -> None:
    given = some_hashes(200, 0)
    ids = add(given)
    counts = hashes.compare(conn, encoder)
    found = stored(conn)
    assert expected(ids, given, hashes.COMPLETE).items() <= found.items()
    assert found.items() <= expected(ids, given, hashes.MAX_BITS).items()
    assert counts == {"n_hashed": 400, "n_new": 400, "n_pairs": len(found)}


def test_what_is_new_is_compared_with_all_and_what_is_known_is_not_again(
    conn: Connection, encoder: Registered, add: Add
) -> None:
    given = some_hashes(100, 1)
    ids = add(given[:100])
    hashes.compare(conn, encoder)
    before = stored(conn)
    ids += add(given[100:])
    counts = hashes.compare(conn, encoder)
    assert counts["n_new"] == 100
    assert expected(ids, given, hashes.COMPLETE).items() <= stored(conn).items()
    assert counts["n_pairs"] == len(stored(conn)) - len(before)
    assert hashes.compare(conn, encoder)["n_new"] == 0


def test_a_vector_that_comes_late_has_all_compared_anew(
    conn: Connection, encoder: Registered, add: Add
) -> None:
    ids = add(np.array([7, 7, 7], np.uint64))
    hidden = conn.execute(
        f"delete from core.embedding_{encoder.encoder_id} where media_id = %s returning v".encode(),
        (ids[0],),
    ).fetchone()
    assert hidden is not None
    hashes.compare(conn, encoder)
    assert set(stored(conn)) == {(ids[1], ids[2])}
    conn.execute(
        f"insert into core.embedding_{encoder.encoder_id} values (%s, %s)".encode(),
        (ids[0], hidden[0]),
    )
    conn.commit()
    hashes.compare(conn, encoder)
    assert set(stored(conn)) == {(ids[0], ids[1]), (ids[0], ids[2]), (ids[1], ids[2])}


def test_a_thousand_equal_hashes_make_no_million_pairs(
    conn: Connection, encoder: Registered, add: Add
) -> None:
    ids = add(np.full(1000, 3, np.uint64))
    hashes.compare(conn, encoder)
    found = stored(conn)
    assert len(found) < 1000 * (hashes.FEW + 1)
    assert {(ids[0], other) for other in ids[1:]} <= set(found)


def test_an_interrupted_comparison_is_begun_again(
    conn: Connection, encoder: Registered, add: Add
) -> None:
    add(np.array([1, 1, 1], np.uint64))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hashes.compare(conn, encoder, progress=stop)
    assert stored(conn) == {}
    assert hashes.compare(conn, encoder)["n_pairs"] == 3


def test_groups_need_no_graph_and_are_not_made_twice(
    cli: Callable[..., Any], conn: Connection, encoder: Registered, add: Add
) -> None:
    given = np.random.default_rng(5).integers(0, 2**64, 40, dtype=np.uint64)
    given[1] = given[0]
    ids = add(given)
    copy = f"""update core.embedding_{encoder.encoder_id} as v set v = w.v
        from core.embedding_{encoder.encoder_id} as w where v.media_id = %s and w.media_id = %s"""
    with psycopg.connect(conn.info.dsn) as admin:
        admin.execute(copy.encode(), (ids[1], ids[0]))
    result = cli("duplicates")
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == ["n_groups", "n_media", "1", "2"]
    again = cli("duplicates", "--json")
    assert '"is_new": 0' in again.stdout
    rows = conn.execute("select media_id from smartdb.duplicate_group where is_representative")
    assert rows.fetchall() == [(ids[0],)]
    assert duplicates.group(conn, "x")["is_new"] == 0
