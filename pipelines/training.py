"""Training: a sealed dataset version, a model of it, what it got wrong, what to label next."""

from typing import Any

import dagster as dg

from smartdb import batches, datasets, evaluation, plots, previews, sampling, tasks, training
from smartdb.errors import NothingToDo

from .annotating import label
from .managing import duplicate_group, embedding
from .metadata import result
from .resources import Database, Loop
from .reviewing import consensus


@dg.asset(group_name="s5_training", deps=[label, duplicate_group, consensus], kinds={"postgres"})
def dataset_version(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """A sealed version of what has a class of the loop; none is made where nothing has changed."""
    with database.writer(context.run.run_id) as conn:
        version = datasets.create_version(
            conn, loop.called(), ontology=loop.called(), message=loop.message
        )
    return result(
        {"version": version.version, "n_items": version.n_items, "digest": version.digest}
    )


@dg.asset(group_name="s5_training", deps=[dataset_version, embedding], kinds={"postgres", "torch"})
def training_run(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """A linear head on the vectors of the newest version, with its predictions and metrics."""
    with database.writer(context.run.run_id) as conn:
        run = training.train_head(
            conn, loop.called(), None, loop.encoder_name(), seed=loop.seed, name=loop.called()
        )
        metrics = evaluation.metrics(conn, run.run_id)
        return result(metrics, loss=plots.loss(conn, run.run_id))


@dg.asset(group_name="s6_error_analysis", deps=[training_run], kinds={"postgres"})
def error(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """What the newest model gets wrong: confusion, classes, worst slices, the pictures."""
    with database.writer(context.run.run_id) as conn:
        run = training.newest(conn, loop.called())
        return result(
            {"run_id": run.run_id},
            confusion_matrix=plots.confusion(conn, run.run_id),
            class_metric=plots.class_bars(conn, run.run_id),
            worst_slice=plots.slices(conn, run.run_id),
            errors=previews.errors(conn, run.run_id),
        )


@dg.asset(group_name="s6_error_analysis", deps=[training_run], kinds={"postgres"})
def batch_item(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """What to label next: uncertain and unlike each other; each becomes a task."""
    with database.writer(context.run.run_id) as conn:
        run = training.newest(conn, loop.called())
        try:
            batch_id = sampling.sample(
                conn,
                "uncertain+diverse",
                loop.n_next,
                seed=loop.seed,
                pool="unlabelled",
                run=run.run_id,
            )
        except NothingToDo as reason:  # all is labelled: the loop goes on
            return result({"chosen": 0, "reason": str(reason)})
        opened = tasks.batch_tasks(conn, batch_id)
        counts = {"chosen": len(batches.items(conn, batch_id)), "batch_id": batch_id}
        return result({**counts, "opened": opened}, preview=previews.batch(conn, batch_id))
