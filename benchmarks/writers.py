"""Many at once: label writes with checkpoints running, and task claims."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from benchmarks.harness import Figure, one, session

THREADS = 8
PAUSE_S = 0.2

WRITE = """
insert into core.label (media_id, class_id, origin, actor_id) values (%s, %s, 'human', 3)
returning label_id
"""
CLOSE = "update core.label set rev_to = 0 where label_id = %s"
AT = """
select count(*) || ':' || coalesce(sum(hashint8(label_id)), 0) from core.label
where actor_id = 3 and origin = 'human' and rev_from <= %s and (rev_to is null or rev_to > %s)
"""
TASKS = """
insert into core.task (kind, media_id, priority)
select 'label', media_id, hashint8(media_id) %% 1000 from core.media
where media_id not in (select r.media_id from core.restriction as r)
order by media_id limit %s
"""
CLAIM = "select task_id from smartdb.claim_task(%s)"


def measure(url: str, n: int, span: float) -> list[Figure]:
    """Figures of ``span`` seconds of writing and of claiming, on ``n`` media."""
    return [*_labels(url, n, span), _claims(url, n, span)]


def _labels(url: str, n: int, span: float) -> list[Figure]:
    written, marks = [0] * THREADS, list[tuple[int, str]]()
    deadline = time.perf_counter() + span

    def write(place: int, conn: psycopg.Connection[Any]) -> None:
        step = 0
        while time.perf_counter() < deadline:
            per_class = n // THREADS
            media, klass = 1 + place + THREADS * (step % per_class), 1 + step // per_class
            label = one(conn, WRITE, media, klass)
            written[place] += 1
            if step % 5 == 0:
                conn.execute(CLOSE, (label,))
                written[place] += 1
            step += 1

    def mark(_: int, conn: psycopg.Connection[Any]) -> None:
        while time.perf_counter() < deadline:
            revision = one(conn, "select core.checkpoint()")
            marks.append((revision, one(conn, AT, revision, revision)))
            time.sleep(PAUSE_S)

    _at_once(url, "smartdb_writer", [write] * THREADS + [mark])
    with session(url, "smartdb_writer") as conn:
        moved = sum(one(conn, AT, revision, revision) != was for revision, was in marks)
    return [
        Figure("label writes, 8 writers", sum(written) / span, "commits/s", "(design 2,100)"),
        Figure(f"of {len(marks)} checkpoints, moved", moved, "", "0", moved == 0),
    ]


def _claims(url: str, n: int, span: float) -> Figure:
    with session(url, "smartdb_owner") as conn:
        conn.execute(TASKS, (n // 2,))
        conn.execute("vacuum (analyze) core.task")
    claimed: list[list[int]] = [[] for _ in range(THREADS)]
    start = time.perf_counter()

    def claim(place: int, conn: psycopg.Connection[Any]) -> None:
        while time.perf_counter() < start + span:
            rows = conn.execute(CLAIM, (f"annotator {place}",)).fetchall()
            if not rows:
                return
            claimed[place] += [row[0] for row in rows]

    _at_once(url, "smartdb_annotator", [claim] * THREADS)
    rate = sum(map(len, claimed)) / (time.perf_counter() - start)
    twice = sum(map(len, claimed)) - len(set().union(*claimed))
    note = f"{twice} claimed twice"
    return Figure(
        "task claims, 8 annotators", rate, "claims/s", "(lessons 3,900)", twice == 0, note
    )


def _at_once(
    url: str, role: str, works: list[Callable[[int, psycopg.Connection[Any]], None]]
) -> None:
    """Runs each in a thread with a connection of its own; raises what the first of them raised."""
    failures: list[BaseException] = []

    def work(place: int) -> None:
        try:
            with session(url, role) as conn:
                works[place](place, conn)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
