"""${message}"""

import sqlalchemy as sa
from alembic import op

from smartdb.migrate import refuse_downgrade as downgrade  # noqa: F401
${imports if imports else ""}
revision = ${'"%s"' % up_revision}
down_revision = ${'"%s"' % down_revision}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
