"""psql, in the database that is configured, as a role."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence

from smartdb.database import conninfo
from smartdb.programs import binaries


def psql(url: str, role: str, arguments: Sequence[str] = ()) -> int:
    """Runs the wheel's psql to its end and returns its exit code.

    It acts as ``role`` with the interface on its search path. The password goes through the
    environment, since everybody on the machine can read the arguments.
    """
    options = f"-c role={_escaped(role)} -c search_path=smartdb,public"
    connection, secret = conninfo(url, options)
    environ = {**os.environ, **secret}
    command = [str(binaries() / "psql"), "-d", connection, *arguments]
    before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is psql's, not ours
    try:
        return subprocess.call(command, env=environ)
    finally:
        signal.signal(signal.SIGINT, before)


def _escaped(value: str) -> str:
    """A value as it stands in the options of a connection, where blanks separate."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
