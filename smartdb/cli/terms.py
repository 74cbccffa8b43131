"""Commands about lawfulness: source, terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from psycopg import Connection

    from smartdb.terms import SourceTerms, StatedTerms, Terms

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
_POLICY = (
    click.option(
        "--strip",
        help="Metadata that clean copies replace: location, serial, thumbnail, maker_note, xmp, "
        'iptc, comment or all; "" is none.',
    ),
    click.option(
        "--forbid",
        help='Kinds of finding that hide a media while open, such as gps,face; "" is none.',
    ),
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
@_POLICY[0]
@_POLICY[1]
@_AS_JSON
def set_(
    name: str, as_json: bool, strip: str | None, forbid: str | None, **given: str | None
) -> None:
    """State terms of the source NAME; what is not given stays as it is.

    --strip and --forbid are for the privacy officer to state.
    """
    from smartdb import database, terms

    stated = cast("SourceTerms", parsed(**given))
    if strip is not None:
        stated["strip_metadata"] = names(strip)
    if forbid is not None:
        stated["forbidden_finding"] = names(forbid)
    role = database.WRITER if strip is None and forbid is None else "smartdb_privacy"
    with database.session(role) as conn:
        terms.set_source(conn, name, **stated)
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


def _text(value: Any) -> Any:
    return _listed(value) if isinstance(value, list) else value


def _listed(words: list[str]) -> str:
    return ", ".join(words)


@click.group()
def terms() -> None:
    """State terms of single media, show those that hold, and list what may not be used."""


MEDIA = click.option("--media", help="Media by id, such as 1,2.")
WHERE = click.option("--where", help="Media by a condition on smartdb.media read as m.")


@terms.command("set")
@MEDIA
@WHERE
@_stated
@click.option("--note", default="", help="Why they differ from their source's.")
def set_media(media: str | None, where: str | None, note: str, **given: str | None) -> None:
    """State terms of single media; they replace those of their sources. "" takes them back."""
    from smartdb import database
    from smartdb import terms as library

    stated = parsed(**given)
    if given.get("expires") == "never":
        stated["expires_at"] = "infinity"
    with database.session() as conn:
        n = library.set_media(conn, chosen(conn, media, where), note, **stated)
    output.say(f"terms of {n} media stated")


@terms.command()
@MEDIA
@WHERE
@_AS_JSON
def show(media: str | None, where: str | None, as_json: bool) -> None:
    """Show the terms that hold for media, and where they are from."""
    from smartdb import database
    from smartdb import terms as library

    with database.session("smartdb_reader") as conn:
        found = library.effective(conn, chosen(conn, media, where))
    if as_json:
        output.print_json(found)
        return
    columns = ["media_id", "licence", "consent_basis", "allowed_use", "expires_at", "jurisdiction"]
    output.table(
        ([_text(row[name]) for name in (*columns, "reason")] for row in found), [*columns, "reason"]
    )


@terms.command()
@click.argument("purpose", required=False)
@click.option("--limit", type=click.IntRange(1), help="At most.")
@_AS_JSON
def refused(purpose: str | None, limit: int | None, as_json: bool) -> None:
    """List the media whose terms do not allow PURPOSE; without one, those with an ended right."""
    from smartdb import database
    from smartdb import terms as library

    with database.session("smartdb_reader") as conn:
        found = library.refused(conn, purpose, limit)
    if as_json:
        output.print_json([{"media_id": media_id, "reason": reason} for media_id, reason in found])
    else:
        output.table(found, ["media_id", "reason"])


@terms.command()
def hide() -> None:
    """Hide the media whose right has ended, and show those again whose right goes on."""
    from smartdb import database
    from smartdb import terms as library

    with database.session("smartdb_privacy") as conn:
        done = library.hide_ended(conn)
    output.say(f"{done['hidden']} hidden, {done['shown']} shown again")


def chosen(conn: Connection[Any], media: str | None, where: str | None) -> list[int]:
    """The media that the options name."""
    from smartdb.terms import where as find

    if (media is None) == (where is None):
        raise click.UsageError("name media: either --media or --where")
    return find(conn, where) if where is not None else media_ids(media or "")


def media_ids(text: str) -> list[int]:
    """The numbers of a list such as 1,2."""
    try:
        return [int(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise click.UsageError(f"--media takes numbers such as 1,2, not {text!r}") from None
