"""Formats: what is written is read again the same, and the table of formats in docs says so."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartdb import formats
from smartdb.errors import InvalidInput
from smartdb.formats import coco, json_stream, masks
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.geometry import compressed

PAGE = Path(__file__).parents[2] / "docs" / "how-to-import.md"
RING = [[1.25, 2], [11, 2], [11, 7.5]]
MASK = {"size": [30, 40], "counts": [45, 5, 1150]}
SAID: dict[Kind, tuple[Any, dict[str, Any] | None]] = {
    "classification": (None, None),
    "box": ((1.1, 2.0, 10.0, 5.0), None),
    "polygon": ((1.25, 2.0, 9.75, 5.5), {"polygons": [[RING]]}),
    "mask": ((1.0, 15.0, 1.0, 5.0), compressed(MASK, (40, 30))),
    "keypoints": ((1.0, 2.0, 3.0, 4.0), {"points": [[1, 2, 2], [4, 6, 1], [0, 0, 0]]}),
    "polyline": ((1.0, 2.0, 3.0, 0.0), {"points": [[1, 2], [4, 2]]}),
    "rotated_box": ((1.0, 1.0, 4.0, 4.0), {"corners": [[1, 3], [3, 1], [5, 3], [3, 5]]}),
    "caption": (None, {"text": "Zwei Katzen, \u201cschlafend\u201d\n\U0001f63a"}),
}


def sample(kind: Kind, attributes: dict[str, Any]) -> Annotation:
    box, shape = SAID[kind]
    name = "caption" if kind == "caption" else "cat, b\u00e4r"
    given = {} if kind in ("classification", "caption") else attributes
    return Annotation("a/1 b.png", kind, name, "here", box, shape, given)


def picture(data: bytes | None) -> Picture:
    return Picture("a/1 b.png", "here", (40, 30), data=data)


def labels(items: Iterable[Item]) -> list[Annotation]:
    """Annotations without what is of the file and not of the label."""
    found = []
    for item in items:
        assert not isinstance(item, Problem)
        if isinstance(item, Annotation):
            found.append(dataclasses.replace(item, where="", key=None))
    return found


@pytest.mark.parametrize("name", ["coco", "csv", "parquet", "arrow"])
def test_what_is_written_is_read_again_the_same(name: str, tmp_path: Path) -> None:
    module = formats.load(name)
    path = tmp_path / f"labels.{'json' if name == 'coco' else name}"
    said = [sample(kind, {"is_crowd": True, "n": 3}) for kind in module.KINDS]
    said.append(dataclasses.replace(sample("box", {}), confidence=0.5, track="7"))
    assert module.write(path, [picture(None)], said, [ClassInfo("cat, b\u00e4r", "pet")]) == []
    back = list(module.read(path))
    assert labels(back) == [dataclasses.replace(each, where="") for each in said]
    assert [(p.name, p.size) for p in back if isinstance(p, Picture)] == [("a/1 b.png", (40, 30))]
    assert formats.detect(path) == name


@pytest.mark.parametrize("name", ["coco", "folders", "flat"])
def test_what_a_format_cannot_hold_is_told_when_it_is_written(name: str, tmp_path: Path) -> None:
    module = formats.load(name)
    said = [sample(kind, {}) for kind in SAID if kind not in module.KINDS]
    problems = module.write(tmp_path / "out", [picture(b"x")], said, [])
    assert [problem.reason for problem in problems] == ["unsupported"] * len(said)


def test_bytes_come_back_from_parquet_and_from_folders(tmp_path: Path) -> None:
    said = [sample("classification", {})]
    formats.load("parquet").write(tmp_path / "a.parquet", [picture(b"x")], said, [])
    back = list(formats.load("parquet").read(tmp_path / "a.parquet"))
    assert [item.data for item in back if isinstance(item, Picture)] == [b"x"]
    formats.load("folders").write(tmp_path / "a", [picture(b"x")], said, [])
    assert [item.class_name for item in labels(formats.load("folders").read(tmp_path / "a"))] == [
        "cat, b\u00e4r"
    ]


def test_hugging_face_tables_are_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    features = {
        "image": {"_type": "Image"},
        "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
        "objects": {"feature": {"category": {"names": ["ear"], "_type": "ClassLabel"}}},
    }
    rows = [
        {"image": {"bytes": b"\x89PNG1", "path": None}, "label": 1,
         "objects": {"bbox": [], "category": []}},
        {"image": {"bytes": b"\xff\xd8", "path": "b.jpg"}, "label": -1,
         "objects": {"bbox": [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0]], "category": [0, 0]}},
    ]  # fmt: skip
    (tmp_path / "data").mkdir()
    table = pa.Table.from_pylist(rows).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    pq.write_table(table, tmp_path / "data" / "train-0.parquet")
    module = formats.load(formats.detect(tmp_path))
    items = list(module.read(tmp_path))
    names = [item.name for item in items if isinstance(item, Picture)]
    assert names == ["train-0/0000001.png", "b.jpg"]
    said = [(a.picture, a.class_name, a.box) for a in items if isinstance(a, Annotation)]
    assert said == [(names[0], "dog", None), ("b.jpg", "ear", (1.0, 2.0, 3.0, 4.0))]
    assert [p.where for p in items if isinstance(p, Problem)] == ["train-0.parquet row 2 object 1"]
    assert [each.name for each in module.classes(tmp_path)] == ["cat", "dog", "ear"]


def test_wrong_rows_of_a_table_are_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(
        b"\xef\xbb\xbffile_name,label,xmin,ymin,xmax,ymax\n"
        b"1.png,cat,1,2,4,4\n,cat,1,2,3,4\n1.png,,1,2,3,4\n1.png,cat,1,,3,4\n1.png,cat\n"
        b"\xe9.png,cat,,,,\n1.png,cat,x,1,2,3\n"
    )
    items = list(formats.load("csv").read(path))
    where = [item.where for item in items if isinstance(item, Problem)]
    assert where == ["line 3", "line 4", "line 5", "line 6", "line 8"]
    said = [(a.picture, a.kind, a.box) for a in items if isinstance(a, Annotation)]
    assert said == [("1.png", "box", (1, 2, 3, 2)), ("\udce9.png", "classification", None)]
    with pytest.raises(InvalidInput, match="has no column 'x'"):
        list(formats.load("csv").read(path, class_column="x"))


@pytest.mark.parametrize("window", [1, 2, 3, 7, 1 << 20])
def test_json_is_read_in_pieces_and_told_where_it_breaks(
    window: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "WINDOW", window)
    whole = {"a": [1, -12.5e-3, {"x": "y\u00e9\n\U0001f600"}], "b": {"c": []}, "e": [], "d": True}
    path = tmp_path / "a.json"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_bytes(json.dumps(whole, ensure_ascii=False, indent=1).encode(encoding))
        assert [value for *_, value in json_stream.members(path)] == [
            1, -12.5e-3, {"x": "y\u00e9\n\U0001f600"}, {"c": []}, True,
        ]  # fmt: skip
    path.write_text('{"a":[1,2,{"x":tru}]}')
    with pytest.raises(json_stream.BrokenJson, match="broken at byte 15"):
        list(json_stream.members(path))


@pytest.mark.shared
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
def test_coco_is_read_as_pycocotools_reads_it(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pycocotools.coco import COCO

    path = shared_data / "coco" / "annotations" / "instances.json"
    oracle = COCO(str(path))
    items = labels(item for item in coco.read(path))
    rows = oracle.dataset["annotations"]
    assert len(items) == len(rows) == 246
    assert Counter(item.kind for item in items) == {"polygon": 243, "mask": 3}
    assert sum(bool(item.attributes.get("is_crowd")) for item in items) == 3
    coco.write(tmp_path / "a.json", _pictures(path), items, coco.classes(path))
    again = COCO(str(tmp_path / "a.json"))
    assert labels(coco.read(tmp_path / "a.json")) == items
    for item, row, written in zip(items, rows, again.dataset["annotations"], strict=True):
        assert list(item.box or ()) == row["bbox"] == written["bbox"]
        assert abs(written["area"] - row["area"]) <= 0.01 + row["area"] / 1000
        pixels = oracle.annToMask(row)
        assert np.array_equal(again.annToMask(written), pixels)
        if item.kind == "mask":
            assert item.shape is not None
            assert np.array_equal(masks.to_pixels(item.shape), pixels)


def _pictures(path: Path) -> list[Picture]:
    return [item for item in coco.read(path) if isinstance(item, Picture)]


@pytest.mark.shared
def test_panoptic_segments_are_masks_and_come_back(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "formats" / "datumaro" / "coco_dataset" / "coco_panoptic"
    path = folder / "annotations" / "panoptic_val.json"
    module = formats.load(formats.detect(path))
    items = list(module.read(path))
    said = labels(items)
    assert [(each.class_name, each.attributes) for each in said] == [
        ("a", {}), ("b", {"is_crowd": True}),
    ]  # fmt: skip
    pictures = [item for item in items if isinstance(item, Picture)]
    assert module.write(tmp_path / "a.json", pictures, said, module.classes(path)) == []
    assert labels(module.read(tmp_path / "a.json")) == said
    (tmp_path / "a" / "000000000001.png").write_bytes(b"no PNG")
    (problem,) = [i for i in module.read(tmp_path / "a.json") if isinstance(i, Problem)]
    assert problem.reason == "broken_file"


def test_the_table_of_formats_in_docs_is_what_the_modules_say() -> None:
    lines = PAGE.read_text().partition("## Formats")[2].splitlines()
    assert [line for line in lines if line.startswith("| `")] == table()


def table() -> list[str]:
    """The rows of the table: ``python tests/sourcing/test_formats.py`` prints them."""
    modules = ((name, formats.load(name)) for name in formats.FORMATS)
    return [
        f"| `{name}` | {m.TITLE} | {', '.join(m.KINDS) or 'none'} | {m.LOST or 'nothing'} |"
        for name, m in modules
    ]


if __name__ == "__main__":
    print(*table(), sep="\n")
