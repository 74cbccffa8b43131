"""Dataset versions: sealed, split by group, stable when data grow, made once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from smartdb import datasets, runs
from smartdb.database import connect
from smartdb.errors import InvalidInput, NotFound, NothingToDo

Split = dict[int, str]


def create(conn: psycopg.Connection, **options: object) -> datasets.DatasetVersion:
    return datasets.create_version(conn, "fruit", ontology="things", **options)


def splits(conn: psycopg.Connection, version: int) -> Split:
    query = "select media_id, split from smartdb.dataset_item_at('fruit', %s)"
    return dict(conn.execute(query, [version]).fetchall())


def relabel(conn: psycopg.Connection, media_id: int, class_id: int) -> None:
    """Closes the label of a media and writes another."""
    conn.execute(
        "update core.label set rev_to = 0 where media_id = %s and rev_to is null", [media_id]
    )
    conn.execute(
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " values (%s, %s, 'import', 1)",
        [media_id, class_id],
    )
    conn.commit()


def test_a_version_holds_what_is_labelled_in_three_splits(conn: psycopg.Connection) -> None:
    made = create(conn, message="first")
    assert (made.version, made.n_items, made.is_new, made.message) == (1, 400, True, "first")
    assert set(splits(conn, 1)) == set(range(1, 401))
    n = {split: made.counts[split] for split in ("train", "val", "test")}
    assert sum(n.values()) == 400
    assert n["train"] > 250
    assert min(n["val"], n["test"]) > 20
    row = conn.execute(
        "select digest, sealed_at is not null from smartdb.dataset_version"
    ).fetchone()
    assert row == (made.digest, True)


def test_nothing_new_makes_no_version(conn: psycopg.Connection) -> None:
    first = create(conn)
    again = datasets.create_version(conn, "fruit")
    assert (again.version, again.is_new, again.digest) == (1, False, first.digest)
    assert len(datasets.list_versions(conn)) == 1
    assert conn.execute("select count(*) from core.dataset_version").fetchone() == (1,)


def test_a_changed_label_makes_a_version_and_leaves_the_old_one_as_it_was(
    conn: psycopg.Connection,
) -> None:
    first = create(conn)
    balance = datasets.class_balance(conn, "fruit", 1)
    relabel(conn, 7, 3)
    second = create(conn)
    assert (second.version, second.is_new) == (2, True)
    assert (second.counts["added"], second.counts["removed"], second.counts["moved"]) == (0, 0, 0)
    assert datasets.diff(conn, "fruit", 1, 2) == [(7, "relabelled", None, None, "pear", "plum")]
    assert datasets.class_balance(conn, "fruit", 1) == balance
    assert datasets.class_balance(conn, "fruit", 2) != balance
    digest = conn.execute("select smartdb.dataset_digest('fruit', 1)").fetchone()
    assert digest == (first.digest,) != (second.digest,)


def test_a_reader_sees_the_balance_of_an_old_version(
    conn: psycopg.Connection, as_role: Callable[[str], psycopg.Connection]
) -> None:
    create(conn)
    relabel(conn, 7, 3)
    query = "select sum(n) from smartdb.class_balance('fruit', 1) where class = 'pear'"
    assert as_role("smartdb_reader").execute(query).fetchone() == (134,)


def test_growth_moves_no_member_and_ends_no_membership(conn: psycopg.Connection) -> None:
    create(conn)
    before = splits(conn, 1)
    conn.execute(
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " select i, 1, 'import', 1 from generate_series(401, 450) as i"
    )
    second = create(conn)
    assert (second.counts["added"], second.counts["removed"], second.counts["moved"]) == (50, 0, 0)
    after = splits(conn, 2)
    assert {media_id: after[media_id] for media_id in before} == before
    assert splits(conn, 1) == before


def test_the_seed_of_the_first_version_holds_until_another_is_asked_for(
    conn: psycopg.Connection,
) -> None:
    create(conn, seed=5, val=0.0, test=0.5)
    relabel(conn, 7, 3)
    second = datasets.create_version(conn, "fruit")
    assert (second.seed, second.parameters) == (5, {"val": 0.0, "test": 0.5})
    assert second.counts["moved"] == 0
    third = datasets.create_version(conn, "fruit", seed=6)
    assert third.counts["moved"] > 100
    assert third.counts["added"] == 0


def test_near_duplicates_and_groups_stay_in_one_split(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    owner.execute("update core.media set group_key = 'patient ' || media_id / 8")
    owner.commit()
    create(conn)
    query = "select count(distinct split) from smartdb.dataset_item group by media_id / 8"
    assert {row[0] for row in conn.execute(query)} == {1}
    assert conn.execute("select count(*) from smartdb.split_leak('fruit', 1)").fetchone() == (0,)


def test_a_query_chooses_and_is_kept(conn: psycopg.Connection) -> None:
    first = create(conn, query="m.brightness > 0.3 and m.media_id <= 300")
    assert first.n_items == 270
    second = create(conn, query="m.media_id <= 310")
    assert (second.n_items, second.counts["added"], second.counts["removed"]) == (310, 40, 0)
    third = create(conn, query="m.media_id <= 200")
    assert (third.n_items, third.counts["removed"]) == (200, 110)
    assert {row[1] for row in datasets.diff(conn, "fruit", 2, 3)} == {"removed"}
    relabel(conn, 7, 3)
    assert create(conn).query == "m.media_id <= 200"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("m.brihtness > 1", "column m.brihtness does not exist"),
        ("m.media_id >", "syntax error"),
        ("m.media_id / 0 = 1", "division by zero"),
        ("m.media_id in (select x from nowhere)", 'relation "nowhere" does not exist'),
        ("nextval('core.revision') > 0", "read-only transaction"),
        (
            "true); delete from core.task; select (true",
            "DELETE query does not return|multiple commands|syntax error at",
        ),
        ("lo_creat(-1) > 0", "read-only transaction"),
    ],
)
def test_a_query_that_fails_or_writes_is_refused_and_leaves_nothing(
    conn: psycopg.Connection, query: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        create(conn, query=query)
    assert conn.execute("select count(*) from core.dataset").fetchone() == (0,)
    assert conn.execute("select status, kind from core.run where run_id > 1").fetchall() == [
        ("failed", "dataset_version")
    ]


def test_a_query_that_takes_too_long_is_stopped(conn: psycopg.Connection) -> None:
    before = time.monotonic()
    with pytest.raises(InvalidInput, match=r"takes longer than 0\.3 s"):
        create(conn, query="pg_sleep(0.1) is not null", timeout_s=0.3)
    assert time.monotonic() - before < 5
    assert conn.execute("show statement_timeout").fetchone() == ("0",)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"ontology": "nothing"}, NotFound, "no ontology 'nothing'"),
        ({"ontology": None}, InvalidInput, "name the ontology"),
        ({"query": "false"}, NothingToDo, "no labelled media fulfil 'false'"),
        ({"val": 0.5, "test": 0.5}, InvalidInput, "leave a rest"),
        ({"val": -0.1}, InvalidInput, "leave a rest"),
        ({"val": float("nan")}, InvalidInput, "leave a rest"),
    ],
)
def test_what_makes_no_sense_is_refused(
    conn: psycopg.Connection, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        datasets.create_version(conn, "fruit", **{"ontology": "things", **options})
    assert conn.execute("select count(*) from core.dataset").fetchone() == (0,)


def test_another_ontology_is_refused(conn: psycopg.Connection) -> None:
    create(conn)
    with pytest.raises(InvalidInput, match="classes of 'things', not 'others'"):
        datasets.create_version(conn, "fruit", ontology="others")


@pytest.mark.parametrize(
    "statement",
    [
        "update core.dataset_version set message = 'other'",
        "delete from core.dataset_version",
        "truncate core.dataset_version cascade",
        "update core.dataset_item set split = 'test'",
        "update core.dataset_item set version_to = 2 where media_id = 1",
        "delete from core.dataset_item",
        "insert into core.dataset_item (dataset_id, media_id, split, version_from)"
        " values (1, 401, 'train', 1)",
    ],
)
@pytest.mark.parametrize("role", ["smartdb_writer", "smartdb_owner"])
def test_a_sealed_version_cannot_be_changed(
    conn: psycopg.Connection,
    as_role: Callable[[str], psycopg.Connection],
    role: str,
    statement: str,
) -> None:
    create(conn)
    with pytest.raises(psycopg.Error) as caught:
        as_role(role).execute(statement)
    assert caught.value.sqlstate in ({"SD003"} if role == "smartdb_owner" else {"SD003", "42501"})


def test_two_creators_at_once_make_one_version(database: str) -> None:
    def work(_: int) -> datasets.DatasetVersion:
        with connect(database) as own:
            return create(own)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(work, range(4)))
    assert [each.version for each in made] == [1] * 4
    assert sorted(each.is_new for each in made) == [False, False, False, True]
    with connect(database) as own:
        assert own.execute("select count(*) from core.dataset_item").fetchone() == (400,)


KILLED = """
import sys, time
from smartdb import datasets
from smartdb.database import connect
datasets._digest = lambda *_: (print("sealing", flush=True), time.sleep(60))
datasets.create_version(connect(sys.argv[1]), "fruit", ontology="things")
"""


def test_a_creator_killed_in_the_middle_leaves_nothing(
    conn: psycopg.Connection, database: str
) -> None:
    command = [sys.executable, "-c", KILLED, database]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    assert said == b"sealing\n"
    made = create(conn)
    assert (made.version, made.n_items, made.is_new) == (1, 400, True)
    query = "select status, count(*) from core.run where run_id > 1 group by 1 order by 1"
    assert conn.execute(query).fetchall() == [("failed", 1), ("succeeded", 1)]


def test_a_caller_in_autocommit_mode_is_served_too(database: str) -> None:
    with connect(database, autocommit=True) as own:
        assert create(own).is_new
        assert not create(own).is_new


def test_hidden_media_are_no_members(conn: psycopg.Connection, owner: psycopg.Connection) -> None:
    create(conn)
    owner.execute("insert into core.restriction (media_id, reason) values (7, 'withdrawn')")
    owner.commit()
    second = create(conn)
    assert (second.n_items, second.counts["removed"]) == (399, 1)


def test_an_unknown_version_is_named(conn: psycopg.Connection) -> None:
    create(conn)
    with pytest.raises(NotFound, match="'fruit' has no sealed version 9"):
        datasets.find_version(conn, "fruit", 9)
    with pytest.raises(NotFound, match="'nuts' has no sealed version;"):
        datasets.find_version(conn, "nuts")
    relabel(conn, 7, 3)
    create(conn)
    with pytest.raises(InvalidInput, match="name the earlier first"):
        datasets.diff(conn, "fruit", 2, 1)


def test_twenty_thousand_media_take_seconds(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    owner.execute(
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
        " select sha256(('more ' || i)::bytea), 'image', 'image/png', 1, 1, 1, 1"
        " from generate_series(1, 20000) as i"
    )
    owner.execute(
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " select media_id, 1, 'import', 1 from core.media where media_id > 460"
    )
    owner.commit()
    before = time.monotonic()
    first = create(conn)
    relabel(conn, 7, 3)
    second = create(conn)
    assert (first.n_items, second.n_items) == (20400, 20400)
    assert time.monotonic() - before < 15


def test_runs_say_what_was_done(conn: psycopg.Connection) -> None:
    made = create(conn)
    row = conn.execute(
        "select kind, status, seed, counts from core.run where run_id = %s", [made.run_id]
    ).fetchone()
    assert row is not None
    assert row[:3] == ("dataset_version", "succeeded", 0)
    assert row[3]["items"] == 400
    assert runs.dead(conn) == []


def test_the_digest_that_goes_on_from_the_last_is_the_one_read_from_all(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    create(conn)
    for media_id in (7, 11, 30):
        relabel(conn, media_id, 2)
    owner.execute("insert into core.restriction (media_id, reason) values (50, 'face')")
    owner.commit()
    query = "m.media_id not in (8, 9)"
    second = create(conn, query=query)
    assert (second.version, second.counts["removed"]) == (2, 3)
    row = conn.execute("select smartdb.dataset_digest('fruit', 2)").fetchone()
    assert row == (second.digest,)
    third = create(conn, query="true")
    assert third.counts["added"] == 2
    row = conn.execute("select smartdb.dataset_digest('fruit', 3)").fetchone()
    assert row == (third.digest,)
