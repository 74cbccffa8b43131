"""CSV (and TSV): a table with a header line, a row for each label or picture; see `manifest`."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from smartdb.errors import InvalidInput
from smartdb.formats import manifest
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture, Problem

TITLE = "CSV manifest"
KINDS = manifest.KINDS
LOST = "Bytes of pictures."
_ENDINGS = (".csv", ".tsv")


def is_at(path: Path) -> bool:
    """Whether it is a table with a column of paths."""
    if path.suffix.lower() not in _ENDINGS or not path.is_file():
        return False
    try:
        return any(name in manifest.PATHS for name in _header(path))
    except (OSError, UnicodeError, csv.Error):
        return False


def images(path: Path) -> Path | None:  # noqa: ARG001
    """The table does not tell where its pictures are."""
    return None


def classes(path: Path) -> list[ClassInfo]:  # noqa: ARG001
    """A table declares no classes."""
    return []


def read(
    path: Path,
    *,
    images: Path | None = None,  # noqa: ARG001
    path_column: str | None = None,
    class_column: str | None = None,
    bbox: str = "xywh",
) -> Iterator[Item]:
    """Its rows; ``bbox`` says whether a column of that name holds xywh or xyxy."""
    try:
        there = _header(path)
    except (UnicodeError, csv.Error) as error:
        raise InvalidInput(f"{path.name} is no table: {error}") from error
    columns = manifest.columns_of(there, path_column, class_column, bbox, path.name)
    reader = manifest.Reader(*columns, bbox)
    with path.open(newline="", encoding=_encoding(path), errors="surrogateescape") as file:
        table = csv.DictReader(file, delimiter=_delimiter(path), restkey="", restval=None)
        try:
            for row in table:
                where = f"line {table.line_num}"
                if "" in row or None in row.values():
                    what = f"it has other than {len(there)} values"
                    yield Problem(where, "bad_row", what)
                else:
                    yield from reader.items(row, where)
        except csv.Error as error:
            what = f"{error}; the rest is left out"
            yield Problem(f"line {table.line_num}", "broken_file", what)


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],  # noqa: ARG001
) -> list[Problem]:
    """Writes one table, a row for each picture, then one for each label."""
    problems: list[Problem] = []
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, manifest.COLUMNS, delimiter=_delimiter(path))
        table.writeheader()
        for row, picture in manifest.rows(pictures, annotations, problems):
            if picture is not None and picture.data is not None:
                what = "a CSV file holds no bytes of pictures; its path is written"
                problems.append(Problem(picture.where, "unsupported", what))
            table.writerow(row)
    return problems


def _header(path: Path) -> list[str]:
    with path.open(newline="", encoding=_encoding(path), errors="surrogateescape") as file:
        return next(csv.reader(file, delimiter=_delimiter(path)), [])


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(2)
    return "utf-16" if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
