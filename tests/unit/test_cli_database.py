"""Commands about the database itself, on the embedded server and on one with a password."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from smartdb import cluster, server
from smartdb.cli import main


def _run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(main, list(arguments), **options)


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "smartdb", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def tcp_database(tcp_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The url of an empty database on the server with passwords, configured."""
    tcp_server.execute("drop database if exists own with (force)")
    tcp_server.execute("create database own")
    monkeypatch.setenv("SMARTDB_DATABASE_URL", tcp_server.url("own"))
    return tcp_server.url("own")


@pytest.fixture
def configured(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The url of a database with the schema, configured."""
    monkeypatch.setenv("SMARTDB_DATABASE_URL", database)
    return database


def test_init_makes_the_schema_on_a_configured_server(tcp_database: str, tcp_server: Any) -> None:
    assert _run("status").exit_code == 1
    for _ in range(2):
        result = _run("init")
        assert result.exit_code == 0, result.output
        assert result.stderr == f"ready: database own at 127.0.0.1:{tcp_server.port}\n"
    assert json.loads(_run("status", "--json").stdout)["counts"]["media"] == 0


def test_init_says_why_it_was_refused(tcp_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", tcp_server.url("own", password="wr0ng"))
    result = _run("init")
    assert result.exit_code == 1
    assert "refuses the password of user postgres" in result.stderr
    assert "wr0ng" not in result.stderr


def test_init_makes_the_embedded_server_and_leaves_it_stopped(new_home: Path) -> None:
    result = _run("init")
    assert (result.exit_code, result.stderr) == (
        0,
        "ready: database smartdb at the embedded server\n",
    )
    assert cluster.exists(cluster.data_folder(new_home))
    assert not server.is_running()


@pytest.mark.parametrize("command", ["up", "down"])
def test_up_and_down_are_for_the_embedded_server_only(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", "postgresql://ada@db/x")
    result = _run(command)
    assert result.exit_code == 2
    assert "SMARTDB_DATABASE_URL names another one; unset it" in result.stderr


def test_down_deletes_the_data_only_when_told_twice(own_home: Path) -> None:
    refused = _run("down", "--delete", input="n\n")
    assert refused.exit_code == 130
    assert cluster.exists(cluster.data_folder(own_home))
    assert _run("down", "--delete", "--yes").stderr.endswith("its data are deleted\n")
    assert not cluster.exists(cluster.data_folder(own_home))


def test_url_prints_what_other_clients_can_use(home: Path) -> None:
    result = _run("url")
    assert result.stdout == server.url(home) + "\n"
    assert result.stderr == "it is not running; run: smartdb up\n"
    server.start(home)
    assert _run("url").stderr == ""
    with psycopg.connect(_run("url").stdout.strip()) as conn:
        assert conn.info.dbname == "smartdb"


def test_url_prints_the_configured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", "postgresql+psycopg://ada@db/x")
    assert _run("url").stdout == "postgresql://ada@db/x\n"


def test_psql_is_a_reader_with_the_interface_on_its_path(configured: str) -> None:
    done = _process("psql", "-Atc", "select current_user, count(*) from media")
    assert (done.returncode, done.stdout) == (0, "smartdb_reader|0\n")
    refused = _process("psql", "-c", "select * from core.media")
    assert refused.returncode == 1
    assert "permission denied for schema core" in refused.stderr


def test_psql_takes_a_role_and_passes_its_exit_code_on(configured: str) -> None:
    done = _process("psql", "--role", "smartdb_writer", "-Atc", "select current_user")
    assert done.stdout == "smartdb_writer\n"
    failed = _process("psql", "-v", "ON_ERROR_STOP=1", "-f", "/nowhere.sql")
    assert failed.returncode == 1
    assert _process("psql", "--role", "smartdb_boss", "-c", "select 1").returncode == 2


def test_psql_works_on_a_server_with_a_password_that_ps_does_not_show(
    tcp_database: str, tcp_server: Any
) -> None:
    assert _run("init").exit_code == 0
    seen = _process("psql", "-Atc", r"\! tr '\0' ' ' </proc/$PPID/cmdline")
    assert f"port={tcp_server.port}" in seen.stdout
    assert tcp_server.password not in seen.stdout
    assert _process("psql", "-Atc", "select current_user").stdout == "smartdb_reader\n"


def test_psql_keeps_options_of_the_url(configured: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = configured + "&options=-c%20work_mem%3D5MB"
    monkeypatch.setenv("SMARTDB_DATABASE_URL", url)
    done = _process("psql", "-Atc", "select current_setting('work_mem'), current_user")
    assert done.stdout == "5MB|smartdb_reader\n"


def test_status_of_a_home_without_server_makes_none(new_home: Path) -> None:
    result = _run("status")
    assert result.exit_code == 0
    assert "not created" in result.stdout
    assert json.loads(_run("status", "--json").stdout)["state"] == "not created"
    assert list(new_home.iterdir()) == []


def test_status_counts_and_shows_the_last_runs(
    cli: Callable[..., Result], conn: psycopg.Connection[Any]
) -> None:
    from smartdb import runs

    with runs.run(conn, "ingest", {"folder": "/x"}) as run:
        run.counts["added"] = 3
    found = json.loads(cli("status", "--json").stdout)
    assert found["last_runs"][0]["kind"] == "ingest"
    assert found["last_runs"][0]["counts"] == {"added": 3}
    assert found["pgvector"].startswith("0.8")
    assert "ingest" in cli("status").stdout


def test_doctor_finds_a_sound_server_sound(cli: Callable[..., Result]) -> None:
    result = cli("doctor", "--json")
    states = {check["name"]: check["state"] for check in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert {name for name, state in states.items() if state != "ok"} <= {"disk"}
    assert {"python", "server", "pgvector", "schema", "privileges", "runs"} <= set(states)


def test_doctor_makes_no_server(new_home: Path) -> None:
    result = _run("doctor")
    assert result.exit_code == 0
    assert "smartdb init" in result.stdout
    assert list(new_home.iterdir()) == []


def test_doctor_fails_with_the_reason_and_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", "postgresql://u@db.invalid/d")
    result = _run("doctor", "--json")
    failed = [check for check in json.loads(result.stdout) if check["state"] == "fail"]
    assert result.exit_code == 1
    assert [(check["detail"], check["fix"]) for check in failed] == [
        ("there is no host db.invalid", "correct the host in SMARTDB_DATABASE_URL")
    ]


def test_doctor_says_that_a_schema_is_missing(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", empty_database)
    result = _run("doctor", "--json")
    (failed,) = [check for check in json.loads(result.stdout) if check["state"] == "fail"]
    assert (result.exit_code, failed["name"], failed["fix"]) == (1, "schema", "smartdb init")


def test_doctor_mends_dead_runs_and_half_built_indexes(
    cli: Callable[..., Result], owner: psycopg.Connection[Any]
) -> None:
    owner.execute("insert into core.run (kind, code_version) values ('embed', '0')")
    owner.execute("create index half on core.actor (kind)")
    owner.execute("reset role")
    owner.execute("update pg_index set indisvalid = false where indexrelid = 'core.half'::regclass")
    owner.commit()
    before = cli("doctor").stdout
    assert "killed, but still marked running: run 1" in before
    assert "half-built: core.half" in before
    mended = {c["name"]: c["state"] for c in json.loads(cli("doctor", "--fix", "--json").stdout)}
    assert (mended["runs"], mended["indexes"]) == ("fixed", "fixed")
    after = {c["name"]: c["state"] for c in json.loads(cli("doctor", "--json").stdout)}
    assert (after["runs"], after["indexes"]) == ("ok", "ok")


def test_doctor_sees_settings_of_another_machine(own_home: Path) -> None:
    conf = cluster.data_folder(own_home) / "smartdb.conf"
    conf.write_text("shared_buffers = '1MB'\nfsync = 'off'\n")
    assert "shared_buffers 1MB" in _run("doctor").stdout
    assert _run("doctor", "--fix").exit_code == 0
    found = {check["name"]: check for check in json.loads(_run("doctor", "--json").stdout)}
    assert found["settings"]["state"] == "ok"
