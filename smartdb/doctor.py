"""Checks of everything smartdb stands on, each with the fix for what is wrong."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql

from smartdb import cluster, config, database, embedded, interface, runs, tuning
from smartdb.account import account_for
from smartdb.errors import SmartdbError, translated
from smartdb.status import invalid_indexes

State = Literal["ok", "warn", "fail", "fixed"]

_GB = 1 << 30


@dataclass(frozen=True)
class Check:
    """What one check found; ``fix`` says what to do, and is empty when nothing is."""

    name: str
    state: State
    detail: str
    fix: str = ""


def examine(fix: bool = False) -> list[Check]:
    """Runs all checks that can be run, in order; with ``fix`` repairs what can be repaired.

    Never creates or upgrades a database. After a check that fails, those that build on it are
    left out.
    """
    found = [_python(), _disk()]
    if config.database_url() is None and not cluster.exists(cluster.data_folder(config.home())):
        missing = f"no embedded server in {config.home()} yet"
        return [*found, Check("server", "warn", missing, "smartdb init")]
    try:
        with _server() as conn:
            found += _of_server(conn, fix)
    except SmartdbError as error:
        detail, _, remedy = str(error).partition("; ")
        found.append(Check("server", "fail", detail, remedy.removeprefix("run: ")))
    return found


def _of_server(conn: psycopg.Connection[Any], fix: bool) -> list[Check]:
    """Checks on a server that answers, as far as each can build on those before it."""
    with translated():
        facts = database.read_facts(conn, database.WRITER)
        postgres = Check(
            "server", "ok", f"PostgreSQL {conn.info.parameter_status('server_version')}"
        )
        try:
            database.check(conn, facts, database.WRITER)
        except SmartdbError as error:
            detail, _, remedy = str(error).partition("; ")
            return [postgres, Check("schema", "fail", detail, remedy.removeprefix("run: "))]
        return [
            postgres,
            Check("pgvector", "ok", str(facts.vector)),
            Check("schema", "ok", interface.stamp()),
            Check("privileges", "ok", f"{conn.info.user} may act as {database.WRITER}"),
            *_settings(fix),
            _indexes(conn, fix),
            _runs(conn, fix),
        ]


def _python() -> Check:
    return Check("python", "ok", f"{sys.version.split()[0]} at {sys.executable}")


def _disk() -> Check:
    home = next(at for at in (config.home(), *config.home().parents) if at.is_dir())
    free = shutil.disk_usage(home).free
    detail = f"{free / _GB:.1f} GB free for {config.home()}"
    if free < _GB:
        return Check("disk", "fail", detail, "free space, or set SMARTDB_HOME to another disk")
    if free < 10 * _GB:
        return Check("disk", "warn", detail, "1M vectors of 512 with their index need about 4 GB")
    return Check("disk", "ok", detail)


def _settings(fix: bool) -> list[Check]:
    """Whether smartdb.conf fits the memory of this machine; the embedded server only."""
    if config.database_url() is not None:
        return []
    data = cluster.data_folder(config.home())
    wanted = tuning.machine(data)
    has = _conf(data)
    key = "shared_buffers"
    ratio = _megabytes(has.get(key, "128MB")) / _megabytes(wanted[key])
    detail = f"{key} {has.get(key, 'unset')}, of {tuning.memory() / _GB:.1f} GB of memory"
    if 0.7 < ratio < 1.5:
        return [Check("settings", "ok", detail)]
    if fix:
        cluster.write_settings(data, account_for(data))
        told = f"{key} {wanted[key]} from the next start on"
        return [Check("settings", "fixed", told, "smartdb down; smartdb up")]
    told = f"{detail}; {wanted[key]} would fit"
    return [Check("settings", "warn", told, "smartdb doctor --fix")]


def _indexes(conn: psycopg.Connection[Any], fix: bool) -> Check:
    return _repairable(
        "indexes", "half-built", invalid_indexes(conn), fix, lambda left: _reindex(conn, left)
    )


def _runs(conn: psycopg.Connection[Any], fix: bool) -> Check:
    found = [f"run {run_id}" for run_id in runs.dead(conn)]

    def repair(_: list[str]) -> None:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(database.WRITER)))
        runs.fail_dead(conn)
        conn.execute("reset role")

    return _repairable("runs", "killed, but still marked running", found, fix, repair)


def _repairable(
    name: str, ailment: str, found: list[str], fix: bool, repair: Callable[[list[str]], None]
) -> Check:
    if not found:
        return Check(name, "ok", f"none {ailment}")
    detail = f"{ailment}: {', '.join(found)}"
    if not fix:
        return Check(name, "warn", detail, "smartdb doctor --fix")
    repair(found)
    return Check(name, "fixed", detail)


def _reindex(conn: psycopg.Connection[Any], found: list[str]) -> None:
    conn.execute("set role smartdb_owner")
    for name in found:
        schema, index = name.replace('"', "").split(".", 1)
        rebuild = sql.SQL("reindex index concurrently {}").format(sql.Identifier(schema, index))
        conn.execute(rebuild)
    conn.execute("reset role")


@contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    """A connection as the login to the configured server, started if it is the embedded one."""
    given = config.database_url()
    if given is not None:
        with database.open_connection(given) as conn:
            yield conn
        return
    with embedded.used() as url, database.open_connection(url) as conn:
        yield conn


def _conf(data: Path) -> dict[str, str]:
    lines = (data / "smartdb.conf").read_text().splitlines()
    pairs = (line.split(" = ", 1) for line in lines if " = " in line and line[0] != "#")
    return {name: value.strip("'") for name, value in pairs}


def _megabytes(value: str) -> int:
    return int(value.removesuffix("MB"))
