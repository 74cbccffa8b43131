"""Export: JPEGs into WebDataset shards and Parquet, and back, beside bare loops.

The bare loop of writing reads each file, and writes it with a class into tars (tarfile) or row
groups (pyarrow) of the same size. The export also finds media and labels in the database, checks
the hash of each picture, hashes what it wrote and moves it into place. Reading back decodes the
same pictures from the same files: with tarfile in order and with pyarrow by row groups, beside
`smartdb.loading`. The best of three rounds counts, in turn.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.harness import Figure, scratch, seconds, show
from smartdb import exports, images, loading
from smartdb.database import connect
from smartdb.ingest import ingest
from smartdb.labels import import_folder_labels

ROUNDS = 3
LIMIT = 2.0
SHARD = 64 << 20
ROWS = 64


def main(quick: bool) -> None:
    """Prints images a second of each, and its time beside that of the bare loop."""
    n, side = (200, 64) if quick else (10_000, 256)
    with tempfile.TemporaryDirectory() as name, scratch() as url:
        folder = Path(name)
        files = draw(folder / "pictures", n, side)
        with connect(url, role="smartdb_owner") as conn:
            ingest(conn, folder / "pictures")
            import_folder_labels(conn, "pictures", ontology="o")
            seal(conn)
        with connect(url, role="smartdb_writer") as conn:
            figures = [*_writing(conn, folder, files), *_reading(folder, n)]
    show(f"export: {n} JPEGs of {side} pixels", figures)


def draw(folder: Path, n: int, side: int) -> list[Path]:
    """Noisy pictures in two class folders, each another."""
    noise = np.random.default_rng(0)
    files = [folder / "ab"[i % 2] / f"{i:06d}.jpg" for i in range(n)]
    for name in "ab":
        (folder / name).mkdir(parents=True)
    for file in files:
        small = noise.integers(0, 255, (side // 4, side // 4, 3), np.uint8)
        Image.fromarray(small).resize((side, side)).save(file, quality=90)
    return files


def seal(conn: Any) -> None:
    """Version 1 of a dataset d of all media, all in train: then there is one row of shards."""
    conn.execute(
        "insert into core.dataset (name, ontology_id) values ('d', 1);"
        "insert into core.dataset_version"
        " (dataset_id, version, revision, query, seed, message, run_id, ontology_version)"
        " values (1, 1, core.checkpoint(), 'true', 0, 'first', 1, 1);"
        "insert into core.dataset_item (dataset_id, media_id, split, version_from)"
        " select 1, media_id, 'train', 1 from core.media;"
        "update core.dataset_version set (n_items, digest, sealed_at) ="
        " ((select count(*) from core.media), smartdb.dataset_digest('d', 1), now());"
        "analyze core.media, core.label, core.dataset_item, core.media_location"
    )
    conn.commit()


def _writing(conn: Any, folder: Path, files: list[Path]) -> Iterator[Figure]:
    works: dict[str, Callable[[Path], object]] = {
        "bare tar": lambda to: _bare_tar(files, to),
        "WebDataset": lambda to: _export(conn, to, "webdataset"),
        "bare pyarrow": lambda to: _bare_parquet(files, to),
        "Parquet": lambda to: _export(conn, to, "parquet"),
    }
    best = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            shutil.rmtree(folder / name, ignore_errors=True)
            best[name] = min(best[name], seconds(lambda w=work, to=folder / name: w(to)))  # type: ignore[misc]
    yield from _figures("written", len(files), best)


def _reading(folder: Path, n: int) -> Iterator[Figure]:
    works: dict[str, Callable[[], object]] = {
        "bare tar": lambda: _read_tars(folder / "WebDataset"),
        "WebDataset": lambda: [None for _ in loading.Shards(folder / "WebDataset")],
        "bare pyarrow": lambda: _read_tables(folder / "Parquet"),
        "Parquet": lambda: _read_rows(folder / "Parquet", n),
    }
    best = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            best[name] = min(best[name], seconds(work))
    yield from _figures("read and decoded", n, best)


def _figures(what: str, n: int, best: dict[str, float]) -> Iterator[Figure]:
    for name, took in best.items():
        yield Figure(f"{name} {what}", n / took, "images/s")
    for ours, bare in (("WebDataset", "bare tar"), ("Parquet", "bare pyarrow")):
        ratio, is_read = best[ours] / best[bare], what.startswith("read")
        limit, holds = (f"< {LIMIT:g}", ratio < LIMIT) if is_read else ("", None)
        yield Figure(f"{ours} / {bare}, {what}", ratio, "times", limit, holds)


def _export(conn: Any, to: Path, format: str) -> None:
    exports.export(conn, "d", to, format=format, shard_bytes=SHARD)


def _bare_tar(files: list[Path], to: Path) -> None:
    to.mkdir()
    for number, some in enumerate(_by_size(files)):
        with tarfile.open(to / f"{number:06d}.tar", "w") as tar:
            for file in some:
                label = b"0" if file.parent.name == "a" else b"1"
                for ending, data in (("jpg", file.read_bytes()), ("cls", label)):
                    member = tarfile.TarInfo(f"{file.stem}.{ending}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))


def _bare_parquet(files: list[Path], to: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    to.mkdir()
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", image), ("label", pa.int64())])
    for number, some in enumerate(_by_size(files)):
        with pq.ParquetWriter(to / f"{number:06d}.parquet", schema, compression="none",
                              use_dictionary=False) as out:  # fmt: skip
            for start in range(0, len(some), ROWS):
                rows = [{"image": {"bytes": file.read_bytes(), "path": file.name},
                         "label": int(file.parent.name == "b")}
                        for file in some[start : start + ROWS]]  # fmt: skip
                out.write_table(pa.Table.from_pylist(rows, schema))


def _by_size(files: list[Path]) -> Iterator[list[Path]]:
    some: list[Path] = []
    size = 0
    for file in files:
        some.append(file)
        size += file.stat().st_size
        if size >= SHARD:
            yield some
            some, size = [], 0
    if some:
        yield some


def _read_tars(folder: Path) -> None:
    for file in sorted(folder.glob("*.tar")):
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                opened = tar.extractfile(member)
                assert opened is not None
                data = opened.read()
                if member.name.endswith(".jpg"):
                    images.load_rgb(data)
                elif member.name.endswith(".json"):
                    json.loads(data)


def _read_tables(folder: Path) -> None:
    import pyarrow.parquet as pq

    for file in sorted(folder.glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(ROWS):
            for row in batch.to_pylist():
                images.load_rgb(row["image"]["bytes"])


def _read_rows(folder: Path, n: int) -> None:
    rows = loading.Rows(folder)
    for start in range(0, n, ROWS):
        rows.__getitems__(range(start, min(n, start + ROWS)))
