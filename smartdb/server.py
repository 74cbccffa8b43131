"""The embedded server: PostgreSQL with pgvector from a wheel, started and stopped on demand.

Its data lie in ``<home>/postgres``. It listens only on a Unix socket in a folder that nobody but
the account that runs it can enter, so whoever reaches the socket is trusted. Who needs the server
for how long is the matter of `smartdb.embedded`.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from smartdb import cluster, config
from smartdb.account import account_for
from smartdb.errors import Conflict, DatabaseUnreachable, from_driver
from smartdb.programs import binaries, binaries_for, call, popen

__all__ = ["DATABASE", "binaries", "delete", "is_running", "open_lock", "start", "stop", "url"]

DATABASE = "smartdb"

_FOREVER = "31536000"  # seconds that pg_ctl waits for recovery
_REPORT_EVERY = 5.0
_LARGEST_LOG = 16 << 20
_COMING = re.compile(r"starting up|recovery|not yet accepting|shutting down")


def url(home: Path | None = None, dbname: str = DATABASE) -> str:
    """The DSN of a database of the embedded server, running or not."""
    folder = cluster.socket_folder(cluster.data_folder(home or config.home()))
    where = quote(os.fsencode(folder), safe="/")
    return f"postgresql://{cluster.SUPERUSER}@/{quote(dbname)}?host={where}&port={cluster.PORT}"


def is_running(home: Path | None = None) -> bool:
    """Whether the server is alive: ready, recovering, or stopping."""
    data = cluster.data_folder(home or config.home())
    return _listens(data) or cluster.postmaster(data) is not None


def start(home: Path | None = None, settings: Mapping[str, str] | None = None) -> str:
    """Starts the server if it is not running, waits until it is ready, and returns its url.

    The first start makes the data folder, with settings from the machine's memory and from
    ``settings``, and the database ``smartdb``. Crash recovery is waited for as long as it takes,
    with its progress on stderr. Safe to call from several processes at once.
    """
    home = home or config.home()
    with _locked(home):
        _bring_up(home, settings)
    return url(home)


def stop(home: Path | None = None) -> bool:
    """Stops the server (disconnecting whoever uses it); False if it was not running."""
    home = home or config.home()
    data = cluster.data_folder(home)
    if not is_running(home):
        return False
    with _locked(home):
        if not is_running(home):
            return False
        account = account_for(data)
        arguments = ["-D", str(data), "-m", "fast", "-w", "-t", _FOREVER, "stop"]
        code, said = call(binaries_for(account, home) / "pg_ctl", arguments, account)
        if code and is_running(home):
            raise cluster.failure(f"the embedded server in {data} could not be stopped", said)
    return True


def delete(home: Path | None = None) -> bool:
    """Deletes the data of the stopped server; False if there are none."""
    home = home or config.home()
    data = cluster.data_folder(home)
    if not cluster.exists(data):
        return False
    with _locked(home), cluster.writing(home):
        if is_running(home):
            raise Conflict(f"the embedded server in {home} was started again; run: smartdb down")
        shutil.rmtree(data)
    return True


def open_lock(home: Path, name: str) -> int:
    """An open lock file in ``home``, which is made if a server could have its data there."""
    data = cluster.data_folder(home)
    cluster.check_place(data, account_for(data))
    with cluster.writing(home):
        home.mkdir(parents=True, exist_ok=True)
        return os.open(home / name, os.O_RDWR | os.O_CREAT, 0o644)


def _bring_up(home: Path, settings: Mapping[str, str] | None) -> None:
    reported, refusals = time.monotonic(), 0
    while True:
        if not is_running(home):
            _launch(home, settings)
        said = _ensure_database(home)
        if said is None:
            return
        refusals = 0 if _COMING.search(said) else refusals + 1
        if refusals > 50:
            raise DatabaseUnreachable(
                f"the embedded server in {home} is running but does not answer ({said}); "
                "run: smartdb down, and again"
            )
        if time.monotonic() - reported > _REPORT_EVERY:
            _say(f"waiting for the embedded server: {said}")
            reported = time.monotonic()
        time.sleep(0.2)


def _launch(home: Path, settings: Mapping[str, str] | None) -> None:
    data = cluster.data_folder(home)
    with cluster.writing(home):
        account = account_for(data)
        cluster.check(data, account)
        programs = binaries_for(account, home)
        if not cluster.exists(data):
            cluster.initialise(data, account, programs, settings)
        cluster.clear_stale(data)
        sockets = cluster.make_socket_folder(data, account)
        log = data / "log"
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(data / "log.1")
        offset = log.stat().st_size if log.exists() else 0
    options = f"-h '' -p {cluster.PORT} -k {shlex.quote(str(sockets))}"
    arguments = ["-D", str(data), "-w", "-t", _FOREVER, "-l", str(log), "-o", options, "start"]
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        code = _wait(popen(programs / "pg_ctl", arguments, account, said), log)
        said.seek(0)
        if code:
            text = said.read() + _since(log, offset)
            raise cluster.failure(f"the embedded server in {data} did not start", text)


def _wait(pg_ctl: subprocess.Popen[bytes], log: Path) -> int:
    """Waits for pg_ctl, which waits as long as the server is alive and coming up."""
    try:
        while True:
            try:
                return pg_ctl.wait(_REPORT_EVERY)
            except subprocess.TimeoutExpired:
                _say(f"waiting for the embedded server: {_last_line(log)}")
    except BaseException:
        pg_ctl.send_signal(signal.SIGINT)  # pg_ctl passes it on to the server
        pg_ctl.wait()
        raise


def _ensure_database(home: Path) -> str | None:
    """Makes the database if it is missing; what the server says if it is not ready yet."""
    import psycopg

    try:
        with psycopg.connect(url(home, "postgres"), autocommit=True) as conn:
            known = conn.execute("select from pg_database where datname = %s", [DATABASE])
            if known.fetchone() is None:
                conn.execute("create database smartdb")
    except psycopg.OperationalError as error:
        if error.sqlstate is not None:
            raise from_driver(error) from error
        return str(error).strip().splitlines()[-1]
    return None


def _listens(data: Path) -> bool:
    """Whether a server accepts connections on the socket, also one in another container."""
    path = str(cluster.socket_path(cluster.socket_folder(data)))
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Holds the lock under which the server of this home is started and stopped."""
    handle = open_lock(home, "postgres.lock")
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another smartdb that is starting or stopping the server")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _since(log: Path, offset: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(offset)
        return "\n" + file.read().decode(errors="replace")


def _last_line(log: Path) -> str:
    lines = _since(log, max(0, log.stat().st_size - 4096) if log.exists() else 0).splitlines()
    return lines[-1] if lines else "no word from it yet"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
