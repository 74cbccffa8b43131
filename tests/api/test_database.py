"""What happens to requests when the database is lost, slow, or comes back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from smartdb.api import create_app, database

from smartdb import migrate, server

Sql = Callable[..., list[tuple[Any, ...]]]
Connection: TypeAlias = psycopg.Connection[Any]


@pytest.fixture
def admin(url: str) -> Iterator[Connection]:
    """A connection as the server's administrator."""
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


def backends(admin: Connection) -> list[int]:
    """The sessions of everybody else in this database."""
    rows = admin.execute(
        "select pid from pg_stat_activity where datname = current_database() "
        "and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )
    return [pid for (pid,) in rows]


def terminate(admin: Connection, pid: int) -> None:
    """Ends a session, as a restart of the server would, and waits until it is gone."""
    admin.execute("select pg_terminate_backend(%s, 5000)", [pid])


def test_a_read_on_a_lost_connection_is_tried_again(own: FlaskClient, admin: Connection) -> None:
    assert own.get("/v1/media").status_code == 200
    (pid,) = backends(admin)
    terminate(admin, pid)
    assert own.get("/v1/media").status_code == 200
    assert pid not in backends(admin)


def test_a_read_whose_connection_is_lost_meanwhile_is_tried_again(
    app: Flask, admin: Connection
) -> None:
    calls: list[int] = []

    def work(conn: Connection) -> int:
        calls.append(conn.info.backend_pid)
        if len(calls) == 1:
            terminate(admin, calls[0])
        conn.execute("select 1")
        return len(calls)

    with app.app_context():
        assert database.read(work) == 2
    assert calls[0] != calls[1]


def test_a_write_whose_connection_is_lost_meanwhile_is_not(app: Flask, admin: Connection) -> None:
    calls: list[int] = []

    def work(conn: Connection) -> None:
        calls.append(1)
        terminate(admin, conn.info.backend_pid)
        conn.execute("select 1")

    with app.app_context(), pytest.raises(database.WriteUnsure):
        database.write(database.ANNOTATOR, work)
    assert calls == [1]


def test_a_write_on_a_connection_lost_before_is_tried_again(
    own: FlaskClient, admin: Connection
) -> None:
    assert own.get("/v1/media").status_code == 200
    for pid in backends(admin):
        terminate(admin, pid)
    assert own.post("/v1/tasks/claim", json={"actor": "ana"}).status_code == 200


def test_a_database_that_is_not_there_is_503_and_names_nothing() -> None:
    app = create_app("postgresql://admin:hunter2@127.0.0.1:1/private")
    client = app.test_client()
    assert client.get("/health").status_code == 200
    for path in ("/ready", "/v1/media", "/v1/media/1/thumbnail", "/v1/runs"):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert answer.json is not None
        assert answer.json["code"] == "database_unreachable"
        assert int(answer.headers["Retry-After"]) > 0
        for secret in (b"admin", b"hunter2", b"private", b"127.0.0.1"):
            assert secret not in answer.data


def test_a_statement_that_takes_too_long_is_ended(
    app: Flask, own: FlaskClient, run_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT", "100ms")
    run_sql("insert into core.slice (name, predicate) values ('slow', 'pg_sleep(1) is not null')")
    answer = own.get("/v1/runs/5/slices?min_n=1")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (503, "timeout")
    assert own.get("/v1/runs/5").status_code == 200


def test_a_read_cannot_write_and_acts_as_a_reader(app: Flask) -> None:
    def facts(conn: Connection) -> Any:
        return conn.execute(
            "select current_user, current_setting('transaction_read_only'), "
            "current_setting('statement_timeout')"
        ).fetchone()

    with app.app_context():
        assert database.read(facts) == ("smartdb_reader", "on", "15s")
        assert database.write("smartdb_reviewer", facts)[:2] == ("smartdb_reviewer", "off")


def test_a_role_ends_with_its_transaction(app: Flask) -> None:
    with app.app_context():
        database.write("smartdb_reviewer", lambda conn: conn.execute("select 1"))
        (conn,) = app.extensions["smartdb"]._idle
        login, role = conn.execute("select session_user, current_user").fetchone()
        assert login == role


def test_a_failed_request_leaves_a_connection_that_works(
    own: FlaskClient, admin: Connection
) -> None:
    for _ in range(3):
        assert own.get("/v1/media/1/similar?encoder=none").status_code == 404
        assert own.get("/v1/media").status_code == 200
    assert len(backends(admin)) == 1


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Path]:
    """The home of a server that this test may stop; in /tmp, as the server's account needs."""
    import os
    import shutil

    home = Path("/tmp") / f"smartdb-test-{os.getpid()}-api"
    home.mkdir()
    server.start(home, {"fsync": "off", "shared_buffers": "32MB"})
    migrate.upgrade(server.url(home))
    yield home
    server.stop(home)
    shutil.rmtree(home)


def test_a_restart_under_load_is_503_then_all_is_well(own_server: Path) -> None:
    app = create_app(server.url(own_server))
    seen: Counter[int] = Counter()
    stop = threading.Event()

    def load() -> None:
        client = app.test_client()
        while not stop.is_set():
            seen[client.get("/v1/media").status_code] += 1

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    _until(lambda: seen[200] > 20)
    server.stop(own_server)
    _until(lambda: seen[503] > 5)
    server.start(own_server)
    before = seen[200]
    _until(lambda: seen[200] > before + 20)
    stop.set()
    for thread in threads:
        thread.join()
    app.extensions["smartdb"].close()
    assert seen.keys() == {200, 503}


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
