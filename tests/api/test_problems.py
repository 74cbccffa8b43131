"""One format for every error, and what a request must look like."""

from __future__ import annotations

import base64
import json
import logging
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from smartdb.api import problems
from werkzeug.test import TestResponse

from smartdb import media
from smartdb.errors import SmartdbError

KEYS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def assert_problem(answer: TestResponse, status: int, code: str) -> Any:
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(answer.data)
    assert problem.keys() >= KEYS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v2/media", "/v1/media/", "/v1/media/one", "/static/x"]
)
def test_a_page_that_is_not_there_is_a_problem(client: FlaskClient, path: str) -> None:
    problem = assert_problem(client.get(path), 404, "not_found")
    assert (problem["type"], problem["instance"]) == ("about:blank", path)


def test_a_method_that_is_not_taken_is_a_problem_and_says_which_are(client: FlaskClient) -> None:
    answer = client.delete("/v1/media")
    assert_problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_a_parameter_that_is_not_valid_is_named(client: FlaskClient) -> None:
    problem = assert_problem(client.get("/v1/media?limit=0&colour=red"), 422, "invalid_request")
    assert {each["where"] for each in problem["errors"]} == {"query.limit", "query.colour"}
    assert problem["type"] == "/docs#problem-invalid_request"


@pytest.mark.parametrize("path", ["/v1/encoders?x=1", "/v1/media/1?x=1", "/health?x=1"])
def test_no_parameter_is_ignored(client: FlaskClient, path: str) -> None:
    problem = assert_problem(client.get(path), 422, "invalid_request")
    assert problem["errors"][0]["where"] == "query.x"


def test_a_parameter_given_twice_is_refused(client: FlaskClient) -> None:
    assert_problem(client.get("/v1/media?limit=1&limit=2"), 422, "invalid_request")


@pytest.mark.parametrize("name", ["a%00b", "", "x" * 201])
def test_a_name_that_cannot_be_one_is_refused(client: FlaskClient, name: str) -> None:
    assert_problem(client.get(f"/v1/media?class={name}"), 422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        ("{", "application/json", 400, "bad_request"),
        ("[]", "application/json", 400, "bad_request"),
        ("null", "application/json", 400, "bad_request"),
        ("[" * 100_000, "application/json", 400, "bad_request"),
        (b"\xff", "application/json", 400, "bad_request"),
        ("", "application/json", 400, "bad_request"),
        ("actor=ana", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ('{"actor": "ana"}', "text/plain", 415, "unsupported_media_type"),
        ("{" + " " * (1 << 20) + "}", "application/json", 413, "request_entity_too_large"),
    ],
)
def test_a_body_that_is_no_json_object_is_a_problem(
    client: FlaskClient, body: str | bytes, kind: str, status: int, code: str
) -> None:
    answer = client.post("/v1/tasks/claim", data=body, content_type=kind)
    assert_problem(answer, status, code)


def test_unknown_keys_and_wrong_types_are_named(client: FlaskClient) -> None:
    answer = client.post("/v1/tasks/claim", json={"actor": "ana", "n": "1", "x": 1})
    problem = assert_problem(answer, 422, "invalid_request")
    assert {each["where"] for each in problem["errors"]} == {"json.n", "json.x"}


@pytest.mark.parametrize(
    "cursor", ["x", "%%%", "bm90IGpzb24", "WzFd", "eyJhIjoxfQ", "A" * 1001, "é"]
)
def test_a_text_that_is_no_cursor_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = client.get("/v1/media", query_string={"after": cursor})
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"


def test_a_cursor_is_good_only_for_its_list_and_filter(client: FlaskClient) -> None:
    after = client.get("/v1/media?limit=1&class=cat").json["next"]
    assert client.get(f"/v1/media?limit=2&class=cat&after={after}").status_code == 200
    for path in (f"/v1/media?class=dog&after={after}", f"/v1/runs?after={after}"):
        assert_problem(client.get(path), 422, "invalid_input")


@pytest.mark.parametrize("key", [2**63, -1, 1.5, True, None, "1"])
def test_a_forged_cursor_does_no_harm(client: FlaskClient, key: Any) -> None:
    after = client.get("/v1/media?limit=1").json["next"]
    scope = json.loads(base64.urlsafe_b64decode(after + "=="))[0]
    forged = base64.urlsafe_b64encode(json.dumps([scope, key]).encode()).decode()
    assert client.get("/v1/media", query_string={"after": forged}).status_code in (200, 422)


def test_an_unforeseen_error_is_logged_and_not_shown(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(media, "_rows", fail)
    with caplog.at_level(logging.ERROR, logger="smartdb.api"):
        answer = client.get("/v1/media", headers={"X-Request-ID": "abc-1"})
    problem = assert_problem(answer, 500, "internal_server_error")
    assert b"secret" not in answer.data
    assert problem["request_id"] == "abc-1"
    assert "abc-1" in caplog.text
    assert "RuntimeError: secret" in caplog.text


@pytest.mark.parametrize("given", ["a b", "x" * 65, "ü", ""])
def test_an_odd_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/health", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_another_host_name_is_refused(client: FlaskClient) -> None:
    assert_problem(client.get("/v1/media", headers={"Host": "evil.example"}), 400, "bad_request")
    for host in ("localhost:8000", "127.0.0.1:8000"):
        assert client.get("/health", headers={"Host": host}).status_code == 200


def test_every_answer_has_the_headers_of_safety(client: FlaskClient) -> None:
    for path in ("/health", "/v1/media", "/docs", "/nowhere"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Access-Control-Allow-Origin" not in headers


def test_every_kind_of_error_has_a_code_of_its_own() -> None:
    kinds = list(problems.kinds())
    assert kinds[0] is SmartdbError
    assert len({problems.code_of(kind) for kind in kinds}) == len(kinds)
