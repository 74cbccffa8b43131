"""Labels: from the folders that media lie in, from tables, and one by one.

Who said it stays apart: every import has an actor, and what a person says is never overwritten by
an import. Imports can be run again: what the actor says already is left, and what a reviewer has
corrected or rejected is not brought back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.rows import tuple_row

from smartdb import label_conflicts, sources, stores, tasks, walk
from smartdb import ontology as ontologies
from smartdb.bulk import copy_rows
from smartdb.errors import Conflict, InvalidInput, NotFound, NothingToDo, translated
from smartdb.runs import run
from smartdb.statements import statement

FOLDERS = "folder names"
"""The actor whose labels are the names of the folders."""

Origin = Literal["human", "import", "consensus", "model", "propagated"]

_KIND = {
    "human": "person",
    "import": "import",
    "consensus": "import",
    "model": "model",
    "propagated": "model",
}
_SHOWN = 5


def import_folder_labels(
    conn: psycopg.Connection[Any],
    source: str,
    *,
    ontology: str = "default",
    actor: str = FOLDERS,
) -> dict[str, int]:
    """Labels each media of a source with the folder it lies in, and commits. Safe to run again.

    The class is the name of the innermost folder below the source's; names that are new become
    classes of the ontology, which is made if there is none. A media in folders of two names gets
    both labels, and both become label issues of kind conflicting. One that lies in no folder and
    has no class becomes a label task. Returns added, known (said before), judged (left as a
    reviewer decided), conflicting, unlabelled (new label tasks) and classes.
    """
    source_id, root = sources.find(conn, source)
    conn.commit()
    parameters = {"source": source, "ontology": ontology, "actor": actor}
    with translated(), run(conn, "import_labels", parameters) as opened:
        rows = [(m, c) for m, c in _folder_classes(conn, source_id, root) if c is not None]
        names = sorted({name for _, name in rows})
        if names:
            ontologies.ensure(conn, ontology, names, f"folders of source {source}")
        class_ids = ontologies.ids(conn, ontology, names) if names else {}
        said = sorted({(media_id, class_ids[name]) for media_id, name in rows})
        actor_id = actor_id_of(conn, actor, "import")
        counts = _write(conn, said, actor_id, "import", opened.run_id, replace=False)
        counts["unlabelled"] = tasks.open_tasks(conn, "label", source=source)["opened"]
        opened.counts.update(counts, classes=len(names))
    return dict(opened.counts)


def import_table(
    conn: psycopg.Connection[Any],
    rows: Iterable[tuple[str | bytes, str]],
    *,
    actor: str,
    ontology: str,
    root: str | bytes | Path | None = None,
    create_classes: bool = False,
    skip_unknown: bool = False,
) -> dict[str, int]:
    """Labels media by rows of (URI or path, class) in the name of ``actor``, and commits.

    Paths are taken below ``root`` (the working folder). Where the actor said something else of a
    media before, that is replaced. Nothing is written when something is unknown: NotFound lists
    the classes (``create_classes`` adds them instead) or the media (``skip_unknown`` counts them
    instead). Returns added, known, replaced, judged, conflicting and unknown.
    """
    folder = os.path.realpath(os.fsencode(root or "."))
    given = [_given(number, folder, *row) for number, row in enumerate(rows, 1)]
    if not given:
        raise NothingToDo("the table has no rows; give (path, class) for each media")
    parameters = {"actor": actor, "ontology": ontology, "rows": len(given)}
    with translated(), run(conn, "import_labels", parameters) as opened:
        names = sorted({name for _, name in given})
        if create_classes:
            ontologies.ensure(conn, ontology, names, f"labels of {actor}")
        class_ids = ontologies.ids(conn, ontology, names)
        unknown = _stage_rows(conn, given)
        if unknown and not skip_unknown:
            raise NotFound(
                f"not ingested: {_some(unknown)}; run: smartdb ingest, or say where the paths "
                "begin (--root), or leave them out (--skip-unknown)"
            )
        said = _matched(conn, class_ids)
        actor_id = actor_id_of(conn, actor, "import")
        counts = _write(conn, said, actor_id, "import", opened.run_id, replace=True)
        opened.counts.update(counts, unknown=len(unknown))
    return dict(opened.counts)


def set_labels(
    conn: psycopg.Connection[Any],
    labels: Mapping[int, str],
    *,
    actor: str,
    ontology: str,
    origin: Origin = "human",
    run_id: int | None = None,
) -> dict[str, int]:
    """Makes ``labels`` (media_id → class) what the actor says of these media; returns the counts.

    Another class that the actor gave before is replaced, its object stays. A person may say again
    what a reviewer rejected, others not. NotFound for unknown media, classes or ontology. The
    caller owns the transaction.
    """
    if not labels:
        raise NothingToDo("there are no labels to set")
    class_ids = ontologies.ids(conn, ontology, labels.values())
    said = sorted((media_id, class_ids[name]) for media_id, name in labels.items())
    with translated():
        actor_id = actor_id_of(conn, actor, _KIND[origin])
        return _write(conn, said, actor_id, origin, run_id, replace=True)


def actor_id_of(conn: psycopg.Connection[Any], actor: str, kind: str) -> int:
    """The identity of the actor, entered the first time; InvalidInput if it is of another kind."""
    if not actor.strip():
        raise InvalidInput("whoever labels needs a name")
    name = "person" if kind == "person" else "actor"
    found = _rows(conn, name, {"actor": actor, "kind": kind})
    if not found:
        raise Conflict(f"actor {actor!r} was entered by someone else this moment; run it again")
    if found[0][1] != kind:
        raise InvalidInput(
            f"actor {actor!r} is of kind {found[0][1]}, not {kind}; choose another name"
        )
    return int(found[0][0])


def _write(
    conn: psycopg.Connection[Any],
    said: list[tuple[int, int]],
    actor_id: int,
    origin: Origin,
    run_id: int | None,
    *,
    replace: bool,
) -> dict[str, int]:
    """Writes (media_id, class_id) pairs, each once, as what the actor says."""
    values = {
        "actor_id": actor_id, "origin": origin, "run_id": run_id, "heed": origin != "human",
    }  # fmt: skip
    _execute(conn, "stage")
    copy_rows(conn, "label_said", {"media_id": "bigint", "class_id": "bigint"}, said)
    _execute(conn, "analyze")
    unknown = [media_id for (media_id,) in _rows(conn, "unknown_media")]
    if unknown:
        raise NotFound(f"no media with these ids: {_some(unknown)}; see: smartdb.media")
    if replace:
        _execute(conn, "replace", values)
    added = _execute(conn, "add", values)
    ((n_said, n_live, n_replaced),) = _rows(conn, "said", values)
    ((n_torn,),) = _rows(conn, "conflicting", values)
    if run_id is not None:
        label_conflicts.find_conflicting(conn, run_id)
    return {
        "added": added,
        "known": n_live - added,
        "replaced": n_replaced,
        "judged": n_said - n_live,
        "conflicting": n_torn,
    }


def _folder_classes(
    conn: psycopg.Connection[Any], source_id: int, root: str
) -> Iterator[tuple[int, str | None]]:
    for media_id, uri in _rows(conn, "locations", {"source_id": source_id}):
        folder = walk.class_of(uri, root)
        yield media_id, None if folder is None else folder.rpartition("/")[2]


def _given(number: int, folder: bytes, place: str | bytes, name: str) -> tuple[str, str]:
    """URI and class of a row; the URI is what it gives, or that of its path below the folder."""
    if not place or not name:
        raise InvalidInput(f"row {number} has no {'class' if place else 'path'}; leave it out")
    if isinstance(place, str) and stores.is_uri(place):
        return place, name
    below = os.path.join(folder, os.fsencode(place))  # noqa: PTH118  (bytes)
    return walk.uri_of(os.path.normpath(below)), name


def _stage_rows(conn: psycopg.Connection[Any], given: list[tuple[str, str]]) -> list[str]:
    """Copies the rows and returns the URIs that are of no media."""
    _execute(conn, "stage_rows")
    copy_rows(conn, "label_row", {"uri": "text", "class": "text"}, given)
    return [uri for (uri,) in _rows(conn, "unknown_uris")]


def _matched(conn: psycopg.Connection[Any], class_ids: Mapping[str, int]) -> list[tuple[int, int]]:
    values = {"classes": list(class_ids), "class_ids": list(class_ids.values())}
    return [(media_id, class_id) for media_id, class_id in _rows(conn, "match_rows", values)]


def _some(things: list[Any]) -> str:
    shown = ", ".join(map(str, things[:_SHOWN]))
    return shown if len(things) <= _SHOWN else f"{shown} and {len(things) - _SHOWN} more"


def _execute(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> int:
    return conn.execute(statement("labels", name), values).rowcount


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("labels", name), values).fetchall()
