"""The next dataset version is blocked while annotators agree too little; one alone is no reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg
import psycopg
from smartdb.pipelines import checks
from smartdb.pipelines.definitions import assets
from smartdb.pipelines.resources import Database, Loop

from smartdb import labels


def is_enough(least: float = 0.4) -> bool:
    result = dg.materialize(
        [*assets, *checks.ALL],
        selection=dg.AssetSelection.checks(checks.enough_agreement),
        resources={"database": Database(), "loop": Loop(name="shapes", least_agreement=least)},
        instance=dg.DagsterInstance.get(),
        raise_on_error=False,
    )
    return all(each.passed for each in result.get_asset_check_evaluations())


def test_annotators_who_disagree_block_the_next_version(
    run_turn: Callable[..., Any], conn: psycopg.Connection[Any]
) -> None:
    run_turn(["s1_sourcing", "s3_annotating"])
    assert is_enough()
    rows = conn.execute("select media_id, class from smartdb.media_class order by 1").fetchall()
    names = sorted({name for _, name in rows})
    other = {m: names[(names.index(name) + 1) % len(names)] for m, name in rows}
    labels.set_labels(conn, other, actor="ana", ontology="shapes")
    conn.commit()
    assert len(other) >= checks.FEWEST_JUDGED
    assert not is_enough()
    assert is_enough(-1)
