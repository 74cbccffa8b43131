"""Sampling: every strategy chooses what it says, the same for the same seed, and writes a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from smartdb import batches, bulk, sampling, server
from smartdb.database import connect
from smartdb.errors import InvalidInput, NotFound, NothingToDo
from smartdb.samplers import STRATEGIES
from smartdb.samplers.mixture import _shares

N, DIM = 120, 8
WORLD = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now()), ('predict', 'succeeded', '0', now()),
    ('train', 'succeeded', '0', now());
insert into core.source (name, uri) values ('left', 'file:///left'), ('right', 'file:///right');
insert into core.media (sha256, kind, mime, n_bytes, width, height, group_key, run_id)
select sha256(('sample ' || i)::bytea), case i when 121 then 'video' else 'image' end, 'image/png',
    i, 32, 24, case when i <= 40 then 'scene ' || (i - 1) / 10 end, 1
from generate_series(1, 121) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1 + i % 2, 'file:///' || i || '.png', 100, '2026-01-01' from generate_series(1, 121) as i;
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select i, i / 200.0, 0.2, i, 5, 30 from generate_series(1, 120) as i;
insert into core.duplicate (media_id, group_id, run_id)
select i, 101, 1 from generate_series(101, 106) as i;
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'three');
insert into core.class (ontology_id, name, version_from)
values (1, 'ant', 1), (1, 'bee', 1), (1, 'cat', 1), (1, 'dog', 1);
insert into core.actor (name, kind) values ('folders', 'import');
insert into core.label (media_id, class_id, origin, actor_id)
select i, case when i <= 60 then 1 when i <= 80 then 2 else 3 end, 'import', 1
from generate_series(1, 90) as i;
insert into core.evaluation (run_id, revision, class_ids)
select i, r.revision, '{1,2}'
from (select core.checkpoint() as revision) as r, generate_series(2, 3) as i;
insert into core.training_dynamics (run_id, media_id, loss, el2n, n_forgotten, n_correct, n_epochs)
select 3, i, i / 10.0, 1 - i / 200.0, case i when 30 then 3 else 1 end, 4, 9
from generate_series(1, 90) as i;
select core.add_prediction_partition(2);
insert into core.prediction (
    run_id, media_id, class_id, probability, confidence, margin, entropy,
    true_label_id, true_class_id
)
select 2, i, 1, array[p, 1 - p], p, 2 * p - 1, -p * ln(p) - (1 - p) * ln(1 - p),
    t.label_id, t.class_id
from generate_series(61, 119) as i
cross join lateral (select 0.99 - (i - 60) / 130.0) as x (p)
left join smartdb.media_class_at((select e.revision from core.evaluation as e limit 1)) as t
    on t.media_id = i;
insert into core.slice (name, predicate) values ('dim', 'm.brightness < 0.1');
insert into core.restriction (media_id, reason) values (5, 'consent');
select core.add_encoder('toy', 8);
"""

Sample = Callable[..., list[batches.Item]]


@pytest.fixture(scope="session")
def world(server_home: Path, template: str) -> str:
    """The url of 121 media: 90 of three classes, six blobs of vectors, one video; 5 is hidden.

    Tests only add batches to it, and ask for rows that no other test's batch touches.
    """
    name = "smartdb_sampling"
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    url = server.url(server_home, name)
    with connect(url, role="smartdb_owner") as conn:
        conn.execute(WORLD)
        staged = bulk.staging(conn, "copied_vector", like="core.embedding_1")
        ids = np.arange(1, N + 1, dtype=np.int64)
        bulk.copy_arrays(conn, staged, {"media_id": ids, "v": vectors()})
        conn.execute("insert into core.embedding_1 select * from copied_vector")
    return url


@pytest.fixture
def conn(world: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as smartdb_writer."""
    with connect(world) as found:
        yield found


@pytest.fixture
def sample(conn: psycopg.Connection[Any]) -> Sample:
    """A function that samples and returns the items."""

    def call(strategy: str, n: int, **options: Any) -> list[batches.Item]:
        return batches.items(conn, sampling.sample(conn, strategy, n, **options))

    return call


def vectors() -> np.ndarray:
    """Unit vectors (120, 8): media i lies in blob i % 6, which are of equal size."""
    rng = np.random.default_rng(0)
    x = np.eye(6, DIM)[np.arange(1, N + 1) % 6] + 0.05 * rng.standard_normal((N, DIM))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def ids(items: list[batches.Item]) -> list[int]:
    return [item.media_id for item in items]


def reasons(items: list[batches.Item]) -> Counter[str]:
    return Counter(item.reason for item in items)


ASKED: dict[str, dict[str, Any]] = {
    "weighted": {"weight": "m.n_bytes"},
    "uncertain": {"run": 2},
    "uncertain+diverse": {"run": 2},
    "hard": {"run": 3},
    "near": {"media": 7},
    "mmr": {"media": 7},
    "mixture": {"mix": {"random": 1, "k-center": 1}},
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_repeats_itself_for_the_same_seed_and_goes_on_without_repeats(
    conn: psycopg.Connection[Any], sample: Sample, strategy: str
) -> None:
    asked = {"predicate": "m.kind = 'image'", **ASKED.get(strategy, {})}
    first = sampling.sample(conn, strategy, 10, seed=3, **asked)
    assert sampling.sample(conn, strategy, 10, seed=3, **asked) == first
    items = batches.items(conn, first)
    assert [item.rank for item in items] == list(range(1, 11))
    assert len({*ids(items)}) == 10
    assert all(np.isfinite(item.score) and item.reason for item in items)
    following = sample(strategy, 10, seed=3, after=first, **asked)
    assert len(following) == 10
    assert not {*ids(items)} & {*ids(following)}
    capped = sample(strategy, 10, seed=3, cap={"source": 5, "duplicate": 1}, **asked)
    assert Counter(i % 2 for i in ids(capped)) == {0: 5, 1: 5}
    assert len({101, 102, 103, 104, 105, 106} & {*ids(capped)}) <= 1
    assert 5 not in {*ids(items), *ids(following), *ids(capped)}


def test_a_batch_says_how_it_was_chosen(conn: psycopg.Connection[Any]) -> None:
    made = sampling.sample(conn, "random", 4, seed=9, slice="dim", cap={"group": 2})
    found = batches.find(conn, made)
    assert found.parameters == {"n": 4, "slice": "dim", "cap": {"group": 2}}
    assert (found.strategy, found.seed, found.n_items) == ("random", 9, 4)
    assert found.counts == {"chosen": 4, "notes": []}
    assert batches.newest(conn, 1) == [found]
    assert all(i < 20 for i in batches.members(conn, [made]))


def test_fewer_candidates_than_asked_for_are_all_taken_and_the_reasons_say_so(
    sample: Sample,
) -> None:
    for strategy in ("random", "k-center", "k-means", "typical", "stratified"):
        items = sample(strategy, 50, predicate="m.media_id between 10 and 12")
        assert sorted(ids(items)) == [10, 11, 12]
        assert all(i.reason.endswith(", all 3 candidates were taken, 50 asked for") for i in items)
    capped = sample("random", 50, predicate="m.media_id <= 20", cap={"group": 1})
    assert len(capped) == 2
    assert capped[0].reason == "random, no more than 2 fit the caps, 50 asked for"


@pytest.mark.parametrize(
    ("strategy", "n", "options", "error", "said"),
    [
        ("random", 0, {}, InvalidInput, "cannot choose 0 media"),
        ("guess", 1, {}, InvalidInput, "no strategy 'guess'; there are: random, "),
        ("random", 1, {"weight": "1"}, InvalidInput, "has no parameter weight; it has none"),
        ("weighted", 1, {}, InvalidInput, "weighted needs the parameter weight"),
        ("weighted", 1, {"weight": "-m.n_bytes"}, InvalidInput, "weight of media 1 is -1"),
        ("weighted", 1, {"weight": "'NaN'"}, InvalidInput, "weight of media 1 is NaN"),
        ("weighted", 1, {"weight": "m.brightness"}, InvalidInput, "media 121 is null"),
        ("weighted", 1, {"weight": "0"}, InvalidInput, "all weights are 0"),
        ("weighted", 1, {"weight": "m.kind"}, InvalidInput, "does not work: invalid input"),
        ("stratified", 1, {"stratum": "m.nose"}, InvalidInput, "column m.nose does not exist"),
        ("stratified", 1, {"stratum": "m.kind) or (m.mime"}, InvalidInput, "does not work"),
        ("balanced", 1, {"ratio": {"cow": 1}}, NotFound, "no class cow"),
        ("balanced", 1, {"ratio": {"cat": -1}}, InvalidInput, "ratios are finite numbers"),
        ("balanced", 1, {"ratio": {"cat": 0}}, InvalidInput, "all ratios are 0"),
        ("uncertain", 1, {"run": 1}, NotFound, "no run 1 with predictions"),
        ("uncertain", 1, {"run": 2, "measure": "luck"}, InvalidInput, "no measure luck"),
        ("hard", 1, {"run": 2}, NotFound, "no training run 2 that was watched"),
        ("hard", 1, {"run": 3, "measure": "luck"}, InvalidInput, "no measure luck"),
        ("k-center", 1, {"encoder": "clip"}, NotFound, "no encoder 'clip'"),
        ("k-center", 1, {"predicate": "m.media_id = 121"}, NothingToDo, "1 of the candidates"),
        ("k-means", 1, {"predicate": "m.width > 99"}, NothingToDo, "that fulfils m.width > 99"),
        ("random", 1, {"predicate": "m.width > 99"}, NothingToDo, "nothing to choose from"),
        ("random", 1, {"predicate": "m.nose"}, InvalidInput, "does not work: column m.nose"),
        ("random", 1, {"predicate": "true) or (true"}, InvalidInput, "does not work"),
        ("random", 1, {"predicate": "nextval('core.revision') > 0"}, InvalidInput, "read-only"),
        ("random", 1, {"slice": "bright"}, NotFound, "no slice bright"),
        ("random", 1, {"after": 999}, NotFound, "no batch 999"),
        ("random", 1, {"pool": "some"}, InvalidInput, "no pool 'some'"),
        ("random", 1, {"cap": {"colour": 1}}, InvalidInput, "no cap by 'colour'"),
        ("random", 1, {"cap": {"group": 0}}, InvalidInput, "cap by group cannot be 0"),
        ("near", 1, {}, InvalidInput, "name one thing to be near to"),
        ("near", 1, {"vector": [0] * DIM}, InvalidInput, "zero or not finite"),
        ("near", 1, {"vector": [1, 2]}, InvalidInput, "8 dimensions, the query has 2"),
        ("mmr", 1, {"vector": [1, 2]}, InvalidInput, "the query has 2 values, the vectors 8"),
        ("mmr", 1, {"media": 1, "relevance": 2}, InvalidInput, "relevance lies between"),
        ("near", 1, {"media": 121}, NotFound, "no vector of encoder toy for media 121"),
        ("mixture", 1, {"mix": {"luck": 1}}, InvalidInput, "cannot mix luck"),
        ("mixture", 1, {"mix": {"random": 0}}, InvalidInput, "finite and above 0"),
        ("mixture", 1, {"mix": {"random": 1}, "run": 2}, InvalidInput, "no parameter run"),
    ],
)
def test_what_makes_no_sense_is_one_clear_error_and_leaves_no_batch(
    conn: psycopg.Connection[Any],
    strategy: str,
    n: int,
    options: dict[str, Any],
    error: type[Exception],
    said: str,
) -> None:
    before = conn.execute("select count(*) from core.batch").fetchone()
    with pytest.raises(error, match=said):
        sampling.sample(conn, strategy, n, **options)
    conn.rollback()
    assert conn.execute("select count(*) from core.batch").fetchone() == before


def test_strata_are_in_proportion(sample: Sample) -> None:
    labelled = "m.media_id <= 90 or m.media_id > 900"
    found = reasons(sample("stratified", 30, predicate=labelled))
    assert found == {"stratum ant": 20, "stratum bee": 7, "stratum cat": 3}
    by_source = reasons(sample("stratified", 11, stratum="m.source"))
    assert sorted(by_source) == ["stratum left", "stratum right"]
    assert {*by_source.values()} == {5, 6}


def test_classes_are_balanced_and_what_falls_short_is_counted(
    conn: psycopg.Connection[Any], sample: Sample
) -> None:
    assert reasons(sample("balanced", 9)) == {"class ant": 3, "class bee": 3, "class cat": 3}
    asked = {"ratio": {"cat": 1, "bee": 1, "dog": 2}}
    made = sampling.sample(conn, "balanced", 24, **asked)
    assert reasons(batches.items(conn, made)) == {"class bee": 14, "class cat": 10}
    assert batches.find(conn, made).counts["short"] == {"dog": 12}
    assert batches.find(conn, made).notes == ["fewer than wanted: dog 12"]


def test_weights_are_odds(conn: psycopg.Connection[Any]) -> None:
    query = "select media_id from smartdb.sample_weighted(1, %s, 'm.media_id in (1, 2, 3)', %s)"
    weight = "case m.media_id when 1 then 1e-300 when 2 then 3e300 else 1e300 end"
    drawn = Counter(
        row[0] for i in range(200) for row in conn.execute(query, [i, weight]).fetchall()
    )
    assert set(drawn) == {2, 3}
    assert 125 < drawn[2] < 175  # 3 in 4


def test_the_most_uncertain_come_first_and_what_was_not_predicted_is_told(
    conn: psycopg.Connection[Any], sample: Sample
) -> None:
    for measure in ("entropy", "margin", "confidence"):
        asked = {"run": 2, "measure": measure, "predicate": "m.media_id > 60"}
        assert ids(sample("uncertain", 3, **asked)) == [119, 118, 117]
    made = sampling.sample(conn, "uncertain", 3, run=2, pool="unlabelled")
    (note,) = batches.find(conn, made).notes
    assert note.startswith("2 of the candidates cannot be chosen: run 2 did not predict them")
    assert "(media 120, ...)" in note


def test_the_hardest_come_first(sample: Sample) -> None:
    assert ids(sample("hard", 2, run=3)) == [90, 89]
    assert ids(sample("hard", 2, run=3, measure="el2n")) == [1, 2]
    forgotten = sample("hard", 3, run=3, measure="forgetting", seed=1)
    assert ids(forgotten)[0] == 30
    assert ids(sample("hard", 3, run=3, measure="forgetting", seed=2)) != ids(forgotten)


def test_what_has_no_vector_is_told(conn: psycopg.Connection[Any]) -> None:
    for strategy, asked in (("k-center", {}), ("near", {"media": 1})):
        made = batches.find(conn, sampling.sample(conn, strategy, 2, **asked))
        assert made.counts["without_vector"] == 1
        assert "(media 121); run: smartdb embed --encoder toy" in made.notes[0]


@pytest.mark.parametrize("strategy", ["k-center", "k-means", "typical"])
def test_of_six_blobs_six_are_chosen(sample: Sample, strategy: str) -> None:
    items = sample(strategy, 6, predicate="m.kind = 'image'")
    assert sorted(i % 6 for i in ids(items)) == [0, 1, 2, 3, 4, 5]


def test_k_center_is_the_plain_algorithm(sample: Sample) -> None:
    items = sample("k-center", 12, predicate="m.kind = 'image' and m.media_id > 5", seed=4)
    x = vectors()[5:].astype(np.float16).astype(np.float32)
    chosen = [ids(items)[0] - 6]
    while len(chosen) < 12:
        chosen.append(int(np.argmax((1 - x @ x[chosen].T).min(axis=1))))
    assert ids(items) == [at + 6 for at in chosen]
    assert [i.score for i in items][1:] == sorted((i.score for i in items[1:]), reverse=True)


@pytest.mark.parametrize("strategy", ["k-center", "typical"])
def test_what_is_labelled_already_counts_as_chosen(sample: Sample, strategy: str) -> None:
    three = "m.media_id % 6 in (0, 1, 2) and m.media_id <= 36"
    items = sample(strategy, 3, predicate="m.kind = 'image'", anchors=three)
    assert sorted(i % 6 for i in ids(items)) == [3, 4, 5]
    assert "nearest chosen before" in items[0].reason or strategy == "typical"


def test_typicality_is_that_of_the_paper(sample: Sample) -> None:
    (item,) = sample("typical", 1, predicate="m.media_id % 6 = 0")
    x = vectors()[5::6].astype(np.float16).astype(np.float32)
    away = np.linalg.norm(x[:, None] - x[None], axis=2)
    mean = np.sort(away, axis=1)[:, 1:11].mean(axis=1)  # half of the cluster, without itself
    assert item.media_id == 6 * (int(np.argmin(mean)) + 1)
    assert item.score == pytest.approx(1 / mean.min(), rel=1e-2)


def test_near_goes_by_distance_and_leaves_the_media_itself_out(sample: Sample) -> None:
    items = sample("near", 19, media=7)
    assert {i % 6 for i in ids(items)} == {1}
    assert 7 not in ids(items)
    assert [i.score for i in items] == sorted((i.score for i in items), reverse=True)
    assert ids(sample("near", 1, vector=vectors()[8].tolist())) == [9]


def test_mmr_is_near_at_1_and_spread_at_0(sample: Sample) -> None:
    images = {"predicate": "m.kind = 'image'", "media": 7}
    assert ids(sample("mmr", 5, relevance=1, **images)) == ids(sample("near", 5, **images))
    assert len({i % 6 for i in ids(sample("mmr", 6, relevance=0, **images))}) == 6


def test_a_mixture_takes_from_each_as_it_weighs(sample: Sample) -> None:
    asked = {"mix": {"uncertain": 2, "random": 1}, "run": 2, "predicate": "m.media_id > 60"}
    items = sample("mixture", 9, **asked)
    assert Counter(i.reason.partition(":")[0] for i in items) == {"uncertain": 6, "random": 3}
    assert ids(items)[:3] == [119, 118, 117]
    asked["predicate"] = "m.media_id between 50 and 62"
    found = Counter(i.reason.partition(":")[0] for i in sample("mixture", 9, **asked))
    assert found == {"uncertain": 2, "random": 7}
    assert _shares({"a": 1, "b": 1, "c": 1}, 8) == {"a": 3, "b": 3, "c": 2}


def test_readers_sample_in_sql_what_they_may_see(world: str) -> None:
    with connect(world, role="smartdb_reader") as reader:
        for name, more in (("random", ""), ("stratified", ""), ("weighted", ", 'm.n_bytes'")):
            call = f"select media_id from smartdb.sample_{name}(500, 1, 'm.kind = ''image'''{more})"
            seen = {row[0] for row in reader.execute(call.encode())}
            assert seen == {*range(1, 121)} - {5}
        with pytest.raises(psycopg.errors.DatabaseError, match="cannot choose -1 media"):
            reader.execute("select * from smartdb.sample_random(-1, 1)")
