"""Lists of media, one media, and media like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

Sql = Callable[..., list[tuple[Any, ...]]]


def ids(client: FlaskClient, query: str) -> list[int]:
    answer = client.get(f"/v1/media?{query}")
    assert answer.status_code == 200, answer.json
    return [item["media_id"] for item in answer.json["items"]]


def test_a_page_of_media_says_what_each_counts_as(client: FlaskClient) -> None:
    answer = client.get("/v1/media?limit=5").json
    five = answer["items"][4]
    assert (five["media_id"], five["class"], five["class_origin"]) == (5, "dog", "human")
    assert five["source"] == "toys"
    assert five["mime"] == "image/png"
    assert len(five["sha256"]) == 64
    assert [item["n_issues"] for item in answer["items"]] == [0, 0, 0, 0, 0]


def test_pages_follow_each_other_without_gap_or_repetition(client: FlaskClient) -> None:
    seen: list[int] = []
    after = ""
    while True:
        answer = client.get(f"/v1/media?limit=4{after}").json
        seen += [item["media_id"] for item in answer["items"]]
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"
    assert seen == ids(client, "limit=500")
    assert len(seen) == 15


def test_a_last_page_that_is_full_has_no_next(client: FlaskClient) -> None:
    assert client.get("/v1/media?limit=15").json["next"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("class=cat", [1, 2, 3]),
        ("class=dog&limit=500", [4, 5, 6, 7, 8, 9, 10]),
        ("source=toys&class=cat", [1, 2, 3]),
        ("label_state=unlabelled&source=toys", [11]),
        ("label_state=labelled&class=cat", [1, 2, 3]),
        ("label_state=reviewed", [5, 9]),
        ("label_state=suspected", [7]),
    ],
)
def test_media_are_filtered(client: FlaskClient, query: str, expected: list[int]) -> None:
    assert ids(client, query) == expected


def test_a_source_with_an_odd_name_is_only_a_name(client: FlaskClient) -> None:
    assert ids(client, "source=x'%20or%20true%20--") == []


def test_a_media_comes_with_all_that_is_known_of_it(client: FlaskClient) -> None:
    found = client.get("/v1/media/7").json
    assert found["class"] == "dog"
    assert found["brightness"] == pytest.approx(0.35)
    assert [label["actor"] for label in found["labels"]] == ["folder names"]
    assert [issue["suggested_class"] for issue in found["issues"]] == ["cat"]
    assert [finding["kind"] for finding in found["findings"]] == ["gps"]
    assert [place["uri"] for place in found["locations"]] == ["file:///toys/dog/7.png"]
    runs = [(p["run_id"], p["predicted_class"]) for p in found["predictions"]]
    assert runs == [(5, "dog"), (4, "dog")]
    assert "exif" not in found


def test_exact_duplicates_are_one_media_with_two_locations(client: FlaskClient) -> None:
    assert len(client.get("/v1/media/5").json["locations"]) == 2


@pytest.mark.parametrize("path", ["999", "999/similar", "999/file", "999/image", "999/thumbnail"])
def test_a_media_that_is_not_there_is_a_problem(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/v1/media/{path}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert answer.json["detail"] == "no media 999"


def test_similar_media_come_nearest_first_without_the_media_itself(client: FlaskClient) -> None:
    found = client.get("/v1/media/1/similar?k=3").json
    assert found["encoder"] == "tiny"
    assert [item["media_id"] for item in found["items"]] == [2, 3, 4]
    distances = [item["distance"] for item in found["items"]]
    assert distances == sorted(distances)
    assert found["items"][2]["class"] == "dog"


def test_similar_media_keep_to_a_class_and_a_source(client: FlaskClient) -> None:
    dogs = client.get("/v1/media/1/similar?k=10&class=dog&source=toys").json["items"]
    assert {item["class"] for item in dogs} == {"dog"}
    assert len(dogs) == 7
    assert client.get("/v1/media/1/similar?source=files").json["items"] == []


def test_a_filter_of_similar_media_is_only_a_name(client: FlaskClient) -> None:
    answer = client.get("/v1/media/1/similar?source=toys'%20or%20'a'='a")
    assert (answer.status_code, answer.json["items"]) == (200, [])


def test_a_class_that_is_not_in_use_is_named(client: FlaskClient) -> None:
    for path in ("/v1/media?class=bird", "/v1/media/1/similar?class=bird"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
        assert "'bird'" in answer.json["detail"]


def test_an_unknown_encoder_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/v1/media/1/similar?encoder=none")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert "there are: tiny" in answer.json["detail"]


def test_a_media_without_a_vector_says_how_to_get_one(client: FlaskClient) -> None:
    answer = client.get("/v1/media/11/similar")
    assert answer.status_code == 404
    assert "smartdb embed --encoder tiny" in answer.json["detail"]


def test_one_of_several_encoders_must_be_named(own: FlaskClient, run_sql: Sql) -> None:
    run_sql("select core.add_encoder('other', 4)")
    answer = own.get("/v1/media/1/similar")
    assert answer.status_code == 422
    assert "other, tiny" in answer.json["detail"]
    assert own.get("/v1/media/1/similar?encoder=tiny").status_code == 200


def test_encoders_classes_and_sources_are_listed(client: FlaskClient) -> None:
    assert [(e["name"], e["dim"]) for e in client.get("/v1/encoders").json["items"]] == [
        ("tiny", 3)
    ]
    paths = [c["path"] for c in client.get("/v1/classes?ontology=animals").json["items"]]
    assert paths == ["pet", "pet > cat", "pet > dog"]
    sources = {s["source"]: s for s in client.get("/v1/sources").json["items"]}
    assert (sources["toys"]["n_refused"], sources["files"]["n_media"]) == (1, 4)
