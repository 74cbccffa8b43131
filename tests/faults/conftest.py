"""A small folder of pictures, and a turn of the loop on it in a process that can be killed."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

N_EACH = 12

NURSERY = """
import json, os, sys, traceback
import sklearn.model_selection, torch
from smartdb.pipelines.resources import Loop
from smartdb.pipelines.turn import turn

def begin(images, settings):
    os.setsid()
    os.environ.update(settings)
    try:
        turn(Loop(images=images, encoder="descriptor", n_next=5))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        begin(*json.loads(line))
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
"""Each turn is a process of its own, forked from one that has done the imports."""


@dataclass(frozen=True)
class Turn:
    """A turn of the loop that runs in a process group of its own."""

    pid: int
    nursery: subprocess.Popen[str]

    def kill(self) -> None:
        """Kills the process and its workers, and waits for it."""
        os.killpg(self.pid, signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL

    def is_over(self) -> bool:
        """Whether it has ended by itself."""
        return bool(select.select([self.nursery.stdout], [], [], 0)[0])

    def wait(self) -> int:
        """Its exit code."""
        assert self.nursery.stdout is not None
        return int(self.nursery.stdout.readline())


Start = Callable[..., Turn]


def draw(path: Path, brightness: int, seed: int) -> None:
    """A small picture of its own."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(brightness, brightness + 60, (12, 12, 3)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize((48, 48)).save(path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """12 dark, 12 bright, a bright one in the dark folder, one in no folder, one broken."""
    folder = tmp_path / "shades"
    for i in range(N_EACH):
        draw(folder / "dark" / f"{i:02d}.png", 10, i)
        draw(folder / "bright" / f"{i:02d}.png", 180, 100 + i)
    draw(folder / "dark" / "wrong.png", 180, 200)
    draw(folder / "unlabelled.png", 180, 201)
    (folder / "broken.png").write_bytes((folder / "dark" / "00.png").read_bytes()[:200])
    return folder


@pytest.fixture
def start(pictures: Path, tmp_path: Path) -> Iterator[Start]:
    """A function that starts a turn of the loop on the pictures, with these settings."""
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    command = [sys.executable, "-c", NURSERY]
    own = {**os.environ, "DAGSTER_HOME": str(home)}
    started: list[Turn] = []
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=own, **pipes) as nursery:  # type: ignore[call-overload]

        def begin(**settings: str) -> Turn:
            nursery.stdin.write(json.dumps([str(pictures), settings]) + "\n")
            nursery.stdin.flush()
            started.append(Turn(int(nursery.stdout.readline()), nursery))
            return started[-1]

        yield begin
        for turn in started:
            with suppress(ProcessLookupError):
                os.killpg(turn.pid, signal.SIGKILL)
