"""Regions: the vectors of the parts of pictures that labels mark, by an encoder.

A region is the bounding box of a box, rotated box, polygon or mask, cut out by `smartdb.crops`. Its
vector belongs to the label row: an edit of a label is another row, so there is no stale vector, and
`embed` works off the live ones that have none yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import dict_row, tuple_row

from smartdb import bulk, contents, embeddings, media
from smartdb.crops import MARGIN, Region, Shared
from smartdb.embeddings import Progress, Registered
from smartdb.encoders import Batch, Encoder
from smartdb.errors import Conflict, InvalidInput, translated
from smartdb.runs import run
from smartdb.statements import statement

CHUNK = 1024
"""Regions that are written and committed together."""

PAGE = 256
"""Media whose regions are asked for together."""

PROBLEMS = ("outside", "tiny")
"""Why a region can have no vector: it lies outside of its picture, or a side of it has less than 4
pixels; see smartdb.region."""

COUNTS = ("added", "pruned", *PROBLEMS, *embeddings.REASONS)


def embed(
    conn: psycopg.Connection[Any],
    encoder: Encoder,
    *,
    margin: float | None = None,
    chunk: int = CHUNK,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Gives each live region that has none its vector, and returns `COUNTS`.

    Vectors of labels that were closed are ``pruned``. Regions that are ``outside`` or ``tiny`` are
    counted each time; those of a picture that cannot be read are counted by the reason, its files
    go to quarantine, and the next run tries them again. A picture is decoded once for all its
    regions, outside of any transaction, and each ``chunk`` of regions is committed. ``margin`` is
    that of the encoder's first regions, by default `MARGIN`; Conflict for another one.
    """
    embeddings.register(conn, encoder)
    registered = embeddings.find(conn, encoder.name)
    agreed = _agree(conn, registered, margin)
    counts = Counter(_problems(conn))
    counts["pruned"] = _do(conn, "prune", registered)
    conn.commit()
    todo = _gap(conn, registered, agreed)
    first = next(todo, None)
    if first is not None:
        parameters = {"encoder": encoder.name, "encoder_id": registered.encoder_id}
        parameters |= {"regions": True, "margin": agreed}
        with translated(), run(conn, "embed", parameters) as opened:
            batches = encoder.encode_each(chain([first], todo), Region.load, workers=workers)
            for batch in embeddings.gathered(batches, chunk, progress):
                counts += _write(conn, registered, batch, opened.run_id)
                conn.commit()
            opened.counts.update(counts)
    return {name: counts[name] for name in COUNTS}


def margin_of(conn: psycopg.Connection[Any], encoder: Registered) -> float:
    """The margin that the regions of an encoder have, or would have by default."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("regions", "margin"), _id(encoder)).fetchone()
    return MARGIN if row is None else float(row[0])


def count(conn: psycopg.Connection[Any], encoder: Registered) -> tuple[int, int]:
    """How many regions have a vector, and how many have none and could."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_of(encoder, "count")).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def nearest(
    conn: psycopg.Connection[Any],
    query: NDArray[np.float32] | int,
    name: str,
    k: int = 10,
    predicate: str = "true",
) -> list[dict[str, Any]]:
    """The ``k`` regions nearest to a vector (d,), or to a label's region (itself left out).

    Nearest first; ``predicate`` is a condition on smartdb.label, read as l. NotFound without such
    an encoder, or a vector of that label.
    """
    values: dict[str, Any] = {"encoder": name, "k": k, "predicate": predicate}
    if isinstance(query, int):
        values["label_id"] = query
    else:
        from pgvector import HalfVector

        values["vector"] = HalfVector(query)
    wanted = statement("regions", "similar" if isinstance(query, int) else "nearest")
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(wanted, values).fetchall()


def similar_regions(
    conn: psycopg.Connection[Any], label_id: int, *, encoder: str | None = None, k: int = 10
) -> tuple[str, list[dict[str, Any]]]:
    """The encoder's name and the ``k`` regions nearest to that of a label by it, as `nearest`.

    ``encoder`` may be left out where there is only one; else InvalidInput.
    """
    name = media.encoder_name(conn, encoder)
    return name, nearest(conn, label_id, name, k)


def read_vector(conn: psycopg.Connection[Any], label_id: int, name: str) -> NDArray[np.float32]:
    """The vector (d,) of a label's region; NotFound if there is none."""
    values = {"label_id": label_id, "encoder": name}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("regions", "vector"), values).fetchone()
    assert row is not None
    vector: NDArray[np.float32] = np.asarray(row[0].to_list(), np.float32)
    return vector


def _gap(conn: psycopg.Connection[Any], encoder: Registered, margin: float) -> Iterator[Region]:
    """The regions without a vector, media by media; no transaction stays open between pages."""
    for (_, label_ids, boxes), content in contents.pages(
        conn, _of(encoder, "gap"), {"limit": PAGE}
    ):
        if content is not None:
            shared = Shared(content, len(label_ids))
            for label_id, box in zip(label_ids, boxes, strict=True):
                yield Region(label_id, box, margin, shared)


def _write(
    conn: psycopg.Connection[Any], encoder: Registered, batches: list[Batch[Region]], run_id: int
) -> Counter[str]:
    """Adds vectors and refusals; does not commit."""
    regions = [region for batch in batches for region in batch.items]
    columns: dict[str, NDArray[Any]] = {
        "label_id": np.array([region.label_id for region in regions], np.int64),
        "media_id": np.array([region.shared.content.media_id for region in regions], np.int64),
        "v": embeddings.stacked(batches, encoder),
    }
    bulk.staging(conn, "embedding_new", like=f"core.region_embedding_{encoder.encoder_id}")
    bulk.copy_arrays(conn, "embedding_new", columns)
    added = _do(conn, "add", encoder)
    conn.execute(statement("embeddings", "release"))
    failed = [(r.shared.content, error) for batch in batches for r, error in batch.failed]
    return Counter(added=added) + embeddings.refuse(conn, failed, run_id)


def _agree(conn: psycopg.Connection[Any], encoder: Registered, margin: float | None) -> float:
    """The margin of the encoder's regions; Conflict if another one is asked for."""
    if margin is not None and not 0 <= margin <= 2:
        raise InvalidInput(f"the margin is a share of the region's size, 0 to 2, not {margin}")
    with translated():
        values = {**_id(encoder), "margin": MARGIN if margin is None else margin}
        conn.execute(statement("regions", "crop"), values)
    agreed = margin_of(conn, encoder)
    if margin not in (None, agreed):
        raise Conflict(
            f"regions of encoder {encoder.name!r} are cut out with a margin of {agreed:g}; "
            "for another one give it a name of its own: ?name=..."
        )
    return agreed


def _problems(conn: psycopg.Connection[Any]) -> dict[str, int]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(statement("regions", "problems")).fetchall())


def _id(encoder: Registered) -> dict[str, int]:
    return {"encoder_id": encoder.encoder_id}


def _of(encoder: Registered, name: str) -> sql.Composed:
    vectors = sql.Identifier("core", f"region_embedding_{encoder.encoder_id}")
    return statement("regions", name).format(vectors=vectors)


def _do(conn: psycopg.Connection[Any], name: str, encoder: Registered) -> int:
    with translated():
        return conn.execute(_of(encoder, name)).rowcount
