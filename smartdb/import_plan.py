"""What is to be imported: from where, in whose name, and where its pictures should be."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from smartdb import config, formats, sources, stores, walk
from smartdb.errors import InvalidInput
from smartdb.labels import FOLDERS

FOLDER_FORMATS = ("folders", "flat")
"""Formats whose labels are the names of folders, said by that actor."""

_FIXED = ("path", "images", "options")


@dataclass(frozen=True)
class Plan:
    """What is imported, from where, in whose name.

    ``images`` is what is ingested with it, ``root`` the URI that names start from.
    """

    path: Path
    format: str
    actor: str
    ontology: str
    mapping: str
    root: str | None
    folder: Path | None
    source: str | None
    images: str | Path | None
    options: Mapping[str, str]

    @property
    def uri(self) -> str:
        """The URI of what is imported."""
        return walk.uri_of(bytes(self.path))

    @property
    def own_folder(self) -> Path:
        """Where bytes that the file carries are kept: with the images, or at home."""
        return self.folder or config.home() / "imported" / self.path.name

    def parameters(self) -> dict[str, Any]:
        """What the run notes of it."""
        return {
            "uri": self.uri, "format": self.format, "actor": self.actor, "source": self.source,
            "ontology": self.ontology, "mapping": self.mapping, "images": self.root,
            "options": dict(self.options),
        }  # fmt: skip


def planned(
    conn: psycopg.Connection[Any],
    path: Path,
    name: str | None,
    images: str | Path | None,
    source: str | None,
    ontology: str,
    mapping: str | None,
    actor: str | None,
    options: Mapping[str, str],
) -> Plan:
    """The plan of an import; see `importing.import_labels` for what may be left out, and raised."""
    path = path.resolve()
    chosen = name or formats.detect(path)
    module = formats.load(chosen)
    if not path.exists():
        raise InvalidInput(f"there is nothing at {path}; name a file or folder with labels")
    known = [each for each in inspect.signature(module.read).parameters if each not in _FIXED]
    wrong = sorted(options.keys() - set(known))
    if wrong:
        there = ", ".join(known) or "none"
        raise InvalidInput(f"{chosen} has no option {wrong[0]!r}; it has: {there}")
    given = images if images is not None or source is not None else module.images(path)
    root, folder = _root(conn, given, source)
    called = actor or (FOLDERS if chosen in FOLDER_FORMATS else f"{chosen} {path.name}")
    name_of_source = source or (folder.name if folder else None)
    return Plan(
        path, chosen, called, ontology, mapping or called, root, folder, name_of_source,
        given, options,
    )  # fmt: skip


def _root(
    conn: psycopg.Connection[Any], images: str | Path | None, source: str | None
) -> tuple[str | None, Path | None]:
    """The URI that names start from, and its folder if it is a local one."""
    if images is None:
        if source is None:
            return None, None
        _, uri = sources.find(conn, source)
        conn.commit()
        return uri, None
    root = stores.root_of(images)
    return root, Path(os.fsdecode(walk.path_of(root))) if stores.is_local(root) else None
