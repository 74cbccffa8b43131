"""The embedded server starts, stops, and comes back from a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from smartdb import cluster, embedded, programs, server
from smartdb.account import account_for, popen_options
from smartdb.errors import DatabaseUnreachable


def _show(url: str, setting: str) -> str:
    with psycopg.connect(url) as conn:
        row = conn.execute("select current_setting(%s)", [setting]).fetchone()
    return str(row[0])


def _postmasters(home: Path) -> list[int]:
    """Pids of servers of this home."""
    data = str(cluster.data_folder(home))
    found = psutil.process_iter(["name", "cmdline"])
    return [p.pid for p in found if "-D" in _words(p) and data in _words(p)]


def _words(process: psutil.Process) -> list[str]:
    """The command line of a server; nothing for other programs and for zombies."""
    return (process.info["cmdline"] or []) if process.info["name"] == "postgres" else []


def _kill_postmaster(home: Path) -> None:
    (pid,) = _postmasters(home)
    os.kill(pid, signal.SIGKILL)
    while _postmasters(home):
        time.sleep(0.01)


def test_the_first_start_makes_a_server_with_a_database(new_home: Path) -> None:
    url = server.start(new_home, {"work_mem": "11MB"})
    assert _show(url, "work_mem") == "11MB"  # given
    assert _show(url, "jit") == "off"  # from the machine
    assert _show(url, "listen_addresses") == ""
    assert cluster.data_folder(new_home).stat().st_mode & 0o077 == 0
    assert "/smartdb?" in url


def test_starting_twice_is_starting_once(home: Path) -> None:
    first = server.start(home)
    before = _postmasters(home)
    assert server.start(home) == first == server.url(home)
    assert _postmasters(home) == before
    assert len(before) == 1


def test_two_processes_that_start_a_new_server_at_once_get_the_same_one(new_home: Path) -> None:
    body = (
        "import sys; from pathlib import Path; from smartdb import server;"
        "print(server.start(Path(sys.argv[1]), {'fsync': 'off'}))"
    )
    command = [sys.executable, "-c", body, str(new_home)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate()[0].strip() for process in both}
    assert said == {server.url(new_home)}
    assert [process.returncode for process in both] == [0, 0]
    assert len(_postmasters(new_home)) == 1


def test_stopping_what_does_not_run_says_so(home: Path) -> None:
    server.start(home)
    assert server.is_running(home)
    assert server.stop(home)
    assert not server.stop(home)
    assert not server.is_running(home)
    assert not server.stop(home / "nothing here")


def test_variables_of_libpq_do_not_reach_the_embedded_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere", "PGDATA": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    assert _show(server.start(home), "port") == "5432"


def test_rows_are_there_after_the_server_was_killed(home: Path) -> None:
    url = server.start(home)
    with psycopg.connect(url) as conn:
        conn.execute("create table t as select generate_series(1, 1000) as i")
    _kill_postmaster(home)
    assert not server.is_running(home)
    with psycopg.connect(server.start(home)) as conn:
        assert conn.execute("select count(*) from t").fetchone() == (1000,)


def test_recovery_longer_than_the_librarys_limit_is_waited_for(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library gives 10 s; here recovery is held for longer, by stopping its process."""
    monkeypatch.setattr(server, "_REPORT_EVERY", 2.0)
    with psycopg.connect(server.start(home)) as conn:
        conn.execute("create table many as select generate_series(1, 300000) as i")
    _kill_postmaster(home)
    begun = time.monotonic()
    with _recovery_held(home, 10.5):
        url = server.start(home)
    assert time.monotonic() - begun > 10.5
    assert "waiting for the embedded server" in capsys.readouterr().err
    with psycopg.connect(url) as conn:
        assert conn.execute("select count(*) from many").fetchone() == (300000,)


@contextmanager
def _recovery_held(home: Path, seconds: float) -> Iterator[None]:
    """Stops the process that recovers, as soon as it is there, for some seconds."""
    held = threading.Thread(target=_hold_recovery, args=(home, seconds))
    held.start()
    yield
    held.join()


def _hold_recovery(home: Path, seconds: float) -> None:
    data = str(cluster.data_folder(home))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for process in psutil.process_iter(["name", "cmdline"]):
            if "startup" in " ".join(_words(process)) and process.cwd() == data:
                process.suspend()
                time.sleep(seconds)
                process.resume()
                return


def test_a_stale_pid_file_whose_pid_is_another_process_is_seen_through(home: Path) -> None:
    data = cluster.data_folder(home)
    server.start(home)
    lines = (data / "postmaster.pid").read_text().splitlines()
    _kill_postmaster(home)
    options = popen_options(account_for(data))
    with subprocess.Popen(["sleep", "60"], **options) as other:  # of the server's own account
        (data / "postmaster.pid").write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert not server.is_running(home)
        try:
            server.start(home)
            assert other.poll() is None
        finally:
            other.kill()


def test_a_process_that_outlived_its_killed_server_is_named(home: Path) -> None:
    url = server.start(home)
    busy = psycopg.connect(url)
    pid = busy.info.backend_pid
    endless = threading.Thread(target=_run_endlessly, args=(busy,), daemon=True)
    endless.start()
    time.sleep(0.3)
    _kill_postmaster(home)
    data = cluster.data_folder(home)
    with pytest.raises(DatabaseUnreachable, match=rf"run: kill {pid}$"):
        cluster.clear_stale(data, patience=0.3)
    os.kill(pid, signal.SIGKILL)
    endless.join()
    busy.close()
    server.start(home)


def _run_endlessly(conn: psycopg.Connection) -> None:
    with suppress(psycopg.OperationalError):
        conn.execute("""
            do $$
            declare ends constant timestamptz := clock_timestamp() + '30 s';
            begin while clock_timestamp() < ends loop end loop; end $$""")


def test_an_interrupted_first_start_is_begun_again(new_home: Path) -> None:
    half = new_home / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server.start(new_home, {"fsync": "off"})
    assert not half.exists()


def test_a_large_log_is_put_aside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_LARGEST_LOG", 10)
    server.start(home)
    data = cluster.data_folder(home)
    assert (data / "log.1").stat().st_size > 10
    assert "ready to accept connections" in (data / "log").read_text()


def test_a_deep_home_gets_a_short_closed_socket_folder(own_home: Path) -> None:
    deep = own_home / ("d" * 120)
    deep.mkdir()
    (own_home / "postgres").rename(deep / "postgres")
    url = server.start(deep)
    folder = cluster.socket_folder(cluster.data_folder(deep))
    assert len(os.fsencode(cluster.socket_path(folder))) < 107
    assert folder.stat().st_mode & 0o077 == 0
    assert _show(url, "unix_socket_directories") == str(folder)
    assert server.stop(deep)
    folder.rmdir()


def test_root_runs_the_wheels_programs_from_a_closed_folder_by_copying_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    wheel = programs.binaries().parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in (wheel.parent.name, f"{wheel.parent.name}.libs"):
        (closed / name).symlink_to(wheel.parent.with_name(name))
    inside = closed / wheel.parent.name / wheel.name / "bin"
    monkeypatch.setattr(programs, "binaries", lambda: inside)
    server.start(home)
    (pid,) = _postmasters(home)
    assert Path(psutil.Process(pid).exe()).is_relative_to(home)
    assert closed.stat().st_mode & 0o077 == 0


def test_delete_leaves_no_data(own_home: Path) -> None:
    server.start(own_home)
    assert embedded.delete(own_home)
    assert not cluster.data_folder(own_home).exists()
    assert not embedded.delete(own_home)
