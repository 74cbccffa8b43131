"""Labels one by one: what a person says of a picture, changes, takes back, and its history."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ACTOR = click.option("--as", "actor", required=True, metavar="NAME", help="Who says so.")
_REASON = click.option("--reason", help="Why, for a person.")
_REVIEWER = click.option(
    "--reviewer", is_flag=True, help="As a reviewer, who may change what others say."
)
_MEANT = ("class", "kind", "x", "y", "w", "h", "shape", "attributes")


@click.group()
def label() -> None:
    """Write, change, remove, draw and look back at labels of all kinds."""


@label.command("add")
@click.argument("media", type=int)
@click.argument("objects", metavar="LABELS")
@_ACTOR
@click.option("--ontology", help="Where several ontologies have a class of that name.")
def add(media: int, objects: str, actor: str, ontology: str | None) -> None:
    """Say something of MEDIA: LABELS is a label object or a list of them, as JSON or @FILE.

    Such as '{"class": "dog", "kind": "box", "x": 3, "y": 4, "w": 20, "h": 10}'.
    """
    from smartdb import database, label_edits

    given = _json(objects)
    with database.session(role="smartdb_annotator") as conn:
        found = label_edits.add(
            conn, media, actor, given if isinstance(given, list) else [given], ontology=ontology
        )
    output.table([(each,) for each in found], ["label"])


@label.command("edit")
@click.argument("label_id", type=int)
@click.argument("changes")
@_ACTOR
@_REASON
@_REVIEWER
def edit(label_id: int, changes: str, actor: str, reason: str | None, reviewer: bool) -> None:
    """Change a label: CHANGES are keys of a label object, as JSON or @FILE; null takes one away."""
    from smartdb import database, label_edits
    from smartdb.errors import StaleEdit

    try:
        with database.session(role=_role(reviewer)) as conn:
            found = label_edits.edit(conn, label_id, actor, _json(changes), reason)
    except StaleEdit as error:
        _show_both(error.versions)
        raise
    output.table([(label_id, found)], ["was", "label"])


@label.command("remove")
@click.argument("label_ids", type=int, nargs=-1, required=True)
@_ACTOR
@_REASON
@_REVIEWER
def remove(label_ids: tuple[int, ...], actor: str, reason: str | None, reviewer: bool) -> None:
    """Take labels back, all or none; what they said stays in the history."""
    from smartdb import database, label_edits
    from smartdb.errors import StaleEdit

    try:
        with database.session(role=_role(reviewer)) as conn:
            for label_id in label_ids:
                label_edits.remove(conn, label_id, actor, reason)
    except StaleEdit as error:
        _show_both(error.versions)
        raise
    output.table([(len(label_ids),)], ["removed"])


@label.command("history")
@click.argument("label_id", type=int)
@_AS_JSON
def history(label_id: int, as_json: bool) -> None:
    """Every state of a label: who said it, when, who changed it, and why."""
    from smartdb import database, label_edits

    with database.session(role="smartdb_reader") as conn:
        states = label_edits.history(conn, label_id)
    if as_json:
        output.print_json([asdict(each) for each in states])
        return
    rows = (
        (s.label["label_id"], s.label["actor"], s.label["origin"], _brief(s.label),
         s.label["created_at"][:19], s.closed_by, ", ".join(s.changed), s.reason)
        for s in states
    )  # fmt: skip
    columns = ["label", "actor", "origin", "says", "at", "ended by", "changed", "reason"]
    output.table(rows, columns)


@label.command("relations")
@_AS_JSON
def relations(as_json: bool) -> None:
    """List the relations of which an end was removed."""
    from smartdb import database, label_edits

    with database.session(role="smartdb_reader") as conn:
        found = label_edits.broken_relations(conn)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    rows = (
        (r.label_id, r.media_id, r.subject or f"object {r.subject_id}: removed", r.relation,
         r.target or f"object {r.target_id}: removed", r.actor)
        for r in found
    )  # fmt: skip
    output.table(rows, ["label", "media", "subject", "relation", "target", "actor"])


@label.command("track")
@click.argument("video", type=int)
@click.argument("first", type=click.IntRange(0))
@click.argument("last", type=click.IntRange(0), required=False)
@click.option("--track", type=int, help="Only this one.")
@_AS_JSON
def track(video: int, first: int, last: int | None, track: int | None, as_json: bool) -> None:
    """Where the tracked things of VIDEO are in frame FIRST, or up to LAST, key frames or not."""
    from smartdb import database, tracks

    with database.session(role="smartdb_reader") as conn:
        found = tracks.between(conn, video, first, first if last is None else last, track)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    rows = (
        (p.frame_index, p.track_id, p.class_name, p.kind, *p.box, "yes" if p.is_key else "")
        for p in found
    )
    output.table(rows, ["frame", "track", "class", "kind", "x", "y", "w", "h", "key"])


@label.command("draw")
@click.argument("media", type=int)
@click.argument("picture", type=click.Path(path_type=Path, dir_okay=False))
def draw(media: int, picture: Path) -> None:
    """Draw MEDIA with all that is said of it into the PNG file PICTURE."""
    from smartdb import database, label_pictures

    with database.session(role="smartdb_reader") as conn:
        picture.write_bytes(label_pictures.png(conn, media))
    output.say(f"drawn: {picture}")


def _role(is_reviewer: bool) -> str:
    return "smartdb_reviewer" if is_reviewer else "smartdb_annotator"


def _json(text: str) -> Any:
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise click.BadParameter(f"{text[1:]}: {error}") from error
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"that is no JSON: {error}") from error


def _brief(label: dict[str, Any]) -> str:
    box = [f"{label[each]:g}" for each in ("x", "y", "w", "h") if each in label]
    return " ".join([label["class"], label["kind"], *([f"[{', '.join(box)}]"] if box else [])])


def _show_both(versions: dict[str, Any]) -> None:
    """What the label is now beside what it was to become, on stderr."""
    theirs, yours = versions["theirs"], versions["yours"]
    if theirs is None or yours is None:
        output.say(f"theirs: {_brief(theirs) if theirs else 'removed'}")
        output.say(f"yours: {_brief(yours) if yours else 'removed'}")
        return
    for key in (each for each in _MEANT if theirs.get(each) != yours.get(each)):
        output.say(f"{key}: theirs {theirs.get(key)!r}, yours {yours.get(key)!r}")
