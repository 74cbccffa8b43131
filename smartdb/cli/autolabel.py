"""The command autolabel: labels by methods, as far as gold vouches for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ONTOLOGY = click.option(
    "--ontology", default="default", show_default=True, help="Whose classes are given."
)
_ENCODER = click.option("--encoder", help="Name of the encoder [default: the only one].")
_PROMISE = (
    click.option(
        "--precision", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95,
        show_default=True, help="Share of the labels that shall be right.",
    ),
    click.option(
        "--level", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95,
        show_default=True, help="How sure one wants to be of that.",
    ),
    click.option(
        "--bound", type=click.Choice(["clopper_pearson", "wilson"]), default="clopper_pearson",
        show_default=True, help="How gold is read: exact, or nearer but missed a little oftener.",
    ),
    click.option("--per-class", is_flag=True, help="Keep the promise for each class by itself."),
    click.option("--where", help='Only media of this condition, such as "m.source = \'cats\'".'),
    click.option("--slice", "slice_name", help="Only media of this slice."),
    click.option(
        "--prefill-from", type=click.FloatRange(0, 1), default=0.0, show_default=True,
        help="Proposals less sure than this are not shown to annotators either.",
    ),
    click.option("--no-tasks", is_flag=True, help="Open and fill no label tasks."),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing."),
    _AS_JSON,
)  # fmt: skip


def _writes(propose: Callable[..., Any]) -> Callable[..., None]:
    """A command from a function that proposes: it writes what is proposed, and prints a report."""

    @wraps(propose)
    def command(
        *,
        precision: float,
        level: float,
        bound: Any,
        per_class: bool,
        where: str | None,
        slice_name: str | None,
        prefill_from: float,
        no_tasks: bool,
        dry_run: bool,
        as_json: bool,
        **arguments: Any,
    ) -> None:
        from smartdb import auto_labels, database, predicates

        least = None if no_tasks else prefill_from
        promise = auto_labels.Promise(precision, level, bound, per_class, least)
        with database.session() as conn:
            asked = None
            if where is not None or slice_name is not None:
                asked = predicates.combined(conn, where, slice_name)
            conn.commit()
            found = propose(conn, **arguments)
            report = auto_labels.write(conn, found, promise, where=asked, dry_run=dry_run)
            names = dict(
                conn.execute("select c.class_id, c.class from smartdb.ontology_class as c")
            )
        _print(report, names, dry_run, as_json)

    for option in reversed(_PROMISE):
        command = option(command)
    return command


@click.group()
def autolabel() -> None:
    """Label by methods: what gold vouches for becomes labels of origin model, the rest tasks."""


@autolabel.command("zero-shot")
@_ONTOLOGY
@_ENCODER
@click.option(
    "--template",
    "templates",
    multiple=True,
    help='Context of a class name, such as "a photo of a {}." May be repeated [default: eight].',
)
@click.option("--name", "names", multiple=True, metavar="CLASS=WORDS", help="A class in words.")
@click.option("--device", default="cpu", show_default=True, help="Where new texts are computed.")
@_writes
def zero_shot(
    conn: Any,
    ontology: str,
    encoder: str | None,
    templates: tuple[str, ...],
    names: tuple[str, ...],
    device: str,
) -> Any:
    """By the texts of the classes, with an encoder that has a text tower."""
    from smartdb import zero_shot as method

    words = dict(_pair(each) for each in names)
    some = templates or method.TEMPLATES
    return method.propose(conn, ontology, encoder, templates=some, names=words, device=device)


@autolabel.command()
@_ONTOLOGY
@_ENCODER
@click.option("--k", type=click.IntRange(1), default=10, show_default=True, help="How many vote.")
@_writes
def neighbours(conn: Any, ontology: str, encoder: str | None, k: int) -> Any:
    """By the nearest media that have a class."""
    from smartdb import neighbour_vote

    return neighbour_vote.propose(conn, ontology, encoder, k=k)


@autolabel.command()
@click.argument("run_id", metavar="RUN", type=int)
@_writes
def model(conn: Any, run_id: int) -> Any:
    """By what a RUN predicted; see: smartdb predict."""
    from smartdb import proposals

    return proposals.of_run(conn, run_id)


@autolabel.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option(
    "--kind", type=click.Choice(["classification", "box"]),
    help="Classes or boxes [default: what there is, boxes first].",
)  # fmt: skip
@_writes
def predictions(conn: Any, run_id: int, kind: Any) -> Any:
    """By predictions that RUN imported; see: smartdb predictions import."""
    from smartdb import predicted_labels

    return predicted_labels.propose(conn, run_id, kind)


@autolabel.command()
@_ONTOLOGY
@_writes
def functions(conn: Any, ontology: str) -> Any:
    """By what labelling functions say together; see: smartdb autolabel function."""
    from smartdb import labelling_functions

    return labelling_functions.propose(conn, ontology)


@autolabel.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """Count the labels that methods have written, by class."""
    from smartdb import auto_labels, database

    with database.session("smartdb_reader") as conn:
        rows = auto_labels.summary(conn)
    columns = ["method", "kind", "class", "labels", "shadowed", "least", "mean"]
    _rows(rows, columns, as_json)


@autolabel.command()
@_AS_JSON
def thresholds(as_json: bool) -> None:
    """Show from which confidence on each method labels, and what gold said."""
    from smartdb import auto_labels, database

    with database.session("smartdb_reader") as conn:
        rows = auto_labels.current_thresholds(conn)
    columns = [
        "method", "ontology", "kind", "class", "confidence", "wanted", "precision_low", "gold",
        "above", "correct", "why_none", "run",
    ]  # fmt: skip
    _rows(rows, columns, as_json)


@autolabel.group()
def function() -> None:
    """Labelling functions: conditions on media that vote for a class."""


@function.command()
@click.argument("name")
@click.argument("class_name", metavar="CLASS")
@click.option("--predicate", required=True, help='Condition, such as "m.brightness < 0.2".')
@click.option("--ontology", help="Where several have a class of that name.")
@click.option("--note", help="Why it should hold.")
@click.option("--replace", is_flag=True, help="Replace the function of that name.")
def add(
    name: str,
    class_name: str,
    predicate: str,
    ontology: str | None,
    note: str | None,
    replace: bool,
) -> None:
    """Add a function that votes for CLASS; says how many media it votes for."""
    from smartdb import database, labelling_functions

    with database.session() as conn:
        n = labelling_functions.add(
            conn, name, class_name, predicate, ontology=ontology, note=note, replace=replace
        )
    output.table([[name, n]], ["function", "votes"])


@function.command("list")
@click.option("--ontology", help="Only those for its classes.")
@_AS_JSON
def list_functions(ontology: str | None, as_json: bool) -> None:
    """List the functions with coverage, overlap, conflict and accuracy on gold."""
    from smartdb import database, labelling_functions

    with database.session("smartdb_reader") as conn:
        rows = labelling_functions.quality(conn, ontology)
    columns = [
        "function", "ontology", "class", "votes", "coverage", "overlap", "conflict", "gold",
        "accuracy",
    ]  # fmt: skip
    _rows(rows, columns, as_json)


@function.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget a function; the labels go with the next run."""
    from smartdb import database, labelling_functions

    with database.session() as conn:
        labelling_functions.drop(conn, name)
    output.say(f"forgot labelling function {name}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, words = text.partition("=")
    if not equals or not words:
        raise click.BadParameter(f"{text!r} is not of the form CLASS=WORDS", param_hint="--name")
    return name, words


def _rows(rows: list[dict[str, Any]], columns: list[str], as_json: bool) -> None:
    if as_json:
        output.print_json(rows)
    else:
        output.table([list(row.values()) for row in rows], columns)


def _print(report: Any, names: dict[int, str], dry_run: bool, as_json: bool) -> None:
    told = {names.get(key, "all"): each for key, each in report.thresholds.items()}
    if as_json:
        shown = {name: asdict(each) for name, each in told.items()}
        output.print_json({**asdict(report), "thresholds": shown})
        return
    rows = [
        [name, t.confidence, t.precision_low, t.n_gold, t.n_above, t.n_correct]
        for name, t in told.items()
    ]
    output.table(rows, ["class", "threshold", "precision_low", "gold", "above", "correct"])
    output.table(report.counts.items(), ["count", "n"])
    for name, each in told.items():
        if each.reason:
            output.say(f"{name}: nothing is labelled, as {each.reason}")
    if dry_run:
        output.say(f"nothing was written; without --dry-run this is said by {report.actor!r}")
    elif report.run_id is None:
        output.say("nothing new: nothing was written")
