"""What is to be exported: which media of a version, in which order, under which names and parts.

The plan is a temporary table, so that its size does not matter; nothing in it depends on the
machine, the time or the ids of the database, but its ``media_id``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import datasets, terms
from smartdb.errors import InvalidInput, NothingToDo, UseRefused, translated
from smartdb.formats.base import ClassInfo
from smartdb.statements import statement

PICTURES = ("copy", "link", "none")
NAMES = ("sha256", "original")
ORIGINS = ("consensus", "human", "import")
"""Whose labels are exported unless others are named: never a model's."""

SHARD_BYTES = 256 << 20
SHARD_ITEMS = 10_000
"""A shard is full at this many bytes of pictures, or media."""

LOOSE_ITEMS = 500
"""Pictures of a part, where each is a file of its own."""


@dataclass(frozen=True)
class Part:
    """Media from place ``first`` to ``last``: number ``shard`` of ``n_shards`` of the split."""

    number: int
    split: str
    first: int
    last: int
    shard: int
    n_shards: int


@dataclass(frozen=True)
class Plan:
    """An export that is staged; two with the same ``identity`` have the same bytes."""

    version: datasets.DatasetVersion
    dataset_id: int
    ontology_id: int
    format: str
    pictures: str
    names: str
    seed: int | None
    origins: Sequence[str]
    purpose: str | None
    boxes: bool
    shard_bytes: int
    splits: Mapping[str, int]
    left_out: Mapping[str, int]
    classes: Sequence[ClassInfo]
    parts: Sequence[Part]

    @property
    def n_items(self) -> int:
        """How many media go into it."""
        return sum(self.splits.values())

    def parameters(self) -> dict[str, Any]:
        """What besides version and format decides the bytes."""
        return {
            "pictures": self.pictures, "names": self.names, "seed": self.seed,
            "origins": list(self.origins), "boxes": self.boxes, "shard_bytes": self.shard_bytes,
        }  # fmt: skip

    def identity(self) -> dict[str, Any]:
        """What decides the bytes."""
        return {
            "format": self.format, "dataset": self.version.dataset,
            "version": self.version.version, "version_digest": self.version.digest,
            "ontology": self.version.ontology, **self.parameters(), "n_items": self.n_items,
            "splits": dict(self.splits), "left_out": dict(self.left_out),
        }  # fmt: skip


def stage(
    conn: psycopg.Connection[Any],
    version: datasets.DatasetVersion,
    format: str,
    *,
    is_sharded: bool,
    pictures: str,
    names: str,
    seed: int | None,
    origins: Sequence[str],
    purpose: str | None,
    leave_out_refused: bool,
    boxes: bool,
    shard_bytes: int,
) -> Plan:
    """Stages an export and commits. UseRefused names media that are hidden or not allowed."""
    _check(pictures, names, shard_bytes)
    purpose = terms.checked_use(purpose) if purpose else version.purpose
    dataset_id, ontology_id = _rows(conn, "ontology", {"dataset": version.dataset})[0]
    values: dict[str, Any] = {
        "dataset": version.dataset, "version": version.version, "revision": version.revision,
        "purpose": purpose, "names": names, "seed": seed, "origins": list(origins),
        "dataset_id": dataset_id, "ontology_id": ontology_id,
        "ontology_version": version.ontology_version,
        "is_carried": pictures == "copy" and is_sharded,
        "limit": shard_bytes if is_sharded else 1 << 62,
        "n": SHARD_ITEMS if is_sharded else LOOSE_ITEMS,
    }  # fmt: skip
    with translated():
        _do(conn, "stage", {})
        _do(conn, "find_refused", values)
        _settle(conn, version, purpose, leave_out_refused)
        _do(conn, "find_items", values)
        _do(conn, "analyse", {})
        ((refused, erased, videos),) = _rows(conn, "left_out", values)
        splits = dict(_rows(conn, "splits", {}))
        parts = [Part(*row) for row in _rows(conn, "parts", {})]
        classes = [ClassInfo(name, parent) for name, parent in _rows(conn, "classes", values)]
        conn.commit()
    if not parts:
        raise NothingToDo(f"version {version.version} of {version.dataset!r} holds no pictures")
    left_out = {"refused": refused, "erased": erased, "videos": videos}
    return Plan(
        version, dataset_id, ontology_id, format, pictures, names, seed, tuple(origins), purpose,
        boxes, shard_bytes, splits, {name: n for name, n in left_out.items() if n}, classes, parts,
    )  # fmt: skip


def unstage(conn: psycopg.Connection[Any]) -> None:
    """Drops the staged plan, and commits."""
    conn.rollback()
    _do(conn, "unstage", {})
    conn.commit()


def _check(pictures: str, names: str, shard_bytes: int) -> None:
    if pictures not in PICTURES:
        raise InvalidInput(f"pictures are {', '.join(PICTURES)}, not {pictures!r}")
    if names not in NAMES:
        raise InvalidInput(f"names are {' or '.join(NAMES)}, not {names!r}")
    if shard_bytes < 1:
        raise InvalidInput(f"a shard of {shard_bytes} bytes holds nothing")


def _settle(
    conn: psycopg.Connection[Any],
    version: datasets.DatasetVersion,
    purpose: str | None,
    leave_out: bool,
) -> None:
    """Names the media that are refused, unless they are to be left out."""
    found = _rows(conn, "refused", {})
    if not found or leave_out:
        return
    conn.rollback()
    use = f" for {purpose!r}" if purpose else ""
    raise UseRefused(
        f"{found[0][0]} media of version {version.version} may not be exported{use} "
        f"({terms.told(found)}); see: smartdb terms refused; or leave them out: "
        "--leave-out-refused"
    )


def _do(conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]) -> None:
    conn.execute(statement("exports", name), values or None)


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("exports", name), values or None).fetchall()
