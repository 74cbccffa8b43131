"""A second run over files that are all known: files a second, and memory that does not grow.

The rows are made by SQL and the listing by a generator, so what is measured is the comparing:
nothing is read, and no disk or store is listed. The bare loop holds all known files in a
dictionary and looks each listed one up.
"""

from __future__ import annotations

import itertools
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import psycopg

from benchmarks.harness import Figure, Took, scratch, seconds, show, took
from smartdb.database import connect
from smartdb.ingest import ingest
from smartdb.walk import Found

TARGET = 20_000
ROOT = "s3://bench/photos"
MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

_KNOWN = """
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/jpeg', 1000 + i %% 1000, 640, 480, %(run_id)s
from generate_series(%(first)s::bigint, %(last)s::bigint) as i
"""
_PLACES = """
insert into core.media_location
    (media_id, source_id, uri, n_bytes, modified_at, etag, seen_at)
select m.media_id, %(source_id)s,
    format(
        '%%s/%%s/%%s.jpg', %(root)s::text, lpad((i / 1000)::text, 4, '0'), lpad(i::text, 7, '0')
    ),
    1000 + i %% 1000, %(modified)s, '"' || i || '"', %(modified)s
from generate_series(%(first)s::bigint, %(last)s::bigint) as i
join core.media as m on m.sha256 = sha256(i::text::bytea)
"""


def main(quick: bool) -> None:
    """Prints files a second over known files and what memory that takes."""
    n = 20_000 if quick else 1_000_000
    with scratch() as url, connect(url, role="smartdb_owner") as owner, connect(url) as conn:
        _fill(owner, n)
        part = _again(conn, n // 10)  # the rest is missing then, and back in the next run
        small = _peak()
        back = _again(conn, n)
        again = _again(conn, n)
        growth = _peak() - small
    bare = n / _bare(n)  # last, for it takes much memory
    rate, by_cpu = n / again.wall, n / again.cpu if again.cpu else 0.0
    holds = True if rate >= TARGET else None if by_cpu >= TARGET else False
    busy = "within the target by cpu; the machine is busy" if holds is None else "nothing new"
    figures = [
        Figure("dictionary", bare, "files/s", note="all known files in memory, no database"),
        Figure("second run", rate, "files/s", f">= {TARGET:,}", holds, busy),
        Figure("second run by cpu", by_cpu, "files/s", note="seconds of client and server added"),
        Figure("second run / dictionary", rate / bare, ""),
        Figure("90 % are missing", n / part.wall, "files/s", note="known files compared or marked"),
        Figure("all are back", n / back.wall, "files/s"),
        Figure("memory for ten times as many", growth, "MB", "< 50", growth < 50, "peak, client"),
    ]
    show(f"A second run over {n:,} known files", figures)


def _fill(owner: psycopg.Connection[Any], n: int) -> None:
    values: dict[str, Any] = {"first": 0, "last": n - 1, "root": ROOT, "modified": MODIFIED}
    add_run = "insert into core.run (kind, code_version) values ('fill', '0') returning run_id"
    add_source = "insert into core.source (name, uri) values ('photos', %s) returning source_id"
    values["run_id"] = owner.execute(add_run).fetchone()[0]  # type: ignore[index]
    values["source_id"] = owner.execute(add_source, [ROOT]).fetchone()[0]  # type: ignore[index]
    owner.execute(_KNOWN.encode(), values)
    owner.execute("analyze core.media")
    owner.execute(_PLACES.encode(), values)
    owner.execute("analyze core.media_location")
    owner.commit()


def _listing(n: int) -> Iterator[Found]:
    for i in range(n):
        uri = f"{ROOT}/{i // 1000:04d}/{i:07d}.jpg"
        yield Found(b"", uri, 1000 + i % 1000, MODIFIED, etag=f'"{i}"')


def _again(conn: psycopg.Connection[Any], n: int) -> Took:
    """What a run takes that lists the first ``n`` files; cpu is that of client and server."""
    counts: dict[str, int] = {}
    own = time.process_time()
    with patch("smartdb.stores.listing", lambda _root, _tally: _listing(n)):
        spent = took(conn, lambda: counts.update(ingest(conn, ROOT)))
    own = time.process_time() - own
    assert (counts["known"], counts["read"]) == (n, 0), counts
    return Took(spent.wall, None if spent.cpu is None else spent.cpu + own)


def _bare(n: int) -> float:
    known = {each.uri: (each.n_bytes, each.etag) for each in _listing(n)}

    def compare() -> None:
        same = (known.get(each.uri) == (each.n_bytes, each.etag) for each in _listing(n))
        assert all(itertools.islice(same, n))

    return seconds(compare)


def _peak() -> float:
    """Megabytes of memory that this process took at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
