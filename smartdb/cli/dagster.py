"""The command ``smartdb dagster``: Dagster's own command with smartdb's definitions and home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click

from smartdb import config

SETTINGS = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND...")
def dagster(arguments: tuple[str, ...]) -> None:
    """Run a Dagster command on the pipelines, such as: smartdb dagster dev.

    The server is kept up while it runs; Dagster's own records lie in smartdb's home.
    """
    from smartdb import database

    prepare_home()
    module = (
        []
        if "--help" in arguments or "-m" in arguments
        else ["-m", "smartdb.pipelines.definitions"]
    )
    with database.served():
        command = [sys.executable, "-m", "dagster", *arguments, *module]
        sys.exit(_call(command))


def _call(command: list[str]) -> int:
    """Runs a command; when this process is told to end, tells the command, and waits for it."""
    with subprocess.Popen(command) as child:
        try:
            return child.wait()
        except BaseException:  # subprocess.run would kill it, and leave its children behind
            child.send_signal(signal.SIGINT)  # the one that Dagster cleans up on
            child.wait()
            raise


def prepare_home() -> None:
    """Sets DAGSTER_HOME, unless it is set, to `default_home`."""
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    if "DAGSTER_HOME" not in os.environ:
        os.environ["DAGSTER_HOME"] = str(default_home())


def default_home() -> Path:
    """The folder of Dagster's own records in smartdb's home; telemetry, invitations are off."""
    home = config.home() / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(SETTINGS)
    return home
