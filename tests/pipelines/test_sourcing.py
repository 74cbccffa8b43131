"""Each source is a partition, new files ask for its ingest, and odd newcomers are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import psycopg
import pytest
from PIL import Image
from smartdb.pipelines import checks, sensors, sourcing
from smartdb.pipelines.definitions import defs
from smartdb.pipelines.resources import Database, Loop

from smartdb.ingest import ingest

Connection = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def _on_the_database(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTDB_DATABASE_URL", database)


def draw(folder: Path, n: int, seed: int, brightest: int = 256) -> Path:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    for i in range(n):
        pixels = rng.integers(0, brightest, (24, 24, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}-{i}.png")
    return folder


def look() -> dg.SensorResult:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance, resources={"database": Database()}) as context,
    ):
        found = sensors.new_files(context)
        assert isinstance(found, dg.SensorResult)
        return found


def test_new_files_ask_for_an_ingest_of_their_source_only(conn: Connection, tmp_path: Path) -> None:
    for name in ("a", "b"):
        ingest(conn, draw(tmp_path / name, 2, seed=ord(name)), workers=1)
    quiet = look()
    assert quiet.skip_reason is not None
    assert quiet.skip_reason.skip_message == "no new files in 2 sources"
    draw(tmp_path / "b", 1, seed=7)
    (wanted,) = look().run_requests or []
    assert wanted.partition_key == "b"
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("source", ["a", "b"])
        done = dg.materialize(
            [sourcing.media_location],
            partition_key="b",
            resources={"database": Database()},
            instance=instance,
        )
    told = done.asset_materializations_for_node("media_location")[0].metadata
    assert (told["added"].value, told["known"].value) == (1, 2)
    assert look().run_requests == []


def test_a_source_that_is_gone_asks_for_nothing(conn: Connection, tmp_path: Path) -> None:
    folder = draw(tmp_path / "a", 1, seed=1)
    ingest(conn, folder, workers=1)
    folder.rename(tmp_path / "elsewhere")
    assert look().run_requests == []


def test_the_sensor_is_off_at_first() -> None:
    assert defs.resolve_sensor_def("new_files").default_status is dg.DefaultSensorStatus.STOPPED


@pytest.mark.parametrize(("brightest", "passed"), [(256, True), (40, False)])
def test_darker_pictures_than_before_are_told(
    conn: Connection, tmp_path: Path, brightest: int, passed: bool
) -> None:
    folder = draw(tmp_path / "a", 60, seed=1)
    ingest(conn, folder, workers=1)
    ingest(conn, draw(folder, 60, seed=2, brightest=brightest), workers=1)
    found = checks.no_drift(Database(), Loop(name="a"))
    assert isinstance(found, dg.AssetCheckResult)
    assert found.passed is passed


def test_few_pictures_say_nothing_about_drift(conn: Connection, tmp_path: Path) -> None:
    ingest(conn, draw(tmp_path / "a", 5, seed=1), workers=1)
    found = checks.no_drift(Database(), Loop(name="a"))
    assert isinstance(found, dg.AssetCheckResult)
    assert found.passed
    assert set(found.metadata) == {"largest"}
