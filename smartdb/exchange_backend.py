"""What Label Studio gets when it asks smartdb, as an ML backend, for labels to start from.

The version "smartdb" is what annotators shall start from (of a pending task) and what models say
of a media; "run 12" is the class that a run predicts. What people say is not told: who asks is
about to answer.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from smartdb.errors import NotFound
from smartdb.exchange_items import Place, Thing, annotation_of, rows
from smartdb.exchange_label_studio import id_of, results_of
from smartdb.formats import label_studio_config, label_studio_writer

VERSION = "smartdb"
_RUN = "run "


def versions(conn: psycopg.Connection[Any], n: int = 20) -> list[str]:
    """The versions that can be asked for: smartdb, and the newest runs that predicted."""
    return [VERSION, *(f"{_RUN}{run_id}" for (run_id,) in rows(conn, "predicting", {"n": n}))]


def predict(
    conn: psycopg.Connection[Any],
    tasks: Sequence[Any],
    version: str | None = None,
    label_config: str | None = None,
) -> list[dict[str, Any]]:
    """A prediction for each task, in order; one of nothing where nothing is known.

    A task is found by ``data.media_id``. Results name the controls of ``label_config``, and those
    that it has none for are left out. NotFound for a version that there is not.
    """
    chosen = version or VERSION
    ids = [_media_id(task) for task in tasks]
    wanted = {"media_ids": sorted({media_id for media_id in ids if media_id is not None})}
    places = {
        media_id: Place(media_id, None, str(media_id), None, "", (width, height))
        for media_id, width, height in rows(conn, "places", wanted)
    }
    said = _said(conn, chosen, wanted)
    controls = _controls(label_config)
    made = []
    for media_id in ids:
        place = places.get(media_id or 0)
        things = [] if place is None else _things(place, said[place.media_id])
        results = [] if place is None else _results(place, things, controls)
        scores = [each["score"] for each in results if each.get("score") is not None]
        score = float(min(scores)) if scores else None
        made.append({"result": results, "score": score, "model_version": chosen})
    return made


def _said(
    conn: psycopg.Connection[Any], version: str, wanted: Mapping[str, Any]
) -> dict[int, list[dict[str, Any]]]:
    """Label objects by media."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if version == VERSION:
        for media_id, label in rows(conn, "suggested", wanted):
            if label not in found[media_id]:
                found[media_id].append(label)
        return found
    run_id = id_of(version.removeprefix(_RUN)) if version.startswith(_RUN) else None
    if run_id is None or not rows(conn, "has_predicted", {"run_id": run_id}):
        raise NotFound(f"no version {version!r}; there are: {', '.join(versions(conn))}")
    for media_id, label in rows(conn, "predicted", {**wanted, "run_id": run_id}):
        found[media_id].append(label)
    return found


def _things(place: Place, labels: Sequence[dict[str, Any]]) -> list[Thing]:
    return [
        Thing(annotation_of(place, label, f"s{place.media_id}-{number}"))
        for number, label in enumerate(labels, 1)
    ]


def _results(
    place: Place, things: Sequence[Thing], controls: Mapping[str, tuple[str, str]] | None
) -> list[dict[str, Any]]:
    results, _ = results_of(place, things, label_studio_writer.Writer())
    if controls is None:
        return results
    made = []
    for each in results:
        tag = label_studio_writer.CONTROLS.get(each["from_name"], "TextArea")
        if tag in controls:
            name, target = controls[tag]
            made.append(each | {"from_name": name, "to_name": target})
    return made


def _controls(text: str | None) -> dict[str, tuple[str, str]] | None:
    """By tag the first control of a labelling configuration, and what it is about."""
    if not text:
        return None
    with tempfile.TemporaryDirectory(prefix="smartdb-config-") as folder:
        file = Path(folder) / "label_config.xml"
        file.write_text(text, "utf-8", errors="replace")
        config = label_studio_config.read(file)
    found: dict[str, tuple[str, str]] = {}
    for name, tag in config.controls.items():
        found.setdefault(tag, (name, config.targets.get(name, "image")))
    return found


def _media_id(task: Any) -> int | None:
    data = task.get("data") if isinstance(task, dict) else None
    return id_of(data.get("media_id")) if isinstance(data, dict) else None
