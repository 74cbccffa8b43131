"""Arrow: IPC files or streams, or a folder of them, with the rows of `parquet`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from smartdb.formats import library, manifest, parquet
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture, Problem

TITLE = "Arrow manifest"
KINDS = manifest.KINDS
LOST = ""

_MAGIC = b"ARROW1"


def is_at(path: Path) -> bool:
    """Whether it is an .arrow file, or a folder with some."""
    return bool(_files(path))


def images(path: Path) -> Path | None:  # noqa: ARG001
    """The file does not tell where its pictures are."""
    return None


def classes(path: Path) -> list[ClassInfo]:
    """The names that its metadata has, those of each column in turn."""
    files = _files(path)
    metadata = _opened(files[0])[0].metadata or {} if files else {}
    names = parquet.class_names(metadata)
    return [ClassInfo(name) for name in dict.fromkeys(n for each in names.values() for n in each)]


def read(
    path: Path,
    *,
    images: Path | None = None,  # noqa: ARG001
    path_column: str | None = None,
    class_column: str | None = None,
    bbox: str = "xywh",
) -> Iterator[Item]:
    """Its rows; ``bbox`` says whether boxes are xywh or xyxy. A broken file is told, and left."""
    for file in _files(path):
        yield from parquet.tables(file, _opened, path_column, class_column, bbox)


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],  # noqa: ARG001
) -> list[Problem]:
    """Writes one IPC file, a row for each picture with its bytes, then one for each label."""
    return parquet.write_rows(path, library("pyarrow").ipc.new_file, pictures, annotations)


def _opened(file: Path) -> tuple[Any, Iterator[Any]]:
    """Schema and batches; Hugging Face caches streams, which have no magic."""
    ipc = library("pyarrow").ipc
    with file.open("rb") as opened:
        is_file = opened.read(len(_MAGIC)) == _MAGIC
    if not is_file:
        stream = ipc.open_stream(file.open("rb"))
        return stream.schema, iter(stream)
    table = ipc.open_file(file)
    return table.schema, (table.get_batch(i) for i in range(table.num_record_batches))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() == ".arrow" else []
    return sorted([*path.glob("*.arrow"), *path.glob("data/*.arrow")]) if path.is_dir() else []
