"""What the graph says of each media beside its edges: its cluster, and its place on a map.

Clusters and the map are made once, of all vectors; what comes later gets the cluster of the nearest
centre and its place on the same map, until they are made anew on request.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import dict_row

from smartdb import bulk, clusters, embeddings, maps, neighbours
from smartdb.embeddings import Progress, Registered
from smartdb.errors import InvalidInput, NothingToDo, translated
from smartdb.maps import Method
from smartdb.runs import run
from smartdb.statements import statement
from smartdb.turns import turn

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
Columns = dict[str, Any]
Row = dict[str, Any]
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Plan:
    """What is to be done: how many clusters, which map, and whether each is made anew."""

    n_clusters: int
    method: Method
    seed: int
    new_clusters: bool
    new_map: bool

    @property
    def needs_all(self) -> bool:
        """Whether the vectors of all media are read, or those without a place."""
        return self.new_clusters or self.new_map


def update(
    conn: Connection,
    encoder_name: str | None = None,
    *,
    n_clusters: int | None = None,
    method: Method | None = None,
    seed: int = 0,
    anew: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Brings the graph up to date, and gives each media its cluster and its place on the map.

    Returns n_media, n_placed (now), n_clusters, method, run_id (None if nothing was done) and
    is_new. By default there are √(n / 2) clusters and the map is by PCA; both stay until ``anew``,
    or until another number or method is asked for. It computes outside of any transaction and
    commits once. ``progress`` is that of `smartdb.neighbours.build`. NothingToDo without vectors,
    InvalidInput for a number of clusters that is not from 1 to n_media.
    """
    encoder = embeddings.find(conn, encoder_name)
    neighbours.build(conn, encoder.name, progress=progress)
    with turn(conn, f"media_graph {encoder.encoder_id}"):
        state = _state(conn, encoder)
        conn.commit()
        plan = _plan(encoder, state, n_clusters, method, seed, anew)
        told = {"n_media": state["n_media"], "n_placed": 0, "method": plan.method}
        if not plan.needs_all and not state["n_unplaced"]:
            return {**told, "n_clusters": _n_clusters(conn, encoder), "run_id": None, "is_new": 0}
        parameters = {
            "encoder": encoder.name,
            "encoder_id": encoder.encoder_id,
            "n_clusters": plan.n_clusters,
            "method": plan.method,
        }
        with translated(), run(conn, "media_graph", parameters, seed) as opened:
            told["n_placed"] = _place(conn, encoder, plan, opened.run_id)
            opened.counts.update(told, n_clusters=_n_clusters(conn, encoder))
    return {**opened.counts, "run_id": opened.run_id, "is_new": 1}


def points(conn: Connection, encoder: str) -> list[Row]:
    """The places on the map (media_id, map_x, map_y), with cluster_id and class, by media."""
    return _rows(conn, "points", encoder=encoder)


def page(conn: Connection, encoder: str, after: int | None, limit: int) -> list[Row]:
    """What the graph says of the next ``limit`` media above ``after``, by id."""
    return _rows(conn, "page", encoder=encoder, after=after or 0, limit=limit)


def largest_clusters(conn: Connection, encoder: str, limit: int | None = None) -> list[Row]:
    """The clusters, the largest first, with main class, purity and central media."""
    return _rows(conn, "clusters", encoder=encoder, limit=limit)


def _plan(
    encoder: Registered,
    state: Row,
    n_clusters: int | None,
    method: Method | None,
    seed: int,
    anew: bool,
) -> Plan:
    n, made = state["n_media"], state["n_clusters"]
    if not n:
        raise NothingToDo(f"encoder {encoder.name!r} has no vectors yet; run: smartdb embed")
    if n_clusters is not None and not 1 <= n_clusters <= n:
        raise InvalidInput(f"{n_clusters} clusters of {n} media: ask for 1 to {n}")
    if method is not None and method not in maps.METHODS:
        raise InvalidInput(f"no map by {method!r}; there are: {', '.join(maps.METHODS)}")
    default = made if made and not anew else max(1, round(math.sqrt(n / 2)))
    wanted = n_clusters or default
    drawn = method or state["method"] or maps.METHODS[0]
    return Plan(wanted, drawn, seed, anew or wanted != made, anew or drawn != state["method"])


def _place(conn: Connection, encoder: Registered, plan: Plan, run_id: int) -> int:
    """Computes, and writes; does not commit that. How many media got a place."""
    values = {"encoder_id": encoder.encoder_id, "run_id": run_id, "method": plan.method}
    new = bulk.read_columns(conn, statement("media_graph", "unplaced"), {"id": "i8"}, values)["id"]
    wanted = None if plan.needs_all else new
    ids, vectors = embeddings.read_vectors(conn, encoder.name, wanted)
    centres = None if plan.new_clusters else _read(conn, "centres", encoder)
    rows = None if plan.new_map or plan.method != "pca" else _read(conn, "components", encoder)
    conn.commit()
    unplaced = np.isin(ids, new, assume_unique=True)
    some = slice(None) if centres is None else unplaced
    clustered, made = _cluster(vectors[some], plan, centres)
    clustered["media_id"] = ids[some]
    some = slice(None) if plan.new_map else unplaced
    places, rows = _map(vectors[some], plan, rows)
    mapped = {"media_id": ids[some][: len(places)], "map_x": places[:, 0], "map_y": places[:, 1]}
    _write(conn, values, clustered, mapped)
    if plan.new_clusters:
        _write_clusters(conn, values, made)
    if plan.new_map:
        _write_map(conn, values, rows)
    conn.execute(statement("media_graph", "place_between"), values)
    return len(ids) if plan.needs_all else len(new)


def _cluster(vectors: Floats, plan: Plan, centres: Floats | None) -> tuple[Columns, Columns]:
    """Cluster and distance of the centre of each vector, and the clusters if they are made now."""
    made: Columns = {}
    if centres is None:
        found = clusters.kmeans(clusters.unit(vectors), plan.n_clusters, plan.seed)
        order = np.argsort(-np.bincount(found.of), kind="stable")
        centres = found.centres[order].astype(np.float16).astype(np.float32)
        made = {"cluster_id": np.arange(1, len(centres) + 1, dtype=np.int32), "v": centres}
    of, similarity = clusters.nearest(clusters.unit(vectors), clusters.unit(centres))
    distance = np.clip(1 - similarity, 0, 2).astype(np.float32)
    if made:
        radius = np.zeros(len(centres), np.float32)
        np.maximum.at(radius, of, distance)
        made["radius"] = radius
    return {"cluster_id": (of + 1).astype(np.int32), "centre_distance": distance}, made


def _map(vectors: Floats, plan: Plan, rows: Floats | None) -> tuple[Floats, Floats | None]:
    """Places of vectors, and the components if it is by PCA; by PaCMAP only if all are mapped."""
    if plan.method == "pca":
        rows = maps.components(vectors) if rows is None else rows
        return maps.project(vectors, rows), rows
    if plan.new_map:
        return maps.pacmap(vectors, plan.seed), None
    return np.zeros((0, 2), np.float32), None


def _write(conn: Connection, values: Row, clustered: Columns, mapped: Columns) -> None:
    conn.execute(statement("media_graph", "stage"))
    bulk.copy_arrays(conn, "clustered", clustered)
    bulk.copy_arrays(conn, "mapped", mapped)
    conn.execute(statement("media_graph", "place"), values)


def _write_clusters(conn: Connection, values: Row, made: Columns) -> None:
    bulk.staging(conn, "cluster_new", like="core.cluster", columns=list(made))
    bulk.copy_arrays(conn, "cluster_new", made)
    conn.execute(statement("media_graph", "clear_clusters"), values)
    conn.execute(statement("media_graph", "add_clusters"), values)


def _write_map(conn: Connection, values: Row, rows: Floats | None) -> None:
    bulk.staging(conn, "axis_new", like="core.cluster", columns=["cluster_id", "v"])
    if rows is not None:
        bulk.copy_arrays(
            conn, "axis_new", {"cluster_id": np.arange(1, 4, dtype=np.int32), "v": rows}
        )
    conn.execute(statement("media_graph", "set_map"), values)


def _read(conn: Connection, name: str, encoder: Registered) -> Floats:
    values = {"encoder_id": encoder.encoder_id}
    return bulk.read_vectors(conn, statement("media_graph", name), values)[1]


def _n_clusters(conn: Connection, encoder: Registered) -> int:
    return len(_read(conn, "centres", encoder))


def _state(conn: Connection, encoder: Registered) -> Row:
    return _rows(conn, "state", encoder_id=encoder.encoder_id)[0]


def _rows(conn: Connection, name: str, **values: Any) -> list[Row]:
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("media_graph", name), values, prepare=False).fetchall()
