"""Dataset versions: where they come from, tags and pins, restoring, forking, pruning, verifying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from smartdb import datasets, version_marks
from smartdb.errors import Conflict, InvalidInput, NotFound, SealedError, translated

Connection = psycopg.Connection[Any]

# 60 pictures, 1 to 50 labelled (class 1 or 2), 41 to 50 by a box alone; 1 and 2 are of a group
WORLD = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.media (sha256, kind, mime, n_bytes, width, height, group_key, run_id)
select sha256(('v ' || i)::bytea), 'image', 'image/png', 1, 9, 9, case when i <= 2 then 'g' end, 1
from generate_series(1, 60) as i;
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'two');
insert into core.class (ontology_id, name, version_from) values (1, 'cat', 1), (1, 'dog', 1);
insert into core.actor (name, kind) values ('folders', 'import'), ('ana', 'person');
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1 + i % 2, 'import', 1 from generate_series(1, 40) as i;
insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)
select i, 1, 'box', 1, 1, 4, 4, 'import', 1 from generate_series(41, 50) as i;
insert into core.batch (strategy, parameters, seed, run_id)
values ('random', '{"encoder": "toy"}', 0, 1);
insert into core.batch_item (batch_id, media_id, rank, score, reason)
select 1, i, i, 0, 'drawn' from unnest('{3,4,5,41,51,52}'::integer[]) as i;
insert into core.slice (name, predicate) values ('low', 'm.media_id < 10');
select core.add_encoder('toy', 2);
"""


@pytest.fixture
def world(owner: Connection) -> Connection:
    """The database with the world, as its owner."""
    owner.execute(WORLD.encode())
    owner.commit()
    return owner


def create(conn: Connection, **options: Any) -> datasets.DatasetVersion:
    return datasets.create_version(conn, "pets", ontology="things", **options)


def members(conn: Connection, version: int, dataset: str = "pets") -> set[int]:
    query = "select media_id from smartdb.dataset_item_at(%s, %s)"
    return {row[0] for row in conn.execute(query, [dataset, version])}


def splits(conn: Connection, version: int, dataset: str = "pets") -> dict[int, str]:
    query = "select media_id, split from smartdb.dataset_item_at(%s, %s)"
    return dict(conn.execute(query, [dataset, version]).fetchall())


def relabel(conn: Connection, media_id: int, class_id: int) -> None:
    conn.execute(
        "with old as (update core.label set rev_to = 0 where media_id = %s and rev_to is null"
        " returning object_id, media_id, kind, x, y, w, h) insert into core.label"
        " (object_id, media_id, class_id, kind, x, y, w, h, origin, actor_id)"
        " select object_id, media_id, %s, kind, x, y, w, h, 'human', 2 from old",
        [media_id, class_id],
    )
    conn.commit()


def move_box(conn: Connection, media_id: int) -> None:
    conn.execute(
        "with old as (update core.label set rev_to = 0 where media_id = %s and rev_to is null"
        " returning object_id, media_id, class_id) insert into core.label"
        " (object_id, media_id, class_id, kind, x, y, w, h, origin, actor_id)"
        " select object_id, media_id, class_id, 'box', 2, 2, 4, 4, 'import', 1 from old",
        [media_id],
    )
    conn.commit()


def test_a_version_is_made_from_a_batch_a_slice_a_version_and_changes(
    world: Connection, conn: Connection
) -> None:
    first = create(conn)
    assert first.n_items == 50, "what has only boxes is labelled too"
    assert (first.ontology_version, first.encoder, first.batch_id) == (1, None, None)
    assert not create(conn).is_new
    n_runs = "select count(*) from core.run where kind = 'dataset_version'"
    assert conn.execute(n_runs).fetchone() == (1,), "where nothing changes there is no run"
    second = create(conn, batch=1)
    assert members(conn, 2) == {3, 4, 5, 41}
    assert second.counts["unlabelled"] == 2
    assert (second.batch_id, second.encoder) == (1, "toy"), "it remembers what chose"
    assert not create(conn).is_new, "the batch holds until something else is named"
    create(conn, slice="low")
    assert members(conn, 3) == set(range(1, 10))
    fourth = create(
        conn, parent="2", add=[7, "m.media_id between 20 and 22 -- a few"], remove=["4"]
    )
    assert members(conn, 4) == {3, 5, 41, 7, 20, 21, 22}
    assert (fourth.parent_dataset, fourth.parent_version) == ("pets", 2)
    version_marks.set_tag(conn, "pets", "good", 2)
    create(conn, parent="pets@good")
    assert members(conn, 5) == {3, 4, 5, 41}
    create(conn, remove=["m.media_id = 41 or null"])
    assert members(conn, 6) == {3, 4, 5}, "changes alone change the newest"
    whole = splits(conn, 1)
    assert all(splits(conn, v).items() <= whole.items() for v in range(2, 7)), "nothing moves"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"add": [55]}, InvalidInput, r"1 media cannot be added \(55\): .* no label"),
        ({"add": [5555, 1]}, InvalidInput, "cannot be added .5555."),
        ({"add": [3], "remove": ["3"]}, InvalidInput, "media 3 is to be added and removed"),
        ({"batch": 1, "slice": "low"}, InvalidInput, "name one of"),
        ({"batch": 9}, NotFound, "no batch 9"),
        ({"slice": "none"}, NotFound, "no slice none"),
        ({"parent": "7"}, NotFound, "'pets' has no sealed version 7"),
        ({"parent": "dogs@1"}, NotFound, "'dogs' has no sealed version 1"),
        ({"parent": "best"}, NotFound, "'pets' has no sealed version best"),
        ({"encoder": "none"}, NotFound, "no encoder 'none'"),
        ({"stratify": "size"}, InvalidInput, "stratified by class or none"),
        ({"add": ["m.nothing > 1"]}, InvalidInput, "does not work: column m.nothing"),
        ({"add": ["nextval('core.revision') > m.media_id"]}, InvalidInput, "read-only"),
    ],
)
def test_what_makes_no_sense_is_refused(
    world: Connection, conn: Connection, options: dict[str, Any], error: Any, message: str
) -> None:
    create(conn, query="m.media_id <= 20")
    with pytest.raises(error, match=message):
        create(conn, **options)
    assert len(datasets.list_versions(conn)) == 1


def test_an_earlier_version_is_restored_with_its_labels_and_history_stays(
    world: Connection, conn: Connection
) -> None:
    first = create(conn, seed=3)
    relabel(conn, 7, 1)
    move_box(conn, 41)
    conn.execute("update core.label set rev_to = 0 where media_id = 9 and rev_to is null")
    conn.execute(
        "insert into core.label (media_id, class_id, origin, actor_id) values (8, 2, 'human', 2)"
    )
    conn.commit()
    create(conn, query="m.media_id > 5", seed=4)
    plain = datasets.restore(conn, "pets", 1)
    assert plain.counts["added"] == 6, "media 9 has no label now, but was a member"
    assert splits(conn, plain.version) == splits(conn, 1)
    assert (plain.seed, plain.query, plain.parent_version) == (3, "true", 1)
    assert plain.digest != first.digest
    rows = conn.execute("select count(*) from core.label").fetchone()
    whole = datasets.restore(conn, "pets", 1, labels=True, actor="ana")
    assert whole.is_new
    assert whole.digest == first.digest
    assert (whole.counts["labels_closed"], whole.counts["labels_reopened"]) == (3, 3)
    assert conn.execute("select count(*) from core.label").fetchone() == (rows[0] + 3,)
    said = "select class, actor, object_id from smartdb.label where media_id = 7"
    assert conn.execute(said).fetchone() == ("dog", "folders", 7)
    told = "select parameters ->> 'actor' from core.run where kind = 'restore_labels'"
    assert conn.execute(told).fetchone() == ("ana",)
    assert datasets.verify(conn, "pets", 2).is_ok, "the version in between is what it was"
    again = datasets.restore(conn, "pets", 1, labels=True)
    assert not again.is_new


def test_a_fork_has_the_splits_labels_and_digest_of_its_origin(
    world: Connection, conn: Connection
) -> None:
    first = create(conn, seed=3, val=0.2, test=0.3)
    relabel(conn, 7, 1)
    create(conn)
    forked = datasets.fork(conn, "pets", 1, "cats")
    assert (forked.digest, forked.version) == (first.digest, 1)
    assert (forked.parent_dataset, forked.parent_version) == ("pets", 1)
    assert splits(conn, 1, "cats") == splits(conn, 1)
    later = datasets.create_version(conn, "cats")
    assert splits(conn, 2, "cats") == splits(conn, 2)
    assert later.digest == datasets.find_version(conn, "pets", 2).digest
    with pytest.raises(Conflict, match="'cats' already"):
        datasets.fork(conn, "pets", 1, "cats")
    with pytest.raises(NotFound):
        datasets.fork(conn, "pets", 5, "dogs")


def test_what_is_hidden_by_now_does_not_come_back(world: Connection, conn: Connection) -> None:
    create(conn)
    create(conn, query="m.media_id <= 40")
    world.execute("insert into core.restriction (media_id, reason) values (41, 'withdrawn')")
    world.commit()
    restored = datasets.restore(conn, "pets", 1)
    assert restored.counts["hidden"] == 1
    assert 41 not in members(conn, restored.version)
    assert datasets.verify(conn, "pets", 1).is_ok
    world.execute("select core.erase_rows(core.begin_erasure('asked', 'me', '0', '{40}'))")
    world.commit()
    verdict = datasets.verify(conn, "pets", 1)
    assert verdict.is_ok is None
    assert "1 of its 50 members were erased" in verdict.reason


def test_diffs_tell_media_labels_and_classes(world: Connection, conn: Connection) -> None:
    create(conn)
    relabel(conn, 7, 1)
    move_box(conn, 41)
    conn.execute(
        "insert into core.ontology_version (ontology_id, version, message) values (1, 2, 'new');"
        "update core.class set version_to = 2 where name = 'dog';"
        "insert into core.class (ontology_id, name, version_from, replaces_class_id)"
        " values (1, 'hound', 2, 2), (1, 'bird', 2, null)"
    )
    conn.execute("update core.label set rev_to = 0 where media_id = 5")
    conn.execute(
        "insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)"
        " values (6, 4, 'box', 0, 0, 1, 1, 'human', 2), (51, 4, 'box', 0, 0, 1, 1, 'human', 2)"
    )
    conn.commit()
    made = create(conn)
    assert made.ontology_version == 2
    media = {row[:2] for row in datasets.diff(conn, "pets", 1, 2)}
    assert media == {(7, "relabelled"), (5, "removed"), (51, "added")}
    labels = {(m, change, a, b) for m, _, change, _, a, b, _, _ in _labels(conn)}
    assert labels == {
        (7, "relabelled", "dog", "cat"),
        (41, "geometry", "cat", "cat"),
        (6, "added", None, "bird"),
    }
    assert datasets.class_diff(conn, "pets", 1, 2) == [
        ("added", None, "bird", 2),
        ("renamed", "dog", "hound", 2),
    ]
    assert datasets.verify(conn, "pets", 1).is_ok
    with pytest.raises(SealedError, match="a class keeps its name"), translated():
        world.execute("update core.class set name = 'hound' where name = 'dog'")
    world.rollback()


def _labels(conn: Connection) -> list[Any]:
    return datasets.label_diff(conn, "pets", 1, 2)


def test_tags_move_and_keep_their_history_and_notes_stay(
    world: Connection, conn: Connection
) -> None:
    create(conn)
    create(conn, query="m.media_id < 20")
    assert version_marks.set_tag(conn, "pets", "production", 1, actor="ana") is None
    assert version_marks.set_tag(conn, "pets", "production", 1) is None
    assert version_marks.set_tag(conn, "pets", "production", 2) == 1
    assert datasets.find_version(conn, "pets", "production").version == 2
    assert datasets.list_versions(conn, "pets")[1].tags == ["production"]
    history = [(t.version, t.is_live) for t in version_marks.tags(conn, "pets")]
    assert history == [(1, False), (2, True)]
    assert version_marks.remove_tag(conn, "pets", "production") == 2
    with pytest.raises(NotFound, match="no tag 'production'"):
        version_marks.remove_tag(conn, "pets", "production")
    with pytest.raises(InvalidInput):
        version_marks.set_tag(conn, "pets", "12", 1)
    conn.rollback()
    version_marks.add_note(conn, "pets", "blurred", 1, actor="ana")
    version_marks.add_note(conn, "pets", "of all")
    conn.commit()
    assert [(n.version, n.note) for n in version_marks.notes(conn, "pets")] == [
        (1, "blurred"),
        (None, "of all"),
    ]
    for change in ("update core.dataset_note set note = 'x'", "delete from core.dataset_note"):
        with pytest.raises(psycopg.errors.Error) as caught:
            world.execute(change.encode())
        assert caught.value.sqlstate == "SD003"
        world.rollback()


def test_pruning_gives_up_what_nobody_needs_and_no_other_version_changes(
    world: Connection, conn: Connection
) -> None:
    for limit in (50, 40, 30, 20, 45, 35, 25):
        create(conn, query=f"m.media_id <= {limit}")
    version_marks.set_tag(conn, "pets", "production", 1)
    version_marks.pin(conn, "pets", 2, "in the paper")
    world.execute(
        "insert into core.model (name, run_id, dataset_id, version, class_ids, uri, sha256)"
        " values ('m', 1, 1, 4, '{1,2}', 'file:///m', sha256('m'))"
    )
    world.commit()
    before = {v: splits(conn, v) for v in (1, 2, 4, 6, 7)}
    planned = version_marks.prune(conn, "pets", 2, dry_run=True)
    assert planned.versions == [3, 5]
    assert list(planned.needed) == [1, 2, 4]
    done = version_marks.prune(conn, "pets", 2)
    assert done.versions == [3, 5]
    assert done.n_rows > 0
    assert {v: splits(conn, v) for v in before} == before
    assert all(datasets.verify(conn, "pets", v).is_ok for v in before)
    pruned = datasets.verify(conn, "pets", 3)
    assert (pruned.is_ok, pruned.found, pruned.expected[:2]) == (None, None, "60")
    with pytest.raises(NotFound, match="was pruned"):
        datasets.find_version(conn, "pets", 3)
    for call in ("dataset_item_at('pets', 3)", "dataset_diff('pets', 3, 4)"):
        with pytest.raises(NotFound, match="was pruned"), translated():
            conn.execute(f"select * from smartdb.{call}".encode())
        conn.rollback()
    with pytest.raises(SealedError, match="was pruned"), translated():
        world.execute("insert into core.dataset_tag (dataset_id, tag, version) values (1, 'x', 3)")
    world.rollback()
    assert version_marks.prune(conn, "pets", 2).versions == []
    version_marks.unpin(conn, "pets", 2)
    assert version_marks.prune(conn, "pets", 1).versions == [2, 6]
    assert create(conn, query="true").n_items == 50, "and it goes on"


def test_verifying_tells_what_was_erased_and_what_was_forged(
    world: Connection, conn: Connection, database: str, as_role: Callable[[str], Connection]
) -> None:
    create(conn)
    world.execute("insert into core.restriction (media_id, reason) values (9, 'face')")
    world.commit()
    reader = as_role("smartdb_reader")
    query = "select is_ok from smartdb.dataset_verify('pets', 1)"
    assert reader.execute(query).fetchone() == (True,), "hidden media count whoever asks"
    reader.commit()
    with psycopg.connect(database, autocommit=True) as superuser:
        superuser.execute("set session_replication_role = replica")
        superuser.execute(
            "update core.dataset_item set split = case split when 'val' then 'test' else 'val' end"
        )
        assert datasets.verify(conn, "pets", 1).is_ok is False
        superuser.execute("delete from core.dataset_item")
    assert "went around the triggers" in datasets.verify(conn, "pets", 1).reason
    with pytest.raises(NotFound):
        datasets.verify(conn, "pets", 2)


CHANGES = (
    "update core.dataset_version set message = 'x'",
    "update core.dataset_version set pruned_at = now()",
    "update core.dataset_version set (n_items, digest, sealed_at) = (null, null, null)",
    "delete from core.dataset_version",
    "truncate core.dataset_version cascade",
    "update core.dataset_item set split = 'test'",
    "update core.dataset_item set version_to = 2",
    "delete from core.dataset_item",
    "truncate core.dataset_item",
    "insert into core.dataset_item (dataset_id, media_id, split, version_from)"
    " values (1, 51, 'val', 1)",
    "select core.prune_versions(1, '{1}')",
    "select core.prune_versions(1, '{2}')",
    "delete from core.dataset_tag",
)
ROLES = ("reader", "annotator", "reviewer", "writer", "privacy", "owner")


def test_no_role_can_change_what_is_sealed(
    world: Connection, conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    create(conn)
    create(conn, query="m.media_id < 30")
    version_marks.set_tag(conn, "pets", "production", 1)
    conn.commit()
    state = "select * from smartdb.dataset_item order by 2, 4"
    before = conn.execute(state).fetchall()
    conn.commit()
    for role in ROLES:
        other = as_role(f"smartdb_{role}")
        for change in CHANGES:
            with pytest.raises(psycopg.Error) as caught:
                other.execute(change.encode())
            other.rollback()
            assert caught.value.sqlstate in ("SD003", "42501"), f"{role}: {change}"
            assert role != "owner" or caught.value.sqlstate == "SD003", change
    assert conn.execute(state).fetchall() == before
    assert datasets.verify(conn, "pets", 1).is_ok


def test_the_commands_do_what_they_say(
    world: Connection, conn: Connection, cli: Callable[..., Any]
) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        done = cli("dataset", *arguments)
        assert done.exit_code == code, done.output
        return str(done.output)

    run("create", "pets", "--ontology", "things", "--stratify", "class")
    assert "2 of the batch left out" in run("create", "pets", "--from-batch", "1", "--add", "6,7")
    run("create", "pets", "--from-slice", "low", "--remove", "m.media_id = 3")
    run("tag", "pets", "production", "1")
    assert "production points to version 3, was 1" in run("tag", "pets", "production")
    assert "3        yes" in run("tag", "pets")
    run("note", "pets", "too few cats", "--version", "production", "--by", "ana")
    assert "too few cats  ana" in run("note", "pets")
    assert "production" in run("list", "pets")
    run("restore", "pets", "1", "--labels", "--by", "ana")
    run("fork", "pets", "production", "cats")
    assert "removed" in run("diff", "pets", "1", "2")
    run("diff", "pets", "1", "production", "--labels")
    run("diff", "pets", "1", "production", "--classes")
    assert "ok" in run("verify", "pets", "1")
    run("pin", "pets", "1", "in the paper")
    assert "would go" in run("prune", "pets", "--keep", "1", "--dry-run")
    assert "a row of core.dataset_pin refers to it" in run("prune", "pets", "--keep", "1")
    assert "cannot be told" in run("verify", "pets", "2")
    assert "pruned" in run("list", "pets")
    assert "was pruned" in run("show", "pets", "2", code=1)
    run("unpin", "pets", "1")
    run("tag", "pets", "production", "--remove")
