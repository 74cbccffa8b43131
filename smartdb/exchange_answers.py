"""Answers of a label editor: what someone said there about a media, beside what was known here.

An answer is compared with two states of each thing: the row that both sides last agreed on, and
the row that is live now. What changed on one side only is taken from that side, what changed on
both is a conflict. Nothing here knows of a database or of a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from smartdb.formats.base import Annotation

TOLERANCE = 0.02
"""Pixels by which a number may differ and be the same: CVAT writes two digits."""

MARKS = frozenset({
    "region_origin", "score", "ellipse", "point_size",  # of Label Studio
    "source", "z_order", "group_id", "interpolated",  # of CVAT
})  # fmt: skip
"""Attributes that are an editor's own; they are kept where they were known before."""

Label = Mapping[str, Any]
"""A label object: class, kind, x, y, w, h, shape, attributes (None: not said)."""

Rule = Literal["ask", "ours", "theirs", "newest", "reviewed"]

SKEW = timedelta(seconds=5)
"""Times of two clocks that are this close do not tell which was first."""

Verb = Literal["keep", "confirm", "edit", "remove", "conflict"]

_GEOMETRY = ("x", "y", "w", "h")


@dataclass(frozen=True)
class Region:
    """A thing that the editor shows: what it calls it, what it is, and which thing here it was.

    ``object_id`` is the one that went out with it and came back, if it did.
    """

    key: str
    label: Label
    object_id: int | None = None


@dataclass(frozen=True)
class Answer:
    """What someone said of a media in the editor, all of it.

    ``is_based`` tells whether it began from what went out, so that what is not in it was removed;
    None: that is so if anything of it is in it. ``said_at`` is by the clock of the editor,
    ``is_final`` a reviewed one, ``content`` the whole of it as it came, ``problem`` why it cannot
    be taken in (a reason and a sentence).
    """

    exchange_id: int | None
    media_id: int | None
    key: str
    actor: str
    place: str
    regions: Sequence[Region] = ()
    said_at: datetime | None = None
    is_based: bool | None = True
    is_skipped: bool = False
    is_final: bool = False
    content: Any = None
    problem: tuple[str, str] | None = None


@dataclass(frozen=True)
class Known:
    """A thing that both sides know.

    ``base`` is the label object at the last agreement and ``label_id`` its row (None: both agreed
    that there is none), ``now`` the live one with ``now_id`` (None: removed here), ``said`` what
    the editor said last, if that was another thing (``has_said``). ``answer`` is the annotation
    that brought it, "" for what went out.
    """

    answer: str
    region: str
    object_id: int
    label_id: int | None
    base: Label | None
    said: Label | None
    has_said: bool
    now_id: int | None
    now: Label | None
    origin: str | None = None
    is_reviewed: bool = False
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Step:
    """What is to be done about a thing that both sides know."""

    verb: Verb
    known: Known
    theirs: Region | None


@dataclass(frozen=True)
class Comparison:
    """Steps, in the order of what was known, and regions that are new."""

    steps: list[Step] = field(default_factory=list)
    new: list[Region] = field(default_factory=list)


def label_of(annotation: Annotation, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The label object of what a reader of a format gives."""
    made: dict[str, Any] = {"class": annotation.class_name, "kind": annotation.kind}
    if annotation.box is not None and annotation.kind not in ("classification", "caption"):
        made |= dict(zip(_GEOMETRY, map(float, annotation.box), strict=True))
    if annotation.shape and annotation.kind != "classification":
        made["shape"] = dict(annotation.shape)
    return made | {"attributes": None if attributes is None else dict(attributes)}


def compare(answer: Answer, known: Sequence[Known]) -> Comparison:
    """What an answer asks for; only things that it or the tasks brought are looked at."""
    mine = [each for each in known if each.answer in ("", answer.key)]
    pairs = dict(_pairs(mine, answer.regions))
    taken = {id(region) for region in pairs.values()}
    is_based = bool(pairs) if answer.is_based is None else answer.is_based
    steps = []
    for place, each in enumerate(mine):
        theirs = pairs.get(place)
        if theirs is not None or is_based or (each.answer and answer.is_based is None):
            steps.append(_step(each, theirs))
    return Comparison(steps, [each for each in answer.regions if id(each) not in taken])


def same(a: Label | None, b: Label | None) -> bool:
    """Whether two label objects say the same; attributes that were not said do not differ."""
    if a is None or b is None:
        return a is b
    return (
        a["class"] == b["class"]
        and a.get("kind", "classification") == b.get("kind", "classification")
        and same_geometry(a, b)
        and (None in (a.get("attributes", {}), b.get("attributes", {})) or _said(a) == _said(b))
    )


def same_geometry(a: Label, b: Label) -> bool:
    """Whether two label objects of a kind lie in the same place, but for rounding."""
    return _close([a.get(each) for each in _GEOMETRY], [b.get(each) for each in _GEOMETRY]) and (
        _close(a.get("shape") or {}, b.get("shape") or {})
    )


def changes(now: Label, theirs: Label) -> dict[str, Any]:
    """What to change of a label so that it says what the editor says; unsure no more."""
    made: dict[str, Any] = {"confidence": None}
    if theirs["class"] != now["class"]:
        made["class"] = theirs["class"]
    if theirs["kind"] != now["kind"] or not same_geometry(now, theirs):
        made |= {key: theirs[key] for key in ("kind", *_GEOMETRY, "shape") if key in theirs}
    if theirs.get("attributes") is not None and _said(theirs) != _said(now):
        made["attributes"] = dict(theirs["attributes"])
    return made


def choose(rule: Rule, answer: Answer, known: Known, now: datetime) -> str | None:
    """Which side a rule takes in a conflict, ours or theirs; None leaves it to a person.

    newest does not tell of times that are as close as clocks differ, nor of one in the future;
    reviewed takes the side that a reviewer has accepted, if that is one of them.
    """
    if rule in ("ours", "theirs"):
        return rule
    if rule == "reviewed" and known.is_reviewed != answer.is_final:
        return "ours" if known.is_reviewed else "theirs"
    if rule != "newest" or answer.said_at is None or known.changed_at is None:
        return None
    ahead = answer.said_at - known.changed_at
    if abs(ahead) <= SKEW or answer.said_at > now + SKEW:
        return None
    return "theirs" if ahead > SKEW else "ours"


def settled(theirs: Label, known: Label | None) -> Label:
    """A label with the attributes as the editor meant them.

    Marks of the editor that were not known before are left out, and so is what it filled in as
    empty; values that it can only write as text are what they were if their text is the same.
    """
    if theirs.get("attributes") is None:
        return theirs
    before = dict((known or {}).get("attributes") or {})
    found = {}
    for name, value in theirs["attributes"].items():
        if name in MARKS and name not in before:
            continue
        if value == "" and before.get(name, "") == "":
            if name in before:
                found[name] = ""
            continue
        found[name] = before[name] if _is_text_of(value, before.get(name)) else value
    found |= {name: before[name] for name in MARKS & before.keys() if name not in found}
    return {**theirs, "attributes": found}


def _is_text_of(value: Any, before: Any) -> bool:
    is_text = isinstance(value, str) and not isinstance(before, str) and before is not None
    return is_text and json.dumps(before) == value


def _step(known: Known, theirs: Region | None) -> Step:
    last = _last(known)
    is_theirs_new = not same(last, theirs.label if theirs else None)
    is_ours_new = known.now_id != known.label_id and not same(known.now, known.base)
    if not is_theirs_new:
        is_unsure = theirs is not None and known.origin in ("model", "propagated")
        return Step("confirm" if is_unsure and not is_ours_new else "keep", known, theirs)
    if is_ours_new and not same(known.now, theirs.label if theirs else None):
        return Step("conflict", known, theirs)
    if theirs is None:
        return Step("keep" if known.now is None else "remove", known, None)
    return Step("edit", known, theirs)


def _pairs(known: Sequence[Known], regions: Sequence[Region]) -> Iterator[tuple[int, Region]]:
    """Places of known things with the regions that they are now, each once.

    By the region's name, by the thing that travelled with it, by what it says; a class or a
    caption that is left is another word for one that is missing.
    """
    open_known = dict(enumerate(known))
    open_regions = dict(enumerate(regions))
    rules = (_by_key, _by_object, _by_content, _by_rest)
    for rule in rules:
        for place, each in list(open_known.items()):
            found = next((n for n, region in open_regions.items() if rule(each, region)), None)
            if found is not None:
                yield place, open_regions.pop(found)
                del open_known[place]


def _by_key(known: Known, region: Region) -> bool:
    return known.region == region.key


def _by_object(known: Known, region: Region) -> bool:
    return region.object_id == known.object_id


def _by_content(known: Known, region: Region) -> bool:
    said = _last(known)
    if said is None:
        return False
    alike = said["class"] == region.label["class"] and said["kind"] == region.label["kind"]
    return alike and same_geometry(said, region.label)


def _by_rest(known: Known, region: Region) -> bool:
    kind = (_last(known) or {}).get("kind")
    return kind in ("classification", "caption") and kind == region.label["kind"]


def _last(known: Known) -> Label | None:
    return known.said if known.has_said else known.base


def _said(label: Label) -> Mapping[str, Any]:
    return label.get("attributes") or {}


def _close(a: Any, b: Any) -> bool:
    """Whether two values are the same but for rounding of numbers."""
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= TOLERANCE
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_close(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_close, a, b))
    return bool(a == b)


def unique(regions: Iterable[Region]) -> list[Region]:
    """Regions whose names are their own: a copy of a thing is another thing."""
    names: set[str] = set()
    objects: set[int] = set()
    found = []
    for each in regions:
        key, number = each.key, 2
        while key in names:
            key, number = f"{each.key} {number}", number + 1
        names.add(key)
        object_id = None if each.object_id in objects else each.object_id
        objects |= {object_id} if object_id is not None else set()
        found.append(Region(key, each.label, object_id))
    return found
