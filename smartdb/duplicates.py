"""Near-duplicate groups, from perceptual hashes and vectors.

Candidates are pairs whose hashes hardly differ (`smartdb.hashes`), and the edges of the neighbour
graph if it was built. How near is near depends on the encoder and on the pictures: digits lie
closer together than photos. So a distance is measured against how far apart things usually are
there (the geometric mean of both media's distances to their last neighbour in the graph; of media
without edges, what is typical of a sample). Two media are near-duplicates when their distance is
at most ``max_ratio`` of that and their hashes differ in at most ``max_bits`` of 64; with hashes
more alike than `HASH_BITS` more distance is allowed, up to `SAME_HASH` times as much where they
are equal. Groups are what such pairs connect.

With the defaults, ``python -m benchmarks alike`` finds with the descriptor 20 of 20
near-duplicates planted among 1,817 digits (and three pairs of other pictures of the same digit),
and 58 of the 87 that people judged so among 2,319 photos of CIFAR-10; it joins no photos that are
not at least judged similar. With SqueezeNet, which sees 32-pixel photos poorly, it finds 19 and
14. The defaults were chosen on these data, for precision.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import dict_row

from smartdb import bulk, embeddings, hashes, neighbours
from smartdb.embeddings import Progress, Registered
from smartdb.errors import NothingToDo, translated
from smartdb.runs import run
from smartdb.statements import statement

HASH_BITS = 6
SAME_HASH = 2.5
USUAL_SHARE = 0.05  # always near: this share of the median distance to the last neighbour,
NOISE = 0.001  # or this distance; both for groups larger than the number of neighbours
NO_HASH = -1  # bits of a pair in which neither picture has a hash
SAMPLE = 2000  # media that tell what is usual where there are no edges,
AMONG = 20_000  # by their distance to the neighbours among so many

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


@dataclass(frozen=True)
class LastDistances:
    """How far the last neighbour of media is; ``otherwise`` of those that have none, -1 unknown."""

    media_id: Ids
    distance: NDArray[np.float32]
    otherwise: float

    @staticmethod
    def of(graph: Edges, usual: float | None = None) -> LastDistances:
        """Those in the graph."""
        media, where = np.unique(graph.media_id, return_inverse=True)
        last = np.zeros(len(media), np.float32)
        np.maximum.at(last, where, graph.distance)
        return LastDistances(media, last, -1.0 if usual is None else usual)

    @property
    def floor(self) -> float:
        """The distance that is always near."""
        known = self.distance if len(self.distance) else np.array([max(0.0, self.otherwise)])
        return max(NOISE, USUAL_SHARE * float(np.median(known)))

    def at(self, media_id: Ids) -> NDArray[np.float32]:
        """The distance of the last neighbour of each."""
        if not len(self.media_id):
            return np.full(len(media_id), self.otherwise, np.float32)
        where = np.searchsorted(self.media_id, media_id).clip(max=len(self.media_id) - 1)
        known = self.media_id[where] == media_id
        found: NDArray[np.float32] = np.where(known, self.distance[where], self.otherwise)
        return found.astype(np.float32)


DEFAULTS = Thresholds()


def group(
    conn: psycopg.Connection[Any],
    encoder_name: str | None = None,
    thresholds: Thresholds = DEFAULTS,
    *,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Groups near-duplicates by the vectors of an encoder, and returns n_groups and n_media.

    Hashes of media that are new since the last time are compared with all. Replaces all groups at
    once, those by another encoder too, and commits; a group has the smallest media_id of its
    members as its id. Nothing is done where nothing is new and the last grouping was of the same
    edges with the same thresholds (``is_new`` is 0). NothingToDo if the encoder has no vectors.
    ``progress`` is that of `smartdb.hashes.compare`.
    """
    encoder = embeddings.find(conn, encoder_name)
    compared = hashes.compare(conn, encoder, progress)
    built = neighbours.last_build(conn, encoder)
    parameters = {
        "encoder": encoder.name,
        "encoder_id": encoder.encoder_id,
        "neighbours_run_id": built,
        **asdict(thresholds),
    }
    known = _last(conn)
    conn.commit()
    if known and known["parameters"] == parameters and not compared["n_new"]:
        return _counts(known["counts"], is_new=False)
    if not embeddings.n_vectors(conn, encoder):
        raise NothingToDo(f"encoder {encoder.name!r} has no vectors yet; run: smartdb embed")
    with translated(), run(conn, "duplicates", parameters) as opened:
        edges, kin = read_edges(conn, encoder, thresholds.max_bits), read_kin(conn)
        last = read_last(conn, encoder, None if built else typical(conn, encoder))
        conn.commit()
        media_id, group_id = groups(edges, thresholds, last, kin)
        _replace(conn, media_id, group_id, opened.run_id)
        opened.counts.update(n_groups=len(np.unique(group_id)), n_media=len(media_id))
    return _counts(opened.counts, is_new=True)


def read_edges(
    conn: psycopg.Connection[Any], encoder: Registered, max_bits: int
) -> tuple[Edges, Edges]:
    """The edges of the graph whose hashes differ in few bits, and the pairs alike by hash."""
    types = {"media_id": "i8", "neighbour_id": "i8", "distance": "f4", "bits": "i4"}
    values = {"encoder_id": encoder.encoder_id, "max_bits": max_bits}
    queries = statement("neighbours", "edges"), statement("hashes", "pairs")
    graph, pairs = (Edges(**bulk.read_columns(conn, q, types, values)) for q in queries)
    return graph, pairs


def read_last(
    conn: psycopg.Connection[Any], encoder: Registered, usual: float | None
) -> LastDistances:
    """How far the last neighbour of each media in the graph is; ``usual`` of others."""
    types = {"media_id": "i8", "distance": "f4"}
    values = {"encoder_id": encoder.encoder_id}
    found = bulk.read_columns(conn, statement("neighbours", "last_distances"), types, values)
    return LastDistances(**found, otherwise=-1.0 if usual is None else usual)


def read_kin(conn: psycopg.Connection[Any]) -> Kin:
    """Originals and their clean copies, which belong together however they look."""
    types = {"media_id": "i8", "copy_id": "i8"}
    found = bulk.read_columns(conn, statement("neighbours", "kin"), types)
    return found["media_id"], found["copy_id"]


def typical(conn: psycopg.Connection[Any], encoder: Registered) -> float:
    """What the distance to the last neighbour usually is, by a sample of the vectors.

    Neighbours are farther apart among some media than among all, so it is that of a nearer rank.
    """
    n = embeddings.n_vectors(conn, encoder)
    query = statement("duplicates", "sample").format(vectors=encoder.vectors)
    _, vectors = bulk.read_vectors(conn, query, {"share": min(1.0, AMONG / max(1, n))})
    rank = max(1, round(neighbours.K * len(vectors) / max(1, n)))
    asked = vectors[:: max(1, len(vectors) // SAMPLE)]
    similarity = np.sort(asked @ vectors.T, axis=1)
    return float(np.median(1 - similarity[:, max(0, len(vectors) - 1 - rank)]))


def groups(
    edges: tuple[Edges, Edges],
    thresholds: Thresholds = DEFAULTS,
    last: LastDistances | None = None,
    kin: Kin = NO_KIN,
) -> tuple[Ids, Ids]:
    """Members of groups of two or more in ascending order, and the smallest id of their groups.

    ``edges`` are those of the graph and the pairs by hash; ``last`` is told by `read_last`, and by
    the edges themselves where these are all; ``kin`` are the ends of edges that join whatever
    their distance.
    """
    from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    near = _joined(*edges, thresholds, last or LastDistances.of(edges[0]))
    a, b = (np.concatenate(ends) for ends in zip(near, kin, strict=True))
    members, where = np.unique(np.concatenate([a, b]), return_inverse=True)
    ends = where.reshape(2, -1)
    shape = (len(members), len(members))
    graph = coo_matrix((np.ones(len(a), np.int8), (ends[0], ends[1])), shape=shape)
    n, component = connected_components(graph, directed=False)
    smallest = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(smallest, component, members)
    return members, smallest[component]


def _joined(
    graph: Edges, pairs: Edges, thresholds: Thresholds, last: LastDistances
) -> tuple[Ids, Ids]:
    """Both ends of what joins near-duplicates."""
    near = [are_near(edges, thresholds, last) for edges in (graph, pairs)]
    ends = [(e.media_id[n], e.neighbour_id[n]) for e, n in zip((graph, pairs), near, strict=True)]
    (a, b), (c, d) = ends
    return np.concatenate([a, c]), np.concatenate([b, d])


def are_near(edges: Edges, thresholds: Thresholds, last: LastDistances) -> NDArray[np.bool_]:
    """For each edge whether it joins near-duplicates."""
    there, other = last.at(edges.media_id), last.at(edges.neighbour_id)
    there, other = np.where(there < 0, other, there), np.where(other < 0, there, other)
    allowed = thresholds.max_ratio * np.sqrt(np.maximum(there, 0) * np.maximum(other, 0))
    alike = edges.bits <= thresholds.max_bits
    close = edges.distance <= np.maximum(allowed, last.floor)
    share = 1 - np.clip(edges.bits, 0, HASH_BITS) / HASH_BITS
    hashed = (edges.bits >= 0) & (edges.distance <= allowed * (1 + (SAME_HASH - 1) * share))
    found: NDArray[np.bool_] = alike & (close | hashed)
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
