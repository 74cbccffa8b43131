"""What terms come to, and a dataset version that declares its use."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import datasets, terms
from smartdb.errors import UseRefused

Connection = psycopg.Connection[Any]

WORLD = (Path(__file__).parent / "purpose.sql").read_bytes()


@pytest.fixture
def world(conn: Connection) -> Connection:
    conn.execute(WORLD)
    conn.commit()
    return conn


def uses(conn: Connection, media_id: int) -> Any:
    [found] = terms.effective(conn, [media_id])
    return found["allowed_use"]


def refused(conn: Connection, purpose: str | None) -> dict[int, str]:
    return dict(terms.refused(conn, purpose))


def test_a_media_of_two_sources_may_be_used_as_both_allow(world: Connection) -> None:
    [found] = terms.effective(world, [7])
    assert found["allowed_use"] == ["training"]
    assert found["licence"] == "CC0-1.0 AND MIT"
    assert found["expires_at"].year == 2040
    assert found["reason"] == "strictest of the sources a, b"


def test_what_is_stated_for_a_media_replaces_its_sources(world: Connection) -> None:
    assert terms.set_media(world, [7], "letter", allowed_use=["publication"]) == 1
    [found] = terms.effective(world, [7])
    assert (found["allowed_use"], found["licence"]) == (["publication"], "CC0-1.0 AND MIT")
    assert found["reason"].startswith("stated for this media: letter")
    terms.set_media(world, [7], allowed_use=None)
    assert uses(world, 7) == ["training"]


def test_a_frame_has_the_terms_of_its_video(world: Connection) -> None:
    assert uses(world, 13) == ["publication", "training"]
    terms.set_media(world, [12], allowed_use=[])
    assert uses(world, 13) == []
    assert refused(world, "training").keys() == {12, 13, 15}


def test_a_hidden_parent_binds_what_derives_from_it(
    world: Connection, as_role: Callable[[str], Connection]
) -> None:
    world.execute("insert into core.restriction (media_id, reason) values (12, 'finding')")
    world.commit()
    reader = as_role("smartdb_reader")
    assert uses(reader, 13) == ["publication", "training"]
    assert refused(reader, "research").keys() == {*range(5, 12), 13, 15}


def test_each_refusal_says_why(world: Connection) -> None:
    terms.set_source(world, "a", allowed_use=None)
    terms.set_media(world, [11], consent_basis="withdrawn")
    terms.set_media(world, [12], expires_at=terms.moment("2020-05-01"))
    found = refused(world, "training")
    assert found[2] == "no allowed uses are stated (source a)"
    assert found[11] == "consent is withdrawn"
    assert found[12] == found[13] == "the right ended 2020-05-01"
    assert refused(world, None).keys() == {11, 12, 13}


def test_the_set_and_the_view_agree(world: Connection) -> None:
    terms.set_media(world, [2], allowed_use=["research"])
    terms.set_media(world, [12], expires_at="infinity", consent_basis="withdrawn")
    terms.set_source(world, "b", expires_at=terms.moment("2020-01-01"))
    for use in ("training", "research", "publication"):
        expected = world.execute(
            "select media_id from smartdb.media_terms where not coalesce("
            "%s = any (allowed_use) and coalesce(expires_at > now(), true)"
            " and consent_basis is distinct from 'withdrawn', false)",
            [use],
        ).fetchall()
        assert refused(world, use).keys() == {row[0] for row in expected}


def test_a_version_without_a_purpose_asks_nobody(world: Connection) -> None:
    made = datasets.create_version(world, "d", ontology="things")
    assert (made.n_items, made.purpose) == (14, None)


def test_a_version_names_the_media_that_refuse_its_purpose(world: Connection) -> None:
    with pytest.raises(UseRefused, match=r"^9 media .* \(media 5: research is not allowed \(so"):
        datasets.create_version(world, "d", ontology="things", purpose="research")
    assert datasets.list_versions(world) == []


def test_refused_media_are_left_out_on_request_and_counted(world: Connection) -> None:
    made = datasets.create_version(
        world, "d", ontology="things", purpose="research", leave_out_refused=True
    )
    assert (made.n_items, made.counts["left_out"], made.purpose) == (5, 9, "research")


def test_a_member_whose_right_ends_is_refused_next_time(world: Connection) -> None:
    datasets.create_version(world, "d", ontology="things", purpose="training")
    terms.set_media(world, [3], expires_at=terms.moment("2020-01-01"))
    held = world.execute("select media_id, versions from smartdb.expired").fetchall()
    assert held == [(3, ["d 1"])]
    with pytest.raises(UseRefused, match="media 3: the right ended"):
        datasets.create_version(world, "d")
    made = datasets.create_version(world, "d", leave_out_refused=True)
    assert (made.version, made.n_items, made.counts["removed"]) == (2, 13, 1)


def test_declaring_a_purpose_makes_a_version_of_the_same_members(world: Connection) -> None:
    first = datasets.create_version(world, "d", ontology="things")
    second = datasets.create_version(world, "d", purpose="training")
    again = datasets.create_version(world, "d", purpose="training")
    assert (first.version, second.version, again.version) == (1, 2, 2)
    assert first.digest == second.digest


def test_media_whose_right_has_ended_are_hidden_until_it_goes_on(
    world: Connection, as_role: Callable[[str], Connection]
) -> None:
    officer = as_role("smartdb_privacy")
    terms.set_media(world, [3], expires_at=terms.moment("2020-01-01"))
    terms.set_media(world, [4], consent_basis="withdrawn")
    assert terms.hide_ended(officer) == {"hidden": 2, "shown": 0}
    officer.commit()
    assert terms.effective(world, [3, 4]) == []
    world.commit()
    assert refused(officer, None).keys() == {3, 4}
    terms.set_media(world, [3], expires_at="infinity")
    assert terms.hide_ended(officer) == {"hidden": 0, "shown": 1}
    officer.commit()
    assert uses(world, 3) == ["research", "training"]


def test_the_commands_show_and_refuse(world: Connection, cli: Callable[..., Any]) -> None:
    assert cli("terms", "set", "--where", "m.media_id = 2", "--allow", "").exit_code == 0
    assert "stated for this media" in cli("terms", "show", "--media", "2").stdout
    assert "training is not allowed" in cli("terms", "refused", "training").stdout
    create = ["dataset", "create", "d", "--ontology", "things", "--purpose", "training"]
    done = cli(*create)
    assert done.exit_code == 2
    assert re.search("1 media do not allow 'training'.*--leave-out-refused", done.stderr)
    done = cli(*create, "--leave-out-refused")
    assert "1 left out" in done.stderr
    assert cli("terms", "show").exit_code == 2
