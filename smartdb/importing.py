"""Import: a file of labels, of any format, onto media that are there or come with it.

The file is copied into temporary tables, whole: so memory is flat, classes that nobody knows stop
the import before anything is written, and what is known already is told by comparing sets. New
labels are then added in batches, each a transaction: a run that was killed is continued by the
next, and a file that was imported before adds nothing. What the actor ever said of a media counts
as said, so what a reviewer corrected or rejected is not brought back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row

from smartdb import class_mapping, label_conflicts, tasks, walk
from smartdb import formats as all_formats
from smartdb.bulk import copy_rows
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.formats.base import Problem
from smartdb.import_places import place_of, places_of
from smartdb.import_plan import FOLDER_FORMATS, Plan, planned
from smartdb.import_rows import stage
from smartdb.ingest import Progress, ingest
from smartdb.labels import actor_id_of
from smartdb.runs import Run, run
from smartdb.statements import statement
from smartdb.turns import turn

BATCH = 50_000
"""Labels in a transaction; see benchmarks/labels.py."""

EXAMPLES = 5
"""Problems of each kind in a report; all of them are in ``smartdb.import_problem``."""

_LAST = 2**63 - 1


@dataclass(frozen=True)
class ClassCount:
    """Labels of a class of the file, of one kind, and the class that they become (None: none)."""

    given: str
    class_name: str | None
    kind: str
    n: int


@dataclass(frozen=True)
class Report:
    """What an import did, or would do.

    ``pictures``: found, new (they would be ingested; in a dry run only) and missing. ``labels``:
    added, known (said before), repeated (of pictures with the same bytes, or a class said twice),
    unwanted (their class is mapped to nothing) and wrong (see ``problems``; those of a missing
    picture too). ``unknown`` are classes that nothing maps. ``problems`` are (reason, is it only a
    warning, how many), with some ``examples``.
    """

    format: str
    actor: str
    run_id: int | None
    pictures: Mapping[str, int]
    labels: Mapping[str, int]
    classes: Sequence[ClassCount]
    unknown: Sequence[str]
    problems: Sequence[tuple[str, bool, int]]
    examples: Sequence[Problem] = field(default=())


def import_labels(
    conn: psycopg.Connection[Any],
    path: Path,
    *,
    format: str | None = None,
    images: str | Path | None = None,
    source: str | None = None,
    ontology: str = "default",
    mapping: str | None = None,
    maps: Mapping[str, str | None] | None = None,
    create_classes: bool = False,
    actor: str | None = None,
    options: Mapping[str, str] | None = None,
    dry_run: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Imports the labels at ``path``, and the pictures below ``images``. Safe to run again.

    Media that come in with it get what the file says of their pictures (split included) as
    attributes. ``images`` is a folder or store, ingested first; without it, pictures are looked for
    among the media of ``source`` or of all. ``maps`` reads classes of the file as others, or (None)
    leaves them out; it is saved under ``mapping``, by default the actor's name. The actor is by
    default named like the format and the file. A dry run writes nothing. NotFound lists classes
    that are unknown (``create_classes`` makes them), or says that no picture is there; InvalidInput
    for what is no file of the format. Commits each batch; must not be called inside of a
    transaction.
    """
    plan = planned(conn, path, format, images, source, ontology, mapping, actor, options or {})
    with translated(), _staged(conn):
        if dry_run:
            return _rehearse(conn, plan, maps or {})
        with run(conn, "import", plan.parameters()) as opened:
            _read(conn, plan, maps or {}, create_classes)
            report = _write(conn, plan, opened, workers, progress)
            opened.counts.update(pictures=dict(report.pictures), labels=dict(report.labels))
        return report


def import_predictions(
    conn: psycopg.Connection[Any],
    path: Path,
    *,
    model: str | None = None,
    format: str | None = None,
    source: str | None = None,
    images: str | Path | None = None,
    ontology: str = "default",
    mapping: str | None = None,
    maps: Mapping[str, str | None] | None = None,
    options: Mapping[str, str] | None = None,
    digest: str | None = None,
    of: Path | None = None,
) -> Report:
    """Imports what a ``model`` predicted of known media: classes and boxes with confidences.

    They become rows of `smartdb.predicted_label` of one run, not labels; other kinds count as
    unwanted. Pictures are found as by `import_labels`, but none are ingested, and classes must be
    known. The same once more (by ``digest``) adds nothing. ``of`` is the file that people know,
    where path is made of it. InvalidInput for rows without a confidence. Commits at the end; must
    not be called inside of a transaction.
    """
    plan = planned(conn, path, format, images, source, ontology, mapping, model, options or {})
    uri = walk.uri_of(bytes((of or path).resolve()))
    parameters = {**plan.parameters(), "uri": uri, "digest": digest}
    with translated(), _staged(conn):
        if digest and (
            known := _rows(conn, "known_predictions", {"digest": digest, "actor": plan.actor})
        ):
            _read(conn, plan, maps or {}, create_classes=False)
            _look(conn, plan, known[0][0])
            return _report(conn, plan, known[0][0], (), 0, 0)
        with run(conn, "import_predictions", parameters) as opened:
            _read(conn, plan, maps or {}, create_classes=False)
            _look(conn, plan, opened.run_id)
            added = _do(conn, "add_predictions", {"run_id": opened.run_id})
            _do(conn, "keep_problems", {"run_id": opened.run_id, "uri": uri})
            report = _report(conn, plan, opened.run_id, (), added, 0)
            opened.counts.update(pictures=dict(report.pictures), labels=dict(report.labels))
        return report


def _look(conn: psycopg.Connection[Any], plan: Plan, run_id: int) -> None:
    """Finds the media of predictions and judges each; InvalidInput if one has no confidence."""
    _match(conn, plan)
    _require_found(conn, plan)
    _judge(conn, run_id)
    ((n_unsure,),) = _rows(conn, "unsure")
    if n_unsure:
        raise InvalidInput(
            f"{n_unsure} rows of {plan.path.name} have no confidence; "
            "labels without one are imported by: smartdb import"
        )


@contextmanager
def _staged(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """The temporary tables, dropped at the end."""
    _do(conn, "unstage")
    _do(conn, "stage")
    conn.commit()
    try:
        yield
    finally:
        if not conn.closed:
            conn.rollback()
            _do(conn, "unstage")
            conn.commit()


def _rehearse(conn: psycopg.Connection[Any], plan: Plan, maps: Mapping[str, str | None]) -> Report:
    """What an import would do, found out without writing anything that stays."""
    mapped = _stage(conn, plan, None, maps)
    found = _rows(conn, "actor_id", {"actor": plan.actor})
    actor_id = found[0][0] if found else -1
    _match(conn, plan)
    new = _new(conn, plan)
    _resolve(conn, actor_id)
    ((to_add,),) = _rows(conn, "to_add", {"actor_id": actor_id})
    return _report(conn, plan, None, mapped.unknown, to_add, new)


def _read(
    conn: psycopg.Connection[Any],
    plan: Plan,
    maps: Mapping[str, str | None],
    create_classes: bool,
) -> None:
    """Reads the file, and reads its classes; NotFound for those that are unknown."""
    mapped = _stage(conn, plan, plan.own_folder, maps)
    if mapped.unknown and create_classes:
        infos = all_formats.load(plan.format).classes(plan.path)
        class_mapping.create(conn, plan.ontology, mapped.unknown, infos)
        names = [name for (name,) in _rows(conn, "given")]
        mapped = class_mapping.find(conn, plan.mapping, plan.ontology, names, maps)
    if mapped.unknown:
        raise _unknown(conn, plan, mapped.unknown)
    class_mapping.save(conn, plan.mapping, plan.ontology, mapped.class_ids)
    _map(conn, mapped)
    conn.commit()


def _stage(
    conn: psycopg.Connection[Any],
    plan: Plan,
    folder: Path | None,
    maps: Mapping[str, str | None],
) -> class_mapping.Mapped:
    """Copies the file into the temporary tables, with bytes that it carries into ``folder``."""
    module = all_formats.load(plan.format)
    items = module.read(plan.path, images=plan.folder, **plan.options)
    numbers = stage(conn, items, lambda some: places_of(conn, some, plan.root, folder))
    strangers = maps.keys() - numbers.keys()
    if strangers:
        strangers -= {each.name for each in module.classes(plan.path)}
    if strangers:
        names = ", ".join(map(repr, sorted(strangers)))
        raise InvalidInput(f"--map: not among the classes of {plan.path.name}: {names}")
    rows = [(number, name) for name, number in numbers.items()]
    copy_rows(conn, "import_class", {"class": "integer", "given": "text"}, rows)
    _do(conn, "analyze")
    _do(conn, "unique_pictures")
    mapped = class_mapping.find(conn, plan.mapping, plan.ontology, list(numbers), maps)
    _map(conn, mapped)
    conn.commit()
    return mapped


def _map(conn: psycopg.Connection[Any], mapped: class_mapping.Mapped) -> None:
    ids = mapped.class_ids
    _do(conn, "map", {"given": list(ids), "class_ids": list(ids.values())})


def _unknown(conn: psycopg.Connection[Any], plan: Plan, names: Sequence[str]) -> NotFound:
    counts = dict.fromkeys(names, 0)
    for each in _classes(conn):
        if each.given in counts:
            counts[each.given] += each.n
    listed = ", ".join(f"{name!r} ({n})" for name, n in counts.items())
    return NotFound(
        f"nothing was imported: ontology {plan.ontology!r} has no class {listed}; "
        f"say what they mean (--map {names[0]!r}=CLASS, or {names[0]!r}= to leave them out), "
        "or make them classes (--create-classes)"
    )


def _write(
    conn: psycopg.Connection[Any],
    plan: Plan,
    opened: Run,
    workers: int | None,
    progress: Progress | None,
) -> Report:
    _ingest(conn, plan, workers, progress)
    _match(conn, plan)
    _require_found(conn, plan)
    _do(conn, "describe", {"run_id": opened.run_id})
    actor_id = actor_id_of(conn, plan.actor, "import")
    conn.commit()
    with turn(conn, f"import {actor_id}"):
        _resolve(conn, actor_id)
        conn.commit()
        added = sum(_batches(conn, actor_id, opened.run_id))
        _do(conn, "keep_problems", {"run_id": opened.run_id, "uri": plan.uri})
        label_conflicts.find_conflicting(conn, opened.run_id)
        report = _report(conn, plan, opened.run_id, (), added, 0)
        if plan.format in FOLDER_FORMATS and plan.source:
            tasks.open_tasks(conn, "label", source=plan.source)
    return report


def _require_found(conn: psycopg.Connection[Any], plan: Plan) -> None:
    ((n_pictures, n_found),) = _rows(conn, "found")
    if n_pictures and not n_found:
        at = f"below {plan.root}" if plan.root else "among the media"
        raise NotFound(
            f"none of the {n_pictures} pictures of {plan.path.name} is {at}; say where "
            "they are: --images DIR, or --source NAME of media that were ingested"
        )


def _ingest(
    conn: psycopg.Connection[Any], plan: Plan, workers: int | None, progress: Progress | None
) -> None:
    """Ingests the folder or store of the images, and what bytes the file carried."""
    own = plan.own_folder
    if plan.images is not None:
        ingest(conn, plan.images, source=plan.source, workers=workers, progress=progress)
    if own.is_dir() and plan.folder is None:
        ingest(conn, own, source=f"{plan.path.name} (carried)", workers=workers, progress=progress)


def _match(conn: psycopg.Connection[Any], plan: Plan) -> None:
    """Finds the media of the pictures: by their bytes, their place, or the end of it."""
    source = {"source": plan.source}
    _do(conn, "match_hashes")
    _do(conn, "match_uris", source)
    _do(conn, "match_tails", source)
    _do(conn, "match_frames")
    _do(conn, "match_sizes")
    conn.commit()


def _new(conn: psycopg.Connection[Any], plan: Plan) -> int:
    """Of a dry run: marks the pictures that would be ingested as found, and counts them."""
    new = [place for name, place, is_carried in _rows(conn, "unmatched")
           if is_carried or _is_file(plan, name)]  # fmt: skip
    _do(conn, "mark_new", {"places": new})
    return len(new)


def _is_file(plan: Plan, name: str) -> bool:
    uri = place_of(name, plan.root).uri if plan.folder else None
    return uri is not None and uri.startswith("file://") and os.path.isfile(walk.path_of(uri))  # noqa: PTH113


def _resolve(conn: psycopg.Connection[Any], actor_id: int) -> None:
    """Judges each label, and puts what the file says beside what was said before."""
    _judge(conn, actor_id)
    _do(conn, "gone", {"actor_id": actor_id})


def _judge(conn: psycopg.Connection[Any], seed: int) -> None:
    """Judges each label, and lists what is said of each media, tracks numbered by seed."""
    for name in ("resolve", "duplicate_ids", "label_problems", "picture_problems"):
        _do(conn, name)
    _do(conn, "said", {"actor_id": seed})
    _do(conn, "index_said")


def _batches(conn: psycopg.Connection[Any], actor_id: int, run_id: int) -> Iterator[int]:
    """Adds what is new, each batch in a transaction, and gives the number of rows of each."""
    after = 0
    for upto in [*(row[0] for row in _rows(conn, "cuts", {"rows": BATCH})), _LAST]:
        values = {"actor_id": actor_id, "run_id": run_id, "after": after, "upto": upto}
        yield _do(conn, "add", values)
        conn.commit()
        after = upto


def _report(
    conn: psycopg.Connection[Any],
    plan: Plan,
    run_id: int | None,
    unknown: Sequence[str],
    added: int,
    new: int,
) -> Report:
    n = _counts(conn)
    good = n["labels"] - n["unwanted"] - n["wrong"]
    return Report(
        format=plan.format,
        actor=plan.actor,
        run_id=run_id,
        pictures={"found": n["found"] - new, "new": new, "missing": n["pictures"] - n["found"]},
        labels={
            "added": added,
            "known": n["said"] - added,
            "repeated": good - n["said"],
            "unwanted": n["unwanted"],
            "wrong": n["wrong"] + n["unread"],
        },
        classes=_classes(conn),
        unknown=unknown,
        problems=[(reason, warns, count) for reason, warns, count in _rows(conn, "by_reason")],
        examples=[Problem(*row) for row in _rows(conn, "some_problems", {"n": EXAMPLES})],
    )


def _counts(conn: psycopg.Connection[Any]) -> dict[str, int]:
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(statement("importing", "counts")).fetchone()
    assert found is not None
    return found


def _classes(conn: psycopg.Connection[Any]) -> list[ClassCount]:
    return [ClassCount(*row) for row in _rows(conn, "labels_by_class")]


def _do(conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None) -> int:
    return conn.execute(statement("importing", name), values).rowcount


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("importing", name), values).fetchall()
