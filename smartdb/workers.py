"""Parallel work in processes of our own, that survives the death of any of them.

The processes are plain Python interpreters and not forks: they share no connection or lock with
the caller, and scripts need no ``if __name__ == "__main__"``. Items go to them in small chunks, and
each counts in shared memory what it has begun, so the item in work is known when a process dies or
takes too long. They end when the caller does. The kernel (Linux) refuses them more memory than they
are given, so a hostile file ends as an error in one process and never takes down the machine.
"""

from __future__ import annotations

import mmap
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from smartdb.errors import SmartdbError

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 8
MAX_AHEAD = 64
"""Items that are sent ahead to a worker; also bounded by bytes, so that sending never blocks."""

_MAX_AHEAD_BYTES = 64 << 10
_FEW = 4
_SECONDS_BETWEEN_ANSWERS = 0.1
_BOOT = (
    "import sys; from multiprocessing.connection import Connection; c = Connection({pipe}); "
    "sys.path[:] = c.recv(); from smartdb.workers import _serve; _serve(c, {begun}, {memory})"
)
_OUT_OF_MEMORY = re.compile(r"bad_alloc|out of memory|cannot allocate memory|MemoryError", re.I)
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the processes are parallel


@dataclass(frozen=True)
class Lost:
    """In place of a result: why, and what was seen.

    ``died`` (its process did, twice), ``too_slow``, or ``too_large`` (more memory than it may use).
    """

    reason: str
    detail: str


@dataclass(frozen=True)
class _Raised:
    text: str


@dataclass
class _Job(Generic[Item]):
    index: int
    item: Item
    deaths: int = 0
    n_bytes: float = 0.0


def parallel(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int,
    seconds: float | Callable[[Item], float] = 60.0,
    memory: int | None = None,
    window: int = 2000,
) -> Generator[tuple[Item, Result | Lost], None, None]:
    """Each item with ``function(item)``, in the order of the items, worked out by processes.

    ``function`` is named by its module, items and results are pickled. An item whose process dies
    is tried once more in a new one before it is `Lost`; one that takes longer than ``seconds``,
    which may depend on the item, or that wants more than ``memory`` bytes, is lost at once. At most
    ``window`` items are held. Processes start when the first item comes. SmartdbError when
    ``function`` raises (it should not) or the processes cannot start.
    """
    crew = _Crew[Item, Result](function, items, workers, seconds, memory, window)
    try:
        yield from crew.results()
    finally:
        crew.stop()


class _Crew(Generic[Item, Result]):
    def __init__(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        workers: int,
        seconds: float | Callable[[Item], float],
        memory: int | None,
        window: int,
    ) -> None:
        self.function, self.workers = function, workers
        self.seconds, self.memory, self.window = seconds, memory, window
        self.source = enumerate(items)
        self.again: deque[_Job[Item]] = deque()
        self.done: dict[int, tuple[Item, Result | Lost]] = {}
        self.n_taken = self.n_told = 0
        self.crew: list[_Worker[Item]] = []

    def results(self) -> Iterator[tuple[Item, Result | Lost]]:
        while True:
            self._send()
            if not any(worker.queue for worker in self.crew):
                return
            self._receive()
            while self.n_told in self.done:
                yield self.done.pop(self.n_told)
                self.n_told += 1

    def stop(self) -> None:
        for worker in self.crew:
            worker.stop()

    def _send(self) -> None:
        while worker := self._free_worker():
            jobs = list(self._next_jobs(min(CHUNK, max(1, len(worker.queue)))))
            if not jobs:
                return
            if worker.process is None:
                worker.start(self.function, self.memory)
            worker.send(jobs)

    def _free_worker(self) -> _Worker[Item] | None:
        """The one with the shortest queue; a new one where all have some items waiting."""
        free = min(self.crew, key=lambda worker: len(worker.queue), default=None)
        if (free is None or len(free.queue) >= _FEW) and len(self.crew) < self.workers:
            free = _Worker[Item]()
            self.crew.append(free)
        return free if free and free.has_room() else None

    def _next_jobs(self, n: int) -> Iterator[_Job[Item]]:
        for _ in range(n):
            if self.again:
                yield self.again.popleft()
            elif self.n_taken - self.n_told < self.window:
                for index, item in self.source:
                    self.n_taken += 1
                    yield _Job(index, item)
                    break

    def _receive(self) -> None:
        busy = [worker for worker in self.crew if worker.queue]
        patience = min(self._seconds(worker) - worker.seconds_on_item() for worker in busy)
        ready = set(wait([worker.pipe for worker in busy], timeout=max(0.0, patience)))
        for worker in busy:
            if worker.pipe in ready:
                self._read(worker)
            elif worker.seconds_on_item() > (limit := self._seconds(worker)):
                self._lose(worker, Lost("too_slow", f"took longer than {limit:g} s"))

    def _seconds(self, worker: _Worker[Item]) -> float:
        """How long it may take for what it works on."""
        return self.seconds(worker.in_work().item) if callable(self.seconds) else self.seconds

    def _read(self, worker: _Worker[Item]) -> None:
        try:
            while worker.queue and worker.pipe.poll():
                for job, answer in worker.receive():
                    if isinstance(answer, _Raised):
                        raise SmartdbError(f"{job.item}: {answer.text}")
                    self.done[job.index] = job.item, answer
        except (EOFError, OSError):
            self._lose(worker, _death(worker.stop()))

    def _lose(self, worker: _Worker[Item], lost: Lost) -> None:
        """Ends a worker. Its items are done again; the one in work only after its first death."""
        worker.stop()
        self.crew.remove(worker)
        job = worker.in_work()
        job.deaths += lost.reason == "died"
        if lost.reason != "died" or job.deaths > 1:
            worker.queue.remove(job)
            self.done[job.index] = job.item, lost
        self.again.extendleft(reversed(worker.queue))


class _Worker(Generic[Item]):
    def __init__(self) -> None:
        self.queue: deque[_Job[Item]] = deque()
        self.n_bytes = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.pipe: Connection
        self.begun: mmap.mmap
        self.said: Any = None
        self.n_answered = self.n_seen = 0
        self.since = 0.0

    def start(self, function: Callable[..., Any], memory: int | None) -> None:
        self.pipe, theirs = Pipe()
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        with tempfile.TemporaryFile() as counter:
            counter.truncate(8)
            self.begun = mmap.mmap(counter.fileno(), 8)
            pipe, begun = theirs.fileno(), counter.fileno()
            self.process = subprocess.Popen(
                [sys.executable, "-c", _BOOT.format(pipe=pipe, begun=begun, memory=memory)],
                pass_fds=[pipe, begun],
                stdin=subprocess.DEVNULL,
                stdout=self.said,
                stderr=self.said,
                env={**os.environ, **_ONE_THREAD},
                start_new_session=True,  # Ctrl-C is for the caller; it ends us by closing the pipe
            )
        theirs.close()
        try:
            self.pipe.send(sys.path)
            self.pipe.send(function)
            self.pipe.recv()
        except (EOFError, OSError):
            raise SmartdbError(f"a worker process cannot start: {self.stop()}") from None

    def has_room(self) -> bool:
        return len(self.queue) <= MAX_AHEAD - CHUNK and self.n_bytes < _MAX_AHEAD_BYTES

    def send(self, jobs: list[_Job[Item]]) -> None:
        if not self.queue:
            self.since = time.monotonic()
        data = pickle.dumps([job.item for job in jobs])
        for job in jobs:
            job.n_bytes = len(data) / len(jobs)
        self.n_bytes += len(data)
        self.queue.extend(jobs)
        with suppress(OSError):  # it has died; reading tells
            self.pipe.send_bytes(data)

    def receive(self) -> list[tuple[_Job[Item], Any]]:
        answers = self.pipe.recv()
        self.since = time.monotonic()
        self.n_answered += len(answers)
        told = [(self.queue.popleft(), answer) for answer in answers]
        self.n_bytes -= sum(job.n_bytes for job, _ in told)
        return told

    def in_work(self) -> _Job[Item]:
        """The job it has begun last, or is about to begin."""
        return self.queue[max(0, _read_count(self.begun) - self.n_answered - 1)]

    def seconds_on_item(self) -> float:
        """Since when it is known to be on the same item."""
        n = _read_count(self.begun)
        if n != self.n_seen:
            self.n_seen, self.since = n, time.monotonic()
        return time.monotonic() - self.since

    def stop(self) -> str:
        """Ends the process and tells how it ended, with the last it said."""
        if self.process is None:
            return ""
        self.pipe.close()
        try:
            code = self.process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        said = self._last_words()
        self.said.close()
        return f"its process ended with {how}" + (f": {said}" if said else "")

    def _last_words(self) -> str:
        if self.said.closed:
            return ""
        size = self.said.seek(0, os.SEEK_END)
        self.said.seek(max(0, size - 300))
        return " ".join(self.said.read().decode("utf-8", "replace").split())


def _read_count(begun: mmap.mmap) -> int:
    return int.from_bytes(begun[:8], "little")


def _death(how: str) -> Lost:
    """What the end of a process says of the item it worked on."""
    return Lost("too_large" if _OUT_OF_MEMORY.search(how) else "died", how)


def _serve(pipe: Connection, counter: int, memory: int | None) -> None:
    """What a worker process does: a function, then items, until the other end is closed."""
    begun, n = mmap.mmap(counter, 8), 0
    function = pipe.recv()
    if memory is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    pipe.send("ready")
    with suppress(EOFError, OSError):
        while True:
            answers = []
            items = pickle.loads(pipe.recv_bytes())
            due = time.monotonic() + _SECONDS_BETWEEN_ANSWERS
            os.lseek(2, 0, os.SEEK_SET)
            os.ftruncate(2, 0)  # keep only what is said about these
            for item in items:
                n += 1
                begun[:8] = n.to_bytes(8, "little")
                answers.append(_result(function, item))
                if time.monotonic() > due:
                    pipe.send(answers)
                    answers, due = [], time.monotonic() + _SECONDS_BETWEEN_ANSWERS
            pipe.send(answers)


def _result(function: Callable[[Any], Any], item: Any) -> Any:
    try:
        return function(item)
    except MemoryError:
        return Lost("too_large", "needs more memory than a worker may use")
    except Exception:  # it is told to the caller
        return _Raised(traceback.format_exc())
