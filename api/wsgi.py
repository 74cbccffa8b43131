"""Runs the app in gunicorn: processes that fork before they connect, each with threads."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from smartdb.database import connect
from smartdb.errors import Conflict, InvalidInput

from . import LOOPBACK, create_app
from .database import ANNOTATOR, READER, REVIEWER

TIMEOUT = 60
"""Seconds after which a process that does not answer its parent is replaced."""

GRACE = 10
"""Seconds that requests have to end when the server is told to stop."""


@dataclass(frozen=True)
class Options:
    """How to serve. ``insecure`` lets hosts other than this machine in, unasked who they are."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 8
    insecure: bool = False


def serve(url: str, options: Options, ready: Callable[[str], None]) -> None:
    """Serves the database at ``url`` until a signal ends it; ``ready`` is told the API's address.

    InvalidInput for a host that others can reach, unless that is what was asked for; Conflict for
    a port that is taken; what `smartdb.database.connect` raises where a role cannot be taken.
    """
    check(options)
    for role in (READER, ANNOTATOR, REVIEWER):
        connect(url, role=role).close()
    at = listener(options)
    host, port = at.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _run(_Server(url, options, at.detach(), lambda: ready(address)))  # gunicorn closes it


def check(options: Options) -> None:
    """Refuses what would open the database to a network."""
    if options.host not in LOOPBACK and not options.insecure:
        raise InvalidInput(
            f"the API does not ask who calls it, so whoever can reach {options.host} could read "
            "and label everything; serve 127.0.0.1 (the default) and put a proxy that asks in "
            "front of it, or say --insecure-no-auth"
        )


def listener(options: Options) -> socket.socket:
    """The socket that the server listens on; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host, options.port), family=family, backlog=256)
    except OSError as error:
        raise Conflict(
            f"cannot listen on {options.host}:{options.port}: {error.strerror}; "
            "give another: --port (0 takes a free one)"
        ) from error


def _run(server: _Server) -> None:
    """Runs the server. A worker, which is a fork, ends here: the stack above is the parent's."""
    parent = os.getpid()
    try:
        server.run()
    except SystemExit as ended:
        if os.getpid() == parent:
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 1)


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(
        self, url: str, options: Options, descriptor: int, ready: Callable[[], None]
    ) -> None:
        self._url = url
        self._options = options
        self._settings: dict[str, Any] = {
            "bind": [f"fd://{descriptor}"],
            "worker_class": "gthread",
            "workers": options.workers,
            "threads": options.threads,
            "timeout": TIMEOUT,
            "graceful_timeout": GRACE,
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": lambda _: ready(),
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return create_app(self._url, trusted_hosts=None if self._options.insecure else LOOPBACK)
