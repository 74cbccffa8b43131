"""For Label Studio: its ML backend protocol, and its webhooks.

The paths and bodies are Label Studio's: give it http://HOST/v1/label-studio as the address of an ML
backend (it asks there for health, setup, versions and predict), and of a webhook .../webhook.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask import Blueprint, request
from pydantic import BaseModel, ConfigDict, Field

from smartdb import config, exchange_backend, exchange_webhook

from .database import ANNOTATOR, REVIEWER, pool, write
from .fields import Resource
from .spec import operation

routes = Blueprint("label_studio", __name__, url_prefix="/v1/label-studio")

MAX_BODY = 64 << 20
"""Bytes of a message: brush masks are long."""

Tasks = list[dict[str, Any]]


class EditorMessage(BaseModel):
    """What Label Studio sends: it adds keys from version to version, which are ignored."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", frozen=True, strict=True)


class BackendSetup(EditorMessage):
    """A project of Label Studio that wants predictions."""

    project: str | None = Field(None, description="Its number and the time it was made.")
    label_config: str | None = Field(None, alias="schema", description="Its configuration, XML.")


class BackendPredict(EditorMessage):
    """Tasks that predictions are wanted for."""

    tasks: Tasks = Field(max_length=1000, description="With data.media_id.")
    model_version: str | None = Field(None, description="smartdb, or a run such as: run 12.")
    label_config: str | None = Field(None, description="XML, whose controls results name.")


class WebhookEvent(EditorMessage):
    """What happened to annotations."""

    action: str = Field(max_length=100, description="Such as ANNOTATION_CREATED.")


class BackendHealth(Resource):
    """That it works."""

    status: Literal["UP"]
    model_class: str


class BackendVersion(Resource):
    """The version that predictions are of, unless one asks for another."""

    model_version: str


class BackendVersions(Resource):
    """The versions that can be asked for."""

    versions: list[str]


class BackendPrediction(Resource):
    """What is known of a task's picture."""

    result: list[dict[str, Any]] = Field(description="Results as Label Studio has them.")
    score: float | None = Field(description="How sure of the least sure one.")
    model_version: str


class BackendPredictions(Resource):
    """A prediction for each task, in order."""

    results: list[BackendPrediction]


class WebhookReceipt(Resource):
    """What was taken in."""

    status: Literal["ok"]
    counts: dict[str, int] = Field(description="Empty for a message about something else.")


@routes.url_value_preprocessor
def _allow_long(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    request.max_content_length = MAX_BODY


@routes.get("/health")
@operation("editors", BackendHealth)
def label_studio_health() -> BackendHealth:
    """Say that predictions can be had."""
    return BackendHealth(status="UP", model_class="smartdb")


@routes.post("/setup")
@operation("editors", BackendVersion, 400, 413, 415)
def label_studio_setup(json: BackendSetup) -> BackendVersion:  # noqa: ARG001
    """Say which version predictions are of; nothing is kept of the project."""
    return BackendVersion(model_version=exchange_backend.VERSION)


@routes.post("/versions")
@operation("editors", BackendVersions, 400, 413, 415)
def label_studio_versions(json: BackendSetup) -> BackendVersions:  # noqa: ARG001
    """List the versions that predictions can be of."""
    found = pool().run(ANNOTATOR, exchange_backend.versions, read_only=True)
    return BackendVersions(versions=found)


@routes.post("/predict")
@operation("editors", BackendPredictions, 400, 404, 413, 415)
def label_studio_predict(json: BackendPredict) -> BackendPredictions:
    """Give labels to start from: prefills and what models say, or what a run predicted."""
    results = pool().run(
        ANNOTATOR,
        lambda conn: exchange_backend.predict(
            conn, json.tasks, json.model_version, json.label_config
        ),
        read_only=True,
    )
    return BackendPredictions.model_validate({"results": results})


@routes.post("/webhook")
@operation("editors", WebhookReceipt, 400, 401, 413, 415)
def label_studio_webhook(json: WebhookEvent) -> WebhookReceipt:
    """Take in what happened to annotations, if it is signed (X-Smartdb-Signature).

    Refused annotations are kept, and what was changed here too waits as a conflict.
    """
    body = request.get_data()
    header = request.headers.get(exchange_webhook.HEADER)
    exchange_webhook.check(config.webhook_secret(), header, body)
    event = {**request.get_json(), "action": json.action}
    counts = write(REVIEWER, exchange_webhook.deliver, body, event)
    return WebhookReceipt(status="ok", counts=counts)
