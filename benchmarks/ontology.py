"""Ontology: what the check of new labels costs a bulk load, and the migration of labels.

The bare load is the same statement with the trigger of the ontology switched off. The migration
renames a class with an attribute and splits another by an attribute; it is held against two bare
statements that close as many labels and write them anew, without looking at a rule.
"""

from __future__ import annotations

import psycopg

from benchmarks.harness import Figure, scratch, seconds, show
from smartdb import label_migration, ontology_changes
from smartdb.database import connect
from smartdb.ontology_form import parse

BREED = {"attribute": "breed", "choices": ["pug", "poodle"]}
PETS = [
    {"class": "dog", "attributes": [BREED, {"attribute": "age", "type": "number", "min": 0}]},
    {"class": "vehicle"},
    *({"class": f"class {i}"} for i in range(80)),
]
_SEED = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/jpeg', 100, 640, 480, 1
from generate_series(1, {n}) as i;
insert into core.actor (name, kind) values ('files', 'import');
analyze core.media;
"""
_PLAIN = """
insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)
select 1 + i / 10, 3 + i % 80, 'box', 1, 1, 20 + i % 100, 20, 'import', 1
from generate_series(0, {last}) as i
"""
_SAID = """
insert into core.label (media_id, class_id, kind, x, y, w, h, attributes, origin, actor_id)
select 1 + i / 10, 1, 'box', 1, 1, 20, 20,
    jsonb_build_object('breed', case i % 2 when 0 then 'pug' else 'poodle' end, 'age', {age}),
    'import', 1
from generate_series(0, {last}) as i
"""
_VEHICLES = """
insert into core.label (media_id, class_id, kind, x, y, w, h, attributes, origin, actor_id)
select 1 + i / 10, 2, 'box', 1, 1, 20, 20,
    jsonb_build_object('type', case i % 3 when 0 then 'car' when 1 then 'truck' else 'boat' end),
    'import', 1
from generate_series(0, {last}) as i
"""
_BARE = (
    "create temp table again as select * from core.label where class_id between 3 and 22 limit {n}",
    "update core.label as l set rev_to = 0 from again as a where a.label_id = l.label_id",
    "insert into core.label (object_id, media_id, class_id, kind, x, y, w, h, origin, actor_id)"
    " select a.object_id, a.media_id, a.class_id, a.kind, a.x, a.y, a.w, a.h, a.origin, a.actor_id"
    " from again as a order by a.label_id",
    "drop table again",
)


def main(quick: bool) -> None:
    """Prints rows a second with and without the check, and seconds of the migration."""
    n = 20_000 if quick else 1_000_000
    n_moved = n // 10
    with scratch() as url, connect(url, role="smartdb_owner") as conn:
        conn.execute(_SEED.format(n=n // 10 + 1).encode())
        ontology_changes.create(conn, "pets", parse({"classes": PETS}))
        conn.commit()
        loads = [_load(conn, _PLAIN, n), _load(conn, _SAID, n // 5, "i % 20")]
        loads.append(_load(conn, _SAID, n // 5, "i"))
        conn.execute(_PLAIN.format(last=n - 1).encode())
        for filled, many in ((_SAID, n_moved // 2), (_VEHICLES, n_moved // 2)):
            conn.execute(filled.format(last=many - 1, age="i % 20").encode())
        conn.execute("analyze core.label")
        conn.commit()
        bare = seconds(lambda: [conn.execute(s.format(n=n_moved).encode()) for s in _BARE])
        conn.rollback()
        _change(conn)
        migration = seconds(lambda: label_migration.migrate(conn, "pets"))
        again = seconds(lambda: label_migration.migrate(conn, "pets"))
    names = ("without attributes", "20 sets of attributes", "each its own attributes")
    figures = [
        Figure(f"check, {name}", with_ / without, "x", "< 1.1" if name == names[0] else "",
               with_ < 1.1 * without if name == names[0] else None,
               f"{size / with_:,.0f} rows/s, {size / without:,.0f} without the check")
        for name, (without, with_), size in zip(names, loads, (n, n // 5, n // 5), strict=True)
    ]  # fmt: skip
    figures += [
        Figure(f"migration of {n_moved:,} labels", migration, "s"),
        Figure("two bare statements", bare, "s"),
        Figure("migration / bare", migration / bare, "x", "< 2", migration < 2 * bare),
        Figure("migration again, nothing left", again, "s"),
    ]
    show(f"Ontology of {n:,} labels", figures)


def _load(conn: psycopg.Connection, statement: str, n: int, age: str = "") -> tuple[float, float]:
    """Seconds of a load without and with the check, the quicker of two; nothing is kept."""
    times: dict[str, list[float]] = {"disable": [], "enable": []}
    for state in ("disable", "enable", "enable", "disable"):
        conn.execute(f"alter table core.label {state} trigger fits_ontology".encode())
        load = statement.format(last=n - 1, age=age).encode()
        times[state].append(seconds(lambda load=load: conn.execute(load)))
        conn.rollback()
    return min(times["disable"]), min(times["enable"])


def _change(conn: psycopg.Connection) -> None:
    hound = {"class": "hound", "attributes": [
        BREED | {"attribute": "race"}, {"attribute": "age", "type": "number", "min": 0},
    ]}  # fmt: skip
    rules = [
        {"from": "dog", "to": "hound", "attributes": {"breed": "race"}},
        {"from": "vehicle", "where": {"type": "car"}, "to": "car"},
        {"from": "vehicle", "where": {"type": "truck"}, "to": "truck"},
    ]
    classes = [hound, {"class": "car"}, {"class": "truck"}, *PETS[2:]]
    ontology_changes.change(conn, "pets", parse({"classes": classes, "mapping": rules}), "hounds")
    conn.commit()
