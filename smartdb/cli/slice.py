"""The command slice: named parts of the media. How a run does on them: smartdb slices."""

from __future__ import annotations

from dataclasses import asdict, astuple
from pathlib import Path

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NAME = click.argument("name")
_PREDICATE = click.option(
    "--predicate", required=True, help='Condition on media, such as "m.brightness < 0.2".'
)


@click.group("slice")
def slice_() -> None:
    """Save, list and count named parts of the media; any --slice takes their names."""


@slice_.command()
@_NAME
@click.option("--predicate", help='Condition on media, such as "m.brightness < 0.2".')
@click.option("--from-batch", type=int, metavar="ID", help="The media of a batch, as a set.")
@click.option(
    "--from-query",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The media_id that a query in a file returns, as a set.",
)
@click.option("--frozen", is_flag=True, help="Save what fulfils the predicate now, as a set.")
@click.option("--replace", is_flag=True, help="Replace the predicate of the slice of that name.")
@click.option("--note", help="Why it matters.")
@_AS_JSON
def add(
    name: str,
    predicate: str | None,
    from_batch: int | None,
    from_query: Path | None,
    frozen: bool,
    replace: bool,
    note: str | None,
    as_json: bool,
) -> None:
    """Save a slice: a predicate, which grows with the data, or a set, which stays the same."""
    from smartdb import database, slices

    if sum(each is not None for each in (predicate, from_batch, from_query)) != 1:
        raise click.UsageError("give one of --predicate, --from-batch, --from-query")
    if from_batch is not None:
        predicate = slices.IN_BATCH.format(from_batch)
    if from_query is not None:
        query = from_query.read_text(encoding="utf-8").strip().rstrip(";")
        predicate = f"m.media_id in (\n{query}\n)"
    assert predicate is not None
    is_set = frozen or from_batch is not None or from_query is not None
    if is_set and replace:
        raise click.UsageError("--replace is for predicates; see: smartdb slice include")
    with database.session() as conn:
        if is_set:
            n = slices.save_set(conn, name, predicate, note=note)
        else:
            n = slices.save(conn, name, predicate, note=note, replace=replace)
    _print_count(name, n, as_json)


@slice_.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List the slices."""
    from smartdb import database, slices

    with database.session("smartdb_reader") as conn:
        found = slices.slices(conn)
    if as_json:
        output.print_json([asdict(each) for each in found])
    else:
        rows = [astuple(each)[:4] for each in found]
        output.table(rows, ["slice", "kind", "predicate", "note"])


@slice_.command()
@_NAME
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most.")
@_AS_JSON
def show(name: str, limit: int, as_json: bool) -> None:
    """Show what a slice is, and its first media."""
    from smartdb import database, slices

    with database.session("smartdb_reader") as conn:
        found = slices.find(conn, name)
        n, items = slices.count(conn, name), slices.items(conn, name, limit)
    if as_json:
        media = [{"media_id": media_id, "uri": uri} for media_id, uri in items]
        output.print_json({**asdict(found), "n": n, "media": media})
        return
    output.say(f"{name}: {n} media, {found.predicate or 'a set'}")
    output.table(items, ["media_id", "uri"])


@slice_.command()
@_NAME
@_AS_JSON
def count(name: str, as_json: bool) -> None:
    """Count the media of a slice as of now."""
    from smartdb import database, slices

    with database.session("smartdb_reader") as conn:
        n = slices.count(conn, name)
    _print_count(name, n, as_json)


@slice_.command()
@_NAME
@_PREDICATE
@_AS_JSON
def include(name: str, predicate: str, as_json: bool) -> None:
    """Put media into a set; says how many were not in it."""
    from smartdb import database, slices

    with database.session() as conn:
        n = slices.include(conn, name, predicate)
    _print_count(name, n, as_json)


@slice_.command()
@_NAME
@_PREDICATE
@_AS_JSON
def exclude(name: str, predicate: str, as_json: bool) -> None:
    """Take media out of a set; says how many were in it."""
    from smartdb import database, slices

    with database.session() as conn:
        n = slices.exclude(conn, name, predicate)
    _print_count(name, n, as_json)


@slice_.command()
@_NAME
def remove(name: str) -> None:
    """Forget a slice; its media stay."""
    from smartdb import database, slices

    with database.session() as conn:
        slices.drop(conn, name)
    output.say(f"forgot slice {name}")


def _print_count(name: str, n: int, as_json: bool) -> None:
    if as_json:
        output.print_json({"slice": name, "n": n})
    else:
        output.table([[name, n]], ["slice", "media"])
