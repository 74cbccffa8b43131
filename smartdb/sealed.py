"""Sealed dataset versions: finding them, their balance, what changed, and verifying them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.statements import statement


@dataclass(frozen=True)
class DatasetVersion:
    """A sealed version; ``is_new`` says that this call made it."""

    dataset: str
    version: int
    n_items: int
    revision: int
    query: str
    parameters: Mapping[str, Any]
    seed: int
    digest: str
    message: str
    ontology: str
    run_id: int
    sealed_at: datetime
    purpose: str | None = None
    ontology_version: int = 1
    encoder: str | None = None
    batch_id: int | None = None
    parent_dataset: str | None = None
    parent_version: int | None = None
    tags: list[str] = field(default_factory=list)
    is_pinned: bool = False
    pruned_at: datetime | None = None
    is_new: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Whether a version counts to its digest; ``is_ok`` is None where it cannot be told."""

    is_ok: bool | None
    expected: str
    found: str | None
    reason: str


def find_version(
    conn: psycopg.Connection[Any], name: str, version: int | str | None = None
) -> DatasetVersion:
    """A sealed version by number or tag, by default the newest; NotFound if there is none.

    Also if it was pruned, so that nobody takes what is left of it for the whole.
    """
    found = _find(conn, name, version)
    if found.pruned_at is not None:
        raise NotFound(
            f"version {found.version} of dataset {name!r} was pruned: only its digest is left; "
            "run: smartdb dataset list"
        )
    return found


def version_number(conn: psycopg.Connection[Any], name: str, version: int | str | None) -> int:
    """The number of a sealed version by number or tag, also if it was pruned."""
    return _find(conn, name, version).version


def _find(conn: psycopg.Connection[Any], name: str, version: int | str | None) -> DatasetVersion:
    found = _versions(conn, name, version)
    if not found:
        which = "version" if version is None else f"version {version}"
        raise NotFound(f"dataset {name!r} has no sealed {which}; run: smartdb dataset list")
    return found[-1]


def find_spec(conn: psycopg.Connection[Any], spec: str, default: str) -> DatasetVersion:
    """The version ``spec`` names: number or tag of the default dataset, or DATASET@either."""
    dataset, at, version = spec.rpartition("@")
    return find_version(conn, dataset if at else default, version or None)


def list_versions(conn: psycopg.Connection[Any], name: str | None = None) -> list[DatasetVersion]:
    """Sealed versions of a dataset, or of all, oldest first; pruned ones too."""
    return _versions(conn, name, None)


def class_balance(
    conn: psycopg.Connection[Any], name: str, version: int
) -> list[tuple[str, str | None, int, float]]:
    """Split, class, number and share in the split, for each class a version holds."""
    return rows(conn, "class_balance", {"dataset": name, "version": version})


def diff(
    conn: psycopg.Connection[Any], name: str, version_a: int, version_b: int
) -> list[tuple[int, str, str | None, str | None, str | None, str | None]]:
    """Media, change (added, removed, moved, relabelled), splits and classes before and after."""
    return _diff(conn, "diff", name, version_a, version_b)


def label_diff(
    conn: psycopg.Connection[Any], name: str, version_a: int, version_b: int
) -> list[tuple[int, int, str, str, str | None, str | None, str | None, str | None]]:
    """Media, object, change, kind, classes and actors before and after, of shared members."""
    return _diff(conn, "label_diff", name, version_a, version_b)


def class_diff(
    conn: psycopg.Connection[Any], name: str, version_a: int, version_b: int
) -> list[tuple[str, str | None, str | None, int]]:
    """Change (added, retired, renamed), class before and after, and the ontology's version."""
    return _diff(conn, "class_diff", name, version_a, version_b)


DIFFS: Mapping[str, tuple[Callable[..., list[Any]], Sequence[str]]] = {
    "media": (diff, ("media_id", "change", "split_a", "split_b", "class_a", "class_b")),
    "labels": (
        label_diff,
        ("media_id", "object_id", "change", "kind", "class_a", "class_b", "actor_a", "actor_b"),
    ),
    "classes": (class_diff, ("change", "class_a", "class_b", "ontology_version")),
}
"""What may be compared: how, and the columns of the rows."""


def verify(conn: psycopg.Connection[Any], name: str, version: int) -> Verdict:
    """Counts a version again, hidden media included; NotFound if there is no such version."""
    found = rows(conn, "verify", {"dataset": name, "version": version})
    if not found:
        raise NotFound(
            f"dataset {name!r} has no sealed version {version}; run: smartdb dataset list"
        )
    return Verdict(*found[0])


def rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any], noun: str = "datasets"
) -> list[tuple[Any, ...]]:
    """The rows of a named statement, by default of queries/datasets.sql."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement(noun, name), values or None).fetchall()


def row(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any], noun: str = "datasets"
) -> tuple[Any, ...] | None:
    """The first row of a named statement, if there is one."""
    found = rows(conn, name, values, noun)
    return found[0] if found else None


def _diff(
    conn: psycopg.Connection[Any], what: str, name: str, version_a: int, version_b: int
) -> list[Any]:
    find_version(conn, name, version_a)
    find_version(conn, name, version_b)
    if version_a > version_b:
        raise InvalidInput(f"version {version_a} is later than {version_b}: name the earlier first")
    values = {"dataset": name, "version_a": version_a, "version_b": version_b}
    return rows(conn, what, values)


def _versions(
    conn: psycopg.Connection[Any], name: str | None, version: int | str | None
) -> list[DatasetVersion]:
    is_tag = isinstance(version, str) and not version.isdecimal()
    number = None if version is None or is_tag else int(version)
    values = {"dataset": name, "version": number, "tag": version if is_tag else None}
    return [DatasetVersion(*each) for each in rows(conn, "versions", values)]
