"""The loop, materialised in process on a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from smartdb.pipelines import checks
from smartdb.pipelines.definitions import assets
from smartdb.pipelines.resources import Database, Loop

from smartdb import reviews, story

Turn = Callable[..., dict[str, dict[str, Any]]]
Connection = psycopg.Connection[Any]


def count(conn: Connection, relation: str) -> int:
    row = conn.execute(f"select count(*) from {relation}".encode()).fetchone()
    assert row is not None
    conn.rollback()
    return int(row[0])


def test_a_turn_fills_every_table_of_the_loop(run_turn: Turn, conn: Connection) -> None:
    told = run_turn()
    assert told["media"]["added"] == 52
    assert told["embedding"]["added"] == 52
    assert told["label"]["added"] == 51
    assert told["task_queue"]["waiting"] == 1
    assert told["label_issue"]["examined"] == 51
    assert told["dataset_version"]["version"] == 1
    assert told["training_run"]["test_accuracy"] > 0.8
    assert count(conn, "smartdb.neighbour") == 520
    assert told["batch_item"]["chosen"] == count(conn, "smartdb.batch_item") == 1
    assert count(conn, "smartdb.run") > 5
    assert count(conn, "smartdb.run where dagster_run_id is null") == 0


def test_a_second_turn_does_nothing_until_a_label_is_corrected(
    run_turn: Turn, conn: Connection, pictures: Path
) -> None:
    tables = ["media", "label_history", "neighbour", "label_issue", "dataset_version", "prediction"]
    (pictures / "unlabelled.png").unlink()
    assert run_turn()["batch_item"]["chosen"] == 0
    before = {table: count(conn, f"smartdb.{table}") for table in tables}
    told = run_turn()
    assert {table: count(conn, f"smartdb.{table}") for table in tables} == before
    assert (told["media"]["read"], told["embedding"]["added"], told["label"]["added"]) == (0, 0, 0)
    assert told["dataset_version"]["version"] == 1

    truth = story.table_truth(pictures, [("square/wrong.png", "disc")])
    assert reviews.answer_from_truth(conn, truth, 50)["wrong_found"] == 1
    conn.commit()
    assert run_turn(["s5_training"])["dataset_version"]["version"] == 2


def test_a_leak_between_splits_fails_the_gate(run_turn: Turn, conn: Connection) -> None:
    run_turn(["s1_sourcing", "s2_managing", "s3_annotating", "s5_training"])
    assert check_leak() is True
    conn.execute("update core.media set group_key = 'one scene'")
    conn.commit()
    assert check_leak() is False


def check_leak() -> bool:
    result = dg.materialize(
        [*assets, *checks.ALL],
        selection=dg.AssetSelection.checks(checks.no_leak),
        resources={"database": Database(), "loop": Loop(name="shapes")},
        instance=dg.DagsterInstance.get(),
        raise_on_error=False,
    )
    return result.success


def test_a_flat_folder_becomes_tasks(run_turn: Turn, conn: Connection, tmp_path: Path) -> None:
    from shutil import copytree

    copytree(tmp_path / "shapes" / "disc", tmp_path / "flat")
    told = run_turn(["s1_sourcing", "s2_managing", "s3_annotating"], images=str(tmp_path / "flat"))
    assert told["label"]["added"] == 0
    assert count(conn, "smartdb.task_queue") == 25
