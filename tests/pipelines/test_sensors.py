"""Enough verdicts ask for the next version, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg
import psycopg
import pytest
from smartdb.pipelines import sensors
from smartdb.pipelines.definitions import defs
from smartdb.pipelines.resources import Database, Loop

from smartdb import reviews

Turn = Callable[..., dict[str, dict[str, Any]]]
STEPS = ["s1_sourcing", "s3_annotating"]


@pytest.fixture
def accept(run_turn: Turn, conn: psycopg.Connection[Any]) -> Callable[[int], None]:
    """A function that accepts the next n labels."""
    run_turn(STEPS)
    labels = [row[0] for row in conn.execute("select label_id from smartdb.label order by 1")]

    def give(n: int) -> None:
        for _ in range(n):
            reviews.review(conn, labels.pop(), "ana", "accepted")
        conn.commit()

    return give


def ask(cursor: str | None) -> tuple[list[Any], str | None]:
    """What the sensor answers, and its cursor after that."""
    resources = {"database": Database(), "loop": Loop(name="shapes")}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance, cursor, resources=resources) as context,
    ):
        answers = list(sensors.enough_reviews(context))
        return answers, context.cursor


def test_too_few_verdicts_wait_and_are_counted_on(accept: Callable[[int], None]) -> None:
    accept(19)
    (answer,), cursor = ask(None)
    assert answer.skip_message == "19 of 20 verdicts since the last version"
    accept(1)
    (answer,), _ = ask(cursor)
    assert isinstance(answer, dg.RunRequest)


def test_the_same_verdicts_ask_for_one_version(accept: Callable[[int], None]) -> None:
    accept(20)
    (first,), cursor = ask(None)
    (second,), _ = ask(cursor)
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.SkipReason)


def test_the_sensor_makes_a_version_its_model_and_its_errors_and_is_off_at_first() -> None:
    sensor = defs.resolve_sensor_def("enough_reviews")
    graph = defs.resolve_asset_graph()
    wanted = {key.to_user_string() for key in sensor.asset_selection.resolve(graph)}
    assert wanted == {"dataset_version", "augmentation", "training_run", "error", "batch_item"}
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
