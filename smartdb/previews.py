"""Contact sheets of what a step found: PNG bytes, or None where there is nothing to show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import images, plots, walk
from smartdb.errors import SmartdbError
from smartdb.statements import statement

if TYPE_CHECKING:
    from PIL import Image

N = 24


def newest(conn: psycopg.Connection[Any], source: str) -> bytes | None:
    """The newest images of a source."""
    return _sheet(conn, "newest", source=source)


def duplicates(conn: psycopg.Connection[Any], source: str) -> bytes | None:
    """Near-duplicates, group by group."""
    return _sheet(conn, "duplicates", source=source)


def suspected(conn: psycopg.Connection[Any], ontology: str) -> bytes | None:
    """The most suspicious labels of an ontology: the class given, and the class suggested."""
    return _sheet(conn, "suspected", ontology=ontology)


def errors(conn: psycopg.Connection[Any], run_id: int) -> bytes | None:
    """The most confident errors of a run: the true class, and the predicted."""
    return _sheet(conn, "errors", run_id=run_id)


def batch(conn: psycopg.Connection[Any], batch_id: int) -> bytes | None:
    """What a sampler chose, with the reason."""
    return _sheet(conn, "batch", batch_id=batch_id)


def _sheet(conn: psycopg.Connection[Any], name: str, **values: Any) -> bytes | None:
    """The images of a statement for (uri, caption); the transaction ends before files are read."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("previews", name), {**values, "n": N}).fetchall()
    conn.commit()
    if not rows:
        return None
    return plots.contact_sheet([_read(uri) for uri, _ in rows], [caption for _, caption in rows])


def _read(uri: str | None) -> Image.Image | None:
    """The picture, or None if its file is gone or no longer one."""
    try:
        return images.load_rgb(Path(os.fsdecode(walk.path_of(uri)))) if uri else None
    except SmartdbError:
        return None
