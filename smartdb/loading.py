"""Loading: training from exports, without the database.

`Rows` is a map-style dataset over the Parquet files of an export, which fetches a batch at once;
`Shards` an iterable one over WebDataset shards, whose state (seed, epoch, rank, worker, offset)
comes with each sample: from the last states that were used it goes on with exactly the next ones.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from smartdb.errors import InvalidInput
from smartdb.formats import library

SPLITS = {"train": "train", "val": "validation", "test": "test"}

Transform = Callable[[dict[str, Any]], Any]
Index = list[tuple[str, dict[str, tuple[int, int]]]]
"""The samples of a shard: key, and by ending where the file lies and how long it is."""


class Rows:
    """The pictures of a split of a Parquet export, as torch's map-style datasets are.

    A row is a dict of the table's columns, its ``image`` decoded (upright, RGB); ``transform``
    turns it into what is wanted. Pictures that are not in the table are read from below ``images``
    or from where their path says. A batch reads each group of 64 rows once: let indices of a
    batch lie together where that matters.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str = "train",
        *,
        images: str | Path | None = None,
        columns: Sequence[str] | None = None,
        transform: Transform | None = None,
    ) -> None:
        """InvalidInput if there are no such files."""
        self._files = _files(Path(folder), f"{SPLITS.get(split, split)}-*.parquet")
        self._images, self._columns = images, columns
        self._transform = transform
        self._opened: dict[int, dict[int, Any]] = {}
        groups = [(n, group, size) for n in range(len(self._files))
                  for group, size in enumerate(self._sizes(n))]  # fmt: skip
        self._groups = [(number, group) for number, group, _ in groups]
        self._ends = np.cumsum([size for *_, size in groups])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The rows of a batch, in the order asked for."""
        wanted: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for place, index in enumerate(indices):
            if not -len(self) <= index < len(self):
                raise IndexError(index)
            index %= len(self)
            group = int(np.searchsorted(self._ends, index, side="right"))
            start = int(self._ends[group - 1]) if group else 0
            wanted[group].append((place, index - start))
        found: list[Any] = [None] * len(indices)
        for group, places in wanted.items():
            number, of_file = self._groups[group]
            table = self._file(number).read_row_group(of_file, columns=self._columns)
            rows = table.take([row for _, row in places]).to_pylist()
            for (place, _), row in zip(places, rows, strict=True):
                found[place] = self._made(row)
        return found

    def _made(self, row: dict[str, Any]) -> Any:
        if "image" in row:
            row["image"] = _decoded(row["image"]["bytes"] or self._read(row["image"]["path"]))
        return self._transform(row) if self._transform else row

    def _read(self, path: str) -> bytes:
        from smartdb import stores

        if stores.is_uri(path):
            return stores.read(path)
        return (Path(self._images) / path if self._images else Path(path)).read_bytes()

    def _sizes(self, number: int) -> list[int]:
        about = self._file(number).metadata
        return [about.row_group(i).num_rows for i in range(about.num_row_groups)]

    def _file(self, number: int) -> Any:
        """An open file; each process has its own, as they are not to be shared."""
        files = self._opened.setdefault(os.getpid(), {})
        if number not in files:
            opened = library("pyarrow.parquet").ParquetFile(self._files[number], memory_map=True)
            files[number] = opened
        return files[number]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": {}}


@dataclass(frozen=True)
class State:
    """Where a worker is: after ``offset`` samples of its share of an epoch."""

    seed: int
    epoch: int
    rank: int
    world: int
    worker: int
    workers: int
    offset: int


class Shards:
    """The samples of WebDataset shards, as torch's iterable datasets are; make it one by `torch`.

    Order is that of (seed, epoch): shards shuffled, samples shuffled in their shard. Of ``world``
    ranks with equally many workers each has its own shards, or where these are too few its own
    samples of all. A sample is a dict by ending, with ``image`` decoded, ``key`` and ``state``.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str = "train",
        *,
        seed: int = 0,
        epoch: int = 0,
        rank: int = 0,
        world: int = 1,
        transform: Transform | None = None,
    ) -> None:
        """InvalidInput if there are no such files."""
        self._files = _files(Path(folder), f"{split}-*.tar")
        self._start = State(seed, epoch, rank, world, 0, 1, 0)
        self._offsets: dict[int, int] = {}
        self._workers: int | None = None
        self._transform = transform

    def go_on(self, states: Iterable[State]) -> None:
        """Begins, at the next iteration, after the last states of all workers.

        A worker without a state has told nothing yet. InvalidInput if they are of another run.
        """
        last = list(states)
        for state in last:
            same = replace(state, worker=0, workers=1, offset=0, epoch=self._start.epoch)
            if same != self._start or state.workers != last[0].workers:
                raise InvalidInput(f"{state} is of another run than {self._start}")
        if last:
            self._start = replace(self._start, epoch=max(state.epoch for state in last))
            self._workers = last[0].workers
        here = [state for state in last if state.epoch == self._start.epoch]
        self._offsets = {state.worker: state.offset for state in here}

    def set_epoch(self, epoch: int) -> None:
        """Begins an epoch from its first sample."""
        self._start, self._offsets = replace(self._start, epoch=epoch), {}

    def __iter__(self) -> Iterator[Any]:
        """The samples of this worker."""
        worker, workers = _worker()
        if self._workers not in (None, workers) and self._offsets:
            raise InvalidInput(f"the states are of {self._workers} workers, here are {workers}")
        state = replace(self._start, worker=worker, workers=workers)
        skip, offset = self._offsets.get(worker, 0), 0
        for file, places in self._shares(state):
            index = _index(file)
            mine = _shuffled(len(index), state, file)[places]
            if offset + len(mine) <= skip:
                offset += len(mine)
                continue
            with file.open("rb") as opened:
                for place in mine[max(0, skip - offset) :]:
                    done = replace(state, offset=max(skip, offset) + 1)
                    yield self._made(opened.fileno(), *index[int(place)], done)
                    offset = done.offset

    def _shares(self, state: State) -> Iterator[tuple[Path, slice]]:
        """The shards of a worker, each with which of its samples."""
        part, parts = state.rank * state.workers + state.worker, state.world * state.workers
        order = np.random.default_rng([state.seed, state.epoch]).permutation(len(self._files))
        if len(order) >= parts:
            yield from ((self._files[i], slice(None)) for i in order[part::parts])
        else:
            yield from ((self._files[i], slice(part, None, parts)) for i in order)

    def _made(
        self, file: int, key: str, places: Mapping[str, tuple[int, int]], state: State
    ) -> Any:
        sample: dict[str, Any] = {"key": key, "state": state}
        for ending, (start, size) in places.items():
            data = os.pread(file, size, start)
            if ending == "json":
                sample["json"] = json.loads(data)
            elif ending in ("cls", "txt"):
                text = data.decode()
                sample[ending] = int(text) if ending == "cls" and text.isdecimal() else text
            else:
                sample["image"] = _decoded(data)
        return self._transform(sample) if self._transform else sample

    def torch(self) -> Any:
        """The same as a torch ``IterableDataset``, for its ``DataLoader``."""
        from torch.utils.data import IterableDataset

        shards = self

        class Stream(IterableDataset):  # type: ignore[type-arg]
            def __iter__(self) -> Iterator[Any]:
                return iter(shards)

        return Stream()


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted([*folder.glob(pattern), *folder.glob(f"data/{pattern}")])
    if not found:
        raise InvalidInput(f"there is no {pattern} in {folder}; export it: smartdb export")
    return found


def _worker() -> tuple[int, int]:
    """Number of this worker of torch's loader, and how many there are."""
    import sys

    data = sys.modules.get("torch.utils.data")
    info = data.get_worker_info() if data else None
    return (info.id, info.num_workers) if info else (0, 1)


def _index(file: Path) -> Index:
    """The samples of a shard, in order; only the headers are read."""
    found: Index = []
    with tarfile.open(file, "r:") as tar:
        while (member := tar.next()) is not None:
            tar.members = []  # type: ignore[attr-defined]  # tarfile keeps them all
            key, _, ending = member.name.partition(".")
            if not found or found[-1][0] != key:
                found.append((key, {}))
            found[-1][1][ending] = (member.offset_data, member.size)
    return found


def _shuffled(n: int, state: State, file: Path) -> Any:
    return np.random.default_rng([state.seed, state.epoch, *file.name.encode()]).permutation(n)


def _decoded(data: bytes) -> Any:
    from smartdb import images

    return images.load_rgb(data)
