"""Sourcing: files become media, or go to quarantine with a reason."""

from typing import Any

import dagster as dg

from smartdb import ingest, previews, sources

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


each_source = dg.DynamicPartitionsDefinition(name="source")


@dg.asset(group_name="s1_sourcing", kinds={"postgres"}, partitions_def=each_source)
def media_location(
    context: dg.AssetExecutionContext, database: Database
) -> dg.MaterializeResult[Any]:
    """The files of one source, listed again: new ones are read, those that are gone are marked."""
    with database.writer(context.run.run_id) as conn:
        _, uri = sources.find(conn, context.partition_key)
        return result(ingest.ingest(conn, uri, source=context.partition_key))
