"""Ingest of the shared data, held against their manifest."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import walk
from smartdb.ingest import ingest

pytestmark = pytest.mark.shared

Connection = psycopg.Connection[Any]


def manifest(shared_data: Path, folder: str) -> dict[str, bytes]:
    """Path below the shared data → sha256."""
    with (shared_data / "MANIFEST.csv").open(newline="") as file:
        return {
            row["path"]: bytes.fromhex(row["sha256"])
            for row in csv.DictReader(file)
            if row["path"].startswith(folder + "/")
        }


def check_page(conn: Connection, folder: str, counts: dict[str, int]) -> None:
    """Holds the row of a folder in docs/how-to-sourcing.md against what was counted."""
    page = (Path(__file__).parents[2] / "docs" / "how-to-sourcing.md").read_text()
    row = re.search(rf"^\| {folder} \| (\d+) \| (\d+) \| (\d+) \| (.*)\|$", page, re.M)
    assert row is not None
    accepted = counts["added"] + counts["same_bytes"]
    numbers = (accepted + counts["refused"], accepted, counts["refused"])
    assert tuple(int(n) for n in row.groups()[:3]) == numbers
    reasons = conn.execute(
        "select count(*), reason from smartdb.quarantine group by reason order by reason"
    ).fetchall()
    assert row[4].strip() == ", ".join(f"{n} {reason}" for n, reason in reasons)


def located(conn: Connection, shared_data: Path) -> dict[str, bytes]:
    found = conn.execute("""
        select l.uri, m.sha256
        from core.media_location as l join core.media as m using (media_id)""").fetchall()
    conn.commit()
    root = os.fsencode(shared_data.resolve())
    return {os.path.relpath(walk.path_of(uri), root).decode(): sha256 for uri, sha256 in found}


def test_odd_images_are_taken_or_refused_for_a_reason(conn: Connection, shared_data: Path) -> None:
    counts = ingest(conn, shared_data / "odd_images")
    assert counts["added"] + counts["same_bytes"] + counts["refused"] == 337
    check_page(conn, "odd_images", counts)
    undecodable = "select count(*) from core.quarantine where reason <> 'unsupported'"
    assert conn.execute(undecodable).fetchone() == (34,)  # by the README of the data
    listed = manifest(shared_data, "odd_images")
    here = located(conn, shared_data)
    assert here.items() <= listed.items()
    refused = {
        uri.rsplit("/", 1)[1]: reason
        for uri, reason in conn.execute("select uri, reason from core.quarantine").fetchall()
    }
    assert len(here) + len(refused) == 337
    assert refused["decompression_bomb.gif"] == "too_large"
    assert refused["65536-uint32-limit.png"] == "too_large"
    assert refused["truncated_jpeg.jpg"] == refused["truncated.png"] == "truncated"
    assert refused["broken.png"] == "corrupt"
    assert ingest(conn, shared_data / "odd_images")["read"] == 0


def test_exif_of_all_kinds_is_read(conn: Connection, shared_data: Path) -> None:
    counts = ingest(conn, shared_data / "exif")
    check_page(conn, "exif", counts)
    assert counts["skipped"] == 6
    sizes = conn.execute("""
        select distinct m.width, m.height
        from core.media_location as l join core.media as m using (media_id)
        where l.uri like '%/Landscape_%'""").fetchall()
    assert len(sizes) == 1
    assert sizes[0][0] > sizes[0][1]
    with_place = conn.execute("""
        select count(*) filter (where l.uri like '%/gps/%'), count(*),
            bool_and((f.detail->>'latitude')::float between 43.4 and 43.5)
        from core.finding as f join core.media_location as l using (media_id)
        where f.kind = 'gps'""").fetchone()
    assert with_place == (9, 9, True)  # ianare's nine, all taken in Arezzo


def test_cifar10_is_taken_whole(conn: Connection, shared_data: Path) -> None:
    counts = ingest(conn, shared_data / "cifar10")
    listed = {p: h for p, h in manifest(shared_data, "cifar10").items() if p.endswith(".jpg")}
    check_page(conn, "cifar10", counts)
    assert counts["added"] + counts["same_bytes"] == len(listed) == 2319
    assert located(conn, shared_data) == listed


def test_clothing_is_taken_whole(conn: Connection, shared_data: Path) -> None:
    counts = ingest(conn, shared_data / "clothing_cc0")
    listed = {p: h for p, h in manifest(shared_data, "clothing_cc0").items() if "LICENSE" not in p}
    check_page(conn, "clothing_cc0", counts)
    assert counts["skipped"] == 1
    assert located(conn, shared_data) == listed
    assert len(listed) == 713
