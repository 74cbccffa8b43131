"""Sourcing: files become media, or go to quarantine with a reason."""

from typing import Any

import dagster as dg

from smartdb import ingest, previews

from .metadata import result
from .resources import Database, Loop


@dg.asset(group_name="s1_sourcing", kinds={"postgres"})
def media(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """Media by content, with EXIF, perceptual hash and quality; refused files with the reason."""
    with database.writer(context.run.run_id) as conn:
        counts = ingest.ingest(conn, loop.folder(), source=loop.called())
        return result(counts, preview=previews.newest(conn, loop.called()))
