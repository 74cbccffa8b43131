"""Erasing media: what goes, what is left, who may, and that no kill changes the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import disposal, erasure, lineage, subjects, thumbnails
from smartdb.database import connect
from smartdb.errors import AccessDenied, InvalidInput, NotFound, NothingToDo

Connection = psycopg.Connection[Any]
N = 16

WORLD = (Path(__file__).parent / "erasure.sql").read_bytes()

CONTENT = (Path(__file__).parent / "content.sql").read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    at = tmp_path / "pictures"
    at.mkdir()
    for i in range(1, 2 * N + 1):
        (at / f"{i}.png").write_bytes(b"bytes %d" % i)
        for size in (64, 256):
            kept = thumbnails.cache_path(sha256(b"bytes %d" % i).digest(), size)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(b"small")
    return at


@pytest.fixture
def officer(owner: Connection, folder: Path, as_role: Callable[[str], Connection]) -> Connection:
    """A connection as smartdb_privacy to the world."""
    with psycopg.ClientCursor(owner) as cursor:
        cursor.execute(WORLD, {"uri": folder.as_uri(), "n": N})
    owner.commit()
    return as_role("smartdb_privacy")


def left(owner: Connection, ids: list[int]) -> list[str]:
    return [row[0] for row in owner.execute(CONTENT, {"ids": ids})]


def test_nothing_is_left_of_a_media_and_what_derives_from_it(
    officer: Connection, owner: Connection, folder: Path
) -> None:
    assert len(set(left(owner, [2, N + 2]))) == 21
    owner.commit()
    [done] = erasure.erase(officer, media_ids=[2], reason="asked for")
    assert left(owner, [2, N + 2]) == []
    assert done.report["media"] == 2
    assert (done.report["labels"], done.report["vectors"], done.report["predictions"]) == (3, 2, 1)
    assert (folder / "2.png").exists()
    assert done.report["left"] == [(folder / "2.png").as_uri()]
    assert not (folder / f"{N + 2}.png").exists(), "smartdb made it, so it goes"
    assert list(folder.parent.rglob(f"{sha256(b'bytes 2').hexdigest()}_*")) == []
    assert len(set(left(owner, [1, 3]))) == 21


KEPT = {"core.media_location", "core.restriction", "core.dataset_item"}
"""What may name an erased media: places until their files are gone, and that it was, and where."""


def test_each_table_that_names_media_is_thought_of(owner: Connection) -> None:
    found = owner.execute(
        "select distinct c.oid::regclass::text from pg_class as c"
        " join pg_attribute as a on a.attrelid = c.oid"
        " where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p')"
        " and not c.relispartition and a.attname = 'media_id'"
    )
    row = owner.execute("select prosrc from pg_proc where proname = 'erase_rows'").fetchone()
    assert row is not None
    named = {name.replace("embedding_1", "embedding_%s") for (name,) in found}
    assert {name for name in named if f"{name} " not in row[0]} == KEPT


def test_original_files_go_only_on_request_and_only_with_these_bytes(
    officer: Connection, folder: Path
) -> None:
    (folder / "3.png").write_bytes(b"another picture by now")
    [done] = erasure.erase(officer, media_ids=[2, 3], reason="asked for", delete_files=True)
    assert not (folder / "2.png").exists()
    assert (folder / "3.png").exists()
    assert (done.report["left"], done.report["files_deleted"]) == ([], 4)


def test_the_report_names_every_version_and_model(officer: Connection, owner: Connection) -> None:
    [done] = erasure.erase(officer, subject="ana", reason="consent withdrawn")
    [version] = done.report["versions"]
    assert (version["dataset"], version["version"], version["n_erased"]) == ("d", 1, 3)
    [model] = done.report["models"]
    assert (model["model"], model["n_trained_on"]) == ("m", 3)
    digests = owner.execute(
        "select dataset, digest = smartdb.dataset_digest(dataset, version)"
        " from smartdb.dataset_version order by dataset"
    ).fetchall()
    assert digests == [("d", False), ("other", True)]


def test_a_sealed_version_still_reads_and_the_next_is_digested_anew(
    officer: Connection, conn: Connection, owner: Connection
) -> None:
    from smartdb import datasets

    erasure.erase(officer, media_ids=[2], reason="asked for")
    items = conn.execute("select media_id, class from smartdb.dataset_item_at('d', 1)").fetchall()
    assert len(items) == N
    assert dict(items)[2] is None
    conn.commit()
    made = datasets.create_version(conn, "d")
    assert (made.version, made.n_items) == (2, N - 1)
    counted = owner.execute("select smartdb.dataset_digest('d', 2)").fetchone()
    assert counted == (made.digest,)


def test_an_erased_media_is_seen_by_nobody_but_its_end_is_known(
    officer: Connection, owner: Connection, as_role: Callable[[str], Connection]
) -> None:
    erasure.erase(officer, media_ids=[2], reason="asked for")
    for role in ("smartdb_reader", "smartdb_writer", "smartdb_privacy", "smartdb_owner"):
        seen = as_role(role).execute("select media_id from smartdb.media where media_id in (1, 2)")
        assert seen.fetchall() == [(1,)], role
    steps = lineage.lineage(as_role("smartdb_reader"), 2)
    assert [step.what for step in steps if step.step in ("dataset", "erased")] == [
        "d version 1",
        "request 1",
    ]
    counts = owner.execute("select counts -> 'media' from core.run where kind = 'erase'").fetchone()
    assert counts == (2,)


def test_the_key_of_a_subject_is_written_nowhere_else(
    officer: Connection, owner: Connection
) -> None:
    assert subjects.add(officer, "secret-key", [5, 6]) == 2
    assert subjects.remove(officer, "secret-key", [6]) == 1
    officer.commit()
    erasure.erase(officer, subject="secret-key", reason="asked for")
    found = owner.execute(
        "select e::text from core.erasure as e union all select r::text from core.run as r"
    )
    assert not any("secret-key" in row[0] for row in found)
    asked = owner.execute("select asked from core.erasure").fetchone()
    assert asked == (f"subject {erasure.subject_hash('secret-key')}",)
    with pytest.raises(NothingToDo) as caught:
        erasure.erase(officer, subject="secret-key", reason="asked for")
    assert "secret-key" not in str(caught.value)


def test_a_source_is_erased_with_what_derives_from_it(
    officer: Connection, owner: Connection, folder: Path
) -> None:
    asked = erasure.preview(officer, source="pictures").report
    assert (asked["media"], asked["derived"], asked["files"], asked["managed_files"]) == (
        32,
        16,
        16,
        16,
    )
    [done] = erasure.erase(officer, source="pictures", reason="contract ended", delete_files=True)
    assert left(owner, [*range(1, 2 * N + 1)]) == []
    assert done.report["media"] == 2 * N
    assert list(folder.iterdir()) == []


def test_a_derivative_alone_names_the_parent_that_is_left(officer: Connection) -> None:
    [done] = erasure.erase(officer, media_ids=[N + 2], reason="asked for")
    assert (done.report["media"], done.report["parents_left"]) == (1, [2])


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({"media_ids": [1], "source": "pictures"}, InvalidInput),
        ({}, InvalidInput),
        ({"media_ids": [1], "reason": " "}, InvalidInput),
        ({"media_ids": [1, 999]}, NotFound),
        ({"source": "nowhere"}, NotFound),
        ({"subject": "nobody"}, NothingToDo),
    ],
)
def test_what_is_not_clear_erases_nothing(
    officer: Connection, owner: Connection, what: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        erasure.erase(officer, **{"reason": "asked for", **what})
    assert owner.execute("select from core.tombstone").fetchall() == []


@pytest.mark.parametrize(
    "role", ["smartdb_reader", "smartdb_annotator", "smartdb_reviewer", "smartdb_writer"]
)
def test_only_the_privacy_officer_erases_and_sees_subjects(
    officer: Connection, role: str, as_role: Callable[[str], Connection]
) -> None:
    assert subjects.media_of(officer, "ana") == [2, 3, 4]
    officer.commit()
    other = as_role(role)
    with pytest.raises(AccessDenied):
        erasure.erase(other, media_ids=[2], reason="asked for")
    other.rollback()
    with pytest.raises(AccessDenied):
        subjects.media_of(other, "ana")


def test_history_of_a_media_that_was_not_erased_stays_as_it_was(
    officer: Connection, owner: Connection
) -> None:
    erasure.erase(officer, media_ids=[2], reason="asked for")
    for statement in (
        "update core.label set shape = null where media_id = 1 and kind = 'caption'",
        "update core.label set shape = '{\"text\": \"x\"}' where media_id = 2 and kind = 'caption'",
    ):
        with pytest.raises(psycopg.Error, match="was closed at revision"):
            owner.execute(statement.encode())
        owner.rollback()


def test_a_kill_at_any_moment_changes_nothing_in_the_end(
    officer: Connection, owner: Connection, database: str, folder: Path
) -> None:
    officer.commit()
    calls = 1
    while killed_at(calls, database, media_id=N - calls):
        erasure.erase(officer, media_ids=[N - calls], reason="asked for", delete_files=True)
        calls += 1
    assert 8 < calls < N - 4
    assert left(owner, [*range(N - calls, N), *range(2 * N - calls, 2 * N)]) == []
    reports = [
        {
            name: n
            for name, n in report.items()
            if isinstance(n, int) and name not in ("neighbours", "pairs")
        }
        for (report,) in owner.execute(
            "select report from core.erasure where finished_at is not null"
        )
    ]
    assert all(report == reports[0] for report in reports)
    unfinished = owner.execute("select from core.erasure where finished_at is null").fetchall()
    assert (unfinished, len(list(folder.iterdir()))) == ([], 2 * (N - len(reports)))


def killed_at(calls: int, url: str, media_id: int) -> bool:
    """Erases a media in a process that is killed at this call of what changes something."""
    pid = os.fork()
    if pid == 0:
        try:
            n = 0

            def counted(function: Callable[..., Any]) -> Callable[..., Any]:
                def call(*arguments: Any, **options: Any) -> Any:
                    nonlocal n
                    n += 1
                    if n == calls:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return function(*arguments, **options)

                return call

            erasure._one = counted(erasure._one)
            thumbnails.forget = counted(thumbnails.forget)  # type: ignore[assignment]
            disposal.dispose = counted(disposal.dispose)  # type: ignore[assignment]
            conn = connect(url, role="smartdb_privacy")
            erasure.erase(conn, media_ids=[media_id], reason="asked for", delete_files=True)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_a_vague_dry_run_is_refused_as_the_request_would_be(officer: Connection) -> None:
    for vague in ({}, {"media_ids": [2], "source": "pictures"}):
        with pytest.raises(InvalidInput, match="either media, or a source, or a subject"):
            erasure.preview(officer, **vague)  # type: ignore[arg-type]


def test_media_may_come_one_by_one(officer: Connection) -> None:
    erasure.erase(officer, media_ids=iter([3, 2]), reason="asked for")
    asked = officer.execute("select asked from core.erasure").fetchall()
    assert asked == [("media 2, 3",)]
