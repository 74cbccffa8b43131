"""Managing: vectors of the regions that labels mark."""

from typing import Any

import dagster as dg

from smartdb import embeddings, regions

from .annotating import label
from .managing import embedding
from .metadata import result
from .resources import Database, Loop


@dg.asset(group_name="s2_managing", deps=[label, embedding], kinds={"postgres"})
def region_embedding(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """A vector of every labelled box, polygon and mask that has none yet."""
    with database.writer(context.run.run_id) as conn:
        encoder = embeddings.resolve(conn, loop.encoder or None)
        return result({"encoder": encoder.name, **regions.embed(conn, encoder)})
