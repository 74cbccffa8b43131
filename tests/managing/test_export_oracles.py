"""Exports as those read them for whom they are made: datasets, webdataset, mlcroissant, torch."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import exports, loading
from smartdb.database import connect
from smartdb.errors import InvalidInput

from .pets import SPLITS, created

Conn = psycopg.Connection[Any]
WORDS = {"train": "train", "val": "validation", "test": "test"}


@pytest.fixture(scope="module")
def pets(server_home: Path, template: str, tmp_path_factory: Any) -> Iterator[Conn]:
    """A writer's connection to a database with the dataset pets."""
    url = created(server_home, "smartdb_oracles", template, tmp_path_factory.mktemp("pets"))
    with connect(url, role="smartdb_writer") as conn:
        yield conn


def test_hugging_face_datasets_loads_the_splits_with_pictures_classes_and_objects(
    pets: Conn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    exports.export(pets, "pets", tmp_path / "out", format="huggingface", shard_bytes=5000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets = pytest.importorskip("datasets")
        datasets.disable_progress_bars()
        found = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
        assert {name: len(rows) for name, rows in found.items()} == Counter(
            WORDS[s] for s in SPLITS
        )
        label = found["train"].features["label"]
        assert label.names == ["cat", "dog, b\u00e4r", "caption", "unused"]
        row = found["test"][0]
        assert row["image"].size == (row["width"], row["height"]) == (40, 30)
        assert label.int2str(row["label"]) == "cat"
        assert [o["bbox"] for o in row["objects"]] == [[1.1, 2, 10, 5], [0.5, 1 / 3, 7.25, 9]]
        assert json.loads(row["objects"][1]["attributes"]) == {"n": 3, "note": "\u00e4"}


def test_webdataset_reads_the_shards(pets: Conn, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        webdataset = pytest.importorskip("webdataset")
        exports.export(pets, "pets", tmp_path / "out", format="webdataset", shard_bytes=5000)
        shards = sorted(map(str, (tmp_path / "out").glob("train-*.tar")))
        read = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
        samples = list(read.to_tuple("png", "cls", "json"))
    assert [(png.size, cls) for png, cls, _ in samples] == [((40, 30), 0)] * 4
    assert all(said["smartdb"]["split"] == "train" for *_, said in samples)


def test_mlcroissant_finds_nothing_wrong_and_reads_the_records(pets: Conn, tmp_path: Path) -> None:
    exports.export(pets, "pets", tmp_path / "out", format="croissant")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlcroissant = pytest.importorskip("mlcroissant")
        described = mlcroissant.Dataset(jsonld=str(tmp_path / "out" / "croissant.json"))
        assert list(described.metadata.ctx.issues.errors) == []
        records = list(described.records("pictures"))
    assert Counter(r["pictures/split"].decode() for r in records) == Counter(
        WORDS[s] for s in SPLITS
    )
    assert {r["pictures/image"].size for r in records} == {(40, 30)}
    assert {r["pictures/label"] for r in records} == {0}


def test_rows_are_fetched_a_batch_at_once_in_the_order_asked_for(
    pets: Conn, tmp_path: Path
) -> None:
    exports.export(pets, "pets", tmp_path / "out", format="parquet", shard_bytes=5000)
    rows = loading.Rows(tmp_path / "out", columns=["image", "label"])
    assert len(rows) == 4
    one, two, three = rows.__getitems__([2, 0, -1])
    assert (one["image"].size, one["label"]) == ((40, 30), 0)
    assert [each["image"].tobytes() for each in (two, three)] == [
        rows[i]["image"].tobytes() for i in (0, 3)
    ]
    with pytest.raises(IndexError):
        rows[4]
    exports.export(pets, "pets", tmp_path / "links", format="parquet", pictures="link")
    linked = loading.Rows(tmp_path / "links", "val")
    own = loading.Rows(tmp_path / "out", "val")
    assert linked[0]["image"].tobytes() == own[0]["image"].tobytes()
    with pytest.raises(InvalidInput, match="smartdb export"):
        loading.Rows(tmp_path)


@pytest.mark.parametrize("shard_bytes", [1, 1 << 20])
def test_shards_go_on_exactly_where_the_states_say(
    pets: Conn, tmp_path: Path, shard_bytes: int
) -> None:
    exports.export(pets, "pets", tmp_path, format="webdataset", shard_bytes=shard_bytes)

    def stream(epoch: int = 0, rank: int = 0, world: int = 1) -> loading.Shards:
        return loading.Shards(tmp_path, seed=3, epoch=epoch, rank=rank, world=world)

    whole = list(stream())
    keys = [sample["key"] for sample in whole]
    assert keys == [sample["key"] for sample in stream()]
    assert any(keys != [s["key"] for s in stream(epoch)] for epoch in range(1, 9))
    for n in range(len(keys) + 1):
        rest = stream()
        rest.go_on([sample["state"] for sample in whole[:n][-1:]])
        assert [sample["key"] for sample in rest] == keys[n:]
    halves = [[s["key"] for s in stream(rank=rank, world=2)] for rank in (0, 1)]
    assert sorted(halves[0] + halves[1]) == sorted(keys)
    assert [len(half) for half in halves] == [2, 2]
    with pytest.raises(InvalidInput, match="another run"):
        stream(rank=1, world=2).go_on([whole[0]["state"]])


def test_torch_loads_both(pets: Conn, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch.utils.data")
    exports.export(pets, "pets", tmp_path / "a", format="parquet")
    exports.export(pets, "pets", tmp_path / "b", format="webdataset")
    rows = loading.Rows(tmp_path / "a", transform=lambda row: row["label"])
    batches = torch.DataLoader(rows, batch_size=3, collate_fn=list)
    assert [len(batch) for batch in batches] == [3, 1]
    shards = loading.Shards(tmp_path / "b", transform=lambda sample: sample["cls"])
    assert list(torch.DataLoader(shards.torch(), batch_size=None)) == [0] * 4
