"""Automated labelling: what gold vouches for becomes labels, the rest a start for annotators."""

from typing import Any

import dagster as dg

from smartdb import auto_labels, labelling_functions, neighbour_vote

from .annotating import task_queue
from .managing import embedding
from .metadata import result
from .resources import Database, Loop


class AutoLabel(dg.Config):
    """What is asked of the labels; the ontology is that of the loop."""

    precision: float = 0.95
    per_class: bool = False


# Not a part of a turn: somebody has marked gold first.
@dg.asset(group_name="s3_annotating", deps=[embedding, task_queue], kinds={"postgres", "numpy"})
def auto_label(
    context: dg.AssetExecutionContext, database: Database, loop: Loop, config: AutoLabel
) -> dg.MaterializeResult[Any]:
    """Labels of origin model by the nearest labelled pictures and by the labelling functions."""
    promise = auto_labels.Promise(config.precision, per_class=config.per_class)
    with database.writer(context.run.run_id) as conn:
        found = [neighbour_vote.propose(conn, loop.called(), loop.encoder_name())]
        if labelling_functions.functions(conn, loop.called()):
            found.append(labelling_functions.propose(conn, loop.called()))
        reports = [auto_labels.write(conn, each, promise) for each in found]
        return result({report.actor: dict(report.counts) for report in reports})
