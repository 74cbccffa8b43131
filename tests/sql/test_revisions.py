"""Revisions: history is kept whatever is tried, and no checkpoint ever moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

Connection = psycopg.Connection[Any]
WRITERS, CHECKPOINTS, N_MEDIA = 8, 40, 50

SETUP = """
insert into core.run (kind, code_version) values ('ingest', '0');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/png', 1, 1, 1, 1 from generate_series(1, 50) as i;
insert into core.ontology (name) values ('o');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from) values (1, 'cat', 1), (1, 'dog', 1);
insert into core.actor (name, kind) select 'a' || i, 'person' from generate_series(0, 9) as i;
"""
# what a writer does again and again, each its own committed transaction
WRITE = """
insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)
values (%(media)s, 1 + %(step)s %% 2, 'box', 0, 0, 1, 1, 'human', %(actor)s)
"""
CLOSE = """
update core.label set rev_to = 0
where label_id = (
    select label_id from core.label where actor_id = %(actor)s and rev_to is null
    order by label_id offset %(step)s %% 3 limit 1
)
"""
LIVE = """
select label_id from core.label
where rev_from <= %(r)s and (rev_to is null or rev_to > %(r)s) order by 1
"""


@pytest.fixture
def label(conn: Connection) -> int:
    """A live label, in the open transaction of ``conn``."""
    conn.execute(SETUP.encode())
    conn.execute(WRITE, {"media": 1, "step": 0, "actor": 1})
    return one(conn, "select max(label_id) from core.label")


def one(conn: Connection, query: str, **values: object) -> Any:
    row = conn.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def live(conn: Connection, revision: int) -> list[int]:
    return [row[0] for row in conn.execute(LIVE, {"r": revision})]


@contextmanager
def refused(conn: Connection) -> Iterator[None]:
    """What follows must raise SD003, and be undone."""
    with pytest.raises(psycopg.Error) as caught, conn.transaction():
        yield
    assert caught.value.sqlstate == "SD003"


def write(conn: Connection, number: int, stop: threading.Event) -> int:
    """Inserts and closes labels, some transactions of several statements, until told to stop."""
    step = 0
    while not stop.is_set():
        step += 1
        values = {"media": 1 + (number * 7 + step) % N_MEDIA, "step": step, "actor": 1 + number}
        with conn.transaction():
            conn.execute(WRITE, values)
            if step % 3 == 0:
                conn.execute(CLOSE, values)
            if step % 5 == 0:
                conn.execute(WRITE, values)
    return step


def test_no_checkpoint_moves_while_eight_writers_write(
    conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    conn.execute(SETUP.encode())
    conn.commit()
    stop, seen = threading.Event(), dict[int, list[int]]()
    connections = [as_role("smartdb_writer") for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, each, n, stop) for n, each in enumerate(connections)]
        try:
            for _ in range(CHECKPOINTS):
                revision = one(conn, "select core.checkpoint()")
                conn.commit()
                seen[revision] = live(conn, revision)
                conn.commit()
        finally:
            stop.set()
        steps = [writer.result() for writer in writers]
    assert len(seen) == CHECKPOINTS
    assert min(steps) > 3, "a writer starved"
    assert len(set(map(len, seen.values()))) > CHECKPOINTS / 2, "nothing was written meanwhile"
    assert {revision: live(conn, revision) for revision in seen} == seen


def test_a_checkpoint_waits_for_a_writer_in_flight(
    label: int, conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    other = as_role("smartdb_writer")
    other.execute("set lock_timeout = '200ms'")
    other.commit()
    with pytest.raises(psycopg.errors.LockNotAvailable):
        one(other, "select core.checkpoint()")
    other.rollback()
    conn.commit()
    assert label in live(other, one(other, "select core.checkpoint()"))


def test_writers_do_not_wait_for_each_other(
    label: int, conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    conn.commit()
    conn.execute(WRITE, {"media": 2, "step": 0, "actor": 1})
    other = as_role("smartdb_writer")
    other.execute("set lock_timeout = '200ms'")
    other.execute(WRITE, {"media": 3, "step": 0, "actor": 2})
    other.commit()


def test_closing_stamps_the_next_revision_whatever_is_written(label: int, conn: Connection) -> None:
    last = one(conn, "select nextval('core.revision')")
    closed = one(
        conn,
        "update core.label set rev_to = 1 where label_id = %(id)s returning rev_to",
        id=label,
    )
    assert closed == last + 1


def test_an_update_changes_nothing_but_the_end_even_for_the_owner(
    label: int, conn: Connection
) -> None:
    conn.commit()
    with psycopg.connect(conn.info.dsn) as admin:
        admin.execute("set role smartdb_owner")
        admin.execute(
            "update core.label set class_id = 2, rev_from = 0, media_id = 9, rev_to = null"
        )
        row = admin.execute(
            "select class_id, media_id, rev_to > rev_from and rev_from > 0 from core.label"
        ).fetchone()
    assert row == (1, 1, True)


def test_a_closed_row_is_not_closed_again_or_reopened(label: int, conn: Connection) -> None:
    conn.execute("update core.label set rev_to = 0 where label_id = %s", [label])
    for value in ("null", "0", "rev_to"):
        with refused(conn):
            conn.execute(f"update core.label set rev_to = {value}".encode())


@pytest.mark.parametrize("table", ["label", "review"])
@pytest.mark.parametrize("statement", ["delete from core.{}", "truncate core.{} cascade"])
def test_history_is_neither_deleted_nor_truncated(
    label: int, conn: Connection, table: str, statement: str
) -> None:
    conn.commit()
    with psycopg.connect(conn.info.dsn) as admin, refused(admin):
        admin.execute(statement.format(table).encode())
    assert live(conn, one(conn, "select core.checkpoint()")) == [label]


def test_a_review_is_withdrawn_but_never_rewritten(label: int, conn: Connection) -> None:
    conn.execute(
        "insert into core.review (label_id, reviewer_id, verdict) values (%s, 2, 'accepted')",
        [label],
    )
    conn.execute("update core.review set rev_to = 0")
    with refused(conn):
        conn.execute("update core.review set rev_to = 0")


def test_revisions_are_never_cached_so_their_order_is_true(conn: Connection) -> None:
    assert one(conn, "select cache_size from pg_sequences where sequencename = 'revision'") == 1
