"""Ontology files: what is wrong is named, and those of others are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smartdb import ontology_file
from smartdb.errors import InvalidInput, NotFound
from smartdb.ontology_form import parse, plain


def dog(**attribute: Any) -> dict[str, Any]:
    """An ontology of a dog with an attribute."""
    breed = {"attribute": "breed", "choices": ["pug"]}
    return {"classes": [{"class": "dog", "attributes": [breed, {"attribute": "x"} | attribute]}]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "an ontology is an object with ontology"),
        ({"classes": []}, "needs at least one class"),
        ({"classes": [{"class": "a"}], "clases": 1}, "an ontology has no clases"),
        ({"classes": [{"class": 7}]}, "a class needs a name, not 7"),
        ({"classes": [{"class": "a"}, {"class": "a"}]}, "classes named twice: 'a'"),
        ({"classes": [{"class": "a", "parent": "b"}]}, "'a' lies under 'b', which is no class"),
        ({"classes": [{"class": "a", "kinds": ["cube"]}]}, "class 'a': kinds are some of"),
        ({"classes": [{"class": "a", "open": "yes"}]}, "open is true or false"),
        (dog(type="colour"), "attribute 'x': type is one of text, number"),
        (dog(type="choice"), "attribute 'x': type choice needs choices"),
        (dog(type="text", choices=["a"]), "type text has no choices"),
        (dog(choices=[True]), "choices are text; put numbers, yes and no in quotes"),
        (dog(choices=["a", "a"]), "choices of class 'dog', attribute 'x' named twice"),
        (dog(min=1), "only numbers have min and max"),
        (dog(type="number", min=2, max=1), "min 2 is above max 1"),
        (dog(type="number", min=True), "min and max are numbers"),
        (dog(required="no"), "required is true or false"),
        (dog(when={"y": "a"}), "when names 'y', which is no other attribute"),
        (dog(when={"breed": "cat"}), "'breed' is never 'cat'; choices: pug"),
        (dog(when=[]), "a condition maps attributes to values"),
        (dog(attribute="breed"), "attributes of class 'dog' named twice: 'breed'"),
        ({"classes": [{"class": "a", "skeleton": {"points": []}}]}, "a skeleton needs points"),
        (
            {"classes": [{"class": "a", "skeleton": {"points": ["p"], "edges": [["p", "q"]]}}]},
            "an edge joins two of its points",
        ),
        ({"classes": [{"class": "a"}], "mapping": [{"to": "a"}]}, "rule of the mapping"),
        ({"classes": [{"class": "a"}], "mapping": [{"from": "b", "kind": "cube"}]}, "kind is one"),
        ({"classes": [{"class": "a"}], "mapping": [{"from": "b", "set": 1}]}, "set maps names"),
        (
            {"classes": [{"class": "a"}], "mapping": [{"from": "b", "values": {"x": 1}}]},
            "values of 'x' map old to new",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_named(document: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(document)
    assert message in str(refused.value)


def test_files_come_back_as_they_were_written(tmp_path: Path) -> None:
    said = parse(
        dog(type="number", min=0, when={"breed": "pug"}, note="in years")
        | {"note": "look twice", "mapping": [{"from": "a", "to": None, "where": {"b": [1, True]}}]}
    )
    for name in ("a.json", "a.yaml"):
        ontology_file.save(said, tmp_path / name)
        assert ontology_file.read(tmp_path / name) == said
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "b.yaml").write_text("a: [")
    with pytest.raises(InvalidInput, match=r"b.json is not JSON"):
        ontology_file.read(tmp_path / "b.json")
    with pytest.raises(InvalidInput, match=r"b.yaml is not YAML"):
        ontology_file.read(tmp_path / "b.yaml")
    with pytest.raises(NotFound, match=r"no file .*none.json"):
        ontology_file.read(tmp_path / "none.json")


def test_categories_of_coco_and_labels_of_label_studio_are_read(tmp_path: Path) -> None:
    person = {
        "id": 1, "name": "person", "supercategory": "being", "keypoints": ["nose", "eye"],
        "skeleton": [[1, 2]],
    }  # fmt: skip
    coco = {"images": [], "categories": [person, {"id": 2, "name": "car", "supercategory": "none"}]}
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    assert plain(ontology_file.read(tmp_path / "coco.json"))["classes"] == [
        {"class": "being"},
        {
            "class": "person",
            "parent": "being",
            "skeleton": {"points": ["nose", "eye"], "edges": [["nose", "eye"]]},
        },
        {"class": "car"},
    ]
    (tmp_path / "config.xml").write_text(
        '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">'
        '<Label value="cat"/><Label value="dog"/></RectangleLabels></View>'
    )
    assert plain(ontology_file.read(tmp_path / "config.xml"))["classes"] == [
        {"class": "cat", "kinds": ["box"]},
        {"class": "dog", "kinds": ["box"]},
    ]
