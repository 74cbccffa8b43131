"""Drafting the next migration from schema/core, and the baseline."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from alembic import command

from smartdb import config, draft, migrate
from smartdb.errors import InvalidInput, NothingToDo

COLUMN = """
alter table core.source add column steward text not null default 'nobody';
comment on column core.source.steward is 'Who answers for it.';
"""
CHECK = "alter table core.source add constraint source_licence_check check (licence <> '');\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of schema/ and migrations/ that a test may change."""
    for name in ("schema", "migrations"):
        shutil.copytree(config.folder(name), tmp_path / name)
    monkeypatch.setattr(config, "folder", lambda name: tmp_path / name)
    return tmp_path


def databases(url: str) -> list[tuple[str]]:
    with psycopg.connect(url) as conn:
        return conn.execute("select datname from pg_database order by 1").fetchall()


def test_no_difference_drafts_nothing(project: Path, empty_database: str) -> None:
    with pytest.raises(NothingToDo, match="lead to schema/core already"):
        draft.revision(empty_database, "nothing")
    assert migrate.revisions() == [
        path.name[:4] for path in sorted((config.folder("migrations") / "versions").glob("*.py"))
    ]


def test_an_added_column_is_drafted_and_the_draft_upgrades_a_database(
    project: Path, empty_database: str, database: str
) -> None:
    (project / "schema/core/99_more.sql").write_text(COLUMN + CHECK)
    path = draft.revision(empty_database, "Add a steward")
    assert path.name == f"{len(migrate.revisions()):04}_add_a_steward.py"
    text = path.read_text()
    assert "op.add_column('source', sa.Column('steward', sa.TEXT()" in text
    assert text.count("op.") == 1, "something else was proposed"
    migrate.upgrade(database)
    with psycopg.connect(database) as conn:
        conn.execute("select steward from core.source")
    # what alembic does not see stands below
    assert "# - missing constraint source_licence_check on core.source: CHECK" in text


def test_a_step_may_retype_a_column_that_the_interface_shows(
    project: Path, empty_database: str, database: str
) -> None:
    (project / "schema/core/99_more.sql").write_text(
        "alter table core.source alter column licence type varchar(40);\n"
    )
    draft.revision(empty_database, "Short licences")
    migrate.upgrade(database)
    with psycopg.connect(database) as conn:
        shown = conn.execute("select licence from smartdb.source_summary").description
        assert shown is not None
        assert shown[0].type_display == "varchar(40)"


def test_no_draft_drops_the_tables_of_encoders_and_the_partitions_of_runs(database: str) -> None:
    target = sqlalchemy.MetaData()
    with migrate.session(database) as bound:
        target.reflect(bound, schema="core")
    with psycopg.connect(database) as conn:
        conn.execute("select core.add_encoder('tiny', 3), core.add_prediction_partition(7)")
    with migrate.session(database) as bound, bound.begin():
        command.check(migrate.settings(bound, rebuild=False, target=target))


def test_scratch_databases_are_gone_afterwards_also_when_the_schema_is_wrong(
    project: Path, empty_database: str
) -> None:
    before = databases(empty_database)
    (project / "schema/core/99_more.sql").write_text("create tabel core.extra (a int);\n")
    with pytest.raises(Exception, match=r"99_more.sql line 1: syntax error"):
        draft.revision(empty_database, "wrong")
    assert databases(empty_database) == before


def test_the_baseline_is_all_of_schema_core(project: Path) -> None:
    (project / "schema/core/99_more.sql").write_text(COLUMN)
    assert draft.baseline().read_text().endswith(COLUMN)


def test_the_baseline_is_frozen_once_a_step_follows_it(project: Path) -> None:
    (project / "migrations/versions/0002_step.py").write_text("")
    with pytest.raises(InvalidInput, match="frozen"):
        draft.baseline()


def test_the_baseline_is_frozen_by_a_release_tag(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["commit", "-qm", "a", "--allow-empty"]):
        subprocess.run([*git, *arguments], check=True)
    draft.baseline()
    subprocess.run([*git, "tag", "v1.0"], check=True)
    with pytest.raises(InvalidInput, match="frozen"):
        draft.baseline()
