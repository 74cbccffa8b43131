"""Commands of the step Source: ingest, sources, quarantine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, fields
from pathlib import Path

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
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--source", "name", help="Name of the source [default: the folder's].")
@click.option("--licence", help="Licence of the pictures, as an SPDX identifier such as CC0-1.0.")
@_WORKERS
@_AS_JSON
def ingest(
    folder: Path, name: str | None, licence: str | None, workers: int | None, as_json: bool
) -> None:
    """Record the pictures below FOLDER. A second run reads only what is new or changed."""
    from smartdb import database, walk
    from smartdb.ingest import ingest as run

    walk.checked(folder)  # before a server is started for nothing
    with database.session() as conn, _progress("ingest", lambda: _count(folder)) as tell:
        counts = run(conn, folder, source=name, licence=licence, workers=workers, progress=tell)
    _print_counts(counts, as_json)
    if counts["read"] == 0:
        output.say("nothing new: no file had to be read")
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

    with database.session() as conn, _progress("retry") as tell:
        counts = library.retry(conn, source=source, reason=reason, workers=workers, progress=tell)
    _print_counts(counts, as_json)


def _print_counts(counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        output.print_json(counts)
    else:
        output.table(counts.items(), ["files", "n"])


@contextmanager
def _progress(
    label: str, count: Callable[[], int] | None = None
) -> Iterator[Callable[[int], None]]:
    """A bar that is told how many are done; the total is counted only where one sees it."""
    total = count() if count and sys.stderr.isatty() else None
    done = 0
    with output.progress(label, total) as advance:

        def tell(n: int) -> None:
            nonlocal done
            advance(n - done)
            done = n

        yield tell


def _count(folder: Path) -> int:
    from smartdb import walk

    return sum(1 for _ in walk.walk(folder))
