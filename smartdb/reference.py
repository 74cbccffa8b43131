"""The generated pages of docs/: schema.md from the database's comments, cli.md from the CLI's help.

``python -m smartdb.reference`` writes both; a test fails when either is not what it would write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import click
import psycopg
from psycopg.rows import class_row

from smartdb import config
from smartdb.statements import statement

T = TypeVar("T")

WRITTEN_BY = "*Written by `make docs`; a test fails when it is stale. Do not edit it by hand.*"
EXAMPLE = re.compile(
    r"^-- example:\n(?P<query>(?:--   .*\n)+)-- result:\n(?P<result>(?:--   .*\n)*)\Z", re.M
)


@dataclass(frozen=True)
class Relation:
    """A table or view, as its comment tells it."""

    name: str
    comment: str


@dataclass(frozen=True)
class Column:
    """A column of a table or view."""

    relation: str
    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Routine:
    """A function; procedures have no result."""

    name: str
    arguments: str
    result: str | None
    comment: str


def schema_page(conn: psycopg.Connection[Any]) -> str:
    """docs/schema.md for this database: the interface in full, then the tables below."""
    conn.execute("select set_config('search_path', 'public', true)")
    lines = [
        "# The database",
        WRITTEN_BY,
        "Analysts read the schema `smartdb`: its views and functions are a promise. A column may "
        "be added at any time; removing or retyping one waits for a major version. The examples "
        "are run by a test, on the dozen toy pictures of `tests/sql/example.sql`.",
        "## Views",
        *_views(conn),
        "## Functions",
        *_functions(conn),
        "## Tables",
        "The schema `core` holds what the views show. It is no promise: it may change in any "
        "version. Pipelines write it through the `smartdb` package.",
        *_tables(conn),
    ]
    return "\n\n".join(lines) + "\n"


def cli_page(root: click.Command) -> str:
    """docs/cli.md for this command: the help of it and of every command below it."""
    lines = ["# The command line", WRITTEN_BY]
    for path, text in _helps(root, None, "smartdb"):
        lines += [f"## {path}", f"```text\n{text.strip()}\n```"]
    return "\n\n".join(lines) + "\n"


def _views(conn: psycopg.Connection[Any]) -> Iterator[str]:
    columns = _columns(conn, "smartdb")
    for view in _relations(conn, "smartdb"):
        yield f"### {view.name}"
        yield view.comment
        rows = [
            f"| `{column.name}` | {column.type} | {_cell(column.comment)} |"
            for column in columns[view.name]
        ]
        yield "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])
        yield from _example(view.name)


def _functions(conn: psycopg.Connection[Any]) -> Iterator[str]:
    for routine in _rows(conn, Routine, "routines", "smartdb"):
        yield f"### {routine.name}"
        result = f"\n    returns {routine.result}" if routine.result else ""
        yield f"```sql\n{routine.name}({routine.arguments}){result}\n```"
        yield routine.comment
        yield from _example(routine.name)


def _tables(conn: psycopg.Connection[Any]) -> Iterator[str]:
    columns = _columns(conn, "core")
    for table in _relations(conn, "core"):
        yield f"### core.{table.name}"
        yield table.comment
        yield "\n".join(f"- `{c.name}` {c.type}: {c.comment}" for c in columns[table.name])


def _example(name: str) -> Iterator[str]:
    """The example at the end of the file of this view or function."""
    for path in (config.folder("schema") / "interface").glob(f"[0-9][0-9]_{name}.sql"):
        found = EXAMPLE.search(path.read_text(encoding="utf-8"))
        if found:
            query, result = (found[part].replace("--   ", "") for part in ("query", "result"))
            yield f"```sql\n{query.rstrip()};\n```"
            if result.strip():
                yield f"```text\n{result.rstrip()}\n```"


def _helps(
    command: click.Command, parent: click.Context | None, name: str
) -> Iterator[tuple[str, str]]:
    settings = {**command.context_settings, "terminal_width": 80, "max_content_width": 80}
    context = click.Context(command, parent, name, **settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            child = command.get_command(context, below)
            assert child is not None
            if not child.hidden:
                yield from _helps(child, context, below)


def _relations(conn: psycopg.Connection[Any], schema: str) -> list[Relation]:
    return _rows(conn, Relation, "relations", schema)


def _columns(conn: psycopg.Connection[Any], schema: str) -> dict[str, list[Column]]:
    found = _rows(conn, Column, "columns", schema)
    return {name: list(group) for name, group in groupby(found, lambda column: column.relation)}


def _rows(conn: psycopg.Connection[Any], kind: type[T], name: str, schema: str) -> list[T]:
    with conn.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(statement("reference", name), {"schema": schema}).fetchall()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Writes both pages, of a database made for it."""
    from smartdb import cli, migrate
    from smartdb.database import open_connection, served
    from smartdb.draft import scratch

    docs = config.folder("docs")
    with served() as url, scratch(url, "docs") as made:
        migrate.upgrade(made)
        with open_connection(made) as conn, conn.transaction():
            _write(docs / "schema.md", schema_page(conn))
    _write(docs / "cli.md", cli_page(cli.main))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    click.echo(path)


if __name__ == "__main__":
    main()
