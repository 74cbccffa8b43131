"""Refused files, and another try at them."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PIL import Image

from smartdb import images, walk
from smartdb.images import Refused
from smartdb.ingest import ingest
from smartdb.quarantine import refusals, retry

Connection = psycopg.Connection[Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    at = tmp_path / "pictures"
    at.mkdir()
    Image.linear_gradient("L").save(at / "good.png")
    (at / "cut.png").write_bytes((at / "good.png").read_bytes()[:200])
    (at / "empty.jpg").touch()
    return at


def test_refusals_are_listed_by_source_and_reason(conn: Connection, folder: Path) -> None:
    ingest(conn, folder, workers=1)
    assert {r.reason for r in refusals(conn)} == {"truncated", "empty_file"}
    (refusal,) = refusals(conn, source="pictures", reason="truncated")
    assert walk.path_of(refusal.uri) == os.fsencode(folder / "cut.png")
    assert refusal.n_bytes == 200
    assert refusals(conn, source="another") == []
    assert len(refusals(conn, limit=1)) == 1


def test_retry_reads_again_what_the_listing_takes_for_unchanged(
    conn: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: bytes) -> Refused:
        return Refused("too_large", "by another limit")

    with monkeypatch.context() as patch:
        patch.setattr("smartdb.ingest.parallel", in_turn)
        patch.setattr(images, "inspect", refuse)
        ingest(conn, folder)
    assert ingest(conn, folder, workers=1)["read"] == 0
    counts = retry(conn, reason="too_large", workers=1)
    assert (counts["added"], counts["refused"], counts["read"]) == (1, 2, 3)
    assert {r.reason for r in refusals(conn)} == {"truncated", "empty_file"}


def in_turn(function: Any, items: Any, **_: Any) -> Any:
    for item in items:
        yield item, function(item)


def test_retry_drops_files_that_are_gone(conn: Connection, folder: Path) -> None:
    ingest(conn, folder, workers=1)
    (folder / "cut.png").unlink()
    counts = retry(conn, workers=1)
    assert (counts["gone"], counts["refused"], counts["read"]) == (1, 1, 1)
    assert [r.reason for r in refusals(conn)] == ["empty_file"]


def test_retry_takes_repaired_files_out_of_quarantine(conn: Connection, folder: Path) -> None:
    ingest(conn, folder, workers=1)
    buffer = io.BytesIO()
    Image.radial_gradient("L").save(buffer, "PNG")
    (folder / "cut.png").write_bytes(buffer.getvalue())
    counts = retry(conn, source="pictures", reason="truncated", workers=1)
    assert (counts["added"], counts["refused"]) == (1, 0)
    assert ingest(conn, folder, workers=1)["known"] == 2


def test_retry_of_an_empty_quarantine_does_nothing(conn: Connection) -> None:
    assert not any(retry(conn).values())


def test_retry_leaves_frames_to_embed(conn: Connection, folder: Path) -> None:
    ingest(conn, folder, workers=1)
    conn.execute(
        "insert into core.quarantine (source_id, uri, reason, detail, run_id) "
        "select source_id, uri || '#frame=3', 'corrupt', 'as embed found it', run_id "
        "from core.quarantine where reason = 'truncated'"
    )
    conn.commit()
    retry(conn, workers=1)
    assert "corrupt" in {r.reason for r in refusals(conn)}
