"""A turn of the loop that is killed anywhere, or whose server is, and run again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from smartdb import cluster, embedded
from smartdb.database import connect

from .conftest import Start, Turn
from .state import content, doubled, loose_ends

MOMENTS = ("media", "neighbour", "label", "label_issue", "dataset_item", "prediction")
"""Tables in the order in which a turn writes them; it is killed while it writes each."""

WAITING = """
select exists (
    select from pg_locks as l join pg_database as d on d.oid = l.database
    where not l.granted and l.relation = %s::regclass and d.datname = current_database())
"""

pytestmark = pytest.mark.timeout(300)


def wait_for(what: Callable[[], bool], turn: Turn | None = None) -> None:
    """Waits until it is so; fails when the turn ends before that, or in 100 seconds."""
    until = time.monotonic() + 100
    while not what():
        assert turn is None or not turn.is_over()
        assert time.monotonic() < until
        time.sleep(0.01)


@contextmanager
def held(url: str, table: str) -> Iterator[Callable[[], bool]]:
    """Lets nobody write a table; yields a function that says whether somebody waits to."""
    lock = sql.SQL("lock table {} in share mode").format(sql.Identifier("core", table))
    with connect(url, role="smartdb_owner") as holder, psycopg.connect(url) as watch:
        watch.autocommit = True

        def somebody_waits() -> bool:
            return watch.execute(WAITING, [f"core.{table}"]).fetchone() == (True,)

        holder.execute(lock)
        yield somebody_waits
        holder.rollback()
        wait_for(lambda: not somebody_waits())  # the server has seen that the process is gone


def compare(url: str, undisturbed: str) -> None:
    found, wanted = content(url), content(undisturbed)
    assert all(wanted[name] for name in ("vector", "neighbour", "item", "prediction", "task"))
    differing = {
        name: (found[name] - wanted[name], wanted[name] - found[name])
        for name in wanted
        if found[name] != wanted[name]
    }
    assert differing == {}
    assert doubled(found) == {}
    assert loose_ends(url) == {}


def test_killed_at_any_point_and_run_again_is_as_if_undisturbed(
    databases: Any, template: str, start: Start
) -> None:
    undisturbed, killed = databases.copy(template), databases.copy(template)
    assert start(SMARTDB_DATABASE_URL=undisturbed).wait() == 0
    for table in MOMENTS:
        with held(killed, table) as somebody_waits:
            turn = start(SMARTDB_DATABASE_URL=killed)
            wait_for(somebody_waits, turn)
            turn.kill()
    for _ in range(2):  # the second time changes nothing
        assert start(SMARTDB_DATABASE_URL=killed).wait() == 0
        compare(killed, undisturbed)


def test_a_server_killed_in_the_middle_is_started_by_the_next_run(
    databases: Any, template: str, start: Start, own_home: Path
) -> None:
    undisturbed = databases.copy(template)
    assert start(SMARTDB_DATABASE_URL=undisturbed).wait() == 0
    for table in ("media", "label_issue"):
        with (
            suppress(psycopg.OperationalError),  # our own connections end too
            embedded.used(own_home) as url,
            held(url, table) as somebody_waits,
        ):
            turn = start(SMARTDB_HOME=str(own_home))
            wait_for(somebody_waits, turn)
            pid = cluster.postmaster(cluster.data_folder(own_home))
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert turn.wait() == 1
    assert start(SMARTDB_HOME=str(own_home)).wait() == 0
    with embedded.used(own_home) as url:
        compare(url, undisturbed)
