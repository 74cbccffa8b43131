"""What docs/how-to-labels.md says is so, and the same over HTTP."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from smartdb.api import create_app

PAGE = (Path(__file__).parents[2] / "docs" / "how-to-labels.md").read_text()
SHAPES = Path(__file__).with_name("shapes.py")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


def test_the_labels_page_runs_and_the_api_does_the_same(
    cli: Callable[..., Any],
    as_role: Callable[[str], psycopg.Connection[Any]],
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(SHAPES))["draw"](tmp_path / "shapes")
    assert cli("ingest", "shapes", "--workers", "1").exit_code == 0
    assert cli("labels", "import-folders", "--ontology", "shapes").exit_code == 0
    outputs = []
    for line in blocks("sh")[0].splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
        outputs.append(done.stdout)
    assert "the rim too" in outputs[2]
    assert (tmp_path / "disc.png").stat().st_size > 1000
    stale = cli("label", "edit", "188", '{"w": 33}', "--as", "ana")
    assert stale.exit_code == 1
    assert "theirs: removed" in stale.stderr
    annotator = as_role("smartdb_annotator")
    for block in blocks("sql"):
        for statement in block.split(";\n"):
            annotator.execute(statement.encode())
    annotator.commit()

    app = create_app(database)
    client = app.test_client()
    box = {"class": "disc", "kind": "box", "x": 1, "y": 1, "w": 9, "h": 9}
    made = client.post("/v1/media/3/labels", json={"actor": "ana", "labels": [box]})
    assert made.status_code == 200, made.json
    (label_id,) = made.json["label_ids"]
    place = f"/v1/labels/{label_id}"
    body = {"actor": "bo", "changes": {"w": 12}, "reason": "the rim"}
    refused = client.patch(place, json=body)
    assert (refused.status_code, refused.json["code"]) == (403, "not_yours")
    edited = client.patch(place, json={**body, "role": "reviewer"})
    assert edited.status_code == 200, edited.json
    stale = client.patch(place, json={**body, "actor": "ana", "changes": {"w": 11}})
    assert (stale.status_code, stale.json["code"]) == (409, "stale_edit")
    seen = [stale.json["versions"][each]["w"] for each in ("base", "theirs", "yours")]
    assert seen == [9, 12, 11]
    query = "?actor=ana&reason=nothing+there&role=reviewer"
    assert client.delete(f"/v1/labels/{edited.json['label_id']}{query}").status_code == 200
    states = client.get(f"{place}/history").json["items"]
    assert [(s["closed_by"], s["changed"]) for s in states] == [
        ("bo", ["box"]),
        ("ana", ["removed"]),
    ]
    assert all(each["kind"] != "box" for each in client.get("/v1/media/3/labels").json["items"])
    bad = client.post("/v1/media/3/labels", json={"actor": "ana", "labels": [{**box, "w": 0}]})
    assert (bad.status_code, "label 0 of the list" in bad.json["detail"]) == (422, True)
    assert client.get("/v1/media/99999/labels").status_code == 404
    app.extensions["smartdb"].close()
