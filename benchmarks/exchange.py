"""Exchange with label editors: many labels out and back, beside ``json.dump`` of the same tasks."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from smartdb import exchange_in, exchange_out
from smartdb.database import connect

from .harness import Figure, one, scratch, seconds, show

SETUP = b"""
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('road', 'file:///road');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(('road ' || i)::bytea), 'image', 'image/jpeg', 100, 1920, 1080, 1
from generate_series(1, %(n)s / 10) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, format('file:///road/%%s.jpg', i), 100, timestamptz '2026-01-01'
from generate_series(1, %(n)s / 10) as i;
insert into core.ontology (name) values ('road');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from)
select 1, 'class ' || i, 1 from generate_series(1, 10) as i;
insert into core.actor (name, kind) values ('ana', 'person');
insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)
select
    1 + i / 10, 1 + i %% 10, 'box',
    10 + 190 * random(), 900 * random(), 20 + random(), 30 + random(),
    'human', 1
from generate_series(0, %(n)s - 1) as i;
"""


def main(*, quick: bool = False) -> None:
    """Measures it and prints a table."""
    n = 1000 if quick else 50_000
    with scratch() as url, tempfile.TemporaryDirectory(prefix="smartdb-bench-") as folder:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("set role smartdb_owner")
            with psycopg.ClientCursor(owner) as cursor:
                cursor.execute(SETUP, {"n": n})
            owner.execute("analyze")
        with connect(url) as conn:
            show(f"Exchange of {n} labels with label editors", _measure(conn, Path(folder), n))


def _measure(conn: psycopg.Connection[Any], folder: Path, n: int) -> list[Figure]:
    path = folder / "tasks.json"
    out = seconds(lambda: exchange_out.send(conn, path, source="road"))
    tasks = json.loads(path.read_text())
    plain = folder / "plain.json"
    with plain.open("w") as file:
        bare = seconds(lambda: json.dump(tasks, file))
    for number, task in enumerate(tasks, 1):
        result = task.pop("predictions")[0]["result"]
        if number % 10 == 0:
            result[0]["value"]["x"] += 5
        task["annotations"] = [
            {
                "id": number,
                "result": result,
                "completed_by": {"email": "bo"},
                "parent_prediction": 1,
            }
        ]
    back = folder / "export.json"
    back.write_text(json.dumps(tasks))
    first = seconds(lambda: exchange_in.receive(conn, back))
    again = seconds(lambda: exchange_in.receive(conn, back))
    edited = one(conn, "select count(*) from smartdb.label where actor = 'bo'")
    assert edited == n // 100, edited
    xml = seconds(lambda: exchange_out.send(conn, folder / "task.xml", "cvat", source="road"))
    limit = "Label Studio's own export of 50,000: 240 s"
    return [
        Figure("json.dump of the same tasks", bare, "s"),
        Figure("out to Label Studio", out, "s", limit, out < 240),
        Figure("the same, of json.dump", out / bare, "x"),
        Figure(f"in, {n // 100} of them edited", first, "s"),
        Figure("in again, nothing new", again, "s"),
        Figure("out to CVAT, XML", xml, "s"),
    ]
