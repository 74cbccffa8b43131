"""Exports: a dataset version as files that other tools read, the same bytes each time.

Members go out with their splits and the labels of the version's revision. A manifest with the
digest of every file is written last, so that what has none is not finished; an export that was cut
off goes on where it stopped. Nothing is written into a place that holds anything else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.rows import class_row, tuple_row
from psycopg.types.json import Jsonb

from smartdb import datasets, export_manifest, export_plan, layouts, runs, stores, walk
from smartdb.errors import Conflict, NotFound, StoreFailed, translated
from smartdb.export_plan import ORIGINS, Plan
from smartdb.export_work import HIDDEN, Done, File, Work
from smartdb.formats.base import Problem
from smartdb.statements import statement
from smartdb.turns import turn

_CLAIM = f"{HIDDEN}/export.json"
_DOCUMENTS = "documents"


@dataclass(frozen=True)
class Export:
    """A complete export. ``problems`` are rows that the format cannot hold, by reason.

    ``is_new`` says that this call finished it; an equal one that was there is left as it is.
    """

    uri: str
    format: str
    dataset: str
    version: int
    n_items: int
    splits: Mapping[str, int]
    left_out: Mapping[str, int]
    n_files: int
    n_bytes: int
    manifest_sha256: str
    problems: Mapping[str, int]
    examples: Sequence[Problem] = ()
    is_new: bool = True


@dataclass(frozen=True)
class Known:
    """An export that the database knows, as the view smartdb.export tells it."""

    export_id: int
    dataset: str
    version: int
    format: str
    uri: str
    state: str
    n_items: int
    n_files: int | None
    n_bytes: int | None
    manifest_sha256: str | None
    purpose: str | None
    n_erased: int
    n_restricted: int
    is_stale: bool
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Verified:
    """What the files of an export are like beside its manifest: (path, what is wrong)."""

    uri: str
    n_files: int
    n_bytes: int
    wrong: Sequence[tuple[str, str]] = field(default=())


def export(
    conn: psycopg.Connection[Any],
    dataset: str,
    destination: str | Path,
    *,
    format: str,
    version: int | str | None = None,
    pictures: str = "copy",
    names: str = "sha256",
    seed: int | None = None,
    origins: Sequence[str] = ORIGINS,
    purpose: str | None = None,
    leave_out_refused: bool = False,
    boxes: bool = False,
    shard_bytes: int = export_plan.SHARD_BYTES,
    progress: Callable[[int], None] | None = None,
) -> Export:
    """Writes a version (number or tag; the newest) to a folder or a place in a store. Commits.

    ``format`` is a name of `smartdb.layouts`. ``pictures`` are copied, linked to (where they lie
    now) or left out; ``names`` of their files are those of their contents (sha256) or the original
    ones, made unique. Media are ordered by content, or shuffled by ``seed``. ``origins`` are whose
    labels go out; with ``boxes`` polygons, masks and other shapes as the boxes around them.
    UseRefused names members that are hidden, or whose terms do not allow the
    ``purpose`` (that of the version by itself); Conflict if the place holds anything else;
    StoreFailed if it cannot be written: run it again, and it goes on.
    """
    layout = layouts.load(format)
    found = datasets.find_version(conn, dataset, version)
    root = root_of(destination)
    seed = layouts.SEEDS.get(format) if seed is None else seed
    with turn(conn, f"export {root}"):
        plan = export_plan.stage(
            conn, found, format, is_sharded=layout.IS_SHARDED, pictures=pictures, names=names,
            seed=seed, origins=origins, purpose=purpose, leave_out_refused=leave_out_refused,
            boxes=boxes, shard_bytes=shard_bytes,
        )  # fmt: skip
        layout.check(plan)
        try:
            return _export(conn, plan, root, layout, progress)
        finally:
            export_plan.unstage(conn)


def exports(
    conn: psycopg.Connection[Any],
    dataset: str | None = None,
    version: int | None = None,
    *,
    stale: bool = False,
    after: int = 0,
    limit: int | None = None,
) -> list[Known]:
    """The exports that were made, oldest first; with ``stale`` those that hold what was erased or
    hidden since."""
    values = {
        "dataset": dataset, "version": version, "stale": stale, "after": after, "limit": limit,
    }  # fmt: skip
    with translated(), conn.cursor(row_factory=class_row(Known)) as cursor:
        return cursor.execute(statement("exports", "list"), values).fetchall()


def verify(
    conn: psycopg.Connection[Any],
    destination: str | Path,
    progress: Callable[[int], None] | None = None,
) -> Verified:
    """Reads every file of an export and holds it against the manifest.

    NotFound if there is no manifest; an export that was known to be there is noted as gone then.
    InvalidInput if the manifest was changed.
    """
    root = root_of(destination)
    text = _manifest(root)
    if text is None:
        if _rows(conn, "is_finished", {"uri": root}):
            conn.execute(statement("exports", "forget"), {"uri": root})
            conn.commit()
        raise NotFound(f"there is no finished export at {destination}")
    conn.commit()
    export_manifest.head(text)
    wrong: list[tuple[str, str]] = []
    n_files = n_bytes = 0
    for file in export_manifest.files(text):
        what = _wrong(f"{root}/{quote(file.path, safe='/')}", file)
        wrong += [(file.path, what)] if what else []
        n_files, n_bytes = n_files + 1, n_bytes + file.n_bytes
        if progress:
            progress(n_files)
    return Verified(root, n_files, n_bytes, tuple(wrong))


def root_of(destination: str | Path) -> str:
    """The URI of a destination, which need not be there yet."""
    text = str(destination)
    if stores.is_uri(text) and not stores.is_local(text):
        return stores.root_of(text)
    path = Path(text.removeprefix("file://") if stores.is_local(text) else text)
    return path.expanduser().resolve().as_uri()


def _export(
    conn: psycopg.Connection[Any],
    plan: Plan,
    root: str,
    layout: layouts.Layout,
    progress: Callable[[int], None] | None,
) -> Export:
    """Writes what is not written yet; the staged plan says what belongs into it."""
    identity = plan.identity()
    there = _manifest(root)
    if there is not None and export_manifest.head(there).items() >= identity.items():
        return _known(conn, plan, root, there)
    parameters = {**identity, "uri": root}
    with _told(root), runs.run(conn, "export", parameters, plan.seed) as run:
        _claim(conn, root, identity, is_taken=there is not None)
        export_id = _begin(conn, plan, root, run.run_id)
        with _scratch(root) as scratch:
            work = Work(conn, plan, root, scratch, progress)
            problems, examples = _write(work, layout, export_id)
            made = scratch / export_manifest.NAME
            written = export_manifest.write(made, identity, problems, _files(work))
            stores.put(work.at(export_manifest.NAME), made)
        run.counts.update(items=plan.n_items, files=written.n_files, bytes=written.n_bytes)
        _complete(conn, export_id, written.n_files, written.n_bytes, written.sha256)
        _clean(plan, root)
    return Export(
        root, plan.format, plan.version.dataset, plan.version.version, plan.n_items, plan.splits,
        plan.left_out, written.n_files, written.n_bytes, written.sha256.hex(), dict(problems),
        examples,
    )  # fmt: skip


def _known(conn: psycopg.Connection[Any], plan: Plan, root: str, text: bytes) -> Export:
    """The export that is there already, equal to what was asked for."""
    files = list(export_manifest.files(text))
    n_bytes, digest = sum(file.n_bytes for file in files), hashlib.sha256(text).digest()
    found = _rows(conn, "unfinished", {"uri": root})
    if found:  # it was killed just before it could say so
        _complete(conn, found[0][0], len(files), n_bytes, digest)
    _clean(plan, root)
    problems = export_manifest.head(text)["problems"]
    return Export(
        root, plan.format, plan.version.dataset, plan.version.version, plan.n_items, plan.splits,
        plan.left_out, len(files), n_bytes, digest.hex(), problems, is_new=False,
    )  # fmt: skip


def _claim(
    conn: psycopg.Connection[Any], root: str, identity: Mapping[str, Any], *, is_taken: bool
) -> None:
    """Writes down whose place it is; Conflict if it holds anything but a part of this export."""
    at = f"{root}/{_CLAIM}"
    claim = json.dumps(identity, sort_keys=True).encode()
    if not is_taken and stores.is_empty(root):
        conn.execute(statement("exports", "forget"), {"uri": root})
        conn.commit()
        stores.put(at, claim)
        return
    try:
        is_taken = is_taken or stores.read(at) != claim
    except NotFound:
        is_taken = True
    if is_taken:
        raise Conflict(
            f"{root} holds something else, or another export; name an empty place, or delete "
            "what is there"
        )


def _begin(conn: psycopg.Connection[Any], plan: Plan, root: str, run_id: int) -> int:
    values = {
        "dataset_id": plan.dataset_id, "version": plan.version.version, "format": plan.format,
        "uri": root, "parameters": Jsonb(plan.parameters()), "purpose": plan.purpose,
        "n_items": plan.n_items, "run_id": run_id,
    }  # fmt: skip
    found = _rows(conn, "begin", values)
    if not found:  # the database knows another one there, which somebody deleted
        conn.execute(statement("exports", "forget"), {"uri": root})
        found = _rows(conn, "begin", values)
    conn.commit()
    return int(found[0][0])


def _write(
    work: Work, layout: layouts.Layout, export_id: int
) -> tuple[Counter[str], list[Problem]]:
    """Writes the parts and then the documents that are not there yet."""
    problems, examples = Counter[str](), list[Problem]()
    for key, part in _keys(work.plan):
        done = work.note(key)
        if done is None:
            done = layout.write(work, part) if part else layout.finish(work)
            work.keep_note(key, done)
        if part and done.media_ids:
            values: dict[str, Any] = {"export_id": export_id, "part": part.number}
            values |= {"media_ids": done.media_ids, "paths": done.paths}
            work.conn.execute(statement("exports", "add_part"), values)
            work.conn.commit()
            work.tell(part.last)
        problems.update(done.problems)
        examples += done.examples
    values = {"revision": work.plan.version.revision, "origins": list(work.plan.origins)}
    ((n_relations,),) = _rows(work.conn, "n_relations", values)
    if n_relations:
        what = f"no format holds relations between labelled things: {n_relations} are left out"
        problems["unsupported"] += n_relations
        examples.append(Problem("relations", "unsupported", what))
    return problems, examples


def _keys(plan: Plan) -> Iterator[tuple[str, export_plan.Part | None]]:
    for part in plan.parts:
        yield f"part-{part.number:06d}", part
    yield _DOCUMENTS, None


def _files(work: Work) -> Iterator[File]:
    for key, _ in _keys(work.plan):
        yield from (work.note(key) or Done()).files


def _complete(
    conn: psycopg.Connection[Any], export_id: int, n_files: int, n_bytes: int, sha256: bytes
) -> None:
    values = {"export_id": export_id, "n_files": n_files, "n_bytes": n_bytes, "sha256": sha256}
    conn.execute(statement("exports", "complete"), values)
    conn.commit()


def _clean(plan: Plan, root: str) -> None:
    """Removes the notes; the claim last."""
    for name in [*(f"{HIDDEN}/{key}.json" for key, _ in _keys(plan)), _CLAIM]:
        stores.remove(f"{root}/{name}")
    if stores.is_local(root):
        shutil.rmtree(_local(root) / HIDDEN, ignore_errors=True)


@contextmanager
def _told(root: str) -> Iterator[None]:
    """Errors of the disk as what they mean for an export."""
    try:
        yield
    except OSError as error:
        raise StoreFailed(
            f"cannot write {root}: {error.strerror or error}; nothing there looks finished; "
            "run it again, and it goes on"
        ) from error


@contextmanager
def _scratch(root: str) -> Iterator[Path]:
    """A folder for files in the make: inside of a local export, so that renaming is enough."""
    if not stores.is_local(root):
        with tempfile.TemporaryDirectory(prefix="smartdb-export-") as name:
            yield Path(name)
        return
    folder = _local(root) / HIDDEN
    shutil.rmtree(folder / "make", ignore_errors=True)  # of one that was killed
    (folder / "make").mkdir(parents=True)
    try:
        yield folder / "make"
    finally:
        shutil.rmtree(folder / "make", ignore_errors=True)


def _local(root: str) -> Path:
    return Path(os.fsdecode(walk.path_of(root)))


def _wrong(uri: str, file: File) -> str | None:
    """What is wrong with a file of an export, if anything is."""
    try:
        if stores.is_local(uri):
            with _local(uri).open("rb") as opened:
                found = hashlib.file_digest(opened, "sha256").hexdigest()
        else:
            found = hashlib.sha256(stores.read(uri)).hexdigest()
    except FileNotFoundError:
        return "is missing"
    except NotFound as error:
        return "is missing" if error.reason == "missing" else str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if found == file.sha256 else "holds other bytes"


def _manifest(root: str) -> bytes | None:
    try:
        return stores.read(f"{root}/{export_manifest.NAME}")
    except NotFound as error:
        if error.reason == "missing":
            return None
        raise StoreFailed(str(error)) from error


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("exports", name), values).fetchall()
