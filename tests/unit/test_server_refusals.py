"""What keeps the embedded server from running is said in one sentence, with the next step."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartdb import cluster, server
from smartdb.errors import DatabaseError, DatabaseUnreachable, DiskFull


def test_data_of_another_major_version_are_left_alone(own_home: Path) -> None:
    version = cluster.data_folder(own_home) / "PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(DatabaseError, match=r"are of PostgreSQL 16, .* brings 18; dump them"):
        server.start(own_home)
    assert version.read_text() == "16\n"


def test_a_folder_of_something_else_is_left_alone(new_home: Path) -> None:
    (new_home / "postgres").mkdir()
    (new_home / "postgres" / "holiday.jpg").touch()
    with pytest.raises(DatabaseError, match="is not the data folder of a Postgres server"):
        server.start(new_home)
    assert [path.name for path in (new_home / "postgres").iterdir()] == ["holiday.jpg"]


def test_a_home_that_is_a_file_is_refused(new_home: Path) -> None:
    (new_home / "file").touch()
    with pytest.raises(DatabaseError, match=r"File exists.*set SMARTDB_HOME"):
        server.start(new_home / "file")


def test_a_home_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(DatabaseError, match=r"cannot keep .* in /proc/smartdb.* set SMARTDB_HOME"):
        server.start(Path("/proc/smartdb"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
@pytest.mark.parametrize("home", ["/root/smartdb", "/home/ada/smartdb"])
def test_root_opens_nobodys_home_folder(home: str) -> None:
    before = Path("/root").stat().st_mode
    with pytest.raises(DatabaseError, match="set SMARTDB_HOME to a folder elsewhere, for instance"):
        server.start(Path(home))
    assert not Path(home).exists()
    assert Path("/root").stat().st_mode == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_root_opens_no_closed_folder(new_home: Path) -> None:
    closed = new_home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(DatabaseError, match=f"for whom {closed} is not to be opened"):
        server.start(closed / "smartdb")
    assert closed.stat().st_mode & 0o077 == 0


def test_a_setting_that_postgres_refuses_is_quoted_from_its_log(own_home: Path) -> None:
    with (cluster.data_folder(own_home) / "smartdb.conf").open("a") as conf:
        conf.write("shared_buffers = 'plenty'\n")
    with pytest.raises(DatabaseUnreachable, match=r"did not start: .*FATAL"):
        server.start(own_home)


def test_a_socket_folder_that_somebody_else_made_is_refused(own_home: Path) -> None:
    deep = own_home / ("d" * 120)
    deep.mkdir()
    (own_home / "postgres").rename(deep / "postgres")
    taken = cluster.socket_folder(cluster.data_folder(deep))
    taken.mkdir(mode=0o777)
    try:
        with pytest.raises(DatabaseError, match="is not the server's own; remove it"):
            server.start(deep)
    finally:
        taken.rmdir()


@pytest.fixture
def small_disk(new_home: Path) -> Iterator[Path]:
    """A file system of its own, of 60 MB."""
    disk = new_home / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=60m,mode=755", "smartdb-test", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield disk
    server.stop(disk)
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_at_the_first_start_leaves_nothing_half_made(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(50 << 20))
    with pytest.raises(DiskFull, match="free space and run again"):
        server.start(small_disk)
    assert sorted(path.name for path in small_disk.iterdir()) == ["filler", "postgres.lock"]
    (small_disk / "filler").unlink()
    server.start(small_disk)


def test_a_full_disk_at_a_later_start_loses_nothing(small_disk: Path) -> None:
    server.start(small_disk, {"min_wal_size": "32MB", "max_wal_size": "32MB"})
    server.stop(small_disk)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    with pytest.raises(DiskFull, match="free space and run again"):
        server.start(small_disk)
    filler.unlink()
    server.start(small_disk)
