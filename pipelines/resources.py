"""What the assets need: the database, and the settings of the loop that is turned."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg

from smartdb import config, database, encoders, runs, stores, walk


class Database(dg.ConfigurableResource[Any]):
    """The database of SMARTDB_DATABASE_URL, or the embedded one, started if it is not running."""

    @contextmanager
    def writer(self, dagster_run_id: str | None = None) -> Iterator[psycopg.Connection[Any]]:
        """A connection as smartdb_writer; runs that it starts are tied to the Dagster run."""
        token = runs.dagster_run_id.set(dagster_run_id)
        try:
            with database.session() as conn:
                yield conn
        finally:
            runs.dagster_run_id.reset(token)


class Loop(dg.ConfigurableResource[Any]):
    """Which pictures, under which names, by which encoder. Empty names follow the folder's."""

    images: str = ""
    name: str = ""
    encoder: str = ""
    labels: str = ""
    labels_root: str = ""
    message: str = ""
    n_reviews: int = 200
    n_next: int = 30
    seed: int = 0
    recipe: str = ""
    least_agreement: float = 0.4

    def but(self, **changes: Any) -> Loop:
        """The same with some settings changed."""
        return Loop(**{name: getattr(self, name) for name in type(self).model_fields} | changes)

    def folder(self) -> Path:
        """The folder of pictures: the packaged digits where none is set."""
        return Path(self.images) if self.images else config.home() / "demo" / "digits" / "images"

    def encoder_name(self) -> str:
        """The encoder's name in the database."""
        return encoders.name_of(self.encoder or None)

    def called(self) -> str:
        """Name of the source, the ontology, the dataset and the model."""
        folder = os.fsencode(self.folder().resolve())
        return self.name or (stores.name_of(walk.uri_of(folder)) if self.images else "digits")
