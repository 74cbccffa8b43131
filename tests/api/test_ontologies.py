"""Ontologies over HTTP."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_ontologies_their_versions_and_changes_are_told(client: FlaskClient) -> None:
    items = client.get("/v1/ontologies").get_json()["items"]
    assert [(v["ontology"], v["version"], v["n_rules"]) for v in items] == [
        ("animals", 1, 0), ("garden", 1, 0), ("garden", 2, 0), ("garden", 3, 2),
    ]  # fmt: skip
    first = client.get("/v1/ontologies/garden?version=1").get_json()
    assert (first["version"], [c["class"] for c in first["classes"]]) == (
        1,
        ["plant", "flower", "weed"],
    )
    newest = client.get("/v1/ontologies/garden").get_json()
    blossom = newest["classes"][1]
    assert (newest["version"], blossom["parent"], blossom["kinds"]) == (
        3,
        "plant",
        ["classification", "box", "polygon"],
    )
    assert blossom["attributes"][1]["when"] == {"colour": ["red"]}
    changes = client.get("/v1/ontologies/garden/diff?version_a=2").get_json()["items"]
    assert [(c["change"], c["class_a"], c["class_b"]) for c in changes] == [
        ("class renamed", "flower", "blossom"), ("class merged", "weed", "plant"),
    ]  # fmt: skip
    assert client.get("/v1/ontologies/garden/unfit").get_json() == {"items": []}
    for path, status in (
        ("rocks", 404), ("garden?version=4", 404), ("garden?version=0", 422),
        ("garden/diff", 422), ("garden/diff?version_a=3&version_b=1", 422), ("rocks/unfit", 404),
    ):  # fmt: skip
        assert client.get(f"/v1/ontologies/{path}").status_code == status, path
