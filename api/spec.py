"""Validation of requests and the OpenAPI 3.1 document, both from the same types (spectree)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import flask
from spectree import Response, SpecTree, Tag
from spectree.model_adapter.protocol import ModelAdapter
from spectree.plugins.flask_plugin import FlaskPlugin

import smartdb

from . import problems
from .fields import LARGEST, Query, Resource
from .problems import FieldError, InvalidRequest, Problem

ID = f"int(min=1, max={LARGEST})"
"""The converter of ids in paths: what cannot be an id is no page."""

TAGS = {
    "media": "Pictures: lists, one with all that is known of it, its bytes, and those like it.",
    "graph": "The neighbour graph: what it says of media, and where they lie on the map.",
    "labelling": "Work for annotators: claim a task, answer it, give it back.",
    "editors": "For label editors: Label Studio asks here for labels to start from, and tells.",
    "reviewing": "Suspected label errors, and verdicts on labels.",
    "datasets": "Sealed versions of datasets.",
    "batches": "What samplers chose to work on next.",
    "runs": "Jobs, models, and what they measured.",
    "service": "Whether the service works.",
}

IN_PATHS = {
    "media_id": "Identity of the media.",
    "task_id": "Identity of the task.",
    "label_id": "Identity of this state of the label.",
    "issue_id": "Identity of the suspicion.",
    "run_id": "Identity of the run.",
    "batch_id": "Identity of the batch.",
    "pruning_id": "Identity of the pruning.",
    "dataset": "Name of the dataset.",
    "ontology": "Name of the ontology.",
    "version": "Number of the version, from 1.",
}

_binary: dict[str, tuple[str, ...]] = {}


class _Plugin(FlaskPlugin):
    def validate_response(self, resp: Any, *args: Any, **kwargs: Any) -> Any:
        """Lets a response through as it is, so that bytes are not read into memory."""
        if isinstance(resp, flask.Response):
            return resp, None
        return super().validate_response(resp, *args, **kwargs)


def _refuse(
    _request: Any, _response: Any, error: Any, _instance: Any, _adapter: ModelAdapter[Any, Any, Any]
) -> None:
    """Answers a request that is not valid as any other error."""
    if error is None:
        return
    where = "query" if error.title.endswith("Query") else "json"
    raise InvalidRequest(
        [
            FieldError(where=".".join(map(str, [where, *each["loc"]])), message=each["msg"])
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    )


tree = SpecTree(
    backend=_Plugin,
    before=_refuse,
    validation_error_model=Problem,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    mode="strict",
    title="smartdb",
    version=smartdb.__version__,
    description="Media, labels, reviews, datasets and runs for tools, over HTTP.",
)


def operation(
    tag: str, result: type[Resource] | None, *errors: int, media_types: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Callable[..., flask.Response]]:
    """Makes a function an operation: validates what comes in, and puts it into the document.

    ``errors`` are the statuses, beside 200, 422, 500 and 503, that it may answer with; an operation
    that answers with bytes has no ``result`` but ``media_types``.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., flask.Response]:
        _binary[function.__name__] = media_types
        codes = {
            f"HTTP_{code}": Problem if code >= 400 else None for code in sorted({*errors, 500, 503})
        }
        validate = tree.validate(
            query=Query,  # unless the function has its own: no parameter is taken
            resp=Response(HTTP_200=result, **codes),
            tags=[Tag(name=tag, description=TAGS[tag])],
            operation_id=function.__name__,
        )
        return cast(Callable[..., flask.Response], validate(function))

    return decorate


def document() -> dict[str, Any]:
    """The OpenAPI document of the app that answers."""
    made: dict[str, Any] = copy.deepcopy(tree.spec)
    del made["components"]["schemas"][Query.__name__]
    for operations in made["paths"].values():
        for each in operations.values():
            _correct(each)
    return made


def _correct(each: dict[str, Any]) -> None:
    """What spectree cannot say: what paths name, problems' own type, answers that are bytes."""
    for parameter in each["parameters"]:
        schema = parameter["schema"]
        if parameter["in"] == "path":
            parameter["description"] = IN_PATHS[parameter["name"]]
            if schema.get("maximum") == LARGEST:
                schema["format"] = "int64"
        if "anyOf" in schema:  # a parameter may be missing, but there is no null in a query
            (kind,) = (one for one in schema.pop("anyOf") if one != {"type": "null"})
            del schema["default"]
            parameter["schema"] = {**schema, **kind}
    for status, response in each["responses"].items():
        if status >= "400":
            response["content"] = {problems.MIME: response["content"]["application/json"]}
    for media_type in _binary[each["operationId"]]:
        each["responses"]["200"].setdefault("content", {})[media_type] = {}
