"""Projects: queues with priorities, answers of several people, leases that renew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from smartdb import ontology, projects, queues, tasks
from smartdb.database import connect
from smartdb.errors import AccessDenied, Conflict, InvalidInput, LeaseLost, NotFound
from smartdb.queues import Ask

Conn = psycopg.Connection
AsRole = Callable[[str], Conn]


@pytest.fixture
def pets(conn: Conn) -> Conn:
    """A project that asks two people about each picture, nothing of it yet."""
    ontology.create(conn, "pets", ["cat", "dog"])
    projects.create(conn, "pets", "pets", overlap=2, instructions="What is it?")
    conn.commit()
    return conn


def ids(found: list[tasks.Task]) -> list[int]:
    return [task.media_id for task in found]


def test_a_project_says_what_it_asks_and_refuses_what_makes_no_sense(pets: Conn) -> None:
    found = projects.find(pets, "pets")
    assert (found.overlap, found.instructions, found.kinds) == (
        2,
        "What is it?",
        ["classification"],
    )
    projects.change(pets, "pets", depth=4, gold_share=0.1)
    assert (projects.find(pets, "pets").depth, projects.find(pets, "pets").overlap) == (4, 2)
    pets.commit()
    for error, call in (
        (Conflict, lambda: projects.create(pets, "pets", "pets")),
        (NotFound, lambda: projects.create(pets, "cars", "cars")),
        (InvalidInput, lambda: projects.create(pets, "x", "pets", gold_share=0.9)),
        (InvalidInput, lambda: projects.create(pets, "x", "pets", overlap=0)),
        (InvalidInput, lambda: projects.create(pets, "x", "pets", predicate="m.nothing > 1")),
        (InvalidInput, lambda: projects.change(pets, "pets", ontology="cars")),
        (NotFound, lambda: projects.close(pets, "cars")),
    ):
        with pytest.raises(error):
            call()
        pets.rollback()


def test_each_media_is_asked_of_as_many_people_as_said_and_of_nobody_twice(pets: Conn) -> None:
    asks = [Ask(i, i / 10) for i in (1, 2, 3)]
    assert queues.ask(pets, "pets", asks) == {"media": 3, "tasks": 6, "gold": 0}
    assert queues.ask(pets, "pets", asks)["tasks"] == 0
    assert ids(tasks.claim(pets, "ana", n=10, project="pets")) == [3, 2, 1]
    assert tasks.claim(pets, "ana", n=10, project="pets") == []
    assert ids(tasks.claim(pets, "bo", n=2)) == [3, 2]
    assert ids(tasks.claim(pets, "cy", n=10)) == [1]
    with pytest.raises(psycopg.errors.UniqueViolation, match="task_person_key"):
        pets.execute(
            "update core.task set assignee_id = (select actor_id from core.actor"
            " where name = 'ana') where media_id = 3"
        )


def test_a_lease_is_renewed_and_taken_back_until_somebody_else_claims(pets: Conn) -> None:
    queues.ask(pets, "pets", [Ask(1)])
    (task,) = tasks.claim(pets, "ana", lease=timedelta(microseconds=1))
    assert tasks.renew(pets, task.task_id, "ana", timedelta(hours=1)) > task.lease_until
    assert ids(tasks.claim(pets, "bo")) == [1]  # the other slot
    tasks.renew(pets, task.task_id, "ana", timedelta(microseconds=1))
    (again,) = tasks.claim(pets, "cy")
    assert again.task_id == task.task_id
    pets.commit()
    with pytest.raises(LeaseLost, match="leased to cy, not leased to ana"):
        tasks.renew(pets, task.task_id, "ana")
    pets.rollback()
    with pytest.raises(InvalidInput, match="cannot lease a task for 00:00:00"):
        tasks.renew(pets, task.task_id, "cy", timedelta(0))


def test_the_time_of_a_lease_is_the_servers_whatever_a_client_says(pets: Conn) -> None:
    queues.ask(pets, "pets", [Ask(1)])
    pets.execute("set local timezone = 'Pacific/Kiritimati'")
    (task,) = tasks.claim(pets, "ana", lease=timedelta(minutes=5))
    row = pets.execute(
        "select lease_until - clock_timestamp() < interval '5 minutes',"
        " claimed_at <= clock_timestamp()"
        " from core.task where task_id = %s", [task.task_id],
    ).fetchone()  # fmt: skip
    assert row == (True, True)


def test_what_one_gives_back_goes_to_another_and_the_reason_is_kept(pets: Conn) -> None:
    queues.ask(pets, "pets", [Ask(1)])
    (task,) = tasks.claim(pets, "ana")
    tasks.give_back(pets, task.task_id, "ana", "not my field")
    row = pets.execute(
        "select state, reason, assignee from smartdb.task where task_id = 1"
    ).fetchone()
    assert row == ("open", "not my field", "ana")
    assert tasks.claim(pets, "ana", n=5) == []
    assert [t.task_id for t in tasks.claim(pets, "bo")] == [task.task_id]
    tasks.skip(pets, task.task_id, "bo", "all black")
    row = pets.execute(
        "select state, reason, assignee from smartdb.task where task_id = 1"
    ).fetchone()
    assert row == ("skipped", "all black", "bo")


def test_only_reviewers_give_a_task_to_somebody(pets: Conn, as_role: AsRole) -> None:
    queues.ask(pets, "pets", [Ask(1)])
    (task,) = tasks.claim(pets, "ana")
    pets.commit()
    with pytest.raises(AccessDenied):
        tasks.reassign(as_role("smartdb_annotator"), task.task_id, "bo")
    reviewer = as_role("smartdb_reviewer")
    tasks.reassign(reviewer, task.task_id, "bo", timedelta(hours=2))
    reviewer.commit()
    with pytest.raises(LeaseLost, match="leased to bo"):
        tasks.skip(pets, task.task_id, "ana")
    pets.rollback()
    with pytest.raises(InvalidInput, match="bo was asked about media 1 in this project before"):
        tasks.reassign(pets, task.task_id + 1, "bo")


def test_of_a_closed_project_nothing_is_claimed(pets: Conn) -> None:
    queues.ask(pets, "pets", [Ask(1)])
    projects.close(pets, "pets")
    assert tasks.claim(pets, "ana") == []
    pets.commit()
    with pytest.raises(InvalidInput, match="project pets was closed"):
        tasks.claim(pets, "ana", project="pets")
    pets.rollback()
    with pytest.raises(NotFound, match="no project cars"):
        tasks.claim(pets, "ana", project="cars")
    pets.rollback()
    with pytest.raises(InvalidInput, match="project 'pets' is closed"):
        queues.ask(pets, "pets", [Ask(2)])
    projects.close(pets, "pets", is_closed=False)
    assert ids(tasks.claim(pets, "ana", project="pets")) == [1]


def test_a_queue_is_kept_at_its_depth_the_oldest_first(pets: Conn) -> None:
    projects.change(pets, "pets", depth=3, predicate="m.media_id <> 2")
    assert queues.fill(pets, "pets") == {"media": 3, "tasks": 6, "gold": 0, "waiting": 3}
    assert queues.fill(pets, "pets")["media"] == 0
    assert ids(tasks.claim(pets, "ana", n=2)) == [1, 3]
    assert queues.fill_all(pets)["media"] == 0  # the second answer of 1 and 3 waits still
    assert ids(tasks.claim(pets, "bo", n=2)) == [1, 3]
    assert queues.fill_all(pets) == {"media": 2, "tasks": 4, "gold": 0, "waiting": 3}
    assert ids(tasks.claim(pets, "cy", n=9)) == [4, 5, 6]


def test_what_has_waited_for_days_comes_before_what_is_new_and_wanted_more(pets: Conn) -> None:
    projects.change(pets, "pets", per_day=0.1)
    queues.ask(pets, "pets", [Ask(1, 0.5)])
    # as if two and a half days had gone by
    pets.execute("set local role smartdb_owner")
    pets.execute("update core.project set created_at = created_at - interval '60 hours'")
    pets.execute("set local role smartdb_writer")
    queues.ask(pets, "pets", [Ask(2, 0.7), Ask(3, 0.8)])
    assert ids(tasks.claim(pets, "ana", n=3)) == [3, 1, 2]


def test_progress_and_throughput_count_what_was_done_by_whom(pets: Conn) -> None:
    queues.ask(pets, "pets", [Ask(1), Ask(2)])
    first, second = tasks.claim(pets, "ana", n=2)
    tasks.submit_label(pets, first.task_id, "ana", "cat")
    tasks.skip(pets, second.task_id, "ana")
    (other,) = tasks.claim(pets, "bo")
    tasks.submit_label(pets, other.task_id, "bo", "dog")
    (row,) = projects.progress(pets, "pets")
    assert (row["n_media"], row["n_media_done"], row["n_tasks"]) == (2, 1, 4)
    assert (row["n_waiting"], row["n_leased"], row["n_done"], row["n_skipped"]) == (1, 0, 2, 1)
    assert row["share_done"] == 0.75
    rows = {r["actor"]: r for r in projects.throughput(pets)}
    assert (rows["ana"]["n_done"], rows["ana"]["n_skipped"], rows["bo"]["n_done"]) == (1, 1, 1)
    assert 0 <= rows["bo"]["median_seconds"] < 60


def test_sixteen_clients_answer_each_slot_once_and_no_person_twice(
    database: str, owner: Conn, pets: Conn
) -> None:
    owner.execute(
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
        " select sha256(i::text::bytea), 'image', 'image/png', 1, 1, 1, 1"
        " from generate_series(1, 40) as i"
    )
    owner.commit()
    queues.ask(pets, "pets", [Ask(i) for i in range(1, 51)])
    pets.commit()

    def work(number: int) -> list[tuple[str, int, int]]:
        me, got = f"person {number % 4}", []
        with connect(database, role="smartdb_annotator", autocommit=True) as mine:
            while some := tasks.claim(mine, me, n=1 + number % 3, project="pets"):
                got += [(me, task.media_id, task.task_id) for task in some]
        return got

    with ThreadPoolExecutor(16) as pool:
        got = [each for part in pool.map(work, range(16)) for each in part]
    claimed = Counter(task_id for _, _, task_id in got)
    assert len(claimed) == len(got)
    assert max(Counter((me, media) for me, media, _ in got).values()) == 1
    # who found nothing at one moment went home: what they left waits
    left = tasks.queue(pets, "label")
    assert len(got) + len(left) == 100
