"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

OUTSIDE = {"/openapi.json", "/docs"}


@pytest.fixture
def document(client: FlaskClient) -> Any:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return answer.json


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for each in value if isinstance(value, list) else []:
        yield from parts(each)


def test_every_route_is_in_the_document(shared_app: Flask, document: Any) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", str(rule)))
        for rule in shared_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(method, path) for method, path, _ in operations(document)}
    assert described == {route for route in routes if route[1] not in OUTSIDE}


def test_the_document_is_openapi_3_1(document: Any) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document.keys() <= {"openapi", "info", "paths", "components", "tags", "security"}
    assert document["info"].keys() >= {"title", "version"}
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in document["tags"]}
    for _, path, operation in operations(document):
        assert set(operation["tags"]) <= tags
        assert operation["summary"]
        in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        for parameter in operation["parameters"]:
            assert parameter["in"] in ("path", "query")
            assert parameter["in"] == "query" or parameter["required"] is True
            assert parameter["schema"]
        assert all(re.fullmatch(r"[2345]\d\d", status) for status in operation["responses"])
        assert all(response["description"] for response in operation["responses"].values())


def test_every_reference_leads_somewhere(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in schemas)
    references = {part["$ref"] for part in parts(document) if "$ref" in part}
    assert references
    assert references <= {f"#/components/schemas/{name}" for name in schemas}
    assert not any("$defs" in part for part in parts(document))


def test_every_operation_says_that_its_errors_are_problems(document: Any) -> None:
    for _, path, operation in operations(document):
        assert {"200", "422", "500", "503"} <= operation["responses"].keys()
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], path
            elif status > "200":
                assert "content" not in response


def test_bytes_are_described_by_their_types(document: Any) -> None:
    answers = document["paths"]["/v1/media/{media_id}/thumbnail"]["get"]["responses"]
    assert list(answers["200"]["content"]) == ["image/jpeg"]


def test_answers_hold_exactly_the_keys_that_are_described(
    client: FlaskClient, document: Any
) -> None:
    paths = ["/v1/media", "/v1/media/7", "/v1/media/1/similar", "/v1/runs", "/v1/runs/5",
             "/v1/runs/4/errors", "/v1/tasks", "/v1/reviews/queue", "/v1/datasets/versions",
             "/v1/datasets/pets/versions/2", "/v1/classes", "/v1/sources", "/health"]  # fmt: skip
    known = {re.sub(r"{\w+}", r"[^/]+", path): path for path in document["paths"]}
    for path in paths:
        rule = min((p for p in known if re.fullmatch(p, path)), key=lambda p: p.count("[^/]+"))
        response = document["paths"][known[rule]]["get"]["responses"]["200"]
        schema = response["content"]["application/json"]["schema"]
        _check(client.get(path).json, schema, document["components"]["schemas"])


def _check(value: Any, schema: Any, schemas: Any) -> None:
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, dict) and "properties" in schema:
        assert value.keys() == schema["properties"].keys()
        for key, each in value.items():
            _check(each, schema["properties"][key], schemas)
    if isinstance(value, list) and "items" in schema:
        for each in value:
            _check(each, schema["items"], schemas)


def test_the_page_shows_every_operation_and_asks_no_other_host(
    client: FlaskClient, document: Any
) -> None:
    answer = client.get("/docs")
    page = answer.get_data(as_text=True)
    assert answer.mimetype == "text/html"
    for _, path, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page
        assert f"<code>{path}</code>" in page
    assert 'id="problem-lease_lost"' in page
    assert "//" not in page
    assert "<script" not in page
    anchors = set(re.findall(r'href="#([^"]+)"', page))
    assert anchors <= set(re.findall(r'id="([^"]+)"', page))


def test_the_document_names_no_host(client: FlaskClient) -> None:
    assert "://" not in client.get("/openapi.json").get_data(as_text=True)


def test_the_page_sets_code_as_code(client: FlaskClient) -> None:
    page = client.get("/docs").get_data(as_text=True)
    assert "<td><code>next</code> of the page before.</td>" in page
    assert "&lt;code&gt;" not in page
