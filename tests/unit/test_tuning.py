"""Settings of the embedded server follow from the memory it may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartdb import tuning
from smartdb.tuning import GB, MB


@pytest.mark.parametrize(
    ("memory", "shared_buffers", "maintenance", "work"),
    [
        (1 * GB, "256MB", "64MB", "4MB"),
        (16 * GB, "4096MB", "1024MB", "64MB"),
        (512 * GB, "8192MB", "2048MB", "128MB"),
    ],
)
def test_memory_is_shared_out_within_bounds(
    memory: int, shared_buffers: str, maintenance: str, work: str
) -> None:
    found = tuning.settings(memory, 100 * GB, 64 * GB, 4)
    assert found["shared_buffers"] == shared_buffers
    assert found["maintenance_work_mem"] == maintenance
    assert found["work_mem"] == work


def test_a_container_with_little_shared_memory_keeps_index_builds_in_files() -> None:
    assert tuning.settings(16 * GB, 1, 64 * MB, 4)["dynamic_shared_memory_type"] == "mmap"
    assert tuning.settings(16 * GB, 1, 8 * GB, 4)["dynamic_shared_memory_type"] == "posix"


def test_a_small_disk_gets_a_small_wal() -> None:
    assert tuning.settings(16 * GB, 5 * GB, GB, 4)["max_wal_size"] == "512MB"
    assert tuning.settings(16 * GB, 0, GB, 4)["max_wal_size"] == "256MB"


@pytest.mark.parametrize(
    ("group", "limit_file"),
    [
        ("0::/a/b", "sys/fs/cgroup/a/b/memory.max"),
        ("0::/a/b", "sys/fs/cgroup/a/memory.max"),
        ("0::/a/b", "sys/fs/cgroup/memory.max"),
        ("4:memory:/a", "sys/fs/cgroup/memory/a/memory.limit_in_bytes"),
        ("4:memory:/not/mounted", "sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ],
)
def test_the_limit_of_the_control_group_counts(tmp_path: Path, group: str, limit_file: str) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(f"1:cpu:/x\n{group}\n")
    (tmp_path / limit_file).parent.mkdir(parents=True)
    (tmp_path / limit_file).write_text(f"{100 * MB}\n")
    assert tuning.memory(tmp_path) == 100 * MB


def test_an_unlimited_control_group_leaves_the_machines_memory(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("max\n")
    assert tuning.memory(tmp_path) == tuning.memory(tmp_path / "nothing here") > 256 * MB
