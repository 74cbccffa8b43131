"""The pictures of docs/tutorial.md: ``python tests/docs/shapes.py DIR`` draws them there.

Three class folders of 60 drawn shapes on noise; two of each lie in the folder of another class, one
file has a near-duplicate, one is cut short, and ten lie in no folder.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CLASSES = ("disc", "square", "triangle")
N_EACH, N_WRONG, N_UNLABELLED = 60, 2, 10


def draw(folder: Path, seed: int = 0) -> None:
    """Writes the pictures below ``folder``; the same seed draws the same."""
    rng = np.random.default_rng(seed)
    for name in CLASSES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(N_EACH):
            _picture(name, rng).save(folder / name / f"{i:02d}.png")
    for name, other in zip(CLASSES, CLASSES[1:] + CLASSES[:1]):
        for i in range(N_WRONG):
            _picture(name, rng).save(folder / other / f"wrong-{i}.png")
    for i in range(N_UNLABELLED):
        _picture(CLASSES[i % 3], rng).save(folder / f"new-{i}.png")
    with Image.open(folder / "disc" / "00.png") as first:
        first.point([round(level * 0.9) for level in range(256)] * 3).save(folder / "disc/copy.png")
        whole = io.BytesIO()
        first.save(whole, "PNG")
    (folder / "disc" / "cut.png").write_bytes(whole.getvalue()[:900])


def _picture(name: str, rng: np.random.Generator) -> Image.Image:
    image = Image.fromarray(rng.integers(100, 150, (48, 48, 3), np.uint8))
    x, y = (int(v) for v in rng.integers(3, 16, 2))
    size = int(rng.integers(20, 28))
    fill = tuple(int(v) for v in rng.integers(0, 70, 3))
    pen = ImageDraw.Draw(image)
    if name == "disc":
        pen.ellipse((x, y, x + size, y + size), fill=fill)
    elif name == "square":
        pen.rectangle((x, y, x + size, y + size), fill=fill)
    else:
        pen.polygon([(x, y + size), (x + size, y + size), (x + size // 2, y)], fill=fill)
    return image


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
