"""The command tag: words on media, put on and taken off by a predicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which media."""
    for option in (
        click.option("--media", type=int, multiple=True, metavar="ID", help="These media."),
        click.option("--slice", "slice_name", metavar="NAME", help="Only media of this slice."),
        click.option("--predicate", help='Condition on media, such as "m.brightness < 0.2".'),
    ):
        command = option(command)
    return command


@click.group()
def tag() -> None:
    """Put tags on media and take them off, all that match at once."""


@tag.command()
@click.argument("name")
@_which
@click.option("--actor", help="Who does so [default: the login].")
@_AS_JSON
def add(
    name: str,
    predicate: str | None,
    slice_name: str | None,
    media: tuple[int, ...],
    actor: str | None,
    as_json: bool,
) -> None:
    """Put the tag NAME on media; says how many did not have it."""
    from smartdb import database, predicates, tags

    if not (predicate or slice_name or media):
        raise click.UsageError("say which media: --predicate, --slice or --media")
    with database.session() as conn:
        chosen = predicates.combined(conn, predicate, slice_name, media)
        n = tags.add(conn, name, chosen, actor=actor)
    _print(name, n, as_json)


@tag.command()
@click.argument("name")
@_which
@_AS_JSON
def remove(
    name: str,
    predicate: str | None,
    slice_name: str | None,
    media: tuple[int, ...],
    as_json: bool,
) -> None:
    """Take the tag NAME off media (default: off all that have it); says how many had it."""
    from smartdb import database, predicates, tags

    with database.session() as conn:
        chosen = predicates.combined(conn, predicate, slice_name, media)
        n = tags.remove(conn, name, chosen)
    _print(name, n, as_json)


@tag.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List the tags, and on how many media each is."""
    from smartdb import database, tags

    with database.session("smartdb_reader") as conn:
        rows = tags.tags(conn)
    if as_json:
        output.print_json(rows)
    else:
        output.table([[row["tag"], row["n_media"]] for row in rows], ["tag", "media"])


def _print(name: str, n: int, as_json: bool) -> None:
    if as_json:
        output.print_json({"tag": name, "n": n})
    else:
        output.table([[name, n]], ["tag", "media"])
