"""The command that serves the HTTP API."""

from __future__ import annotations

import importlib
from typing import Any

import click

from smartdb.cli import output

PORT = click.IntRange(0, 65535)
MANY = click.IntRange(1, 256)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=PORT, help="0 takes a free one.")
@click.option("--workers", default=2, show_default=True, type=MANY, help="Processes.")
@click.option(
    "--threads",
    default=8,
    show_default=True,
    type=MANY,
    help="Threads of each process; each has a connection to the database while it works.",
)
@click.option(
    "--insecure-no-auth",
    is_flag=True,
    help="Listen on an address that others reach, although the API does not ask who they are.",
)
def serve(host: str, port: int, workers: int, threads: int, insecure_no_auth: bool) -> None:
    """Serve the HTTP API until interrupted; its page is at /docs.

    The API does not ask who calls it, so it serves only this machine. The embedded server is
    started if need be and stopped in the end, unless `smartdb up` keeps it.
    """
    from smartdb import database

    wsgi = _wsgi()
    options = wsgi.Options(host, port, workers, threads, insecure_no_auth)
    wsgi.check(options)  # before a server is started for nothing
    with database.served() as url:
        wsgi.serve(url, options, _tell)


def _wsgi() -> Any:
    """The module `smartdb.api.wsgi`, which needs packages that the base install lacks."""
    from smartdb.errors import InvalidInput

    try:
        return importlib.import_module("smartdb.api.wsgi")
    except ModuleNotFoundError as missing:
        raise InvalidInput(
            f"the API needs {missing.name}; run: pip install 'smartdb[api]'"
        ) from missing


def _tell(address: str) -> None:
    click.echo(address)
    output.say(f"the page of the API is {address}/docs; stop with Ctrl-C")
