"""Prunings over HTTP."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_the_curve_goes_from_all_to_few(client: FlaskClient) -> None:
    points = client.get("/v1/prunings/1/curve").json["items"]
    assert [(point["keep"], point["n_kept"]) for point in points] == [(1, 8), (0.5, 4), (0.25, 2)]
    assert points[0]["mean_distance"] == 0


def test_an_unknown_pruning_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/v1/prunings/99/curve")
    assert answer.status_code == 404
    assert "no pruning 99" in answer.json["detail"]
