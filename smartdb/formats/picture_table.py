"""Tables with a row for each picture, as Hugging Face's `datasets` reads them, in Parquet or Arrow.

``image`` is {"bytes", "path"}, ``label`` the class of the whole picture (if one is all that is
said), ``objects`` what has a box: that as [x, y, w, h], the class, and as JSON the shape and the
attributes. ``annotations`` is the rest: captions, further classes, and what they carry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smartdb.formats import library
from smartdb.formats.base import Annotation, Picture

__all__ = ["Picture", "features", "row", "schema", "table", "writer"]


def schema(names: Sequence[str]) -> Any:
    """The columns, whose metadata tell `datasets` what they mean."""
    arrow = library("pyarrow")
    text, number = arrow.string(), arrow.float64()
    said = [("shape", text), ("attributes", text), ("track", text), ("confidence", number)]
    thing = [("bbox", arrow.list_(number)), ("category", arrow.int64()), ("kind", text), *said]
    other = [("kind", text), ("class", text), *said]
    columns = [
        ("image", arrow.struct([("bytes", arrow.binary()), ("path", text)])),
        ("width", arrow.int32()),
        ("height", arrow.int32()),
        ("label", arrow.int64()),
        ("objects", arrow.list_(arrow.struct(thing))),
        ("annotations", arrow.list_(arrow.struct(other))),
    ]
    told = json.dumps({"info": {"features": features(names)}})
    return arrow.schema(columns, metadata={"huggingface": told})


def features(names: Sequence[str]) -> dict[str, Any]:
    """The columns as `datasets` describes them."""
    text, number = ({"dtype": kind, "_type": "Value"} for kind in ("string", "float64"))
    size, label = {"dtype": "int32", "_type": "Value"}, _class_label(names)
    said = dict.fromkeys(("shape", "attributes", "track"), text) | {"confidence": number}
    thing = {"bbox": [number], "category": label, "kind": text, **said}
    return {
        "image": {"_type": "Image"}, "width": size, "height": size, "label": label,
        "objects": [thing], "annotations": [{"kind": text, "class": text, **said}],
    }  # fmt: skip


def row(picture: Picture, labels: Sequence[Annotation], names: Sequence[str]) -> dict[str, Any]:
    """A picture with what is said of it."""
    classes = [each for each in labels if each.kind == "classification"]
    label = classes[0] if len(classes) == 1 and _is_plain(classes[0], names) else None
    width, height = picture.size or (None, None)
    return {
        "image": {"bytes": picture.data, "path": picture.name}, "width": width, "height": height,
        "label": names.index(label.class_name) if label else None,
        "objects": [
            {"bbox": each.box, "category": names.index(each.class_name), **_said(each)}
            for each in labels if each.box
        ],
        "annotations": [
            {"class": each.class_name, **_said(each)}
            for each in labels if not each.box and each is not label
        ],
    }  # fmt: skip


def table(rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
    """Rows as an Arrow table."""
    return library("pyarrow").Table.from_pylist(rows, schema)


def writer(path: Path, schema: Any) -> Any:
    """What writes tables into a file, .parquet or .arrow, with the same bytes each time.

    Nothing is compressed: pictures are already, and beside them the rest is little.
    """
    if path.suffix == ".arrow":
        return library("pyarrow").ipc.new_file(path, schema)
    return library("pyarrow.parquet").ParquetWriter(
        path, schema, compression="none", use_dictionary=False, version="2.6",
        data_page_version="1.0", write_statistics=False,
    )  # fmt: skip


def _class_label(names: Sequence[str]) -> dict[str, Any]:
    return {"names": list(names), "_type": "ClassLabel"}


def _is_plain(label: Annotation, names: Sequence[str]) -> bool:
    has_more = label.attributes or label.track is not None or label.confidence is not None
    return not has_more and label.class_name in names


def _said(label: Annotation) -> dict[str, Any]:
    return {
        "kind": label.kind,
        "shape": json.dumps(label.shape, ensure_ascii=False) if label.shape else None,
        "attributes": json.dumps(dict(label.attributes), ensure_ascii=False)
        if label.attributes else None,
        "track": label.track, "confidence": label.confidence,
    }  # fmt: skip
