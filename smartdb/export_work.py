"""The work of an export: files that are made, put into their place, and remembered part by part.

A part is written and then noted in a hidden folder of the export; what is noted is not made again,
so an export that was cut off goes on where it stopped. No file is ever seen half-written.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg

from smartdb import contents, stores
from smartdb.contents import Content
from smartdb.errors import InvalidInput, NotFound, StoreFailed
from smartdb.export_plan import Part, Plan
from smartdb.export_rows import Sample, samples
from smartdb.formats.base import Problem

HIDDEN = ".smartdb-export"
"""The folder in an unfinished export with what is done of it."""

THREADS = 4
EXAMPLES = 5

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class File:
    """A file of an export: its path, bytes and SHA-256 in hex."""

    path: str
    n_bytes: int
    sha256: str


@dataclass
class Done:
    """What was made: files, which media are in which, and what a format could not hold."""

    files: list[File] = field(default_factory=list)
    media_ids: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    examples: list[Problem] = field(default_factory=list)

    def tell(self, problems: Iterable[Problem]) -> None:
        """Counts what could not be written."""
        for problem in problems:
            self.problems[problem.reason] += 1
            if self.problems[problem.reason] <= EXAMPLES:
                self.examples.append(problem)

    def text(self) -> bytes:
        """All of it, as JSON."""
        files = [[f.path, f.n_bytes, f.sha256] for f in self.files]
        told = [[p.where, p.reason, p.detail] for p in self.examples]
        return json.dumps([files, self.media_ids, self.paths, self.problems, told]).encode()

    @classmethod
    def of(cls, text: bytes) -> Done:
        """What `text` gave."""
        files, media_ids, paths, problems, told = json.loads(text)
        examples = [Problem(*each) for each in told]
        return cls([File(*f) for f in files], media_ids, paths, Counter(problems), examples)


@dataclass(frozen=True)
class Work:
    """An export that is being written: from where, to where, and where files are in the make."""

    conn: psycopg.Connection[Any]
    plan: Plan
    root: str
    scratch: Path
    progress: Callable[[int], None] | None = None

    def at(self, path: str) -> str:
        """The URI of a file of the export."""
        return f"{self.root}/{quote(path, safe='/')}"

    def note(self, key: str) -> Done | None:
        """What is done under this key, if it is."""
        try:
            return Done.of(stores.read(self.at(f"{HIDDEN}/{key}.json")))
        except NotFound as error:
            if error.reason == "missing":
                return None
            raise StoreFailed(str(error)) from error

    def keep_note(self, key: str, done: Done) -> None:
        """Notes that it is done."""
        stores.put(self.at(f"{HIDDEN}/{key}.json"), done.text())

    def tell(self, n: int) -> None:
        """Tells how many media are done."""
        if self.progress:
            self.progress(n)

    def put(self, path: str, made: Path | bytes) -> File:
        """Moves what was made to its place in the export."""
        if isinstance(made, bytes):
            file = File(path, len(made), hashlib.sha256(made).hexdigest())
        else:
            with made.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            file = File(path, made.stat().st_size, digest)
        stores.put(self.at(path), made)
        return file

    def put_all(self, folder: Path, below: str = "") -> list[File]:
        """Moves all files of a folder, in order of their names."""
        found = sorted(each for each in folder.rglob("*") if each.is_file())
        return [self.put(below + each.relative_to(folder).as_posix(), each) for each in found]

    def samples(self, part: Part, name_of: Callable[[str, str], str]) -> Iterator[Sample]:
        """The media of a part."""
        return samples(self.conn, self.plan, part.first, part.last, name_of)

    def every(
        self, name_of: Callable[[str, str], str], split: str | None = None
    ) -> Iterator[Sample]:
        """All media, or those of a split, part by part."""
        for part in self.plan.parts:
            if split in (None, part.split):
                yield from self.samples(part, name_of)

    def carried(self, found: Iterable[Sample]) -> Iterator[tuple[Sample, bytes | None]]:
        """The media with their bytes, some read ahead; without, if the export carries none."""
        if self.plan.pictures == "copy":
            return ahead(found, lambda sample: (sample, bytes_of(sample.content)))
        return ((sample, None) for sample in found)

    def reference(self, sample: Sample) -> str:
        """The place of a picture that is not copied."""
        return place_of(sample.content)


def bytes_of(content: Content) -> bytes:
    """The bytes of a picture, whose hash is right; of a frame, its pixels as PNG."""
    if content.kind != "frame":
        return contents.read_bytes(content)
    out = io.BytesIO()
    contents.load_rgb(content).save(out, "PNG")
    return out.getvalue()


def place_of(content: Content) -> str:
    """The first place of a picture that is checked to hold its bytes; InvalidInput for a frame."""
    if content.kind == "frame":
        raise InvalidInput(
            f"media {content.media_id} is a frame and has no file to link to; copy the pictures"
        )
    for uri in content.places:
        try:
            if hashlib.sha256(stores.read(uri)).digest() == content.sha256:
                return uri
        except NotFound:
            continue
    contents.read_bytes(content)  # says what is wrong
    raise AssertionError


def ahead(items: Iterable[T], work: Callable[[T], R]) -> Iterator[R]:
    """The result for each item, in order; threads work some items ahead."""
    remaining = iter(items)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="export") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            while True:
                for item in islice(remaining, 2 * THREADS - len(waiting)):
                    waiting.append(pool.submit(work, item))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
