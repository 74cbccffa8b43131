"""Managing: variants of the train items, by the recipe of the loop."""

from typing import Any

import dagster as dg

from smartdb import variants

from .metadata import result
from .resources import Database, Loop
from .training import dataset_version


@dg.asset(group_name="s5_training", deps=[dataset_version], kinds={"postgres", "torch"})
def augmentation(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """A variant of each train item of the newest version; none where the loop names no recipe."""
    if not loop.recipe:
        return result({"recipe": "none"})
    with database.writer(context.run.run_id) as conn:
        return result(variants.run(conn, loop.recipe, dataset=loop.called()))
