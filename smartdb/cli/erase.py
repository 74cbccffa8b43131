"""Commands of the privacy officer: subject, erase."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output
from smartdb.cli.terms import MEDIA, WHERE, chosen, media_ids

if TYPE_CHECKING:
    from smartdb.erasure import Erasure

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_LISTS = ("versions", "models", "left", "parents_left")


@click.group()
def subject() -> None:
    """Note which person a media shows, by a key of your own; - reads the key from stdin."""


@subject.command("set")
@click.argument("key")
@MEDIA
@WHERE
@click.option("--remove", is_flag=True, help="Take it back instead.")
def set_(key: str, media: str | None, where: str | None, remove: bool) -> None:
    """Note that media show the person KEY."""
    from smartdb import database, subjects

    change = subjects.remove if remove else subjects.add
    with database.session("smartdb_privacy") as conn:
        n = change(conn, _key(key), chosen(conn, media, where))
    output.say(f"{n} media {'taken back' if remove else 'noted'}")


@subject.command()
@click.argument("key")
@_AS_JSON
def show(key: str, as_json: bool) -> None:
    """List the media that show the person KEY."""
    from smartdb import database, subjects

    with database.session("smartdb_privacy") as conn:
        found = subjects.media_of(conn, _key(key))
    if as_json:
        output.print_json(found)
    else:
        output.table(([media_id] for media_id in found), ["media_id"])


@click.command()
@MEDIA
@click.option("--source", help="All that lies in this source.")
@click.option("--subject", "key", help="All that shows this person; - reads the key from stdin.")
@click.option("--reason", help="Why, such as 'consent withdrawn'.")
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and erase nothing.")
@click.option("--delete-files", is_flag=True, help="Delete the original files as well.")
@click.option("--resume", "only_resume", is_flag=True, help="Only finish what was cut off.")
@_AS_JSON
def erase(
    media: str | None,
    source: str | None,
    key: str | None,
    reason: str | None,
    dry_run: bool,
    delete_files: bool,
    only_resume: bool,
    as_json: bool,
) -> None:
    """Erase media with all that was made of them, and report what contained them.

    Takes the rights of smartdb_privacy. What was cut off is finished first.
    """
    from smartdb import database, erasure

    what: dict[str, Any] = {
        "media_ids": None if media is None else media_ids(media),
        "source": source,
        "subject": None if key is None else _key(key),
    }
    with database.session("smartdb_privacy") as conn:
        if only_resume:
            found = erasure.resume(conn, delete_files=delete_files)
        elif dry_run:
            found = [erasure.preview(conn, **what)]
        else:
            found = erasure.erase(conn, **what, reason=reason or "", delete_files=delete_files)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    for each in found:
        _print(each)
    if not found:
        output.say("nothing was cut off")


def _print(done: Erasure) -> None:
    """The numbers on stdout, then what contained the media."""
    report = done.report
    output.say("would be erased:" if done.erasure_id is None else f"erasure {done.erasure_id}:")
    counts = sorted((name, n) for name, n in report.items() if name not in _LISTS)
    output.table(counts, ["what", "n"])
    for each in report.get("versions", []):
        output.say(
            f"dataset {each['dataset']} version {each['version']} held {each['n_erased']} of its "
            f"{each['n_items']} items; its digest {each['digest']} can no longer be counted again"
        )
    for each in report.get("models", []):
        output.say(
            f"model {each['model_id']} ({each['model']}, run {each['run_id']}, {each['uri']}) was "
            f"made from {each['dataset']} version {each['version']}, trained on "
            f"{each['n_trained_on']} of them"
        )
    for uri in report.get("left", []):
        output.say(f"still there: {uri}")
    if report.get("parents_left"):
        parents = ", ".join(map(str, report["parents_left"][:20]))
        output.say(f"not erased, though some of them derive from it: media {parents}")


def _key(key: str) -> str:
    """The key of a person; - is read from stdin, so that no list of processes shows it."""
    return sys.stdin.readline().strip() if key == "-" else key
