"""Parallel work that survives the death of its processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from smartdb.errors import SmartdbError
from smartdb.workers import Lost, parallel

WORK = """
import os, signal, time

if "BREAK_WORK" in os.environ:
    raise ImportError("broken on purpose")

def double(n):
    return 2 * n

def fatal(n):
    if n == 13:
        os.write(2, b"thirteen is unlucky")
        os.kill(os.getpid(), signal.SIGKILL)
    return n

def fatal_once(item):
    n, flag = item
    if n == 13 and not os.path.exists(flag):
        open(flag, "w").close()
        os.kill(os.getpid(), signal.SIGSEGV)
    return n

def slow(n):
    time.sleep(60 if n == 13 else 0)
    return n

def faulty(n):
    return 1 / n

def large(n):
    return bytes(100_000)

def pid(n):
    time.sleep(0.02)
    return os.getpid()
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Functions in a module that the processes can import."""
    import importlib
    import sys

    (tmp_path / "work_of_workers.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("work_of_workers")
    del sys.modules["work_of_workers"]


def test_results_come_in_the_order_of_the_items(work: ModuleType) -> None:
    assert list(parallel(work.double, range(500), workers=2)) == [(n, 2 * n) for n in range(500)]


def test_without_items_no_process_starts(work: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartdb.workers._Worker.start", None)
    assert list(parallel(work.double, [], workers=2)) == []


def test_an_item_that_kills_its_process_is_lost_and_the_rest_goes_on(work: ModuleType) -> None:
    results = dict(parallel(work.fatal, range(100), workers=2))
    lost = results.pop(13)
    assert isinstance(lost, Lost)
    assert lost.reason == "died"
    assert lost.detail == "its process ended with signal SIGKILL: thirteen is unlucky"
    assert results == {n: n for n in range(100) if n != 13}


def test_an_item_whose_process_was_killed_by_chance_is_tried_again(
    work: ModuleType, tmp_path: Path
) -> None:
    items = [(n, str(tmp_path / "flag")) for n in range(30)]
    assert [result for _, result in parallel(work.fatal_once, items, workers=2)] == list(range(30))
    assert (tmp_path / "flag").exists()


def test_an_item_that_takes_too_long_is_lost_and_the_rest_goes_on(work: ModuleType) -> None:
    start = time.monotonic()
    results = dict(parallel(work.slow, range(40), workers=2, seconds=1.5))
    assert results.pop(13) == Lost("too_slow", "took longer than 1.5 s")
    assert results == {n: n for n in range(40) if n != 13}
    assert time.monotonic() - start < 20


def test_a_caller_that_is_slow_itself_loses_nothing(work: ModuleType) -> None:
    results = parallel(work.double, range(8), workers=1, seconds=1)
    next(results)
    time.sleep(1.5)
    assert [result for _, result in results] == [2, 4, 6, 8, 10, 12, 14]


def test_results_larger_than_a_pipe_do_not_block(work: ModuleType) -> None:
    items = [str(n) * 9000 for n in range(9)] * 20  # and items larger than one, too
    results = [result for _, result in parallel(work.large, items, workers=2)]
    assert results == [bytes(100_000)] * 180


def test_items_are_taken_only_so_far_ahead(work: ModuleType) -> None:
    taken = []

    def source() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    results = parallel(work.double, source(), workers=2, window=50)
    next(results)
    assert len(taken) <= 50
    results.close()


def test_a_function_that_raises_ends_the_work_with_its_traceback(work: ModuleType) -> None:
    with pytest.raises(SmartdbError, match="ZeroDivisionError"):
        list(parallel(work.faulty, [1, 0], workers=1))


def test_a_process_that_cannot_start_is_an_error_and_not_a_loss(
    work: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREAK_WORK", "1")
    with pytest.raises(SmartdbError, match=r"cannot start: .* exit status 1: .*broken on purpose"):
        list(parallel(work.double, [1], workers=1))


def test_processes_end_when_the_caller_stops_listening(work: ModuleType) -> None:
    results = parallel(work.pid, range(1000), workers=2)
    pids = {next(results)[1] for _ in range(10)}
    results.close()
    for pid in pids:
        assert isinstance(pid, int)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_an_idle_process_that_is_killed_is_replaced(work: ModuleType) -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2

    results = parallel(work.pid, source(), workers=1, window=1)
    _, pid = next(results)
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    _, other = next(results)
    assert other != pid
