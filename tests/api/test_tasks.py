"""Tasks and reviews: claim, answer, give back, judge."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

Sql = Callable[..., list[tuple[Any, ...]]]


def claim(client: FlaskClient, actor: str, kind: str = "label", **more: Any) -> list[Any]:
    answer = client.post("/v1/tasks/claim", json={"actor": actor, "kind": kind, **more})
    assert answer.status_code == 200, answer.json
    return list(answer.json["items"])


def test_waiting_tasks_are_listed_without_restricted_media(client: FlaskClient) -> None:
    assert [t["media_id"] for t in client.get("/v1/tasks").json["items"]] == [11]
    reviews = client.get("/v1/tasks?kind=review").json["items"]
    assert [(t["label_id"], t["priority"]) for t in reviews] == [(7, 0.3)]


def test_tasks_come_in_pages(own: FlaskClient, run_sql: Sql) -> None:
    run_sql(
        "insert into core.task (kind, media_id, priority) "
        "select 'label', i, i % 3 from generate_series(1, 8) as i"
    )
    seen, after = [], ""
    while after is not None:
        page = own.get(f"/v1/tasks?limit=2{after and f'&after={after}'}").json
        seen += [(t["priority"], t["media_id"]) for t in page["items"]]
        after = page["next"]
    assert len(seen) == 9
    assert seen == sorted(seen, key=lambda each: (-each[0], (each[1] == 11 and -1) or each[1]))


def test_a_claimed_task_is_answered_with_a_class(own: FlaskClient, run_sql: Sql) -> None:
    (task,) = claim(own, "ana")
    assert (task["media_id"], task["label_id"]) == (11, None)
    body = {"actor": "ana", "class": "cat", "confidence": 0.5}
    answer = own.post(f"/v1/tasks/{task['task_id']}/submit", json=body)
    assert answer.status_code == 200, answer.json
    found = own.get("/v1/media/11").json
    assert (found["class"], found["class_origin"]) == ("cat", "human")
    said = {label["label_id"]: label["confidence"] for label in found["labels"]}
    assert said[answer.json["label_id"]] == 0.5
    assert claim(own, "bo") == []


def test_an_answer_sent_twice_writes_one_label(own: FlaskClient, run_sql: Sql) -> None:
    (task,) = claim(own, "ana")
    path = f"/v1/tasks/{task['task_id']}/submit"
    answers = [own.post(path, json={"actor": "ana", "class": "cat"}) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 409]
    query = "select count(*) from core.label where media_id = 11 and origin = 'human'"
    assert run_sql(query) == [(1,)]


def test_a_task_that_is_given_back_is_skipped(own: FlaskClient) -> None:
    (task,) = claim(own, "ana")
    answer = own.post(f"/v1/tasks/{task['task_id']}/skip", json={"actor": "ana"})
    assert (answer.status_code, answer.json["state"]) == (200, "skipped")
    assert claim(own, "ana") == []


def test_somebody_elses_task_is_a_conflict(own: FlaskClient) -> None:
    (task,) = claim(own, "ana")
    answers = {"submit": {"class": "cat"}, "skip": {}, "review": {"verdict": "accepted"}}
    for what, more in answers.items():
        answer = own.post(f"/v1/tasks/{task['task_id']}/{what}", json={"actor": "bo", **more})
        assert (answer.status_code, answer.json["code"]) == (409, "lease_lost")
        assert answer.json["sqlstate"] == "SD004"
        assert "leased to ana" in answer.json["detail"]


def test_a_lease_that_ran_out_opens_the_task_to_others(own: FlaskClient, run_sql: Sql) -> None:
    (task,) = claim(own, "ana", lease_seconds=10)
    assert claim(own, "bo") == []
    run_sql("update core.task set lease_until = now() - interval '1 s' where state = 'claimed'")
    assert [t["task_id"] for t in claim(own, "bo")] == [task["task_id"]]


UNFIT: list[tuple[dict[str, Any], int]] = [
    ({"actor": "ana", "class": "bird"}, 404),
    ({"actor": "ana"}, 422),
    ({"actor": "ana", "class": "cat", "colour": "red"}, 422),
    ({"actor": "ana", "class": "cat", "confidence": 2}, 422),
    ({"actor": "ana", "class": "cat", "confidence": "0.5"}, 422),
    ({"actor": "", "class": "cat"}, 422),
    ({"actor": "a\0na", "class": "cat"}, 422),
    ({"actor": "ana", "class": "\ud800"}, 422),
    ({"actor": 7, "class": "cat"}, 422),
]


def test_an_answer_that_does_not_fit_changes_nothing(own: FlaskClient, run_sql: Sql) -> None:
    (task,) = claim(own, "ana")
    before = run_sql("select * from core.task order by task_id")
    for body, status in UNFIT:
        answer = own.post(f"/v1/tasks/{task['task_id']}/submit", json=body)
        assert answer.status_code == status, body
    assert run_sql("select * from core.task order by task_id") == before
    good = {"actor": "ana", "class": "cat"}
    assert own.post(f"/v1/tasks/{task['task_id']}/submit", json=good).status_code == 200


@pytest.mark.parametrize(
    "path", ["tasks/999/submit", "tasks/999/skip", "tasks/999/review", "labels/999/review"]
)
def test_work_that_is_not_there_is_a_problem(client: FlaskClient, path: str) -> None:
    body = {"actor": "ana"}
    body |= {"class": "cat"} if path.endswith("submit") else {}
    body |= {"verdict": "accepted"} if path.endswith("review") else {}
    answer = client.post(f"/v1/{path}", json=body)
    assert (answer.status_code, answer.json["sqlstate"]) == (404, "SD001")


def test_an_importer_cannot_be_impersonated(client: FlaskClient) -> None:
    answer = client.post("/v1/tasks/claim", json={"actor": "folder names"})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")


def test_two_claimers_never_get_one_task(app: Flask, run_sql: Sql) -> None:
    run_sql("insert into core.task (kind, media_id) select 'label', generate_series(1, 10)")
    got: Counter[int] = Counter()
    lock = threading.Lock()

    def work(actor: str) -> None:
        client = app.test_client()
        while tasks := claim(client, actor, n=2):
            with lock:
                got.update(t["task_id"] for t in tasks)

    threads = [threading.Thread(target=work, args=(f"person {i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 11
    assert set(got.values()) == {1}


def test_the_review_queue_says_what_is_suspected(client: FlaskClient) -> None:
    (item,) = client.get("/v1/reviews/queue").json["items"]
    assert (item["label_id"], item["class"], item["suggested_class"]) == (7, "dog", "cat")
    assert (item["actor"], item["task_state"]) == ("folder names", "open")
    assert client.get("/v1/reviews/queue?kind=overlooked").json["items"] == []


def test_the_review_queue_comes_in_pages(own: FlaskClient, run_sql: Sql) -> None:
    run_sql(
        "insert into core.label_issue (media_id, label_id, kind, score, run_id) "
        "select media_id, label_id, 'odd', (label_id % 3) / 10.0, 4 from core.label "
        "where rev_to is null and media_id <> 12"
    )
    seen, after = [], ""
    while after is not None:
        page = own.get(f"/v1/reviews/queue?limit=3{after and f'&after={after}'}").json
        seen += [(-q["score"], q["issue_id"]) for q in page["items"]]
        after = page["next"]
    assert seen == sorted(set(seen))
    assert run_sql("select count(*) from smartdb.review_queue") == [(len(seen),)]
    odd = own.get("/v1/reviews/queue?kind=odd&limit=500").json["items"]
    assert len(odd) == len(seen) - 1


def test_a_review_task_shows_the_label_and_is_answered(own: FlaskClient) -> None:
    (task,) = claim(own, "bo", "review")
    assert (task["class"], task["labelled_by"]) == ("dog", "folder names")
    assert (task["suggested_class"], task["issue_kind"]) == ("cat", "swapped")
    body = {"actor": "bo", "verdict": "corrected", "class": "cat", "reason": "whiskers"}
    answer = own.post(f"/v1/tasks/{task['task_id']}/review", json=body)
    assert answer.status_code == 200, answer.json
    assert own.get("/v1/media/7").json["class"] == "cat"
    assert own.get("/v1/reviews/queue").json["items"] == []


def test_a_label_is_judged_without_a_task(own: FlaskClient, run_sql: Sql) -> None:
    answer = own.post("/v1/labels/7/review", json={"actor": "bo", "verdict": "accepted"})
    found = run_sql("select reviewer, verdict from smartdb.review where review_id = %s",
                    answer.json["review_id"])  # fmt: skip
    assert found == [("bo", "accepted")]


@pytest.mark.parametrize(
    ("label", "body", "status"),
    [
        (7, {"verdict": "corrected"}, 422),
        (7, {"verdict": "accepted", "class": "cat"}, 422),
        (7, {"verdict": "perhaps"}, 422),
        (7, {"verdict": "corrected", "class": "bird"}, 404),
        (5, {"verdict": "accepted"}, 409),  # it was corrected before
    ],
)
def test_a_verdict_that_does_not_fit_is_refused(
    client: FlaskClient, label: int, body: dict[str, Any], status: int
) -> None:
    answer = client.post(f"/v1/labels/{label}/review", json={"actor": "bo", **body})
    assert answer.status_code == status, answer.json


def test_nobody_reviews_their_own_label(own: FlaskClient, run_sql: Sql) -> None:
    ((label,),) = run_sql("select label_id from smartdb.label where actor = 'ana' and media_id = 1")
    answer = own.post(f"/v1/labels/{label}/review", json={"actor": "ana", "verdict": "accepted"})
    assert (answer.status_code, answer.json["sqlstate"]) == (422, "SD002")


def test_an_answer_of_any_kind_is_written_once_and_a_refused_one_is_kept(own: FlaskClient) -> None:
    (task,) = claim(own, "ana")
    path = f"/v1/tasks/{task['task_id']}/answer"
    box = {"class": "cat", "kind": "box", "x": 1, "y": 2, "w": 9, "h": 9}
    refused = own.post(path, json={"actor": "ana", "labels": [{**box, "class": "cow"}]})
    assert (refused.status_code, "no class cow" in refused.json["detail"]) == (404, True)
    (kept,) = [
        each for each in own.get("/v1/submissions?actor=ana").json["items"]
        if each["submission_id"] == refused.json["submission_id"]
    ]  # fmt: skip
    assert kept["labels"][0]["class"] == "cow"
    assert own.post(f"/v1/tasks/{task['task_id']}/renew", json={"actor": "ana"}).status_code == 200
    body = {"actor": "ana", "labels": [box], "key": "a", "seconds": 3.5}
    answers = [own.post(path, json=body).json for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(answers[0]["label_ids"]) == 1
    assert own.get("/v1/projects").json["items"][0]["instructions"].startswith("What is it?")
