"""Writes Label Studio JSON: a task for each picture, and the labelling configuration beside it.

Attributes that Label Studio has no place for are the object "smartdb" in the ``meta`` of a region.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartdb.formats import label_studio_config, label_studio_regions
from smartdb.formats.base import Annotation, ClassInfo, Picture, Problem
from smartdb.formats.percent import dump

CAPTION = "caption"
"""The class of captions, which have no category."""

OF_SPEAKER = ("origin", "prediction_id", "model_version", "annotation_id", "completed_by",
              "ground_truth")  # fmt: skip
OF_REGION = ("region_origin", "ellipse", "point_size", "score")
CONTROLS = {
    "rectangle": "RectangleLabels", "polygon": "PolygonLabels", "ellipse": "EllipseLabels",
    "keypoint": "KeyPointLabels", "brush": "BrushLabels", "choices": "Choices",
}  # fmt: skip


@dataclass
class Writer:
    """What is known of the labels that were written."""

    problems: list[Problem] = field(default_factory=list)
    labels: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """By control the labels that were used."""

    def lose(self, annotation: Annotation, what: str) -> None:
        detail = f"Label Studio has no {what}"
        self.problems.append(Problem(annotation.where, "unsupported", detail))


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """Writes a JSON file and its configuration; a problem for each label it cannot hold."""
    writer = Writer()
    labels: dict[tuple[str, int | None], list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        labels[annotation.picture, annotation.frame_index].append(annotation)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, picture in enumerate(pictures, 1):
            task = _task(writer, number, picture, labels[picture.name, picture.frame_index])
            file.write(f"{'[' if number == 1 else ','}\n{dump(task)}")
        file.write("[]\n" if file.tell() == 0 else "\n]\n")
    names = [info.name for info in classes]
    used = {
        control: (CONTROLS[control], list(dict.fromkeys([*names, *found])))
        for control, found in writer.labels.items()
        if control in CONTROLS
    }
    if "textarea" in writer.labels:
        used["textarea"] = ("TextArea", [])
    label_studio_config.write(
        path.with_suffix(".xml"), used or {"rectangle": (CONTROLS["rectangle"], names)}
    )
    return writer.problems


def _task(
    writer: Writer, number: int, picture: Picture, labels: list[Annotation]
) -> dict[str, Any]:
    speakers: dict[str, list[dict[str, Any]]] = defaultdict(list)
    heads: dict[str, Mapping[str, Any]] = {}
    for place, annotation in enumerate(labels, 1):
        made = result(writer, annotation, picture, f"r{number}-{place}")
        if made is not None:
            head = {key: annotation.attributes.get(key) for key in OF_SPEAKER}
            heads[repr(head)] = head
            speakers[repr(head)].append(made)
    task: dict[str, Any] = {"id": number, "data": {"image": picture.name}}
    task |= {"annotations": [], "predictions": []}
    if picture.frame_index is not None:
        detail = "Label Studio has no frames of a video in tasks of pictures"
        writer.problems.append(Problem(picture.where, "unsupported", detail))
    for key, results in speakers.items():
        _add(task, heads[key], results)
    return task


def _add(task: dict[str, Any], head: Mapping[str, Any], results: list[dict[str, Any]]) -> None:
    said: dict[str, Any] = {"result": results}
    if head["origin"] == "prediction":
        said |= {"id": head["prediction_id"], "model_version": head["model_version"] or ""}
        task["predictions"].append(said)
    else:
        said |= {"id": head["annotation_id"], "was_cancelled": False}
        said |= {"completed_by": head["completed_by"], "ground_truth": bool(head["ground_truth"])}
        task["annotations"].append(said)


def result(
    writer: Writer, annotation: Annotation, picture: Picture, id_: str
) -> dict[str, Any] | None:
    """A label as a result of an annotation; None, with a problem, if there is none."""
    value = _value(annotation, picture)
    if value is None:
        writer.lose(annotation, f"{annotation.kind} like that of {picture.name}; it is left out")
        return None
    shape, said = value
    if annotation.kind == "keypoints" and set(annotation.shape or {}) != {"points"}:
        writer.lose(annotation, "place for an outline beside keypoints")
    if annotation.track is not None:
        writer.lose(annotation, f"track; that of the {annotation.kind} is left out")
    is_region = shape in label_studio_regions.SHAPES
    type_ = f"{shape}labels" if is_region else shape
    if shape != "textarea":
        said = said | {type_: [annotation.class_name]}
    elif annotation.class_name != CAPTION:
        writer.lose(
            annotation, f"class of captions; {annotation.class_name!r} is {CAPTION!r} there"
        )
    writer.labels[shape][annotation.class_name] = None
    attributes = annotation.attributes
    made: dict[str, Any] = {
        "id": annotation.key or id_,
        "type": type_,
        "from_name": shape,
        "to_name": "image",
    }
    made |= {"origin": attributes.get("region_origin", "manual"), "value": said}
    if is_region and picture.size:
        width, height = picture.size
        made |= {"original_width": width, "original_height": height, "image_rotation": 0}
    score = attributes.get("score", annotation.confidence)
    if score is not None:
        made["score"] = score
    rest = {k: v for k, v in attributes.items() if k not in (*OF_SPEAKER, *OF_REGION)}
    return made | ({"meta": {"smartdb": rest}} if rest else {})


def _value(annotation: Annotation, picture: Picture) -> tuple[str, dict[str, Any]] | None:
    """The kind of result and its value without labels; None if there is none."""
    if annotation.kind == "classification":
        return "choices", {}
    if annotation.kind == "caption":
        return "textarea", {"text": [(annotation.shape or {})["text"]]}
    return label_studio_regions.write(annotation, picture.size) if picture.size else None
