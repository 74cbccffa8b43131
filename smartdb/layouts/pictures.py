"""Pictures of an export as files of their own: copied, linked to, or only named."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from smartdb import stores, walk
from smartdb.errors import InvalidInput
from smartdb.export_rows import Sample
from smartdb.export_work import Done, File, Work, ahead, bytes_of, place_of

Called = tuple[Sample, str]
"""A media and the path of its file in the export."""


def write(work: Work, called: Iterable[Called]) -> Done:
    """Writes the files of media that are not there yet."""
    if work.plan.pictures == "none":
        return Done(media_ids=[sample.content.media_id for sample, _ in called])
    make = _copied if work.plan.pictures == "copy" else _linked
    done = Done()
    for media_id, file in ahead(called, lambda each: (each[0].content.media_id, make(work, *each))):
        done.files.append(file)
        done.media_ids.append(media_id)
        done.paths.append(file.path)
    return done


def _copied(work: Work, sample: Sample, path: str) -> File:
    if sample.content.kind == "frame":
        return work.put(path, bytes_of(sample.content))
    file = File(path, sample.n_bytes, sample.content.sha256.hex())
    if stores.size(work.at(path)) != sample.n_bytes:  # files are never half there
        stores.put(work.at(path), bytes_of(sample.content))
    return file


def _linked(work: Work, sample: Sample, path: str) -> File:
    at, place = work.at(path), place_of(sample.content)
    if not (stores.is_local(at) and stores.is_local(place)):
        raise InvalidInput(
            f"{work.root if stores.is_local(place) else place} is in a store, where there are no "
            "links; copy the pictures, or export without"
        )
    link = Path(os.fsdecode(walk.path_of(at)))
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(os.fsdecode(walk.path_of(place)))
    return File(path, sample.n_bytes, sample.content.sha256.hex())
