"""CVAT's side of an exchange: its XML, or its backup of a task, out and in.

Each label carries the attribute "smartdb": the exchange and the object_id, as "3:17". CVAT keeps it
with the shape, so an edited shape is known again; a copied one has it twice, and the second is a
new thing. A file without any such attribute removes nothing. Shapes that CVAT interpolated between
key frames are not taken in.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg

from smartdb import contents
from smartdb.errors import InvalidInput
from smartdb.exchange_answers import Answer, Region, label_of, unique
from smartdb.exchange_items import Place, Thing
from smartdb.formats import cvat, cvat_task, xml_nodes
from smartdb.formats.base import Annotation, ClassInfo, Picture, Problem
from smartdb.formats.xml_nodes import Node

MARK = "smartdb"
"""The attribute by which a thing is known again."""

ANSWER = "cvat"
"""A task of CVAT says one thing of a media, whoever worked on it."""

INSIDE = "annotations.xml"
_IDS = re.compile(r"(\d{1,18}):(\d{1,18})")
_WRITTEN = re.compile(r'name="smartdb">(\d+):(\d+)<')


@dataclass(frozen=True)
class File:
    """What a file says: labels and problems by picture and frame, its exchange, and who made it.

    ``is_whole`` tells that what is missing in it was removed there: it has marks, and all of it
    could be read. ``lost`` could not, and is of no known picture.
    """

    name: str
    said: Mapping[tuple[str, int | None], Sequence[Annotation | Problem]]
    exchange_id: int | None
    actor: str
    said_at: datetime | None
    is_whole: bool
    lost: Sequence[Problem]


def is_at(path: Path) -> bool:
    """Whether it is a file of CVAT: its XML, that in a zip, or a backup of a task."""
    if cvat_task.is_at(path):
        return True
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as opened:
            return INSIDE in opened.namelist()
    return cvat.is_at(path)


def write(
    conn: psycopg.Connection[Any],
    path: Path,
    editor: str,
    infos: Mapping[str, ClassInfo],
    sent: Sequence[tuple[Place, Sequence[Thing]]],
    exchange_id: int,
) -> tuple[list[Problem], list[tuple[int, Thing]]]:
    """Writes XML, or a task with its pictures; what CVAT cannot hold, and what is in the file."""
    classes = [_declared(info) for info in infos.values()]
    pictures = [_picture(place) for place, _ in sent]
    labels = [
        _marked(thing, exchange_id, number)
        for place, things in sent
        for number, thing in enumerate(things)
    ]
    if editor == "cvat_task":
        if any(place.frame_index is not None for place, _ in sent):
            raise InvalidInput("a CVAT task has no frames of a video here; say cvat, which is XML")
        by_name = {place.name: place.media_id for place, _ in sent}
        content = {each.media_id: each for each in contents.find_all(conn, by_name.values())}
        conn.commit()
        problems = cvat_task.write(
            path, f"smartdb exchange {exchange_id}", pictures, labels, classes,
            lambda picture: contents.read_bytes(content[by_name[picture.name]]),
        )  # fmt: skip
        with zipfile.ZipFile(path) as opened:
            text = opened.read(cvat_task.ANNOTATIONS).decode()
        written = set(re.findall(r'"name": "smartdb", "value": "\d+:(\d+)"', text))
    else:
        problems = cvat.write(path, pictures, labels, classes)
        written = {found for _, found in _WRITTEN.findall(path.read_text("utf-8"))}
    kept = [
        (place.media_id, thing)
        for place, things in sent
        for thing in things
        if thing.object_id is None or str(thing.object_id) in written
    ]
    return problems, kept


def read(path: Path) -> File:
    """What a file says; InvalidInput if it is broken."""
    if cvat_task.is_at(path):
        return _of_items(path.name, cvat_task.read(path), "", None)
    if not zipfile.is_zipfile(path):
        return _of_xml(path, path.name)
    with tempfile.TemporaryDirectory(prefix="smartdb-cvat-") as folder:
        inner = Path(folder) / INSIDE
        with zipfile.ZipFile(path) as opened:
            if opened.getinfo(INSIDE).file_size > cvat_task.MAX_JSON:
                raise InvalidInput(f"{path.name}: {INSIDE} is too large to be a task")
            inner.write_bytes(opened.read(INSIDE))
        return _of_xml(inner, path.name)


def answers(
    file: File, exchange_id: int, actor: str, named: Sequence[tuple[Any, ...]]
) -> Iterator[Answer]:
    """What a file says of each media; ``named`` are (name, frame, media_id, width, height)."""
    known = {(name, frame): media_id for name, frame, media_id, _, _ in named}
    ends = Counter(PurePosixPath(name).name for name, frame, *_ in named if frame is None)
    for name, _, media_id, _, _ in named:
        if ends[PurePosixPath(name).name] == 1:  # CVAT was given the files without their folders
            known.setdefault((PurePosixPath(name).name, None), media_id)
    videos = {frame: media_id for _, frame, media_id, _, _ in named if frame is not None}
    for (name, frame), said in file.said.items():
        place = f"{file.name}, {name}" + ("" if frame is None else f", frame {frame}")
        media_id = known.get((name, frame), videos.get(frame) if frame is not None else None)
        answer = Answer(
            exchange_id, media_id, ANSWER, actor, place,
            said_at=file.said_at, is_based=file.is_whole,
            content=[_content(each) for each in said],
        )  # fmt: skip
        problem = next((each for each in said if isinstance(each, Problem)), None)
        if media_id is None:
            if said:
                detail = f"exchange {exchange_id} has no media called {name} that may be seen"
                yield replace(answer, problem=("unknown_media", detail))
        elif problem is not None:
            yield replace(answer, problem=(problem.reason, problem.detail))
        else:
            labels = [each for each in said if isinstance(each, Annotation)]
            yield replace(answer, regions=unique(map(_region, labels)))
    for each in file.lost:
        where = Answer(exchange_id, None, ANSWER, actor, each.where)
        yield replace(where, problem=(each.reason, each.detail))


def _declared(info: ClassInfo) -> ClassInfo:
    """A class with the mark as the one attribute that CVAT asks for."""
    mark = {"input_type": "text", "values": [], "mutable": True}
    return replace(info, attributes={MARK: mark})


def _picture(place: Place) -> Picture:
    return Picture(place.name, f"media {place.media_id}", place.size, frame_index=place.frame_index)


def _marked(thing: Thing, exchange_id: int, number: int) -> Annotation:
    made = thing.annotation
    mark = "" if thing.object_id is None else f"{exchange_id}:{thing.object_id}"
    attributes = {**made.attributes, MARK: mark} if mark else made.attributes
    track = made.track
    if made.frame_index is not None and track is None:
        track = f"{thing.object_id or number}"
    return replace(made, attributes=attributes, confidence=None, track=track)


def _of_xml(path: Path, name: str) -> File:
    meta = next(iter(xml_nodes.nodes(path, ("meta", "image", "track"), name)), None)
    if isinstance(meta, Problem):
        raise InvalidInput(f"{meta.where}: {meta.detail}")
    if meta is None:
        raise InvalidInput(f"{name} is no XML of CVAT: it has no <meta>, <image> or <track>")
    who, when = _made(meta) if meta.tag == "meta" else ("", None)
    nowhere = path.parent / "no pictures here"
    return _of_items(name, cvat.read(path, images=nowhere), who, when)


def _made(meta: Node) -> tuple[str, datetime | None]:
    """Who worked on it and when it was changed last, as far as CVAT tells."""
    inner = next((each for each in meta.children if each.tag in ("task", "job", "project")), meta)
    people = [inner.find(each) for each in ("assignee", "owner")]
    named = [n.say(part) for n in people if n for part in ("email", "username") if n.say(part)]
    try:
        when = datetime.fromisoformat(inner.say("updated") or meta.say("dumped"))
    except ValueError:
        return next(iter(named), ""), None
    return next(iter(named), ""), when if when.tzinfo else when.replace(tzinfo=UTC)


def _of_items(name: str, items: Any, who: str, when: datetime | None) -> File:
    said: dict[tuple[str, int | None], list[Annotation | Problem]] = defaultdict(list)
    lost: list[Problem] = []
    exchanges: Counter[int] = Counter()
    last: tuple[str, int | None] | None = None
    for each in items:
        if isinstance(each, Picture):
            last = (each.name, each.frame_index)
            said[last]
        elif isinstance(each, Problem):
            is_about = last is not None and last[1] is None and last[0] in each.detail
            (said[last] if is_about and last else lost).append(each)
        elif each.attributes.get("interpolated") is not True:
            said[each.picture, each.frame_index].append(each)
            match = _IDS.fullmatch(str(each.attributes.get(MARK, "")))
            if match:
                exchanges[int(match[1])] += 1
    broken = next((each for each in lost if each.reason == "broken_file"), None)
    if broken is not None:
        raise InvalidInput(f"{broken.where}: {broken.detail}")
    number = exchanges.most_common(1)[0][0] if exchanges else None
    return File(name, dict(said), number, who, when, bool(exchanges) and not lost, lost)


def _region(made: Annotation) -> Region:
    attributes = dict(made.attributes)
    match = _IDS.fullmatch(str(attributes.pop(MARK, "")))
    label = label_of(made, attributes)
    if match:
        return Region(f"o{match[2]}", label, int(match[2]))
    text = json.dumps(label, sort_keys=True, default=float)
    return Region(f"n{hashlib.sha256(text.encode()).hexdigest()[:16]}", label)


def _content(said: Annotation | Problem) -> dict[str, Any]:
    if isinstance(said, Problem):
        return {"problem": said.reason, "detail": said.detail}
    return label_of(said, said.attributes)
