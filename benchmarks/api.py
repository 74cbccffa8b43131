"""The HTTP API: requests to an app in this process, beside the same reads without HTTP.

    python -m benchmarks api [--quick]

A scratch database of 200,000 media (20,000 with --quick), and files for some more. The targets are
those of issue 7: lists under 20 ms, thumbnails from the cache under 10 ms.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from PIL import Image

from benchmarks import load
from benchmarks.harness import Figure, percentile, scratch, seconds, session, show
from smartdb import contents
from smartdb.ingest import ingest
from smartdb.media import find_media, media_page, similar_media
from smartdb.thumbnails import cached_thumbnail

DIM = 128
N_FILES = 50


def main(quick: bool = False) -> None:
    """Prints the p95 of each kind of request, its p50, and the p50 without HTTP."""
    n, times = (20_000, 40) if quick else (200_000, 200)
    with scratch() as url, tempfile.TemporaryDirectory() as folder:
        os.environ["SMARTDB_HOME"] = f"{folder}/home"  # for the thumbnails
        with session(url, "smartdb_owner") as conn:
            load.fill(conn, n, DIM)
            conn.execute("vacuum (analyze)")
        with psycopg.connect(url) as conn:
            conn.execute("set role smartdb_writer")
            ingest(conn, _pictures(Path(folder, "pictures")), source="files", workers=1)
        show(f"api: {n:,} media, {times} requests each", _measure(url, n, times))


def _measure(url: str, n: int, times: int) -> list[Figure]:
    from smartdb.api import create_app

    app = create_app(url)
    client = app.test_client()
    chance = random.Random(0)
    with session(url, "smartdb_reader") as conn:
        first = conn.execute(
            "select min(media_id) from smartdb.media_location where source = 'files'"
        ).fetchone()
        assert first is not None

        def any_media() -> int:
            return chance.randint(1, n)

        def any_file() -> int:
            return int(first[0]) + chance.randrange(N_FILES)

        def figure(
            name: str, path: str, target: float | None, bare: Callable[[int], object],
            one: Callable[[], int] = any_media,
        ) -> Figure:  # fmt: skip
            asked = [_ask(client, path.format(one())) for _ in range(times)]
            without = [seconds(lambda: bare(one())) for _ in range(times)]
            return _figure(name, asked, without, target)

        figures = [
            figure("list", "media?limit=50", 0.02, lambda _: media_page(conn)),
            figure(
                "list of a frequent class", "media?limit=50&class=class%201", 0.02,
                lambda _: media_page(conn, class_="class 1"),
            ),
            figure(
                "list of a rare class", "media?limit=50&class=class%2099", 0.02,
                lambda _: media_page(conn, class_="class 99"),
            ),
            figure("one media", "media/{}", None, lambda i: find_media(conn, i)),
            figure(
                "similar, exact scan", "media/{}/similar", None, lambda i: similar_media(conn, i)
            ),
            figure(
                "thumbnail from the cache", "media/{}/thumbnail", 0.01,
                lambda i: cached_thumbnail(contents.find(conn, i)), any_file,
            ),
            figure("file", "media/{}/file", None, lambda i: contents.find(conn, i), any_file),
        ]  # fmt: skip
    app.extensions["smartdb"].close()
    return figures


def _ask(client: Any, path: str) -> float:
    def request() -> None:
        answer = client.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.data

    return seconds(request)


def _figure(name: str, asked: list[float], without: list[float], target: float | None) -> Figure:
    p50, p95, bare = percentile(asked, 0.5), percentile(asked, 0.95), percentile(without, 0.5)
    note = f"p50 {p50 * 1000:.1f} ms, without HTTP {bare * 1000:.1f} ms"
    limit = f"< {target * 1000:g} ms" if target else ""
    return Figure(f"{name}, p95", p95 * 1000, "ms", limit, p95 < target if target else None, note)


def _pictures(folder: Path) -> Path:
    """Photo-sized JPEGs of noise."""
    folder.mkdir()
    noise = np.random.default_rng(0)
    for i in range(N_FILES):
        pixels = noise.integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(pixels).resize((640, 480)).save(folder / f"{i}.jpg", quality=90)
    return folder
