"""What the commands of dataset share: options, and how a version is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.datasets import DatasetVersion

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
NAME = click.argument("name")
MESSAGE = click.option("-m", "--message", default="", help="What changed and why.")
REFUSED = click.option(
    "--leave-out-refused", is_flag=True, help="Leave out media whose terms refuse the purpose."
)
COLUMNS = ["dataset", "version", "items", "sealed", "state", "query", "message"]
_LEFT = {
    "left_out": "left out: their terms do not allow the purpose",
    "unlabelled": "of the batch left out: they have no label of the ontology",
    "hidden": "of its members left out: they are hidden by now, or erased",
}


def report(made: DatasetVersion, as_json: bool) -> None:
    """Prints a version that was made, and what changed with it."""
    if as_json:
        output.print_json(asdict(made))
        return
    output.table([described(made)], COLUMNS)
    if made.is_new:
        changes = ", ".join(f"{made.counts[what]} {what}" for what in ("added", "removed", "moved"))
        output.say(changes)
    else:
        output.say("nothing has changed since this version")
    for count, reason in _LEFT.items():
        if made.counts.get(count):
            output.say(f"{made.counts[count]} {reason}")


def described(found: DatasetVersion) -> list[object]:
    """A version as a row under COLUMNS."""
    sealed = found.sealed_at.isoformat(" ", "seconds")
    state = ["pruned"] * (found.pruned_at is not None) + ["pinned"] * found.is_pinned + found.tags
    return [
        *(found.dataset, found.version, found.n_items, sealed, ", ".join(state)),
        *(found.query, found.message),
    ]
