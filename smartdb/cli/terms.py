"""Commands about lawfulness: source list and set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.terms import StatedTerms, Terms

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_STATED = (
    click.option("--licence", help="SPDX expression such as CC-BY-4.0, or LicenseRef-NAME."),
    click.option(
        "--consent", help="Legal basis for pictures of people: consent, contract, ..., withdrawn."
    ),
    click.option(
        "--allow", help='Uses that are allowed, such as training,research; "" is none, or unknown.'
    ),
    click.option("--expires", help="When the right ends, such as 2027-01-01 (UTC), or never."),
    click.option("--jurisdiction", help="Whose law applies, such as EU."),
)


def _stated(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that state terms."""
    for option in reversed(_STATED):
        command = option(command)
    return command


@click.group()
def source() -> None:
    """State on what terms the media of a source may be used, and list what was stated."""


@source.command("list")
@_AS_JSON
def list_(as_json: bool) -> None:
    """List the terms of each source."""
    from smartdb import database, terms

    with database.session("smartdb_reader") as conn:
        found = terms.list_sources(conn)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    output.table(map(_row, found), _COLUMNS)


@source.command("set")
@click.argument("name")
@_stated
@_AS_JSON
def set_(name: str, as_json: bool, **given: str | None) -> None:
    """State terms of the source NAME; what is not given stays as it is."""
    from smartdb import database, terms

    with database.session() as conn:
        terms.set_source(conn, name, **parsed(**given))
        found = [each for each in terms.list_sources(conn) if each.source == name]
    if as_json:
        output.print_json(asdict(found[0]))
        return
    output.table(map(_row, found), _COLUMNS)


def parsed(
    *,
    licence: str | None = None,
    consent: str | None = None,
    allow: str | None = None,
    expires: str | None = None,
    jurisdiction: str | None = None,
) -> Terms:
    """The terms that the options state, and no others."""
    from smartdb.terms import moment

    found: dict[str, Any] = {}
    texts = {"licence": licence, "consent_basis": consent, "jurisdiction": jurisdiction}
    found.update({name: text or None for name, text in texts.items() if text is not None})
    if allow is not None:
        found["allowed_use"] = None if allow == "unknown" else names(allow)
    if expires is not None:
        found["expires_at"] = None if expires in ("", "never") else moment(expires)
    return found  # type: ignore[return-value]


def names(text: str) -> list[str]:
    """The words of a list such as a,b."""
    return sorted({word.strip() for word in text.split(",") if word.strip()})


_COLUMNS = ["source", "licence", "consent", "allowed", "expires", "jurisdiction", "strip", "forbid"]


def _row(found: StatedTerms) -> list[object]:
    allowed = "(not stated)" if found.allowed_use is None else _listed(found.allowed_use) or "none"
    return [
        found.source,
        found.licence,
        found.consent_basis,
        allowed,
        found.expires_at and found.expires_at.isoformat(" ", "minutes"),
        found.jurisdiction,
        _listed(found.strip_metadata),
        _listed(found.forbidden_finding),
    ]


def _listed(words: list[str]) -> str:
    return ", ".join(words)
