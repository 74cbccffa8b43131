"""Dataset versions, runs and what they measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

Sql = Callable[..., list[tuple[Any, ...]]]


def test_versions_are_listed_newest_first_in_pages(client: FlaskClient) -> None:
    page = client.get("/v1/datasets/versions?limit=1").json
    assert [(v["dataset"], v["version"]) for v in page["items"]] == [("pets", 2)]
    rest = client.get(f"/v1/datasets/versions?limit=1&after={page['next']}").json
    assert [(v["version"], v["message"]) for v in rest["items"]] == [(1, "first")]
    assert rest["next"] is None
    assert client.get("/v1/datasets/versions?dataset=none").json["items"] == []


def test_a_version_comes_with_the_balance_of_its_classes(client: FlaskClient) -> None:
    found = client.get("/v1/datasets/pets/versions/1").json
    balance = {(b["split"], b["class"]): b["n"] for b in found["class_balance"]}
    assert (found["n_items"], sum(balance.values())) == (9, 9)
    assert balance["train", "cat"] == 3
    assert found["digest"]


def test_a_dataset_with_a_slash_in_its_name_is_found(own: FlaskClient, run_sql: Sql) -> None:
    run_sql("update core.dataset set name = 'a/b ü'")
    assert own.get("/v1/datasets/a/b%20%C3%BC/versions/2").json["dataset"] == "a/b ü"


def test_what_is_said_of_versions_is_told(client: FlaskClient) -> None:
    tags = client.get("/v1/datasets/pets/tags").json["items"]
    assert [(t["tag"], t["version"], t["is_live"]) for t in tags] == [
        ("production", 1, False),
        ("production", 2, True),
    ]
    found = client.get("/v1/datasets/pets/diff?a=1&b=2&limit=1").json
    assert (found["n"], len(found["items"])) == (3, 1)
    assert found["n_by_change"] == {"added": 1, "removed": 1, "relabelled": 1}
    labels = client.get("/v1/datasets/pets/diff?a=1&b=2&of=labels").json["items"]
    assert [(row["media_id"], row["change"]) for row in labels] == [(5, "relabelled")]
    assert client.get("/v1/datasets/pets/versions/1/verdict").json["is_ok"] is True
    assert client.get("/v1/datasets/pets/versions/9/verdict").status_code == 404
    assert client.get("/v1/datasets/pets/diff?a=2&b=1").status_code == 422


@pytest.mark.parametrize("path", ["pets/versions/3", "none/versions/1", "a%00b/versions/1"])
def test_a_version_that_is_not_there_is_a_problem(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/v1/datasets/{path}")
    assert answer.status_code in (404, 422)
    assert answer.mimetype == "application/problem+json"


def test_runs_are_listed_newest_first_and_filtered(client: FlaskClient) -> None:
    page = client.get("/v1/runs?limit=2").json
    rest = client.get(f"/v1/runs?limit=50&after={page['next']}").json
    numbers = [run["run_id"] for run in page["items"] + rest["items"]]
    assert numbers == sorted(numbers, reverse=True)
    train = client.get("/v1/runs?kind=train&status=succeeded").json["items"]
    assert [run["run_id"] for run in train] == [5, 4]


def test_a_run_says_what_it_trained(client: FlaskClient) -> None:
    found = client.get("/v1/runs/5").json
    assert (found["model"], found["dataset"], found["version"]) == ("pets", "pets", 2)
    assert (found["classes"], found["test_accuracy"]) == (["cat", "dog"], 0.75)
    ingest = client.get("/v1/runs/1").json
    assert (ingest["kind"], ingest["model"], ingest["seconds"]) == ("ingest", None, 2.0)


def test_metrics_of_a_run_have_the_final_values_first(client: FlaskClient) -> None:
    items = client.get("/v1/runs/4/metrics").json["items"]
    assert [(m["name"], m["step"]) for m in items] == [("accuracy", None), ("loss", 1), ("loss", 2)]


def test_class_metrics_and_confusion_are_of_a_split(client: FlaskClient) -> None:
    classes = {c["class"]: c for c in client.get("/v1/runs/5/classes").json["items"]}
    cells = client.get("/v1/runs/5/confusion").json["items"]
    assert sum(cell["n"] for cell in cells) == sum(c["n_true"] for c in classes.values())
    assert (classes["dog"]["n_true"], classes["dog"]["n_right"]) == (4, 3)
    assert classes["cat"]["recall"] is None
    train = client.get("/v1/runs/5/confusion?split=train").json["items"]
    assert sum(cell["n"] for cell in train) == 5


def test_worst_slices_come_worst_first(client: FlaskClient) -> None:
    items = client.get("/v1/runs/4/slices?min_n=1").json["items"]
    assert items
    assert [s["z"] for s in items] == sorted(s["z"] for s in items)
    assert client.get("/v1/runs/4/slices?min_n=1000").json["items"] == []


def test_errors_come_in_pages_the_most_confident_first(client: FlaskClient) -> None:
    everything = client.get("/v1/runs/4/errors").json["items"]
    assert [e["confidence"] for e in everything] == sorted(
        (e["confidence"] for e in everything), reverse=True
    )
    seen, after = [], ""
    while after is not None:
        page = client.get(f"/v1/runs/4/errors?limit=1{after and f'&after={after}'}").json
        seen += page["items"]
        after = page["next"]
    assert seen == everything
    assert len(seen) >= 2


def test_errors_are_filtered(client: FlaskClient) -> None:
    found = client.get("/v1/runs/5/errors?split=test&class=dog&predicted_class=cat").json["items"]
    assert [e["media_id"] for e in found] == [10]
    assert client.get("/v1/runs/5/errors?class=cat&predicted_class=cat").json["items"] == []


@pytest.mark.parametrize("what", ["", "/metrics", "/classes", "/confusion", "/slices", "/errors"])
def test_a_run_that_is_not_there_is_a_problem(client: FlaskClient, what: str) -> None:
    answer = client.get(f"/v1/runs/999{what}")
    assert (answer.status_code, answer.json["detail"]) == (404, "no run 999")


def test_a_split_that_there_is_not_is_refused(client: FlaskClient) -> None:
    answer = client.get("/v1/runs/4/classes?split=all")
    assert answer.json["errors"][0]["where"] == "query.split"
