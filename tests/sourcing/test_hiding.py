"""A media with a finding that its source forbids is hidden in the finding's own transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from smartdb import findings, terms
from smartdb.errors import AccessDenied, InvalidInput, NotFound, SealedError

Connection = psycopg.Connection[Any]
PRIVACY = "smartdb_privacy"


@pytest.fixture
def pictures(owner: Connection) -> None:
    """Media 1 to 3 in a source, 4 a video with frame 5; nothing is forbidden yet."""
    owner.execute(
        "insert into core.run (kind, code_version) values ('ingest', '0');"
        "insert into core.source (name, uri) values ('street', 'file:///s'), ('other', 'file:///o');"
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
        " select sha256(i::text::bytea), case i when 4 then 'video' else 'image' end,"
        " 'a/b', 9, 64, 64, 1"
        " from generate_series(1, 4) as i;"
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id,"
        " parent_media_id, frame_index, pts) values"
        " (sha256('5'), 'frame', 'image/png', 0, 64, 64, 1, 4, 0, 0);"
        "insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)"
        " select i, 1, 'file:///s/' || i, 9, now() from generate_series(1, 5) as i;"
    )
    owner.commit()


@pytest.fixture
def officer(as_role: Callable[[str], Connection], pictures: None) -> Connection:
    return as_role(PRIVACY)


def find(conn: Connection, media_id: int, kind: str = "face") -> int:
    row = conn.execute(
        "insert into core.finding (media_id, kind, run_id) values (%s, %s, 1) returning finding_id",
        [media_id, kind],
    ).fetchone()
    conn.commit()
    assert row
    return int(row[0])


def forbid(officer: Connection, *kinds: str, source: str = "street") -> None:
    terms.set_source(officer, source, forbidden_finding=list(kinds))
    officer.commit()


def seen(conn: Connection) -> list[int]:
    found = [m for (m,) in conn.execute("select media_id from smartdb.media order by 1")]
    conn.commit()
    return found


def test_a_forbidden_finding_hides_its_media_and_another_does_not(
    officer: Connection, conn: Connection
) -> None:
    forbid(officer, "face")
    find(conn, 1)
    find(conn, 2, "blurry")
    assert seen(conn) == [2, 3, 4, 5]
    assert seen(officer) == [1, 2, 3, 4, 5]


def test_no_other_session_ever_sees_it_with_its_finding(
    officer: Connection, conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    forbid(officer, "face")
    conn.execute("insert into core.finding (media_id, kind, run_id) values (1, 'face', 1)")
    assert conn.execute("select from smartdb.media where media_id = 1").fetchall() == []
    conn.commit()
    assert seen(as_role("smartdb_reader")) == [2, 3, 4, 5]


def test_a_new_policy_hides_what_was_found_before_and_a_milder_one_shows_it(
    officer: Connection, conn: Connection
) -> None:
    find(conn, 1)
    find(conn, 2, "gps")
    forbid(officer, "gps", "face")
    assert seen(conn) == [3, 4, 5]
    forbid(officer, "gps")
    assert seen(conn) == [1, 3, 4, 5]


def test_a_place_in_a_stricter_source_hides_what_lies_there(
    officer: Connection, conn: Connection
) -> None:
    find(conn, 1)
    forbid(officer, "face", source="other")
    locate = (
        "insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)"
        " values (%s, 2, 'file:///o/a', 9, now())"
        " on conflict (source_id, uri) do update set media_id = excluded.media_id"
    )
    conn.execute(locate, [3])
    assert seen(conn) == [1, 2, 3, 4, 5]
    conn.execute(locate, [1])  # the file holds it now
    assert seen(conn) == [2, 3, 4, 5]


def test_a_frame_hides_its_video_until_it_is_settled(officer: Connection, conn: Connection) -> None:
    forbid(officer, "face")
    finding = find(conn, 5)
    assert seen(conn) == [1, 2, 3]
    assert findings.resolve(officer, finding, "false")
    officer.commit()
    assert seen(conn) == [1, 2, 3, 4, 5]


def test_the_last_finding_that_is_settled_shows_the_media(
    officer: Connection, conn: Connection
) -> None:
    forbid(officer, "face", "gps")
    face, gps = find(conn, 1), find(conn, 1, "gps")
    assert not findings.resolve(officer, face, "accepted", "agreed on 1 May")
    assert findings.resolve(officer, gps, "false")
    officer.commit()
    assert seen(conn) == [1, 2, 3, 4, 5]
    assert not findings.resolve(officer, face, "open")
    officer.commit()
    assert seen(conn) == [2, 3, 4, 5]


def test_another_reason_keeps_it_hidden(officer: Connection, conn: Connection) -> None:
    forbid(officer, "face")
    face = find(conn, 1)
    conn.execute("insert into core.restriction (media_id, reason) values (1, 'consent')")
    conn.commit()
    assert not findings.resolve(officer, face, "accepted")


def test_what_cannot_be_settled_is_said(officer: Connection, conn: Connection) -> None:
    with pytest.raises(NotFound, match="no finding 99"):
        findings.resolve(officer, 99, "false")
    officer.rollback()
    with pytest.raises(InvalidInput, match="smartdb sanitise"):
        findings.resolve(officer, find(conn, 1), "removed")
    officer.rollback()
    conn.execute("update core.finding set resolution = 'removed' where media_id = 1")
    conn.commit()
    with pytest.raises(SealedError, match="clean copy"):
        findings.resolve(officer, 1, "accepted")


@pytest.mark.parametrize("role", ["smartdb_reader", "smartdb_annotator", "smartdb_reviewer"])
def test_only_the_officer_settles(
    role: str, officer: Connection, conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    finding = find(conn, 1)
    with pytest.raises(AccessDenied):
        findings.resolve(as_role(role), finding, "accepted")


def test_a_writer_can_neither_show_it_nor_change_the_policy(
    officer: Connection, conn: Connection
) -> None:
    forbid(officer, "face")
    finding = find(conn, 1)
    with pytest.raises(AccessDenied):
        findings.resolve(conn, finding, "accepted")
    conn.rollback()
    with pytest.raises(AccessDenied):
        terms.set_source(conn, "street", forbidden_finding=[])
    conn.rollback()
    conn.execute("delete from core.finding")  # it may derive findings anew, which shows nothing
    assert 1 not in seen(conn)


def test_a_policy_and_a_finding_at_the_same_time_do_not_miss_each_other(
    officer: Connection, conn: Connection
) -> None:
    conn.execute("insert into core.finding (media_id, kind, run_id) values (1, 'face', 1)")
    changing = threading.Thread(target=forbid, args=(officer, "face"))
    changing.start()
    changing.join(0.3)
    assert changing.is_alive()  # it waits for the writer in flight
    conn.commit()
    changing.join()
    assert 1 not in seen(conn)


def test_metadata_that_cannot_be_stripped_are_refused(officer: Connection) -> None:
    with pytest.raises(InvalidInput, match="no such metadata: 'faces'"):
        terms.set_source(officer, "street", strip_metadata=["faces"])
    with pytest.raises(InvalidInput, match="kind of finding"):
        terms.set_source(officer, "street", forbidden_finding=["Two words"])
