"""Embeddings: the vectors of the media by an encoder, each in the encoder's own table.

Vectors are facts about contents, so they never change; `embed` works off the media that have
none yet, and a second run with nothing new does nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import Jsonb

from smartdb import bulk, contents, encoders
from smartdb.contents import Content
from smartdb.encoders import Batch, Encoder, NoVector
from smartdb.errors import Conflict, DimensionMismatch, InvalidInput, NotFound, translated
from smartdb.runs import run
from smartdb.statements import statement

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T")
Vectors = NDArray[np.float32]
Progress = Callable[[int], None]

CHUNK = 1024
"""Media that are written and committed together."""

REASONS = ("missing", "changed", "unreadable", "corrupt", "no_vector", "no_place")
"""Why a picture has no vector: its files are gone, hold other bytes now, the file system says no,
they cannot be decoded (any more), the model returns none that is finite and not zero, or nothing
says where they lie."""


@dataclass(frozen=True)
class Registered:
    """An encoder as the database knows it."""

    encoder_id: int
    name: str
    dim: int
    weights_sha256: bytes | None
    preprocessing: Mapping[str, Any]

    @property
    def vectors(self) -> sql.Identifier:
        """Its table (media_id, v)."""
        return sql.Identifier("core", f"embedding_{self.encoder_id}")


def register(conn: psycopg.Connection[Any], encoder: Encoder) -> int:
    """The encoder's id in the database; makes its table of vectors if it is new.

    Conflict if the name belongs to an encoder with other weights, another length or another
    preparation of pixels.
    """
    prepared = json.loads(json.dumps(dict(encoder.preprocessing)))
    values = {
        "name": encoder.name,
        "dim": encoder.dim,
        "weights_sha256": encoder.weights_sha256,
        "preprocessing": Jsonb(prepared),
    }
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("embeddings", "add_encoder"), values).fetchone()
    assert row is not None
    known = find(conn, encoder.name)
    if _pixels(known.preprocessing) != _pixels(prepared):
        raise Conflict(
            f"encoder {encoder.name!r} is registered with another preparation of pixels; "
            "give this one a name of its own: ?name=..."
        )
    return int(row[0])


def embed(
    conn: psycopg.Connection[Any],
    encoder: Encoder,
    *,
    chunk: int = CHUNK,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Gives each image and frame that has none its vector, and returns how many were ``added``.

    Beside that, how many failed for each of `REASONS`: their files go to quarantine, and they
    are tried again in the next run. Files are read and the model computes outside of any
    transaction; each ``chunk`` of media is committed, so a run that is killed loses one chunk.
    ``progress`` gets the number of media done since it was called last. DimensionMismatch if the
    model returns vectors of another length than its encoder promises.
    """
    counts = Counter(dict.fromkeys(("added", *REASONS), 0))
    encoder_id = register(conn, encoder)
    conn.commit()
    registered = find(conn, encoder.name)
    gap = _gap(conn, registered, chunk)
    first = next(gap, None)
    if first is None:
        return dict(counts)
    parameters = {"encoder": encoder.name, "encoder_id": encoder_id}
    with translated(), run(conn, "embed", parameters) as opened:
        load = partial(_load, encoder)
        batches = encoder.encode_each(chain([first], gap), load, workers=workers)
        for batch in gathered(batches, chunk, progress):
            counts += _write(conn, registered, batch, opened.run_id)
            conn.commit()
        opened.counts.update(counts)
    return {name: counts[name] for name in ("added", *REASONS)}


def find(conn: psycopg.Connection[Any], name: str | None = None) -> Registered:
    """The registered encoder of this name, or the only one; NotFound says which there are."""
    known = all_encoders(conn)
    if name is None and len(known) == 1:
        return known[0]
    if not known:
        raise NotFound("there are no encoders yet; run: smartdb embed")
    names = ", ".join(encoder.name for encoder in known)
    if name is None:
        raise InvalidInput(f"there are several encoders; name one with --encoder: {names}")
    for encoder in known:
        if encoder.name == name:
            return encoder
    raise NotFound(f"no encoder {name!r}; there are: {names}")


def all_encoders(conn: psycopg.Connection[Any]) -> list[Registered]:
    """The registered encoders by name."""
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("embeddings", "encoders")).fetchall()
    return [Registered(**row) for row in rows]


def resolve(conn: psycopg.Connection[Any], spec: str | None, **options: Any) -> Encoder:
    """The encoder to compute with: a registered name, a specification, or the default.

    ``options`` are those of `smartdb.encoders.load`.
    """
    if spec is None:
        return encoders.default_encoder(**options)
    for known in all_encoders(conn):
        if known.name == spec:
            loaded = encoders.load(str(known.preprocessing.get("spec", spec)), **options)
            return _same(loaded, known)
    return encoders.load(spec, **options)


def n_vectors(conn: psycopg.Connection[Any], encoder: Registered) -> int:
    """How many vectors there are."""
    return _number(conn, "count", encoder)


def n_gap(conn: psycopg.Connection[Any], encoder: Registered) -> int:
    """How many pictures have no vector."""
    return _number(conn, "n_gap", encoder)


def read_vectors(
    conn: psycopg.Connection[Any], name: str, media_ids: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Ids (n,) in ascending order and unit vectors (n, d) of all media, or of those asked for.

    Media without a vector are not in it.
    """
    encoder = find(conn, name)
    if media_ids is None:
        ids, vectors = bulk.read_vectors(conn, _of(encoder, "vectors"))
    else:
        wanted = {"media_ids": [int(i) for i in media_ids]}
        ids, vectors = bulk.read_vectors(conn, _of(encoder, "vectors_of"), wanted)
    return ids, vectors if len(ids) else np.zeros((0, encoder.dim), np.float32)


def nearest(
    conn: psycopg.Connection[Any], query: NDArray[np.float32] | int, name: str, k: int = 10
) -> list[dict[str, Any]]:
    """The ``k`` media nearest to a vector (d,), or to a media (itself left out), nearest first.

    InvalidInput for a vector that is zero or not finite, and for ``k`` below 1.
    """
    values: dict[str, Any] = {"encoder": name, "k": k}
    if isinstance(query, int):
        values["media_id"] = query
        wanted = "similar"
    else:
        from pgvector import HalfVector

        length = np.linalg.norm(query)
        if not (np.isfinite(length) and length > 0):
            raise InvalidInput("the query vector is zero or not finite")
        values["vector"] = HalfVector(query / length)
        wanted = "nearest"
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("embeddings", wanted), values).fetchall()


def gathered(
    batches: Iterator[Batch[T]], size: int, progress: Progress | None
) -> Iterator[list[Batch[T]]]:
    """Lists of batches with at least ``size`` items together."""
    some: list[Batch[T]] = []
    n = 0
    for batch in batches:
        some.append(batch)
        done = len(batch.items) + len(batch.failed)
        n += done
        if n >= size:
            yield some
            some, n = [], 0
        if progress:
            progress(done)
    if some:
        yield some


def stacked(batches: list[Batch[T]], encoder: Registered) -> Vectors:
    """The vectors of batches, one after another; DimensionMismatch if they have another length."""
    vectors = np.concatenate([batch.vectors for batch in batches])
    if vectors.shape[1] != encoder.dim:
        raise DimensionMismatch(
            f"encoder {encoder.name!r} has {encoder.dim} dimensions, the model returned vectors "
            f"of {vectors.shape[1]}"
        )
    return vectors


def refuse(
    conn: psycopg.Connection[Any], failed: list[tuple[Content, Exception]], run_id: int
) -> Counter[str]:
    """Puts what failed into quarantine; how many for each of `REASONS`. Does not commit."""
    if not failed:
        return Counter()
    reasons = [(content, *_reason(error)) for content, error in failed]
    conn.execute(statement("embeddings", "stage_refused"))
    columns = {"media_id": "bigint", "reason": "text", "detail": "text"}
    rows = ((content.media_id, reason, detail) for content, reason, detail in reasons)
    bulk.copy_rows(conn, "embedding_refused", columns, rows)
    conn.execute(statement("embeddings", "refuse"), {"run_id": run_id})
    return Counter(reason for _, reason, _ in reasons)


def _pixels(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in preprocessing.items() if key != "spec"}


def _same(loaded: Encoder, known: Registered) -> Encoder:
    if loaded.weights_sha256 != known.weights_sha256:
        raise Conflict(
            f"{known.preprocessing.get('spec')} holds other weights than encoder {known.name!r}; "
            "give them a name of their own: ?name=..."
        )
    return loaded


def _of(encoder: Registered, name: str) -> sql.Composed:
    return statement("embeddings", name).format(vectors=encoder.vectors)


def _number(conn: psycopg.Connection[Any], name: str, encoder: Registered) -> int:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_of(encoder, name)).fetchone()
    assert row is not None
    return int(row[0])


def _gap(conn: psycopg.Connection[Any], encoder: Registered, limit: int) -> Iterator[Content]:
    """The pictures without a vector, page by page; no transaction stays open between pages."""
    pages = contents.pages(conn, _of(encoder, "gap"), {"limit": limit})
    yield from (content for _, content in pages if content)


def _load(encoder: Encoder, content: Content) -> Image.Image:
    """The picture as the encoder wants it.

    The hash of its bytes is checked, which costs a tenth of decoding: a vector of other bytes than
    the media's would be wrong without anybody ever seeing it.
    """
    return contents.load_rgb(content, at_least=encoder.at_least)


def _write(
    conn: psycopg.Connection[Any], encoder: Registered, batches: list[Batch[Content]], run_id: int
) -> Counter[str]:
    """Adds vectors and refusals; does not commit."""
    ids = np.array([item.media_id for batch in batches for item in batch.items], np.int64)
    vectors = stacked(batches, encoder)
    table = f"core.embedding_{encoder.encoder_id}"
    bulk.staging(conn, "embedding_new", like=table)
    bulk.copy_arrays(conn, "embedding_new", {"media_id": ids, "v": vectors})
    added = conn.execute(_of(encoder, "add")).rowcount
    conn.execute(statement("embeddings", "release"))
    failed = [failure for batch in batches for failure in batch.failed]
    return Counter({"added": added}) + refuse(conn, failed, run_id)


def _reason(error: Exception) -> tuple[str, str]:
    if isinstance(error, NotFound):
        return error.reason, str(error)
    if isinstance(error, NoVector):
        return "no_vector", str(error)
    return "corrupt", (str(error) or type(error).__name__).replace("\0", "")[:500]
