"""Near-duplicate groups, from the neighbour graph and the perceptual hashes.

How near is near depends on the encoder and on the pictures: digits lie closer together than
photos. So a distance is measured against how far apart things are around there: two media are
near-duplicates when their distance is at most ``max_ratio`` of the usual distance (the geometric
mean of their distances to their last neighbour), and their hashes differ in at most ``max_bits``
of 64; where the hashes are equal, `SAME_HASH` times that distance. Groups are what such pairs
connect.

With the defaults, ``python -m benchmarks alike`` finds with the descriptor 20 of 20 near-duplicates
planted among 1,817 digits, and 56 of the 87 that people judged so among 2,319 photos of CIFAR-10;
it joins nothing that is not at least judged similar. With SqueezeNet, which sees 32-pixel photos
poorly, it finds 19 and 10. The defaults were chosen on these data, for precision: with a
``max_ratio`` of 0.25 that is 83 to 100 %, and recall hardly better.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import dict_row

from smartdb import bulk, embeddings
from smartdb.errors import NothingToDo, translated
from smartdb.neighbours import last_build
from smartdb.runs import run
from smartdb.statements import statement

SAME_HASH = 2.5
USUAL_SHARE = 0.05  # always near: this share of the median distance to the last neighbour,
NOISE = 0.001  # or this distance; both for groups larger than the number of neighbours
NO_HASH = -1  # bits of a pair in which neither picture has a hash

Ids = NDArray[np.int64]
Kin = tuple[Ids, Ids]
NO_KIN: Kin = (np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Thresholds:
    """When two neighbours are near-duplicates; see `smartdb.duplicates`."""

    max_ratio: float = 0.2
    max_bits: int = 16


@dataclass(frozen=True)
class Edges:
    """Edges of a neighbour graph, as equally long columns."""

    media_id: Ids
    neighbour_id: Ids
    distance: NDArray[np.float32]
    bits: NDArray[np.int32]


DEFAULTS = Thresholds()


def group(
    conn: psycopg.Connection[Any],
    encoder_name: str | None = None,
    thresholds: Thresholds = DEFAULTS,
) -> dict[str, int]:
    """Groups near-duplicates by the edges of an encoder, and returns n_groups and n_media.

    Replaces all groups at once, those by another encoder too, and commits; a group has the
    smallest media_id of its members as its id. Nothing is done where the last grouping was of
    the same edges with the same thresholds (``is_new`` is 0). NothingToDo if the encoder has no
    edges yet.
    """
    encoder = embeddings.find(conn, encoder_name)
    built = last_build(conn, encoder)
    if built is None:
        raise NothingToDo(
            f"encoder {encoder.name!r} has no neighbours yet; run: smartdb neighbours"
        )
    parameters = {
        "encoder": encoder.name,
        "encoder_id": encoder.encoder_id,
        "neighbours_run_id": built["run_id"],
        **asdict(thresholds),
    }
    known = _last(conn)
    conn.commit()
    if known and known["parameters"] == parameters:
        return _counts(known["counts"], is_new=False)
    with translated(), run(conn, "duplicates", parameters) as opened:
        edges, kin = read_edges(conn, encoder.encoder_id), read_kin(conn)
        conn.commit()
        media_id, group_id = groups(edges, thresholds, kin)
        _replace(conn, media_id, group_id, opened.run_id)
        opened.counts.update(n_groups=len(np.unique(group_id)), n_media=len(media_id))
    return _counts(opened.counts, is_new=True)


def read_edges(conn: psycopg.Connection[Any], encoder_id: int) -> Edges:
    """The edges of an encoder with the differing bits of their ends' perceptual hashes."""
    types = {"media_id": "i8", "neighbour_id": "i8", "distance": "f4", "bits": "i4"}
    query = statement("neighbours", "edges")
    return Edges(**bulk.read_columns(conn, query, types, {"encoder_id": encoder_id}))


def read_kin(conn: psycopg.Connection[Any]) -> Kin:
    """Originals and their clean copies, which belong together however they look."""
    types = {"media_id": "i8", "copy_id": "i8"}
    found = bulk.read_columns(conn, statement("neighbours", "kin"), types)
    return found["media_id"], found["copy_id"]


def groups(edges: Edges, thresholds: Thresholds = DEFAULTS, kin: Kin = NO_KIN) -> tuple[Ids, Ids]:
    """Members of groups of two or more in ascending order, and the smallest id of their groups.

    ``kin`` are the ends of edges that join whatever their distance.
    """
    from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    near = are_near(edges, thresholds)
    a = np.concatenate([edges.media_id[near], kin[0]])
    b = np.concatenate([edges.neighbour_id[near], kin[1]])
    members, where = np.unique(np.concatenate([a, b]), return_inverse=True)
    ends = where.reshape(2, -1)
    shape = (len(members), len(members))
    graph = coo_matrix((np.ones(len(a), np.int8), (ends[0], ends[1])), shape=shape)
    n, component = connected_components(graph, directed=False)
    smallest = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(smallest, component, members)
    return members, smallest[component]


def are_near(edges: Edges, thresholds: Thresholds = DEFAULTS) -> NDArray[np.bool_]:
    """For each edge whether it joins near-duplicates."""
    if not len(edges.distance):
        return np.zeros(0, np.bool_)
    media, where = np.unique(edges.media_id, return_inverse=True)
    last = np.zeros(len(media), np.float32)
    np.maximum.at(last, where, edges.distance)
    other = np.searchsorted(media, edges.neighbour_id).clip(max=len(media) - 1)
    has_edges = media[other] == edges.neighbour_id  # or it is hidden by now
    usual = np.sqrt(last[where] * last[np.where(has_edges, other, where)])
    floor = max(NOISE, USUAL_SHARE * float(np.median(last)))
    alike = edges.bits <= thresholds.max_bits
    close = edges.distance <= np.maximum(thresholds.max_ratio * usual, floor)
    same = (edges.bits == 0) & (edges.distance <= SAME_HASH * thresholds.max_ratio * usual)
    found: NDArray[np.bool_] = alike & (close | same)
    return found


def _replace(conn: psycopg.Connection[Any], media_id: Ids, group_id: Ids, run_id: int) -> None:
    columns = {"media_id": media_id, "group_id": group_id}
    conn.execute(statement("neighbours", "lock_groups"))
    bulk.staging(conn, "duplicate_new", like="core.duplicate", columns=list(columns))
    bulk.copy_arrays(conn, "duplicate_new", columns)
    conn.execute(statement("neighbours", "clear_groups"))
    conn.execute(statement("neighbours", "add_groups"), {"run_id": run_id})


def _last(conn: psycopg.Connection[Any]) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("neighbours", "last_grouping")).fetchone()


def _counts(counts: dict[str, Any], *, is_new: bool) -> dict[str, int]:
    numbers = {name: int(counts[name]) for name in ("n_groups", "n_media")}
    return {**numbers, "is_new": int(is_new)}
