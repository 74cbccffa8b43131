"""Reviewing: pages of a long queue beside the bare walk of its index, and verdicts in bulk."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from benchmarks.harness import Figure, percentile, run, scratch, session, show, took
from smartdb import pages

BULK = 10_000
Place = tuple[str | None, tuple[float | None, int | None]]
"""A kind of suspicion, and the key after which a page of the queue begins."""

FILL = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('bench', 'file:///bench');
insert into core.ontology (name) values ('pets');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, '');
insert into core.class (ontology_id, name, version_from) values (1, 'cat', 1), (1, 'dog', 1);
insert into core.actor (name, kind) values ('importer', 'import');
set session_replication_role = replica;
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(int8send(i)), 'image', 'image/png', 1, 9, 9, 1 from generate_series(1, {n}) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, 'file:///bench/' || i || '.png', 1, now() from generate_series(1, {n}) as i;
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1, 'import', 1 from generate_series(1, {n}) as i;
insert into core.label_issue (media_id, label_id, kind, score, suggested_class_id, run_id)
select
    i, i, 'swapped', case when i % 4 = 0 then 0.75 else abs(hashint8(i) % 10007) / 10007.0 end,
    2, 1
from generate_series(1, {n}) as i;
insert into core.task (kind, media_id, label_id, priority)
select 'review', media_id, label_id, score from core.label_issue where label_id % 10 = 0;
set session_replication_role = origin;
"""
BARE = """
select * from core.label_issue as i where i.state = 'open' and i.score <= %s::real
order by i.score desc, i.issue_id limit 50
"""
VERDICTS = """
select smartdb.review_labels(array(select generate_series(%s::bigint, %s::bigint)), 'ana', %s)
"""


def main(quick: bool) -> None:
    """Prints what was measured with a million suspected labels (quick: 2,000).

    Every fourth has the same score and every tenth a task, so that pages lie within ties too.
    """
    n, bulk = (2_000, 200) if quick else (1_000_000, BULK)
    with scratch() as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(FILL.format(n=n).encode())
            conn.execute(
                b"vacuum (analyze) core.media, core.media_location, core.label, core.label_issue,"
                b" core.task, core.class, core.actor"
            )
        show(f"Pages of {n:,} suspected labels", _pages(url, n, 20 if quick else 200))
        show("Verdicts in one statement", _verdicts(url, bulk))


def _pages(url: str, n: int, times: int) -> list[Figure]:
    """The bare walk as who owns the table, then the API's pages: anywhere, and amid the ties."""
    places = [1 - i % 20 / 25 for i in range(times)]
    with psycopg.connect(url, autocommit=True) as owner:  # no row-level security
        bare = percentile([_ms(owner, BARE, (place,)) for place in places], 0.95)
    ways: dict[str, list[Place]] = {
        "the first page": [(None, (None, None))] * times,
        "a deep page": [(None, (place, 0)) for place in places],
        "a page within equal scores": [("swapped", (0.75, n // 2))] * times,
    }
    with session(url, "smartdb_reader") as conn:
        figures = [_walked(conn, name, way, bare) for name, way in ways.items()]
    return [Figure("bare index scan of 50, p95", bare, "ms", note="no rights, no join"), *figures]


def _walked(conn: Any, name: str, way: list[Place], bare: float) -> Figure:
    times: list[float] = []
    cpu = took(conn, lambda: times.extend(_page(conn, *place) for place in way)).cpu
    p95 = percentile(times, 0.95)
    note = f"{p95 / bare:.1f} times the bare scan"
    if cpu is not None:
        note += f", {cpu / len(way) * 1000:.1f} ms of cpu each"
    return Figure(f"{name} of 50, p95", p95, "ms", "< 20 ms", p95 < 20, note)


def _page(conn: Any, kind: str | None, after: tuple[float | None, int | None]) -> float:
    start = time.perf_counter()
    assert len(pages.review_page(conn, kind, after, 50)) == 50
    return (time.perf_counter() - start) * 1000


def _ms(conn: Any, query: str, values: tuple[float, ...]) -> float:
    start = time.perf_counter()
    conn.execute(query.encode(), values).fetchall()
    return (time.perf_counter() - start) * 1000


def _verdicts(url: str, n: int) -> list[Figure]:
    """Verdicts on ``n`` labels in one statement, with their suspicions and tasks."""
    found = []
    with session(url, "smartdb_reviewer") as conn:
        for i, verdict in enumerate(("accepted", "rejected")):
            spent = run(conn, VERDICTS, i * n + 1, (i + 1) * n, verdict)
            note = f"{n / spent.wall:,.0f}/s"
            found.append(Figure(f"{n:,} {verdict}", spent.wall, "s", note=note, cpu=spent.cpu))
    return found
