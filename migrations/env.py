"""What alembic runs: the steps, and the rebuild of the interface around them, in one transaction.

Started by `smartdb.migrate` only, which hands over a connection that acts as smartdb_owner. For a
draft it brings the tables as they should be (``target``, reflected from schema/core), and asks to
leave the interface alone, which may need columns that no migration adds yet.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import pgvector.sqlalchemy  # noqa: F401  (so that reflection knows halfvec)
from alembic import context
from alembic.autogenerate.rewriter import Rewriter
from alembic.operations.ops import AlterColumnOp
from sqlalchemy import DefaultClause

from smartdb import migrate
from smartdb.interface import build_interface, drop_interface

OWN = re.compile(r"alembic_version|(region_)?embedding_\d+|prediction_\d+")
"""Tables that alembic, an encoder or a run made: no migration is about them."""

drafts = Rewriter()


def include_name(name: str | None, kind: str, _: Any) -> bool:
    """Whether a draft looks at this schema or table."""
    if kind == "schema":
        return name == "core"
    return kind != "table" or OWN.fullmatch(name or "") is None


@drafts.rewrites(AlterColumnOp)
def tidy(_: Any, __: Any, step: AlterColumnOp) -> AlterColumnOp | list[Any]:
    """Leaves out what is MySQL's, and defaults that number rows.

    Alembic hides such a default of the database, and so would propose to set it for ever.
    """
    step.kw.pop("autoincrement", None)
    default = step.modify_server_default
    if isinstance(default, DefaultClause) and "nextval(" in str(default.arg):
        step.modify_server_default = False
    return step if step.has_changes() else []


def main() -> None:
    """Runs what the command asked for on the connection it brought."""
    asked = context.config.attributes
    if "connection" not in asked:
        raise SystemExit("run migrations by: python -m smartdb.migrate upgrade")
    bound = asked["connection"]
    context.configure(
        connection=bound,
        target_metadata=asked.get("target"),
        version_table_schema="core",
        include_schemas=True,
        include_name=include_name,
        compare_server_default=True,
        process_revision_directives=drafts,
    )
    conn = migrate.driver(bound)
    conn.execute("select set_config('lock_timeout', %s, true)", [migrate.LOCK_TIMEOUT])
    if asked.get("rebuild", True):
        drop_interface(conn)
    with context.begin_transaction(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot correctly sort tables")  # label and task: a cycle
        context.run_migrations()
    if asked.get("rebuild", True):
        build_interface(conn)


main()
