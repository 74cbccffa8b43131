"""Automated labelling: only what gold vouches for becomes a label, and never a person's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from smartdb import (
    auto_labels,
    datasets,
    labelling_functions,
    neighbour_vote,
    proposals,
    server,
    zero_shot,
)
from smartdb.auto_labels import Promise
from smartdb.database import connect
from smartdb.errors import Conflict, InvalidInput, NotFound, NothingToDo
from smartdb.proposals import Proposals

Conn = psycopg.Connection[Any]
N, GOLD = 400, 160
TIMES = Promise(precision=0.9)

# Media 1 to 160 are gold, cat where odd. Vectors of cats point along x, of dogs along y, the last
# fifty in between; cats are bright, and every tenth media as bright as its number.
PLANTED = f"""
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(('m ' || i)::bytea), 'image', 'image/png', 100, 32, 24, 1
from generate_series(1, {N}) as i;
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select i, case when i % 10 = 0 then i / 1000.0 when i % 2 = 1 then 0.8 else 0.2 end, 0.2, i, 5, 30
from generate_series(1, {N}) as i;
select core.add_encoder('tiny', 3);
insert into core.embedding_1 (media_id, v)
select i, l2_normalize(format('[%s,%s,%s]',
    case when i > {N} - 50 then 1 when i % 2 = 1 then 1 else 0.1 end,
    case when i > {N} - 50 then 1.001 when i % 2 = 0 then 1 else 0.1 end, (i % 7) / 50.0)::halfvec)
from generate_series(1, {N}) as i;
insert into core.ontology (name) values ('pets');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, '');
insert into core.class (ontology_id, name, version_from) values (1, 'cat', 1), (1, 'dog', 1);
insert into core.actor (name, kind) values ('ana', 'person'), ('cy', 'person');
insert into core.label (media_id, class_id, origin, actor_id)
select i, 2 - i % 2, 'human', 1 from generate_series(1, {GOLD}) as i;
insert into core.gold (label_id, actor_id) select label_id, 2 from core.label;
insert into core.prompt (encoder_id, text, v)
select 1, t.text, t.v::halfvec from (values
    ('a photo of a cat.', '[1,0.1,0]'), ('a cat', '[1,0.05,0]'),
    ('a photo of a dog.', '[0.1,1,0]'), ('a dog', '[0,1,0]')
) as t (text, v);
"""


@pytest.fixture(scope="session")
def planted_template(server_home: Any, template: str) -> str:
    """The name of a database with the planted media, which is only ever copied."""
    name = "smartdb_planted_auto"
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    with connect(server.url(server_home, name), role="smartdb_owner") as conn:
        conn.execute(PLANTED)
    return name


@pytest.fixture
def database(planted_template: str, databases: Any) -> str:
    """The url of a copy of the planted media."""
    url: str = databases.copy(planted_template)
    return url


def said(first: int, last: int, *, right: float = 1.0, actor: str = "model m") -> Proposals:
    """What a model says of media, sure of the first and less and less so, by then wrong."""
    ids = np.arange(first, last + 1)
    true = 2 - ids % 2
    at = np.linspace(0, 1, len(ids))
    wrong = at > right
    return Proposals(
        actor, "pets", ids, np.where(wrong, 3 - true, true), (0.99 - 0.5 * at).astype(np.float32)
    )


def mixed(*parts: Proposals) -> Proposals:
    """Several as one."""
    return Proposals(
        parts[0].actor,
        "pets",
        np.concatenate([p.media_ids for p in parts]),
        np.concatenate([p.class_ids for p in parts]),
        np.concatenate([p.confidence for p in parts]),
    )


def rows(conn: Conn, query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]


def live(conn: Conn) -> list[tuple[Any, ...]]:
    return rows(conn, "select media_id, class, method from smartdb.auto_label order by 1")


@pytest.fixture
def wrote(conn: Conn) -> Conn:
    """A model that is right on gold above .74, and has spoken of 200 media beside."""
    conn.execute("set search_path = smartdb, public")
    conn.commit()
    report = auto_labels.write(conn, mixed(said(1, GOLD, right=0.5), said(201, N)), TIMES)
    assert report.counts["added"]
    assert report.counts["opened"]
    return conn


def count(conn: Conn, query: str) -> int:
    return int(rows(conn, f"select count(*) from {query}")[0][0])


def test_only_what_gold_vouches_for_becomes_a_label_and_the_rest_a_prefilled_task(
    wrote: Conn,
) -> None:
    (told,) = rows(
        wrote,
        "select confidence, n_gold, n_above, n_correct, precision_low >= 0.9, reason, run_id,"
        " is_current from auto_label_threshold",
    )
    assert told[1] == GOLD
    assert 80 <= told[2] < 95
    assert told[3] == 80
    assert told[4:6] == (True, None)
    labelled = rows(
        wrote,
        "select media_id, origin, actor, confidence, run_id from label where origin = 'model'",
    )
    assert {(each[1], each[2], each[4]) for each in labelled} == {("model", "model m", told[6])}
    assert all(each[0] > GOLD and each[3] >= told[0] - 1e-6 for each in labelled)
    opened = rows(
        wrote, "select t.media_id, t.prefill, t.priority from core.task as t order by priority desc"
    )
    assert len(labelled) + len(opened) == N - 200
    assert opened[0][1] == [
        {"class": "dog", "kind": "classification", "confidence": pytest.approx(0.49, abs=1e-3)}
    ]
    assert not {each[0] for each in labelled} & {each[0] for each in opened}


def test_the_same_again_does_nothing_and_leaves_no_run(wrote: Conn) -> None:
    found = mixed(said(1, GOLD, right=0.5), said(201, N))
    before = count(wrote, "core.run"), count(wrote, "core.label"), count(wrote, "core.task")
    again = auto_labels.write(wrote, found, TIMES)
    assert again.run_id is None
    assert again.counts["added"] == again.counts["closed"] == 0
    assert before == (
        count(wrote, "core.run"),
        count(wrote, "core.label"),
        count(wrote, "core.task"),
    )


def test_a_new_model_closes_the_labels_of_the_old_one(wrote: Conn) -> None:
    old = count(wrote, "auto_label")
    newer = mixed(said(1, GOLD, right=0.5), said(231, N))
    report = auto_labels.write(wrote, newer, TIMES)
    assert report.counts["kept"] + report.counts["added"] == count(wrote, "auto_label")
    assert report.counts["closed"] >= 29
    closed = "core.label where origin = 'model' and rev_to is not null"
    assert count(wrote, closed) + report.counts["kept"] == old
    same = rows(
        wrote, "select count(*), count(distinct object_id) from core.label where media_id = 240"
    )
    assert same[0][1] == 1, "another confidence is another state of the same object"


def test_with_too_little_gold_it_says_so_and_writes_none(conn: Conn) -> None:
    report = auto_labels.write(conn, mixed(said(1, 20), said(201, 300)), TIMES)
    (told,) = report.thresholds.values()
    assert told.confidence is None
    assert "20 gold items are too few" in str(told.reason)
    assert report.counts["added"] == 0
    assert report.counts["opened"] == 100
    assert auto_labels.current_thresholds(conn)[0]["reason"] == told.reason


def test_a_persons_word_shadows_an_auto_label_at_once_and_the_next_run_closes_it(
    wrote: Conn,
) -> None:
    media = live(wrote)[0][0]
    wrote.execute(
        "insert into core.label (media_id, class_id, origin, actor_id) values (%s, 2, 'human', 1)",
        [media],
    )
    wrote.commit()
    assert rows(wrote, "select media_id from smartdb.auto_label where is_shadowed") == [(media,)]
    report = auto_labels.write(wrote, mixed(said(1, GOLD, right=0.5), said(201, N)), TIMES)
    assert report.counts["closed"] == 1
    assert report.counts["added"] == 0
    assert count(wrote, f"auto_label where media_id = {media}") == 0


def test_what_a_reviewer_rejected_does_not_come_back_and_what_one_accepted_stays(
    wrote: Conn, as_role: Callable[[str], Conn]
) -> None:
    (rejected, _), (accepted, kept) = rows(
        wrote, "select label_id, media_id from auto_label order by media_id limit 2"
    )
    reviewer = as_role("smartdb_reviewer")
    reviewer.execute("select smartdb.review_label(%s, 'cy', 'rejected')", [rejected])
    reviewer.execute("select smartdb.review_label(%s, 'cy', 'accepted')", [accepted])
    reviewer.commit()
    again = auto_labels.write(wrote, mixed(said(1, GOLD, right=0.5), said(201, N)), TIMES)
    assert again.counts["added"] == again.counts["closed"] == 0
    gone = auto_labels.write(wrote, said(1, GOLD, right=0.5), TIMES)
    assert gone.counts["closed"]
    assert [each[0] for each in live(wrote)] == [kept]


def test_thresholds_by_class_leave_out_the_class_with_too_little_gold(conn: Conn) -> None:
    cats = said(1, 159)
    cats = Proposals(
        "model m", "pets", cats.media_ids[::2], cats.class_ids[::2], cats.confidence[::2]
    )
    found = mixed(cats, said(201, 240))
    report = auto_labels.write(conn, found, Promise(precision=0.9, per_class=True))
    assert report.thresholds[1].confidence is not None
    assert "0 gold items are too few" in str(report.thresholds[2].reason)
    assert {each[1] for each in rows(conn, "select media_id, class from smartdb.auto_label")} == {
        "cat"
    }


def test_elsewhere_than_asked_nothing_changes(wrote: Conn) -> None:
    before = [each for each in live(wrote) if each[0] > 220]
    report = auto_labels.write(
        wrote, said(1, GOLD, right=0.5), TIMES, where="m.media_id between 201 and 220"
    )
    assert report.counts["closed"] == 20
    assert live(wrote) == before
    with pytest.raises(InvalidInput, match="does not work"):
        auto_labels.write(wrote, said(1, 9), where="m.nonsense")


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(conn: Conn) -> None:
    report = auto_labels.write(conn, mixed(said(1, GOLD), said(201, N)), dry_run=True)
    assert report.counts["added"] > 100
    assert count(conn, "smartdb.auto_label") == 0
    assert report.run_id is None
    assert count(conn, "core.task") == 0


def test_zero_shot_takes_the_mean_of_several_texts_a_class(conn: Conn) -> None:
    found = zero_shot.propose(
        conn, "pets", "tiny", templates=["a photo of a {}.", "a {}"], scale=10
    )
    assert found.actor == "zero-shot tiny"
    assert len(found.media_ids) == N
    clear = found.media_ids <= N - 50
    assert (found.class_ids[clear] == 2 - found.media_ids[clear] % 2).all()
    assert found.confidence[clear].min() > 0.99 > 0.6 > found.confidence[~clear].max()
    report = auto_labels.write(conn, found)
    assert report.counts["added"] >= N - GOLD - 50
    assert report.counts["opened"] <= 50
    with pytest.raises(InvalidInput, match="no leaf classes of 'pets': cow"):
        zero_shot.propose(conn, "pets", names={"cow": "a cow"})
    with pytest.raises(InvalidInput, match="says where the name goes"):
        zero_shot.propose(conn, "pets", templates=["a cat"])


def test_neighbours_vote_and_a_picture_in_between_is_unsure(conn: Conn) -> None:
    found = neighbour_vote.propose(conn, "pets", k=5)
    clear = found.media_ids <= N - 50
    assert (found.class_ids[clear] == 2 - found.media_ids[clear] % 2).all()
    assert found.confidence[clear].min() > 0.8
    assert auto_labels.write(conn, found).actor == "neighbour vote tiny"
    with pytest.raises(NotFound):
        auto_labels.write(
            conn, Proposals("x", "none", *[np.zeros(0, np.int64)] * 2, np.zeros(0, "f4"))
        )
    with pytest.raises(NothingToDo, match="no media with a vector"):
        neighbour_vote.propose(conn, "another")


def test_nobody_votes_on_itself() -> None:
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 1, 1]]
    top, share = neighbour_vote.vote(vectors, np.arange(4), np.array([0, 0, 1, 0]), 2, k=1)
    assert top.tolist() == [0, 0, 0, 1]
    assert share.tolist() == [0.5, 0.5, 0.5, 0.5]


def test_labelling_functions_are_kept_tried_and_measured(conn: Conn) -> None:
    add = labelling_functions.add
    assert add(conn, "bright", "cat", "m.brightness > 0.5") == 200
    assert add(conn, "dark", "dog", "m.brightness < 0.5", note="indoors") == 200
    assert add(conn, "odd", "cat", "m.media_id % 2 = 1 and m.media_id % 3 = 0") == 67
    (bright, _, odd) = labelling_functions.quality(conn)
    assert (bright["coverage"], bright["n_gold"], bright["accuracy"]) == (0.5, 80, 1.0)
    assert (odd["overlap"], odd["conflict"]) == (67 / N, 0.0)
    with pytest.raises(Conflict, match="there is a labelling function bright"):
        add(conn, "bright", "cat", "true")
    conn.rollback()
    with pytest.raises(NotFound, match="no class cow"):
        add(conn, "x", "cow", "true")
    for wrong in ("true; drop table core.label", "m.nonsense", "pg_sleep(9) is null"):
        with pytest.raises(InvalidInput):
            add(conn, "x", "cat", wrong, timeout_s=0.2)


def test_labelling_functions_together_become_labels_with_their_precision(conn: Conn) -> None:
    for name, class_name, predicate in (
        ("bright", "cat", "m.brightness > 0.5"), ("dark", "dog", "m.brightness < 0.5"),
        ("x", "cat", "m.media_id % 2 = 1 and m.media_id % 5 < 3"),
        ("y", "dog", "m.media_id % 5 = 4"),
    ):  # fmt: skip
        labelling_functions.add(conn, name, class_name, predicate)
    conn.commit()
    report = auto_labels.write(conn, labelling_functions.propose(conn, "pets"), TIMES)
    assert report.actor == "labelling functions pets"
    assert report.counts["added"] > 200
    (told,) = rows(
        conn, f"select parameters -> 'functions' from core.run where run_id = {report.run_id}"
    )
    assert told[0]["bright"]["predicate"] == "m.brightness > 0.5"
    assert told[0]["y"]["precision"] < told[0]["bright"]["precision"]
    labelling_functions.drop(conn, "bright")
    with pytest.raises(NotFound):
        labelling_functions.drop(conn, "bright")


def test_gold_that_a_model_has_seen_is_not_asked(conn: Conn) -> None:
    found = said(1, GOLD)
    seen = Proposals(**{**vars(found), "is_seen": found.media_ids <= 100})
    report = auto_labels.write(conn, seen, dry_run=True)
    assert report.thresholds[None].n_gold == 60


def test_a_models_run_proposes_and_its_out_of_fold_predictions_are_not_seen(conn: Conn) -> None:
    from smartdb import predictions
    from smartdb.runs import run

    p = np.tile(np.array([[0.9, 0.1], [0.2, 0.8]]), (N // 2, 1))
    revision = int(rows(conn, "select core.checkpoint()")[0][0])
    conn.commit()
    with run(conn, "predict") as opened:
        predictions.write(conn, opened.run_id, np.arange(1, N + 1), [1, 2], p, revision=revision)
    found = proposals.of_run(conn, opened.run_id)
    assert found.actor == "model out of fold"
    assert not found.is_seen.any()
    report = auto_labels.write(conn, found)
    assert report.thresholds[None].confidence == pytest.approx(0.8)
    assert report.counts["added"] == N - GOLD
    with pytest.raises(NotFound, match="predicted nothing"):
        proposals.of_run(conn, 1)


def test_boxes_are_right_where_they_cover_gold_of_their_class(conn: Conn) -> None:
    conn.execute(
        "with made as ("
        "insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)"
        " select i, 1, 'box', 2, 2, 10, 10, 'human', 1 from generate_series(1, 100) as i"
        " returning label_id)"
        " insert into core.gold (label_id, actor_id) select label_id, 2 from made"
    )
    conn.commit()
    ids = np.concatenate([np.repeat(np.arange(1, 101), 2), np.arange(201, 221)])
    good, bad = [2.0, 3, 10, 10], [20.0, 2, 5, 5]
    boxes = np.array([good, bad] * 100 + [good] * 20)
    sure = np.array([0.9, 0.3] * 100 + [0.95] * 19 + [0.2], np.float32)
    found = Proposals("model d", "pets", ids, np.ones_like(ids), sure, "box", boxes)
    report = auto_labels.write(conn, found)
    told = report.thresholds[None]
    assert (told.n_gold, told.n_above, told.n_correct) == (200, 100, 100)
    assert report.counts["added"] == 19
    assert report.counts["opened"] == 1
    query = (
        "select count(*), min(x), max(h), min(method) from smartdb.auto_label where kind = 'box'"
    )
    assert rows(conn, query) == [(19, 2.0, 10.0, "model d")]
    assert auto_labels.write(conn, found).run_id is None


def test_a_reader_sees_auto_labels_of_no_hidden_media_and_may_add_no_function(
    wrote: Conn, as_role: Callable[[str], Conn]
) -> None:
    media = live(wrote)[0][0]
    wrote.execute(
        "insert into core.predicted_label (run_id, media_id, class_id, kind, confidence)"
        " values (1, %s, 1, 'classification', 0.5), (1, 300, 1, 'classification', 0.5)",
        [media],
    )
    wrote.execute("insert into core.restriction (media_id, reason) values (%s, 'consent')", [media])
    labelling_functions.add(wrote, "all", "cat", "true")
    wrote.commit()
    reader = as_role("smartdb_reader")
    for view in ("auto_label", "predicted_label", "labelling_function_vote('all')"):
        assert count(reader, f"smartdb.{view} where media_id = {media}") == 0, view
        assert count(reader, f"smartdb.{view}") > 0, view
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("select smartdb.add_labelling_function('x', 'cat', 'true')")
    reader.rollback()
    annotator = as_role("smartdb_annotator")
    found = rows(annotator, "select n_gold, accuracy from smartdb.labelling_function_quality")
    assert found == [(0, None)], "annotators must not learn what is gold"


def _contents(conn: Conn) -> dict[str, set[str]]:
    """What each view of the interface shows."""
    views = rows(conn, "select viewname from pg_views where schemaname = 'smartdb' order by 1")
    return {
        view: {str(row) for row in rows(conn, f"select v::text from smartdb.{view} as v")}
        for (view,) in views
    }


SHOWS_ORIGIN = {"label", "label_history", "auto_label", "auto_label_threshold"}
"""Views that show a model's labels, with origin or method beside them."""
COUNTS_ACTORS = {"actor", "annotator_throughput", "run"}
"""Views with a row for each actor of any kind, or each run."""


def test_no_view_but_those_that_name_the_origin_is_changed_by_auto_labels(conn: Conn) -> None:
    first = datasets.create_version(conn, "pets", ontology="pets")
    conn.commit()
    before = _contents(conn)
    report = auto_labels.write(conn, mixed(said(1, GOLD), said(201, N)), Promise(prefill_from=None))
    assert report.counts["added"] > 100
    conn.execute(  # and a label that a person overtakes
        "insert into core.label (media_id, class_id, origin, actor_id, run_id)"
        " select 7, 2, 'model', actor_id, run_id from core.auto_label_threshold"
    )
    after = _contents(conn)
    changed = {view for view in after if after[view] != before[view]}
    assert changed == SHOWS_ORIGIN | COUNTS_ACTORS
    people = "select n_labels from smartdb.annotator_throughput where actor = 'ana'"
    assert rows(conn, people) == [(GOLD,)]
    conn.commit()
    assert datasets.create_version(conn, "pets").version == first.version, "nothing new"


def test_a_version_made_after_auto_labels_says_nothing_of_them(conn: Conn) -> None:
    first = datasets.create_version(conn, "pets", ontology="pets")
    conn.commit()
    auto_labels.write(conn, mixed(said(1, GOLD), said(201, N)))
    conn.execute("update core.label set rev_to = 0 where media_id = 1 and origin = 'human'")
    conn.commit()
    second = datasets.create_version(conn, "pets")
    assert (first.n_items, second.n_items) == (GOLD, GOLD - 1)
    assert second.digest.startswith(f"{2 * (GOLD - 1)}:"), "members and what people say of them"
    assert rows(conn, "select count(*) from smartdb.dataset_label_diff('pets', 1, 2)") == [(0,)]
    counts = rows(conn, "select sum(n), count(*) from smartdb.class_balance('pets', 2)")
    assert counts[0][0] == GOLD - 1
