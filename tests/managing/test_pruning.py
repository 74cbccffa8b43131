"""Plans of what to keep: stored with reasons, measured, applied as predicates, hidden and erased.

The world: 60 pictures by three centres, 8 numbers each. 51 to 60 are 1 to 10 again (distance 0);
1 and 51 are a near-duplicate group, of which 51 has more pixels. Media 1 to 50 were trained on by
runs 2 and 3. Media 30 is too dark, 31 too dark and too blurry; 61 has neither vector nor pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import bulk, clusters, datasets, plots, predicates, pruning, pruning_curve
from smartdb.database import connect
from smartdb.errors import Conflict, InvalidInput, NotFound, NothingToDo
from smartdb.pruning_methods import Options

Connection = psycopg.Connection[Any]

ONLY = "m.media_id <= 60"
WORLD = """
insert into core.run (kind, status, code_version, finished_at)
values ('duplicates', 'succeeded', '0', now()), ('train', 'succeeded', '0', now()),
    ('train', 'succeeded', '0', now());
insert into core.source (name, uri) values ('world', 'file:///world');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(('p' || i)::bytea), 'image', 'image/png', 100, 32, 24 + i / 51, 1
from generate_series(1, 61) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, 'file:///world/' || i || '.png', 100, '2026-01-01' from generate_series(1, 61) as i;
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select i, 0.5, 0.2, 90, 5, 30 from generate_series(1, 60) as i;
update core.quality set brightness = 0.05 where media_id in (30, 31);
update core.quality set sharpness = 1 where media_id = 31;
insert into core.duplicate (media_id, group_id, run_id) values (1, 1, 1), (51, 1, 1);
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'two');
insert into core.class (ontology_id, name, version_from) values (1, 'apple', 1), (1, 'pear', 1);
insert into core.actor (name, kind) values ('folders', 'import');
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1 + i % 2, 'import', 1 from generate_series(1, 60) as i;
insert into core.evaluation (run_id, revision, class_ids)
select r, core.checkpoint(), '{1,2}' from generate_series(2, 3) as r;
insert into core.training_dynamics (run_id, media_id, loss, el2n, n_forgotten, n_correct, n_epochs)
select r, i, 0.1, i / 100.0 + (r - 2) * 0.2, case when i < 48 then i % 4 else 0 end,
    6 * (i <> 50)::int, 9
from generate_series(2, 3) as r cross join generate_series(1, 50) as i;
select core.add_encoder('toy', 8);
"""


@pytest.fixture(scope="module")
def world(server_home: Any, template: str) -> str:
    """The name of a database with the world, which is only ever copied."""
    from psycopg import sql

    from smartdb import server

    name = sql.Identifier("smartdb_prunable")
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(name, sql.Identifier(template)))
    with connect(server.url(server_home, "smartdb_prunable"), role="smartdb_owner") as conn:
        conn.execute(WORLD)
        staged = bulk.staging(conn, "copied_vector", like="core.embedding_1")
        bulk.copy_arrays(conn, staged, {"media_id": np.arange(1, 61), "v": vectors()})
        conn.execute("insert into core.embedding_1 select * from copied_vector")
    return "smartdb_prunable"


@pytest.fixture
def database(world: str, databases: Any) -> str:
    url: str = databases.copy(world)
    return url


def vectors() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(0)
    some = 2 * rng.standard_normal((3, 8))[np.arange(50) % 3] + rng.standard_normal((50, 8))
    return clusters.unit(np.concatenate([some, some[:10]]).astype(np.float32))


def items(conn: Connection, pruning_id: int) -> dict[int, tuple[int, float, str, int | None]]:
    rows = conn.execute(
        "select media_id, rank, score, reason, kept_by from smartdb.pruning_item"
        " where pruning_id = %s",
        [pruning_id],
    )
    return {row[0]: row[1:] for row in rows}


def test_semdedup_keeps_one_of_each_and_says_which_represents_the_other(conn: Connection) -> None:
    made = pruning.plan(conn, "semdedup", Options(eps=0.0001), predicate=ONLY)
    assert (made.n_candidates, made.n_kept, made.encoder) == (60, 50, "toy")
    found = items(conn, made.pruning_id)
    assert sorted(rank for rank, *_ in found.values()) == list(range(1, 61))
    dropped = {media: by for media, (rank, _, _, by) in found.items() if rank > 50}
    assert {frozenset(pair) for pair in dropped.items()} == {
        frozenset({i, 50 + i}) for i in range(1, 11)
    }
    assert all(found[media][2].endswith("at most 0.0001") for media in dropped)
    assert sum(by is not None for *_, by in found.values()) == 10
    assert [x.media_id for x in pruning.excluded(conn, made.pruning_id)] == sorted(
        dropped, key=lambda media: found[media][0]
    )


def test_the_same_plan_is_made_once_and_another_seed_is_another(conn: Connection) -> None:
    first = pruning.plan(conn, "semdedup", predicate=ONLY)
    again = pruning.plan(conn, "semdedup", predicate=ONLY)
    other = pruning.plan(conn, "semdedup", predicate=ONLY, seed=1)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.pruning_id == first.pruning_id != other.pruning_id
    runs = conn.execute("select count(*) from core.run where kind = 'prune'").fetchone()
    assert runs == (2,)
    assert [one.pruning_id for one in pruning.plans(conn)] == [other.pruning_id, first.pruning_id]


def test_random_keeps_what_sample_random_chooses(conn: Connection) -> None:
    made = pruning.plan(conn, "random", predicate=ONLY, seed=7)
    kept = conn.execute(
        "select media_id from smartdb.pruning_kept(%s, keep => 0.2) order by rank",
        [made.pruning_id],
    ).fetchall()
    drawn = conn.execute("select media_id from smartdb.sample_random(12, 7, %s)", [ONLY]).fetchall()
    assert kept == drawn


def test_duplicates_keep_the_representative_among_the_candidates(conn: Connection) -> None:
    made = pruning.plan(conn, "duplicates", predicate=ONLY)
    assert made.n_kept == 59
    assert items(conn, made.pruning_id)[1][1:] == (
        0,
        "another represents its group of 2 near-duplicates",
        51,
    )
    without = pruning.plan(conn, "duplicates", predicate="m.media_id <= 50")
    assert without.n_kept == 50


def test_quality_goes_by_the_thresholds_as_they_are(conn: Connection) -> None:
    made = pruning.plan(conn, "quality", predicate=ONLY)
    found = items(conn, made.pruning_id)
    assert made.n_kept == 58
    assert found[31][1] == -2
    assert found[31][2] == "blurry: sharpness 1.000 below 30; dark: brightness 0.050 below 0.08"
    assert pruning.plan(conn, "quality", Options(kinds=("blurry",)), predicate=ONLY).n_kept == 59
    conn.execute("update core.quality_threshold set below = 0.01 where kind = 'dark'")
    conn.commit()
    assert pruning.plan(conn, "quality", predicate=ONLY).n_kept == 59


def test_el2n_is_the_mean_of_the_runs_that_are_named(conn: Connection) -> None:
    made = pruning.plan(conn, "el2n", Options(runs=(2, 3)))
    assert made.n_candidates == 50
    assert "run_id in (2, 3)" in made.predicate
    rank, score, reason, _ = items(conn, made.pruning_id)[50]
    assert (rank, score) == (1, pytest.approx(0.6))
    assert reason == "EL2N 0.600, mean of 2 runs"
    easy = pruning.plan(conn, "el2n", Options(runs=(2,), side="easy"))
    assert items(conn, easy.pruning_id)[1][0] == 1


def test_what_was_never_learnt_is_forgotten_most_and_ties_are_shuffled(conn: Connection) -> None:
    made = pruning.plan(conn, "forgetting", Options(runs=(2,)))
    found = items(conn, made.pruning_id)
    assert found[50][0] == 1
    assert found[50][2] == "never learnt in 9 epochs"
    assert found[3][2] == "forgotten 3 times in 9 epochs"
    same = [media for media in sorted(found, key=lambda m: found[m][0]) if found[media][1] == 3]
    assert len(same) > 9
    assert same != sorted(same)


def test_prototypes_keep_the_easy_of_few(conn: Connection) -> None:
    made = pruning.plan(conn, "prototypes", predicate=ONLY)
    assert made.parameters == {"side": "easy", "n_clusters": 5}
    assert made.n_kept is None
    hard = pruning.plan(conn, "prototypes", Options(side="hard"), predicate=ONLY)
    score = {m: s for m, (_, s, _, _) in items(conn, hard.pruning_id).items()}
    assert all(s == -score[m] for m, (_, s, _, _) in items(conn, made.pruning_id).items())


def test_the_curve_says_what_each_fraction_covers(conn: Connection) -> None:
    made = pruning.plan(conn, "semdedup", Options(eps=0.0001), predicate=ONLY)
    points = pruning_curve.curve(conn, made.pruning_id)
    assert [point.n_kept for point in points] == [60, 50, 30, 12, 6, 3, 2, 1]
    whole, own, *_, least = points
    assert (whole.mean_distance, whole.clusters_hit, whole.smallest_class) == (0, 1, 30)
    assert (whole.duplicates_dropped, own.duplicates_dropped) == (0, 1)
    assert own.p95_distance == 0
    distances = [point.mean_distance or 0 for point in points]
    assert distances == sorted(distances)
    assert (least.n_classes, least.smallest_class, least.n_probes) == (1, 0, 60)
    more = pruning_curve.curve(conn, made.pruning_id, [0.3])
    assert [point.keep for point in more][3] == 0.3
    assert len(more) == len(points) + 1
    assert plots.pruning(conn, [made.pruning_id]).startswith(b"\x89PNG")


def test_a_curve_without_vectors_still_counts_classes(conn: Connection, owner: Connection) -> None:
    made = pruning.plan(conn, "random", predicate=ONLY)
    owner.execute("update core.pruning set encoder_id = null")
    owner.commit()
    point = pruning_curve.curve(conn, made.pruning_id, [0.5])[0]
    assert (point.mean_distance, point.n_probes, point.n_classes) == (None, None, 2)


def test_what_is_kept_is_a_predicate_everywhere(
    conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    made = pruning.plan(conn, "random", predicate=ONLY)
    where = pruning.kept_predicate(conn, made.pruning_id, 0.1)
    assert len(predicates.members(conn, where)) == 6
    assert pruning.apply(conn, made.pruning_id, "tenth", 0.1) == where
    assert pruning.apply(conn, made.pruning_id, "tenth", 0.1) == where
    with pytest.raises(Conflict, match="tenth"):
        pruning.apply(conn, made.pruning_id, "tenth", 0.2)
    conn.rollback()
    reader = as_role("smartdb_reader")
    assert reader.execute("select count(*) from smartdb.slice_item('tenth')").fetchone() == (6,)
    version = datasets.create_version(conn, "small", ontology="things", query=where)
    assert version.n_items == 6
    left = reader.execute(
        "select count(*), count(reason) from smartdb.pruning_excluded(%s, 0.1)", [made.pruning_id]
    ).fetchone()
    assert left == (54, 54)


def test_hidden_media_are_in_no_plan_for_a_reader(
    conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    made = pruning.plan(conn, "semdedup", Options(eps=0.0001), predicate=ONLY)
    by = items(conn, made.pruning_id)
    hidden = next(media for media, (*_, kept_by) in by.items() if kept_by)
    keeper = by[hidden][3]
    conn.execute("insert into core.restriction (media_id, reason) values (%s, 'consent')", [keeper])
    conn.commit()
    reader = as_role("smartdb_reader")
    seen = items(reader, made.pruning_id)
    assert keeper not in seen
    assert seen[hidden][3] is None
    count = "select count(*) from smartdb.{} where media_id = %s"
    for view in (f"pruning_kept({made.pruning_id})", "training_dynamics"):
        assert reader.execute(count.format(view).encode(), [keeper]).fetchone() == (0,)


@pytest.mark.parametrize(
    ("method", "options", "predicate", "error", "says"),
    [
        ("random", Options(), "false", NothingToDo, "nothing to prune: no media fulfil false"),
        ("random", Options(), "m.brighness < 1", InvalidInput, "brighness"),
        ("semdedup", Options(eps=1.5), ONLY, InvalidInput, "from 0 to 1, not 1.5"),
        ("semdedup", Options(eps=float("nan")), ONLY, InvalidInput, "from 0 to 1, not nan"),
        ("semdedup", Options(runs=(2,)), ONLY, InvalidInput, "does not use runs, only eps, side"),
        ("semdedup", Options(), None, NotFound, "1 of 61 .* no vector .*smartdb embed"),
        ("quality", Options(), None, NotFound, "1 of 61 .* statistics .*smartdb ingest"),
        ("quality", Options(kinds=("ugly",)), ONLY, NotFound, "no threshold 'ugly'; there are: b"),
        ("el2n", Options(), ONLY, InvalidInput, "name the training run .*--run"),
        ("el2n", Options(runs=(1,)), ONLY, NotFound, "60 of 60 .* dynamics .*smartdb train"),
        ("forgetting", Options(runs=(9,)), None, NotFound, "run 9 has no .*smartdb train"),
        ("prototypes", Options(n_clusters=0), ONLY, InvalidInput, "one cluster or more, not 0"),
        ("magic", Options(), ONLY, InvalidInput, "no method 'magic'; there are: semdedup"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused(
    refusing: Connection, method: Any, options: Options, predicate: str | None,
    error: type[Exception], says: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=says):
        pruning.plan(refusing, method, options, predicate=predicate)
    refusing.rollback()


@pytest.fixture
def refusing(world: str, server_home: Any) -> Iterator[Connection]:
    """A connection to the world itself, for calls that write nothing."""
    from smartdb import server

    with connect(server.url(server_home, world), role="smartdb_writer") as conn:
        yield conn


def test_other_refusals_name_the_next_step(refusing: Connection) -> None:
    with pytest.raises(NotFound, match="no encoder 'clip'; there are: toy"):
        pruning.plan(refusing, "semdedup", encoder="clip")
    with pytest.raises(NotFound, match="no pruning 5"):
        pruning_curve.curve(refusing, 5)
    for keep in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInput, match="from 0 to 1"):
            pruning.n_kept(keep, 10)
    refusing.rollback()


def test_sql_refuses_what_python_does(conn: Connection) -> None:
    made = pruning.plan(conn, "random", predicate=ONLY)
    for arguments, state in (("99", "SD001"), (f"{made.pruning_id}", "SD002")):
        with pytest.raises(psycopg.DatabaseError) as caught, conn.transaction():
            conn.execute(f"select * from smartdb.pruning_kept({arguments})".encode())
        assert caught.value.sqlstate == state
    with pytest.raises(InvalidInput, match="fraction from 0 to 1, not"):
        pruning.size(conn, made.pruning_id, 1.5)
    conn.rollback()
    assert [pruning.size(conn, made.pruning_id, keep) for keep in (0, 0.1, 0.101, 1)] == [
        0,
        6,
        7,
        60,
    ]


def test_the_commands_from_plan_to_slice(database: str, cli: Callable[..., Any]) -> None:
    done = cli("prune", "plan", "semdedup", "--predicate", ONLY, "--eps", "0.0001")
    assert done.exit_code == 0, done.output
    header, row, _, whole, own, *_ = done.stdout.splitlines()
    assert header.split()[:6] == ["pruning", "method", "encoder", "seed", "candidates", "keeps"]
    assert row.split()[:6] == ["1", "semdedup", "toy", "0", "60", "50"]
    assert (whole.split()[:2], own.split()[:2]) == (["1", "60"], ["0.8333", "50"])
    assert cli("prune", "list").stdout.splitlines()[1] == row
    assert len(cli("prune", "excluded", "1", "--limit", "3").stdout.splitlines()) == 4
    applied = cli("prune", "apply", "1", "--keep", "0.5", "--slice", "half")
    assert applied.stdout.splitlines()[1].split()[:3] == ["half", "30", "30"]
    bad = cli("prune", "apply", "1", "--keep", "2", "--slice", "two")
    assert (bad.exit_code, "from 0 to 1" in bad.stderr) == (2, True)


def test_the_share_of_semantic_duplicates_of_the_newest_version_is_read_from_the_graph(
    conn: Connection,
) -> None:
    from smartdb import checks, neighbours

    datasets.create_version(conn, "all", ontology="things", query=ONLY)
    assert checks.semantic_duplicates(conn, "all", "toy", 0.001) == (0, 60)
    neighbours.build(conn, "toy", 3)
    assert checks.semantic_duplicates(conn, "all", "toy", 0.001) == (10, 60)
    datasets.create_version(conn, "all", query="m.media_id <= 50")
    assert checks.semantic_duplicates(conn, "all", "toy", 0.001) == (0, 50)
    assert checks.semantic_duplicates(conn, "none", "toy", 0.001) == (0, 0)
