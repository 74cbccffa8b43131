"""Settings of the embedded server, derived from the memory, disk and cores it may use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30


def settings(memory: int, disk: int, shared_memory: int, cores: int) -> dict[str, str]:
    """Server settings for a machine with these bytes of memory, free disk and /dev/shm.

    The machine is shared with decoding and training, so a quarter of the memory is the server's
    own; a parallel index build keeps its work area in dynamic shared memory, which containers
    often limit to 64 MB: then it is put into files.
    """
    maintenance = _between(64 * MB, memory // 16, 2 * GB)
    return {
        "shared_buffers": _mb(_between(128 * MB, memory // 4, 8 * GB)),
        "effective_cache_size": _mb(max(256 * MB, memory // 2)),
        "maintenance_work_mem": _mb(maintenance),
        "work_mem": _mb(_between(4 * MB, memory // 256, 128 * MB)),
        "max_wal_size": _mb(_between(256 * MB, disk // 10, 4 * GB)),
        "min_wal_size": "80MB",
        "random_page_cost": "1.1",
        "jit": "off",
        "huge_pages": "try",
        "max_parallel_maintenance_workers": str(_between(1, cores, 8)),
        "dynamic_shared_memory_type": "posix" if shared_memory > 2 * maintenance else "mmap",
    }


def machine(folder: Path) -> dict[str, str]:
    """`settings` for this machine, with the data in ``folder`` (which exists)."""
    return settings(memory(), _free(folder), _free(Path("/dev/shm")), len(os.sched_getaffinity(0)))


def conf(values: Mapping[str, str]) -> str:
    """The text of smartdb.conf."""
    head = "# Written by smartdb from the machine's memory; `smartdb doctor --fix` rewrites it.\n"
    return head + "".join(f"{name} = '{value}'\n" for name, value in values.items())


def memory(root: Path = Path("/")) -> int:
    """Bytes of memory this process may use: the machine's, or its cgroup's limit if smaller.

    ``root`` is where proc and sys are looked for.
    """
    limits = [_number(path) for path in _limit_files(root)]
    return min([_physical(), *(limit for limit in limits if limit is not None)])


def _physical() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _limit_files(root: Path) -> list[Path]:
    """Files that may hold a limit: of this process's cgroup (v1 or v2) and of all above it."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found: list[Path] = []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers in ("", "memory"):
            v1 = controllers == "memory"
            mount = root / "sys/fs/cgroup" / ("memory" if v1 else "")
            name = "memory.limit_in_bytes" if v1 else "memory.max"
            group = Path(path.lstrip("/"))
            found += [mount / at / name for at in (group, *group.parents)]
    return found


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such cgroup file here, or "max"
        return None


def _free(folder: Path) -> int:
    try:
        stat = os.statvfs(folder)
    except OSError:
        return 0
    return stat.f_bavail * stat.f_frsize


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def _mb(n_bytes: int) -> str:
    return f"{n_bytes // MB}MB"
