"""Clips drawn for tests: small, and with every frame of its own."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np


def write_clip(
    path: Path,
    ticks: Iterable[int] = range(20),
    options: dict[str, str] | None = None,
    seed: int = 0,
    **tags: str,
) -> Path:
    """Writes a clip of 64x48 pixels whose frame i is shown at tenth ``ticks[i]``."""
    import av

    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream("libx264", rate=10, options=options or {})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 10)
        for i, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(draw(i, seed), format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def draw(number: int, seed: int) -> Any:
    """Big squares by the seed under a ramp that is as bright as the number tells."""
    squares = np.random.default_rng(seed).integers(0, 120, (6, 8, 3)).repeat(8, 0).repeat(8, 1)
    ramp = np.linspace(0, 40, 64)[None, :, None] + number * 7 % 90
    return (squares + ramp).astype(np.uint8)
