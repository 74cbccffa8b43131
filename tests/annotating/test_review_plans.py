"""Review plans: the sample follows from the seed, what is concluded from the verdicts."""

from __future__ import annotations

from math import comb
from typing import Any

import psycopg
import pytest

from smartdb import comments, review_plans, reviews, tasks
from smartdb.errors import Conflict, IllegalVerdict, InvalidInput, NothingToDo

Conn = psycopg.Connection[Any]
N = 60


@pytest.fixture
def lot(conn: Conn) -> Conn:
    """Of 60 media labelled cat or dog, 40 by ana and 20 by bo; one in six is truly the other."""
    conn.execute(
        "insert into core.run (kind, status, code_version, finished_at)"
        " values ('ingest', 'succeeded', '0', now());"
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
        " select sha256(('lot ' || i)::bytea), 'image', 'image/png', 1, 8, 8, 1"
        f" from generate_series(1, {N}) as i;"
        "insert into core.ontology (name) values ('lot');"
        "insert into core.ontology_version (ontology_id, version, message)"
        " select max(ontology_id), 1, 'one' from core.ontology;"
        "insert into core.class (ontology_id, name, version_from)"
        " select max(ontology_id), unnest('{cat,dog}'::text[]), 1 from core.ontology;"
        "select smartdb.person_id('ana'), smartdb.person_id('bo');"
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " select m.media_id, c.class_id, 'human',"
        " smartdb.person_id(case when m.media_id % 3 = 0 then 'bo' else 'ana' end)"
        " from (select * from core.media order by media_id desc limit 60) as m, core.class as c"
        " where c.name = 'cat'"
    )
    return conn


def drawn(conn: Conn, plan: str) -> list[int]:
    query = "select label_id from smartdb.review_plan_item where plan = %s order by rank"
    return [row[0] for row in conn.execute(query, [plan])]


def judge(conn: Conn, plan: str, n_wrong: int) -> None:
    """Gives every open label of a plan a verdict, the first ``n_wrong`` rejected."""
    query = (
        "select label_id from smartdb.review_plan_item"
        " where plan = %s and outcome = 'open' order by rank"
    )
    ids = [row[0] for row in conn.execute(query, [plan])]
    reviews.review_many(conn, ids[:n_wrong], "cy", "rejected")
    reviews.review_many(conn, ids[n_wrong:], "cy", "accepted")


def test_the_exact_interval_and_the_design_are_those_of_scipy(conn: Conn) -> None:
    from scipy.stats import beta, hypergeom

    for k, n, confidence in (
        (0, 1, 0.95),
        (3, 100, 0.95),
        (7, 7, 0.9),
        (50, 1000, 0.99),
        (2000, 30000, 0.95),
    ):
        row = conn.execute(
            "select * from smartdb.exact_interval(%s, %s, %s)", [k, n, confidence]
        ).fetchone()
        tail = (1 - confidence) / 2
        low = beta.ppf(tail, k, n - k + 1) if k else 0
        high = beta.ppf(1 - tail, k + 1, n - k) if k < n else 1
        assert row == pytest.approx((low, high), abs=1e-9)
    assert conn.execute("select * from smartdb.exact_interval(0, 0)").fetchone() == (None, None)
    for n_lot, limit, good in ((1000, 0.05, 0.01), (50, 0.1, None), (20000, 0.02, 0.005)):
        plan = review_plans.design(n_lot, limit, good=good)
        bad = round(limit * n_lot)
        assert hypergeom.cdf(plan.max_wrong, n_lot, bad, plan.n) <= 0.05
        assert hypergeom.cdf(plan.max_wrong, n_lot, bad, plan.n - 1) > 0.05
        if good:
            assert hypergeom.cdf(plan.max_wrong, n_lot, round(good * n_lot), plan.n) >= 0.95
    # by hand: none of n wrong in a lot of 50 with 5 wrong is C(45, n) / C(50, n)
    n = review_plans.design(50, 0.1).n
    assert comb(45, n) / comb(50, n) <= 0.05 < comb(45, n - 1) / comb(50, n - 1)
    assert review_plans.error_bound(50, n, 0) < 0.1
    with pytest.raises(InvalidInput, match="no sample of a lot of 5"):
        review_plans.design(5, 0.3, max_wrong=3)


def test_a_share_is_drawn_by_the_seed_and_estimates_the_lot(lot: Conn) -> None:
    first = review_plans.create(lot, "a", "share", share=0.5, predicate="l.class = 'cat'", seed=3)
    assert (first.n_lot, first.n_sample, first.state) == (N, N // 2, "open")
    review_plans.create(lot, "b", "share", share=0.5, seed=3)
    review_plans.create(lot, "c", "share", share=0.5, seed=4)
    assert drawn(lot, "a") == drawn(lot, "b") != drawn(lot, "c")
    assert review_plans.follow(lot, "a") == {"screened": 0, "screening": 0, "opened": N // 2}
    assert review_plans.follow(lot, "a")["opened"] == 0
    judge(lot, "a", 3)
    done = review_plans.find(lot, "a")
    assert (done.state, done.n_checked, done.n_wrong) == ("done", N // 2, 3)
    assert done.finding == (
        "3 of 30 checked were wrong: between 2.11 and 26.53 % of the lot of 60, with 95 % confidence"  # noqa: E501
    )
    assert tasks.queue(lot, "review") == []
    with pytest.raises(Conflict):
        review_plans.create(lot, "a", "share", n=1)


def test_as_many_are_drawn_of_each_annotator(lot: Conn) -> None:
    review_plans.create(lot, "each", "annotator", n=6)
    judge(lot, "each", 0)
    found = review_plans.annotators(lot, "each")
    assert [(row[0], *row[1:4]) for row in found] == [("ana", 6, 6, 0), ("bo", 6, 6, 0)]
    assert review_plans.find(lot, "each").error_rate is None


def test_the_riskiest_come_first_and_say_nothing_of_the_lot(lot: Conn) -> None:
    ids = [
        row[0]
        for row in lot.execute("select label_id from smartdb.label order by label_id desc limit 2")
    ]
    lot.execute(
        "insert into core.label_issue (media_id, label_id, kind, score, run_id)"
        " select media_id, label_id, 'swapped', 0.9, 1 from smartdb.label where label_id = any (%s)",  # noqa: E501
        [ids],
    )
    plan = review_plans.create(lot, "risky", "risk", n=5)
    assert sorted(drawn(lot, "risky")[:2]) == sorted(ids)
    judge(lot, "risky", 2)
    plan = review_plans.find(lot, "risky")
    assert (plan.error_rate, plan.low, plan.finding) == (None, None, "2 of 5 checked were wrong")


def test_a_lot_is_accepted_or_else_reviewed_wholly(lot: Conn) -> None:
    with lot.transaction(force_rollback=True):
        made = review_plans.create(lot, "lot", "acceptance", error_limit=0.1)
        assert made.max_wrong == 0
        judge(lot, "lot", 0)
        done = review_plans.find(lot, "lot")
        assert done.state == "accepted"
        assert "fewer than 10 % of the lot of 60 are wrong, with 95 % confidence" in done.finding
        assert review_plans.follow(lot)["screened"] == 0
    review_plans.create(lot, "lot", "acceptance", error_limit=0.1)
    judge(lot, "lot", 1)
    assert review_plans.find(lot, "lot").state == "rejected"
    counts = review_plans.follow(lot)
    assert counts == {"screened": 1, "screening": N - made.n_sample, "opened": N - made.n_sample}
    assert review_plans.follow(lot) == {"screened": 0, "screening": 0, "opened": 0}
    judge(lot, "lot", 2)
    done = review_plans.find(lot, "lot")
    assert (done.state, done.n_sample, done.n_wrong) == ("screened", made.n_sample, 1)
    assert "all of it was reviewed, 3 were wrong" in done.finding


def test_what_changed_unseen_counts_as_wrong_and_a_dispute_waits(lot: Conn) -> None:
    review_plans.create(lot, "lot", "share", n=3)
    changed, torn, _ = drawn(lot, "lot")
    lot.execute("update core.label set rev_to = 0 where label_id = %s", [changed])
    reviews.review(lot, torn, "cy", "accepted")
    reviews.review(lot, torn, "dee", "corrected", "dog")
    query = "select outcome from smartdb.review_plan_item order by rank"
    assert [row[0] for row in lot.execute(query)] == ["changed", "disputed", "open"]
    reviews.adjudicate(lot, torn, "eve", "corrected", "dog")
    assert [row[0] for row in lot.execute(query)] == ["changed", "wrong", "open"]
    assert review_plans.find(lot, "lot").n_wrong == 2


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("share", {}, InvalidInput),
        ("share", {"share": 1.5}, InvalidInput),
        ("annotator", {"share": 0.5}, InvalidInput),
        ("acceptance", {}, InvalidInput),
        ("acceptance", {"error_limit": 0.1, "good": 0.2}, InvalidInput),
        ("share", {"n": 1, "predicate": "l.colour = 1"}, InvalidInput),
        ("share", {"n": 1, "predicate": "l.class = 'bird'"}, NothingToDo),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    lot: Conn, kind: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        review_plans.create(lot, "odd", kind, **options)


def test_the_story_of_a_label_tells_who_when_why_before_and_after(lot: Conn) -> None:
    row = lot.execute("select label_id, object_id, media_id from smartdb.label limit 1").fetchone()
    assert row is not None
    label, thing, media = row
    first = reviews.review(lot, label, "cy", "rejected", reason="no cat")
    label = reviews.withdraw(lot, first, "cy") or 0
    reviews.review(lot, label, "cy", "accepted")
    reviews.review(lot, label, "dee", "corrected", "dog", "a dog")
    said = comments.add(lot, "ana", "look at the ears", label_id=label)
    comments.add(lot, "cy", "I did", reply_to=said)
    reviews.adjudicate(lot, label, "eve", "corrected", "dog", "long ears")
    events = [(e["event"], e["actor"], e["reason"]) for e in reviews.story(lot, thing)]
    assert [e for e in events if e[0] != "comment"] == [
        ("labelled", "ana", None), ("rejected", "cy", "no cat"), ("withdrawn: rejected", "cy", None),  # noqa: E501
        ("said again", "ana", None), ("accepted", "cy", None), ("disputed: corrected", "dee", "a dog"),  # noqa: E501
        ("adjudicated: corrected", "eve", "long ears"),
    ]  # fmt: skip
    assert [c["text"] for c in comments.comments(lot, media)] == ["look at the ears", "I did"]
    last = reviews.story(lot, thing)[-1]
    with pytest.raises(InvalidInput, match="about one thing"):
        comments.add(lot, "ana", "x", label_id=label, media_id=media)
    assert last["event"] in ("comment", "adjudicated: corrected")


def test_an_overlooked_label_is_added_or_the_suspicion_dismissed(lot: Conn) -> None:
    lot.execute(
        "insert into core.label_issue"
        " (media_id, kind, score, suggested_class_id, suggestion, run_id)"
        " select (select max(media_id) from core.media), 'overlooked', 0.5, c.class_id,"
        """ '{"kind": "box", "x": 1, "y": 1, "w": 2, "h": 2, "confidence": 0.7}', 1"""
        " from core.class as c where c.name = 'dog'"
    )
    issue = lot.execute("select max(issue_id) from core.label_issue").fetchone()[0]  # type: ignore[index]
    added = reviews.resolve(lot, issue, "cy", "confirmed", correction={"w": 3})
    row = lot.execute(
        "select class, kind, w, actor, confidence, review_state from smartdb.label where label_id = %s",  # noqa: E501
        [added],
    ).fetchone()
    assert row == ("dog", "box", 3, "cy", None, "unreviewed")
    row = lot.execute(
        "select state, decided_by, new_label_id from smartdb.label_issue where issue_id = %s",
        [issue],
    ).fetchone()
    assert row == ("confirmed", "cy", added)
    with pytest.raises(Conflict, match="was confirmed before"):
        reviews.resolve(lot, issue, "cy", "dismissed")


def test_a_suspicion_of_a_label_is_resolved_by_a_verdict(lot: Conn) -> None:
    lot.execute(
        "insert into core.label_issue (media_id, label_id, kind, score, suggested_class_id, run_id)"
        " select l.media_id, l.label_id, 'swapped', 0.5, c.class_id, 1"
        " from (select * from smartdb.label order by label_id limit 3) as l, core.class as c"
        " where c.name = 'dog'"
    )
    ids = [row[0] for row in lot.execute("select issue_id from core.label_issue order by issue_id")]
    label = reviews.resolve(lot, ids[0], "cy", "confirmed")
    row = lot.execute("select class, review_state from smartdb.label where label_id = %s", [label])
    assert row.fetchone() == ("dog", "corrected")
    assert reviews.resolve(lot, ids[1], "cy", "dismissed") is None
    states = lot.execute("select state from core.label_issue order by issue_id").fetchall()
    assert states == [("confirmed",), ("dismissed",), ("open",)]
    row = lot.execute("select label_id from core.label_issue where issue_id = %s", [ids[2]])
    with pytest.raises(IllegalVerdict):
        reviews.dispute(lot, row.fetchone()[0], "ana", "not judged yet")  # type: ignore[index]
