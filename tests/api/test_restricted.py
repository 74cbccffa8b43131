"""A restricted media is nowhere to be seen, and nobody can work on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

Sql = Callable[..., list[tuple[Any, ...]]]


LISTS = (
    "media?limit=500",
    "media?class=cat",
    "media?source=files",
    "media?label_state=labelled&limit=500",
    "media?label_state=suspected",
    "media/1/similar?k=100",
    "tasks",
    "tasks?kind=review",
    "reviews/queue",
    "runs/5/errors",
)


@pytest.fixture
def hidden(own: FlaskClient, run_sql: Sql, furnished: Any) -> int:
    """A media with a file, a vector, a label, a suspicion, tasks and a prediction: restricted."""
    media_id = int(furnished.media["lying.jpg"])
    run_sql("insert into core.embedding_1 (media_id, v) values (%s, '[1,0.1,0.02]')", media_id)
    ((label_id,),) = run_sql(
        "insert into core.label (media_id, class_id, origin, actor_id) values (%s, 2, 'import', 1) "
        "returning label_id", media_id)  # fmt: skip
    run_sql("insert into core.label_issue "
            "(media_id, label_id, kind, score, suggested_class_id, run_id) "
            "values (%s, %s, 'swapped', 1, 3, 4)", media_id, label_id)  # fmt: skip
    run_sql("insert into core.task (kind, media_id, priority) values ('label', %s, 9)", media_id)
    run_sql("insert into core.task (kind, media_id, label_id, priority) "
            "values ('review', %s, %s, 9)", media_id, label_id)  # fmt: skip
    run_sql("insert into core.finding (media_id, kind, run_id) values (%s, 'face', 1)", media_id)
    run_sql("update core.evaluation set revision = nextval('core.revision') where run_id = 5")
    run_sql("insert into core.prediction (run_id, media_id, class_id, probability, confidence, "
            "margin, entropy, true_label_id, true_class_id) "
            "select 5, %s, 3, '{0,1}', 1, 1, 0, l.label_id, l.class_id "
            "from core.label as l where l.label_id = %s", media_id, label_id)  # fmt: skip
    assert everything(own, media_id) == list(LISTS)  # it can be seen, so these tests can fail
    run_sql("insert into core.restriction (media_id, reason) values (%s, 'consent')", media_id)
    return media_id


def everything(client: FlaskClient, media_id: int) -> list[str]:
    """The lists that show a media."""
    return [
        name
        for name in LISTS
        if media_id in {item["media_id"] for item in client.get(f"/v1/{name}").json["items"]}
    ]


def test_it_is_in_no_list(own: FlaskClient, hidden: int) -> None:
    assert everything(own, hidden) == []


def test_it_is_answered_as_if_it_did_not_exist(own: FlaskClient, hidden: int) -> None:
    for what in ("", "/similar", "/file", "/image", "/thumbnail"):
        answer = own.get(f"/v1/media/{hidden}{what}")
        nowhere = own.get(f"/v1/media/999{what}")
        assert (answer.status_code, nowhere.status_code) == (404, 404)
        assert answer.json["detail"].replace(str(hidden), "999") == nowhere.json["detail"]


def test_what_a_browser_kept_is_not_confirmed(own: FlaskClient, run_sql: Sql, hidden: int) -> None:
    kinds = ("file", "image", "thumbnail")
    run_sql("delete from core.restriction where media_id = %s", hidden)
    tags = {kind: own.get(f"/v1/media/{hidden}/{kind}").headers["ETag"] for kind in kinds}
    run_sql("insert into core.restriction (media_id, reason) values (%s, 'consent')", hidden)
    for kind, tag in tags.items():
        again = own.get(f"/v1/media/{hidden}/{kind}", headers={"If-None-Match": tag})
        assert again.status_code == 404


def test_nobody_can_work_on_it(own: FlaskClient, run_sql: Sql, hidden: int) -> None:
    for kind in ("label", "review"):
        body = {"actor": "bo", "kind": kind, "n": 100}
        items = own.post("/v1/tasks/claim", json=body).json["items"]
        assert hidden not in {item["media_id"] for item in items}
    ((label_id,),) = run_sql("select max(label_id) from core.label_issue")
    answer = own.post(f"/v1/labels/{label_id}/review", json={"actor": "bo", "verdict": "accepted"})
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_task_claimed_before_can_no_longer_be_answered(
    own: FlaskClient, run_sql: Sql, hidden: int
) -> None:
    run_sql("delete from core.restriction where media_id = %s", hidden)
    (task,) = own.post("/v1/tasks/claim", json={"actor": "bo"}).json["items"]
    assert task["media_id"] == hidden
    run_sql("insert into core.restriction (media_id, reason) values (%s, 'consent')", hidden)
    path = f"/v1/tasks/{task['task_id']}/submit"
    assert own.post(path, json={"actor": "bo", "class": "cat"}).status_code == 404


def test_its_numbers_are_in_no_metric(own: FlaskClient, run_sql: Sql, hidden: int) -> None:
    before = own.get("/v1/runs/5/confusion").json
    run_sql("delete from core.prediction where media_id = %s", hidden)
    assert own.get("/v1/runs/5/confusion").json == before


def test_a_finding_that_its_source_forbids_hides_it_at_once(
    own: FlaskClient, run_sql: Sql, hidden: int
) -> None:
    run_sql("delete from core.restriction where media_id = %s", hidden)
    run_sql("update core.source set forbidden_finding = '{plate}'")
    assert everything(own, hidden) == list(LISTS)  # it shows a face, which is not forbidden
    run_sql("insert into core.finding (media_id, kind, run_id) values (%s, 'plate', 1)", hidden)
    assert everything(own, hidden) == []
    assert own.get(f"/v1/media/{hidden}").status_code == 404
    run_sql("select smartdb.resolve_finding(max(finding_id), 'false') from core.finding")
    assert everything(own, hidden) == list(LISTS)
