"""Stratified splits: rare classes in each, groups whole, nothing moves when data grow."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg

from smartdb import datasets

Connection = psycopg.Connection[Any]

# class 1 to 4 with 600, 60, 6 and 3 pictures; those of class 1 in groups of three
WORLD = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.media (sha256, kind, mime, n_bytes, width, height, group_key, run_id)
select sha256(('s ' || i)::bytea), 'image', 'image/png', 1, 9, 9,
    case when i <= 600 then 'g' || i / 3 end, 1
from generate_series(1, 800) as i;
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'four');
insert into core.class (ontology_id, name, version_from)
values (1, 'many', 1), (1, 'some', 1), (1, 'few', 1), (1, 'rare', 1);
insert into core.actor (name, kind) values ('folders', 'import');
"""
LABEL = """
insert into core.label (media_id, class_id, origin, actor_id)
select i, %s, 'import', 1 from generate_series(%s::bigint, %s::bigint) as i
"""


def create(conn: Connection, **options: Any) -> datasets.DatasetVersion:
    return datasets.create_version(conn, "things", ontology="things", **options)


def splits(conn: Connection, version: int) -> dict[int, str]:
    query = "select media_id, split from smartdb.dataset_item_at('things', %s)"
    return dict(conn.execute(query, [version]).fetchall())


def shares(conn: Connection, version: int) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for split, name, n, _ in datasets.class_balance(conn, "things", version):
        found.setdefault(str(name), Counter())[split] = n
    return found


def test_classes_get_their_shares_groups_stay_whole_and_nothing_moves(
    conn: Connection, owner: Connection
) -> None:
    owner.execute(WORLD.encode())
    for label in ((1, 1, 500), (2, 601, 640), (3, 661, 666), (4, 671, 673)):
        owner.execute(LABEL.encode(), label)
    owner.commit()
    create(conn, stratify="class", val=0.1, test=0.2)
    first, found = splits(conn, 1), shares(conn, 1)
    assert found["rare"] == Counter(train=1, val=1, test=1), "one each, of three groups"
    assert min(found["few"][split] for split in ("train", "val", "test")) >= 1
    assert (found["some"]["val"], found["some"]["test"]) == (4, 8)
    assert abs(found["many"]["test"] - 100) <= 3
    assert abs(found["many"]["val"] - 50) <= 3
    one_split = "select count(*) from smartdb.split_leak('things', 1)"
    assert conn.execute(one_split).fetchone() == (0,)

    for label in ((1, 501, 600), (2, 641, 660)):
        owner.execute(LABEL.encode(), label)
    owner.commit()
    second = create(conn)
    assert (second.counts["added"], second.counts["moved"]) == (120, 0)
    assert splits(conn, 2).items() >= first.items()
    assert second.parameters["stratify"] == "class"
    found = shares(conn, 2)
    assert (found["some"]["val"], found["some"]["test"]) == (6, 12)
    assert abs(found["many"]["test"] - 120) <= 3

    create(conn, query="m.media_id > 300")
    back = create(conn, query="true")
    assert splits(conn, back.version) == splits(conn, 2), "what returns goes where it was"

    apart = {split: media_id for media_id, split in first.items() if 601 <= media_id <= 640}
    owner.execute(
        "update core.media set group_key = 'joined' where media_id = any (%s)",
        [[apart["train"], apart["test"]]],
    )
    owner.commit()
    joined = create(conn, query="m.media_id is not null")
    assert joined.counts["moved"] == 1
    assert splits(conn, joined.version)[apart["train"]] == "test", "test stays as it was"
    assert create(conn, seed=7).counts["moved"] > 50
    assert create(conn, seed=0, stratify="none").parameters == {"val": 0.1, "test": 0.2}


def test_a_stratified_split_is_the_same_again(conn: Connection, owner: Connection) -> None:
    owner.execute(WORLD.encode())
    owner.execute(LABEL.encode(), (1, 1, 300))
    owner.commit()
    create(conn, stratify="class", val=0.0, test=0.5)
    datasets.create_version(conn, "twin", ontology="things", stratify="class", val=0.0, test=0.5)
    query = "select media_id, split from smartdb.dataset_item_at('twin', 1)"
    assert dict(conn.execute(query).fetchall()) == splits(conn, 1)
    assert "val" not in splits(conn, 1).values()
