"""The encoder as a value, and the loop that decodes images while the model computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from smartdb import config, images
from smartdb.errors import InvalidInput

Array = NDArray[Any]
Vectors = NDArray[np.float32]
T = TypeVar("T")


class NoVector(InvalidInput):
    """the encoder returned a vector that is zero or not finite"""


@dataclass(frozen=True)
class Batch(Generic[T]):
    """Some items, their unit vectors (n, dim) in the same order, and the items that failed."""

    items: list[T]
    vectors: Vectors
    failed: list[tuple[T, Exception]]


@dataclass(frozen=True)
class Encoder:
    """What turns images into unit vectors: ``prepare`` one (in threads), ``forward`` a batch.

    ``prepare`` takes an RGB image and returns an array of one shape for all images; ``forward``
    takes (n, ...) of them and returns (n, dim). Neither needs to normalise.
    """

    name: str
    dim: int
    prepare: Callable[[Image.Image], Array]
    forward: Callable[[Array], Array]
    batch_size: int
    _: KW_ONLY
    ahead: int = 2
    """Batches decoded while one is computed: 0 where decoder and model want the same cores."""
    side: int | None = None
    """Pixels that the shorter side is brought to; `load` decodes no more of a JPEG than needed."""
    weights_sha256: bytes | None = None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    text: Callable[[Sequence[str]], Array] | None = None
    note: str | None = None
    """What a person should know before trusting it, for instance that it is not semantic."""

    def encode(self, pictures: Iterable[Image.Image]) -> Vectors:
        """Unit vectors (n, dim) of pictures; raises what the first failure raised."""
        vectors = [np.zeros((0, self.dim), np.float32)]
        for batch in self.encode_each(pictures, lambda picture: picture):
            for _, error in batch.failed:
                raise error
            vectors.append(batch.vectors)
        return np.concatenate(vectors)

    def encode_files(
        self, files: Iterable[Path | bytes], *, workers: int | None = None
    ) -> Iterator[Batch[Path | bytes]]:
        """Batches of image files (paths, or the bytes of files), in the order of the files."""
        return self.encode_each(files, self.load, workers=workers)

    def load(self, file: Path | bytes) -> Image.Image:
        """The picture in an image file as this encoder wants it, see `images.load_rgb`.

        A large JPEG is decoded to not less than twice the ``side``: for 4 megapixels two to three
        times faster, and it moves the vector by a cosine distance below 0.002 (on 30 photos).
        """
        return images.load_rgb(file, at_least=self.at_least)

    @property
    def at_least(self) -> int | None:
        """Pixels of the shorter side that a picture should have, for `images.load_rgb`."""
        return 2 * self.side if self.side else None

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, dim) of texts in the space of the images; open_clip models only."""
        if self.text is None:
            raise InvalidInput(f"encoder {self.name!r} has no text tower; use an open_clip model")
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        return unit(self.text(texts))

    def encode_each(
        self, items: Iterable[T], load: Callable[[T], Image.Image], *, workers: int | None = None
    ) -> Iterator[Batch[T]]:
        """Batches of anything that ``load`` makes a picture of, in the order of the items.

        ``load`` and ``prepare`` run in threads, ``ahead`` batches before the model. An item whose
        picture cannot be had, whatever was raised, is in ``failed`` of its batch.
        """
        remaining = iter(items)
        pool = ThreadPoolExecutor(workers or config.workers(), thread_name_prefix="decode")
        waiting: deque[list[tuple[T, Future[Array]]]] = deque()
        try:
            while chunk := list(islice(remaining, self.batch_size)):
                waiting.append([(i, pool.submit(self._prepared, load, i)) for i in chunk])
                if len(waiting) > self.ahead:
                    yield self._encoded(waiting.popleft())
            while waiting:
                yield self._encoded(waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _prepared(self, load: Callable[[T], Image.Image], item: T) -> Array:
        picture = load(item)
        return self.prepare(picture if picture.mode == "RGB" else picture.convert("RGB"))

    def _encoded(self, waiting: list[tuple[T, Future[Array]]]) -> Batch[T]:
        items, arrays, failed = [], [], []
        for item, future in waiting:
            try:
                arrays.append(future.result())
                items.append(item)
            except Exception as error:  # decoders raise anything for broken files
                failed.append((item, error))
        if not items:
            return Batch([], np.zeros((0, self.dim), np.float32), failed)
        vectors = np.asarray(self.forward(np.stack(arrays)), np.float32)
        good = _has_direction(vectors)
        failed += [(item, NoVector()) for item, fine in zip(items, good) if not fine]
        items = [item for item, fine in zip(items, good) if fine]
        return Batch(items, unit(vectors[good]), failed)


def unit(vectors: Array) -> Vectors:
    """Rows scaled to length 1; `NoVector` if a row is zero or not finite."""
    vectors = np.asarray(vectors, np.float32)
    if not _has_direction(vectors).all():
        raise NoVector()
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def _has_direction(vectors: Vectors) -> NDArray[np.bool_]:
    length = np.linalg.norm(vectors, axis=1)
    found: NDArray[np.bool_] = np.isfinite(length) & (length > 0)
    return found
