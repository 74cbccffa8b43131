"""Label formats: a module each, named like the format, that reads and writes it.

A module of a format has what `Format` says, and knows nothing of the database. `importing` does
with every format the same: finds the pictures, maps the classes, and checks names that leave the
folder, boxes and shapes (NaN, zero size, outside), so that a reader reports only what it cannot
turn into a row: a broken file, a row it cannot read, an id that is there twice or leads nowhere.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from smartdb.errors import InvalidInput
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem

FORMATS = (
    "coco_panoptic", "coco", "voc", "cvat", "label_studio", "labelme", "kitti", "yolo",
    "open_images", "webdataset", "csv", "parquet", "arrow", "folders", "flat",
)  # fmt: skip
"""Names of the formats, each a module here, the ones that are sure of themselves first."""


class Format(Protocol):
    """What a module of a format has. `path` is the file or folder that a user names."""

    TITLE: str
    """Its name for people, such as "COCO"."""
    KINDS: tuple[Kind, ...]
    """Kinds of label that come back equal when what was written is read (a test does it)."""
    LOST: str
    """A sentence: what of a label does not come back; "" is nothing."""

    @staticmethod
    def is_at(path: Path) -> bool:
        """Whether path looks like this format: a glance at names and first bytes, no exception."""

    @staticmethod
    def images(path: Path) -> Path | None:
        """The folder that the pictures' names start from; None if the format does not tell."""

    @staticmethod
    def classes(path: Path) -> list[ClassInfo]:
        """The classes that it declares, used or not, in its order; [] if it declares none."""

    @staticmethod
    def read(path: Path, *, images: Path | None = None, **options: Any) -> Iterator[Item]:
        """What is in it, streamed: a picture before what is said about it.

        ``images`` is the local folder that the user named, for a format that must look at the
        pictures (their size, say). Options are keyword arguments with a default, given as text by
        ``smartdb import --option name=value``. A wrong row gives a `Problem` and reading goes on;
        InvalidInput only if it is no such format at all. `picture` of an annotation is the `name`
        of its picture. Needs an optional library? Import it inside, by `library`.
        """

    @staticmethod
    def write(
        path: Path,
        pictures: Iterable[Picture],
        annotations: Iterable[Annotation],
        classes: Sequence[ClassInfo],
    ) -> list[Problem]:
        """Writes a new file or folder, and returns a problem for each row it cannot hold.

        Pictures come first; annotations in any order of pictures. Pictures' files are not copied,
        but ``data`` is written by a format that carries bytes. Reading it gives the same rows.
        """


def load(name: str) -> Format:
    """The module of a format; InvalidInput lists the formats there are."""
    if name not in FORMATS:
        raise InvalidInput(f"no format {name!r}; there are: {', '.join(FORMATS)}")
    return cast(Format, importlib.import_module(f"smartdb.formats.{name}"))


def detect(path: Path) -> str:
    """The format that path looks like; InvalidInput if it is not there or like none."""
    if not path.exists():
        raise InvalidInput(f"there is nothing at {path}; name a file or folder with labels")
    for name in FORMATS:
        if load(name).is_at(path):
            return name
    raise InvalidInput(
        f"{path} looks like no format; say which with --format: {', '.join(FORMATS)}"
    )


def library(name: str, extra: str = "formats") -> Any:
    """An optional library; InvalidInput says how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InvalidInput(f"this needs {name}; run: pip install 'smartdb[{extra}]'") from error
