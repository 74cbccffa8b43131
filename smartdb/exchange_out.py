"""Exchange, outwards: tasks as files for a label editor, and how each label stood then.

The file is put into its place when all of it is written, and after the database knows what is in
it: what comes back can always be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from smartdb import exchange_cvat, exchange_items, exchange_label_studio
from smartdb.bulk import copy_rows
from smartdb.errors import InvalidInput
from smartdb.exchange_items import Place, Scope, Thing, rows
from smartdb.formats.base import Problem
from smartdb.formats.label_studio_writer import Writer
from smartdb.runs import run

Editor = Literal["label_studio", "cvat", "cvat_task"]

EXAMPLES = 5

Sent = Iterator[tuple[Place, list[Thing]]]

_ITEM = {"media_id": "bigint", "task_id": "bigint", "name": "text", "frame_index": "integer"}
_OBJECT = {"media_id": "bigint", "region": "text", "object_id": "bigint", "label_id": "bigint"}


@dataclass(frozen=True)
class Sending:
    """What went out: media, labels and labels to start from, and what the editor cannot hold.

    What it cannot hold stays here untouched. ``problems`` are (reason, how many), with examples.
    """

    exchange_id: int
    n_media: int
    n_labels: int
    n_prefilled: int
    problems: Sequence[tuple[str, int]]
    examples: Sequence[Problem] = field(default=())


def send(
    conn: psycopg.Connection[Any],
    path: Path,
    editor: Editor = "label_studio",
    *,
    project: str | None = None,
    batch_id: int | None = None,
    kind: str | None = None,
    source: str | None = None,
    ontology: str | None = None,
    n: int | None = None,
    with_human: bool | None = None,
    address: str = "",
    people: Mapping[str, str] | None = None,
) -> Sending:
    """Writes tasks that wait (of a project, batch or kind; or all media of a source) for an editor.

    label_studio is a JSON file with its labelling configuration beside it, cvat an XML file,
    cvat_task a zip that CVAT restores a task from, pictures included. Live labels go out as
    themselves, but none that is gold, those of people only if the overlap is 1 or ``with_human``;
    what annotators shall start from beside them. ``address`` says where the editor finds a picture
    (see `exchange_label_studio.address_of`), ``people`` who its numbers of people are. NotFound and
    NothingToDo say what is missing. Commits; must not be called inside of a transaction.
    """
    asked = {
        "project": project, "batch": batch_id, "kind": kind, "source": source, "n": n,
        "path": str(path), "editor": editor, "people": dict(people or {}),
    }  # fmt: skip
    if path.exists():
        raise InvalidInput(f"{path} is there already; name a new file")
    with run(conn, "exchange_out", asked) as opened:
        scope = exchange_items.scope_of(conn, project, ontology, with_human=with_human)
        found = exchange_items.places(conn, scope, batch_id=batch_id, kind=kind, source=source, n=n)
        exchange_id = _open(conn, scope, editor, asked, opened.run_id)
        part = path.with_name(f".{path.name}.part")
        try:
            sent = exchange_items.things(conn, scope, found)
            problems, kept = _write(conn, part, editor, scope, sent, exchange_id, address)
            report = _keep(conn, exchange_id, found, kept, problems)
            conn.commit()
            _place(part, path)
        finally:
            for each in (part, part.with_suffix(".xml")):
                each.unlink(missing_ok=True)
        opened.counts.update(
            exchange=exchange_id, media=report.n_media, labels=report.n_labels,
            prefilled=report.n_prefilled,
        )  # fmt: skip
    return report


def _open(
    conn: psycopg.Connection[Any],
    scope: Scope,
    editor: Editor,
    asked: Mapping[str, Any],
    run_id: int,
) -> int:
    values = {
        "editor": editor.removesuffix("_task"), "project_id": scope.project_id,
        "ontology_id": scope.ontology_id, "parameters": Jsonb(asked), "run_id": run_id,
    }  # fmt: skip
    exchange_id = int(rows(conn, "open", values)[0][0])
    conn.commit()
    return exchange_id


def _write(
    conn: psycopg.Connection[Any],
    part: Path,
    editor: Editor,
    scope: Scope,
    sent: Sent,
    exchange_id: int,
    address: str,
) -> tuple[list[Problem], list[tuple[int, Thing]]]:
    infos = exchange_items.class_infos(conn, scope.ontology_id)
    kinds = rows(conn, "kinds", {"project_id": scope.project_id})
    conn.commit()
    if editor == "label_studio":
        writer, kept = Writer(), []
        with part.open("w", encoding="utf-8", newline="\n") as file:
            for number, (place, things) in enumerate(sent):
                task, those = exchange_label_studio.task_of(
                    place, things, exchange_id, address, writer
                )
                kept += [(place.media_id, each) for each in those]
                file.write(f"{',' if number else '['}\n{exchange_label_studio.text_of(task)}")
            file.write("\n]\n")
        asked = [each for (some,) in kinds for each in some]
        exchange_label_studio.write_config(
            part.with_suffix(".xml"), infos, asked, list(writer.labels)
        )
        return writer.problems, kept
    return exchange_cvat.write(conn, part, editor, infos, list(sent), exchange_id)


def _keep(
    conn: psycopg.Connection[Any],
    exchange_id: int,
    found: Sequence[Place],
    kept: Iterable[tuple[int, Thing]],
    problems: Sequence[Problem],
) -> Sending:
    """Keeps what went out, in which state."""
    things = list(kept)
    live = [
        (media_id, each.annotation.key, each.object_id, each.label_id)
        for media_id, each in things
        if each.label_id is not None
    ]
    rows(conn, "stage")
    items = ((each.media_id, each.task_id, each.name, each.frame_index) for each in found)
    copy_rows(conn, "out_item", _ITEM, items)
    copy_rows(conn, "out_object", _OBJECT, live)
    rows(conn, "keep_items", {"exchange_id": exchange_id})
    rows(conn, "keep_objects", {"exchange_id": exchange_id})
    n_by = Counter(each.reason for each in problems)
    return Sending(
        exchange_id, len(found), len(live), len(things) - len(live), sorted(n_by.items()),
        problems[:EXAMPLES],
    )  # fmt: skip


def _place(part: Path, path: Path) -> None:
    config = part.with_suffix(".xml")
    if config.exists():
        config.replace(path.with_suffix(".xml"))
    part.replace(path)
