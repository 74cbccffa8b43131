"""Label Studio asks for labels to start from, and tells what happened, signed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from smartdb.api import create_app

from smartdb import exchange_out, exchange_webhook

Connection = psycopg.Connection[Any]

SETUP = b"""
insert into core.ontology (name) values ('animals');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from) values (1, 'cat', 1), (1, 'dog', 1);
insert into core.actor (name, kind) values ('net', 'model');
insert into core.label (media_id, class_id, origin, actor_id, confidence, kind, x, y, w, h)
values (3, 2, 'model', 1, 0.8, 'box', 1, 2, 3, 4);
insert into core.task (kind, media_id, prefill)
values ('label', 3, '[{"class": "cat", "confidence": 0.5}]'), ('label', 4, null);
"""
CONFIG = """<View><Image name="img" value="$image"/><Choices name="what" toName="img"/>
<RectangleLabels name="boxes" toName="img"><Label value="cat"/></RectangleLabels></View>"""
SECRET = "shh"


@pytest.fixture
def client(database: str, owner: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The API over a picture with a prefill and a model's box, and a secret for webhooks."""
    owner.execute(SETUP)
    owner.commit()
    monkeypatch.setenv("SMARTDB_WEBHOOK_SECRET", SECRET)
    app = create_app(database)
    yield app.test_client()
    app.extensions["smartdb"].close()


def ask(client: Any, path: str, **body: Any) -> Any:
    answer = client.post(f"/v1/label-studio/{path}", json=body)
    assert answer.status_code == 200, answer.data
    return answer.json


def tell(client: Any, event: Any, secret: str = SECRET, now: float | None = None) -> Any:
    body = json.dumps(event).encode()
    headers = {exchange_webhook.HEADER: exchange_webhook.sign(secret, body, now)}
    return client.post(
        "/v1/label-studio/webhook", data=body, headers=headers, content_type="application/json"
    )


def test_label_studio_gets_prefills_and_what_models_say(client: Any, owner: Connection) -> None:
    assert client.get("/v1/label-studio/health").json["status"] == "UP"
    assert ask(
        client, "setup", project="1.9", schema=CONFIG, hostname="http://ls", access_token="x"
    )
    assert ask(client, "versions", project="1.9") == {"versions": ["smartdb"]}
    tasks = [{"id": 9, "data": {"media_id": "3"}}, {"data": {"media_id": 4}}, {"data": {}}, {}]
    first, *others = ask(client, "predict", tasks=tasks, params={"context": None})["results"]
    assert [each["type"] for each in first["result"]] == ["choices", "rectanglelabels"]
    assert (first["score"], first["model_version"]) == (0.5, "smartdb")
    assert [each["result"] for each in others] == [[], [], []]
    (named,) = ask(client, "predict", tasks=tasks[:1], label_config=CONFIG)["results"]
    said = [(each["from_name"], each["to_name"]) for each in named["result"]]
    assert said == [("what", "img"), ("boxes", "img")]
    bad = {"tasks": tasks, "model_version": "run 9"}
    assert client.post("/v1/label-studio/predict", json=bad).status_code == 404
    owner.execute(b"insert into core.restriction (media_id, reason) values (3, 'x')")
    owner.commit()
    assert ask(client, "predict", tasks=tasks[:1])["results"][0]["result"] == []


def test_what_is_signed_is_taken_in_once_and_nothing_else(
    client: Any, conn: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "tasks.json"
    exchange_out.send(conn, path, kind="label")
    task = {**json.loads(path.read_text())[0], "id": 5}
    annotation = {
        "id": 31, "result": task["predictions"][0]["result"], "completed_by": 2,
        "parent_prediction": 1, "updated_at": "2026-01-02T10:00:00Z",
    }  # fmt: skip
    event = {"action": "ANNOTATION_CREATED", "annotation": annotation, "task": task, "project": {}}
    unsigned = client.post("/v1/label-studio/webhook", json=event)
    assert (unsigned.status_code, unsigned.json["code"]) == (401, "unsigned")
    for secret, now in (("other", None), (SECRET, time.time() - 400), (SECRET, time.time() + 400)):
        assert tell(client, event, secret, now).status_code == 401
    count = b"select count(*) from smartdb.label where actor = 'Label Studio user 2'"
    assert conn.execute(count).fetchone() == (0,)
    counts = tell(client, event).json["counts"]
    assert counts == {"answers": 1, "added": 1, "confirmed": 1, "tasks": 1}
    assert conn.execute(count).fetchone() == (2,)
    assert tell(client, event, now=time.time() + 9).json["counts"] == {"known": 1}
    older = {**annotation, "updated_at": "2026-01-01T10:00:00Z", "result": []}
    assert tell(client, {**event, "annotation": older}).json["counts"]["stale"] == 1
    newer = {**annotation, "updated_at": "2026-01-03T10:00:00Z", "result": []}
    counts = tell(client, {**event, "action": "ANNOTATION_UPDATED", "annotation": newer}).json
    assert counts["counts"]["removed"] == 2
    assert tell(client, {"action": "PROJECT_UPDATED"}).json["counts"] == {}
    assert tell(client, {"action": "ANNOTATION_CREATED", "task": 1}).json["counts"] == {
        "refused": 1
    }


def test_a_deleted_annotation_takes_back_what_it_brought(
    client: Any, conn: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "tasks.json"
    exchange_out.send(conn, path, kind="label")
    tasks = json.loads(path.read_text())
    result = tasks[0]["predictions"][0]["result"]
    said = [
        {"id": 40 + n, "task": n, "result": result if n == 0 else [], "completed_by": 2}
        for n in range(2)
    ]
    listed = [{**each, "id": n} for n, each in enumerate(tasks)]
    event = {"action": "ANNOTATIONS_CREATED", "annotation": said, "task": listed}
    assert tell(client, event).json["counts"]["answers"] == 2
    event = {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 40}, {"id": 99}]}
    assert tell(client, event).json["counts"] == {"answers": 1, "removed": 1}
    query = b"select origin, actor from smartdb.label where media_id = 3"
    assert conn.execute(query).fetchall() == [("human", "Label Studio user 2")]  # the model's box


def test_without_a_secret_nothing_is_signed(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMARTDB_WEBHOOK_SECRET")
    assert tell(client, {"action": "ANNOTATION_CREATED"}, "").status_code == 401
