"""The command exchange: tasks to label editors and back, and what both sides changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from smartdb.cli import output

EDITORS = {"label-studio": "label_studio", "cvat": "cvat", "cvat-task": "cvat_task"}
RULES = ("ask", "ours", "theirs", "newest", "reviewed")

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_PEOPLE = click.option(
    "--person", "people", multiple=True, metavar="NUMBER=NAME",
    help="Whom the editor knows by a number.",
)  # fmt: skip


@click.group()
def exchange() -> None:
    """Give tasks to Label Studio or CVAT, and take in what people said there."""


@exchange.command()
@click.argument("editor", type=click.Choice(list(EDITORS)))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--project", metavar="NAME", help="Tasks of this project.")
@click.option("--batch", type=int, metavar="ID", help="Tasks of this batch.")
@click.option("--kind", type=click.Choice(["label", "review", "adjudicate"]), help="Only these.")
@click.option("--source", metavar="NAME", help="All media of this source, task or not.")
@click.option("--ontology", metavar="NAME", help="Whose classes, where there are several.")
@click.option("-n", "n", type=click.IntRange(1), help="At most so many, the most wanted.")
@click.option(
    "--with-human/--without-human", default=None,
    help="Whether labels of people go out; by default if one person is asked about each media.",
)  # fmt: skip
@click.option(
    "--address", default="", metavar="TEXT",
    help="Where Label Studio finds a picture, with {media_id}, {uri}, {path} or {name}.",
)  # fmt: skip
@_PEOPLE
@_AS_JSON
def out(
    editor: str,
    path: Path,
    project: str | None,
    batch: int | None,
    kind: str | None,
    source: str | None,
    ontology: str | None,
    n: int | None,
    with_human: bool | None,
    address: str,
    people: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write tasks that wait, with what is known of their media, to a new file at PATH."""
    from smartdb import database, exchange_out

    with database.session() as conn:
        sent = exchange_out.send(
            conn, path, EDITORS[editor], project=project, batch_id=batch, kind=kind,  # type: ignore[arg-type]
            source=source, ontology=ontology, n=n, with_human=with_human, address=address,
            people=_people(people),
        )  # fmt: skip
    told = {
        "exchange": sent.exchange_id, "media": sent.n_media, "labels": sent.n_labels,
        "to_start_from": sent.n_prefilled, **dict(sent.problems),
    }  # fmt: skip
    _tell(told, [(p.where, p.reason, p.detail) for p in sent.examples], as_json)


@exchange.command("in")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--exchange", "number", type=int, metavar="ID", help="Where the file does not tell.")
@click.option(
    "--rule", type=click.Choice(RULES), default="ask", show_default=True,
    help="What becomes of what was changed on both sides.",
)  # fmt: skip
@click.option("--actor", metavar="NAME", help="Who annotated, where the file does not tell.")
@_PEOPLE
@_AS_JSON
def in_(
    path: Path,
    number: int | None,
    rule: str,
    actor: str | None,
    people: tuple[str, ...],
    as_json: bool,
) -> None:
    """Take in what people said in the editor, from a file that it exported."""
    from smartdb import database, exchange_in

    with database.session() as conn:
        receipt = exchange_in.receive(
            conn, path, exchange_id=number, rule=rule, people=_people(people), actor=actor,  # type: ignore[arg-type]
        )  # fmt: skip
    refusals = [(p.where, p.reason, p.detail) for p in receipt.refusals]
    _tell(dict(receipt.counts), refusals, as_json)
    if receipt.counts["conflicts"] > receipt.counts["resolved"]:
        output.say("what was changed on both sides waits: smartdb exchange conflicts")


@exchange.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List what was exchanged, and how far it came back."""
    from smartdb import database, exchange_conflicts

    with database.session("smartdb_reader") as conn:
        found = exchange_conflicts.exchanges(conn)
    columns = ["exchange", "editor", "project", "media", "answered", "conflicts", "refused", "sent"]
    _rows(found, columns, as_json)


@exchange.command()
@click.option("--exchange", "number", type=int, metavar="ID", help="Of this exchange.")
@click.option("--all", "all_", is_flag=True, help="Decided ones too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def conflicts(number: int | None, all_: bool, limit: int, as_json: bool) -> None:
    """List what was changed here and in the editor, with what both say."""
    from smartdb import database, exchange_conflicts

    with database.session("smartdb_reader") as conn:
        state = None if all_ else "open"
        found = exchange_conflicts.conflicts(conn, exchange_id=number, state=state, n=limit)
    if as_json:
        output.print_json([vars(each) for each in found])
        return
    shown = [
        (c.conflict_id, c.media_id, _said(c.base), _said(c.ours), c.ours_actor, _said(c.theirs),
         c.theirs_actor, c.state)
        for c in found
    ]  # fmt: skip
    columns = ["conflict", "media", "was", "here", "by", "there", "by ", "state"]
    output.table(shown, columns)


@exchange.command()
@click.argument("conflict", type=int, nargs=-1, required=True)
@click.option("--take", type=click.Choice(["ours", "theirs"]), required=True, help="Which side.")
@click.option("--actor", required=True, metavar="NAME", help="Who decides.")
@click.option("--reason", help="Why.")
def resolve(conflict: tuple[int, ...], take: str, actor: str, reason: str | None) -> None:
    """Decide conflicts: what is here stays, or what the editor says is taken."""
    from smartdb import database, exchange_conflicts

    with database.session() as conn:
        for each in conflict:
            exchange_conflicts.resolve(conn, each, take, actor, reason)  # type: ignore[arg-type]
        conn.commit()
    output.say(f"{len(conflict)} decided: {take}")


@exchange.command()
@click.option("--exchange", "number", type=int, metavar="ID", help="Of this exchange.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def refusals(number: int | None, limit: int, as_json: bool) -> None:
    """List what could not be taken in; --json has what was said."""
    from smartdb import database, exchange_conflicts

    with database.session("smartdb_reader") as conn:
        found = exchange_conflicts.refusals(conn, exchange_id=number, n=limit)
    if as_json:
        output.print_json([vars(each) for each in found])
        return
    shown = [(r.refusal_id, r.exchange_id, r.media_id, r.place, r.reason, r.detail) for r in found]
    output.table(shown, ["refusal", "exchange", "media", "place", "reason", "detail"])


def _people(given: tuple[str, ...]) -> dict[str, str]:
    named = dict(each.partition("=")[::2] for each in given)
    wrong = next((each for each in given if "=" not in each), None)
    if wrong is not None or not all(named.values()):
        raise click.UsageError(f"--person is NUMBER=NAME, not {wrong or given[0]}")
    return named


def _said(label: dict[str, Any] | None) -> str:
    """A label object in a few words."""
    if label is None:
        return "removed"
    box = " ".join(f"{label[key]:.5g}" for key in "xywh" if key in label)
    more = label.get("attributes") or {}
    return " ".join(filter(None, [label["class"], label.get("kind", ""), box, *(
        [json.dumps(more, ensure_ascii=False)] if more else [])]))  # fmt: skip


def _tell(counts: dict[str, int], problems: list[tuple[Any, ...]], as_json: bool) -> None:
    if as_json:
        output.print_json({**counts, "problems": problems})
        return
    output.table(counts.items(), ["count", "n"])
    for where, reason, detail in problems:
        output.say(f"{where}: {reason}: {detail}")


def _rows(found: list[tuple[Any, ...]], columns: list[str], as_json: bool) -> None:
    if as_json:
        output.print_json([dict(zip(columns, row, strict=True)) for row in found])
    else:
        output.table(found, columns)
