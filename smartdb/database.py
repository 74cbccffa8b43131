"""Connections: to the server of SMARTDB_DATABASE_URL, or to the embedded one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import tuple_row

from smartdb import cluster, config, embedded, interface, refusal, server
from smartdb.errors import (
    AccessDenied,
    DatabaseTooOld,
    DatabaseUnreachable,
    ExtensionMissing,
    InvalidInput,
    SchemaOutdated,
    translated,
)
from smartdb.statements import statement

WRITER = "smartdb_writer"
ROLES = (
    "smartdb_reader",
    "smartdb_annotator",
    "smartdb_reviewer",
    "smartdb_writer",
    "smartdb_privacy",
    "smartdb_owner",
)
OLDEST_SERVER = 15
OLDEST_VECTOR = (0, 8)
_TIMEOUT = "10"  # seconds to connect, unless the url says connect_timeout


@dataclass(frozen=True)
class Facts:
    """What one query tells of a server: versions, schema's stamp, the role, pgvector's types.

    ``is_member`` is None where there is no such role, ``stamp`` where there is no schema.
    """

    server: int
    vector: str | None
    stamp: str | None
    is_member: bool | None
    types: dict[str, list[int]]


def connect(
    url: str | None = None, *, role: str | None = WRITER, autocommit: bool = False
) -> psycopg.Connection[Any]:
    """A connection that acts as ``role`` (None: as the login), with pgvector's types registered.

    ``url`` defaults to SMARTDB_DATABASE_URL, else to the embedded server if it is running. Raises
    one error with the next step for whatever is wrong: DatabaseUnreachable, AccessDenied,
    DatabaseTooOld, ExtensionMissing, SchemaOutdated.
    """
    conn = open_connection(url or default_url())
    try:
        with translated():
            facts = read_facts(conn, role)
            check(conn, facts, role)
            _register_types(conn, facts)
            if role is not None:
                conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            conn.autocommit = autocommit
        return conn
    except BaseException:
        conn.close()
        raise


@contextmanager
def served() -> Iterator[str]:
    """Yields the url of a server that is up and, if it is the embedded one, has the schema.

    The embedded server is started if need be and stopped by its last user, unless ``smartdb up``
    keeps it. The schema of another server is made only by ``smartdb init``.
    """
    given = config.database_url()
    if given is not None:
        yield plain_url(given)
        return
    with embedded.used() as url:
        upgrade_if_needed(url)
        yield url


@contextmanager
def session(
    role: str | None = WRITER, *, autocommit: bool = False
) -> Iterator[psycopg.Connection[Any]]:
    """`served` and `connect` in one; commits at the end of the block, rolls back when it raises."""
    with served() as url, connect(url, role=role, autocommit=autocommit) as conn:
        yield conn


def default_url() -> str:
    """SMARTDB_DATABASE_URL, else the url of the embedded server, which must be running."""
    given = config.database_url()
    if given is not None:
        return plain_url(given)
    if not server.is_running():
        raise DatabaseUnreachable(
            f"the embedded server in {config.home()} is not running; run: smartdb up"
        )
    return server.url()


def plain_url(url: str) -> str:
    """The url without the driver that SQLAlchemy writes into it (postgresql+psycopg://)."""
    return re.sub(r"^postgres(ql)?\+\w+://", "postgresql://", url)


def upgrade_if_needed(url: str) -> bool:
    """Gives the database the schema of this code unless it has it; whether it had to."""
    from smartdb import migrate

    with open_connection(url) as conn:
        if interface.is_current(conn):
            return False
    migrate.upgrade(url)
    return True


def open_connection(url: str) -> psycopg.Connection[Any]:
    """A connection in autocommit mode as the login, unchecked; raises only why it was refused."""
    options = _parse(plain_url(url))
    try:
        defaults = {"connect_timeout": _TIMEOUT, "application_name": "smartdb"}
        return psycopg.connect(make_conninfo("", **{**defaults, **options}), autocommit=True)
    except psycopg.OperationalError as error:
        raise refusal.explain(error, location(url)) from error


def location(url: str) -> dict[str, str]:
    """Host (with port), user and database that the url names, for messages; never the password."""
    options = _parse(plain_url(url))
    host = options.get("host") or options.get("hostaddr") or "the local socket"
    user = options.get("user") or "(the system's)"
    return {
        "host": _place(host, options.get("port")),
        "user": user,
        "dbname": options.get("dbname") or user,
    }


def read_facts(conn: psycopg.Connection[Any], role: str | None) -> Facts:
    """Asks the server for `Facts`, in one round trip."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("connect", "check"), {"role": role}).fetchone()
    assert row is not None
    return Facts(conn.info.server_version // 10000, *row)


def check(conn: psycopg.Connection[Any], facts: Facts, role: str | None) -> None:
    """Raises what stands in the way of working on this server as ``role``."""
    where = f"database {conn.info.dbname} at {_host(conn)}"
    if facts.server < OLDEST_SERVER:
        raise DatabaseTooOld(
            f"{where} is on PostgreSQL {facts.server}; smartdb needs {OLDEST_SERVER} or later"
        )
    if facts.vector is None:
        raise _without_vector(conn, where)
    if tuple(int(part) for part in facts.vector.split(".")[:2]) < OLDEST_VECTOR:
        raise DatabaseTooOld(
            f"{where} has pgvector {facts.vector}; smartdb needs 0.8 or later: install it on the "
            "server, then run there: alter extension vector update"
        )
    if facts.stamp != interface.stamp():
        has = "the schema of another smartdb" if facts.stamp else "no smartdb schema"
        raise SchemaOutdated(f"{where} has {has}; run: smartdb init")
    if role is not None and facts.is_member is None:
        raise InvalidInput(f"{where} knows no role {role}; the roles are {', '.join(ROLES)}")
    if role is not None and not facts.is_member:
        user = conn.info.user
        raise AccessDenied(
            f"user {user} may not act as {role} in {where}; let an administrator run: "
            f'grant {role} to "{user}"'
        )


def conninfo(url: str, options: str) -> tuple[str, dict[str, str]]:
    """A connection string without the password, and the environment variable that holds it.

    For programs such as psql, whose arguments every user of the machine can read. ``options`` are
    settings of the session (``-c name=value``), after those of the url or of PGOPTIONS.
    """
    parsed = _parse(plain_url(url))
    given = parsed.get("options") or os.environ.get("PGOPTIONS", "")
    parsed["options"] = f"{given} {options}".strip()
    password = parsed.pop("password", None)
    return make_conninfo("", **parsed), {} if password is None else {"PGPASSWORD": password}


def _without_vector(conn: psycopg.Connection[Any], where: str) -> ExtensionMissing | SchemaOutdated:
    available = conn.execute(statement("connect", "available")).fetchone()
    if available is not None:
        return SchemaOutdated(f"{where} has no smartdb schema; run: smartdb init")
    return ExtensionMissing(
        f"the server of {where} has no pgvector; install it there, then run: smartdb init"
    )


def _register_types(conn: psycopg.Connection[Any], facts: Facts) -> None:
    from pgvector.psycopg import bit, halfvec, sparsevec, vector
    from psycopg.types import TypeInfo

    register = {
        "bit": bit.register_bit_info,
        "halfvec": halfvec.register_halfvec_info,
        "sparsevec": sparsevec.register_sparsevec_info,
        "vector": vector.register_vector_info,
    }
    for name, (oid, array_oid) in facts.types.items():
        register[name](conn, TypeInfo(name, oid, array_oid))


def _parse(url: str) -> dict[str, str]:
    """The parts of a url; what the parser says of a bad one is kept back: it quotes passwords."""
    try:
        options = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise InvalidInput(refusal.NOT_A_URL) from None
    parts = {name: str(value) for name, value in options.items() if value is not None}
    ports = parts.get("port", "").replace(",", "")
    misread = "@" in parts.get("host", "") + parts.get("dbname", "")  # of an unescaped password
    if misread or not (ports.isdecimal() or not ports):
        raise InvalidInput(refusal.NOT_A_URL)
    return parts


def _host(conn: psycopg.Connection[Any]) -> str:
    return _place(conn.info.host, str(conn.info.port))


def _place(host: str, port: str | None) -> str:
    """A host as people call it."""
    if host.startswith("/"):
        ours = cluster.socket_folder(cluster.data_folder(config.home()))
        return "the embedded server" if host == str(ours) else f"socket {host}"
    return f"{host}:{port}" if port else host
