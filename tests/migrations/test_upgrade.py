"""Upgrading: once, again, at once with others, as who, and what stops it."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from smartdb import bootstrap, interface, migrate, server
from smartdb.errors import AccessDenied, Conflict, ExtensionMissing, SchemaOutdated, SmartdbError
from smartdb.fingerprint import difference, fingerprint


def marks(url: str) -> dict[str, str]:
    with psycopg.connect(url) as conn:
        return fingerprint(conn)


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


ROLES = ("owner", "writer", "privacy", "reviewer", "annotator", "reader")
DROP_ROLES = [f"drop role smartdb_{name}" for name in ROLES]


@pytest.fixture(scope="module")
def fresh_server() -> Iterator[str]:
    """The url of a database on a server that has never seen smartdb's roles."""
    with tempfile.TemporaryDirectory(prefix=f"smartdb-test-{os.getpid()}-", dir="/tmp") as folder:
        home = Path(folder)
        home.chmod(0o755)
        yield server.start(home, {"fsync": "off", "shared_buffers": "32MB"})
        server.stop(home)


@pytest.fixture
def login(empty_database: str) -> Iterator[Callable[[str], str]]:
    """A function that makes a login with these rights and returns its url to an empty database."""
    made: list[str] = []

    def make(rights: str) -> str:
        made.append(f"login_{secrets.token_hex(4)}")
        run(empty_database, f"create role {made[-1]} login {rights}")
        return make_conninfo(empty_database, user=made[-1])

    yield make
    for name in made:
        run(empty_database, f"drop owned by {name} cascade", f"drop role {name}")


def test_an_upgrade_makes_the_schema_in_an_empty_database(empty_database: str) -> None:
    with psycopg.connect(empty_database) as conn:
        assert not migrate.is_current(conn)
    migrate.upgrade(empty_database)
    with psycopg.connect(empty_database) as conn:
        assert migrate.is_current(conn)
        assert conn.execute("select count(*) from smartdb.media").fetchone() == (0,)
        assert conn.execute("select version_num from core.alembic_version").fetchall() == [
            (migrate.revisions()[-1],)
        ]


def test_a_second_upgrade_changes_nothing(database: str) -> None:
    before = marks(database)
    migrate.upgrade(database)
    assert difference(marks(database), before) == []


def test_any_role_can_ask_whether_the_schema_is_current(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("set role smartdb_reader")
        assert migrate.is_current(conn)


def test_an_interface_built_by_other_code_is_not_current(database: str) -> None:
    run(database, "comment on schema smartdb is 'The interface of smartdb 9.9.9'")
    with psycopg.connect(database) as conn:
        assert not migrate.is_current(conn)


def test_two_upgrades_at_once_both_succeed(empty_database: str) -> None:
    errors: list[BaseException] = []

    def upgrade() -> None:
        try:
            migrate.upgrade(empty_database)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with psycopg.connect(empty_database) as conn:
        assert migrate.is_current(conn)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        ("create view public.mine as select media_id from smartdb.media", "view public.mine"),
        (
            "create function public.mine() returns bigint begin atomic; "
            "select count(*) from smartdb.label; end",
            "function public.mine()",
        ),
        ("create table public.mine (m smartdb.media)", "table public.mine"),
        (
            "create materialized view public.mine as table smartdb.source_summary",
            "materialized view public.mine",
        ),
    ],
)
def test_what_hangs_on_the_interface_stops_the_upgrade_and_is_named(
    database: str, make: str, name: str
) -> None:
    run(database, make, "comment on schema smartdb is 'older'")
    before = marks(database)
    with pytest.raises(Conflict, match=f"{re.escape(name)} depend.*smartdb init"):
        migrate.upgrade(database)
    assert difference(marks(database), before) == []
    with psycopg.connect(database) as conn:
        assert not migrate.is_current(conn)


def test_an_upgrade_goes_on_when_others_views_read_each_other_only(database: str) -> None:
    run(database, "create view public.a as select 1 as one", "create view public.b as table a")
    migrate.upgrade(database)
    with psycopg.connect(database) as conn:
        assert conn.execute("select one from public.b").fetchone() == (1,)


def test_an_upgrade_gives_up_when_somebody_keeps_the_interface_in_use(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "100ms")
    with psycopg.connect(database) as reader:
        reader.execute("select from smartdb.media")
        with pytest.raises(Conflict, match=r"in use: no lock within 100ms.* run it again"):
            migrate.upgrade(database)
    migrate.upgrade(database)


def test_the_views_of_encoders_survive_a_rebuild(database: str) -> None:
    run(
        database,
        "select core.add_encoder('tiny', 3)",
        "create index on core.embedding_1 (media_id)",
    )
    before = marks(database)
    assert "view smartdb.embedding_1" in before
    migrate.upgrade(database)
    assert difference(marks(database), before) == []


def test_a_damaged_interface_is_repaired_by_an_upgrade(database: str) -> None:
    before = marks(database)
    run(
        database,
        "drop view smartdb.quarantine cascade",
        "grant select on core.media to smartdb_reader",
    )
    assert difference(marks(database), before) != []
    migrate.upgrade(database)
    assert difference(marks(database), before) == []


def test_a_login_that_may_not_make_roles_is_told_what_to_ask_for(fresh_server: str) -> None:
    run(fresh_server, "create role bob login")
    with pytest.raises(AccessDenied, match=r'create roles; .* run: alter role "bob" createrole'):
        migrate.upgrade(make_conninfo(fresh_server, user="bob"))
    run(fresh_server, "drop role bob")


def test_a_login_that_is_no_superuser_can_make_roles_and_upgrade(fresh_server: str) -> None:
    run(fresh_server, "create role ada login createrole createdb")
    ada = make_conninfo(fresh_server, user="ada")
    with psycopg.connect(ada, autocommit=True) as conn:
        conn.execute("create database hers")
    hers = make_conninfo(ada, dbname="hers")
    run(make_conninfo(fresh_server, dbname="hers"), "create extension vector")
    migrate.upgrade(hers)
    before = marks(hers)
    migrate.upgrade(hers)
    assert difference(marks(hers), before) == []
    with psycopg.connect(hers) as conn:
        owner = "select tableowner from pg_tables where tablename = 'media'"
        assert conn.execute(owner).fetchone() == ("smartdb_owner",)
        conn.execute("set role smartdb_writer")  # and all the others
        conn.execute("set role smartdb_privacy")
    run(fresh_server, "drop database hers", *DROP_ROLES, "drop role ada")


def dbname(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def test_a_login_that_may_not_act_as_the_owner_is_told_what_to_ask_for(
    login: Callable[[str], str], template: str
) -> None:
    url = login("")
    with pytest.raises(AccessDenied, match=r'administrator run: grant smartdb_owner to "login_'):
        migrate.upgrade(url)


def test_a_login_that_may_not_create_schemas_is_told_what_to_ask_for(
    login: Callable[[str], str], template: str
) -> None:
    url = login("")
    admin, name = (
        make_conninfo(url, user="postgres"),
        psycopg.conninfo.conninfo_to_dict(url)["user"],
    )
    run(admin, f"grant smartdb_owner to {name}", "create extension vector")
    with pytest.raises(AccessDenied, match=r'create schema core.*grant create on database "test_'):
        migrate.upgrade(url)


def test_a_schema_of_somebody_else_with_our_name_is_left_alone(empty_database: str) -> None:
    run(empty_database, "create schema core", "create table core.theirs (a int)")
    with pytest.raises(Conflict, match=r"schema core .* belongs to postgres"):
        migrate.upgrade(empty_database)
    with psycopg.connect(empty_database) as conn:
        assert conn.execute("select to_regnamespace('smartdb')").fetchone() == (None,)


def test_pgvector_in_another_schema_is_refused_with_the_remedy(empty_database: str) -> None:
    run(empty_database, "create schema extensions", "create extension vector schema extensions")
    with pytest.raises(ExtensionMissing, match="alter extension vector set schema public"):
        migrate.upgrade(empty_database)


def test_a_database_newer_than_the_code_is_refused_naming_both(database: str) -> None:
    run(database, "update core.alembic_version set version_num = '0999'")
    with pytest.raises(SchemaOutdated, match=f"revision 0999.*revision {migrate.revisions()[-1]}"):
        migrate.upgrade(database)


def test_a_database_of_another_baseline_is_refused(database: str) -> None:
    run(database, "comment on schema core is 'Tables of smartdb. Begun at baseline 123.'")
    with pytest.raises(SchemaOutdated, match="unreleased smartdb"):
        migrate.upgrade(database)


def downgrade(url: str) -> None:
    from alembic import command

    with migrate.session(url) as bound, bound.begin():
        migrate.prepare(migrate.driver(bound))
        command.downgrade(migrate.settings(bound), "base")


def test_a_downgrade_is_refused_with_a_sentence(database: str) -> None:
    before = marks(database)
    with pytest.raises(SmartdbError, match=r"does not downgrade.*restore the backup"):
        downgrade(database)
    assert difference(marks(database), before) == []


def test_the_order_of_files_is_the_order_of_alembic(database: str) -> None:
    from alembic.script import ScriptDirectory

    with migrate.session(database) as bound:
        directory = ScriptDirectory.from_config(migrate.settings(bound))
    ordered = [script.revision for script in directory.walk_revisions()][::-1]
    assert migrate.revisions() == ordered
    assert directory.get_current_head() == ordered[-1]


def test_an_error_in_a_file_names_the_file_and_the_line(empty_database: str, tmp_path) -> None:
    (tmp_path / "10_bad.sql").write_text("select 1;\nselect 2;\nselect nothing;\n")
    with (
        psycopg.connect(empty_database) as conn,
        pytest.raises(SmartdbError, match=r'10_bad.sql line 3: column "nothing" does not exist'),
    ):
        interface.run_file(conn, tmp_path / "10_bad.sql")


def test_roles_can_be_made_again(empty_database: str) -> None:
    with psycopg.connect(empty_database) as conn:
        bootstrap.create_roles(conn)
        bootstrap.create_roles(conn)
        members = conn.execute(
            "select pg_has_role('smartdb_owner', 'smartdb_privacy', 'usage'), "
            "pg_has_role('smartdb_owner', 'smartdb_writer', 'usage'), "
            "pg_has_role('smartdb_writer', 'smartdb_privacy', 'member')"
        ).fetchone()
    assert members == (True, True, False)
