"""Work for many annotators: claims at once, answers, and a page of a long queue."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import Figure, one, percentile, scratch, seconds, session, show
from smartdb import pages

CLIENTS = 64
RATE = 2000
"""Claims a second that 64 clients ask for together."""

FILL = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/png', 1, 9, 9, 1 from generate_series(1, {n}) as i;
insert into core.ontology (name) values ('pets');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, '');
insert into core.class (ontology_id, name, version_from) values (1, 'cat', 1), (1, 'dog', 1);
insert into core.actor (name, kind) values ('importer', 'import');
insert into core.actor (name, kind)
select 'annotator ' || i, 'person' from generate_series(0, 63) as i;
insert into core.project (name, ontology_id) values ('pets', 1);
insert into core.task (kind, media_id, project_id, priority)
select 'label', m.media_id, 1, hashint8(m.media_id) % 1000 / 1000.0 from core.media as m;
insert into core.label (media_id, class_id, origin, actor_id)
select m.media_id, 1, 'import', 1 from core.media as m;
insert into core.label_issue (media_id, label_id, kind, score, suggested_class_id, run_id)
select l.media_id, l.label_id, 'swapped', abs(hashint8(l.label_id) % 10007) / 10007.0, 2, 1
from core.label as l;
"""
CLAIM = "select task_id from smartdb.claim_task('annotator ' || :client_id, project => 'pets')"
BARE = """
update public.bare set state = 'claimed', by = {by} where id = (
    select id from public.bare where state = 'open' order by priority desc, id
    limit 1 for update skip locked) returning id
"""
REVIEWS = (
    "select * from smartdb.review_queue as q where (q.score < %s::real"
    " or (q.score = %s::real and q.issue_id > 0)) order by q.score desc, q.issue_id limit 50"
)


def main(quick: bool) -> None:
    """Prints what was measured with a million tasks (quick: 2,000)."""
    n, span = (2_000, 1.0) if quick else (1_000_000, 10.0)
    with scratch() as url:
        with session(url, "smartdb_owner") as conn:
            conn.execute(FILL.format(n=n).encode())
            conn.execute("set role none")
            conn.execute(
                "create table public.bare as"
                " select task_id as id, state, priority, 0 as by from core.task"
            )
            conn.execute("alter table public.bare add primary key (id)")
            conn.execute("create index on public.bare (priority desc, id) where state = 'open'")
            conn.execute("vacuum (analyze)")
        figures = [*_claims(url, span), *_pages(url, 20 if quick else 100)]
    show(f"{n:,} tasks and as many suspected labels", figures)


def _claims(url: str, span: float) -> list[Figure]:
    """At a given rate, then as fast as it goes, then a bare queue of the same size."""
    steady, steady_ms = _pgbench(url, CLAIM, span, RATE)
    most, _ = _pgbench(url, CLAIM, span)
    bare, _ = _pgbench(url, BARE.format(by=":client_id"), span)
    with session(url, "smartdb_owner") as conn:
        claimed = one(conn, "select count(*) from core.task where state = 'claimed'")
        answers = _answers(url, 10 if span < 2 else 300)
    asked = int(steady) + int(most)
    p95 = percentile(steady_ms, 0.95)
    twice = asked - claimed
    return [
        Figure("claims asked, 64 clients", steady / span, "claims/s", f"{RATE}"),
        Figure("claim, p95 of those", p95, "ms", "< 10 ms", p95 < 10),
        Figure(
            "claims as fast as it goes", most / span, "claims/s", f"> {RATE}", most / span > RATE
        ),
        Figure("claimed twice", twice, "", "0", twice == 0, f"of {asked:,}"),
        Figure("bare skip locked queue", bare / span, "claims/s", note="no person, no lease"),
        answers,
    ]


def _pgbench(
    url: str, script: str, span: float, rate: int | None = None
) -> tuple[float, list[float]]:
    """Transactions that 64 clients ended within ``span`` s, and the milliseconds of each.

    By pgbench, whose clients cost little of the machine that they share with the server.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "claim.sql"
        file.write_text(script.strip().rstrip(";") + ";\n")
        paced = ["-R", str(rate)] if rate else []
        command = [
            _program(), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", f"{span:g}",
            "-f", str(file), "-l", "--log-prefix", str(Path(folder) / "log"), *paced, url,
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        rows = [line.split() for log in Path(folder).glob("log.*") for line in log.open()]
    # a paced client's time counts from when it was due, so that waiting is not left out
    return len(rows), [int(row[2]) / 1000 for row in rows]


def _program() -> str:
    found = shutil.which("pgbench")
    if found:
        return found
    from smartdb import programs

    return str(programs.binaries() / "pgbench")


def _answers(url: str, n: int) -> Figure:
    """Claim and answer, one person after the other."""
    times = []
    with session(url, "smartdb_annotator") as mine:
        for _ in range(n):
            start = time.perf_counter()
            task = one(mine, "select task_id from smartdb.claim_task('annotator 1')")
            state = one(
                mine,
                "select state from smartdb.submit_task(%s, 'annotator 1', %s::jsonb, seconds => 2)",
                task, '[{"class": "cat"}]',
            )  # fmt: skip
            assert state == "accepted", state
            times.append((time.perf_counter() - start) * 1000)
    return Figure("claim and submit, one client, p95", percentile(times, 0.95), "ms")


def _pages(url: str, n: int) -> list[Figure]:
    """Pages of 50 anywhere in the first half of the queues, as the API asks for them."""
    with session(url, "smartdb_reader") as conn:
        ways: dict[str, Callable[[float], object]] = {
            "a page of waiting tasks": lambda place: pages.task_page(conn, "label", (place, 0), 50),
            "a page of the review queue": lambda place: conn.execute(
                REVIEWS.encode(), (place, place)
            ).fetchall(),
        }
        figures = []
        for name, ask in ways.items():
            times = [seconds(lambda i=i, ask=ask: ask(1 - (i % 20) / 40)) * 1000 for i in range(n)]
            p95 = percentile(times[1:], 0.95)
            figures.append(Figure(f"{name}, p95", p95, "ms", "< 20 ms", p95 < 20))
    return figures
