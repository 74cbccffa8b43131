"""An ingest from a store into the managed store that is killed, or whose server is."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smartdb import cluster, embedded
from smartdb.database import connect
from smartdb.ingest import ingest

N_GOOD, N_SAME, N_BROKEN = 40, 5, 4

SCRIPT = """
import sys
import smartdb.ingest
from smartdb import database

smartdb.ingest.BATCH_FILES = 6
with database.session() as conn:
    def tell(n):
        print(n, flush=True)
    smartdb.ingest.ingest(conn, sys.argv[1], source="s", manage=True, workers=2, progress=tell)
"""

STATE = """
select 'media', encode(m.sha256, 'hex'), m.phash::text, null from core.media as m
union all
select 'location', encode(m.sha256, 'hex'), l.uri, concat(l.is_managed, l.etag, l.missing_at)
from core.media_location as l join core.media as m using (media_id)
union all
select 'quality', encode(m.sha256, 'hex'), q.brightness::text, null
from core.quality as q join core.media as m using (media_id)
union all
select 'quarantine', q.reason, q.uri, q.detail from core.quarantine as q
order by 1, 2, 3, 4
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def filled(s3: Any) -> str:
    """A bucket of pictures: some twice, some cut off."""
    rng = np.random.default_rng(5)
    for i in range(N_GOOD):
        buffer = io.BytesIO()
        pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(buffer, "PNG")
        s3.put(f"in/{i:03d}.png", buffer.getvalue())
        if i < N_SAME:
            s3.put(f"in/same{i}.png", buffer.getvalue())
        if i < N_BROKEN:
            s3.put(f"in/broken{i}.png", buffer.getvalue()[:200])
    return f"s3://{s3.name}/in"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the managed store."""
    monkeypatch.setenv("SMARTDB_STORE", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def start(filled: str) -> Iterator[Start]:
    """A function that starts the ingest in a process of its own, with these settings."""
    started: list[subprocess.Popen[str]] = []

    def begin(**settings: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, filled],
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_for_rows(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    while process.stdout.readline().strip() == "0":
        pass


def state(url: str) -> list[tuple[Any, ...]]:
    with connect(url, role="smartdb_owner") as conn:
        return conn.execute(STATE.encode()).fetchall()


def files(kept: Path) -> list[str]:
    return sorted(path.name for path in kept.rglob("*") if path.is_file() and not path.suffix)


def test_killed_at_any_point_and_run_again_is_as_if_undisturbed(
    databases: Any, template: str, filled: str, kept: Path, start: Start
) -> None:
    undisturbed, killed = databases.copy(template), databases.copy(template)
    with connect(undisturbed) as conn:
        ingest(conn, filled, source="s", manage=True, workers=2)
    wanted = files(kept)
    for path in [path for path in kept.rglob("*") if path.is_file()]:
        path.unlink()
    moments = random.Random(3)
    for _ in range(2):
        process = start(SMARTDB_DATABASE_URL=killed)
        wait_for_rows(process)
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        process.communicate()
    assert 0 < len(state(killed)) < len(state(undisturbed))
    with connect(killed) as conn:
        counts = ingest(conn, filled, source="s", manage=True, workers=2)
        assert counts["known"] > 0
        assert (counts["missing"], counts["moved"]) == (0, 0)
        assert ingest(conn, filled, source="s", manage=True)["read"] == 0
    assert state(killed) == state(undisturbed)
    assert files(kept) == wanted
    assert len(wanted) == N_GOOD


def test_a_server_killed_in_the_middle_loses_nothing(
    databases: Any, template: str, filled: str, kept: Path, start: Start, own_home: Path
) -> None:
    undisturbed = databases.copy(template)
    with connect(undisturbed) as conn:
        ingest(conn, filled, source="s", manage=True, workers=2)
    process = start(SMARTDB_HOME=str(own_home))
    wait_for_rows(process)
    pid = cluster.postmaster(cluster.data_folder(own_home))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Error" in said
    again = start(SMARTDB_HOME=str(own_home))
    _, said = again.communicate(timeout=60)
    assert again.returncode == 0, said
    with embedded.used(own_home) as url:
        assert state(url) == state(undisturbed)
