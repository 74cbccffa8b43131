"""What Dagster loads: ``dagster dev -m smartdb.pipelines.definitions``."""

from __future__ import annotations

import dagster as dg

from . import (
    annotating,
    augmenting,
    autolabelling,
    checks,
    exporting,
    managing,
    regions,
    reviewing,
    sensors,
    sourcing,
    training,
)
from .resources import Database, Loop

assets = [
    sourcing.media,
    managing.embedding,
    managing.neighbour,
    managing.media_graph,
    managing.duplicate_group,
    annotating.label,
    annotating.task_queue,
    annotating.gold_score,
    regions.region_embedding,
    reviewing.label_issue,
    reviewing.review_queue,
    reviewing.review_plan,
    reviewing.consensus,
    training.dataset_version,
    augmenting.augmentation,
    training.training_run,
    training.error,
    training.batch_item,
]

defs = dg.Definitions(
    assets=[*assets, sourcing.media_location, exporting.export, autolabelling.auto_label],
    asset_checks=checks.ALL,
    sensors=sensors.ALL,
    resources={"database": Database(), "loop": Loop()},
    executor=dg.in_process_executor,
)
