"""One turn of the loop, in this process: what the demo and the tests materialise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from . import checks
from .definitions import assets
from .resources import Database, Loop

STEPS = (
    "s1_sourcing",
    "s2_managing",
    "s3_annotating",
    "s4_reviewing",
    "s5_training",
    "s6_error_analysis",
)
"""The asset groups in the order of a turn."""

Metadata = dict[str, dict[str, Any]]
"""asset → metadata of its materialisation"""


def turn(loop: Loop, steps: Sequence[str] = STEPS) -> Metadata:
    """Materialises the steps one after the other, and returns what each asset told of itself.

    The error of an asset that fails is raised as it was.
    """
    return {name: told for step in steps for name, told in _materialise(loop, step)}


def _materialise(loop: Loop, step: str) -> Iterator[tuple[str, dict[str, Any]]]:
    result = dg.materialize(
        [*assets, *checks.ALL],
        selection=dg.AssetSelection.groups(step),
        resources={"database": Database(), "loop": loop},
        instance=dg.DagsterInstance.get(),
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    for event in result.get_asset_materialization_events():
        found = event.materialization
        yield found.asset_key.to_user_string(), {k: v.value for k, v in found.metadata.items()}
