"""Fixtures: a real server for the whole session, and a fresh clone of the schema for each test.

`database` is the url of a clone, `conn` a connection to it as smartdb_writer, `owner` one as
smartdb_owner, `as_role("smartdb_reader")` one as any role, `cli("status", "--json")` a command of
the CLI on it. `tcp_server` is a second server, with passwords. The servers' data lie in /tmp,
never below a home folder.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from smartdb import account, cluster, embedded, migrate, programs, server
from smartdb.database import connect as open_database

TEMPLATE = "smartdb_template"
SHARED_DATA = Path(__file__).parent.parent.parent / "shared" / "data"
UNSAFE = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "autovacuum": "off"}

_numbers = itertools.count(1)

Connection = psycopg.Connection[Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips tests of the shared data, with the reason, where these are missing."""
    if not SHARED_DATA.is_dir():
        skip = pytest.mark.skip(reason=f"the shared data are not here ({SHARED_DATA})")
        for item in items:
            if item.get_closest_marker("shared"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keeps the settings and the server of the person who runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith(("SMARTDB_", "PG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SMARTDB_HOME", str(tmp_path / "smartdb-home"))


@pytest.fixture
def shared_data() -> Path:
    """The folder of the shared data; for tests marked ``shared``."""
    return SHARED_DATA


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    """The home of the session's server, which runs with fsync off."""
    _sweep()
    with open_folder() as home:
        server.start(home, UNSAFE)
        yield home


@pytest.fixture(scope="session")
def template(server_home: Path) -> str:
    """The name of a database with the schema, which is only ever copied."""
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    migrate.upgrade(server.url(server_home, TEMPLATE))
    return TEMPLATE


@dataclass(frozen=True)
class Databases:
    """Makes databases on the session's server by copying, and drops them."""

    home: Path
    admin: Connection
    made: list[sql.Identifier] = field(default_factory=list)

    def copy(self, template: str) -> str:
        """Copies a database and returns the copy's url."""
        name = f"test_{next(_numbers)}"
        create = sql.SQL("create database {} template {} strategy file_copy")
        self.admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        self.made.append(sql.Identifier(name))
        return server.url(self.home, name)

    def drop_all(self) -> None:
        """Drops all it made, and disconnects who is still there."""
        while self.made:
            drop = sql.SQL("drop database {} with (force)")
            self.admin.execute(drop.format(self.made.pop()))


@pytest.fixture(scope="session")
def _databases(server_home: Path) -> Iterator[Databases]:
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        yield Databases(server_home, admin)


@pytest.fixture
def databases(_databases: Databases) -> Databases:
    """`Databases`, after dropping those of the test before: its connections have ended by now."""
    _databases.drop_all()
    return _databases


@pytest.fixture
def database(databases: Databases, template: str) -> str:
    """The url of a fresh database with the schema, dropped after the test."""
    return databases.copy(template)


@pytest.fixture
def empty_database(databases: Databases) -> str:
    """The url of a fresh database with nothing in it, dropped after the test."""
    return databases.copy("template0")


@pytest.fixture
def as_role(database: str) -> Iterator[Callable[[str], Connection]]:
    """A function that connects to the test's database as a role."""
    opened: list[Connection] = []

    def connect(role: str) -> Connection:
        opened.append(open_database(database, role=role))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


@pytest.fixture
def conn(as_role: Callable[[str], Connection]) -> Connection:
    """A connection as smartdb_writer; what it does not commit is rolled back."""
    return as_role("smartdb_writer")


@pytest.fixture
def owner(as_role: Callable[[str], Connection]) -> Connection:
    """A connection as smartdb_owner."""
    return as_role("smartdb_owner")


@pytest.fixture
def cli(database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A function that runs a command of the CLI on the test's database: click's Result."""
    from click.testing import CliRunner

    from smartdb.cli import main

    monkeypatch.setenv("SMARTDB_DATABASE_URL", database)
    return lambda *arguments, **options: CliRunner().invoke(main, list(arguments), **options)


@dataclass(frozen=True)
class TcpServer:
    """A server on 127.0.0.1 that asks for passwords; its administrator is ``postgres``."""

    port: int
    password: str

    def url(self, dbname: str = "postgres", user: str = "postgres", password: str = "") -> str:
        """The url of a database for a user, by default the administrator."""
        secret = quote(password or self.password, safe="")
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.port}/{dbname}"

    def execute(self, statement: str, dbname: str = "postgres") -> None:
        """Runs a statement as the administrator."""
        with psycopg.connect(self.url(dbname), autocommit=True) as admin:
            admin.execute(statement.encode())


@pytest.fixture(scope="session")
def _initialised() -> Iterator[Path]:
    """A home whose server has the schema and is stopped between tests."""
    with open_folder() as home:
        migrate.upgrade(server.start(home, UNSAFE))
        server.stop(home)
        yield home


@pytest.fixture
def home(_initialised: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A SMARTDB_HOME whose embedded server has the schema and is stopped, before and after.

    It is shared by the tests: start it, crash it, but leave its files alone.
    """
    monkeypatch.setenv("SMARTDB_HOME", str(_initialised))
    yield _initialised
    embedded.stop(_initialised)


@pytest.fixture
def new_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty SMARTDB_HOME that the server's account can reach; its server ends with the test."""
    with open_folder() as home:
        monkeypatch.setenv("SMARTDB_HOME", str(home))
        yield home


@pytest.fixture
def own_home(new_home: Path, _initialised: Path) -> Path:
    """Like ``home``, for a test that does harm to its files."""
    subprocess.run(["cp", "-a", _initialised / "postgres", new_home], check=True)
    return new_home


@pytest.fixture(scope="session")
def tcp_server() -> Iterator[TcpServer]:
    """A server as one runs it oneself: TCP, scram-sha-256, no smartdb in it."""
    with open_folder() as home:
        found = TcpServer(_free_port(), "se cret/@:%")
        data = home / "postgres"
        who = account.account_for(data)
        password = home / "password"
        password.write_text(found.password)
        data.mkdir(mode=0o700)
        if who.switch:
            os.chown(data, who.uid, who.gid)
        wheel = programs.binaries_for(who, home)
        auth = ["-A", "scram-sha-256", f"--pwfile={password}", "-U", "postgres", "-E", "UTF8"]
        _call(wheel / "initdb", [*auth, "--no-locale", "-N", "-D", str(data)], who)
        options = f"-h 127.0.0.1 -p {found.port} -k {data} -c fsync=off -c shared_buffers=64MB"
        log = ["-l", str(data / "log")]
        start = ["-D", str(data), "-w", *log, "-o", options, "start"]
        _call(wheel / "pg_ctl", start, who)
        yield found


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder in /tmp that the servers' account can enter; removed with the server in it."""
    home = Path(tempfile.mkdtemp(prefix=f"smartdb-test-{os.getpid()}-", dir="/tmp"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        _end_server(home)
        shutil.rmtree(home)


def _sweep() -> None:
    """Stops and removes what test sessions that were killed have left."""
    for left in Path("/tmp").glob("smartdb-test-*"):
        pid = left.name.split("-")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            _end_server(left)
            shutil.rmtree(left, ignore_errors=True)


def _end_server(home: Path) -> None:
    """Ends the server of a home that is to be deleted: without writing anything out."""
    pid = cluster.postmaster(cluster.data_folder(home))
    if pid is not None:
        os.kill(pid, signal.SIGQUIT)
    while cluster.postmaster(cluster.data_folder(home)) is not None:
        time.sleep(0.01)


def _call(program: Path, arguments: list[str], who: account.Account) -> None:
    code, said = programs.call(program, arguments, who)
    assert code == 0, said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
