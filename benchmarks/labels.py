"""Labels: one million boxes of a COCO file into the database, beside a bare json.load and COPY.

The bare loop reads the whole file with ``json.load`` and copies the boxes into a table without
indexes, triggers or checks. The import reads it in a stream, finds the pictures, maps the classes,
judges each box and adds what is new. Peak memory is that of the process of each, alone.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, scratch, show
from smartdb.bulk import copy_rows
from smartdb.database import connect
from smartdb.importing import import_labels

SECONDS, MEGABYTES = 60, 1000
BOXES_A_PICTURE = 10
_MEDIA = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('boxes', 'file:///boxes');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/jpeg', 100, 640, 480, 1
from generate_series(1, {n}) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, format('file:///boxes/%s.jpg', lpad(i::text, 12, '0')), 100, now()
from generate_series(1, {n}) as i;
analyze core.media, core.media_location;
"""
_COLUMNS = {
    "image_id": "bigint", "category_id": "bigint", "x": "float8", "y": "float8", "w": "float8",
    "h": "float8",
}  # fmt: skip


def main(quick: bool) -> None:
    """Prints seconds and peak memory of the bare loop, the import, and the import again."""
    n = 20_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder, scratch() as url:
        path = Path(folder) / "boxes.json"
        write(path, n)
        with connect(url, role="smartdb_owner") as conn:
            conn.execute(_MEDIA.format(n=n // BOXES_A_PICTURE).encode())
        measured = [_alone(work, url, path) for work in (_bare, _import, _import)]
    (bare, _), (first, memory), (again, _) = measured
    figures = [
        Figure("bare loop", bare, "s", note=f"peak {measured[0][1]:.0f} MB"),
        Figure("import", first, "s", f"< {SECONDS}", first < SECONDS),
        Figure("peak memory of the import", memory, "MB", f"< {MEGABYTES}", memory < MEGABYTES),
        Figure("import / bare", first / bare, ""),
        Figure(
            "the same file again, nothing new", again, "s", note=f"peak {measured[2][1]:.0f} MB"
        ),
    ]
    show(f"Import of {n:,} boxes from one COCO file", figures)


def write(path: Path, n: int) -> None:
    """A COCO file with ``n`` boxes of 80 classes, ten to a picture, images first."""
    rng = random.Random(1)
    n_images = n // BOXES_A_PICTURE
    with path.open("w") as file:
        images = (
            json.dumps({"id": i, "file_name": f"{i:012d}.jpg", "width": 640, "height": 480})
            for i in range(1, n_images + 1)
        )
        file.write(f'{{"images": [{",".join(images)}], "annotations": [')
        for i in range(n):
            file.write(("," if i else "") + json.dumps(_box(rng, i)))
        names = ({"id": i, "name": f"class {i}"} for i in range(1, 81))
        file.write(f'], "categories": [{",".join(map(json.dumps, names))}]}}')


def _box(rng: random.Random, i: int) -> dict[str, Any]:
    x, y = round(rng.random() * 500, 2), round(rng.random() * 400, 2)
    w, h = round(1 + rng.random() * 100, 2), round(1 + rng.random() * 70, 2)
    place = {"id": i + 1, "image_id": i // BOXES_A_PICTURE + 1, "category_id": rng.randint(1, 80)}
    return place | {"bbox": [x, y, w, h], "area": round(w * h, 4), "iscrowd": 0, "segmentation": []}


def _bare(url: str, path: Path) -> None:
    with connect(url) as conn, path.open() as file:
        rows = (
            (each["image_id"], each["category_id"], *map(float, each["bbox"]))
            for each in json.load(file)["annotations"]
        )
        columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        conn.execute(f"create temp table bare ({columns})".encode())
        copy_rows(conn, "bare", _COLUMNS, rows)


def _import(url: str, path: Path) -> None:
    with connect(url) as conn:
        import_labels(conn, path, source="boxes", create_classes=True)


def _alone(work: Callable[[str, Path], None], url: str, path: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of the work in a process of its own, its imports included."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, url, path))


def _measured(work: Callable[[str, Path], None], url: str, path: Path) -> tuple[float, float]:
    start = time.perf_counter()
    work(url, path)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
