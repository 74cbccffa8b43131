"""Croissant (MLCommons, version 1.0): metadata of a dataset as JSON-LD, over its Parquet files."""

from __future__ import annotations

import json
from typing import Any

from smartdb.export_work import Work
from smartdb.layouts.licences import licences

FILES = "parquet-files"
_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs",
    "column": "cr:column", "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex",
    "repeated": "cr:repeated", "replace": "cr:replace", "sc": "https://schema.org/",
    "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform",
}  # fmt: skip


def text(work: Work, folder: str) -> bytes:
    """The description, as croissant.json."""
    version, licence = work.plan.version, [each for each in licences(work.conn) if each]
    said: dict[str, Any] = {
        "@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": version.dataset, "version": f"{version.version}.0.0",
        "description": version.message or f"Version {version.version} of {version.dataset}.",
        "datePublished": version.sealed_at.date().isoformat(),
        "license": [f"https://spdx.org/licenses/{each}" for each in licence] or "not stated",
        "distribution": _distribution(folder),
        "recordSet": [_classes(work), _pictures()],
    }  # fmt: skip
    return json.dumps(said, indent=1).encode() + b"\n"


def _distribution(folder: str) -> list[dict[str, Any]]:
    return [{
        "@type": "cr:FileSet", "@id": FILES, "name": FILES,
        "description": "A row for each picture.",
        "encodingFormat": "application/x-parquet", "includes": f"{folder}*.parquet",
    }]  # fmt: skip


def _classes(work: Work) -> dict[str, Any]:
    fields = [("id", "sc:Integer"), ("name", "sc:Text")]
    return {
        "@type": "cr:RecordSet", "@id": "classes", "name": "classes", "dataType": "sc:Enumeration",
        "key": {"@id": "classes/id"},
        "field": [
            {"@type": "cr:Field", "@id": f"classes/{name}", "name": name, "dataType": kind}
            for name, kind in fields
        ],
        "data": [
            {"classes/id": number, "classes/name": info.name}
            for number, info in enumerate(work.plan.classes)
        ],
    }  # fmt: skip


def _pictures() -> dict[str, Any]:
    image = _field("image", "sc:ImageObject", "The picture.")
    image["source"]["transform"] = {"jsonPath": "bytes"}
    label = _field("label", "sc:Integer", "The class of the whole picture, if there is one.")
    label["references"] = {"field": {"@id": "classes/id"}}
    split = _field("split", "sc:Text", "train, validation or test.")
    split["source"] = {
        "fileSet": {"@id": FILES}, "extract": {"fileProperty": "filename"},
        "transform": {"regex": "^(train|validation|test)-"},
    }  # fmt: skip
    sizes = [
        _field(name, "sc:Integer", f"{name.capitalize()} in pixels.")
        for name in ("width", "height")
    ]
    return {
        "@type": "cr:RecordSet", "@id": "pictures", "name": "pictures",
        "description": "The pictures. What has a box is in the nested column objects of the files, "
        "which is not described here.",
        "field": [image, split, label, *sizes],
    }  # fmt: skip


def _field(name: str, kind: str, description: str) -> dict[str, Any]:
    source = {"fileSet": {"@id": FILES}, "extract": {"column": name}}
    return {
        "@type": "cr:Field", "@id": f"pictures/{name}", "name": name, "description": description,
        "dataType": kind, "source": source,
    }  # fmt: skip
