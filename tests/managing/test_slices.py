"""Slices: saved predicates and saved sets, wherever a predicate is taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import predicates, slices
from smartdb.errors import Conflict, InvalidInput, NotFound

MEDIA = """
insert into core.run (kind, code_version) values ('test', '0');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(int8send(i)), 'image', 'image/png', i, 10 * i, 30, 1 from generate_series(1, 20) as i;
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select i, i / 20.0, 0.2, i, 5, 30 from generate_series(1, 20) as i;
insert into core.restriction (media_id, reason) values (20, 'consent');
select core.add_encoder('toy', 2);
insert into core.embedding_1 (media_id, v)
select i, l2_normalize(format('[1,%s]', i)::halfvec) from generate_series(1, 20) as i;
insert into core.batch (strategy, seed, run_id) values ('random', 0, 1);
insert into core.batch_item (batch_id, media_id, rank, score, reason)
values (1, 3, 1, 0, 'x'), (1, 17, 2, 0, 'x'), (1, 20, 3, 0, 'x')
"""
DARK = "m.brightness < 0.3 -- five"
AND_DARK = "m.media_id in (select smartdb.slice_item('dark'))"


@pytest.fixture
def conn(owner: psycopg.Connection, conn: psycopg.Connection) -> psycopg.Connection:
    """A writer's connection to twenty media; 20 is hidden."""
    owner.execute("set search_path = public")
    owner.execute(MEDIA)
    owner.commit()
    return conn


def members(conn: psycopg.Connection, name: str) -> list[int]:
    return predicates.members(conn, predicates.combined(conn, None, name)).tolist()


def test_every_function_with_a_predicate_takes_a_slice(conn: psycopg.Connection) -> None:
    assert slices.save(conn, "dark", DARK, note="at night") == 5
    assert slices.save_set(conn, "odd", "m.media_id in (1, 18)") == 2
    for name, ids in {"dark": {1, 2, 3, 4, 5}, "odd": {1, 18}}.items():
        for call in (
            "smartdb.slice_item(%(name)s)",
            "smartdb.media_where(smartdb.slice_predicate(%(name)s))",
            "smartdb.sample_random(100, 7, smartdb.slice_predicate(%(name)s))",
            "smartdb.nearest('[1,9]', 'toy', 20, smartdb.slice_predicate(%(name)s))",
        ):
            found = conn.execute(f"select media_id from {call}".encode(), {"name": name})
            assert {row[0] for row in found} == ids, call
    both = predicates.combined(conn, "m.media_id < 4", "dark", [1, 3, 9])
    assert predicates.members(conn, both).tolist() == [1, 3]
    assert [(s.name, s.kind, s.note) for s in slices.slices(conn)] == [
        ("dark", "predicate", "at night"),
        ("odd", "set", None),
    ]


def test_a_slice_of_a_slice_follows_and_a_set_stays_as_it_was(conn: psycopg.Connection) -> None:
    slices.save(conn, "dark", DARK)
    slices.save(conn, "dark and small", f"m.width < 40 and {AND_DARK}")
    slices.save_set(conn, "seen", AND_DARK)
    assert slices.save(conn, "dark", "m.brightness < 0.15", replace=True) == 2
    assert members(conn, "dark and small") == [1, 2]
    assert members(conn, "seen") == [1, 2, 3, 4, 5]
    assert (slices.include(conn, "seen", "m.media_id in (5, 9)"), slices.count(conn, "seen")) == (
        1,
        6,
    )
    assert slices.exclude(conn, "seen", "m.media_id <= 4") == 4
    assert [media_id for media_id, _ in slices.items(conn, "seen", 9)] == [5, 9]
    assert predicates.count(conn, predicates.combined(conn, "not (" + AND_DARK + ")", "seen")) == 2


def test_a_slice_cannot_lead_back_to_itself(conn: psycopg.Connection) -> None:
    slices.save(conn, "a", "m.media_id < 9")
    slices.save(conn, "b", "m.media_id in (select smartdb.slice_item('a'))")
    with pytest.raises(InvalidInput, match="slice a is defined by itself: a > b > a"):
        slices.save(conn, "a", "m.media_id in (select smartdb.slice_item('b'))", replace=True)
    assert slices.find(conn, "a").predicate == "m.media_id < 9"
    assert slices.count(conn, "b") == 8
    with conn.transaction(force_rollback=True):
        conn.execute(
            "update core.slice set predicate = 'exists (select smartdb.slice_item(''b''))'"
        )
        with (
            pytest.raises(psycopg.Error, match="defined by itself: b > b"),
            conn.transaction(),
        ):
            conn.execute("select from smartdb.slice_item('b')")


REFUSED: list[tuple[Callable[[psycopg.Connection], object], type[Exception], str]] = [
    (lambda c: slices.save(c, "dark", "true"), Conflict, "there is a slice dark"),
    (lambda c: slices.save(c, "set", "true", replace=True), Conflict, "there is a slice set"),
    (lambda c: slices.save_set(c, "dark", "true"), Conflict, "there is a slice dark"),
    (lambda c: slices.save(c, "x", "false) or (true"), InvalidInput, "does not work"),
    (lambda c: slices.save(c, "x", "nextval('core.revision') > 0"), InvalidInput, "read-only"),
    (lambda c: slices.save_set(c, "x", "m.nope"), InvalidInput, "column m.nope does not exist"),
    (
        lambda c: slices.save(c, "x", "pg_sleep(1) is null", timeout_s=0.1),
        InvalidInput,
        "0.1 s",
    ),
    (lambda c: slices.save(c, "", "true"), InvalidInput, "slice_name_check"),
    (lambda c: slices.include(c, "dark", "true"), InvalidInput, "slice dark is the predicate"),
    (lambda c: slices.exclude(c, "x", "true"), NotFound, "no slice x"),
    (lambda c: slices.count(c, "x"), NotFound, "no slice x"),
    (lambda c: slices.find(c, "x"), NotFound, "no slice 'x'"),
    (lambda c: slices.drop(c, "x"), NotFound, "no slice x"),
    (lambda c: predicates.combined(c, "false) or (true", "dark"), InvalidInput, "does not"),
]


def test_what_makes_no_sense_is_refused_and_changes_nothing(conn: psycopg.Connection) -> None:
    slices.save(conn, "dark", DARK)
    slices.save_set(conn, "set", "m.media_id = 1")
    conn.commit()
    before = conn.execute("select * from smartdb.slice").fetchall()
    for call, error, message in REFUSED:
        with pytest.raises(error, match=message):
            call(conn)
        conn.rollback()
    assert conn.execute("select * from smartdb.slice").fetchall() == before


def test_a_set_hides_what_its_reader_may_not_see(
    conn: psycopg.Connection, as_role: Callable[[str], psycopg.Connection]
) -> None:
    slices.save_set(as_role("smartdb_owner"), "batch", slices.IN_BATCH.format(1))
    as_role("smartdb_owner").commit()
    slices.save_set(conn, "all", "true")
    assert members(conn, "all") == list(range(1, 20))
    conn.commit()
    reader = as_role("smartdb_reader")
    assert members(reader, "all") == list(range(1, 20))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("select smartdb.save_set('mine', 'true')")


def test_the_commands_save_list_show_count_and_forget(
    conn: psycopg.Connection, cli: Callable[..., Any], tmp_path: Path
) -> None:
    query = tmp_path / "wide.sql"
    query.write_text("select media_id from smartdb.media where width > 170; ")
    for arguments, n in (
        (["dark", "--predicate", DARK], 5),
        (["today", "--predicate", DARK, "--frozen"], 5),
        (["chosen", "--from-batch", "1"], 2),
        (["wide", "--from-query", str(query), "--note", "of a file"], 2),
    ):
        done = cli("slice", "add", *arguments, "--json")
        assert (done.exit_code, json.loads(done.stdout)["n"]) == (0, n), done.output
    assert cli("slice", "include", "wide", "--predicate", "m.media_id = 1").exit_code == 0
    assert cli("slice", "exclude", "wide", "--predicate", "m.media_id = 18").exit_code == 0
    shown = json.loads(cli("slice", "show", "wide", "--json").stdout)
    assert ([m["media_id"] for m in shown["media"]], shown["note"]) == ([1, 19], "of a file")
    assert cli("slice", "count", "today").stdout.split() == ["slice", "media", "today", "5"]
    assert cli("slice", "remove", "today").exit_code == 0
    names = [each["name"] for each in json.loads(cli("slice", "list", "--json").stdout)]
    assert names == ["chosen", "dark", "wide"]
    assert "one of --predicate" in cli("slice", "add", "x").output
    refused = cli("slice", "add", "x", "--predicate", "true; drop table core.slice")
    assert refused.exit_code == 2
    assert "does not work: syntax error" in refused.stderr
