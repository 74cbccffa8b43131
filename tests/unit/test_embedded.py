"""The embedded server runs as long as somebody uses it or asked for it, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from smartdb import cluster, embedded, server

HOLD = (
    "import time; from smartdb import database\n"
    "with database.session() as conn:\n"
    "    print('here', flush=True); time.sleep(60)\n"
)


def _smartdb(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "smartdb", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _holder() -> subprocess.Popen[str]:
    """A process that holds a session, and has got it."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


def _end(process: subprocess.Popen[str], how: Callable[[], None]) -> None:
    how()
    process.communicate()


def _servers(home: Path) -> int:
    """How many processes of a server of this home are alive."""
    data = cluster.data_folder(home)
    found = psutil.process_iter(["cwd", "status"])
    return sum(
        p.info["cwd"] == str(data) and p.info["status"] != psutil.STATUS_ZOMBIE for p in found
    )


def test_a_one_shot_command_leaves_no_process(home: Path) -> None:
    done = _smartdb("status")
    assert done.returncode == 0, done.stderr
    assert "stopped (started for this command)" in done.stdout
    assert _servers(home) == 0


def test_a_command_that_fails_leaves_no_process(home: Path) -> None:
    done = _smartdb("psql", "-v", "ON_ERROR_STOP=1", "-c", "select 1 / 0")
    assert done.returncode != 0
    assert _servers(home) == 0


def test_the_last_user_stops_the_server_whoever_started_it(home: Path) -> None:
    first, second = embedded.used(), embedded.used()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert server.is_running(home)
    second.__exit__(None, None, None)
    assert not server.is_running(home)


def test_the_server_that_a_killed_command_left_ends_with_the_next_command(home: Path) -> None:
    holder = _holder()
    _end(holder, holder.kill)
    assert server.is_running(home)
    assert _smartdb("status").returncode == 0
    assert _servers(home) == 0


def test_a_command_does_not_stop_the_server_under_another(home: Path) -> None:
    holder = _holder()
    assert _smartdb("status").returncode == 0
    assert server.is_running(home)
    _end(holder, holder.kill)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_told_to_end_stops_its_server(home: Path, number: int) -> None:
    command = [sys.executable, "-m", "smartdb", "psql", "-c", r"\! sleep 60"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        _wait_for(lambda: any(p.name() == "sleep" for p in _children(process.pid)))
        for child in [*_children(process.pid), process]:  # a terminal tells all of them
            os.kill(child.pid, number)
        process.wait(30)
    assert _servers(home) == 0


def test_a_signal_while_the_server_is_being_stopped_is_heeded_after_that(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = server.stop

    def interrupted_stop(at: Path) -> bool:
        signal.raise_signal(signal.SIGINT)
        return stop(at)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # may have come ignored
    try:
        with monkeypatch.context() as patch:
            patch.setattr(server, "stop", interrupted_stop)
            with pytest.raises(KeyboardInterrupt), embedded.used():
                pass
    finally:
        signal.signal(signal.SIGINT, before)
    assert _servers(home) == 0


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_up_keeps_the_server_until_down(home: Path) -> None:
    done = _smartdb("up")
    assert done.stdout == server.url(home) + "\n"
    assert "running until smartdb down" in _smartdb("status").stdout
    assert server.is_running(home)
    assert _smartdb("down").stderr == "stopped\n"
    assert _servers(home) == 0
    assert _smartdb("down").stderr == "it was not running\n"


def test_two_ups_at_once_start_one_server_with_the_schema(new_home: Path) -> None:
    command = [sys.executable, "-m", "smartdb", "up"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate()[0] for process in both}
    assert said == {server.url(new_home) + "\n"}
    assert [process.returncode for process in both] == [0, 0]
    with embedded.used() as url:
        assert _smartdb("psql", "-Atc", "select count(*) from media").stdout == "0\n"
    assert server.is_running(new_home)
    assert url == server.url(new_home)


def test_a_server_is_not_kept_after_the_kept_one_crashed(home: Path) -> None:
    embedded.keep()
    assert embedded.is_kept()
    pid = cluster.postmaster(cluster.data_folder(home))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: not server.is_running(home))
    assert not embedded.is_kept()
    with embedded.used():
        assert not embedded.is_kept()
    assert _servers(home) == 0
