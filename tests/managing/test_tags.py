"""Tags: put on and taken off all at once, with their history, by who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from smartdb import predicates, tags
from smartdb.errors import InvalidInput, NotFound

MEDIA = """
insert into core.run (kind, code_version) values ('test', '0');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(int8send(i)), 'image', 'image/png', i, 10 * i, 30, 1 from generate_series(1, 20) as i;
insert into core.restriction (media_id, reason) values (20, 'consent')
"""
TAGGED = "m.media_id in (select media_id from smartdb.media_tag where tag = 'night')"
TAG = "select smartdb.tag_media('night', 'm.media_id <= 3')"
UNTAG = "select smartdb.untag_media('night', 'm.media_id = 2')"


@pytest.fixture
def conn(owner: psycopg.Connection, conn: psycopg.Connection) -> psycopg.Connection:
    """A writer's connection to twenty media; 20 is hidden."""
    owner.execute(MEDIA)
    owner.commit()
    return conn


def one(conn: psycopg.Connection, query: str, *values: object) -> Any:
    row = conn.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def test_a_tag_is_put_on_once_and_taken_off_where_it_is(conn: psycopg.Connection) -> None:
    assert tags.add(conn, "night", "m.media_id <= 5", actor="ana") == 5
    assert tags.add(conn, "night", "m.width < 80", actor="bo") == 2
    assert tags.remove(conn, "night", "m.media_id in (1, 2, 19)") == 2
    assert predicates.members(conn, TAGGED).tolist() == [3, 4, 5, 6, 7]
    rows = conn.execute("select actor, count(*) from smartdb.media_tag group by 1 order by 1")
    assert rows.fetchall() == [("ana", 3), ("bo", 2)]
    assert [(t["tag"], t["n_media"]) for t in tags.tags(conn)] == [("night", 5)]
    assert tags.remove(conn, "night") == 5
    assert tags.tags(conn) == []


def test_history_tells_what_was_on_when(conn: psycopg.Connection) -> None:
    tags.add(conn, "night", "m.media_id <= 3")
    conn.commit()
    first = one(conn, "select core.checkpoint()")
    tags.remove(conn, "night", "m.media_id = 2")
    tags.add(conn, "rain", "m.media_id = 2")
    second = one(conn, "select core.checkpoint()")
    tags.add(conn, "night", "m.media_id = 2")
    at = "select array_agg(o.x order by o.x) from (select t.tag || t.media_id as x"
    at += " from smartdb.tag_at(%s) as t) as o"
    assert one(conn, at, first) == ["night1", "night2", "night3"]
    assert one(conn, at, second) == ["night1", "night3", "rain2"]
    assert one(conn, "select count(*) from smartdb.tag_history where media_id = 2") == 3


def test_what_was_on_cannot_be_changed_or_deleted(conn: psycopg.Connection) -> None:
    tags.add(conn, "night", "true")
    conn.commit()
    for change, state in {
        "update core.media_tag set tag = 'day'": "42501",
        "delete from core.media_tag": "42501",
        "insert into core.media_tag (media_id, tag, actor_id, rev_to) values (1, 'x', 1, 9)": (
            "42501"
        ),
        "insert into core.media_tag (media_id, tag, actor_id) values (999, 'x', 1)": "23503",
        "insert into core.media_tag (media_id, tag, actor_id) values (1, null, 1)": "23514",
    }.items():
        with pytest.raises(psycopg.Error) as caught:
            conn.execute(change.encode())
        assert caught.value.sqlstate == state, change
        conn.rollback()


def test_annotators_reviewers_and_writers_may_tag(conn: psycopg.Connection, database: str) -> None:
    for role in ("annotator", "reviewer", "writer", "owner"):
        with psycopg.connect(database) as login:
            login.execute(f"set session authorization smartdb_{role}".encode())
            assert (one(login, TAG), one(login, UNTAG)) == (3, 1), role
            assert one(login, "select min(actor) from smartdb.media_tag") == f"smartdb_{role}"
            login.rollback()
    for role in ("reader", "privacy"):
        with psycopg.connect(database) as login:
            login.execute(f"set session authorization smartdb_{role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(TAG)
            login.rollback()
            assert one(login, "select count(*) from smartdb.media_tag") == 0


def test_hidden_media_are_not_tagged_and_their_tags_not_seen(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    assert tags.add(owner, "night", "true") == 20
    owner.commit()
    assert (one(conn, "select n_media from smartdb.tag"), tags.remove(conn, "night")) == (19, 19)
    conn.commit()
    assert one(owner, "select array_agg(media_id) from smartdb.media_tag") == [20]


def test_what_makes_no_sense_is_refused(conn: psycopg.Connection) -> None:
    for tag, predicate, message in (
        ("", "true", "1 to 200 characters"),
        ("x" * 201, "true", "this one 201"),
        ("night", "m.nope", "column m.nope does not exist"),
        ("night", "true) or (true", "syntax error"),
        ("night", "smartdb.tag_media('night', 'true') > 0", "read-only transaction"),
    ):
        with pytest.raises(InvalidInput, match=message):
            tags.add(conn, tag, predicate)
    with pytest.raises(InvalidInput, match="takes longer"):
        tags.add(conn, "night", "pg_sleep(0.1) is not null", timeout_s=0.2)
    with pytest.raises(NotFound, match="no media has the tag 'day'"):
        tags.remove(conn, "day")
    assert tags.tags(conn) == []


def test_the_commands_tag_and_untag(conn: psycopg.Connection, cli: Callable[..., Any]) -> None:
    conn.execute("select smartdb.save_slice('wide', 'm.width > 100')")
    conn.commit()
    for arguments, n in (
        (["add", "night", "--predicate", "m.media_id < 4"], 3),
        (["add", "night", "--slice", "wide", "--media", "11", "--media", "2", "--media", "19"], 2),
        (["add", "night", "--media", "3", "--media", "4", "--actor", "ana"], 1),
        (["remove", "night", "--slice", "wide", "--predicate", "m.media_id = 19"], 1),
    ):
        done = cli("tag", *arguments, "--json")
        assert (done.exit_code, json.loads(done.stdout)["n"]) == (0, n), done.output
    assert cli("tag", "list").stdout.split() == ["tag", "media", "night", "5"]
    assert cli("tag", "remove", "night").exit_code == 0
    assert cli("tag", "remove", "night").exit_code == 1
    assert "say which media" in cli("tag", "add", "night").output
