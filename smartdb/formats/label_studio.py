"""Label Studio JSON: tasks with annotations and predictions (JSON), or one row for each (JSON_MIN).

What a prediction says has the attribute ``origin`` "prediction" (and ``model_version``), what a
person says ``annotation_id`` and ``completed_by``, the person's number. ``key`` is the id of the
region; one that comes again in the task is preceded by whose it is: "annotation 7: oid3". What is
said of a region by choices or text is an attribute of it, by the name of the control. An ellipse
is the rotated box around it with the attribute ``ellipse``; its x and y are its centre, as the
editor writes it. Relations, video and audio are not read; what was cancelled and drafts neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from smartdb.formats import json_stream, label_studio_config, label_studio_regions
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.files import pictures_in, split_of
from smartdb.formats.label_studio_config import Config
from smartdb.formats.label_studio_regions import Size, shape_of
from smartdb.formats.label_studio_writer import CAPTION, write

__all__ = ["KINDS", "LOST", "TITLE", "classes", "images", "is_at", "read", "write"]

TITLE = "Label Studio"
KINDS: tuple[Kind, ...] = (
    "classification", "box", "rotated_box", "polygon", "mask", "polyline", "caption",
)  # fmt: skip
LOST = (
    "Keypoints of several points, polygons of several rings, tracks, and shapes in pictures of "
    "unknown size; a rotated box comes back within 1e-9 pixels."
)
PARTS = ("annotations", "completions", "predictions")
ROW = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".heic", ".avif")
MAX_SIDE = 1_000_000_000
_LOCAL = "/data/local-files"
_PREFIX = re.compile(r"^[0-9a-f]{8}-")  # what an upload puts before a name
WRONG = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError)


@dataclass
class _State:
    """What is known while a file is read."""

    where: str
    config: Config
    image_key: str | None
    images: Path | None
    tasks: set[Any] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Speaker:
    """An annotation or a prediction: whose it is, what it says of all its regions."""

    name: str
    results: list[Mapping[str, Any]]
    attributes: dict[str, Any]
    confidence: float | None


def is_at(path: Path) -> bool:
    """Whether it is a JSON file of tasks, or a folder with such files alone."""
    try:
        files = _files(path)
        return bool(files) and _is_tasks(files[0])
    except OSError:
        return False


def images(path: Path) -> Path | None:
    """The folder itself, if it holds pictures."""
    return pictures_in(path) if path.is_dir() else None


def classes(path: Path) -> list[ClassInfo]:
    """The labels and choices of the labelling configuration beside the file, if there is one."""
    files = _files(path)
    config = label_studio_config.read(label_studio_config.find(files[0]) if files else None)
    return [ClassInfo(name) for name in config.labels]


def read(
    path: Path,
    *,
    images: Path | None = None,
    image_key: str | None = None,
    config: str | None = None,
) -> Iterator[Item]:
    """Pictures with what is said of them, task by task.

    ``image_key`` is the field of a task that names its picture; ``config`` a file with the
    labelling configuration (XML), which tells text from choices in JSON_MIN. Without it the file of
    the same name with .xml, or label_config.xml, is taken.
    """
    for file in _files(path):
        found = Path(config) if config else label_studio_config.find(file)
        state = _State(file.name, label_studio_config.read(found), image_key, images)
        try:
            for number, task in enumerate(json_stream.elements(file, Decimal), 1):
                yield from _task(state, task, number)
        except json_stream.BrokenJson as error:
            yield Problem(file.name, "broken_file", f"{error}; the rest is not read")


def said(
    results: list[Mapping[str, Any]], name: str, size: Size | None, where: str
) -> Iterator[Item]:
    """What the results of one annotation say of a picture, with the attributes of its regions.

    ``key`` is the id of the region; ``size`` (width, height) that of the picture.
    """
    yield from _say(_Speaker("annotation", results, {}, None), where, [name], [size], set())


def _files(path: Path) -> list[Path]:
    found = sorted(path.glob("*.json")) if path.is_dir() else [path]
    return [each for each in found if path.is_file() or each.name != "manifest.json"]


def _is_tasks(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(1 << 16)
    if not re.match(rb"(\xef\xbb\xbf)?\s*(\[\s*)?\{", head):
        return False
    is_full = re.search(rb'"(annotations|predictions|completions)"\s*:\s*\[', head) is not None
    is_full = is_full and re.search(rb'"(data|result)"\s*:', head) is not None
    return is_full or b'"annotation_id"' in head


def _task(state: _State, task: Any, number: int) -> Iterator[Item]:
    where = f"{state.where}#{number}"
    if not isinstance(task, dict):
        yield Problem(where, "bad_row", "a task is no object")
        return
    id_ = task.get("id", number)
    where = f"{state.where}#task {id_}"
    if _is_unclean(task):
        yield Problem(where, "bad_row", "it has bytes that are not UTF-8, or NUL characters")
        return
    is_row = not any(part in task for part in ("data", *PARTS))
    identity = (str(id_), str(task.get("annotation_id")) if is_row else "")
    if identity in state.tasks:
        yield Problem(where, "duplicate_id", f"task {id_} is there twice")
        return
    state.tasks.add(identity)
    try:
        said = _row(state, task) if is_row else _speakers(task)
        yield from _pictures(state, where, task if is_row else task["data"], list(said))
        yield from _untold(state, task, where, is_row)
    except WRONG as error:
        yield Problem(where, "bad_row", f"the task cannot be read: {error!r}")


def _is_unclean(task: dict[str, Any]) -> bool:
    text = json.dumps(task, default=str, ensure_ascii=False)
    return "\\u0000" in text or re.search("[\ud800-\udfff]", text) is not None


def _speakers(task: dict[str, Any]) -> Iterator[_Speaker]:
    for part in PARTS:
        for said in task.get(part) or ():
            results = [] if said.get("was_cancelled") else list(said.get("result") or ())
            if part == "predictions":
                attributes = {"origin": "prediction", "prediction_id": said.get("id")}
                attributes["model_version"] = said.get("model_version") or None
                score = _number(said.get("score"))
                yield _Speaker(f"prediction {said.get('id')}", results, _kept(attributes), score)
            else:
                attributes = {
                    "annotation_id": said.get("id"),
                    "completed_by": _person(said.get("completed_by")),
                }
                attributes["ground_truth"] = said.get("ground_truth") or None
                yield _Speaker(f"annotation {said.get('id')}", results, _kept(attributes), None)


def _row(state: _State, row: dict[str, Any]) -> Iterator[_Speaker]:
    """The annotation of a row of JSON_MIN, whose results stand beside the data."""
    results: list[Mapping[str, Any]] = []
    for name, value in row.items():
        tag = state.config.controls.get(name)
        for each in value if isinstance(value, list) else [value]:
            type_ = _type_in_row(each, tag)
            if type_:
                said = dict(each) if isinstance(each, dict) else {type_: each}
                if isinstance(said[type_], str):
                    said[type_] = [said[type_]]
                sizes = {k: said[k] for k in ("original_width", "original_height") if k in said}
                kind = "textarea" if type_ == "text" else type_
                results.append({"type": kind, "value": said, "from_name": name, **sizes})
    id_ = row.get("annotation_id")
    attributes = _kept({"annotation_id": id_, "completed_by": _person(row.get("annotator"))})
    yield _Speaker(f"annotation {id_}", results, attributes, None)


def _type_in_row(value: Any, tag: str | None) -> str | None:
    if isinstance(value, dict):
        types = [key for key in value if shape_of(key) and key.endswith("labels")]
        return next(iter([*types, *(key for key in ("choices", "text") if key in value)]), None)
    if not isinstance(value, str):
        return None
    return {"Choices": "choices", "TextArea": "text"}.get(tag or "")


def _person(who: Any) -> Any:
    """The number of who said it: names and addresses are not taken along."""
    return who.get("id") if isinstance(who, dict) else who


def _kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if value is not None}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value) if -MAX_SIDE < value < MAX_SIDE else None


def _untold(state: _State, task: dict[str, Any], where: str, is_row: bool) -> Iterator[Problem]:
    """What of a task is left out."""
    for said in task.get("annotations") or ():
        if said.get("was_cancelled"):
            n = len(said.get("result") or ())
            yield Problem(
                where, "unsupported", f"annotation {said.get('id')} was cancelled: {n} left out"
            )
    if not is_row and task.get("drafts"):
        yield Problem(where, "unsupported", f"{len(task['drafts'])} drafts are left out")
    for name, value in task.items() if is_row else ():
        those = (
            [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
        )
        strange = [
            each for each in those if "original_width" in each and not _type_in_row(each, "")
        ]
        if strange:
            yield Problem(where, "unsupported", f"{len(strange)} of {name} are not read")
    if is_row and not state.config.controls and len(state.tasks) == 1:
        key = _image_key(state, task, [])
        texts = [n for n, v in task.items() if isinstance(v, str) and n not in (*ROW, key)]
        if texts:
            detail = f"{', '.join(texts)} may be choices or captions; say --option config=FILE.xml"
            yield Problem(where, "unsupported", detail)


def _pictures(
    state: _State, where: str, data: Mapping[str, Any], said: list[_Speaker]
) -> Iterator[Item]:
    key = _image_key(state, data, [result for each in said for result in each.results])
    raws = _values(data.get(key) if key else None)
    names = [_name(raw, state.images) for raw in raws]
    if not names:
        fields = ", ".join(map(str, data))
        detail = f"no picture among its fields {fields}; name one with --option image_key=..."
        yield Problem(where, "missing_image", detail)
        return
    sizes = _sizes(state, names, said)
    for name, raw, size in zip(names, raws, sizes, strict=True):
        if name not in state.pictures:
            state.pictures.add(name)
            attributes = {} if name == raw else {"image": raw}
            yield Picture(name, where, size, split_of(name), attributes=attributes)
    seen: set[str] = set()
    for each in said:
        yield from _say(each, where, names, sizes, seen)


def _image_key(
    state: _State, data: Mapping[str, Any], results: list[Mapping[str, Any]]
) -> str | None:
    """The field with the picture: as said, as configured, as named, or the only one like a file."""
    likely = [
        key
        for key, value in data.items()
        if any(urlsplit(each).path.lower().endswith(SUFFIXES) for each in _values(value))
    ]
    targets = [str(result.get("to_name")) for result in results if _is_region(result)]
    alone = likely if len(likely) == 1 else []
    options = [state.image_key, state.config.image_key, "image", *alone, *targets]
    return next((key for key in options if key and _values(data.get(key))), None)


def _values(value: Any) -> list[str]:
    """The names in a field: a text, or a list of texts or of objects with a url."""
    found = value if isinstance(value, list) else [value]
    texts = [each.get("url") if isinstance(each, dict) else each for each in found]
    return [text for text in texts if isinstance(text, str) and text]


def _name(raw: str, images: Path | None) -> str:
    """The path of a picture: below ``images`` the longest end of it that is there.

    Without one, local storage gives the path in it, and an upload its file.

    >>> _name("/data/local-files/?d=set%201/a.jpg", None), _name("/data/upload/3/a.jpg", None)
    ('set 1/a.jpg', 'a.jpg')
    """
    parsed = urlsplit(raw)
    path = parse_qs(parsed.query).get("d", [""])[0] if _LOCAL in parsed.path else ""
    parts = (path or unquote(parsed.path)).strip("/").split("/")
    ends = ["/".join(parts[place:]) for place in range(len(parts))]
    ends.append(_PREFIX.sub("", parts[-1]))
    if images is not None and ".." not in parts:
        found = next((end for end in ends if end and (images / end).is_file()), None)
        if found:
            return found
    if parsed.path.startswith("/data/upload/") and not parsed.scheme:
        return parts[-1]
    return path or (raw if parsed.scheme else raw.lstrip("/"))


def _sizes(state: _State, names: list[str], said: list[_Speaker]) -> list[Size | None]:
    """The size of each picture, as a result tells it, else as the picture has it."""
    found: list[Size | None] = [None] * len(names)
    for result in (result for each in said for result in each.results):
        width, height = (
            _number(result.get("original_width")),
            _number(result.get("original_height")),
        )
        place = _place(result, names)
        if width and height and width > 0 and height > 0 and place is not None:
            found[place] = found[place] or (int(width), int(height))
    return [size or _size_of(state.images, name) for size, name in zip(found, names, strict=True)]


def _size_of(images: Path | None, name: str) -> Size | None:
    from smartdb.images import Refused, inspect

    if images is None:
        return None
    if ".." in Path(name).parts or not (images / name).is_file():
        return None
    found = inspect(bytes(images / name))
    return None if isinstance(found, Refused) else (found.width, found.height)


def _place(result: Mapping[str, Any], names: list[str]) -> int | None:
    """Which of a task's pictures a result is about: "page_2" or item_index 2 is the third."""
    if len(names) == 1:
        return 0
    digits = re.search(r"(\d+)$", str(result.get("to_name", "")))
    place = result.get("item_index", int(digits[1]) if digits else None)
    return place if isinstance(place, int) and 0 <= place < len(names) else None


def _say(
    speaker: _Speaker, where: str, names: list[str], sizes: list[Size | None], seen: set[str]
) -> Iterator[Item]:
    """What an annotation or a prediction says."""
    regions = {r.get("id"): r for r in speaker.results if _is_region(r) and r.get("id")}
    more: dict[Any, dict[str, Any]] = {id_: {} for id_ in regions}
    labels: dict[Any, list[Any]] = {}
    for result in speaker.results:
        id_, type_ = result.get("id"), result.get("type")
        if id_ in regions and not _is_region(result):
            value = result["value"].get("text" if type_ == "textarea" else str(type_))
            if type_ == "labels":
                labels[id_] = value
            else:
                more[id_][str(result.get("from_name"))] = _single(value)
    for number, result in enumerate(speaker.results):
        id_ = result.get("id")
        if id_ in regions and not _is_region(result):
            continue
        place = _place(result, names)
        at = f"{where}, {speaker.name}, {id_ or f'result {number + 1}'}"
        if place is None and result.get("type") != "relation":
            yield Problem(at, "bad_row", f"which of {len(names)} pictures it is about is not said")
            continue
        name, size = names[place or 0], sizes[place or 0]
        attributes = speaker.attributes | more.get(id_, {})
        try:
            made = list(_result(result, name, size, at, labels.get(id_)))
        except WRONG as error:
            reason = "bad_shape" if _is_region(result) else "bad_row"
            yield Problem(at, reason, f"{result.get('type')} of {name}: {error}")
            continue
        for item in made:
            yield (
                _signed(item, speaker, result, attributes, seen)
                if isinstance(item, Annotation)
                else item
            )


def _is_region(result: Mapping[str, Any]) -> bool:
    return shape_of(str(result.get("type"))) is not None


def _single(value: Any) -> Any:
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return json.loads(json.dumps(value, default=float))


def _result(
    result: Mapping[str, Any], name: str, size: Size | None, where: str, labels: list[Any] | None
) -> Iterator[Annotation | Problem]:
    type_, shape = str(result.get("type")), shape_of(str(result.get("type")))
    if type_ == "choices":
        for choice in result["value"]["choices"]:
            yield Annotation(name, "classification", str(choice), where)
    elif type_ == "textarea":
        for text in result["value"]["text"]:
            yield Annotation(name, "caption", CAPTION, where, shape={"text": str(text)})
    elif shape is None:
        yield Problem(where, "unsupported", f"a {type_} of {name} is not read")
    elif result.get("image_rotation"):
        yield Problem(where, "unsupported", f"a region on {name}, which was turned in the editor")
    elif size is None:
        yield Problem(
            where, "bad_row", f"a {type_} in percent, but the size of {name} is not known"
        )
    else:
        given = result["value"].get(type_) or labels or ()
        kind, box, geometry, more = label_studio_regions.read(shape, result["value"], size)
        if not given:
            yield Problem(where, "unknown_category", f"a {type_} of {name} has no label")
        for label in given:
            yield Annotation(name, kind, str(label), where, box, geometry, more)


def _signed(
    made: Annotation,
    speaker: _Speaker,
    result: Mapping[str, Any],
    attributes: dict[str, Any],
    seen: set[str],
) -> Annotation:
    """With who said it, how sure, and a key that is unique in the task."""
    meta = result.get("meta")
    own = meta.get("smartdb") if isinstance(meta, dict) else None
    said = attributes | dict(made.attributes) | (_single(own) if isinstance(own, dict) else {})
    if result.get("origin") not in (None, "manual"):
        said["region_origin"] = result["origin"]
    score = _number(result.get("score"))
    score = speaker.confidence if score is None else score
    if score is not None and not 0 <= score <= 1:
        said, score = said | {"score": score}, None
    return Annotation(
        made.picture, made.kind, made.class_name, made.where, made.box, made.shape, said,
        confidence=score, key=_key(result.get("id"), speaker, seen),
    )  # fmt: skip


def _key(id_: Any, speaker: _Speaker, seen: set[str]) -> str | None:
    if not id_:
        return None
    key, number = str(id_), 1
    while key in seen:
        key = f"{speaker.name}: {id_}" + (f" {number}" if number > 1 else "")
        number += 1
    seen.add(key)
    return key
