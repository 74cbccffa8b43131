"""Terms of sources and media: stated, checked, and read at their strictest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from smartdb import licences, terms
from smartdb.errors import InvalidInput, NotFound, NothingToDo

Connection = psycopg.Connection[Any]


@pytest.fixture
def toys(conn: Connection) -> Connection:
    conn.execute("insert into core.source (name, uri) values ('toys', 'file:///toys')")
    conn.commit()
    return conn


def test_a_source_says_nothing_until_terms_are_stated(toys: Connection) -> None:
    [found] = terms.list_sources(toys)
    assert (found.licence, found.allowed_use, found.expires_at) == (None, None, None)


def test_what_is_not_named_stays_as_it_is(toys: Connection) -> None:
    terms.set_source(toys, "toys", licence="cc-by-4.0", allowed_use=["training"])
    terms.set_source(toys, "toys", expires_at=datetime(2027, 1, 1, tzinfo=UTC))
    [found] = terms.list_sources(toys)
    assert (found.licence, found.allowed_use) == ("CC-BY-4.0", ["training"])
    assert found.expires_at == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"licence": "CC BY 4.0"}, InvalidInput, "did you mean CC-BY-4.0?"),
        ({"consent_basis": "maybe"}, InvalidInput, "use one of"),
        ({"allowed_use": ["all of it"]}, InvalidInput, "a use is a word"),
        ({}, NothingToDo, "no terms are named"),
    ],
)
def test_terms_that_say_nothing_clear_are_refused(
    toys: Connection, changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said.replace("?", r"\?")):
        terms.set_source(toys, "toys", **changes)


def test_terms_of_an_unknown_source_are_refused(conn: Connection) -> None:
    with pytest.raises(NotFound, match="no source 'toys'"):
        terms.set_source(conn, "toys", jurisdiction="EU")


def test_a_licence_of_ones_own_has_a_name() -> None:
    assert licences.checked("LicenseRef-acme") == "LicenseRef-acme"
    assert licences.checked("mit or CC0-1.0") == "MIT OR CC0-1.0"


def test_the_command_states_and_shows_terms(toys: Connection, cli: Callable[..., Any]) -> None:
    stated = "--licence CC-BY-4.0 --consent contract --allow training,research --expires 2027-01-01"
    done = cli("source", "set", "toys", *stated.split(), "--jurisdiction", "EU", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["allowed_use"] == ["research", "training"]
    assert found["expires_at"] == "2027-01-01 00:00:00+00:00"
    assert "CC-BY-4.0" in cli("source", "list").stdout
    assert cli("source", "set", "toys", "--allow", "").stdout.splitlines()[1].split()[3] == "none"
    assert "(not stated)" in cli("source", "set", "toys", "--allow", "unknown").stdout
