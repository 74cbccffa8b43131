"""Prunings: plans of what to keep, and what each fraction of them leaves."""

from __future__ import annotations

from flask import Blueprint
from pydantic import Field

from smartdb import pruning_curve

from .database import read
from .fields import Resource
from .spec import ID, operation

routes = Blueprint("prunings", __name__, url_prefix="/v1")


class CurvePoint(Resource):
    """What is left of the candidates at a fraction; null where there is nothing to measure by."""

    keep: float = Field(description="Fraction that is kept, 0 to 1.")
    n_kept: int
    mean_distance: float | None = Field(description="Of the candidates to the nearest kept.")
    p95_distance: float | None
    clusters_hit: float | None = Field(description="Share of clusters with a kept media.")
    n_classes: int | None = Field(description="Classes with a kept media.")
    smallest_class: int | None = Field(description="Kept media of the class with the fewest.")
    class_distance: float | None = Field(description="How far class shares moved, 0 to 1.")
    duplicates_dropped: float | None = Field(description="Share of the repetition that is gone.")
    n_probes: int | None = Field(description="Candidates whose distance was measured.")


class Curve(Resource):
    """What a pruning leaves, from all to few."""

    items: list[CurvePoint]


@routes.get(f"/prunings/<{ID}:pruning_id>/curve")
@operation("datasets", Curve, 404)
def get_pruning_curve(pruning_id: int) -> Curve:
    """What a pruning leaves at each fraction that was measured."""
    return Curve.model_validate({"items": read(pruning_curve.read, pruning_id)})
