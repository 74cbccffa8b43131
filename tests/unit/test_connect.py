"""Connections check the server, take the role, and know pgvector's types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from pgvector import HalfVector, Vector

from smartdb import database as db
from smartdb import server
from smartdb.errors import (
    AccessDenied,
    DatabaseTooOld,
    DatabaseUnreachable,
    ExtensionMissing,
    InvalidInput,
    SchemaOutdated,
)


def _one(conn: psycopg.Connection[Any], query: str) -> Any:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_connection_acts_as_the_role_and_opens_no_transaction(database: str) -> None:
    with db.connect(database) as conn:
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert not conn.autocommit
        assert _one(conn, "select current_user") == "smartdb_writer"
        conn.rollback()
        assert _one(conn, "select current_user") == "smartdb_writer"


def test_without_a_role_a_connection_acts_as_the_login(database: str) -> None:
    with db.connect(database, role=None, autocommit=True) as conn:
        assert conn.autocommit
        assert _one(conn, "select current_user") == "postgres"


def test_vectors_come_back_as_vectors(conn: psycopg.Connection[Any]) -> None:
    row = conn.execute("select '[1,2]'::halfvec, '[1,2]'::vector, b'101'").fetchone()
    assert row is not None
    assert isinstance(row[0], HalfVector)
    assert isinstance(row[1], Vector)
    sent = conn.execute("select %s <=> '[1,0]'", [HalfVector([1, 0])]).fetchone()
    assert sent == (0.0,)
    assert np.asarray(row[0].to_list()).tolist() == [1, 2]


def test_all_checks_cost_one_round_trip(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def counting(self: psycopg.Cursor[Any], query: Any, *arguments: Any, **options: Any) -> Any:
        asked.append(str(query))
        return execute(self, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)
    db.connect(database).close()
    assert len(asked) == 2, asked  # the checks, and set role


def test_a_server_that_is_too_old_is_refused(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "OLDEST_SERVER", 99)
    with pytest.raises(DatabaseTooOld, match="is on PostgreSQL 18; smartdb needs 99 or later"):
        db.connect(database)


def test_a_pgvector_that_is_too_old_is_refused(database: str) -> None:
    with psycopg.connect(database) as admin:
        admin.execute("set allow_system_table_mods = on")
        admin.execute("update pg_extension set extversion = '0.7.4' where extname = 'vector'")
    with pytest.raises(DatabaseTooOld, match=r"has pgvector 0.7.4; .*alter extension vector"):
        db.connect(database)


def test_a_database_without_schema_says_to_run_init(empty_database: str) -> None:
    with pytest.raises(SchemaOutdated, match="has no smartdb schema; run: smartdb init"):
        db.connect(empty_database)
    with psycopg.connect(empty_database) as admin:
        admin.execute("create extension vector")
    with pytest.raises(SchemaOutdated, match="has no smartdb schema; run: smartdb init"):
        db.connect(empty_database)


def test_a_schema_of_another_version_says_to_run_init(database: str) -> None:
    with psycopg.connect(database) as admin:
        admin.execute("comment on schema smartdb is 'The interface of smartdb 0.0.1'")
    with pytest.raises(SchemaOutdated, match="the schema of another smartdb; run: smartdb init"):
        db.connect(database)


def test_a_server_without_pgvector_says_to_install_it(empty_database: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(empty_database)["dbname"]
    with psycopg.connect(empty_database) as admin:  # a server on which nothing is installed
        admin.execute(f"alter database {name} set extension_control_path = '/nowhere'".encode())
    with pytest.raises(ExtensionMissing, match="has no pgvector; install it there, then run"):
        db.connect(empty_database)


def test_an_unknown_role_is_refused_with_the_known_ones(database: str) -> None:
    with pytest.raises(InvalidInput, match="no role smartdb_boss; the roles are smartdb_reader, "):
        db.connect(database, role="smartdb_boss")


def test_a_refused_connection_is_not_left_open(database: str) -> None:
    with pytest.raises(InvalidInput):
        db.connect(database, role="smartdb_boss")
    query = "select count(*) from pg_stat_activity where datname = current_database()"
    with psycopg.connect(database) as admin:
        admin.execute("select pg_sleep(0.1)")
        assert _one(admin, query) == 1


def test_the_url_defaults_to_the_configured_server(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", database)
    with db.connect() as conn:
        assert f"/{conn.info.dbname}?" in database


def test_an_embedded_server_that_does_not_run_says_to_start_it(home: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match=r"is not running; run: smartdb up$"):
        db.connect()


def test_urls_written_for_sqlalchemy_are_understood(database: str) -> None:
    url = database.replace("postgresql://", "postgresql+psycopg://")
    db.connect(url).close()


def test_sqlalchemy_understands_the_embedded_servers_url(database: str) -> None:
    import sqlalchemy

    url = database.replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.connect() as bound:
        assert bound.execute(sqlalchemy.text("select current_user")).scalar() == "postgres"


def test_a_session_commits_at_its_end_and_rolls_back_on_an_error(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", database)
    add = "insert into core.actor (name, kind) values (%s, 'person')"
    with db.session() as conn:
        conn.execute(add, ["kept"])
    with pytest.raises(psycopg.errors.UniqueViolation), db.session() as conn:
        conn.cursor().executemany(add, [["lost"], ["kept"]])
    with db.session() as conn:
        names = conn.execute("select name from core.actor order by 1").fetchall()
    assert ("kept",) in names
    assert ("lost",) not in names


def test_a_served_foreign_server_is_not_upgraded_by_itself(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", empty_database)
    with pytest.raises(SchemaOutdated), db.session():
        pass


def test_a_member_of_a_role_may_not_act_as_another(
    as_role: Callable[[str], psycopg.Connection[Any]], database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("drop role if exists ada")
        admin.execute("create role ada login in role smartdb_reader")
    url = database.replace("//postgres@", "//ada@")
    db.connect(url, role="smartdb_reader").close()
    with pytest.raises(AccessDenied, match='run: grant smartdb_writer to "ada"'):
        db.connect(url)


def test_the_home_of_a_path_with_special_characters_has_a_working_url(own_home: Path) -> None:
    odd = own_home / "a b%20&c=ü'"
    odd.mkdir()
    (own_home / "postgres").rename(odd / "postgres")
    url = server.start(odd)
    with psycopg.connect(url) as conn:
        assert _one(conn, "select current_database()") == "smartdb"
    server.stop(odd)
