"""What analysts ask of a large database: predictions, metrics, pages of media, other views."""

from __future__ import annotations

from functools import partial
from typing import Any

import psycopg

from benchmarks.harness import Figure, held, one, percentile, run, seconds, took

RUN = "insert into core.run (kind, code_version) values ('train', 'bench') returning run_id"
EVALUATE = """
insert into core.evaluation (run_id, dataset_id, version, revision, class_ids)
select %s, v.dataset_id, v.version, v.revision,
    array(select c.class_id from core.class as c order by c.class_id)
from core.dataset_version as v where v.dataset_id = 1 and v.version = 1
"""
PREDICT = """
insert into core.prediction (
    run_id, media_id, class_id, probability, confidence, margin, entropy,
    true_label_id, true_class_id, split
)
select %(run)s, i.media_id, 1 + floor(100 * power(u.share, 3))::bigint,
    array_fill(0.01::real, array[100]), u.share, u.share, 1 - u.share,
    t.label_id, t.class_id, i.split
from core.dataset_item as i
left join smartdb.media_class_at(%(revision)s) as t on t.media_id = i.media_id
cross join lateral (
    select ((hashint8extended(i.media_id * 4, 3 + (hashint8(i.media_id) %% 5 = 0)::integer)
        & 1048575) / 1048576.0) as share
) as u
where i.dataset_id = 1 and i.version_from = 1
"""
PAGE = """
select m.media_id, m.uri, m.width, m.height from smartdb.media as m
where m.media_id > %s order by m.media_id limit 50
"""
QUERIES = {
    "accuracy of a run": (2, """
select split, avg(is_correct::integer) from smartdb.prediction
where run_id = %(run)s group by split"""),
    "confusion_matrix": (2, "select * from smartdb.confusion_matrix where run_id = %(run)s"),
    "class_metric": (2, "select * from smartdb.class_metric where run_id = %(run)s"),
    "error, worst 100": (2, """
select * from smartdb.error where run_id = %(run)s order by confidence desc limit 100"""),
    "slice_metric": (5, "select * from smartdb.slice_metric(%(run)s)"),
    "sample_random": (2, "select * from smartdb.sample_random(100, 1)"),
    "sample_balanced": (5, "select * from smartdb.sample_balanced(100, 1)"),
    "sample_uncertain": (3, "select * from smartdb.sample_uncertain(100, 1, run => %(run)s)"),
    "live labels of a class": (2, """
select count(*) from smartdb.label where class = 'class 7'"""),
    "labels of one media": (0.01, "select * from smartdb.label where media_id = 4711"),
    "lineage of one media": (0.05, "select * from smartdb.lineage(4711)"),
    "source_summary": (3, "select * from smartdb.source_summary"),
    "annotator_throughput": (3, "select * from smartdb.annotator_throughput"),
    "embedding_gap": (3, "select count(*) from smartdb.embedding_gap('bench')"),
    "split_leak": (5, "select count(*) from smartdb.split_leak('bench', 1)"),
}  # fmt: skip


def predict(conn: psycopg.Connection[Any], n: int) -> list[Figure]:
    """Adds a run with a prediction for each of ``n`` media, of 100 classes; as smartdb_writer."""
    with conn.transaction():
        made = one(conn, RUN)
        run(conn, "select core.add_prediction_partition(%s)", made)
        conn.execute(EVALUATE, (made,))
        revision = one(conn, "select revision from core.evaluation where run_id = %s", made)
        values = {"run": made, "revision": revision}
        added = took(conn, lambda: conn.execute(PREDICT, values))
    return [
        Figure(
            f"{n:,} predictions", added.wall, "s", note=f"{n / added.wall:,.0f}/s", cpu=added.cpu
        )
    ]


def ask(conn: psycopg.Connection[Any], n: int, full: bool) -> list[Figure]:
    """What analysts wait for on ``n`` media; as smartdb_reader."""
    newest = one(conn, "select max(run_id) from smartdb.run where kind = 'train'")
    values = {"run": newest}
    figures = [
        held(name, took(conn, partial(_read, conn, query, values)), target if full else None)
        for name, (target, query) in QUERIES.items()
    ]
    return [*figures, _pages(conn, n, full)]


def _pages(conn: psycopg.Connection[Any], n: int, full: bool) -> Figure:
    times = [
        seconds(partial(_read, conn, PAGE, (after,))) for after in range(0, n, max(1, n // 200))
    ]
    p95 = 1000 * percentile(times, 0.95)
    note = f"p50 {1000 * percentile(times, 0.5):.2g} ms"
    return Figure("page of 50 media, p95", p95, "ms", "< 10 ms", p95 < 10 if full else None, note)


def _read(conn: psycopg.Connection[Any], query: str, values: Any) -> list[Any]:
    return conn.execute(query.encode(), values).fetchall()
