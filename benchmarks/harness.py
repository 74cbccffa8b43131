"""What the benchmarks share: a scratch database, timing, and tables that say how much to trust."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from smartdb import config, migrate, server


@dataclass(frozen=True)
class Figure:
    """One line of a table: what was measured, and what it is held against."""

    name: str
    value: float
    unit: str
    limit: str = ""
    holds: bool | None = None
    note: str = ""
    cpu: float | None = None


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, and of the server process alone (None if it is on another machine)."""

    wall: float
    cpu: float | None


@contextmanager
def scratch() -> Iterator[str]:
    """The url of a new database with the whole schema; it is dropped at the end.

    On the server of SMARTDB_DATABASE_URL if set, else on an embedded server made for this.
    """
    given = config.database_url()
    if given:
        yield from _on_server(given)
    else:
        yield from _on_new_server()


def _on_server(url: str) -> Iterator[str]:
    name = f"smartdb_bench_{os.getpid()}_{time.monotonic_ns()}"
    made = psycopg.conninfo.make_conninfo(url, dbname=name)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            migrate.upgrade(made)
            yield made
        finally:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _on_new_server() -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="smartdb-bench-"))
    home.chmod(0o755)  # the server's system user goes through it
    try:
        url = server.start(home)
        migrate.upgrade(url)
        yield url
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def session(url: str, role: str) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection that acts as ``role``, so that row-level security applies."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        yield conn


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def took(conn: psycopg.Connection[Any], work: Callable[[], object]) -> Took:
    """How long ``work`` on this connection takes, and how much of that the server computed."""
    before = _cpu(conn)
    wall = seconds(work)
    after = _cpu(conn)
    return Took(wall, None if before is None or after is None else after - before)


def run(conn: psycopg.Connection[Any], query: str, *values: Any) -> Took:
    """What a query takes, its result read to the end."""
    return took(conn, lambda: conn.execute(query.encode(), values or None).fetchall())


def one(conn: psycopg.Connection[Any], query: str, *values: Any) -> Any:
    """The single value of a query."""
    row = conn.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def percentile(times: Sequence[float], share: float) -> float:
    """The time below which this share of ``times`` lies."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def held(
    name: str, took: Took, target: float | None = None, was: str = "", note: str = ""
) -> Figure:
    """A figure in seconds beside its target and what the design measured.

    On a busy machine what the server computed is held against the target, and the note says so.
    """
    limit = f"< {target:g} s" if target else ""
    if was:
        limit = f"{limit} (design {was})".strip()
    holds = took.wall < target if target else None
    if target and not holds and took.cpu is not None and took.cpu < target:
        holds, note = None, f"within the target by cpu; the machine is busy {note}".strip()
    return Figure(name, took.wall, "s", limit, holds, note, took.cpu)


def show(title: str, figures: Sequence[Figure]) -> None:
    """Prints figures as a table, with what the machine was doing meanwhile.

    The column cpu is what the server process computed: on a busy machine the rest is waiting.
    """
    print(f"\n{title}\n{machine()}")
    width = max(len(f.name) for f in figures)
    for f in figures:
        verdict = {None: "", True: "ok", False: "SHORT"}[f.holds]
        cpu = "" if f.cpu is None else f"cpu {f.cpu:.2f}"
        line = f"  {f.name:<{width}}  {_number(f.value):>9} {f.unit:<9} {cpu:<10} {f.limit:<26}"
        print(f"{line} {verdict:<5} {f.note}".rstrip(), flush=True)


def machine() -> str:
    """Cores and load: on a busy machine trust ratios and cpu, not the clock."""
    cores, (one_minute, five, _) = len(os.sched_getaffinity(0)), os.getloadavg()
    busy = " (busy: trust ratios and cpu)" if one_minute > cores + 1 else ""
    return f"{cores} cores, load {one_minute:.1f} over 1 min, {five:.1f} over 5 min{busy}"


def _cpu(conn: psycopg.Connection[Any]) -> float | None:
    try:
        stat = Path(f"/proc/{conn.info.backend_pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = stat.rpartition(")")
    if "postgres" not in name:  # a process of this machine with the number of one on another
        return None
    fields = rest.split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
