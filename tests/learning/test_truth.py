"""Predictions carry the truth of their run's revision and dataset version, and no other."""

from __future__ import annotations

import psycopg
import pytest

from smartdb import datasets, predictions

SAME = """
insert into core.evaluation (run_id, dataset_id, version, revision, class_ids)
select %s, dataset_id, version, revision, class_ids from core.evaluation where run_id = %s
"""
COPY = """
insert into core.prediction select %(to)s, media_id, class_id, probability, confidence, margin,
    entropy, {label}, {klass}, {split} from core.prediction where run_id = %(of)s
"""
FORGED = {
    "as it is": ("true_label_id", "true_class_id", "split"),
    "no truth": ("null", "null", "split"),
    "another class": ("true_label_id", "true_class_id %% 3 + 1", "split"),
    "another label": ("true_label_id + 1", "true_class_id", "split"),
    "another split": ("true_label_id", "true_class_id", "'train'"),
    "no split": ("true_label_id", "true_class_id", "null"),
}


@pytest.fixture
def predicted(conn: psycopg.Connection) -> int:
    """A run that predicted media 1 to 40 and 401, which has no label."""
    made = datasets.create_version(conn, "fruit", ontology="things")
    ids = [*range(1, 41), 401]
    (run_id,) = conn.execute(
        "insert into core.run (kind, code_version) values ('train', '0') returning run_id"
    ).fetchone() or (0,)
    predictions.write(
        conn, run_id, ids, [1, 2, 3], [[0.5, 0.3, 0.2]] * len(ids),
        revision=made.revision, dataset="fruit", version=1,
    )  # fmt: skip
    conn.commit()
    return int(run_id)


def test_the_truth_is_that_of_the_revision_also_after_a_correction(
    conn: psycopg.Connection, predicted: int
) -> None:
    conn.execute("update core.label set rev_to = 0 where media_id = 7 and rev_to is null")
    query = (
        "select p.media_id, p.class, p.split from smartdb.prediction as p left join"
        " smartdb.dataset_item_at('fruit', 1) as i using (media_id) where p.run_id = %s"
        " and (p.class is distinct from i.class or p.split is distinct from i.split)"
    )
    assert conn.execute(query, [predicted]).fetchall() == []
    row = conn.execute(
        "select class, split, is_correct from smartdb.prediction where media_id = 401"
    ).fetchone()
    assert row == (None, None, None)


@pytest.mark.parametrize("how", FORGED)
def test_predictions_judged_against_anything_else_are_refused(
    conn: psycopg.Connection, predicted: int, how: str
) -> None:
    other = predicted + 1000
    conn.execute(
        "insert into core.run (run_id, kind, code_version) overriding system value"
        " values (%s, 'train', '0')", [other])  # fmt: skip
    conn.execute(SAME, [other, predicted])
    conn.execute("select core.add_prediction_partition(%s)", [other])
    label, klass, split = FORGED[how]
    copy = COPY.format(label=label, klass=klass, split=split)
    if how == "as it is":
        assert conn.execute(copy, {"to": other, "of": predicted}).rowcount == 41
        return
    with pytest.raises(psycopg.Error) as refused:
        conn.execute(copy, {"to": other, "of": predicted})
    assert refused.value.sqlstate == "SD002"
