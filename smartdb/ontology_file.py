"""Ontology files: JSON and YAML, the categories of a COCO file, a Label Studio configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from smartdb.errors import InvalidInput, NotFound
from smartdb.ontology_form import KINDS, Definition, Form, parse, plain


def read(path: Path) -> Definition:
    """Reads an ontology of JSON or YAML, or the classes of a COCO file or Label Studio config."""
    if not path.is_file():
        raise NotFound(f"no file {path}")
    if path.suffix.lower() == ".xml":
        return _of_label_studio(path)
    document = _loaded(path)
    if isinstance(document, dict) and "categories" in document:
        return _of_coco(document["categories"])
    return parse(document)


def text(definition: Definition, *, as_yaml: bool = False) -> str:
    """The document as text."""
    if not as_yaml:
        return json.dumps(plain(definition), indent=2, ensure_ascii=False) + "\n"
    return str(_yaml().safe_dump(plain(definition), sort_keys=False, allow_unicode=True))


def save(definition: Definition, path: Path) -> None:
    """Writes the document; a name that ends in .yaml or .yml makes it YAML."""
    path.write_text(text(definition, as_yaml=_is_yaml(path)), "utf-8")


def _of_coco(categories: Iterable[Any]) -> Definition:
    forms: dict[str, Form] = {}
    for given in categories:
        if not isinstance(given, dict):
            raise InvalidInput(f"a category of a COCO file is an object, not {given!r}")
        name = str(given.get("name", ""))
        above = given.get("supercategory") or None
        if above == name or above == "none":
            above = None
        if above is not None:
            forms.setdefault(above, Form(above))
        forms[name] = replace(
            forms.get(name, Form(name)), parent=above, skeleton=_coco_skeleton(given)
        )
    return parse(plain(Definition(tuple(forms.values()))))


def _coco_skeleton(category: Mapping[str, Any]) -> Mapping[str, Any] | None:
    points = category.get("keypoints")
    if not points:
        return None
    edges = [[points[one - 1] for one in edge] for edge in category.get("skeleton") or []]
    return {"points": list(points), "edges": edges}


def _of_label_studio(path: Path) -> Definition:
    from smartdb.formats import label_studio_config

    config = label_studio_config.read(path)
    kinds = {
        "Choices": "classification", "RectangleLabels": "box", "PolygonLabels": "polygon",
        "BrushLabels": "mask", "KeyPointLabels": "keypoints",
    }  # fmt: skip
    found = tuple(dict.fromkeys(kinds[tag] for tag in config.controls.values() if tag in kinds))
    forms = tuple(Form(name, kinds=found or KINDS) for name in config.labels)
    return parse(plain(Definition(forms)))


def _loaded(path: Path) -> Any:
    content = path.read_text("utf-8")
    if not _is_yaml(path):
        try:
            return json.loads(content)
        except json.JSONDecodeError as error:
            raise InvalidInput(f"{path} is not JSON: {error}") from error
    yaml = _yaml()
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path} is not YAML: {error}") from error


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise InvalidInput("YAML needs pyyaml; run: pip install 'smartdb[formats]'") from error
    return yaml


def _is_yaml(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml")
