"""Runs: what was done, what it measured, and where a model errs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flask import Blueprint
from pydantic import Field

from smartdb import pages

from . import cursors
from .database import read
from .fields import Name, PageQuery, Query, Resource
from .spec import ID, operation

routes = Blueprint("runs", __name__, url_prefix="/v1")

Split = Literal["train", "val", "test"]


class RunQuery(PageQuery):
    """Which runs."""

    kind: Name | None = Field(None, description="ingest, embed, neighbours, train, ...")
    status: Literal["running", "succeeded", "failed"] | None = None


class RunItem(Resource):
    """A job that derived rows."""

    run_id: int
    kind: str
    status: str = Field(description="running, succeeded or failed.")
    counts: Any = Field(description="What it did, in numbers.")
    seed: int | None
    error: str | None
    code_version: str
    dagster_run_id: str | None
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None


class RunPage(Resource):
    """A page of runs, the newest first."""

    items: list[RunItem]
    next: str | None


class Run(RunItem):
    """A run, with the model that it trained, if it did."""

    parameters: Any
    model: str | None
    dataset: str | None
    version: int | None
    encoder: str | None
    classes: list[str] | None
    test_accuracy: float | None


class Metric(Resource):
    """A value that a run measured."""

    name: str
    split: str
    step: int | None = Field(description="Epoch, from 1; null: the final value.")
    value: float
    n: int = Field(description="Media it was measured on.")


class Metrics(Resource):
    """What a run measured, final values first."""

    items: list[Metric]


class SplitQuery(Query):
    """In which split."""

    split: Split = "test"


class ClassMetric(Resource):
    """How a run does on a class; null where there is nothing to divide by."""

    class_: str = Field(alias="class")
    n_true: int
    n_predicted: int
    n_right: int
    precision: float | None
    recall: float | None
    f1: float | None


class ClassMetrics(Resource):
    """How a run does on each class."""

    items: list[ClassMetric]


class Cell(Resource):
    """How often media of one class were predicted as another, or the same."""

    class_: str = Field(alias="class")
    predicted_class: str
    n: int
    mean_confidence: float


class ConfusionMatrix(Resource):
    """The cells that are not 0."""

    items: list[Cell]


class SliceQuery(SplitQuery):
    """Which slices."""

    min_n: int = Field(20, ge=1, le=1_000_000, description="Media that a slice must hold.")


class Slice(Resource):
    """A part of a split on which a run does worse than on the whole."""

    facet: str
    slice: str
    n: int
    n_wrong: int
    accuracy: float
    difference: float = Field(description="From the accuracy on the whole.")
    z: float = Field(description="The difference in standard errors; believe what is below -3.")


class Slices(Resource):
    """Slices, worst first."""

    items: list[Slice]


class ErrorQuery(PageQuery):
    """Which errors."""

    split: Split | None = None
    class_: Name | None = Field(None, alias="class", description="The class by the label.")
    predicted_class: Name | None = None


class Error(Resource):
    """A wrong prediction, or a wrong label?"""

    media_id: int
    split: str | None
    class_: str = Field(alias="class")
    predicted_class: str
    confidence: float
    margin: float
    issue_score: float | None = Field(description="How suspicious the label is.")
    issue_state: str | None


class ErrorPage(Resource):
    """A page of errors, the most confident first."""

    items: list[Error]
    next: str | None


@routes.get("/runs")
@operation("runs", RunPage)
def list_runs(query: RunQuery) -> RunPage:
    """List runs, the newest first."""
    (after,) = cursors.start(query, int)
    rows = read(pages.run_page, query.kind, query.status, after, query.limit + 1)
    items, following = cursors.page(rows, query, "run_id")
    return RunPage.model_validate({"items": items, "next": following})


@routes.get(f"/runs/<{ID}:run_id>")
@operation("runs", Run, 404)
def get_run(run_id: int) -> Run:
    """One run, with the model that it trained."""
    return Run.model_validate(read(pages.find_run, run_id))


@routes.get(f"/runs/<{ID}:run_id>/metrics")
@operation("runs", Metrics, 404)
def list_metrics(run_id: int) -> Metrics:
    """What a run measured, final values first, then epoch by epoch."""
    return Metrics.model_validate({"items": read(pages.run_metrics, run_id)})


@routes.get(f"/runs/<{ID}:run_id>/classes")
@operation("runs", ClassMetrics, 404)
def list_class_metrics(run_id: int, query: SplitQuery) -> ClassMetrics:
    """Precision, recall and F1 of each class in a split."""
    return ClassMetrics.model_validate({"items": read(pages.class_metrics, run_id, query.split)})


@routes.get(f"/runs/<{ID}:run_id>/confusion")
@operation("runs", ConfusionMatrix, 404)
def get_confusion_matrix(run_id: int, query: SplitQuery) -> ConfusionMatrix:
    """How often media of each class were predicted as each class in a split."""
    return ConfusionMatrix.model_validate({"items": read(pages.confusion, run_id, query.split)})


@routes.get(f"/runs/<{ID}:run_id>/slices")
@operation("runs", Slices, 404)
def list_worst_slices(run_id: int, query: SliceQuery) -> Slices:
    """The slices on which a run does worse than on the whole split, worst first."""
    rows = read(pages.worst_slices, run_id, query.split, query.min_n)
    return Slices.model_validate({"items": rows})


@routes.get(f"/runs/<{ID}:run_id>/errors")
@operation("runs", ErrorPage, 404)
def list_errors(run_id: int, query: ErrorQuery) -> ErrorPage:
    """The wrong predictions of a run, the most confident first."""
    after = cursors.start(query, float, int)
    rows = read(
        pages.error_page,
        run_id,
        split=query.split,
        class_=query.class_,
        predicted_class=query.predicted_class,
        after=after,
        limit=query.limit + 1,
    )
    items, following = cursors.page(rows, query, "confidence", "media_id")
    return ErrorPage.model_validate({"items": items, "next": following})
