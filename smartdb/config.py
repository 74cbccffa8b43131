"""The SMARTDB_… variables, read in one place."""

from __future__ import annotations

import os
from pathlib import Path


def database_url() -> str | None:
    """The server to use (SMARTDB_DATABASE_URL), or None for the embedded one."""
    return os.environ.get("SMARTDB_DATABASE_URL") or None


def home() -> Path:
    """Where smartdb keeps its own files: the embedded server's data, artifacts, thumbnails.

    SMARTDB_HOME, else /var/lib/smartdb for root (the server's system user must reach it, and no
    home folder should be opened for that), else ~/.local/share/smartdb.
    """
    given = os.environ.get("SMARTDB_HOME")
    if given:
        return Path(given).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/smartdb")
    return Path.home() / ".local" / "share" / "smartdb"


def store() -> str:
    """Where managed copies of media are kept (SMARTDB_STORE): a folder, or the URI of a store.

    By default the folder ``media`` in `home`.
    """
    return os.environ.get("SMARTDB_STORE") or str(home() / "media")


def webhook_secret() -> str | None:
    """What label editors sign their messages with (SMARTDB_WEBHOOK_SECRET); None refuses all."""
    return os.environ.get("SMARTDB_WEBHOOK_SECRET") or None


def workers() -> int:
    """Processes for parallel work (SMARTDB_WORKERS), else one for each usable core."""
    given = os.environ.get("SMARTDB_WORKERS")
    return max(1, int(given)) if given else len(os.sched_getaffinity(0))


def worker_memory(workers: int) -> int:
    """Bytes that each of these processes may use (SMARTDB_WORKER_MEMORY, in megabytes).

    By default they share half of the memory of the machine, each from 512 MB to 4 GB.
    """
    from smartdb import tuning

    given = os.environ.get("SMARTDB_WORKER_MEMORY")
    share = int(given) << 20 if given else tuning.memory() // 2 // workers
    return share if given else max(512 << 20, min(share, 4 << 30))


def folder(name: str) -> Path:
    """A folder of the project beside or inside the package: ``schema`` or ``migrations``."""
    import smartdb

    return next(p for p in (Path(at) / name for at in smartdb.__path__) if p.is_dir())
