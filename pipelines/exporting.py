"""Exports: a dataset version as files, when somebody asks for it. Not a part of a turn."""

from typing import Any

import dagster as dg

from smartdb import exports

from .metadata import result
from .resources import Database, Loop


class Export(dg.Config):
    """To where, and how; the dataset is that of the loop unless another is named."""

    destination: str
    format: str = "webdataset"
    dataset: str = ""
    version: str = ""
    pictures: str = "copy"
    names: str = "sha256"
    boxes: bool = False
    purpose: str = ""


# It depends on no asset: what makes a new version by itself must not ask for an export.
@dg.asset(group_name="s2_managing", kinds={"file"})
def export(
    context: dg.AssetExecutionContext, database: Database, loop: Loop, config: Export
) -> dg.MaterializeResult[Any]:
    """A dataset version (the newest) as files of a format, with a manifest of their digests."""
    with database.writer(context.run.run_id) as conn:
        done = exports.export(
            conn,
            config.dataset or loop.called(),
            config.destination,
            format=config.format,
            version=config.version or None,
            pictures=config.pictures,
            names=config.names,
            boxes=config.boxes,
            purpose=config.purpose or None,
        )
        return result({
            "uri": done.uri, "format": done.format, "dataset": done.dataset,
            "version": done.version, "items": done.n_items, "files": done.n_files,
            "bytes": done.n_bytes, "manifest": done.manifest_sha256, "lost": dict(done.problems),
        })  # fmt: skip
