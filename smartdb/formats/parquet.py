"""Parquet: a file or a folder of them, also as Hugging Face stores data sets; see `manifest`.

There pictures are {"bytes", "path"}, classes numbers whose names are in the file's metadata, and
boxes in ``objects`` ({"bbox", "category"}, lists) as COCO has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smartdb.formats import library, manifest
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture, Problem

TITLE = "Parquet manifest"
KINDS = manifest.KINDS
LOST = ""
ROWS = 500
"""Rows that are in memory at once."""

_MAGIC = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"GIF8", ".gif"), (b"RIFF", ".webp"))


def is_at(path: Path) -> bool:
    """Whether it is a Parquet file, or a folder with some in it or in its ``data``."""
    return bool(_files(path))


def images(path: Path) -> Path | None:  # noqa: ARG001
    """The file does not tell where its pictures are."""
    return None


def classes(path: Path) -> list[ClassInfo]:
    """The names that its metadata has, those of each column in turn."""
    files = _files(path)
    names = _names(library("pyarrow.parquet").read_schema(files[0]).metadata or {}) if files else {}
    found = dict.fromkeys(name for each in names.values() for name in each)
    return [ClassInfo(name) for name in found]


def read(
    path: Path,
    *,
    images: Path | None = None,  # noqa: ARG001
    path_column: str | None = None,
    class_column: str | None = None,
    bbox: str = "xywh",
) -> Iterator[Item]:
    """Its rows; ``bbox`` says whether boxes are xywh or xyxy. A broken file is told, and left."""
    arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    for file in _files(path):
        try:
            table = parquet.ParquetFile(file)
            there = table.schema_arrow.names
            columns = manifest.columns_of(there, path_column, class_column, bbox, file.name)
            names = _names(table.schema_arrow.metadata or {})
            reader = manifest.Reader(*columns, bbox, names)
            number = 0
            for batch in table.iter_batches(ROWS):
                for row in batch.to_pylist():
                    number += 1
                    where = f"{file.name} row {number}"
                    yield from _items(reader, _named(row, reader.path, file, number), where)
        except (arrow.ArrowException, OSError) as error:
            yield Problem(file.name, "broken_file", f"{error}; the rest of it is left out")


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],  # noqa: ARG001
) -> list[Problem]:
    """Writes one file, a row for each picture with its bytes, then one for each label."""
    arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    problems: list[Problem] = []
    schema = _schema(arrow)
    with parquet.ParquetWriter(path, schema) as writer:
        chunk: list[dict[str, Any]] = []
        for row, picture in manifest.rows(pictures, annotations, problems):
            data = picture.data if picture else None
            chunk.append({**row, "path": {"bytes": data, "path": row["path"]}})
            if len(chunk) == ROWS:
                writer.write_table(arrow.Table.from_pylist(chunk, schema))
                chunk = []
        writer.write_table(arrow.Table.from_pylist(chunk, schema))
    return problems


def _schema(arrow: Any) -> Any:
    types = dict.fromkeys(manifest.COLUMNS, arrow.string())
    types |= dict.fromkeys(("frame_index", "width", "height"), arrow.int64())
    types |= dict.fromkeys(("x", "y", "w", "h", "confidence"), arrow.float64())
    types["path"] = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    return arrow.schema(list(types.items()))


def _items(reader: manifest.Reader, row: dict[str, Any], where: str) -> Iterator[Item]:
    yield from reader.items(row, where)
    value = row.get(reader.path)
    picture = value.get("path") if isinstance(value, Mapping) else value
    for number, each in enumerate(_each(row.get("objects") or ())):
        own = f"{where} object {number}"
        try:
            class_ = next((name for name in manifest.CLASSES if name in each), None)
            name = reader.class_of(class_, each[class_] if class_ else None)
            if name is None:
                raise ValueError("a label without a class")
            key = str(each["id"]) if each.get("id") is not None else None
            yield Annotation(
                str(picture), "box", name, own, reader.box_of(each.get("bbox")), key=key
            )
        except (TypeError, ValueError) as error:
            yield Problem(own, "bad_row", str(error))


def _each(objects: Any) -> Iterator[dict[str, Any]]:
    """The objects of a row, stored as a list of structs or a struct of lists."""
    if not isinstance(objects, Mapping):
        yield from objects
        return
    columns = {name: values for name, values in objects.items() if isinstance(values, list)}
    for values in zip(*columns.values(), strict=False):
        yield dict(zip(columns, values, strict=True))


def _named(row: dict[str, Any], column: str, file: Path, number: int) -> dict[str, Any]:
    """The row with a name for its picture, where there are only bytes."""
    value = row.get(column)
    data = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(data, bytes) or (isinstance(value, Mapping) and value.get("path")):
        return row
    ending = next((ending for magic, ending in _MAGIC if data.startswith(magic)), "")
    name = f"{file.stem}/{number:07d}{ending}"
    return {**row, column: {"bytes": data, "path": name}}


def _names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Names of classes by column, as Hugging Face's metadata has them, however deep."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    found: dict[str, list[str]] = {}
    _collect("", features, found)
    return found


def _collect(name: str, feature: Any, found: dict[str, list[str]]) -> None:
    if isinstance(feature, Mapping):
        if feature.get("_type") == "ClassLabel" and isinstance(feature.get("names"), list):
            found[name] = [str(each) for each in feature["names"]]
            return
        for key, value in feature.items():
            _collect(name if key == "feature" else key, value, found)
    elif isinstance(feature, list):
        for value in feature:
            _collect(name, value, found)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() == ".parquet" else []
    return sorted([*path.glob("*.parquet"), *path.glob("data/*.parquet")]) if path.is_dir() else []
