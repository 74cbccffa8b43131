"""Queues of projects: which media are asked about, and with what priority.

A priority is between 0 (least wanted) and 1: how uncertain a run was of the media (1 - the margin
of its predictions), its place in a batch, or the same for all, where the oldest comes first. Where
a project says ``per_day``, what is opened later starts so much lower for each day since the
project began: waiting counts, and no row need ever be written anew for it.

Tasks whose answer is known (gold) are opened among the others: as many for each media, with a
priority between two of theirs, so that nothing in the row tells which they are. For that
tasks of a project do not name the batch whose media they ask about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import random
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb import batches, projects, sampling
from smartdb.errors import InvalidInput, NotFound, NothingToDo, translated
from smartdb.projects import Project
from smartdb.statements import statement

STRATEGY = {"uncertainty": "uncertain", "diversity": "k-center"}
"""The sampler of each way to fill but age."""


@dataclass(frozen=True)
class Ask:
    """A media to ask about; with a prefill the annotator starts from those label objects."""

    media_id: int
    priority: float = 0.0
    prefill: Sequence[Mapping[str, Any]] | None = None


def ask(conn: psycopg.Connection[Any], project: str, asks: Sequence[Ask]) -> dict[str, int]:
    """Opens tasks of a project for media that it has not asked about: {"media", "tasks", "gold"}.

    Each media gets as many as the project's overlap. With a prefill anywhere, gold is only chosen
    among media that come with one here, or it could be told by that. NotFound for an unknown
    project, InvalidInput for a closed one. It does not commit.
    """
    found = _open(conn, project)
    known = {each.media_id: each for each in asks}
    values = {
        "project_id": found.project_id,
        "media_ids": [each.media_id for each in known.values()],
        "priorities": [float(each.priority) for each in known.values()],
        "prefills": [None if e.prefill is None else Jsonb(list(e.prefill)) for e in known.values()],
    }
    (row,) = _rows(conn, "ask", values)
    return {"media": row[0], "tasks": row[1], "gold": row[2]}


def ask_batch(conn: psycopg.Connection[Any], project: str, batch_id: int) -> dict[str, int]:
    """Opens tasks for the media of a batch, as `ask`; it does not commit.

    What an uncertain sampler chose by margin keeps its score as priority, comparable from batch
    to batch; of other batches the first chosen has nearly 1, the last nearly 0 (not on a
    grid, beside which gold would be seen).
    """
    batch = batches.find(conn, batch_id)
    items = batches.items(conn, batch_id)
    is_score = batch.strategy == "uncertain" and batch.parameters.get("measure") == "margin"
    place = {i.media_id: 1 - (i.rank - random()) / len(items) for i in items}
    return ask(
        conn, project, [Ask(i.media_id, i.score if is_score else place[i.media_id]) for i in items]
    )


def fill(conn: psycopg.Connection[Any], project: str, *, seed: int = 0) -> dict[str, int]:
    """Opens tasks until ``depth`` media of a project wait, or no more may be asked; commits.

    Counts as `ask`, and how many media ``waiting`` there are then. A second call with nothing
    answered meanwhile does nothing. NotFound where it fills by uncertainty and no run predicted.
    """
    found = _open(conn, project)
    missing = found.depth - _waiting(conn, found)
    counts = {"media": 0, "tasks": 0, "gold": 0}
    if missing > 0:
        counts = _fill(conn, found, missing, seed)
    conn.commit()
    return {**counts, "waiting": _waiting(conn, found)}


def fill_all(conn: psycopg.Connection[Any], *, seed: int = 0) -> dict[str, int]:
    """`fill` for every open project that says a depth; counts added up. It commits."""
    total = {"media": 0, "tasks": 0, "gold": 0, "waiting": 0}
    for each in projects.projects(conn):
        if each.depth and each.closed_at is None:
            for name, n in fill(conn, each.project, seed=seed).items():
                total[name] += n
    return total


def prioritise(conn: psycopg.Connection[Any], project: str, run_id: int) -> int:
    """Gives waiting tasks the uncertainty of a run's predictions as priority; how many changed.

    1 - margin, less what waiting counts. What the run did not predict keeps its priority.
    NotFound for a run without predictions. It does not commit.
    """
    found = _open(conn, project)
    values = {"project_id": found.project_id, "run_id": run_id}
    if not _rows(conn, "has_predicted", values)[0][0]:
        raise NotFound(f"run {run_id} has predicted nothing; see: smartdb runs")
    return len(_rows(conn, "prioritise", values))


def _fill(conn: psycopg.Connection[Any], project: Project, n: int, seed: int) -> dict[str, int]:
    values = {"project": project.project, "n": n, "predicate": project.predicate}
    if project.fill_by == "age":
        ids = [media_id for (media_id,) in _rows(conn, "oldest", values)]
        return ask(conn, project.project, [Ask(media_id) for media_id in ids])
    extra: dict[str, Any] = {}
    if project.fill_by == "uncertainty":
        rows = _rows(conn, "newest_run", values)
        if not rows:
            raise NotFound(
                f"project {project.project!r} asks the uncertain first, but no run has predicted; "
                "run: smartdb train, or fill by age"
            )
        extra = {"run": rows[0][0], "measure": "margin"}
    predicate = _rows(conn, "not_asked", values)[0][0]
    try:
        batch_id = sampling.sample(
            conn, STRATEGY[project.fill_by], n, seed=seed, predicate=predicate, **extra
        )
    except NothingToDo:
        return {"media": 0, "tasks": 0, "gold": 0}
    return ask_batch(conn, project.project, batch_id)


def _open(conn: psycopg.Connection[Any], name: str) -> Project:
    found = projects.find(conn, name)
    if found.closed_at is not None:
        raise InvalidInput(f"project {name!r} is closed; run: smartdb project open {name}")
    return found


def _waiting(conn: psycopg.Connection[Any], project: Project) -> int:
    return int(_rows(conn, "waiting", {"project_id": project.project_id})[0][0])


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("queues", name), values).fetchall()
