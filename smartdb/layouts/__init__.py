"""Layouts of exports: a module each, named like the format, that says which files hold what.

The labels' side is that of `smartdb.formats`; a layout adds where pictures lie, what a shard is,
and the documents around them. What a layout writes, ``smartdb import`` reads.
"""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from smartdb.errors import InvalidInput
from smartdb.export_plan import Part, Plan
from smartdb.export_work import Done, Work

MODULES = {
    "coco": "loose:COCO", "yolo": "loose:YOLO", "voc": "loose:VOC", "cvat": "loose:CVAT",
    "label_studio": "loose:LABEL_STUDIO", "folders": "class_folders:FOLDERS",
    "webdataset": "shards:WEBDATASET", "parquet": "tables:PARQUET", "arrow": "tables:ARROW",
    "huggingface": "tables:HUGGINGFACE", "croissant": "tables:CROISSANT",
}  # fmt: skip
"""Format → module:layout."""

FORMATS = tuple(MODULES)

SEEDS = {"webdataset": 0}
"""Formats whose media are shuffled by a seed unless another is given."""


class Layout(Protocol):
    """How a format lays out its files."""

    @property
    def IS_SHARDED(self) -> bool:  # noqa: N802
        """Whether a part is a file of many media, else it is many files."""

    def check(self, plan: Plan) -> None:
        """InvalidInput for what this format cannot do."""

    def write(self, work: Work, part: Part) -> Done:
        """Writes the files of a part, which may be there in part already."""

    def finish(self, work: Work) -> Done:
        """Writes the documents, when all parts are there."""


def load(name: str) -> Layout:
    """The layout of a format; InvalidInput lists the formats there are."""
    if name not in MODULES:
        raise InvalidInput(f"cannot export as {name!r}; there are: {', '.join(FORMATS)}")
    module, layout = MODULES[name].split(":")
    return cast(Layout, getattr(importlib.import_module(f"smartdb.layouts.{module}"), layout))
