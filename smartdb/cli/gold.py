"""The command gold: what is known to be true, and how right people are on it."""

from __future__ import annotations

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_IDS = click.argument("label_ids", type=int, nargs=-1, required=True, metavar="LABEL...")


@click.group()
def gold() -> None:
    """Mark labels as known to be true, and measure annotators by them."""


@gold.command()
@_IDS
@click.option("--as", "actor", required=True, help="Who says so.")
@click.option("--reason", help="Why.")
def mark(label_ids: tuple[int, ...], actor: str, reason: str | None) -> None:
    """Mark labels as known to be true."""
    from smartdb import database
    from smartdb import gold as marks

    with database.session() as conn:
        output.say(f"{marks.mark(conn, label_ids, actor, reason)} labels marked")


@gold.command()
@_IDS
def withdraw(label_ids: tuple[int, ...]) -> None:
    """Take marks back."""
    from smartdb import database
    from smartdb import gold as marks

    with database.session() as conn:
        output.say(f"{marks.withdraw(conn, label_ids)} marks withdrawn")


@gold.command()
@click.option("--project", help="Only of this project.")
@_AS_JSON
def score(project: str | None, as_json: bool) -> None:
    """Score new answers against gold, and say how right each person is."""
    from smartdb import database
    from smartdb import gold as marks

    with database.session() as conn:
        counts = marks.score(conn)
        rows = marks.summary(conn, project)
    output.say(f"{counts['scored']} answers scored, {counts['right']} of them right")
    if as_json:
        output.print_json(rows)
        return
    columns = ["project", "actor", "n", "n_right", "mean_score", "last_done_at"]
    output.table(([row[c] for c in columns] for row in rows), columns)
