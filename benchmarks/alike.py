"""What encoders find alike: nearest-neighbour accuracy, and near-duplicates against the truth.

Truth: the packaged digits with their 20 planted near-duplicates; and, where ../shared/data is,
CIFAR-10 with 87 pairs that people judged near-duplicates and 16 that they judged similar.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Figure, show
from smartdb import digits, duplicates, encoders, hashes, images
from smartdb.duplicates import Edges
from smartdb.knn import knn

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
SQUEEZENET = SHARED / "models" / "squeezenet1_1_imagenet_caffe_fp16.pt"
CAFFE = "bgr=1&mean=104,117,123&scale=255&size=227&name=squeezenet"

Pairs = set[frozenset[int]]


@dataclass(frozen=True)
class Pictures:
    """Pictures with their classes, and pairs that are near-duplicates, or at least similar."""

    name: str
    files: list[Path]
    classes: NDArray[np.str_]
    near: Pairs
    similar: Pairs


def main(quick: bool = False) -> None:
    """Accuracy of the class of the nearest neighbour, precision and recall of near-duplicates."""
    specs = ["descriptor"]
    if SQUEEZENET.is_file() and not quick:
        specs.append(f"torchvision:squeezenet1_1@{SQUEEZENET}?{CAFFE}")
    with _digits() as first:
        for pictures in (first, *_photos()):
            figures = _accuracy("raw pixels, 8x8 RGB", pictures, raw_pixels(pictures.files))
            for spec in specs:
                encoder = encoders.load(spec)
                batches = encoder.encode_files([*pictures.files])
                vectors = np.concatenate([batch.vectors for batch in batches])
                figures += _accuracy(encoder.name, pictures, vectors)
                figures += _duplicates(encoder.name, pictures, vectors)
            show(f"alike: {len(pictures.files):,} {pictures.name}", figures)


def raw_pixels(files: list[Path]) -> NDArray[np.float32]:
    """Unit vectors of the pixels themselves, to compare encoders with."""
    small = [np.asarray(images.load_rgb(file).resize((8, 8))) for file in files]
    flat = np.stack(small).reshape(len(files), -1).astype(np.float32) - 127.5
    return encoders.base.unit(flat)


def _accuracy(name: str, pictures: Pictures, vectors: NDArray[np.float32]) -> list[Figure]:
    near, _ = knn(vectors, 1)
    right = (pictures.classes[near[:, 0]] == pictures.classes).mean()
    _, counts = np.unique(pictures.classes, return_counts=True)
    limit = f"most frequent class {counts.max() / counts.sum():.0%}"
    return [Figure(f"{name}: class of the nearest", 100 * float(right), "%", limit)]


def _duplicates(name: str, pictures: Pictures, vectors: NDArray[np.float32]) -> list[Figure]:
    found = joined(vectors, pictures.files)
    right = found & (pictures.near | pictures.similar)
    recall = len(found & pictures.near) / len(pictures.near)
    n = f"{len(found)} pairs found"
    return [
        Figure(f"{name}: near-duplicates, precision", 100 * len(right) / len(found), "%", n),
        Figure(f"{name}: near-duplicates, recall", 100 * recall, "%", f"of {len(pictures.near)}"),
    ]


def joined(vectors: NDArray[np.float32], files: list[Path]) -> Pairs:
    """Pairs that the graph and the hashes call near-duplicates, with the default thresholds."""
    near, distance = knn(vectors, 10)
    rows, others = np.repeat(np.arange(len(files)), 10), near.ravel()
    hashed = np.array([_hash(file) for file in files], np.uint64)
    bits = np.bitwise_count(hashed[rows] ^ hashed[others]).astype(np.int32)
    graph = Edges(rows, others, distance.ravel(), bits)
    last = duplicates.LastDistances.of(graph)
    found: Pairs = set()
    for edges in (graph, _alike(hashed, vectors)):
        is_near = duplicates.are_near(edges, duplicates.DEFAULTS, last)
        pairs = zip(edges.media_id[is_near].tolist(), edges.neighbour_id[is_near].tolist())
        found |= {frozenset(pair) for pair in pairs}
    return found


def _alike(hashed: NDArray[np.uint64], vectors: NDArray[np.float32]) -> Edges:
    """What `smartdb.hashes.compare` finds."""
    bits = np.bitwise_count(hashed[:, None] ^ hashed[None, :])
    a, b = np.nonzero(np.triu(bits <= hashes.MAX_BITS, 1))
    masks = np.array(hashes.masks(), np.int64).view(np.uint64)
    met = (((hashed[a] ^ hashed[b])[:, None] & masks) == 0).any(axis=1)
    a, b = a[met], b[met]
    distance = 1 - np.einsum("nd,nd->n", vectors[a], vectors[b])
    return Edges(a, b, distance.astype(np.float32), bits[a, b].astype(np.int32))


def _hash(file: Path) -> int:
    return int(images.phash(images.load_rgb(file)) or "0", 2)


@contextmanager
def _digits() -> Iterator[Pictures]:
    with tempfile.TemporaryDirectory() as folder:
        planted = digits.write_digits(Path(folder))
        paths = sorted(planted.true_class)
        classes = np.array([planted.true_class[path] for path in paths])
        files = [Path(folder) / "images" / path for path in paths]
        pairs = {frozenset(map(paths.index, pair)) for pair in planted.duplicates}
        yield Pictures("digits, 20 planted near-duplicates", files, classes, pairs, set())


def _photos() -> Iterator[Pictures]:
    root = SHARED / "cifar10"
    if not root.is_dir():
        return
    with (root / "labels.csv").open() as file:
        labels = {row["path"]: row["label"] for row in csv.DictReader(file)}
    with (root / "truth" / "duplicate_pairs.csv").open() as file:
        judged = [list(row.values())[:4] for row in csv.DictReader(file)]
    place = {path: i for i, path in enumerate(labels)}
    near, similar = (
        {frozenset({place[a], place[b]}) for a, b, _, verdict in judged if verdict == wanted}
        for wanted in ("1", "2")
    )
    classes = np.array(list(labels.values()))
    yield Pictures("CIFAR-10 photos", [root / path for path in labels], classes, near, similar)
