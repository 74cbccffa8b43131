"""Predicates, slices, tags and drift at a million media, each held against the bare statement.

python -m benchmarks slices [--quick]
"""

from __future__ import annotations

import sys
from typing import Any

import psycopg

from benchmarks.harness import Figure, held, run, scratch, session, show
from benchmarks.load import fill

DARK = "m.brightness < 0.5"
TAGGED = "m.media_id in (select media_id from smartdb.media_tag where tag = 'night')"
TWIN = """
create temp table twin (
    media_id bigint not null, tag text, actor_id bigint not null,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'), rev_to bigint
);
create unique index on twin (tag, media_id) where rev_to is null;
create index on twin (media_id)
"""
BARE = """
insert into twin (media_id, tag, actor_id)
select m.media_id, 'night', 1 from smartdb.media as m returning 1
"""
QUESTIONS = {
    "count the tagged": ("select count(*) from smartdb.media_where(%s)", TAGGED),
    "take it off one in ten": (
        "select smartdb.untag_media('night', %s)",
        "m.media_id % 10 = 0",
    ),
    "save half as a set": ("select smartdb.save_set('half', %s)", DARK),
    "sample 10,000 of the set": (
        "select smartdb.sample_random(10000, 7, smartdb.slice_predicate(%s))",
        "half",
    ),
    "drift_quality, 20,000 a side": (
        "select smartdb.drift_quality(%s, 'm.brightness >= 0.5')",
        DARK,
    ),
    "drift_class, 20,000 a side": ("select smartdb.drift_class(%s, 'm.brightness >= 0.5')", DARK),
}


def main(quick: bool = False, n: int | None = None) -> None:
    """Measures on ``n`` media, by default 1M (20,000 with ``quick``), and prints a table."""
    n = n or (20_000 if quick else 1_000_000)
    with scratch() as url:
        with session(url, "smartdb_owner") as conn:
            fill(conn, n, 8)
        with session(url, "smartdb_writer") as conn:
            show(f"slices: {n:,} media", _measure(conn))


def _measure(conn: psycopg.Connection[Any]) -> list[Figure]:
    for command in TWIN.split(";"):
        conn.execute(command.encode())
    plain = run(conn, "select count(*) from smartdb.media as m where m.brightness < 0.5")
    safe = run(conn, "select count(*) from smartdb.media_where(%s)", DARK)
    bare = run(conn, BARE)
    tagged = run(conn, "select smartdb.tag_media('night', 'true')")
    return [
        held("count by the condition itself", plain),
        held("count by media_where", safe, note=f"{safe.wall / plain.wall:.1f}x"),
        held("insert as many rows into a bare twin", bare),
        held("tag all in one statement", tagged, note=f"{tagged.wall / bare.wall:.1f}x"),
        *(held(name, run(conn, query, value)) for name, (query, value) in QUESTIONS.items()),
    ]


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
