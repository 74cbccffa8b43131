"""How long the embedded server runs: while a process uses it, or as long as the user said.

Every process that uses the server holds a shared lock on ``<home>/postgres.use``, which vanishes
with the process, however it ends. The last one stops the server as it leaves, whoever started it,
unless ``smartdb up`` said that this very server is to be kept.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smartdb import cluster, config, server


@contextmanager
def used(home: Path | None = None) -> Iterator[str]:
    """Yields the url of the running server: started if need be, stopped by its last user."""
    home = home or config.home()
    handle = server.open_lock(home, "postgres.use")
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)  # waits while the last user before us is stopping it
        try:
            yield server.start(home)
        finally:
            _leave(home, handle)
    finally:
        os.close(handle)


def keep(home: Path | None = None) -> str:
    """Starts the server if need be, has it kept running, and returns its url."""
    home = home or config.home()
    with used(home) as url:
        _mark(home).write_text(_identity(home))
    return url


def is_kept(home: Path | None = None) -> bool:
    """Whether ``smartdb up`` asked for the server that runs now (not for one before a crash)."""
    home = home or config.home()
    try:
        return _mark(home).read_text() == _identity(home) and server.is_running(home)
    except OSError:
        return False


def stop(home: Path | None = None) -> bool:
    """Stops the server, kept or not; False if it was not running."""
    home = home or config.home()
    _mark(home).unlink(missing_ok=True)
    return server.stop(home)


def delete(home: Path | None = None) -> bool:
    """Stops the server and deletes its data, for good; False if there are none."""
    home = home or config.home()
    stop(home)
    return server.delete(home)


def _leave(home: Path, handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # somebody else uses it, and will see to it
        return
    with _undisturbed():
        if not is_kept(home):
            server.stop(home)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Lets the body end before a signal that asks the process to end is heeded."""
    if threading.current_thread() is not threading.main_thread():  # signals do not come here
        yield
        return
    heard: list[int] = []
    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, lambda number, _: heard.append(number)) for each in asking}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for number in heard:
            signal.raise_signal(number)


def _mark(home: Path) -> Path:
    return home / "postgres.kept"


def _identity(home: Path) -> str:
    """Pid, folder and start time of the running server."""
    lines = (cluster.data_folder(home) / "postmaster.pid").read_text().splitlines()
    return "\n".join(lines[:3]) + "\n"
