"""What alembic runs: the steps, then the rebuild of the interface, in one transaction.

Started by `smartdb.migrate` only, which hands over a connection that acts as smartdb_owner, and
for a draft the tables as they should be (``target``, reflected from schema/core).
"""

from __future__ import annotations

import re
from typing import Any

import pgvector.sqlalchemy  # noqa: F401  (so that reflection knows halfvec)
from alembic import context

from smartdb import migrate

OWN = re.compile(r"alembic_version|embedding_\d+|prediction_\d+")
"""Tables that alembic, an encoder or a run made: no migration is about them."""


def include_name(name: str | None, kind: str, _: Any) -> bool:
    """Whether a draft looks at this schema or table."""
    if kind == "schema":
        return name == "core"
    return kind != "table" or OWN.fullmatch(name or "") is None


def main() -> None:
    """Runs what the command asked for on the connection it brought."""
    if "connection" not in context.config.attributes:
        raise SystemExit("run migrations by: python -m smartdb.migrate upgrade")
    bound, target = context.config.attributes["connection"], context.config.attributes.get("target")
    context.configure(
        connection=bound,
        target_metadata=target,
        version_table_schema="core",
        include_schemas=True,
        include_name=include_name,
        compare_server_default=True,
    )
    migrate.driver(bound).execute("set local lock_timeout = '10s'")
    with context.begin_transaction():
        context.run_migrations()
    if target is None:
        migrate.rebuild_interface(migrate.driver(bound))


main()
