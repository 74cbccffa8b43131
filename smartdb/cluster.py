"""The data folder of the embedded server: where it is, how it is made, and what may ail it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path

from smartdb import tuning
from smartdb.account import Account, closed_folder
from smartdb.errors import DatabaseError, DatabaseUnreachable, DiskFull
from smartdb.programs import MAJOR, call

SUPERUSER = "postgres"
PORT = 5432
"""Only part of the socket's name: the server listens on no network address."""

_HOMES = ("/root", "/home", "/Users")
_LONGEST_SOCKET = 100  # bytes; Linux allows 107, macOS 103


def data_folder(home: Path) -> Path:
    """``<home>/postgres``, without symbolic links, so that each home has one name."""
    return home.resolve() / "postgres"


def socket_folder(data: Path) -> Path:
    """Where the socket lies: in the data folder, or if that is too long a path, in a short one."""
    if len(os.fsencode(socket_path(data))) <= _LONGEST_SOCKET:
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path("/tmp") / f"smartdb-{digest}"


def socket_path(folder: Path) -> Path:
    """The socket in the folder."""
    return folder / f".s.PGSQL.{PORT}"


def make_socket_folder(data: Path, account: Account) -> Path:
    """The folder of `socket_folder`, made closed to all but the account."""
    folder = socket_folder(data)
    if folder != data:
        if not folder.is_dir():
            _make_closed(folder, account)
        found = folder.lstat()
        if folder.is_symlink() or found.st_uid != account.uid or found.st_mode & 0o077:
            raise DatabaseError(
                f"the socket folder {folder} is not the server's own; remove it, "
                "or set SMARTDB_HOME to a shorter path"
            )
    return folder


def exists(data: Path) -> bool:
    """Whether the data folder holds a cluster."""
    return (data / "PG_VERSION").is_file()


def check_place(data: Path, account: Account) -> None:
    """For root: the server's account must reach the folder, and no home is opened for that."""
    if not account.switch or exists(data):
        return
    inside = next((at for at in _HOMES if data.is_relative_to(at)), None)
    closed = inside or closed_folder(account, data.parent)
    if closed:
        raise DatabaseError(
            f"as root, Postgres runs as user {account.name!r}, for whom {closed} is not to be "
            f"opened, so its data cannot lie in {data}; set SMARTDB_HOME to a folder elsewhere, "
            "for instance /var/lib/smartdb"
        )


def check(data: Path, account: Account) -> None:
    """Raises when the server could not run with this data folder (made or yet to be made)."""
    check_place(data, account)
    if exists(data):
        major = (data / "PG_VERSION").read_text().strip()
        if major != str(MAJOR):
            raise DatabaseError(
                f"the data in {data} are of PostgreSQL {major}, and this smartdb brings {MAJOR}; "
                f"dump them with PostgreSQL {major} and restore them into a new SMARTDB_HOME"
            )
    elif data.exists() and any(data.iterdir()):
        raise DatabaseError(
            f"{data} is not the data folder of a Postgres server, and not empty; "
            "move it away, or set SMARTDB_HOME to another folder"
        )


def initialise(
    data: Path, account: Account, programs: Path, overrides: Mapping[str, str] | None
) -> None:
    """Makes the data folder, beside its place first, so that a half-made one is never used.

    Messages are English and sorting follows code points with the case rules of Unicode, from the
    server itself: an update of the operating system cannot corrupt an index.
    """
    unfinished = data.with_name("postgres.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        _make_closed(unfinished, account)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        trust = ["--auth-local=trust", "--auth-host=reject", f"--username={SUPERUSER}"]
        where = ["--encoding=UTF8", "--no-instructions", "-D", str(unfinished)]
        sync = ["--no-sync"] if (overrides or {}).get("fsync") == "off" else []
        code, said = call(programs / "initdb", [*locale, *trust, *where, *sync], account)
        if code:
            raise failure(f"the embedded server's data folder {data} could not be made", said)
        write_settings(unfinished, account, overrides)
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude = 'smartdb.conf'\n")
        unfinished.rename(data)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_settings(
    data: Path, account: Account, overrides: Mapping[str, str] | None = None
) -> None:
    """Writes smartdb.conf from the machine's memory; the server reads it when it starts."""
    conf = data / "smartdb.conf"
    unfinished = data / "smartdb.conf.new"
    unfinished.write_text(tuning.conf(tuning.machine(data) | dict(overrides or {})))
    if account.switch:
        os.chown(unfinished, account.uid, account.gid)
    unfinished.replace(conf)


def postmaster(data: Path) -> int | None:
    """The pid in postmaster.pid, if that process is the server of this folder and alive."""
    import psutil

    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        ours = process.name() == "postgres" and Path(process.cwd()) == data
    except (OSError, ValueError, psutil.Error):  # no file, or its process is gone or not ours
        return None
    return pid if ours else None


def clear_stale(data: Path, patience: float = 10.0) -> None:
    """Removes the lock files of a server that was killed; call it when no server is running.

    Postgres itself stumbles over them when their pid now is another process, or a zombie (in a
    container whose first process does not collect them). Backends that outlive their killed
    server for a moment are waited for.
    """
    pid_file = data / "postmaster.pid"
    socket = socket_path(socket_folder(data))
    lock_file = socket.with_name(f"{socket.name}.lock")
    if pid_file.exists():
        _wait_for_orphans(data, patience)
    for stale in (pid_file, lock_file, socket):
        stale.unlink(missing_ok=True)


def failure(what: str, said: str) -> DatabaseError:
    """The error for what a program of the server said when it failed."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if any("No space left on device" in line for line in lines):
        return DiskFull(f"{what}: {DiskFull.__doc__}")
    telling = [line for line in lines if any(mark in line for mark in ("FATAL:", "PANIC:"))]
    telling = telling or [line for line in lines if "error:" in line.lower()] or lines
    return DatabaseUnreachable(f"{what}: {telling[-1] if telling else 'it did not say why'}")


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """Raises errors of the file system below ``home`` as errors that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno == ENOSPC:
            raise DiskFull(f"the disk of {home} is full; free space and run again") from error
        raise DatabaseError(
            f"cannot keep the embedded server's files in {home} ({error.strerror}); "
            "set SMARTDB_HOME to a folder that you can write to"
        ) from error


def _make_closed(folder: Path, account: Account) -> None:
    folder.mkdir(mode=0o700)
    if account.switch:
        os.chown(folder, account.uid, account.gid)


def _wait_for_orphans(data: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while left := _orphans(data):
        if time.monotonic() > deadline:
            pids = " ".join(map(str, left))
            raise DatabaseUnreachable(
                f"the server of {data} was killed but processes of it still run; run: kill {pids}"
            )
        time.sleep(0.1)


def _orphans(data: Path) -> list[int]:
    """Processes of a server of this folder, alive without it."""
    import psutil

    here = str(data)
    return [
        process.pid
        for process in psutil.process_iter(["name", "cwd", "status"])
        if process.info["name"] == "postgres"
        and process.info["cwd"] == here
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]
