"""Items of an exchange: what goes out to a label editor, media by media, most wanted first."""

from __future__ import annotations

import os
import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.exchange_answers import same
from smartdb.formats.base import Annotation, ClassInfo
from smartdb.statements import statement

PAGE = 500
"""Media whose labels are read at once."""

WORDS = ("consensus", "human", "import", "model", "propagated")
UNHEARD = ("import", "consensus", "model", "propagated")
"""Origins that go out where several people are to answer on their own."""


@dataclass(frozen=True)
class Scope:
    """Which tasks go out, whose classes are offered, and what is told of the media.

    ``is_shared`` tells that a thing stays the same thing when it comes back. Where several people
    are to answer on their own, what goes out is only to start from.
    """

    project_id: int | None
    ontology_id: int
    ontology: str
    origins: Sequence[str]
    is_shared: bool


@dataclass(frozen=True)
class Place:
    """A media that goes out: its task, its name in the editor, and where it lies."""

    media_id: int
    task_id: int | None
    name: str
    frame_index: int | None
    uri: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Thing:
    """A label that goes out, with its row and thing here; what annotators start from has none."""

    annotation: Annotation
    label_id: int | None = None
    object_id: int | None = None


def scope_of(
    conn: psycopg.Connection[Any],
    project: str | None,
    ontology: str | None,
    *,
    with_human: bool | None = None,
) -> Scope:
    """The scope of an exchange; NotFound for an unknown project or ontology.

    What people said goes out too unless several are to answer on their own (overlap above 1), or
    ``with_human`` says otherwise.
    """
    project_id, ontology_id, overlap = None, None, 1
    if project is not None:
        found = rows(conn, "project", {"project": project})
        if not found:
            raise NotFound(f"no project {project!r}; see: smartdb.project")
        project_id, ontology_id, overlap = found[0]
    known = [
        (number, name)
        for number, name in rows(conn, "ontologies", {"ontology": ontology})
        if ontology_id in (None, number)
    ]
    if not known:
        raise NotFound(f"no ontology {ontology or ''}; see: smartdb classes".replace("  ", " "))
    if len(known) > 1:
        names = ", ".join(name for _, name in known)
        raise InvalidInput(f"there are several ontologies; name one with --ontology: {names}")
    is_heard = overlap == 1 if with_human is None else with_human
    return Scope(project_id, known[0][0], known[0][1], WORDS if is_heard else UNHEARD, overlap == 1)


def places(
    conn: psycopg.Connection[Any],
    scope: Scope,
    *,
    batch_id: int | None = None,
    kind: str | None = None,
    source: str | None = None,
    n: int | None = None,
) -> list[Place]:
    """The media that go out, most wanted first; NothingToDo if there are none."""
    values = {
        "project_id": scope.project_id, "batch_id": batch_id, "kind": kind, "source": source,
        "n": n,
    }  # fmt: skip
    found = rows(conn, "items", values)
    if not found:
        raise NothingToDo("no task waits there; open some with: smartdb tasks --open")
    names = [_name(uri, root) for _, _, uri, _, _, _, _, root, _ in found]
    again = Counter((name, row[6]) for name, row in zip(names, found, strict=True))
    made = []
    for name, row in zip(names, found, strict=True):
        media_id, task_id, uri, _, width, height, frame, _, origin = row
        if again[name, frame] > 1:
            name = f"{origin or media_id}/{name}"
        made.append(Place(media_id, task_id, name, frame, uri or "", (width, height)))
    return made


def things(
    conn: psycopg.Connection[Any], scope: Scope, found: Sequence[Place]
) -> Iterator[tuple[Place, list[Thing]]]:
    """Each media with what is said of it, page by page; no transaction stays open in between."""
    for start in range(0, len(found), PAGE):
        some = found[start : start + PAGE]
        live = defaultdict(list)
        values = {
            "media_ids": [each.media_id for each in some],
            "ontology_id": scope.ontology_id, "origins": list(scope.origins),
        }  # fmt: skip
        for row in rows(conn, "labels", values):
            live[row[0]].append(row)
        tasks = [each.task_id for each in some if each.task_id is not None]
        prefills = dict(rows(conn, "prefills", {"task_ids": tasks}))
        conn.commit()
        for each in some:
            made = [_thing(scope, each, row) for row in live[each.media_id]]
            yield each, made + _prefilled(each, prefills.get(each.task_id or 0) or [], made)


def class_infos(conn: psycopg.Connection[Any], ontology_id: int) -> dict[str, ClassInfo]:
    """The classes in use, with their skeletons and kinds."""
    found = {}
    for name, kinds, skeleton, parent in rows(conn, "classes", {"ontology_id": ontology_id}):
        points = tuple((skeleton or {}).get("points", ()))
        edges = tuple(
            (points.index(a) + 1, points.index(b) + 1) for a, b in (skeleton or {}).get("edges", ())
        )
        found[name] = ClassInfo(name, parent, points, edges, kinds=tuple(kinds))
    return found


def annotation_of(place: Place, said: Mapping[str, Any], key: str) -> Annotation:
    """A label object as formats write it."""
    box = None if said.get("x") is None else (said["x"], said["y"], said["w"], said["h"])
    track = said.get("track_id")
    return Annotation(
        place.name, said.get("kind") or "classification", said["class"], key, box,
        said.get("shape"), said.get("attributes") or {}, None if track is None else str(track),
        said.get("confidence"), key, place.frame_index,
    )  # fmt: skip


def rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """What a statement of ``queries/exchange.sql`` gives."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement("exchange", name), values)
        return cursor.fetchall() if cursor.description else []


def _thing(scope: Scope, place: Place, row: tuple[Any, ...]) -> Thing:
    _, label_id, object_id, name, kind, x, y, w, h, shape, attributes, track, confidence, _ = row
    said = {
        "class": name, "kind": kind, "x": x, "y": y, "w": w, "h": h, "shape": shape,
        "attributes": attributes, "track_id": track, "confidence": confidence,
    }  # fmt: skip
    annotation = annotation_of(place, said, f"o{object_id}")
    return Thing(annotation, label_id, object_id) if scope.is_shared else Thing(annotation)


def _prefilled(place: Place, prefill: Sequence[Any], live: Sequence[Thing]) -> list[Thing]:
    """What an annotator starts from, less what is said already."""
    known = [_plain(each.annotation) for each in live]
    made = []
    for number, said in enumerate(prefill, 1):
        annotation = annotation_of(place, said, f"p{place.task_id}-{number}")
        if not any(same(_plain(annotation), each) for each in known):
            made.append(Thing(annotation))
    return made


def _plain(annotation: Annotation) -> dict[str, Any]:
    box = annotation.box or (None,) * 4
    made: dict[str, Any] = dict(zip("xywh", box, strict=True))
    made |= {"class": annotation.class_name, "kind": annotation.kind, "attributes": None}
    return made | {"shape": annotation.shape}


def _name(uri: str | None, root: str | None) -> str:
    """The path of a file below its source, decoded."""
    path = (uri or "").partition("#frame=")[0]
    start = (root or "").rstrip("/") + "/"
    below = path[len(start) :] if root and path.startswith(start) else posixpath.basename(path)
    plain = os.fsdecode(unquote_to_bytes(below))
    return plain.encode("utf-8", "replace").decode()
