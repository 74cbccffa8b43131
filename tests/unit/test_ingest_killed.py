"""Ingest when processes are killed, and when two run at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb.database import connect
from smartdb.ingest import ingest

Connection = psycopg.Connection[Any]

N_GOOD, N_SAME, N_BROKEN = 230, 6, 4

SCRIPT = """
import sys
import smartdb.ingest
from smartdb.database import connect

smartdb.ingest.BATCH_FILES = 10
url, folder, source = sys.argv[1:]
with connect(url) as conn:
    def tell(n):
        print(n, flush=True)
    print(smartdb.ingest.ingest(conn, folder, source=source, workers=2, progress=tell))
"""

STATE = """
select 'media', encode(sha256, 'hex'), phash::text, exif::text from core.media
union all
select 'location', encode(m.sha256, 'hex'), regexp_replace(l.uri, '.*/', ''), l.modified_at::text
from core.media_location as l join core.media as m using (media_id)
union all
select 'quality', encode(m.sha256, 'hex'), q.brightness::text, q.sharpness::text
from core.quality as q join core.media as m using (media_id)
union all
select 'finding', encode(m.sha256, 'hex'), f.kind, f.score::text
from core.finding as f join core.media as m using (media_id)
union all
select 'quarantine', reason, regexp_replace(uri, '.*/', ''), detail from core.quarantine
order by 1, 2, 3, 4
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    at = tmp_path / "pictures"
    at.mkdir()
    for i in range(N_GOOD):
        pixels = rng.integers(0, 256 if i % 9 else 20, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(at / f"{i:04d}.png")
    for i in range(N_SAME):
        (at / f"same{i}.png").write_bytes((at / f"{i:04d}.png").read_bytes())
    for i in range(N_BROKEN):
        (at / f"broken{i}.png").write_bytes((at / f"{i:04d}.png").read_bytes()[:300])
    return at


def start(url: str, folder: Path, source: str = "s") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, url, str(folder), source],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def state(url: str) -> list[tuple[Any, ...]]:
    with connect(url, role="smartdb_owner") as conn:
        return conn.execute(STATE.encode()).fetchall()


def sizes(conn: Connection) -> tuple[Any, ...] | None:
    return conn.execute("""
        select (select count(*) from core.media), (select count(*) from core.media_location),
            (select count(*) from core.quality), (select count(*) from core.quarantine)
        """).fetchone()


def test_killed_at_any_point_and_run_again_is_as_if_undisturbed(
    databases: Any, template: str, folder: Path
) -> None:
    undisturbed, killed = databases.copy(template), databases.copy(template)
    with connect(undisturbed) as conn:
        ingest(conn, folder, source="s", workers=2)
    moments = random.Random(3)
    for _ in range(4):
        process = start(killed, folder)
        assert process.stdout is not None
        while process.stdout.readline().strip() == "0":  # until it has written something
            pass
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        process.communicate()
    n_before = len(state(killed))
    with connect(killed) as conn:
        counts = ingest(conn, folder, source="s", workers=2)
    assert 0 < n_before < len(state(undisturbed))
    assert counts["known"] > 0
    assert counts["added"] > 0
    assert state(killed) == state(undisturbed)
    with connect(killed) as conn:
        ended = conn.execute(
            "select status, count(*) from core.run group by 1 order by 1"
        ).fetchall()
    assert ended == [("failed", 4), ("succeeded", 1)]


def test_killing_the_workers_loses_nothing(conn: Connection, folder: Path) -> None:
    from smartdb import workers

    started: list[subprocess.Popen[bytes]] = []
    original = workers._Worker.start

    def start_and_remember(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        started.append(self.process)

    def kill(n_done: int) -> None:
        if n_done in (50, 200):  # a file in work at 50 is done by 200, so none is hit twice
            started[-1].kill()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers._Worker, "start", start_and_remember)
        patch.setattr("smartdb.ingest.BATCH_FILES", 10)
        counts = ingest(conn, folder, workers=2, progress=kill)
    assert len(started) == 4
    assert (counts["added"], counts["same_bytes"], counts["refused"]) == (N_GOOD, N_SAME, N_BROKEN)


def test_two_ingests_of_one_folder_at_once_add_each_file_once(
    database: str, conn: Connection, folder: Path
) -> None:
    processes = [start(database, folder) for _ in range(2)]
    ends = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert sizes(conn) == (N_GOOD, N_GOOD + N_SAME, N_GOOD, N_BROKEN)


def test_two_sources_with_the_same_contents_in_opposite_order_do_not_deadlock(
    database: str, conn: Connection, folder: Path, tmp_path: Path
) -> None:
    mirrored = tmp_path / "mirrored"
    mirrored.mkdir()
    for i, path in enumerate(sorted(folder.iterdir(), reverse=True)):
        (mirrored / f"{i:04d}.png").write_bytes(path.read_bytes())
    processes = [start(database, folder, "a"), start(database, mirrored, "b")]
    ends = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert sizes(conn) == (N_GOOD, 2 * (N_GOOD + N_SAME), N_GOOD, 2 * N_BROKEN)
