"""What the loop left in a database, by content.

Ids and times may differ, and with the ids the splits, which are drawn from them; nothing else may.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg
from psycopg import sql

from smartdb.database import connect

CONTENT = {
    "media": "select encode(sha256, 'hex'), width, height from core.media",
    "location": "select uri from core.media_location",
    "quality": """
        select encode(m.sha256, 'hex'), q.brightness::text
        from core.quality as q join core.media as m using (media_id)""",
    "quarantine": "select uri, reason from core.quarantine",
    "neighbour": """
        select encode(a.sha256, 'hex'), encode(b.sha256, 'hex'), round(n.distance::numeric, 3)
        from core.neighbour as n join core.media as a using (media_id)
        join core.media as b on b.media_id = n.neighbour_id""",
    "duplicate": """
        select encode(m.sha256, 'hex'), encode(g.sha256, 'hex')
        from core.duplicate as d join core.media as m using (media_id)
        join core.media as g on g.media_id = d.group_id""",
    "label": """
        select encode(m.sha256, 'hex'), c.name, a.name, l.rev_to is null
        from core.label as l join core.media as m using (media_id)
        join core.class as c using (class_id) join core.actor as a using (actor_id)""",
    "label_issue": """
        select encode(m.sha256, 'hex'), c.name, i.kind, i.state
        from core.label_issue as i join core.media as m using (media_id)
        join core.label as l on l.label_id = i.label_id join core.class as c using (class_id)""",
    "task": """
        select encode(m.sha256, 'hex'), t.kind, t.state
        from core.task as t join core.media as m using (media_id)""",
    "version": """
        select d.name, v.version, v.sealed_at is not null, v.n_items,
            v.digest = smartdb.dataset_digest(d.name, v.version)
        from core.dataset_version as v join core.dataset as d using (dataset_id)""",
    "item": """
        select encode(m.sha256, 'hex'), i.version_from, i.version_to
        from core.dataset_item as i join core.media as m using (media_id)""",
    "prediction": """
        select r.kind, encode(m.sha256, 'hex')
        from core.prediction as p join core.media as m using (media_id)
        join core.run as r on r.run_id = p.run_id""",
    "model": "select name from core.model",
    "batch": """
        select b.strategy, encode(m.sha256, 'hex')
        from core.batch as b join core.batch_item as i using (batch_id)
        join core.media as m using (media_id)""",
    "succeeded": "select kind from core.run where status = 'succeeded' and kind = any(array["
    "'label_issues', 'train'])",
}


def content(url: str) -> dict[str, Counter[tuple[Any, ...]]]:
    """The rows of each table with how often they are there."""
    with connect(url, role="smartdb_owner") as conn:
        found = {
            name: Counter(conn.execute(query.encode()).fetchall())
            for name, query in CONTENT.items()
        }
        found["vector"] = Counter(_vectors(conn))
        return found


def doubled(found: dict[str, Counter[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows that are there more than once."""
    twice = {name: [row for row, n in rows.items() if n > 1] for name, rows in found.items()}
    return {name: rows for name, rows in twice.items() if rows}


def loose_ends(url: str) -> dict[str, int]:
    """Runs that are marked running, versions not sealed, and references to what is not there."""
    query = """
        select
            (select count(*) from core.run where status = 'running') as running,
            (select count(*) from core.dataset_version where sealed_at is null) as unsealed,
            (select count(*) from core.prediction as p
             where not exists (select from core.evaluation as e where e.run_id = p.run_id)) as lost,
            (select count(*) from core.evaluation as e join core.run as r using (run_id)
             where r.status <> 'succeeded') as of_failed_runs"""
    with connect(url, role="smartdb_owner") as conn:
        cursor = conn.execute(query)
        assert cursor.description is not None
        (row,) = cursor.fetchall()
        return {column.name: n for column, n in zip(cursor.description, row, strict=True) if n}


def _vectors(conn: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for name, encoder_id in conn.execute("select name, encoder_id from core.encoder").fetchall():
        query = sql.SQL(
            "select %s, encode(m.sha256, 'hex'), md5(v::text)"
            " from {} join core.media as m using (media_id)"
        ).format(sql.Identifier("core", f"embedding_{encoder_id}"))
        found += conn.execute(query, [name]).fetchall()
    return found
