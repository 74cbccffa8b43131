"""Label Studio's side of an exchange: tasks with predictions out, annotations in.

``data`` of a task carries exchange_id, media_id and task_id; the id of a region is "o" and the
object_id, which ``meta.smartdb_object`` of a region has too. All classes of a media are one
result, as Label Studio has it. An annotation counts as begun from what went out if it names the
prediction it came from, or if one of its regions went out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from smartdb.errors import InvalidInput
from smartdb.exchange_answers import Answer, Region, label_of, unique
from smartdb.exchange_items import Place, Thing
from smartdb.formats import label_studio, label_studio_config, label_studio_writer
from smartdb.formats.base import Annotation, ClassInfo, Picture, Problem

CONTROLS = {
    "classification": "choices", "box": "rectangle", "rotated_box": "rectangle",
    "polygon": "polygon", "polyline": "polygon", "mask": "brush", "keypoints": "keypoint",
    "caption": "textarea",
}  # fmt: skip
"""By kind of label the control that says it."""

CHOICES = "choices"
LOCAL_FILES = "/data/local-files/?d={path}"

Sizes = Mapping[tuple[int, int], tuple[int, int]]
"""By exchange and media the (width, height) of media that may be seen."""

WRONG = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError)


@dataclass(frozen=True)
class Said:
    """A task of the editor with one annotation of it."""

    task: Mapping[str, Any]
    annotation: Mapping[str, Any]
    place: str

    @property
    def ids(self) -> tuple[int | None, int | None]:
        """The exchange and the media, as they travelled with the task."""
        data = self.task.get("data")
        data = data if isinstance(data, dict) else {}
        return id_of(data.get("exchange_id")), id_of(data.get("media_id"))


def task_of(
    place: Place,
    things: Sequence[Thing],
    exchange_id: int,
    address: str,
    writer: label_studio_writer.Writer,
) -> tuple[dict[str, Any], list[Thing]]:
    """A task with one prediction, and the things that are in it.

    ``address`` says where the editor finds a picture, see `address_of`.
    """
    results, kept = results_of(place, things, writer)
    data = {
        "image": address_of(address, place), "exchange_id": exchange_id,
        "media_id": place.media_id, "task_id": place.task_id, "name": place.name,
    }  # fmt: skip
    made: dict[str, Any] = {"data": data}
    if results:
        scores = [each["score"] for each in results if each.get("score") is not None]
        prediction = {"model_version": "smartdb", "result": results}
        made["predictions"] = [prediction | ({"score": min(scores)} if scores else {})]
    return made, kept


def results_of(
    place: Place, things: Sequence[Thing], writer: label_studio_writer.Writer
) -> tuple[list[dict[str, Any]], list[Thing]]:
    """The results that say these things, and those that can be said; classes are one result."""
    picture = Picture(place.name, f"media {place.media_id}", place.size)
    results: list[dict[str, Any]] = []
    choices: dict[str, Any] | None = None
    kept = []
    for thing in things:
        made = label_studio_writer.result(writer, thing.annotation, picture, "")
        if made is None:
            continue
        kept.append(thing)
        if made["type"] == CHOICES and choices is not None:
            choices["value"][CHOICES] += made["value"][CHOICES]
            continue
        if made["type"] == CHOICES:
            choices = made | {"id": CHOICES}
            choices.pop("meta", None)
            made = choices
        elif thing.object_id is not None:
            made.setdefault("meta", {})["smartdb_object"] = thing.object_id
        results.append(made)
    return results, kept


def text_of(task: Mapping[str, Any]) -> str:
    """A task as JSON."""
    return json.dumps(task, default=float, ensure_ascii=False)


def write_config(
    file: Path, infos: Mapping[str, ClassInfo], kinds: Sequence[str], used: Sequence[str]
) -> None:
    """Writes the labelling configuration: for each kind of label a control with its classes.

    ``kinds`` are those that are asked for, ``used`` the controls that the tasks have.
    """
    controls: dict[str, tuple[str, list[str]]] = {}
    wanted = {CONTROLS[kind] for kind in kinds if kind in CONTROLS} | set(used)
    for control in dict.fromkeys(CONTROLS.values()):
        names = [
            name
            for name, info in infos.items()
            if any(CONTROLS.get(kind) == control for kind in info.kinds)
        ]
        if control in wanted and control == "textarea":
            controls[control] = ("TextArea", [])
        elif control in wanted:
            controls[control] = (label_studio_writer.CONTROLS[control], names)
    label_studio_config.write(file, controls)


def address_of(address: str, place: Place) -> str:
    """Where the editor finds a picture: a text with {media_id}, {uri}, {path} or {name}.

    "" is the URI itself, or for a local file what Label Studio calls its local storage.
    """
    is_local = place.uri.startswith("file://")
    path = unquote(place.uri.removeprefix("file://")).lstrip("/")
    text = address or (LOCAL_FILES if is_local else "{uri}")
    try:
        return text.format(
            media_id=place.media_id, uri=place.uri, path=quote(path), name=quote(place.name)
        )
    except (KeyError, IndexError, ValueError) as error:
        raise InvalidInput(
            f"the address {address!r} may name {{media_id}}, {{uri}}, {{path}}, {{name}}: {error!r}"
        ) from error


def said_in(value: Any, where: str) -> Iterator[Said | Problem]:
    """The annotations of a task, or of a message about one annotation, in order."""
    if not isinstance(value, dict):
        yield Problem(where, "bad_row", "a task is no object")
        return
    task = value
    if isinstance(value.get("task"), dict) and isinstance(value.get("annotation"), dict):
        task = {**value["task"], "annotations": [value["annotation"]]}
    where = f"{where}, task {task.get('id')}"
    found = task.get("annotations", task.get("completions", []))
    if not isinstance(task.get("data"), dict) or not isinstance(found, list):
        yield Problem(where, "bad_row", "a task has data and a list of annotations")
        return
    for each in found:
        if isinstance(each, dict) and id_of(each.get("id")):
            yield Said(task, each, f"{where}, annotation {each['id']}")
        else:
            yield Problem(where, "bad_row", "an annotation is no object with an id")


def answer_of(said: Said, sizes: Sizes, people: Mapping[str, str]) -> Answer:
    """What an annotation says; its ``problem`` tells why it cannot be taken in."""
    exchange_id, media_id = said.ids
    annotation = said.annotation
    answer = Answer(
        exchange_id, media_id, f"annotation {annotation['id']}", _person(annotation, people),
        said.place, said_at=_time(annotation.get("updated_at") or annotation.get("created_at")),
        is_based=True if annotation.get("parent_prediction") is not None else None,
        is_skipped=bool(annotation.get("was_cancelled")),
        is_final=annotation.get("ground_truth") is True, content=annotation,
    )  # fmt: skip
    if exchange_id is None or media_id is None:
        return _refused(answer, "unknown_exchange", "its data has no exchange_id and media_id")
    size = sizes.get((exchange_id, media_id))
    if size is None:
        detail = f"exchange {exchange_id} has no media {media_id} that may be seen"
        return _refused(answer, "unknown_media", detail)
    if answer.is_skipped:
        return answer
    try:
        regions = list(_regions(said, size))
    except WRONG as error:
        return _refused(answer, "bad_row", f"it cannot be read: {error!r}")
    problem = next((each for each in regions if isinstance(each, Problem)), None)
    if problem is not None:
        return _refused(answer, problem.reason, problem.detail)
    found = unique(each for each in regions if isinstance(each, Region))
    return replace(answer, regions=found)


def _regions(said: Said, size: tuple[int, int]) -> Iterator[Region | Problem]:
    results = said.annotation.get("result")
    if not isinstance(results, list) or not all(isinstance(each, dict) for each in results):
        yield Problem(said.place, "bad_row", "its result is no list of objects")
        return
    own = {str(each.get("id")): each for each in results if "from_name" in each}
    name = str(said.task["data"].get("name") or "the picture")
    for made in label_studio.said(results, name, size, said.place):
        if not isinstance(made, Annotation):
            yield made  # type: ignore[misc]
            continue
        result = own.get(made.key or "", {})
        meta = result.get("meta") if isinstance(result.get("meta"), dict) else None
        is_told = bool(made.attributes) or (meta is not None and "smartdb" in meta)
        key = made.key if made.box else f"{made.kind} {made.class_name}"
        label = label_of(made, made.attributes if is_told else None)
        yield Region(key or "region", label, id_of((meta or {}).get("smartdb_object")))


def _person(annotation: Mapping[str, Any], people: Mapping[str, str]) -> str:
    """Who said it: as named for the exchange, by address, else by the editor's number."""
    who = annotation.get("completed_by", annotation.get("updated_by"))
    email = who.get("email") if isinstance(who, dict) else None
    number = who.get("id") if isinstance(who, dict) else who
    if str(number) in people:
        return people[str(number)]
    named = str(annotation.get("created_username") or "").strip().partition(",")[0]
    return str(email or named or ("" if number is None else f"Label Studio user {number}")).strip()


def id_of(value: Any) -> int | None:
    """An id that travelled, as a number or a text; None for what is none."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    text = str(value)
    is_id = not isinstance(value, bool) and text.isascii() and text.isdecimal()
    return int(text) if is_id and len(text) <= 18 else None


def _time(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _refused(answer: Answer, reason: str, detail: str) -> Answer:
    return replace(answer, problem=(reason, detail))
