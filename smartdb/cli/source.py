"""Commands of the step Source: ingest, sources, quarantine."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields

import click

from smartdb.cli import output
from smartdb.reasons import REASONS

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_WORKERS = click.option(
    "--workers", type=click.IntRange(1), help="Processes that read files [default: one a core]."
)
_REASON = click.option(
    "--reason",
    type=click.Choice(list(REASONS)),
    metavar="REASON",
    help="Only files refused for this reason, such as truncated.",
)


@click.command()
@click.argument("folder")
@click.option("--source", "name", help="Name of the source [default: the folder's].")
@click.option("--licence", help="Licence of the pictures, as an SPDX identifier such as CC0-1.0.")
@click.option("--manage", is_flag=True, help="Also copy the files into SMARTDB_STORE.")
@_WORKERS
@_AS_JSON
def ingest(
    folder: str,
    name: str | None,
    licence: str | None,
    manage: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Record the pictures below FOLDER, or a place in a store such as s3://bucket/photos.

    A second run reads only what is new or changed, and marks what has disappeared.
    """
    from smartdb import database, stores
    from smartdb.ingest import ingest as run

    root = stores.root_of(folder)  # before a server is started for nothing
    count = (lambda: _count(root)) if stores.is_local(root) else None
    with database.session() as conn, output.counted("ingest", count) as tell:
        counts = run(
            conn,
            root,
            source=name,
            licence=licence,
            manage=manage,
            workers=workers,
            progress=tell,
        )
    _print_counts(counts, as_json)
    if counts["read"] == 0:
        output.say("nothing new: no file had to be read")
    if counts["missing"]:
        output.say(
            f"{counts['missing']} known files are missing; their places have a missing_at "
            "in smartdb.media_location"
        )
    if counts["refused"]:
        output.say(f"{counts['refused']} refused; see: smartdb quarantine list")


@click.command()
@_AS_JSON
def sources(as_json: bool) -> None:
    """List the sources and what came from them."""
    from smartdb import database
    from smartdb.sources import Source
    from smartdb.sources import sources as find

    with database.session(role="smartdb_reader") as conn:
        found = find(conn)
    if as_json:
        output.print_json([asdict(source) for source in found])
        return
    output.table((astuple(source) for source in found), [f.name for f in fields(Source)])


@click.group()
def quarantine() -> None:
    """List the files that were refused, or read them again."""


@quarantine.command("list")
@click.option("--source", help="Only files of this source.")
@_REASON
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most.")
@_AS_JSON
def list_(source: str | None, reason: str | None, limit: int, as_json: bool) -> None:
    """List refused files, the last first."""
    from smartdb import database
    from smartdb.quarantine import refusals

    with database.session() as conn:
        found = refusals(conn, source=source, reason=reason, limit=limit)
    if as_json:
        output.print_json([asdict(refusal) for refusal in found])
        return
    rows = ((r.source, r.reason, r.uri, r.detail) for r in found)
    output.table(rows, ["source", "reason", "uri", "detail"])


@quarantine.command()
@click.option("--source", help="Only files of this source.")
@_REASON
@_WORKERS
@_AS_JSON
def retry(source: str | None, reason: str | None, workers: int | None, as_json: bool) -> None:
    """Read refused files again; what is good now, or gone, leaves the quarantine."""
    from smartdb import database
    from smartdb import quarantine as library

    with database.session() as conn, output.counted("retry") as tell:
        counts = library.retry(conn, source=source, reason=reason, workers=workers, progress=tell)
    _print_counts(counts, as_json)


def _print_counts(counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        output.print_json(counts)
    else:
        output.table(counts.items(), ["files", "n"])


def _count(root: str) -> int:
    from smartdb import stores

    return sum(1 for _ in stores.listing(root))
