"""What a database needs before the first migration: a fit server, roles, pgvector, two schemas."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, InternalError_, UniqueViolation
from psycopg.rows import tuple_row

from smartdb import config
from smartdb.errors import AccessDenied, Conflict, DatabaseTooOld, ExtensionMissing
from smartdb.statements import statement


def prepare(conn: psycopg.Connection[Any]) -> None:
    """Makes roles (committed), then extension and empty schemas, and becomes smartdb_owner.

    The transaction is left open and holds the upgrade's lock until the caller ends it.
    """
    check_server(conn)
    create_roles(conn)
    conn.execute(statement("bootstrap", "lock"))
    _create_extension(conn)
    _create_schema(conn, "core")
    _create_schema(conn, "smartdb")
    conn.execute("set local role smartdb_owner")
    conn.execute("set local search_path = public")


def check_server(conn: psycopg.Connection[Any]) -> None:
    """Raises DatabaseTooOld or ExtensionMissing, with the fix, if smartdb cannot run here."""
    major = conn.info.server_version // 10000
    if major < 15:
        raise DatabaseTooOld(f"the server is PostgreSQL {major}; smartdb needs 15 or later")
    version, schema = _row(conn, "vector") or (None, None)
    if version is None:
        raise ExtensionMissing()
    if tuple(int(part) for part in version.split(".")[:2]) < (0, 8):
        raise DatabaseTooOld(
            f"pgvector is {version}; smartdb needs 0.8 or later: install it on the server, "
            "then run in the database: alter extension vector update"
        )
    if schema not in (None, "public"):
        raise ExtensionMissing(
            f"pgvector is in schema {schema}; run: alter extension vector set schema public"
        )


def create_roles(conn: psycopg.Connection[Any]) -> None:
    """Runs schema/roles.sql and commits; again if another session did the same at that moment."""
    for _ in range(5):
        try:
            conn.execute((config.folder("schema") / "roles.sql").read_bytes())
            conn.commit()
            return
        except InsufficientPrivilege as error:
            conn.rollback()
            raise _no_roles(conn) from error
        except (UniqueViolation, InternalError_):  # "tuple concurrently updated"
            conn.rollback()
    raise Conflict("others are creating smartdb's roles on this server; run it again")


def _no_roles(conn: psycopg.Connection[Any]) -> AccessDenied:
    row, user = _row(conn, "has_roles"), conn.info.user
    if row is not None and row[0]:
        return _denied(conn, "act as smartdb_owner", f'grant smartdb_owner to "{user}"')
    return _denied(conn, "create roles", f'alter role "{user}" createrole')


def _create_extension(conn: psycopg.Connection[Any]) -> None:
    try:
        conn.execute("create extension if not exists vector schema public")
    except InsufficientPrivilege as error:
        conn.rollback()
        raise _denied(
            conn, "create extensions", f"create extension vector, in {conn.info.dbname}"
        ) from error


def _create_schema(conn: psycopg.Connection[Any], name: str) -> None:
    row = _row(conn, "owner", schema=name)
    if row is not None and row[0] != "smartdb_owner":
        raise Conflict(
            f"schema {name} of this database belongs to {row[0]}; smartdb needs that name: "
            "give it a database of its own"
        )
    if row is None:
        try:
            create = sql.SQL("create schema {} authorization smartdb_owner")
            conn.execute(create.format(sql.Identifier(name)))
        except InsufficientPrivilege as error:
            conn.rollback()
            remedy = f'grant create on database "{conn.info.dbname}" to "{conn.info.user}"'
            raise _denied(conn, f"create schema {name}", remedy) from error


def _denied(conn: psycopg.Connection[Any], what: str, remedy: str) -> AccessDenied:
    return AccessDenied(f"role {conn.info.user} may not {what}; let an administrator run: {remedy}")


def _row(conn: psycopg.Connection[Any], name: str, **values: str) -> tuple[Any, ...] | None:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("bootstrap", name), values or None).fetchone()
