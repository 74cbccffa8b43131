"""Tags over HTTP: all that match at once, safely."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient


def post(client: FlaskClient, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(path, json=body)
    return answer.status_code, answer.get_json()


def test_tags_go_on_and_off_what_matches(own: FlaskClient) -> None:
    wish = {"tag": "dark", "actor": "ana"}
    assert post(
        own, "/v1/media/tags", **wish, predicate="m.media_id < 4 and m.brightness < 0.2"
    ) == (
        200,
        {"tag": "dark", "n": 3},
    )
    assert post(own, "/v1/media/tags", **wish, media_ids=[3, 4, 12])[1]["n"] == 1
    assert post(own, "/v1/media/tags", **wish, slice="dim", media_ids=[5, 6])[1]["n"] == 1
    gone = post(own, "/v1/media/tags/remove", tag="dark", predicate="m.media_id < 3")
    assert gone == (200, {"tag": "dark", "n": 2})
    items = own.get("/v1/tags").get_json()["items"]
    assert [(item["tag"], item["n_media"]) for item in items] == [("dark", 3), ("night", 2)]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({}, 422, "say which media"),
        ({"predicate": "true; drop table core.slice"}, 422, "syntax error"),
        ({"predicate": "nextval('core.revision') > 0"}, 422, "read-only"),
        ({"predicate": "set_config('role', 'smartdb_owner', true) = ''"}, 422, "neither change"),
        ({"slice": "nowhere"}, 404, "no slice nowhere"),
        ({"media_ids": [0]}, 422, "media_ids"),
    ],
)
def test_what_makes_no_sense_is_a_problem(
    client: FlaskClient, body: dict[str, Any], status: int, detail: str
) -> None:
    found, problem = post(client, "/v1/media/tags", tag="x", actor="ana", **body)
    assert (found, detail in problem["detail"]) == (status, True), problem
