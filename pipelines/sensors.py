"""What closes the loop: enough verdicts lead to the next version, and to a model of it."""

from collections.abc import Iterator

import dagster as dg

from smartdb import checks as questions

from .resources import Database, Loop
from .training import dataset_version

ENOUGH_REVIEWS = 20


@dg.sensor(
    asset_selection=dg.AssetSelection.assets(dataset_version).downstream(),
    minimum_interval_seconds=60,
)
def enough_reviews(
    context: dg.SensorEvaluationContext, database: Database, loop: Loop
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A new version, its model and its errors, after every 20 verdicts. Off until switched on."""
    after = int(context.cursor or 0)
    with database.writer() as conn:
        n, newest = questions.new_reviews(conn, loop.called(), after)
    if n < ENOUGH_REVIEWS:
        yield dg.SkipReason(f"{n} of {ENOUGH_REVIEWS} verdicts since the last version")
        return
    context.update_cursor(str(newest))
    yield dg.RunRequest(run_key=f"review-{newest}")


ALL = [enough_reviews]
