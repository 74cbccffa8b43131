"""Ingest: images a second into the database, beside the same reading without a database.

The bare loop reads each file, hashes, decodes and measures it (sha256, full decode, pHash,
statistics) in one process a core, with nothing else to do. Ingest also walks, asks what is known,
reads metadata, and writes and commits rows, with the server on the same cores.
"""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.harness import Figure, scratch, seconds, show, took
from smartdb import config, quality
from smartdb.database import connect
from smartdb.images import load_rgb, phash
from smartdb.ingest import ingest

TARGET = 0.7
SMALL, LARGE = (160, 120), (4000, 3000)
DRAWN = 500
"""Pictures that are drawn; further files are copies with another comment, so other bytes."""


def main(quick: bool) -> None:
    """Prints images a second, bare and into the database, and their ratio: small, then large."""
    _compare(2_000 if quick else 60_000, SMALL)
    _compare(24 if quick else 1_000, LARGE)


def _compare(n: int, size: tuple[int, int]) -> None:
    with _pictures(n, size) as folder, scratch() as url, connect(url) as conn:
        bare, bare_cpu = _bare(folder)
        before = _cpu()
        full = took(conn, lambda: ingest(conn, folder))
        full_cpu = _cpu() - before + (full.cpu or 0.0)
        again = n / seconds(lambda: ingest(conn, folder))
    ratio, cpu_ratio = bare / full.wall, bare_cpu / full_cpu
    figures = [
        Figure("bare loop", n / bare, "images/s", note="read, sha256, decode, pHash, statistics"),
        Figure("ingest", n / full.wall, "images/s", note="with starting its processes"),
        Figure("ingest / bare", ratio, "", f">= {TARGET}", ratio >= TARGET),
        Figure("by cpu", cpu_ratio, "", f">= {TARGET}", cpu_ratio >= TARGET, "on a busy machine"),
        Figure("second ingest, nothing new", again, "images/s", note="listing only"),
    ]
    show(f"Ingest of {n:,} JPEGs of {size[0]}x{size[1]}", figures)


def _cpu() -> float:
    """Seconds computed by this process and by those of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@contextmanager
def _pictures(n: int, size: tuple[int, int]) -> Iterator[Path]:
    """A folder of ``n`` distinct JPEGs with shapes and some noise, like photographs."""
    folder = Path(tempfile.mkdtemp(prefix="smartdb-bench-pictures-"))
    rng = np.random.default_rng(1)
    n_drawn = min(n, DRAWN * SMALL[0] // size[0])
    drawn = [_jpeg(rng, size) for _ in range(n_drawn)]
    try:
        for i in range(n):
            at = folder / f"{i // 1000:03d}"
            at.mkdir(exist_ok=True)
            start, rest = drawn[i % n_drawn][:2], drawn[i % n_drawn][2:]
            comment = b"\xff\xfe\x00\x0a%08d" % i
            (at / f"{i:06d}.jpg").write_bytes(start + comment + rest)
        yield folder
    finally:
        shutil.rmtree(folder)


def _jpeg(rng: np.random.Generator, size: tuple[int, int]) -> bytes:
    coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3)).astype(np.uint8))
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    noisy = (smooth + rng.integers(-12, 13, smooth.shape, np.int16)).clip(0, 255)
    buffer = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _bare(folder: Path) -> tuple[float, float]:
    """Seconds of the bare loop on all cores, and of computing, without starting processes."""
    paths = [os.fspath(path) for path in sorted(folder.rglob("*.jpg"))]
    with multiprocessing.get_context("forkserver").Pool(config.workers()) as pool:
        pool.map(_look, paths[:64], chunksize=8)  # imports
        start = time.perf_counter()
        computed = sum(pool.map(_look, paths, chunksize=64 if len(paths) > 2_000 else 4))
        return time.perf_counter() - start, computed


def _look(path: str) -> float:
    """Does what the bare loop does with a file and returns the seconds it computed."""
    start = time.process_time()
    data = Path(path).read_bytes()
    rgb = load_rgb(data)
    hashlib.sha256(data).digest()
    phash(rgb)
    quality.measure(rgb)
    return time.process_time() - start
