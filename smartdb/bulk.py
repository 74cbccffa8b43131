"""Bulk rows and vectors through binary COPY: the only place of COPY and of vector conversion.

`copy_arrays` writes fixed-width columns from NumPy arrays (the fast way), `copy_rows` anything
else, row by row as it comes. `read_columns`, `read_vectors`, `vector_chunks` and `packed_chunks`
read back.
COPY cannot write to a table with row-level security: write to `staging` and insert from there.
None of these functions commits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from smartdb.errors import DimensionMismatch, InvalidInput, translated

Array = NDArray[Any]
Column = Array | Sequence[Any]
Query = str | sql.Composable

MAX_HALF = 65504.0
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_CHUNK_BYTES = 2 << 20
_UNFIT = (psycopg.DataError, TypeError, ValueError, IndexError, OverflowError, struct.error)


def copy_arrays(conn: psycopg.Connection[Any], table: str, columns: Mapping[str, Column]) -> int:
    """Copies equally long columns into ``table`` and returns the number of rows.

    The array decides the type that is sent, and the table's column must have it: int64 bigint,
    int32 integer, int16 smallint, float32 real, float64 double precision, bool boolean,
    (n, d) float32 or float16 halfvec(d). Nothing is null. All values are checked before the first
    is sent: InvalidInput for NaN, infinity or above 65,504 in a vector, DimensionMismatch for
    vectors of unequal length or another length than the table's.
    """
    arrays = {name: _checked(name, column) for name, column in columns.items()}
    n = _common_length(arrays)
    dtype = np.dtype([field for name, a in arrays.items() for field in _fields(name, a)])
    rows = max(1, _CHUNK_BYTES // (dtype.itemsize + 2))
    buffer = np.zeros(min(n, rows), dtype=[("n_fields", ">i2"), ("row", dtype)])
    buffer["n_fields"] = len(arrays)
    for name, array in arrays.items():
        _write_lengths(buffer["row"], name, array)
    with translated(), conn.cursor() as cur, cur.copy(_copy_from(table, arrays)) as copy:
        copy.write(_HEADER)
        for start in range(0, n, rows):
            filled = buffer[: min(rows, n - start)]
            for name, array in arrays.items():
                filled["row"][name] = array[start : start + rows]
            copy.write(filled.tobytes())
        copy.write(_TRAILER)
    return n


def copy_rows(
    conn: psycopg.Connection[Any],
    table: str,
    types: Mapping[str, str],
    rows: Iterable[Sequence[Any]],
) -> int:
    """Copies an iterable of rows as they come and returns their number; None is null.

    ``types`` maps column to Postgres type in the order of the rows' values: {"uri": "text",
    "exif": "jsonb", "phash": "bit(64)", "tags": "text[]", "v": "halfvec"}. A bit value is bytes or
    a str of 0 and 1, a jsonb value anything that json can write, a halfvec a sequence of floats;
    real[], integer[] and bigint[] are fastest from NumPy arrays.
    """
    wire = [_wire_type(name) for name in types.values()]
    own = [(i, write) for i, (_, write) in enumerate(wire) if write is not None]
    n = 0
    with translated(), conn.cursor() as cur, cur.copy(_copy_from(table, types)) as copy:
        copy.set_types([name for name, _ in wire])
        copy_row = copy.write_row
        for n, row in enumerate(rows, start=1):
            try:
                copy_row(_in_own_format(row, own) if own else row)
            except (*_UNFIT, InvalidInput) as error:
                raise InvalidInput(f"row {n} for {table}: {error}") from error
    return n


def staging(
    conn: psycopg.Connection[Any], name: str, *, like: str, columns: Sequence[str] = ()
) -> str:
    """Makes the empty temporary table ``name``, gone at the end of the transaction.

    It has the columns (all, or those named) and types of ``like`` and none of its constraints.
    """
    chosen = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("*")
    statement = sql.SQL(
        "drop table if exists pg_temp.{name};"
        "create temp table {name} on commit drop as select {columns} from {like} with no data"
    ).format(name=sql.Identifier(name), columns=chosen, like=_identifier(like))
    with translated():
        conn.execute(statement)
    return name


def read_columns(
    conn: psycopg.Connection[Any],
    query: Query,
    types: Mapping[str, str],
    params: Mapping[str, Any] | None = None,
) -> dict[str, Array]:
    """The result of ``query`` as one array for each column, by binary COPY.

    ``types`` names the columns in the query's order with their NumPy types (i8 bigint, i4, i2,
    f4 real, f8, ? boolean). InvalidInput where a value is null or of another width.
    """
    dtype = np.dtype([("n_fields", ">i2"), *(f for n, t in types.items() for f in _field(n, t))])
    blocks = [np.zeros(0, dtype)]
    for block in _blocks(conn, query, params):
        if len(block) % dtype.itemsize:
            raise InvalidInput(f"a value is null or not of the type asked for: {dict(types)}")
        blocks.append(np.frombuffer(block, dtype))
        _check_lengths(blocks[-1], types)
    rows = np.concatenate(blocks)
    return {name: rows[name].astype(kind) for name, kind in types.items()}


def read_vectors(
    conn: psycopg.Connection[Any], query: Query, params: Mapping[str, Any] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Ids (n,) int64 and vectors (n, d) float32 of a query for (bigint, halfvec or vector).

    Without rows d is 0. Peak memory is the result and one chunk.
    """
    ids, vectors, n = np.zeros(0, np.int64), np.zeros((0, 0), np.float32), 0
    for some_ids, some in vector_chunks(conn, query, params):
        if n + len(some) > len(ids):
            size = max(n + len(some), 2 * len(ids))
            ids.resize(size, refcheck=False)
            vectors.resize((size, some.shape[1]), refcheck=False)
        ids[n : n + len(some)], vectors[n : n + len(some)] = some_ids, some
        n += len(some)
    ids.resize(n, refcheck=False)
    vectors.resize((n, vectors.shape[1]), refcheck=False)
    return ids, vectors


def vector_chunks(
    conn: psycopg.Connection[Any], query: Query, params: Mapping[str, Any] | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """What `read_vectors` reads, in chunks of about 2 MB; memory does not grow with the rows.

    The connection is busy until the last chunk was taken; closing the generator before that
    cancels the query and with it the transaction.
    """
    for block in _blocks(conn, query, params):
        rows = np.frombuffer(block, _vector_dtype(block))
        if (rows["id length"] != 8).any() or (rows["vector head"] != rows["vector head"][0]).any():
            raise InvalidInput("a value is null, or vectors differ in length")
        yield rows["id"].astype(np.int64), rows["v"].astype(np.float32)


def packed_chunks(
    conn: psycopg.Connection[Any],
    query: Query,
    types: Mapping[str, tuple[str, int] | str],
    params: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Array]]:
    """Rows that the server has put together by the thousand: half the time of `read_columns`.

    ``query`` returns one bytea, the rows of a chunk without anything between them:
    string_agg(int8send(id) || array_send(p), ''). ``types`` names the parts in that order, "i8" or,
    for an array of ten reals, ("f4", 10), which comes as (n, 10). InvalidInput where an array is
    of another length or holds a null.
    """
    dtype = np.dtype([field for name, kind in types.items() for field in _packed(name, kind)])
    composed = sql.SQL(query.strip().rstrip(";")) if isinstance(query, str) else query
    statement = sql.SQL("copy ({}\n) to stdout (format binary)").format(composed)
    with translated(), conn.cursor() as cur, cur.copy(statement, params) as copy:
        for i, message in enumerate(copy):
            # a header before the first; then the number of fields and the length of the one
            block = bytes(message)[(len(_HEADER) if i == 0 else 0) + 6 :]
            if len(block) % dtype.itemsize == len(_TRAILER):
                block = block.removesuffix(_TRAILER)
            if len(block) % dtype.itemsize:
                raise InvalidInput(f"a value is null or an array of another length: {dict(types)}")
            if block:
                yield _unpacked(np.frombuffer(block, dtype), types)


# Checks before anything is sent


def _checked(name: str, column: Column) -> Array:
    try:
        array = np.asarray(column)
    except ValueError as error:
        raise DimensionMismatch(f"{name}: vectors of unequal length, {_ragged(column)}") from error
    if array.ndim == 2 and array.dtype.kind == "f":
        return _checked_vectors(name, array)
    if array.ndim != 1 or array.dtype.str[1:] not in _SCALARS:
        raise InvalidInput(f"{name}: cannot copy an array of {array.dtype}, shape {array.shape}")
    return array


def _checked_vectors(name: str, array: Array) -> Array:
    if array.size and not max(array.max(), -array.min()) <= MAX_HALF:  # not: NaN compares false
        row = int(np.argmin((np.abs(array) <= MAX_HALF).all(axis=1)))
        raise InvalidInput(
            f"{name}: the vector of row {row} has a value that is not finite or above 65504; "
            "normalise vectors to length 1 first"
        )
    return array


def _ragged(column: Column) -> str:
    lengths = [len(vector) for vector in column]
    row = next(i for i, length in enumerate(lengths) if length != lengths[0])
    return f"row {row} has {lengths[row]} values and row 0 {lengths[0]}"


def _common_length(arrays: Mapping[str, Array]) -> int:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise InvalidInput(f"columns of unequal length: {lengths}")
    return next(iter(lengths.values()))


# Layout on the wire: for each field an int32 length, then the value, all big-endian


def _field(name: str, kind: Any) -> list[tuple[Any, ...]]:
    return [(f"{name} length", ">i4"), (name, np.dtype(kind).newbyteorder(">"))]


def _fields(name: str, array: Array) -> list[tuple[Any, ...]]:
    if array.ndim == 1:
        return _field(name, array.dtype)
    head = [(f"{name} length", ">i4"), (f"{name} dim", ">i2"), (f"{name} unused", ">i2")]
    return [*head, (name, ">f2", (array.shape[1],))]


def _write_lengths(rows: Array, name: str, array: Array) -> None:
    if array.ndim == 1:
        rows[f"{name} length"] = array.dtype.itemsize
    else:
        rows[f"{name} length"], rows[f"{name} dim"] = 4 + 2 * array.shape[1], array.shape[1]


def _check_lengths(rows: Array, types: Mapping[str, str]) -> None:
    right = rows["n_fields"] == len(types)
    for name in types:
        right &= rows[f"{name} length"] == rows[name].dtype.itemsize
    if not right.all():
        raise InvalidInput(f"a value is null or not of the type asked for: {dict(types)}")


def _packed(name: str, kind: tuple[str, int] | str) -> list[tuple[Any, ...]]:
    if isinstance(kind, str):
        return [(name, np.dtype(kind).newbyteorder(">"))]
    item = np.dtype(kind[0]).newbyteorder(">")
    element = np.dtype([("length", ">i4"), ("value", item)])
    return [(f"{name} head", ">i4", (5,)), (name, element, (kind[1],))]


def _unpacked(rows: Array, types: Mapping[str, tuple[str, int] | str]) -> dict[str, Array]:
    found = {}
    for name, kind in types.items():
        if isinstance(kind, str):
            found[name] = rows[name].astype(kind)
            continue
        item, n = np.dtype(kind[0]), kind[1]
        if (rows[f"{name} head"][:, 3] != n).any() or (rows[name]["length"] != item.itemsize).any():
            raise InvalidInput(f"{name}: an array is not {n} long, or holds a null")
        found[name] = rows[name]["value"].astype(item)
    return found


def _vector_dtype(block: bytes) -> np.dtype[Any]:
    """Layout of rows (id, vector), read off the first; halfvec has 2, vector 4 bytes a value."""
    n_fields, id_length = struct.unpack_from(">hi", block)
    length, dim = struct.unpack_from(">ih", block, 14) if len(block) >= 20 else (0, 0)
    if (n_fields, id_length) != (2, 8) or dim < 1 or (length - 4) // dim not in (2, 4):
        raise InvalidInput("the query must return a bigint and a vector, neither of them null")
    item = (length - 4) // dim
    head = [("fields", ">i2"), ("id length", ">i4"), ("id", ">i8"), ("vector head", ">i8")]
    return np.dtype([*head, ("v", f">f{item}", (dim,))])


def _blocks(
    conn: psycopg.Connection[Any], query: Query, params: Mapping[str, Any] | None
) -> Iterator[bytes]:
    """Rows of equal width of a binary COPY in blocks of about 2 MB, without header and trailer."""
    composed = sql.SQL(query.strip().rstrip(";")) if isinstance(query, str) else query
    statement = sql.SQL("copy ({}\n) to stdout (format binary)").format(composed)
    with translated(), conn.cursor() as cur, cur.copy(statement, params) as copy:
        first = bytes(next(iter(copy)))[len(_HEADER) :]  # one message a row, a header before all
        width, messages = len(first), chain([first], copy)
        while block := b"".join(islice(messages, max(1, _CHUNK_BYTES // width))):
            if len(block) % width == len(_TRAILER) or block == _TRAILER:
                block = block.removesuffix(_TRAILER)
            if len(block) % width:
                raise InvalidInput("a value is null, or vectors differ in length")
            if block:
                yield block


def _copy_from(table: str, columns: Iterable[str]) -> sql.Composed:
    return sql.SQL("copy {} ({}) from stdin (format binary)").format(
        _identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


# Types that psycopg does not write, or writes without checking the range (it sends 2**32 as the
# integer 0): sent as the bytes of their binary format, declared as bytea


def _bits(value: bytes | str) -> bytes:
    if isinstance(value, bytes):
        return struct.pack(">i", 8 * len(value)) + value
    n_bytes = (len(value) + 7) // 8
    packed = int(value.ljust(8 * n_bytes, "0") or "0", 2).to_bytes(n_bytes, "big")
    return struct.pack(">i", len(value)) + packed


def _half(value: Sequence[float] | Array) -> bytes:
    vector = _checked_vectors("halfvec", np.asarray(value, np.float32).reshape(1, -1))
    return struct.pack(">hh", vector.size, 0) + vector.astype(">f2").tobytes()


def _array_writer(kind: str, oid: int) -> Callable[[Any], bytes]:
    """Writes one-dimensional arrays: dimensions, any nulls, element type, length, first index."""
    item = np.dtype(kind)
    element = np.dtype([("length", ">i4"), ("value", item)])

    def alone(value: Any) -> bytes:
        return np.array((item.itemsize, value), element).tobytes()

    def write(value: Sequence[Any] | Array) -> bytes:
        if not isinstance(value, np.ndarray) and None in value:
            head = struct.pack(">iiiii", 1, 1, oid, len(value), 1)
            return head + b"".join(_NULL if v is None else alone(v) for v in value)
        cells = np.empty(len(value), element)
        cells["length"], cells["value"] = item.itemsize, value
        if not len(cells):
            return struct.pack(">iii", 0, 0, oid)
        return struct.pack(">iiiii", 1, 0, oid, len(cells), 1) + cells.tobytes()

    return write


_SCALARS = ("i8", "i4", "i2", "f4", "f8", "b1")
_OWN_FORMAT: dict[str, Callable[[Any], bytes]] = {
    "bit": _bits,
    "halfvec": _half,
    "smallint": struct.Struct(">h").pack,
    "integer": struct.Struct(">i").pack,
    "bigint": struct.Struct(">q").pack,
    "real": struct.Struct(">f").pack,
    "real[]": _array_writer(">f4", 700),
    "integer[]": _array_writer(">i4", 23),
    "bigint[]": _array_writer(">i8", 20),
}


def _wire_type(type_name: str) -> tuple[str, Callable[[Any], bytes] | None]:
    """The type to declare for a column and how to write its values, if not as psycopg does."""
    base = type_name.partition("(")[0].strip()
    if base in _OWN_FORMAT:
        return "bytea", _OWN_FORMAT[base]
    if psycopg.adapters.types.get(base) is None:
        raise InvalidInput(f"cannot copy values of type {type_name!r}")
    return base, None


def _in_own_format(
    row: Sequence[Any], own: Sequence[tuple[int, Callable[[Any], bytes]]]
) -> Sequence[Any]:
    values = list(row)
    for i, write in own:
        if values[i] is not None:
            values[i] = write(values[i])
    return values
