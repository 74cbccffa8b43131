"""Reviewing: suspected label errors, and the queue of review tasks made of them."""

from typing import Any

import dagster as dg

from smartdb import consensus as together
from smartdb import label_issues, previews, review_plans, tasks

from .annotating import label
from .managing import duplicate_group
from .metadata import result
from .resources import Database, Loop


@dg.asset(group_name="s4_reviewing", deps=[label, duplicate_group], kinds={"postgres", "torch"})
def label_issue(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """Suspected label errors, from out-of-fold probabilities."""
    with database.writer(context.run.run_id) as conn:
        counts = label_issues.find(
            conn, loop.encoder_name(), ontology=loop.called(), seed=loop.seed
        )
        return result(counts, preview=previews.suspected(conn, loop.called()))


@dg.asset(group_name="s4_reviewing", deps=[label_issue], kinds={"postgres"})
def review_queue(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """A review task for each of the most suspicious labels."""
    with database.writer(context.run.run_id) as conn:
        return result(tasks.queue_reviews(conn, loop.n_reviews))


@dg.asset(group_name="s4_reviewing", deps=[label_issue], kinds={"postgres"})
def consensus(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """One class of each media that several annotators judged; reviewers' verdicts are above it."""
    with database.writer(context.run.run_id) as conn:
        return result(together.run_consensus(conn, loop.called()))


@dg.asset(group_name="s4_reviewing", deps=[label], kinds={"postgres"})
def review_plan(context: dg.AssetExecutionContext, database: Database) -> dg.MaterializeResult[Any]:
    """What the sampling plans ask for: review tasks that are missing, the rest of refused lots."""
    with database.writer(context.run.run_id) as conn:
        return result(review_plans.follow(conn))
