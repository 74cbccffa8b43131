"""``smartdb serve``: a production server on localhost, and a clean end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from smartdb.api import wsgi

from smartdb import server
from smartdb.errors import Conflict, InvalidInput

Started: TypeAlias = tuple["subprocess.Popen[str]", str]


@contextmanager
def serving(**environment: str) -> Iterator[Started]:
    """The command as its own process, and its address once it serves."""
    command = [sys.executable, "-m", "smartdb", "serve", "--port", "0", "--threads", "4"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment}, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield process, address
    finally:
        process.kill()
        process.communicate()


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    return process.returncode, said


def test_it_serves_and_ends_cleanly(url: str, furnished: Any) -> None:
    with serving(SMARTDB_DATABASE_URL=url) as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        status, document = get(f"{address}/openapi.json")
        assert (status, json.loads(document)["info"]["title"]) == (200, "smartdb")
        status, picture = get(f"{address}/v1/media/{furnished.media['lying.jpg']}/thumbnail")
        assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
        assert get(f"{address}/v1/media/999")[0] == 404
        code, said = ended(process)
    assert (code, said.count("\n")) == (0, 1), said
    assert "/docs" in said


def test_the_embedded_server_goes_with_it(tmp_path: Path) -> None:
    home = Path("/tmp") / f"smartdb-test-{os.getpid()}-serve"
    with serving(SMARTDB_HOME=str(home)) as (process, address):
        assert get(f"{address}/ready")[0] == 200
        (worker, *_) = _children(process.pid)
        os.kill(worker, signal.SIGTERM)  # a worker that ends must not take the database along
        _until(lambda: worker not in _children(process.pid))
        assert get(f"{address}/ready")[0] == 200
        assert server.is_running(home)
        code, said = ended(process)
    try:
        assert (code, server.is_running(home)) == (0, False), said
    finally:
        server.stop(home)
        subprocess.run(["rm", "-rf", str(home)], check=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput, match="--insecure-no-auth"):
        wsgi.check(wsgi.Options(host=host))
    wsgi.check(wsgi.Options(host=host, insecure=True))


def test_the_command_refuses_before_it_starts_a_server(cli: Any, tmp_path: Path) -> None:
    found = cli("serve", "--host", "0.0.0.0")
    assert (found.exit_code, "--insecure-no-auth" in found.stderr) == (2, True)


def test_a_port_that_is_taken_is_named() -> None:
    with wsgi.listener(wsgi.Options(port=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"127.0.0.1:{port}.*--port"):
            wsgi.listener(wsgi.Options(port=port))


def test_a_database_that_is_down_is_told_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smartdb", "serve", "--port", "0"],
        env={**os.environ, "SMARTDB_DATABASE_URL": "postgresql://u@127.0.0.1:1/x"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: no server listens at 127\.0\.0\.1:1; .*\n", done.stderr)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
