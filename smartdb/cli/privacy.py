"""Commands about personal data: detect, sanitise, finding. They act as smartdb_privacy."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.clean_copy import How

ROLE = "smartdb_privacy"

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_SOURCE = click.option("--source", required=True, help="The source whose media are meant.")
_WORKERS = click.option(
    "--workers", type=click.IntRange(1), help="Processes that read files [default: one a core]."
)


@click.command()
@_SOURCE
@click.option(
    "--detector",
    "names",
    multiple=True,
    default=("haar:frontalface",),
    show_default=True,
    help="haar:frontalface, haar:profileface, haar:plate, yunet:FILE or a plug-in; repeatable.",
)
@_WORKERS
@_AS_JSON
def detect(source: str, names: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Look for faces or plates in the pictures of a source that a detector has not seen yet.

    No detector finds everything.
    """
    from smartdb import database
    from smartdb.detection import detect as run

    rows = {}
    with database.session(ROLE) as conn:
        for name in names:
            with output.counted(name) as tell:
                rows[name] = run(conn, source, name, workers=workers, progress=tell)
    if as_json:
        output.print_json(rows)
        return
    columns = ["looked", "media", "found", "problems"]
    output.table(
        ([name, *(counts[c] for c in columns)] for name, counts in rows.items()),
        ["detector", *columns],
    )


@click.command()
@_SOURCE
@click.option("--blur", "how", flag_value="blur", default=True, help="Blur regions [default].")
@click.option("--fill", "how", flag_value="fill", help="Fill regions with their mean colour.")
@click.option("--pixelate", "how", flag_value="pixelate", help="Leave six blocks along a region.")
@_WORKERS
@_AS_JSON
def sanitise(source: str, how: How, workers: int | None, as_json: bool) -> None:
    """Replace what a source forbids or strips by clean copies; the originals stay hidden."""
    from smartdb import database
    from smartdb.sanitise import sanitise as run

    with database.session(ROLE) as conn, output.counted("sanitise") as tell:
        counts = run(conn, source, how=how, workers=workers, progress=tell)
    if as_json:
        output.print_json(counts)
        return
    output.table(counts.items(), ["media", "n"])
    if counts["left"] or counts["unread"]:
        output.say("some are left to you; see: smartdb finding list")


@click.group()
def finding() -> None:
    """List what checks found, or settle it."""


@finding.command("list")
@click.option("--source", help="Only media of this source.")
@click.option("--kind", help="Only findings of this kind, such as face.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most.")
@_AS_JSON
def list_(source: str | None, kind: str | None, limit: int, as_json: bool) -> None:
    """List the open findings, those of hidden media too."""
    from smartdb import database
    from smartdb.findings import open_findings

    with database.session(ROLE) as conn:
        found = open_findings(conn, source=source, kind=kind, limit=limit)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    columns = ["finding", "media", "kind", "score", "region", "detector", "hidden", "uri"]
    output.table(
        (
            [
                each.finding_id,
                each.media_id,
                each.kind,
                each.score,
                each.region and " ".join(f"{value:.0f}" for value in each.region),
                each.detector,
                "hidden" if each.is_hidden else None,
                each.uri,
            ]
            for each in found
        ),
        columns,
    )


@finding.command()
@click.argument("finding_ids", metavar="FINDING...", type=int, nargs=-1, required=True)
@click.option(
    "--as",
    "resolution",
    type=click.Choice(["accepted", "false", "open"]),
    required=True,
    help="It may stay, nothing is there, or it is a question again.",
)
@click.option("--note", help="Why.")
def resolve(finding_ids: tuple[int, ...], resolution: str, note: str | None) -> None:
    """Settle findings; a media without any that is forbidden is seen by everybody again."""
    from smartdb import database, findings

    with database.session(ROLE) as conn:
        seen = [findings.resolve(conn, each, resolution, note) for each in finding_ids]
    output.table(
        (
            [each, resolution, "seen" if is_seen else "hidden"]
            for each, is_seen in zip(finding_ids, seen)
        ),
        ["finding", "resolution", "media"],
    )
