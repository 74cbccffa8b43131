"""Parallel work in processes of our own, that survives the death of any of them.

The processes are plain Python interpreters and not forks: they share no connection or lock with
the caller, and scripts need no ``if __name__ == "__main__"``. Each tells result by result, so the
item in work is known when a process dies or takes too long. They end when the caller does.
"""

from __future__ import annotations

import os
import pickle
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

MAX_AHEAD = 64
"""Items that are sent ahead to a worker; its queue is also bounded by bytes, so it never blocks."""

_MAX_AHEAD_BYTES = 64 << 10
_FEW = 4
_BOOT = (
    "import sys; from multiprocessing.connection import Connection; c = Connection({fd}); "
    "sys.path[:] = c.recv(); from smartdb.workers import _serve; _serve(c)"
)


@dataclass(frozen=True)
class Lost:
    """In place of a result: ``died`` (its process did, twice) or ``too_slow``; what was seen."""

    reason: str
    detail: str


@dataclass(frozen=True)
class _Raised:
    text: str


@dataclass
class _Job(Generic[Item]):
    index: int
    item: Item
    data: bytes
    deaths: int = 0


def parallel(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int,
    seconds: float = 60.0,
    window: int = 2000,
) -> Generator[tuple[Item, Result | Lost], None, None]:
    """Each item with ``function(item)``, in the order of the items, worked out by processes.

    ``function`` is named by its module, items and results are pickled. An item whose process dies
    is tried once more in a new one before it is `Lost`; one that takes longer than ``seconds`` is
    lost at once. At most ``window`` items are held. Processes start when the first item comes.
    SmartdbError when ``function`` raises (it should not) or the processes cannot start.
    """
    crew = _Crew[Item, Result](function, items, workers, seconds, window)
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
        seconds: float,
        window: int,
    ) -> None:
        self.function, self.workers = function, workers
        self.seconds, self.window = seconds, window
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
        while self.n_taken - self.n_told < self.window or self.again:
            worker = self._free_worker()
            if worker is None:
                return
            job = self._next_job()
            if job is None:
                return
            if worker.process is None:
                worker.start(self.function)
            worker.send(job)

    def _free_worker(self) -> _Worker[Item] | None:
        """The one with the shortest queue; a new one where all have some items waiting."""
        free = min(self.crew, key=lambda worker: len(worker.queue), default=None)
        if (free is None or len(free.queue) >= _FEW) and len(self.crew) < self.workers:
            free = _Worker[Item]()
            self.crew.append(free)
        return free if free and free.has_room() else None

    def _next_job(self) -> _Job[Item] | None:
        if self.again:
            return self.again.popleft()
        for index, item in self.source:
            self.n_taken += 1
            return _Job(index, item, pickle.dumps(item))
        return None

    def _receive(self) -> None:
        busy = {worker.pipe: worker for worker in self.crew if worker.queue}
        rest = min(worker.since for worker in busy.values()) + self.seconds - time.monotonic()
        ready = wait(list(busy), timeout=max(0.0, rest))
        for pipe in ready:
            self._read(busy[pipe])  # type: ignore[index]
        for pipe, worker in busy.items():
            if pipe not in ready and time.monotonic() - worker.since > self.seconds:
                self._lose(worker, Lost("too_slow", f"took longer than {self.seconds:g} s"))

    def _read(self, worker: _Worker[Item]) -> None:
        try:
            while worker.queue and worker.pipe.poll():
                answer = worker.receive()
                if isinstance(answer, _Raised):
                    raise SmartdbError(f"{worker.queue[0].item}: {answer.text}")
                job = worker.queue.popleft()
                self.done[job.index] = job.item, answer
        except (EOFError, OSError):
            how = worker.stop()
            worker.queue[0].deaths += 1
            self._lose(worker, Lost("died", how))

    def _lose(self, worker: _Worker[Item], lost: Lost) -> None:
        """Ends a worker; its other items are done again, as is the first on its first death."""
        worker.stop()
        self.crew.remove(worker)
        first, *rest = worker.queue
        if lost.reason == "died" and first.deaths < 2:
            rest = [first, *rest]
        else:
            self.done[first.index] = first.item, lost
        self.again.extendleft(reversed(rest))


class _Worker(Generic[Item]):
    def __init__(self) -> None:
        self.queue: deque[_Job[Item]] = deque()
        self.process: subprocess.Popen[bytes] | None = None
        self.pipe: Connection
        self.said: Any = None
        self.since = 0.0

    def start(self, function: Callable[..., Any]) -> None:
        self.pipe, theirs = Pipe()
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT.format(fd=theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=self.said,
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
        waiting = sum(len(job.data) for job in self.queue)
        return len(self.queue) < MAX_AHEAD and waiting < _MAX_AHEAD_BYTES

    def send(self, job: _Job[Item]) -> None:
        if not self.queue:
            self.since = time.monotonic()
        self.queue.append(job)
        with suppress(OSError):  # it has died; reading tells
            self.pipe.send_bytes(job.data)

    def receive(self) -> Any:
        answer = self.pipe.recv()
        self.since = time.monotonic()
        return answer

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
        if self.said.closed:
            return how
        said = self._last_words()
        self.said.close()
        return f"its process ended with {how}" + (f": {said}" if said else "")

    def _last_words(self) -> str:
        size = self.said.seek(0, os.SEEK_END)
        self.said.seek(max(0, size - 300))
        return " ".join(self.said.read().decode("utf-8", "replace").split())


def _serve(pipe: Connection) -> None:
    """What a worker process does: a function, then items, until the other end is closed."""
    function = pipe.recv()
    pipe.send("ready")
    try:
        while True:
            item = pickle.loads(pipe.recv_bytes())
            os.lseek(2, 0, os.SEEK_SET)
            os.ftruncate(2, 0)  # keep only what is said about the item in work
            pipe.send(_result(function, item))
    except (EOFError, OSError):
        return


def _result(function: Callable[[Any], Any], item: Any) -> Any:
    try:
        return function(item)
    except Exception:  # it is told to the caller
        return _Raised(traceback.format_exc())
