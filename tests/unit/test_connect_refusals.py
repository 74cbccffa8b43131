"""Each way in which a server refuses a connection is one error that says what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import database as db
from smartdb import migrate
from smartdb.errors import AccessDenied, DatabaseUnreachable, InvalidInput, SmartdbError


def _refused(url: str, password: str) -> SmartdbError:
    """The error of a connection to this url, which must not tell the password."""
    with pytest.raises(SmartdbError) as caught:
        db.connect(url)
    seen: BaseException | None = caught.value
    while seen is not None:  # nor may a traceback
        assert password not in str(seen)
        seen = seen.__cause__
    return caught.value


def test_a_wrong_password_is_told_by_host_and_user(tcp_server: Any) -> None:
    error = _refused(tcp_server.url(password="wr0ng"), "wr0ng")
    assert isinstance(error, AccessDenied)
    assert str(error).startswith(
        f"127.0.0.1:{tcp_server.port} refuses the password of user postgres"
    )
    assert "SMARTDB_DATABASE_URL" in str(error)


def test_a_missing_password_says_where_to_give_it(tcp_server: Any) -> None:
    url = f"postgresql://postgres@127.0.0.1:{tcp_server.port}/postgres"
    error = _refused(url, tcp_server.password)
    assert isinstance(error, AccessDenied)
    assert "(or it is missing)" in str(error)


def test_an_unknown_user_is_named(tcp_server: Any) -> None:
    # with passwords, a server does not tell an unknown user from a wrong password
    error = _refused(tcp_server.url(user="nobody", password="pw1"), "pw1")
    assert isinstance(error, AccessDenied)
    assert "user nobody" in str(error)


def test_an_unknown_user_of_a_trusting_server_is_named(database: str) -> None:
    error = _refused(database.replace("//postgres@", "//nobody@"), "no password")
    assert isinstance(error, AccessDenied)
    assert "has no user nobody" in str(error)


def test_a_user_who_may_not_log_in_is_told_how(tcp_server: Any) -> None:
    tcp_server.execute("drop role if exists asleep")
    tcp_server.execute("create role asleep nologin password 'pw2'")
    error = _refused(tcp_server.url(user="asleep", password="pw2"), "pw2")
    assert isinstance(error, AccessDenied)
    assert "alter role asleep login" in str(error)


def test_a_user_who_may_not_connect_is_told_how(tcp_server: Any) -> None:
    tcp_server.execute("drop database if exists closed")
    tcp_server.execute("drop role if exists outsider")
    tcp_server.execute("create database closed")
    tcp_server.execute("create role outsider login password 'pw3'")
    tcp_server.execute("revoke connect on database closed from public")
    error = _refused(tcp_server.url("closed", "outsider", "pw3"), "pw3")
    assert isinstance(error, AccessDenied)
    assert "grant connect on database closed to outsider" in str(error)


def test_a_database_that_does_not_exist_is_named(tcp_server: Any) -> None:
    error = _refused(tcp_server.url("nowhere"), tcp_server.password)
    assert isinstance(error, DatabaseUnreachable)
    assert str(error) == (
        f"127.0.0.1:{tcp_server.port} has no database nowhere; "
        "create it there, then run: smartdb init"
    )


def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = _refused(f"postgresql://u:pw4@127.0.0.1:{port}/d", "pw4")
    assert isinstance(error, DatabaseUnreachable)
    assert str(error).startswith(f"no server listens at 127.0.0.1:{port}; start it")


def test_a_socket_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = _refused(f"postgresql://u:pw5@/d?host={tmp_path}", "pw5")
    assert str(error).startswith(f"no server listens at socket {tmp_path};")


def test_a_host_that_does_not_exist_is_named() -> None:
    error = _refused("postgresql://u:pw6@db.invalid/d", "pw6")
    assert isinstance(error, DatabaseUnreachable)
    assert str(error) == ("there is no host db.invalid; correct the host in SMARTDB_DATABASE_URL")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose server takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_server_that_does_not_answer_is_given_up(silent_port: int) -> None:
    url = f"postgresql://u:pw7@127.0.0.1:{silent_port}/d?connect_timeout=2"
    error = _refused(url, "pw7")
    assert isinstance(error, DatabaseUnreachable)
    assert "does not answer" in str(error)


def test_a_server_that_is_full_says_so(tcp_server: Any) -> None:
    tcp_server.execute("drop role if exists crowd")
    tcp_server.execute("create role crowd login password 'pw8' connection limit 0")
    error = _refused(tcp_server.url(user="crowd", password="pw8"), "pw8")
    assert "has no free connection" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:s3cret/x@host/db",
        "postgresql://ada:p@s3cret@host/db",
        "postgresql://ada:s3cret@host:notaport/db",
        "mysql://ada:s3cret@host/db",
        "host ada s3cret",
    ],
)
def test_a_malformed_url_is_refused_without_repeating_it(url: str) -> None:
    error = _refused(url, "s3cret")
    assert isinstance(error, InvalidInput)
    assert "postgresql://user:password@host:5432/database" in str(error)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("FATAL:  the database system is starting up", "starting, recovering or stopping"),
        ("FATAL:  the database system is not yet accepting connections", "wait a little"),
        ("FATAL:  the database system is shutting down", "wait a little"),
        ('FATAL:  no pg_hba.conf entry for host "::1"', "sslmode=require"),
        ("FATAL:  something new", "cannot connect to database d at h: FATAL:  something new"),
    ],
)
def test_what_a_server_says_is_understood(said: str, shown: str) -> None:
    from smartdb.refusal import explain

    where = {"host": "h", "user": "u", "dbname": "d"}
    assert shown in str(explain(psycopg.OperationalError(said), where))


def test_a_managed_login_without_superuser_can_be_given_everything(tcp_server: Any) -> None:
    tcp_server.execute("drop database if exists managed")
    tcp_server.execute("drop role if exists manager")
    tcp_server.execute("create role manager login createrole createdb password 'pw9'")
    tcp_server.execute("create database managed owner manager")
    tcp_server.execute("create extension vector", "managed")  # is not trusted in this build
    tcp_server.execute(  # where an administrator has made the roles already
        "do $$ begin if to_regrole('smartdb_owner') is not null then "
        "grant smartdb_owner to manager; end if; end $$"
    )
    url = tcp_server.url("managed", "manager", "pw9")
    migrate.upgrade(url)
    migrate.upgrade(url)
    with db.connect(url) as conn:
        assert conn.execute("select current_user").fetchone() == ("smartdb_writer",)
        assert conn.execute("select count(*) from smartdb.media").fetchone() == (0,)
