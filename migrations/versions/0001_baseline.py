"""The tables as of the first release."""

from alembic import op
from psycopg import sql

from smartdb.interface import run_file
from smartdb.migrate import baseline_file, baseline_stamp, driver
from smartdb.migrate import refuse_downgrade as downgrade  # noqa: F401

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Runs the frozen SQL, and notes which."""
    conn = driver(op.get_bind())
    run_file(conn, baseline_file())
    conn.execute(sql.SQL("comment on schema core is {}").format(baseline_stamp()))
    conn.execute("comment on table core.alembic_version is 'The migration this database is at.'")
    conn.execute("comment on column core.alembic_version.version_num is 'Its number.'")
