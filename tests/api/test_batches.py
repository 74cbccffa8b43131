"""Batches over HTTP: listed, found and paged; nothing there samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

Sql = Callable[..., list[tuple[Any, ...]]]


def test_batches_and_their_items_come_in_pages(own: FlaskClient, run_sql: Sql) -> None:
    run_sql(
        "insert into core.batch_item (batch_id, media_id, rank, score, reason)"
        " values (1, 3, 2, 0.5, 'second'), (1, 12, 3, 0.4, 'hidden')"
    )
    (batch,) = own.get("/v1/batches").json["items"]
    assert (batch["batch_id"], batch["strategy"], batch["n_items"]) == (1, "uncertain+diverse", 2)
    assert own.get("/v1/batches/1").json == batch
    page = own.get("/v1/batches/1/items?limit=1").json
    rest = own.get(f"/v1/batches/1/items?limit=5&after={page['next']}").json
    assert [i["media_id"] for i in page["items"] + rest["items"]] == [11, 3]
    assert rest["items"][0]["reason"] == "second"
    assert rest["next"] is None


def test_a_batch_that_is_not_there_is_a_404_and_none_can_be_made(client: FlaskClient) -> None:
    assert client.get("/v1/batches/9").status_code == 404
    assert client.get("/v1/batches/9/items").status_code == 404
    assert client.post("/v1/batches", json={"strategy": "random"}).status_code == 405
