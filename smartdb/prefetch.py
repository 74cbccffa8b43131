"""Taking things ahead: several iterators are read in threads, and told one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import Full, Queue
from threading import Event
from typing import TypeVar

Key = TypeVar("Key")
T = TypeVar("T")

_AHEAD = 4
_END = object()


def in_turn(
    sources: Iterable[tuple[Key, Callable[[], Iterator[T]]]], *, at_once: int
) -> Generator[tuple[Key, T | Exception], None, None]:
    """Each item of each source with the source's key, in the order of the sources and their items.

    ``at_once`` sources are read at a time, each at most a few items ahead, so memory does not
    depend on their number or length. What reading one raises comes as its last item.
    """
    remaining, stop = iter(sources), Event()
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="list")
    waiting: deque[tuple[Key, Queue[object]]] = deque()

    def start(n: int) -> None:
        for key, source in islice(remaining, n):
            queue: Queue[object] = Queue(_AHEAD)
            pool.submit(_read, source, queue, stop)
            waiting.append((key, queue))

    try:
        start(at_once)
        while waiting:
            key, queue = waiting.popleft()
            while (item := queue.get()) is not _END:
                yield key, item  # type: ignore[misc]
            start(1)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _read(source: Callable[[], Iterator[object]], queue: Queue[object], stop: Event) -> None:
    try:
        for item in source():
            if not _put(queue, item, stop):
                return
    except Exception as error:  # it is told to who takes the items
        _put(queue, error, stop)
    _put(queue, _END, stop)


def _put(queue: Queue[object], item: object, stop: Event) -> bool:
    while not stop.is_set():
        try:
            queue.put(item, timeout=0.1)
            return True
        except Full:
            continue
    return False
