"""Regions: labelled boxes through decoder, crop, model and database, beside the bare loop."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from PIL import Image

from benchmarks.embed import _write
from benchmarks.harness import Figure, scratch, seconds, show
from smartdb import contents, crops, encoders, regions
from smartdb.database import connect
from smartdb.encoders import Encoder
from smartdb.ingest import ingest

SPEC = "torchvision:squeezenet1_1@none"
BATCH = 32
ROUNDS = 3
EACH = 8
"""Regions of a picture."""

BOXES = """
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'one');
insert into core.class (ontology_id, name, version_from) values (1, 'thing', 1);
insert into core.actor (name, kind) values ('bench', 'import');
insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)
select
    m.media_id, 1, 'box', hashint8extended(m.media_id, i) & 255,
    hashint8extended(m.media_id, -i) & 255, 40 + 20 * i, 30 + 15 * i, 'import', 1
from core.media as m, generate_series(1, 8) as i
"""


def main(quick: bool = False) -> None:
    """Regions per second of `regions.embed` against a loop of crop and model in memory order."""
    encoder = encoders.load(SPEC, batch_size=BATCH)
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), 10 if quick else 100)
        with scratch() as url, connect(url) as conn:
            ingest(conn, Path(folder))
            conn.commit()
            with connect(url, role="smartdb_owner") as owner:
                owner.execute(BOXES.encode())
                owner.commit()
                show(
                    f"regions: {EACH} boxes in each JPEG of 640x480", measure(owner, conn, encoder)
                )


def measure(
    owner: psycopg.Connection[Any], conn: psycopg.Connection[Any], encoder: Encoder
) -> list[Figure]:
    """The best of alternating rounds."""
    encoder.forward(np.stack([encoder.prepare(Image.new("RGB", (64, 64)))] * BATCH))
    bare = whole = float("inf")
    n = 0
    for _ in range(ROUNDS):
        bare = min(bare, seconds(lambda: bare_loop(conn, encoder)))
        owner.execute("do $$ begin if to_regclass('core.region_embedding_1') is not null then"
                      " delete from core.region_embedding_1; end if; end $$")  # fmt: skip
        owner.commit()
        whole = min(whole, seconds(lambda: regions.embed(conn, encoder)))
        n = int(conn.execute("select count(*) from core.region_embedding_1").fetchone()[0])  # type: ignore[index]
        conn.commit()
    note = f"{bare / whole:.0%} of the speed of the bare loop"
    return [
        Figure("bare: decode once, crop, model", n / bare, "regions/s"),
        Figure("regions.embed, with the database", n / whole, "regions/s", note=note),
    ]


def bare_loop(conn: psycopg.Connection[Any], encoder: Encoder) -> None:
    """Decodes each picture once, crops and prepares its regions, and runs the model in batches."""
    rows = conn.execute(
        "select media_id, array_agg(array[x, y, w, h]) from smartdb.region"
        " where problem is null group by 1 order by 1"
    ).fetchall()
    files = {each.media_id: each for each in contents.find_all(conn, [row[0] for row in rows])}
    conn.commit()
    waiting = []
    for media_id, boxes in rows:
        picture = contents.load_rgb(files[media_id])
        waiting += [encoder.prepare(crops.crop(picture, box)) for box in boxes]
        while len(waiting) >= BATCH:
            encoder.forward(np.stack(waiting[:BATCH]))
            waiting = waiting[BATCH:]
    if waiting:
        encoder.forward(np.stack(waiting))
