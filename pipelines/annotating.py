"""Annotating: labels that came with the files, tasks for what has none."""

from pathlib import Path
from typing import Any

import dagster as dg

from smartdb import gold, labels, queues, tables, tasks
from smartdb.errors import NothingToDo

from .metadata import result
from .resources import Database, Loop
from .sourcing import media


@dg.asset(group_name="s3_annotating", deps=[media], kinds={"postgres"})
def label(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """Labels from the names of the folders, or from a table, as an importer's labels."""
    with database.writer(context.run.run_id) as conn:
        if not loop.labels:
            return result(labels.import_folder_labels(conn, loop.called(), ontology=loop.called()))
        counts = labels.import_table(
            conn,
            tables.read_classes(loop.labels),
            actor=Path(loop.labels).name,
            ontology=loop.called(),
            root=loop.labels_root or str(loop.folder()),
            create_classes=True,
            skip_unknown=True,
        )
        if not counts["added"] + counts["known"] + counts["replaced"] + counts["judged"]:
            raise NothingToDo(
                f"no row of {loop.labels} names a picture of {loop.called()}; "
                "say where its paths begin (demo --root)"
            )
    return result(counts)


@dg.asset(group_name="s3_annotating", deps=[label], kinds={"postgres"})
def task_queue(
    context: dg.AssetExecutionContext, database: Database, loop: Loop
) -> dg.MaterializeResult[Any]:
    """A labelling task for every image without a class, and what each project wants to wait."""
    with database.writer(context.run.run_id) as conn:
        opened = tasks.open_tasks(conn, "label", source=loop.called())
        filled = queues.fill_all(conn)
    return result({**opened, **{f"project_{name}": n for name, n in filled.items()}})


@dg.asset(group_name="s3_annotating", deps=[label], kinds={"postgres"})
def gold_score(context: dg.AssetExecutionContext, database: Database) -> dg.MaterializeResult[Any]:
    """Answers to tasks whose truth is known, held against it."""
    with database.writer(context.run.run_id) as conn:
        return result(gold.score(conn))
