"""Parquet: a file or a folder of them, also as Hugging Face stores data sets; see `manifest`.

There pictures are {"bytes", "path"}, classes numbers whose names are in the file's metadata, and
boxes in ``objects`` ({"bbox", "category"}, lists) as COCO has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smartdb.formats import library, manifest
from smartdb.formats.base import Annotation, ClassInfo, Item, Picture, Problem
from smartdb.formats.files import SPLITS

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
    names = (
        class_names(library("pyarrow.parquet").read_schema(files[0]).metadata or {})
        if files
        else {}
    )
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
    parquet = library("pyarrow.parquet")

    def opened(file: Path) -> tuple[Any, Iterator[Any]]:
        table = parquet.ParquetFile(file)
        return table.schema_arrow, table.iter_batches(ROWS)

    for file in _files(path):
        yield from tables(file, opened, path_column, class_column, bbox)


def tables(
    file: Path,
    opened: Callable[[Path], tuple[Any, Iterator[Any]]],
    path_column: str | None,
    class_column: str | None,
    bbox: str,
) -> Iterator[Item]:
    """The rows of one file that ``opened`` gives the schema and the batches of."""
    try:
        schema, batches = opened(file)
        columns = manifest.columns_of(schema.names, path_column, class_column, bbox, file.name)
        reader = manifest.Reader(*columns, bbox, class_names(schema.metadata or {}))
        split, number = split_of(file), 0
        for batch in batches:
            for row in batch.to_pylist():
                number += 1
                where = f"{file.name} row {number}"
                row = {"split": split} | row
                yield from _items(reader, _named(row, reader.path, file, number), where)
    except (library("pyarrow").ArrowException, OSError) as error:
        yield Problem(file.name, "broken_file", f"{error}; the rest of it is left out")


def split_of(file: Path) -> str | None:
    """The split that the name of a file begins with, as in train-00000-of-00004.parquet."""
    return SPLITS.get(re.split(r"[-_.]", file.name.lower())[0])


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],  # noqa: ARG001
) -> list[Problem]:
    """Writes one file, a row for each picture with its bytes, then one for each label."""
    return write_rows(path, library("pyarrow.parquet").ParquetWriter, pictures, annotations)


def write_rows(
    path: Path,
    opened: Callable[[Path, Any], Any],
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
) -> list[Problem]:
    """Writes the rows into what ``opened`` gives for a path and a schema."""
    arrow = library("pyarrow")
    problems: list[Problem] = []
    schema = _schema(arrow)
    with opened(path, schema) as writer:
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
    picture = str(value.get("path") if isinstance(value, Mapping) else value)
    for number, each in enumerate(_each(row.get("objects") or ())):
        yield _thing(reader, each, picture, f"{where} object {number}")
    for number, each in enumerate(_each(row.get("annotations") or ())):
        yield _other(each, picture, f"{where} annotation {number}")


def _thing(
    reader: manifest.Reader, each: Mapping[str, Any], picture: str, where: str
) -> Annotation | Problem:
    """What has a box."""
    try:
        class_ = next((name for name in manifest.CLASSES if name in each), None)
        name = reader.class_of(class_, each[class_] if class_ else None)
        if name is None:
            raise ValueError("a label without a class")
        key = str(each["id"]) if each.get("id") is not None else None
        kind, box = manifest.kind_of(each.get("kind") or "box"), reader.box_of(each.get("bbox"))
        return Annotation(picture, kind, name, where, box, key=key, **_said(each))
    except (TypeError, ValueError) as error:
        return Problem(where, "bad_row", str(error))


def _other(each: Mapping[str, Any], picture: str, where: str) -> Annotation | Problem:
    """A caption, or a class of the whole picture."""
    try:
        kind = manifest.kind_of(each["kind"])
        return Annotation(picture, kind, each["class"], where, **_said(each))
    except (KeyError, TypeError, ValueError) as error:
        return Problem(where, "bad_row", f"{error!r}")


def _said(each: Mapping[str, Any]) -> dict[str, Any]:
    """What a label says beside class and box, as `picture_table` writes it."""
    shape, attributes = each.get("shape"), each.get("attributes")
    return {
        "shape": json.loads(shape) if shape else None,
        "attributes": json.loads(attributes) if attributes else {},
        "track": each.get("track"), "confidence": each.get("confidence"),
    }  # fmt: skip


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


def class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
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
