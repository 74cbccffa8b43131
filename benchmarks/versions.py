"""Dataset versions: the first and the next, what they weigh, diffs, balance, relabelling."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import psycopg

from benchmarks import load
from benchmarks.harness import Figure, held, one, run, scratch, seconds, session, show, took
from smartdb.datasets import DatasetVersion, create_version

RELABEL = """
with old as (
    update core.label set rev_to = 0
    where label_id = any (%s) and rev_to is null
    returning object_id, media_id, class_id, kind
)
insert into core.label (object_id, media_id, class_id, kind, origin, actor_id, run_id)
select object_id, media_id, class_id %% 100 + 1, kind, 'human', 2, 1 from old
"""
BEGIN = """
insert into core.dataset_version (
    dataset_id, version, revision, query, seed, message, run_id, ontology_version
)
values (1, %s, 1, 'true', 0, 'bench', 1, 1)
"""
END = """
update core.dataset_item as i set version_to = %(v)s
where i.dataset_id = 1 and i.version_to is null and i.media_id %% 200 = %(v)s
"""
AGAIN = """
insert into core.dataset_item (dataset_id, media_id, split, version_from)
select 1, i.media_id, i.split, %(v)s from core.dataset_item as i
where i.dataset_id = 1 and i.version_to = %(v)s - 1
"""
SEAL = """
update core.dataset_version set n_items = 0, digest = 'bench', sealed_at = clock_timestamp()
where dataset_id = 1 and version = %s
"""
SOME = """
select label_id from core.label where kind = 'classification' and rev_to is null
order by hashint8(label_id) limit 1000
"""
BALANCE = "select * from smartdb.class_balance('bench', 1)"
DIFF = "select count(*) from smartdb.dataset_diff('bench', 1, 2)"
DIGEST = "select smartdb.dataset_digest('bench', 1)"
LABEL_DIFF = "select count(*) from smartdb.label_diff(%s, %s)"
SIZE = "select pg_total_relation_size('core.dataset_item')"


def main(quick: bool = False) -> None:
    """Versions of 100,000 media (2,000 with ``quick``), beside an insert into a bare table."""
    n = 2_000 if quick else 100_000
    with scratch() as url, session(url, "smartdb_owner") as conn:
        load.fill(conn, n, dim=16)
        figures = [_bare(conn), *measure(conn, full=False)]
        show(f"dataset versions of {n:,} media, {3 * n:,} labels", figures)


def measure(conn: psycopg.Connection[Any], full: bool) -> list[Figure]:
    """Figures of versions of the dataset ``bench``, which there is none of yet; as smartdb_writer.

    ``full``: the database has a million media, so that the targets apply.
    """
    empty = one(conn, SIZE)
    figures = [_version(conn, "first version", "true", 10 * full, "6.8 s")]
    first = one(conn, SIZE) - empty
    figures.append(_version(conn, "next, 1 % gone", "m.media_id % 100 > 0", 2 * full, ""))
    share = (one(conn, SIZE) - empty) / first - 1
    figures += [
        Figure(
            "its bytes, of the first's", 100 * share, "%", "< 2 %", share < 0.02 if full else None
        ),
        _version(conn, "next, 20 % gone", "m.media_id % 5 > 0", 0, "2.7 s"),
        *_declared(conn),
        _query(conn, "class balance of the first", 2 * full, "1.2 s", BALANCE),
        _query(conn, "diff of the first two", 1 * full, "", DIFF),
        _query(conn, "digest of the first", 0, "", DIGEST),
        *_relabel(conn, full),
    ]
    return [*figures, _many(conn, first)]


def _bare(conn: psycopg.Connection[Any]) -> Figure:
    conn.execute("create temp table bare (media_id bigint, split text)")
    insert = "insert into bare select media_id, 'train' from core.media"
    return held("insert the members into a bare table", took(conn, lambda: conn.execute(insert)))


def _version(
    conn: psycopg.Connection[Any], name: str, query: str, target: float, was: str
) -> Figure:
    made: list[DatasetVersion] = []

    def make() -> None:
        made.append(create_version(conn, "bench", ontology="bench", query=query))

    result = took(conn, make)
    return held(f"dataset: {name}", result, target, was, f"{made[0].n_items:,} items")


def _declared(conn: psycopg.Connection[Any]) -> list[Figure]:
    """What asking the terms of all media costs, and a version that does."""
    conn.execute("update core.source set allowed_use = '{training}'")
    asked = "select count(*) from smartdb.use_refused('training')"
    made = took(conn, lambda: create_version(conn, "bench", purpose="training"))
    return [
        _query(conn, "media whose terms refuse a use", 0, "", asked),
        held("dataset: next, its purpose declared", made),
    ]


def _query(conn: psycopg.Connection[Any], name: str, target: float, was: str, query: str) -> Figure:
    return held(name, run(conn, query), target, was)


def _relabel(conn: psycopg.Connection[Any], full: bool) -> list[Figure]:
    ids = [row[0] for row in conn.execute(SOME)]
    before = one(conn, "select core.checkpoint()")
    result = took(conn, lambda: conn.execute(RELABEL, (ids,)))
    after = one(conn, "select core.checkpoint()")
    assert one(conn, LABEL_DIFF, before, after) == len(ids), "every relabelling is in the diff"
    return [
        held(f"relabel {len(ids):,}", result, None, "8 ms"),
        held("label diff over them", run(conn, LABEL_DIFF, before, after), 1 * full),
    ]


def _many(conn: psycopg.Connection[Any], first: int) -> Figure:
    """Fifty versions, each with half a percent gone and half a percent back."""
    newest = one(conn, "select max(version) from core.dataset_version where dataset_id = 1")
    before, spent = one(conn, SIZE), 0.0
    for version in range(newest + 1, newest + 51):
        with conn.transaction():
            conn.execute(BEGIN, (version,))
            spent += seconds(partial(conn.execute, END, {"v": version}))
            if version > newest + 1:
                spent += seconds(partial(conn.execute, AGAIN, {"v": version}))
            conn.execute(SEAL, (version,))
    added, listed = one(conn, SIZE) - before, 50 * first
    note = (
        f"listing the members of each: {listed / 2**20:,.0f} MB; {spent / 50:.2f} s each to write"
    )
    limit = "(design 52 of 816 MB)"
    return Figure("50 versions, 1 % changed", added / 2**20, "MB", limit, added < listed / 8, note)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
