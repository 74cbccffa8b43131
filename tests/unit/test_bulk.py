"""Binary COPY in and out: what goes in comes back, and what cannot go in is named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import bulk
from smartdb.errors import DimensionMismatch, InvalidInput

Connection = psycopg.Connection[Any]


@pytest.fixture
def table(conn: Connection) -> Connection:
    """A connection with the empty temporary table vector_of (id, v halfvec(3))."""
    conn.execute("create temp table vector_of (id bigint, v halfvec(3))")
    return conn


def test_every_fixed_width_type_goes_in_and_comes_out_the_same(conn: Connection) -> None:
    conn.execute(
        "create temp table t (a bigint, b integer, c smallint, d real, e double precision, f bool)"
    )
    columns = {
        "a": np.array([-(2**63), 2**63 - 1]),
        "b": np.array([-(2**31), 2**31 - 1], np.int32),
        "c": np.array([-(2**15), 2**15 - 1], np.int16),
        "d": np.array([1.5, np.inf], np.float32),
        "e": np.array([1e300, -0.0]),
        "f": np.array([True, False]),
    }
    assert bulk.copy_arrays(conn, "t", columns) == 2
    types = {"a": "i8", "b": "i4", "c": "i2", "d": "f4", "e": "f8", "f": "?"}
    found = bulk.read_columns(conn, "select * from t order by a", types)
    for name, column in columns.items():
        assert found[name].dtype == column.dtype
        np.testing.assert_array_equal(found[name], column)


def test_vectors_come_back_in_half_precision_over_several_chunks(table: Connection) -> None:
    n = 3 * bulk._CHUNK_BYTES // 28
    vectors = np.random.default_rng(0).standard_normal((n, 3)).astype(np.float32)
    assert bulk.copy_arrays(table, "vector_of", {"id": np.arange(n), "v": vectors}) == n
    ids, found = bulk.read_vectors(table, "select id, v from vector_of order by id;")
    np.testing.assert_array_equal(ids, np.arange(n))
    np.testing.assert_array_equal(found, vectors.astype(np.float16).astype(np.float32))


def test_vectors_can_be_read_chunk_by_chunk(table: Connection) -> None:
    n = 3 * bulk._CHUNK_BYTES // 28
    vectors = np.zeros((n, 3), np.float32)
    bulk.copy_arrays(table, "vector_of", {"id": np.arange(n), "v": vectors})
    sizes = [len(ids) for ids, _ in bulk.vector_chunks(table, "select id, v from vector_of")]
    assert sum(sizes) == n
    assert len(sizes) == 3
    assert max(sizes) * 28 <= bulk._CHUNK_BYTES + 28


def test_single_precision_vectors_are_read_too(conn: Connection) -> None:
    query = "select 7::bigint, '[1,0.1]'::vector where %(yes)s"
    ids, found = bulk.read_vectors(conn, query, {"yes": True})
    np.testing.assert_array_equal(ids, [7])
    np.testing.assert_array_equal(found, np.array([[1, 0.1]], np.float32))


def test_no_rows_go_in_and_out(table: Connection) -> None:
    nothing = {"id": np.zeros(0, np.int64), "v": np.zeros((0, 3), np.float32)}
    assert bulk.copy_arrays(table, "vector_of", nothing) == 0
    assert bulk.copy_rows(table, "vector_of", {"id": "bigint"}, []) == 0
    ids, vectors = bulk.read_vectors(table, "select id, v from vector_of")
    assert ids.shape == (0,)
    assert vectors.shape == (0, 0)
    assert bulk.read_columns(table, "select id from vector_of", {"id": "i8"})["id"].shape == (0,)


def test_mixed_rows_with_nulls_come_back_as_they_were(conn: Connection) -> None:
    types = {
        "a": "text", "j": "jsonb", "b": "bit(12)", "t": "timestamptz", "r": "real[]",
        "y": "bytea", "s": "smallint", "v": "halfvec(2)", "x": "real",
    }  # fmt: skip
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    conn.execute(f"create temp table mixed ({columns})".encode())
    when = datetime(2024, 5, 17, 10, tzinfo=UTC)
    row = ("ü\n'", {"a": [1, None]}, "010011000111", when, [1.5, None], b"\0", 7, [1, 2], 0.5)
    assert bulk.copy_rows(conn, "mixed", types, [row, (None,) * 9]) == 2
    query = "select a, j, b::text, t, r, y, s, v::real[], x from mixed order by a"
    assert conn.execute(query).fetchall() == [row, (None,) * 9]


def test_bits_may_be_given_as_bytes(conn: Connection) -> None:
    conn.execute("create temp table hashed (phash bit(64))")
    bulk.copy_rows(conn, "hashed", {"phash": "bit(64)"}, [(b"\x80" + bytes(6) + b"\x01",)])
    assert conn.execute("select phash::text from hashed").fetchall() == [("1" + "0" * 62 + "1",)]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 65505.0, -1e6])
def test_a_value_that_half_precision_cannot_hold_names_its_row(
    table: Connection, bad: float
) -> None:
    vectors = np.ones((5, 3), np.float32)
    vectors[3, 1] = bad
    with pytest.raises(InvalidInput, match=r"v: the vector of row 3 .* normalise"):
        bulk.copy_arrays(table, "vector_of", {"id": np.arange(5), "v": vectors})
    assert table.execute("select count(*) from vector_of").fetchone() == (0,)


def test_vectors_of_unequal_length_name_the_row(table: Connection) -> None:
    with pytest.raises(DimensionMismatch, match="row 2 has 2 values and row 0 3"):
        bulk.copy_arrays(table, "vector_of", {"id": np.arange(3), "v": [[1.0] * 3] * 2 + [[1, 2]]})


def test_vectors_of_another_length_than_the_tables_are_refused(table: Connection) -> None:
    with pytest.raises(DimensionMismatch, match="expected 3 dimensions, not 2"):
        bulk.copy_arrays(table, "vector_of", {"id": np.arange(1), "v": np.ones((1, 2))})


def test_columns_of_unequal_length_are_refused(table: Connection) -> None:
    with pytest.raises(InvalidInput, match=r"unequal length: \{'id': 2, 'v': 1\}"):
        bulk.copy_arrays(table, "vector_of", {"id": np.arange(2), "v": np.ones((1, 3))})


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", 2**31), ("smallint", 40000), ("bigint", 2**63), ("real", 1e39), ("integer", "x")],
)
def test_a_value_out_of_range_names_its_row(conn: Connection, kind: str, value: Any) -> None:
    conn.execute(f"create temp table narrow (x {kind})".encode())
    with pytest.raises(InvalidInput, match="row 2 for narrow"):
        bulk.copy_rows(conn, "narrow", {"x": kind}, [(1,), (value,)])


def test_a_type_that_does_not_exist_is_refused(table: Connection) -> None:
    with pytest.raises(InvalidInput, match="values of type 'bigin'"):
        bulk.copy_rows(table, "vector_of", {"id": "bigin"}, [(1,)])


@pytest.mark.parametrize(
    "query",
    [
        "select 1::bigint, null::halfvec",
        "select 1::bigint, '[1]'::halfvec union all select 2, '[1,2]'",
        "select 1::bigint, '[1,2]'::halfvec union all select 2, null",
        "select 1::integer, '[1]'::halfvec",
        "select 1::bigint",
    ],
)
def test_reading_what_is_not_an_id_and_a_vector_is_refused(conn: Connection, query: str) -> None:
    with pytest.raises(InvalidInput):
        bulk.read_vectors(conn, query)


@pytest.mark.parametrize("query", ["select null::bigint", "select 1::integer", "select 1::int8, 2"])
def test_reading_a_column_of_another_type_is_refused(conn: Connection, query: str) -> None:
    with pytest.raises(InvalidInput):
        bulk.read_columns(conn, query, {"x": "i8"})


def test_a_staging_table_has_no_constraints_and_is_gone_after_the_transaction(
    conn: Connection,
) -> None:
    name = bulk.staging(conn, "staged", like="core.media", columns=["media_id", "width"])
    bulk.copy_arrays(conn, name, {"media_id": np.arange(2)})
    assert conn.execute("select media_id, width from staged").fetchall() == [(0, None), (1, None)]
    bulk.staging(conn, "staged", like="core.media")
    assert conn.execute("select count(*) from staged").fetchone() == (0,)
    conn.commit()
    assert conn.execute("select to_regclass('pg_temp.staged')").fetchone() == (None,)
