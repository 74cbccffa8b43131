"""Whether the service works."""

from __future__ import annotations

from flask import Blueprint

import smartdb
from smartdb import pages

from .database import read
from .fields import Resource
from .spec import operation

routes = Blueprint("health", __name__)


class Health(Resource):
    """The state of the service."""

    status: str
    version: str


@routes.get("/health")
@operation("service", Health)
def get_health() -> Health:
    """Whether the process answers; looks at nothing else."""
    return Health(status="ok", version=smartdb.__version__)


@routes.get("/ready")
@operation("service", Health)
def get_ready() -> Health:
    """Whether requests can be answered: the database is there and has the schema."""
    read(pages.answer)
    return Health(status="ok", version=smartdb.__version__)
