"""The dataset pets: six pictures in three splits, with a label of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from PIL import Image

from smartdb import server
from smartdb.formats.geometry import compressed

Conn = psycopg.Connection[Any]

RING = [[1.25, 2], [11, 2], [11, 7.5]]
HOLE = [[5, 3], [6, 3], [6, 4]]
MASK = compressed({"size": [30, 40], "counts": [45, 5, 1150]}, (40, 30))
SPLITS = ("train", "train", "train", "train", "val", "test")
BOX = (1.1, 2.0, 10.0, 5.0)
SAID: list[tuple[str, str, Any, Any, dict[str, Any]]] = [
    ("cat", "classification", None, None, {}),
    ("caption", "caption", None, {"text": "Zwei Katzen, “schlafend”"}, {}),
    ("cat", "box", BOX, None, {}),
    ("dog, bär", "box", (0.5, 1.0 / 3, 7.25, 9.0), None, {"n": 3, "note": "ä"}),
    ("cat", "polygon", (1.25, 2.0, 9.75, 5.5), {"polygons": [[RING]]}, {}),
    ("dog, bär", "polygon", (1.25, 2.0, 9.75, 5.5), {"polygons": [[RING, HOLE]]}, {}),
    ("cat", "mask", (1.0, 15.0, 1.0, 5.0), MASK, {}),
    ("cat", "keypoints", (1.0, 2.0, 3.0, 4.0), {"points": [[1, 2, 2], [4, 6, 2]]}, {}),
    ("cat", "polyline", (1.0, 2.0, 3.0, 0.0), {"points": [[1, 2], [4, 2]]}, {}),
    ("cat", "rotated_box", (1.0, 1.0, 4.0, 4.0), {"corners": [[1, 3], [3, 1], [5, 3], [3, 5]]}, {}),
]  # fmt: skip


def drawn(folder: Path) -> list[Path]:
    """Six small pictures, each another."""
    noise = np.random.default_rng(0)
    for number in range(len(SPLITS)):
        path = folder / f"pic.{number} ä.png"
        Image.fromarray(noise.integers(0, 255, (30, 40, 3), np.uint8)).save(path)
    return sorted(folder.iterdir())


def fill(conn: Conn, files: list[Path]) -> None:
    """Media, everything that can be said of them, and a sealed version, as the owner."""
    conn.execute(
        "insert into core.run (kind, status, code_version, finished_at)"
        " values ('ingest', 'succeeded', '0', now());"
        "insert into core.source (name, uri, licence, allowed_use)"
        " values ('pictures', 'file:///p', 'CC0-1.0', '{training}');"
        "insert into core.actor (name, kind) values ('ana', 'person'), ('tool', 'import');"
        "insert into core.ontology (name) values ('pets');"
        "insert into core.ontology_version (ontology_id, version, message) values (1, 1, '');"
        "insert into core.class (ontology_id, name, version_from)"
        " values (1, 'cat', 1), (1, 'dog, bär', 1), (1, 'caption', 1), (1, 'unused', 1)"
    )
    for file in files:
        size = file.stat().st_size
        conn.execute(
            "with m as (insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
            " values (sha256(%s), 'image', 'image/png', %s, 40, 30, 1) returning media_id)"
            " insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)"
            " select media_id, 1, %s, %s, now() from m",
            (file.read_bytes(), size, file.as_uri(), size),
        )
    for place, (name, kind, box, shape, attributes) in enumerate(SAID):
        conn.execute(
            "insert into core.label (media_id, class_id, kind, x, y, w, h, shape, attributes,"
            " confidence, origin, actor_id)"
            " select m.media_id, c.class_id, %s, %s, %s, %s, %s, %s, %s, %s, 'import', 2"
            " from core.media as m join core.class as c on c.name = %s"
            " where %s in ('classification', 'box') or m.media_id <= 2",
            (
                kind, *(box or (None,) * 4), shape and json.dumps(shape),
                json.dumps(attributes) if attributes else None,
                0.5 if place == 3 else None, name, kind,
            ),
        )  # fmt: skip
    seal(conn, "pets", "pets", dict(enumerate(SPLITS, 1)))


def seal(conn: Conn, name: str, ontology: str, splits: dict[int, str]) -> None:
    """Seals version 1 of a dataset of these media, as the owner."""
    conn.execute(
        "insert into core.dataset (name, ontology_id)"
        " select %s, ontology_id from core.ontology where name = %s", (name, ontology)
    )  # fmt: skip
    at = "(select dataset_id from core.dataset where name = %s)"
    conn.execute(
        "insert into core.dataset_version"
        " (dataset_id, version, revision, query, seed, message, run_id, ontology_version)"
        f" select {at}, 1, core.checkpoint(), 'true', 0, 'first', min(run_id), 1 from core.run",
        (name,),
    )
    conn.execute(
        "insert into core.dataset_item (dataset_id, media_id, split, version_from)"
        f" select {at}, i, s, 1 from unnest(%s::bigint[], %s::text[]) as u (i, s)",
        (name, list(splits), list(splits.values())),
    )
    conn.execute(
        "update core.dataset_version set (n_items, digest, sealed_at) ="
        f" (%s, smartdb.dataset_digest(%s, 1), '2026-01-02') where dataset_id = {at}",
        (len(splits), name, name),
    )


def created(home: Path, name: str, template: str, folder: Path) -> str:
    """Makes a database of this name with the dataset, and returns its url."""
    with psycopg.connect(server.url(home, "postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name} template {template}".encode())
    url = server.url(home, name)
    with psycopg.connect(url) as conn:
        conn.execute("set role smartdb_owner")
        conn.execute("set search_path = public")
        fill(conn, drawn(folder))
    return url
