"""Search over HTTP: words, saved texts, examples, or words and one of these."""

from __future__ import annotations

from flask.testing import FlaskClient


def found(client: FlaskClient, query: str) -> list[int]:
    return [item["media_id"] for item in client.get(f"/v1/search?{query}").json["items"]]


def test_words_examples_and_prompts_find_media(client: FlaskClient) -> None:
    assert found(client, "text=cat&k=2") == [1, 2]
    assert found(client, "more=6&more=7&fewer=1&k=3") == [8, 9, 10]
    assert found(client, "more=6&k=1&class=cat") == [3]
    assert found(client, "prompt=a%20cat&k=2&source=toys") == [4, 5]
    both = client.get("/v1/search?text=dog&prompt=a%20cat&k=10").json["items"]
    assert {(item["text_rank"] is None) for item in both} == {True, False}
    assert both[0]["class"] == "dog"
    assert 12 not in found(client, "text=new&k=200")  # it is restricted


def test_what_cannot_be_searched_for_is_a_problem(client: FlaskClient) -> None:
    for query, code, why in (
        ("", 422, "say what to search for"),
        ("text=the", 422, "nothing to look for"),
        ("fewer=1", 422, "more like"),
        ("prompt=a%20dog", 404, "smartdb prompt add"),
        ("more=900", 404, "no vector"),
        ("text=cat&class=bird", 422, "'bird'"),
        ("more=x", 422, None),
    ):
        answer = client.get(f"/v1/search?{query}")
        assert answer.status_code == code, query
        assert why is None or why in answer.json["detail"]
