"""Video: frames a second that are decoded and measured, and how long a single frame takes.

The bare loop decodes the same clips with PyAV in one process a core, one thread each, converts the
chosen frames to RGB, and works out pHash and statistics. `smartdb frames` also starts its
processes, checks the hash of each video, and writes and commits rows. Both take all clips that can
be decoded in ``SMARTDB_BENCH_VIDEOS`` (a folder), or else clips drawn for this.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.harness import Figure, scratch, seconds, show
from smartdb import choices, config, images, quality, videos
from smartdb.database import connect
from smartdb.frames import extract
from smartdb.ingest import ingest

TARGET = 0.7
SIZE = (640, 360)
EVERY = 0.5


def main(quick: bool) -> None:
    """Prints frames a second, bare and into the database, and milliseconds of one frame."""
    with _clips(2 if quick else 4, 100 if quick else 300) as folder:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        good = {
            path: found
            for path in paths
            if not isinstance(found := videos.inspect(path), images.Refused)
        }
        n = sum(found.n_frames or 0 for found in good.values())
        with scratch() as url, connect(url) as conn:
            taken = n / seconds(lambda: ingest(conn, folder))
            bare = n / _bare([os.fspath(path) for path in good])
            full = n / seconds(lambda: extract(conn, choices.every(EVERY)))
            again = seconds(lambda: extract(conn, choices.every(EVERY)))
        one, walked = _single([p for p, found in good.items() if "problem" not in found.attributes])
    ratio = full / bare
    show(
        f"{len(good)} videos of {n:,} frames, one each {EVERY} s",
        [
            Figure("ingest", taken, "frames/s", note="every frame is decoded and counted"),
            Figure(
                "bare loop", bare, "frames/s", note="PyAV, chosen ones to RGB, pHash, statistics"
            ),
            Figure("frames", full, "frames/s", note="with starting its processes"),
            Figure("frames / bare", ratio, "", f">= {TARGET}", ratio >= TARGET),
            Figure("second run, nothing new", 1000 * again, "ms"),
            Figure("load_frame, anywhere", 1000 * one, "ms", note="exact, from a key frame on"),
            Figure(
                "the same, from the start", 1000 * walked, "ms", note="a bare loop without seeking"
            ),
        ],
    )


@contextmanager
def _clips(n: int, n_frames: int) -> Iterator[Path]:
    given = os.environ.get("SMARTDB_BENCH_VIDEOS")
    if given:
        yield Path(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="smartdb-bench-videos-"))
    try:
        for i in range(n):
            _draw(folder / f"{i:02d}.mp4", n_frames, i)
        yield folder
    finally:
        shutil.rmtree(folder)


def _draw(path: Path, n_frames: int, seed: int) -> None:
    """A picture that wanders, with noise; a key frame each 2 s and B-frames between."""
    import av

    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (18, 32, 3)).astype(np.uint8))
    scene = np.asarray(coarse.resize((2 * SIZE[0], SIZE[1]), Image.Resampling.BICUBIC))
    with av.open(os.fspath(path), "w") as container:
        stream: Any = container.add_stream(
            "libx264", rate=25, options={"g": "50", "bf": "2", "preset": "ultrafast"}
        )
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for i in range(n_frames):
            at = 2 * i % SIZE[0]
            noisy = scene[:, at : at + SIZE[0]] ^ rng.integers(0, 8, (SIZE[1], 1, 1), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")))
        container.mux(stream.encode(None))


def _bare(paths: list[str]) -> float:
    """Seconds of the bare loop on all cores, without the start of its processes."""
    with multiprocessing.get_context("forkserver").Pool(config.workers()) as pool:
        pool.map(_look, paths[:1] * config.workers(), chunksize=1)  # imports
        return seconds(lambda: pool.map(_look, paths, chunksize=1))


def _look(path: str) -> int:
    import av

    n = 0
    with av.open(path) as container:
        stream = container.streams.best("video")
        stream.codec_context.thread_count = 1
        due = 0.0
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    if frame.time is None or frame.time >= due:
                        due = (frame.time or due) + EVERY
                        rgb = frame.to_image()
                        images.phash(rgb)
                        quality.measure(rgb)
                        n += 1
            except av.FFmpegError:
                continue
    return n


def _single(paths: list[Path], n: int = 60) -> tuple[float, float]:
    """Seconds of one frame anywhere, by `load_frame` and by decoding from the start."""
    rng = random.Random(1)
    times_of = {path: videos.frame_times(path) for path in paths}
    chosen = []
    for path in rng.choices(paths, k=n):
        times = times_of[path]
        index = rng.randrange(len(times))
        chosen.append((path, index, times[index]))
    by_time = seconds(lambda: [videos.load_frame(*one) for one in chosen])
    from_start = seconds(lambda: [_walk_to(path, index) for path, index, _ in chosen])
    return by_time / n, from_start / n


def _walk_to(path: Path, index: int) -> Any:
    import av

    with av.open(os.fspath(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for at, frame in enumerate(container.decode(container.streams.best("video"))):
            if at == index:
                return frame.to_image()
    return None
