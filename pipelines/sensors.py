"""What closes the loop: enough verdicts lead to the next version, new files to an ingest."""

from collections.abc import Iterator

import dagster as dg

from smartdb import checks as questions
from smartdb import ingest, sources

from .resources import Database, Loop
from .sourcing import each_source, media_location
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


@dg.sensor(asset_selection=dg.AssetSelection.assets(media_location), minimum_interval_seconds=300)
def new_files(database: Database) -> dg.SensorResult:
    """An ingest of each source that has new or changed files, looked for every five minutes.

    Sources become partitions here. Off until switched on.
    """
    with database.writer() as conn:
        known = sources.names(conn)
        waiting = [source for source in known if ingest.has_new(conn, source)]
    return dg.SensorResult(
        run_requests=[dg.RunRequest(partition_key=source) for source in waiting],
        dynamic_partitions_requests=[each_source.build_add_request(known)],
        skip_reason=None if waiting else f"no new files in {len(known)} sources",
    )


ALL = [enough_reviews, new_files]
