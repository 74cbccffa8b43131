"""Thresholds are data: a change makes the open findings anew without reading a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from smartdb.errors import InvalidInput, NotFound
from smartdb.findings import resolve
from smartdb.thresholds import STATISTICS, remove_threshold, set_threshold, thresholds

Connection = psycopg.Connection[Any]


@pytest.fixture
def measured(conn: Connection, owner: Connection) -> Connection:
    """Media 1 to 10 with brightness 0.1 to 1.0, of which nobody may see media 3."""
    owner.execute("""
        insert into core.run (kind, status, code_version, finished_at)
            values ('ingest', 'succeeded', '0', now());
        insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
            select sha256(i::text::bytea), 'image', 'image/png', 1, 100 * i, 100, 1
            from generate_series(1, 10) as i;
        insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
            select i, i / 10.0, 0.2, 100, 7, 20 from generate_series(1, 10) as i;
        insert into core.restriction (media_id, reason) values (3, 'consent');
        select core.find_quality(array(select generate_series(1, 10)), 1);""")
    owner.commit()
    return conn


def found(conn: Connection, kind: str) -> list[int]:
    query = "select media_id from core.finding where kind = %s and resolution is null order by 1"
    return [media_id for (media_id,) in conn.execute(query, [kind]).fetchall()]


def test_the_thresholds_that_come_with_it_are_listed(conn: Connection) -> None:
    kinds = [threshold.kind for threshold in thresholds(conn)]
    assert kinds == [
        "blurry", "bright", "dark", "greyscale", "low_contrast", "low_information", "odd_aspect",
        "odd_size",
    ]  # fmt: skip


def test_a_changed_threshold_adds_and_removes_open_findings(measured: Connection) -> None:
    assert found(measured, "dark") == []
    assert set_threshold(measured, "dark", below=0.45) == {"added": 4, "removed": 0}
    assert found(measured, "dark") == [1, 2, 3, 4]  # 3, which the writer may not see, too
    assert set_threshold(measured, "dark", below=0.25) == {"added": 0, "removed": 2}
    assert found(measured, "dark") == [1, 2]
    assert set_threshold(measured, "dark", below=0.25) == {"added": 0, "removed": 0}


def test_what_a_person_has_resolved_stays(
    measured: Connection, as_role: Callable[[str], Connection]
) -> None:
    set_threshold(measured, "dark", below=0.25)
    row = measured.execute(
        "select min(finding_id) from core.finding where kind = 'dark'"
    ).fetchone()
    assert row is not None
    measured.commit()
    officer = as_role("smartdb_privacy")
    resolve(officer, row[0], "accepted")
    officer.commit()
    set_threshold(measured, "dark", below=0.01)
    set_threshold(measured, "dark", below=0.5)
    resolved = "select media_id from core.finding where kind = 'dark' and resolution = 'accepted'"
    assert measured.execute(resolved).fetchall() == [(1,)]
    assert found(measured, "dark") == [2, 3, 4]


def test_findings_of_other_kinds_are_left_alone(measured: Connection) -> None:
    insert = "insert into core.finding (media_id, kind, run_id) values (1, 'gps', 1)"
    measured.execute(insert)
    set_threshold(measured, "dark", below=0.01)
    assert found(measured, "gps") == [1]


def test_a_threshold_of_ones_own_needs_a_statistic(measured: Connection) -> None:
    with pytest.raises(InvalidInput, match="'wide' needs a statistic; give one of: brightness"):
        set_threshold(measured, "wide", above=3)
    assert set_threshold(measured, "wide", above=8.5, statistic="aspect")["added"] == 2
    assert found(measured, "wide") == [9, 10]
    score = measured.execute("select score from core.finding where kind = 'wide' order by 1")
    assert score.fetchall() == [(9.0,), (10.0,)]


@pytest.mark.parametrize("statistic", STATISTICS)
def test_every_statistic_can_be_bounded(measured: Connection, statistic: str) -> None:
    assert set_threshold(measured, "any", above=-1, statistic=statistic)["added"] == 10


def test_a_threshold_that_is_removed_takes_its_open_findings_along(measured: Connection) -> None:
    set_threshold(measured, "dark", below=0.45)
    assert remove_threshold(measured, "dark") == {"added": 0, "removed": 4}
    assert "dark" not in {threshold.kind for threshold in thresholds(measured)}
    with pytest.raises(NotFound, match="no threshold 'dark'; see: smartdb threshold list"):
        remove_threshold(measured, "dark")


@pytest.mark.parametrize("kind", ["gps", "wrong_extension", "Dark!"])
def test_a_kind_that_is_not_a_statistics_is_refused(measured: Connection, kind: str) -> None:
    with pytest.raises(InvalidInput, match="kind_check"):
        set_threshold(measured, kind, below=1, statistic="brightness")


def test_a_threshold_without_a_bound_is_refused(measured: Connection) -> None:
    with pytest.raises(InvalidInput, match="no bound for 'dark'"):
        set_threshold(measured, "dark")


def test_thresholds_are_set_and_listed_on_the_command_line(
    measured: Connection, cli: Callable[..., Any]
) -> None:
    measured.commit()
    done = cli("threshold", "set", "dark", "--below", "0.45")
    assert done.stdout.split() == ["findings", "n", "added", "4", "removed", "0"]
    listed = json.loads(cli("threshold", "list", "--json").stdout)
    wanted = {"kind": "dark", "statistic": "brightness", "below": 0.45, "above": None}
    assert wanted in listed
    assert json.loads(cli("threshold", "remove", "dark", "--json").stdout)["removed"] == 4
    assert cli("threshold", "set", "dark").exit_code == 2
