"""Managing: vectors, the neighbour graph, near-duplicate groups."""

from typing import Any

import dagster as dg

from smartdb import duplicates, embeddings, neighbours, plots, previews
from smartdb import media_graph as graph

from .metadata import result
from .resources import Database, Loop
from .sourcing import media


@dg.asset(group_name="s2_managing", deps=[media], kinds={"postgres"})
def embedding(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """A vector of every image that has none yet."""
    with database.writer(context.run.run_id) as conn:
        encoder = embeddings.resolve(conn, loop.encoder or None)
        return result({"encoder": encoder.name, **embeddings.embed(conn, encoder)})


@dg.asset(group_name="s2_managing", deps=[embedding], kinds={"postgres"})
def neighbour(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """The ten nearest neighbours of every image."""
    with database.writer(context.run.run_id) as conn:
        return result(neighbours.build(conn, loop.encoder_name()))


@dg.asset(group_name="s2_managing", deps=[neighbour], kinds={"postgres"})
def media_graph(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """The cluster of every image, and its place on a map."""
    with database.writer(context.run.run_id) as conn:
        counts = graph.update(conn, loop.encoder_name())
        return result(counts, preview=plots.media_map(conn, loop.encoder_name()))


@dg.asset(group_name="s2_managing", deps=[neighbour], kinds={"postgres"})
def duplicate_group(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """Images that look alike, by hash and by vector."""
    with database.writer(context.run.run_id) as conn:
        counts = duplicates.group(conn, loop.encoder_name())
        return result(counts, preview=previews.duplicates(conn, loop.called()))
