"""For developers: the first migration, and drafts of the next, both from schema/core.

A draft compares two scratch databases: the migrations in one, schema/core in the other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from psycopg import sql
from psycopg.conninfo import make_conninfo

from smartdb import config, migrate
from smartdb.database import open_connection, plain_url, served
from smartdb.errors import InvalidInput, NothingToDo, SmartdbError, translated
from smartdb.fingerprint import difference, fingerprint


def baseline() -> Path:
    """Writes the first migration from schema/core; InvalidInput once it is frozen."""
    if len(migrate.revisions()) > 1 or _released():
        raise InvalidInput(
            "the baseline is frozen, since databases have been made from it; "
            'draft a step instead: make revision m="..."'
        )
    head = "-- What schema/core was at the first release. Until then written by: make baseline\n"
    texts = [path.read_text(encoding="utf-8") for path in migrate.core_files()]
    migrate.baseline_file().write_text("\n".join([head, *texts]), encoding="utf-8")
    return migrate.baseline_file()


def revision(url: str, message: str) -> Path:
    """Drafts the migration from what the migrations make to what schema/core says.

    ``url`` is any database of a server on which the login may create databases. What alembic
    cannot write itself (checks, triggers, functions, policies) stands at the end of the draft as
    comments. NothingToDo if the two agree.
    """
    with translated(), scratch(url, "have") as have, scratch(url, "want") as want:
        _apply_migrations(have)
        _apply_core(want)
        lines = _differences(have, want)
        if not lines:
            raise NothingToDo("the migrations lead to schema/core already")
        path = _generate(have, want, message)
    with path.open("a", encoding="utf-8") as file:
        file.write("\n\n" + _as_comments(lines))
    return path


def _apply_migrations(url: str) -> None:
    from alembic import command

    with migrate.session(url) as bound, bound.begin():
        migrate.prepare(migrate.driver(bound))
        command.upgrade(migrate.settings(bound, rebuild=False), "head")


def _apply_core(url: str) -> None:
    with open_connection(url) as conn:
        conn.autocommit = False
        migrate.prepare(conn)
        migrate.apply_core(conn)


def _differences(have: str, want: str) -> list[str]:
    with open_connection(have) as one, open_connection(want) as other:
        return difference(fingerprint(one, ["core"]), fingerprint(other, ["core"]))


def _generate(have: str, want: str, message: str) -> Path:
    import pgvector.sqlalchemy  # noqa: F401  (so that reflection knows halfvec)
    import sqlalchemy
    from alembic import command
    from alembic.script import Script

    target = sqlalchemy.MetaData()
    with migrate.session(want) as bound:
        target.reflect(bound, schema="core")
    with migrate.session(have) as bound, bound.begin():
        asked = migrate.settings(bound, rebuild=False, target=target)
        asked.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        number = f"{len(migrate.revisions()) + 1:04}"
        script = command.revision(asked, message, autogenerate=True, rev_id=number)
    assert isinstance(script, Script)
    return Path(script.path)


def _as_comments(lines: list[str]) -> str:
    head = [
        "# Before this step the migrations differ from schema/core in this. Alembic drafts tables,",
        "# columns, keys and indexes; write the rest by hand, then delete these lines.",
    ]
    flat = [textwrap.shorten(line, 95, placeholder=" ...") for line in lines]
    return "\n".join([*head, *(f"# - {line}" for line in flat)]) + "\n"


@contextmanager
def scratch(url: str, purpose: str) -> Iterator[str]:
    """A database of this server that is gone afterwards."""
    name = sql.Identifier(database := f"smartdb_scratch_{os.getpid()}_{purpose}")
    with open_connection(url) as server:
        server.execute(sql.SQL("create database {}").format(name))
        try:
            yield make_conninfo(plain_url(url), dbname=database)
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(name))


def _released() -> bool:
    """Whether this checkout has a release tag (what is no checkout has none)."""
    git = shutil.which("git")
    if git is None:
        return False
    tags = [git, "-C", str(config.folder("schema").parent), "tag", "--list", "v*"]
    return bool(subprocess.run(tags, check=False, capture_output=True).stdout.strip())


@click.group()
def commands() -> None:
    """Migrations, for developers."""


@commands.command("baseline")
def _baseline() -> None:
    """Write the first migration from schema/core (only before the first release)."""
    click.echo(baseline())


@commands.command("revision")
@click.option("-m", "--message", required=True, help="What the step does, in a few words.")
def _revision(message: str) -> None:
    """Draft the step from the migrations to schema/core."""
    with served() as url:
        click.echo(revision(url, message))


@commands.command("upgrade")
def _upgrade() -> None:
    """Bring the database to the schema of this code, as smartdb init does."""
    with served() as url:
        migrate.upgrade(url)


def main() -> None:
    """The command line of ``python -m smartdb.migrate``."""
    try:
        commands()
    except SmartdbError as error:
        raise SystemExit(f"error: {error}") from error
