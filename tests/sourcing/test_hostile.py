"""Files made to kill a reader cost a row of the quarantine each, and nothing else."""

from __future__ import annotations

import importlib
import io
import zlib
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import config
from smartdb.ingest import ingest
from smartdb.quarantine import retry
from smartdb.workers import Lost, parallel

Connection = psycopg.Connection[Any]


def png(width: int, height: int, *more: tuple[bytes, bytes]) -> bytes:
    """A black PNG of one bit a pixel, and further chunks before its pixels."""
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    head = pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), *more, (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def tiff(side: int) -> bytes:
    """A TIFF whose single deflated strip holds side x side grey pixels."""
    strip = zlib.compress(bytes(side * side), 9)
    tags = [
        (256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 8), (262, 3, 1), (273, 4, 150),
        (277, 3, 1), (278, 4, side), (279, 4, len(strip)),
    ]  # fmt: skip
    entries = b"".join(pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\0" + pack("<IH", 8, len(tags)) + entries + bytes(4)
    return head.ljust(150, b"\0") + strip


def gif(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (1, 1)).save(buffer, "GIF")
    data = bytearray(buffer.getvalue())
    data[6:10] = pack("<HH", side, side)
    return bytes(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five bombs of some kilobytes each, and a picture."""
    at = tmp_path / "bombs"
    at.mkdir()
    (at / "huge.png").write_bytes(png(60_000, 60_000 // 8))  # 450 megapixels, told by the header
    (at / "large.png").write_bytes(png(13_000, 13_000))  # below the limit; 700 MB when decoded
    (at / "large.tif").write_bytes(tiff(12_000))
    (at / "canvas.gif").write_bytes(gif(65_535))
    text = b"a\0\0" + zlib.compress(bytes(80 << 20), 9)
    (at / "text.png").write_bytes(png(8, 8, (b"zTXt", text)))
    Image.linear_gradient("L").save(at / "good.png")
    return at


def test_bombs_end_as_too_large_in_little_memory_and_the_run_goes_on(
    conn: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTDB_WORKER_MEMORY", "400")
    counts = ingest(conn, folder, workers=1)
    refused = conn.execute("select uri, reason, detail from core.quarantine").fetchall()
    assert {uri.rpartition("/")[2]: reason for uri, reason, _ in refused} == {
        "huge.png": "too_large",
        "large.png": "too_large",
        "large.tif": "too_large",
        "canvas.gif": "too_large",
        "text.png": "too_large",
    }
    assert counts["added"] == 1
    assert any("SMARTDB_WORKER_MEMORY" in detail for *_, detail in refused)


def test_what_needed_more_memory_is_taken_when_it_is_there(
    conn: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("huge.png", "large.tif", "canvas.gif", "text.png"):
        (folder / name).unlink()
    monkeypatch.setenv("SMARTDB_WORKER_MEMORY", "400")
    assert ingest(conn, folder, workers=1)["refused"] == 1
    monkeypatch.setenv("SMARTDB_WORKER_MEMORY", "3000")
    counts = retry(conn, reason="too_large", workers=1)
    assert (counts["added"], counts["refused"]) == (1, 0)


def test_a_worker_that_wants_ten_gigabytes_is_refused_them() -> None:
    results = list(parallel(np.ones, [8, 10 << 30, 4], workers=1, memory=500 << 20))
    assert [isinstance(result, Lost) and result.reason for _, result in results] == [
        False,
        "too_large",
        False,
    ]


@pytest.mark.parametrize(
    ("memory", "workers", "given", "expected"),
    [
        (2 << 30, 2, None, 512 << 20),
        (16 << 30, 4, None, 2 << 30),
        (512 << 30, 8, None, 4 << 30),
        (16 << 30, 4, "300", 300 << 20),
    ],
)
def test_workers_share_half_of_the_memory(
    monkeypatch: pytest.MonkeyPatch, memory: int, workers: int, given: str | None, expected: int
) -> None:
    monkeypatch.setattr("smartdb.tuning.memory", lambda: memory)
    if given:
        monkeypatch.setenv("SMARTDB_WORKER_MEMORY", given)
    assert config.worker_memory(workers) == expected


WORK = """
import os

def dies_for_want_of_memory(n):
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'")
    os.abort()
"""


def test_a_decoder_that_aborts_for_want_of_memory_is_too_large(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "work_of_hostiles.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    function = importlib.import_module("work_of_hostiles").dies_for_want_of_memory
    ((_, lost),) = list(parallel(function, [1], workers=1))
    assert isinstance(lost, Lost)
    assert lost.reason == "too_large"
