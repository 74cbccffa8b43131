"""Predicates: what is not one condition, writes or takes too long is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from smartdb import predicates
from smartdb.errors import InvalidInput, NotFound

MEDIA = """
insert into core.run (kind, code_version) values ('test', '0');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(int8send(i)), 'image', 'image/png', i, 10 * i, 30, 1 from generate_series(1, 20) as i;
insert into core.restriction (media_id, reason) values (20, 'consent');
select core.add_encoder('toy', 3);
insert into core.embedding_1 (media_id, v)
select i, l2_normalize(format('[1,%s,0]', i)::halfvec) from generate_series(1, 20) as i;
insert into core.slice (name, predicate) values ('broken', 'm.wide')
"""
FUNCTIONS = """
create function public.write_one() returns boolean language sql volatile as
'insert into core.slice (name, predicate) values (''written'', ''true'') returning true';
create function public.say_stable() returns boolean language sql stable as
'select public.write_one()';
grant execute on function public.write_one(), public.say_stable() to public
"""
REFUSED = {
    "": "syntax error",
    "m.wide": "column m.wide does not exist",
    "media_id = 1 and v.v is not null": "missing FROM-clause entry",
    "1": "must be type boolean",
    "count(*) > 1": "aggregate functions are not allowed",
    "m.width / (m.width - 30) > 0": "division by zero",
    "m.mime::integer = 1": "invalid input syntax",
    "m.media_id = $1": "there is no parameter",
    "core.index_encoder(1) is null": "permission denied|read-only",
    # more than a condition
    "true limit 1": "syntax error",
    "select true": "syntax error",
    "false) or (true": "syntax error",
    "true) union select 1 where (true": "syntax error",
    "true); drop table core.slice; select (true": "syntax error",
    "true; delete from core.slice": "syntax error",
    "true /*": "unterminated",
    "m.mime = 'image": "unterminated|syntax error",
    # writes
    "public.write_one()": "INSERT in a read-only transaction",
    "public.say_stable()": "INSERT in a read-only transaction",
    "nextval('core.revision') > 0": "nextval.. in a read-only transaction",
    # acts as somebody else
    "set_config('role', 'smartdb_owner', true) = '' or true": "may neither change settings",
    "\"set_config\"('transaction_read_only', 'off', true) = ''": "may neither change settings",
    "U&\"set\\005fconfig\"('role', 'smartdb_owner', true) = ''": "may neither change settings",
    "query_to_xml('select set_' || 'config(...)', true, true, '') is null": "SQL given as text",
    "m.media_id in (select smartdb.media_where('set_' || 'config() is null'))": "may neither",
    "(with gone as (delete from core.slice returning 1) select count(*) from gone) > 0": "WITH",
}
CALLS = (
    "select from smartdb.media_where(%s)",
    "select from smartdb.nearest('[1,0,0]', 'toy', 3, %s)",
    "select from smartdb.sample_random(3, 1, %s)",
)


@pytest.fixture
def world(owner: psycopg.Connection, database: str) -> psycopg.Connection:
    """Twenty media, one of them hidden, three-number vectors, and functions that write."""
    with psycopg.connect(database) as administrator:
        administrator.execute(FUNCTIONS)
    owner.execute("set search_path = public")
    owner.execute(MEDIA)
    owner.commit()
    return owner


def test_what_is_not_one_condition_that_reads_is_refused_everywhere(
    world: psycopg.Connection, conn: psycopg.Connection
) -> None:
    for predicate, reason in REFUSED.items():
        for call in CALLS:
            with (
                pytest.raises(psycopg.Error, match=f"(?s)does not work: .*({reason})") as caught,
                conn.transaction(),
            ):
                conn.execute(call, [predicate])
            assert caught.value.sqlstate == "SD002", predicate
        with pytest.raises(InvalidInput, match=reason):
            predicates.members(conn, predicate)
    assert conn.execute("select name from smartdb.slice").fetchall() == [("broken",)]


def test_it_says_which_predicate_does_not_work_and_what_one_is(
    world: psycopg.Connection, conn: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        conn.execute("select from smartdb.slice_item('broken')")
    assert caught.value.diag.message_primary == (
        "the predicate 'm.wide' does not work: column m.wide does not exist"
    )
    assert "read as m" in str(caught.value.diag.message_hint)


def test_the_caller_may_write_before_and_after(
    world: psycopg.Connection, conn: psycopg.Connection
) -> None:
    conn.execute(
        "insert into core.slice (name, predicate)"
        " select 'media ' || w.media_id, 'true' from smartdb.media_where('m.width > 170') as w"
    )
    assert predicates.members(conn, "m.width > 170 -- wide").tolist() == [18, 19]
    conn.execute("insert into core.slice (name, predicate) values ('after', 'true')")
    assert conn.execute("select count(*) from core.slice").fetchone() == (4,)


def test_members_are_what_the_caller_may_see_in_ascending_order(
    world: psycopg.Connection, conn: psycopg.Connection
) -> None:
    assert predicates.members(conn).tolist() == list(range(1, 20))
    assert predicates.members(world, "m.width >= 190").tolist() == [19, 20]
    assert predicates.members(conn, "false").dtype == "int64"
    assert predicates.count(conn, "m.mime like '%png' and m.media_id % 2 = 0") == 9


def test_one_that_takes_too_long_is_stopped_and_the_limit_taken_back(
    world: psycopg.Connection, conn: psycopg.Connection
) -> None:
    slow = "pg_sleep(0.05) is not null"
    with pytest.raises(InvalidInput, match=r"pg_sleep.* takes longer than 0\.2 s"):
        predicates.members(conn, slow, timeout_s=0.2)
    with conn.transaction():
        assert predicates.count(conn, "m.media_id = 1", timeout_s=9) == 1
        assert conn.execute("show statement_timeout").fetchone() == ("0",)


def test_expressions_and_regions_cannot_change_settings_either(
    world: psycopg.Connection, conn: psycopg.Connection
) -> None:
    setting = "set_config('role', 'smartdb_owner', true) = ''"
    for call in (
        "select from smartdb.value_where(%s)",
        "select from smartdb.nearest_region('[1,0,0]', 'toy', 3, %s)",
    ):
        with pytest.raises(psycopg.Error, match="may neither change settings"), conn.transaction():
            conn.execute(call, [setting])


def test_errors_that_are_not_of_the_predicate_stay_what_they_are(
    world: psycopg.Connection, conn: psycopg.Connection
) -> None:
    with pytest.raises(NotFound, match="no slice nowhere"):
        predicates.members(conn, "m.media_id in (select smartdb.slice_item('nowhere'))")


def test_a_checked_predicate_can_stand_in_a_statement_with_parameters(
    world: psycopg.Connection, as_role: Callable[[str], psycopg.Connection]
) -> None:
    reader = as_role("smartdb_reader")
    condition = predicates.checked(reader, "m.mime like '%png' or true -- all")
    query = psycopg.sql.SQL(
        "select media_id from smartdb.media as m where m.media_id > %s and {} order by 1"
    )
    assert reader.execute(query.format(condition), [17]).fetchall() == [(18,), (19,)]
    with pytest.raises(InvalidInput, match="does not work"):
        predicates.checked(reader, "true) or (true")
