"""A folder of drawn pictures in two classes, and a turn of the loop on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

N_EACH = 25


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """25 bright discs, 25 dark squares, one disc in the wrong folder, one without a folder."""
    folder = tmp_path / "shapes"
    rng = np.random.default_rng(0)
    for name in ("disc", "square"):
        (folder / name).mkdir(parents=True)
        for i in range(N_EACH):
            _draw(name, rng).save(folder / name / f"{i:02d}.png")
    _draw("disc", rng).save(folder / "square" / "wrong.png")
    _draw("disc", rng).save(folder / "unlabelled.png")
    return folder


@pytest.fixture
def run_turn(
    database: str, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, dict[str, Any]]]:
    """A function that turns the loop on the pictures, and returns what the assets told."""
    from smartdb.pipelines.resources import Loop
    from smartdb.pipelines.turn import STEPS, turn

    from smartdb.cli.dagster import default_home

    monkeypatch.setenv("SMARTDB_DATABASE_URL", database)
    monkeypatch.setenv("DAGSTER_HOME", str(default_home()))
    loop = Loop(images=str(pictures), encoder="descriptor", n_next=5)
    return lambda steps=STEPS, **changed: turn(loop.but(**changed), steps)


def _draw(name: str, rng: np.random.Generator) -> Image.Image:
    image = Image.fromarray(rng.integers(90, 160, (40, 40, 3), np.uint8))
    x, y = (int(v) for v in rng.integers(2, 14, 2))
    size = int(rng.integers(14, 22))
    draw = ImageDraw.Draw(image)
    shape, fill = (
        (draw.ellipse, (230, 220, 60)) if name == "disc" else (draw.rectangle, (20, 30, 90))
    )
    shape((x, y, x + size, y + size), fill=fill)
    return image
