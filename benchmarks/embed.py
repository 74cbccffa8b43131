"""Embedding: files through decoder, model and database, beside the bare loops in the same run."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.harness import Figure, scratch, seconds, show
from smartdb import config, embeddings, encoders
from smartdb.database import connect
from smartdb.encoders import Encoder
from smartdb.errors import EncoderUnavailable
from smartdb.ingest import ingest

SPECS = {"descriptor": 1000, "torchvision:squeezenet1_1@none": 800, "open_clip:ViT-B-32/none": 160}
BATCH = 32
ROUNDS = 3
SIZE = (640, 480)


def main(quick: bool = False) -> None:
    """Images per second for three encoders (random weights: the speed is the same)."""
    figures: list[Figure] = []
    for spec, n in SPECS.items():
        try:
            encoder = encoders.load(spec, batch_size=BATCH)
        except EncoderUnavailable as error:
            print(f"left out: {error}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            figures += measure(encoder, _write(Path(folder), n // 5 if quick else n))
    show(f"embedding: JPEGs of {SIZE[0]}x{SIZE[1]}, batches of {BATCH}", figures)


def measure(encoder: Encoder, files: list[Path]) -> list[Figure]:
    """Images per second of the pipeline and of all of ``embed``, the best of alternating rounds.

    The bare model loop runs the same batches from memory. Where decoding takes the same cores as
    the model, no pipeline reaches it: the other limit adds the work of decoding to it.
    """
    prepared = [encoder.prepare(encoder.load(file)) for file in files]
    batches = [np.stack(prepared[i : i + BATCH]) for i in range(0, len(files), BATCH)]
    work: dict[str, Callable[[], Any]] = {
        "model": lambda: [encoder.forward(batch) for batch in batches],
        "pipeline": lambda: list(encoder.encode_files(files)),
        "decode": lambda: [encoder.prepare(encoder.load(file)) for file in files],
    }
    encoder.forward(batches[0])
    rounds = [{name: seconds(one) for name, one in work.items()} for _ in range(ROUNDS)]
    model, pipeline, decode = (min(r[name] for r in rounds) for name in work)
    both = model + decode / config.workers()
    whole = _whole(encoder, files[0].parent)
    n = len(files)
    return [
        _figure(f"{encoder.name}: pipeline", n / pipeline, n / model, n / both),
        _figure(f"{encoder.name}: embed", n / whole, n / model, n / both),
    ]


def _whole(encoder: Encoder, folder: Path) -> float:
    """Seconds of embedding a folder into a database."""
    with scratch() as url, connect(url) as conn:
        ingest(conn, folder)
        return seconds(lambda: embeddings.embed(conn, encoder))


def _write(folder: Path, n: int) -> list[Path]:
    rng = np.random.default_rng(0)
    for i in range(n):
        coarse = Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8))
        buffer = io.BytesIO()
        coarse.resize(SIZE, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
        (folder / f"{i:04d}.jpg").write_bytes(buffer.getvalue())
    return sorted(folder.iterdir())


def _figure(name: str, value: float, model: float, both: float) -> Figure:
    limit = f"model {model:,.0f}, with decoding {both:,.0f}"
    note = f"{value / model:.0%} of the model, {value / both:.0%} of both"
    return Figure(name, value, "images/s", limit, note=note)
