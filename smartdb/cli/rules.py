"""The command rules: conditions that every label must fulfil."""

from __future__ import annotations

from dataclasses import asdict, astuple

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def rules() -> None:
    """Say what every label must fulfil, and suspect those that do not."""


@rules.command()
@click.argument("name")
@click.argument("predicate")
@click.option("--note", help="Why.")
def add(name: str, predicate: str, note: str | None) -> None:
    """Make a rule: one SQL condition on labels, such as "l.kind <> 'box' or l.w * l.h > 64"."""
    from smartdb import database, label_rules

    with database.session() as conn:
        n = label_rules.save(conn, name, predicate, note=note)
    output.say(f"{n} labels break it; suspect them: smartdb rules check")


@rules.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List the rules, and how many labels broke each at the last check."""
    from smartdb import database, label_rules

    with database.session(role="smartdb_reader") as conn:
        found = label_rules.rules(conn)
    if as_json:
        output.print_json([asdict(rule) for rule in found])
        return
    output.table((astuple(rule) for rule in found), ["name", "predicate", "note", "broken"])


@rules.command()
@_AS_JSON
def check(as_json: bool) -> None:
    """Suspect the labels that break a rule."""
    from smartdb import database, label_rules

    with database.session() as conn:
        counts = label_rules.check(conn)
    if as_json:
        output.print_json(counts)
        return
    output.table(counts.items(), ["count", "n"])


@rules.command()
@click.argument("name")
def drop(name: str) -> None:
    """Forget a rule."""
    from smartdb import database, label_rules

    with database.session() as conn:
        label_rules.drop(conn, name)
