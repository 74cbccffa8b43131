"""Runs leave a row that says how they ended, whatever ended them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psycopg
import pytest

import smartdb
from smartdb import runs


def _row(conn: psycopg.Connection, run_id: int) -> tuple:
    query = "select status, counts, error, finished_at is not null from core.run where run_id = %s"
    return conn.execute(query, [run_id]).fetchone()


def test_a_run_that_ends_well_keeps_its_counts(conn: psycopg.Connection) -> None:
    with runs.run(conn, "test", {"k": 3}, seed=7) as run:
        run.counts["added"] = np.int64(2)
    assert _row(conn, run.run_id) == ("succeeded", {"added": 2}, None, True)
    row = conn.execute("select kind, parameters, seed from core.run").fetchone()
    assert row == ("test", {"k": 3}, 7)


def test_an_open_run_is_seen_by_others(conn: psycopg.Connection, owner: psycopg.Connection) -> None:
    with runs.run(conn, "test") as run:
        assert _row(owner, run.run_id)[0] == "running"
        assert runs.dead(owner) == []


def test_a_run_that_fails_rolls_back_and_says_why(conn: psycopg.Connection) -> None:
    def fail_after_writing() -> None:
        with runs.run(conn, "test"):
            conn.execute("insert into core.actor (name, kind) values ('ada', 'person')")
            raise ValueError("no good")

    with pytest.raises(ValueError, match="no good"):
        fail_after_writing()
    found = conn.execute("select status, error from core.run").fetchall()
    assert found == [("failed", "no good")]
    assert conn.execute("select count(*) from core.actor where name = 'ada'").fetchone() == (0,)


def test_a_run_that_breaks_its_transaction_is_still_recorded(conn: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), runs.run(conn, "test") as run:
        conn.execute("select 1 / 0")
    assert _row(conn, run.run_id)[:3] == ("failed", {}, "division by zero")


def test_an_interrupted_run_is_recorded_as_failed(conn: psycopg.Connection) -> None:
    with pytest.raises(KeyboardInterrupt), runs.run(conn, "test") as run:
        raise KeyboardInterrupt
    assert _row(conn, run.run_id)[:3] == ("failed", {}, "KeyboardInterrupt")


def test_a_run_knows_the_dagster_run_that_called_it(conn: psycopg.Connection) -> None:
    token = runs.dagster_run_id.set("d-1")
    with runs.run(conn, "test"):
        pass
    runs.dagster_run_id.reset(token)
    with runs.run(conn, "test"):
        pass
    found = conn.execute("select dagster_run_id from core.run order by run_id").fetchall()
    assert found == [("d-1",), (None,)]


def test_a_lost_connection_raises_the_error_of_the_body(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    conn.execute("reset role")
    with pytest.raises(psycopg.OperationalError), runs.run(conn, "test") as run:
        conn.execute("select pg_terminate_backend(pg_backend_pid())")
    assert _row(owner, run.run_id)[0] == "running"
    assert runs.dead(owner) == [run.run_id]


def test_the_next_run_of_the_kind_closes_the_run_of_a_killed_process(
    database: str, conn: psycopg.Connection
) -> None:
    body = (
        "import sys, time; from smartdb import database, runs\n"
        "with database.connect(sys.argv[1]) as conn, runs.run(conn, 'test') as run:\n"
        "    print(run.run_id, flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", body, database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=_environ()) as process:
        assert process.stdout is not None
        killed = int(process.stdout.readline())
        with runs.run(conn, "other"):  # another kind, and the process is alive
            assert _row(conn, killed)[0] == "running"
        with runs.run(conn, "test"):  # same kind, but the process is alive
            assert _row(conn, killed)[0] == "running"
        process.send_signal(signal.SIGKILL)
    _wait_until_gone(conn)
    with runs.run(conn, "test"):
        assert _row(conn, killed) == ("failed", {}, runs.KILLED, True)


def _wait_until_gone(conn: psycopg.Connection) -> None:
    """The server notices a killed client when it next reads from it: at once, here."""
    for _ in range(100):
        conn.rollback()
        if runs.dead(conn):
            return
        conn.execute("select pg_sleep(0.05)")
    raise AssertionError("the killed process's run still looks alive")


def _environ() -> dict[str, str]:
    root = str(Path(smartdb.__file__).parent.parent)
    return {**os.environ, "PYTHONPATH": root}
