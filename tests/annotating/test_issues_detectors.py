"""Detectors of label errors side by side: what they say, what is asked, which verdicts prefer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from smartdb import (
    annotator_patterns,
    bulk,
    detector_choice,
    label_conflicts,
    label_issues,
    label_rules,
    label_scores,
    labelled,
    neighbours,
    reviews,
    server,
)  # fmt: skip
from smartdb.database import connect
from smartdb.detector_choice import Comparison, chosen
from smartdb.errors import InvalidInput, NotFound, NothingToDo
from smartdb.label_detectors import SIDE_BY_SIDE, Word

Conn = psycopg.Connection[Any]
N, WRONG = 240, range(1, 240, 12)
WORLD = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('toys', 'file:///toys');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(('toy ' || i)::bytea), 'image', 'image/png', 100, 32, 24, 1
from generate_series(1, 240) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, 'file:///toys/' || i || '.png', 100, '2026-01-01' from generate_series(1, 240) as i;
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'three');
insert into core.class (ontology_id, name, version_from)
values (1, 'apple', 1), (1, 'pear', 1), (1, 'plum', 1);
insert into core.actor (name, kind) values ('ann', 'import'), ('bob', 'import'), ('cat', 'import');
-- bob calls half of the apples a plum
insert into core.label (media_id, class_id, origin, actor_id)
select i, case when i % 6 = 3 then 3 else 1 + i % 3 end, 'import', 2
from generate_series(1, 240) as i;
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1 + i % 3, 'import', 3 from generate_series(1, 240) as i;
-- ann's count, being the latest; one in twelve is wrong
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1 + (i + case when i % 12 = 1 then 1 else 0 end) % 3, 'import', 1
from generate_series(1, 240) as i;
select core.add_encoder('toy', 16);
"""
CLASSES = ("apple", "pear", "plum")


@pytest.fixture(scope="session")
def doubted_template(server_home: Path, template: str) -> str:
    """A database with labels of three, whose errors were looked for once; it is only copied."""
    name = "smartdb_doubted"
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    chance = np.random.default_rng(3)
    x = np.eye(3, 16)[np.arange(1, N + 1) % 3] + 0.15 * chance.standard_normal((N, 16))
    vectors = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    with connect(server.url(server_home, name), role="smartdb_owner") as conn:
        conn.execute(WORLD)
        staged = bulk.staging(conn, "copied_vector", like="core.embedding_1")
        bulk.copy_arrays(conn, staged, {"media_id": np.arange(1, N + 1), "v": vectors})
        conn.execute("insert into core.embedding_1 select * from copied_vector")
    with connect(server.url(server_home, name), role="smartdb_writer") as conn:
        neighbours.build(conn, "toy", 6)
        conn.commit()
        label_issues.find(conn, "toy")
    return name


@pytest.fixture
def database(doubted_template: str, databases: Any) -> str:
    url: str = databases.copy(doubted_template)
    return url


@pytest.fixture(autouse=True)
def _cleanlab_may_warn() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def run_id(conn: Conn) -> int:
    row = conn.execute("select max(run_id) from core.label_scoring").fetchone()
    assert row is not None
    return int(row[0])


def suspects(conn: Conn, kind: str = "swapped") -> set[int]:
    return {issue.media_id for issue in label_issues.issues(conn, kind=kind)}


def test_each_detector_says_a_word_on_every_label_and_one_fills_the_queue(conn: Conn) -> None:
    said = conn.execute(
        "select detector, count(*), min(score) >= 0 and max(score) <= 1,"
        " array_agg(media_id order by media_id) filter (where is_suspect)"
        " from smartdb.label_score group by detector"
    ).fetchall()
    names = {detector for detector, *_ in said}
    assert names >= set(SIDE_BY_SIDE) - {"multi_annotator"}
    for detector, n, in_bounds, asked in said:
        assert (n, in_bounds) == (N, True), detector
        found = len(set(asked) & set(WRONG))
        assert found >= 10, (detector, asked)
        if detector == "rank":
            assert set(asked) == suspects(conn)
    parameters, counts = conn.execute(
        "select parameters, counts from core.run where run_id = %s", [run_id(conn)]
    ).fetchone()  # type: ignore[misc]
    assert parameters["detector"] == counts["detector"] == "rank"
    assert counts["reason"].startswith("the default: 0 labels decided; 100 are needed")
    top = label_issues.issues(conn, n=1)[0]
    suggestion = conn.execute(
        "select suggestion from core.label_issue where issue_id = %s", [top.issue_id]
    ).fetchone()
    assert suggestion == ({"kind": "classification", "class": top.suggested},)


def test_what_is_kept_equals_what_cleanlab_says_of_the_kept_probabilities(conn: Conn) -> None:
    filters = pytest.importorskip("cleanlab.filter")
    rank = pytest.importorskip("cleanlab.rank")
    seen = labelled.read_predicted(conn, run_id(conn))
    p = seen.probabilities.astype(np.float64)
    assert p.shape == (N, 3)
    kept = "select score, is_suspect from smartdb.label_score where detector = %s order by media_id"
    for name, method in {
        "prune_by_noise_rate": "self_confidence", "confident_learning": "self_confidence",
        "predicted_neq_given": "self_confidence", "low_self_confidence": "self_confidence",
        "low_normalized_margin": "normalized_margin",
    }.items():  # fmt: skip
        scores, flags = map(np.array, zip(*conn.execute(kept, [name]).fetchall(), strict=True))
        expected = filters.find_label_issues(seen.labels, p, filter_by=name, n_jobs=1)
        assert (flags == expected).all(), name
        quality = rank.get_label_quality_scores(seen.labels, p, method=method)
        assert np.abs(1 - scores - quality).max() < 1e-6, name
    multi = np.array(conn.execute(kept, ["multi_annotator"]).fetchall())
    assert (multi[:, 0] > 0.5).sum() >= 15


def test_kept_predictions_give_the_suspicions_of_the_run_that_made_them(conn: Conn) -> None:
    before, first = suspects(conn), run_id(conn)
    found = label_issues.find_in_run(conn, first, encoder="toy")
    assert (found["examined"], found["new"], found["dropped"]) == (N, 0, 0)
    assert suspects(conn) == before
    differ = conn.execute(
        "select count(*) from smartdb.label_score as a join smartdb.label_score as b"
        " using (detector, label_id) where a.run_id < b.run_id"
        " and (a.score, a.is_suspect) is distinct from (b.score, b.is_suspect)"
    ).fetchone()
    assert differ == (0,)
    other = label_issues.find_in_run(conn, first, detector="low_normalized_margin")
    assert (other["detector"], other["reason"]) == ("low_normalized_margin", "asked for")
    assert "neighbour_vote" in other["missing"]
    with pytest.raises(NotFound, match="run 1 predicted nothing"):
        label_issues.find_in_run(conn, 1)
    with pytest.raises(InvalidInput, match="neighbour_vote has nothing to go by: an encoder"):
        label_issues.find_in_run(conn, first, detector="neighbour_vote")


def test_detectors_are_compared_on_what_reviewers_decided(conn: Conn) -> None:
    from benchmarks.label_errors import auroc

    truth = {i: CLASSES[i % 3] for i in range(1, N + 1)}
    for media_id, label_id in conn.execute(
        "select media_id, label_id from smartdb.media_class where media_id % 2 = 1"
    ).fetchall():
        given = CLASSES[(media_id + (media_id % 12 == 1)) % 3]
        verdict = "accepted" if given == truth[media_id] else "corrected"
        corrected = None if verdict == "accepted" else truth[media_id]
        reviews.review(conn, label_id, "eve", verdict, corrected)  # type: ignore[arg-type]
    words = conn.execute(
        "select detector, is_wrong, score, is_suspect from smartdb.detector_word"
    ).fetchall()
    compared = {c.detector: c for c in detector_choice.compare(conn)}
    assert set(compared) >= set(SIDE_BY_SIDE) - {"multi_annotator"}
    for name, one in compared.items():
        wrong, score, asked = map(
            np.array, zip(*(w[1:] for w in words if w[0] == name), strict=True)
        )
        assert (one.n_decided, one.n_wrong) == (N // 2, len(WRONG)) == (len(wrong), wrong.sum())
        assert one.is_enough
        hit = (wrong & asked).sum()
        assert one.precision == pytest.approx(hit / asked.sum())
        assert one.recall == pytest.approx(hit / wrong.sum())
        assert one.f1 == pytest.approx(2 * hit / (asked.sum() + wrong.sum()))
        assert one.auroc == pytest.approx(auroc(score, wrong))
        first = np.lexsort((np.arange(len(score)), -score))[:10]
        if len(np.unique(score)) == len(score):
            assert one.precision_at_10 == wrong[first].mean()
    decided = conn.execute(
        "select kind, n_decided, precision_at_10 from smartdb.detector_precision"
    )
    assert [row[0] for row in decided if row[1] >= 15] == ["swapped"]


def comparison(detector: str, auroc: float, f1: float, n: int = 200, wrong: int = 50) -> Comparison:
    return Comparison(detector, n, wrong, 60, 0.5, 0.5, f1, auroc, 1.0, 0.8, None)


def test_verdicts_choose_a_detector_once_there_are_enough_and_it_is_better() -> None:
    usual, other = comparison("rank", 0.80, 0.6), comparison("knn_shapley", 0.85, 0.5)
    names = {"rank", "knn_shapley", "predicted_neq_given"}
    assert chosen([usual, other], names).detector == "knn_shapley"
    assert (
        "AUROC 0.850, F1 0.500 (rank: 0.800, 0.600) on 200" in chosen([usual, other], names).reason
    )
    assert chosen([usual, other], {"rank"}).detector == "rank"
    assert chosen([], names).reason.startswith("the default: 0 labels decided")
    few = [replace(c, n_decided=99) for c in (usual, other)]
    assert chosen(few, names).reason.startswith("the default: 99 labels decided; 100 are needed")
    one_sided = [replace(c, n_wrong=190) for c in (usual, other)]
    assert chosen(one_sided, names).detector == "rank"
    near = comparison("knn_shapley", 0.81, 0.61)
    assert (
        chosen([usual, near], names).reason == "the default: none is better on 200 decided labels"
    )
    as_good = comparison("predicted_neq_given", 0.80, 0.7)
    assert chosen([usual, near, as_good], names).detector == "predicted_neq_given"


def test_labels_that_break_a_rule_are_suspected_until_they_are_mended(conn: Conn) -> None:
    with pytest.raises(NothingToDo, match="smartdb rules add"):
        label_rules.check(conn)
    assert label_rules.save(conn, "no plum before 10", "l.class <> 'plum' or l.media_id >= 10") > 0
    assert label_rules.save(conn, "short", "l.media_id > 2 or l.actor <> 'cat'", note="why") == 2
    with pytest.raises(InvalidInput, match="does not work"):
        label_rules.save(conn, "bad", "l.nothing > 3")
    conn.commit()
    found = label_rules.check(conn)
    assert (found["rules"], found["new"]) == (2, found["suspected"])
    rows = conn.execute(
        "select media_id, detail, score from smartdb.label_issue"
        " where kind = 'rule_broken' and actor = 'cat' and media_id < 3 order by media_id"
    ).fetchall()
    both = {"rules": ["no plum before 10", "short"]}
    assert rows == [(1, {"rules": ["short"]}, 1), (2, both, 1)]
    assert [r.n_broken for r in label_rules.rules(conn)] == [found["suspected"] - 1, 2]
    label_rules.drop(conn, "no plum before 10")
    assert label_rules.check(conn)["dropped"] == found["suspected"] - 2
    label_rules.drop(conn, "short")
    with pytest.raises(NotFound, match="no rule 'short'"):
        label_rules.drop(conn, "short")


def test_what_an_annotator_confuses_more_than_the_others_is_a_pattern(conn: Conn) -> None:
    found = {p.actor: p for p in annotator_patterns.patterns(conn)}
    said = {actor: (p.others_say, p.actor_says) for actor, p in found.items()}
    assert said == {"ann": ("pear", "plum"), "bob": ("apple", "plum")}
    pattern = found["bob"]
    assert 0.4 < pattern.rate < 0.6
    assert pattern.rate_of_others == 0
    counts = annotator_patterns.find(conn)
    n = pattern.n + found["ann"].n
    assert (counts["patterns"], counts["suspected"], counts["new"]) == (2, n, n)
    rows = conn.execute(
        "select distinct actor, class, suggested_class from smartdb.label_issue"
        " where kind = 'annotator_pattern' order by actor"
    ).fetchall()
    assert rows == [("ann", "plum", "pear"), ("bob", "plum", "apple")]
    assert annotator_patterns.find(conn)["new"] == 0
    conn.execute("update core.label set rev_to = 0 where actor_id = 2 and rev_to is null")
    conn.commit()
    assert annotator_patterns.find(conn)["dropped"] >= pattern.n


def test_near_duplicates_of_different_classes_are_suspected_the_rarer_first(conn: Conn) -> None:
    conn.execute(
        "insert into core.duplicate (media_id, group_id, run_id)"
        " select i, 2, 1 from unnest('{2,5,8,9}'::bigint[]) as i"
    )
    assert label_conflicts.find_twins(conn, 1) == 4
    rows = conn.execute(
        "select media_id, class, suggested_class, score from smartdb.label_issue"
        " where kind = 'twins_differ' order by score desc, media_id"
    ).fetchall()
    assert rows == [(9, "apple", "plum", 0.75), *[(i, "plum", "apple", 0.25) for i in (2, 5, 8)]]
    assert label_conflicts.find_twins(conn, 1) == 0
    conn.execute("delete from core.duplicate where media_id = 9")
    label_conflicts.find_twins(conn, 1)
    assert suspects(conn, "twins_differ") == set()


def test_nothing_is_told_of_labels_of_hidden_media(
    conn: Conn, as_role: Callable[[str], Conn]
) -> None:
    label_rules.save(conn, "none", "l.media_id > 13")
    conn.execute("insert into core.restriction (media_id, reason) values (1, 'finding')")
    conn.commit()
    label_rules.check(conn)
    reader = as_role("smartdb_reader")
    for view in ("label_score", "label_issue", "label"):
        rows = reader.execute(
            f"select 1 from smartdb.{view} where media_id = 1".encode()
        ).fetchall()
        assert rows == [], view
    assert reader.execute("select n_seen, others_say from smartdb.annotator_pattern").fetchone()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("select * from core.label_score")


def test_scores_out_of_bounds_are_refused_and_blocks_hold_any_ids(conn: Conn) -> None:
    ids = np.array([5, 3000, 7, 2_000_000_000_000], np.int64)
    flags = np.array([True, False, False, True])
    word = Word(np.array([0.5, np.nan, 0, 1], np.float32), flags)
    with pytest.raises(InvalidInput, match="a score of odd is not from 0 to 1"):
        label_scores.write(conn, 1, ids, {"odd": replace(word, scores=word.scores + 1)})
    assert label_scores.write(conn, 1, ids, {"a": word, "b": replace(word, suspects=~flags)}) == 4
    kept = conn.execute(
        "select part, label_ids, scores[:cardinality(label_ids)], suspects"
        " from core.label_score where run_id = 1 order by part"
    ).fetchall()
    assert [part for part, *_ in kept] == [0, 2, 2_000_000_000_000 // 1024]
    assert kept[0][1:] == ([5, 7], [0.5, 0], [1, 2])
    said = conn.execute(
        "select detector, label_id, is_suspect from smartdb.label_score"
        " where run_id = 1 order by 1, 2"
    ).fetchall()
    assert said == [("a", 5, True), ("a", 7, False), ("b", 5, False), ("b", 7, True)]
