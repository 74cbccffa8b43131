"""Suspicions answered, verdicts disputed and settled, and comments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

Sql = Callable[..., list[tuple[Any, ...]]]

OVERLOOKED = """
insert into core.label_issue (media_id, kind, score, suggested_class_id, suggestion, run_id)
select 7, 'overlooked', 0.9, class_id, '{"kind": "box", "x": 4, "y": 2, "w": 9, "h": 8}', 4
from smartdb.ontology_class where class = 'cat'
returning issue_id
"""


def post(client: FlaskClient, path: str, **body: Any) -> Any:
    answer = client.post(f"/v1/{path}", json=body)
    assert answer.status_code == 200, answer.json
    return answer.json


def test_an_overlooked_label_is_shown_and_written_where_it_is_confirmed(
    own: FlaskClient, run_sql: Sql
) -> None:
    ((issue,),) = run_sql(OVERLOOKED)
    (item, _) = own.get("/v1/reviews/queue").json["items"]
    assert (item["issue_id"], item["label_id"], item["class"]) == (issue, None, None)
    assert (item["suggested_class"], item["suggestion"]["w"]) == ("cat", 9)
    assert own.get("/v1/media/7").json["issues"][0]["label_id"] is None
    said = {"actor": "bo", "verdict": "confirmed", "correction": {"w": 10}}
    written = post(own, f"issues/{issue}/resolve", **said)["label_id"]
    (box,) = [x for x in own.get("/v1/media/7").json["labels"] if x["label_id"] == written]
    assert (box["class"], box["x"], box["w"], box["actor"]) == ("cat", 4, 10, "bo")
    again = own.post(f"/v1/issues/{issue}/resolve", json=said)
    assert (again.status_code, again.json["sqlstate"]) == (409, "SD005")


def test_a_dismissed_suspicion_leaves_the_label(own: FlaskClient) -> None:
    (item,) = own.get("/v1/reviews/queue").json["items"]
    path = f"issues/{item['issue_id']}/resolve"
    assert post(own, path, actor="bo", verdict="dismissed") == {"label_id": None}
    assert own.get("/v1/reviews/queue").json["items"] == []
    assert own.get("/v1/media/7").json["class"] == "dog"


def test_a_correction_is_a_label_object(own: FlaskClient, run_sql: Sql) -> None:
    changes = {"class": "cat", "attributes": {"seen": "from behind"}}
    post(own, "labels/7/review", actor="bo", verdict="corrected", correction=changes)
    found = run_sql("select class, attributes, actor from smartdb.label where media_id = 7")
    assert found == [("cat", {"seen": "from behind"}, "bo")]


def test_a_dispute_waits_for_an_adjudicator_who_settles_it(own: FlaskClient, run_sql: Sql) -> None:
    post(own, "labels/7/review", actor="bo", verdict="accepted")
    post(own, "labels/7/dispute", actor="cy", reason="a cat")
    settled = {"verdict": "corrected", "class": "cat"}
    answer = own.post("/v1/labels/7/adjudicate", json={"actor": "bo", **settled})
    assert answer.status_code == 422  # judged it before
    post(own, "labels/7/adjudicate", actor="di", **settled)
    assert run_sql("select class, actor from smartdb.label where media_id = 7") == [("cat", "di")]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("issues/999/resolve", {"verdict": "confirmed"}, 404),
        ("issues/1/resolve", {"verdict": "perhaps"}, 422),
        ("issues/3/resolve", {"verdict": "dismissed", "correction": {"w": 1}}, 422),
        ("labels/7/review", {"verdict": "corrected", "correction": {"colour": 1}}, 422),
        ("labels/7/review", {"verdict": "accepted", "correction": {"w": 1}}, 422),
        ("labels/7/dispute", {"reason": "no verdict yet"}, 409),
        ("labels/7/dispute", {}, 422),
        ("labels/7/adjudicate", {"verdict": "accepted"}, 409),
        ("comments", {"text": "about nothing"}, 422),
        ("comments", {"text": "x", "media_id": 12}, 404),  # restricted
    ],
)
def test_what_does_not_fit_is_a_problem(
    client: FlaskClient, path: str, body: dict[str, Any], status: int
) -> None:
    answer = client.post(f"/v1/{path}", json={"actor": "bo", **body})
    assert answer.status_code == status, answer.json


def test_comments_are_kept_with_what_they_are_about(own: FlaskClient) -> None:
    first = post(own, "comments", actor="bo", text="a dog?", label_id=7)["comment_id"]
    post(own, "comments", actor="cy", text="from behind", reply_to=first)
    said = own.get("/v1/media/7/comments").json["items"]
    assert [(c["actor"], c["text"], c["label_id"]) for c in said] == [
        ("bo", "a dog?", 7), ("cy", "from behind", 7),
    ]  # fmt: skip
    assert said[1]["reply_to"] == first
