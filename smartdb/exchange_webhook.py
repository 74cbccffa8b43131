"""Messages of Label Studio about annotations, signed, each taken in once.

The signature is HMAC-SHA256 with the secret SMARTDB_WEBHOOK_SECRET, over the time, a dot and the
body: ``X-Smartdb-Signature: t=1767225600,v1=<hex>``. One that is older or newer than `TOLERANCE` is
refused, and a body that came before changes nothing, whatever its time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import psycopg

from smartdb.errors import AccessDenied, InvalidInput
from smartdb.exchange_answers import Answer
from smartdb.exchange_in import Intake, refuse, said_to_answers, take
from smartdb.exchange_items import rows
from smartdb.exchange_label_studio import Said, id_of, said_in
from smartdb.formats.base import Problem

HEADER = "X-Smartdb-Signature"
TOLERANCE = 300
"""Seconds that a message may be under way, or its clock be wrong."""

WRITTEN = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED")
DELETED = ("ANNOTATION_DELETED", "ANNOTATIONS_DELETED")

_SIGNED = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


class Unsigned(AccessDenied):
    """the message is not signed with SMARTDB_WEBHOOK_SECRET, or too old; nothing was taken in"""

    status: ClassVar[int] = 401


def sign(secret: str, body: bytes, now: float | None = None) -> str:
    """The value of `HEADER` for a body."""
    at = int(time.time() if now is None else now)
    return f"t={at},v1={_digest(secret, at, body)}"


def check(secret: str | None, header: str | None, body: bytes, now: float | None = None) -> None:
    """Raises Unsigned unless the header signs the body, in time; without a secret nothing does."""
    match = _SIGNED.fullmatch(header or "")
    if not secret or match is None:
        raise Unsigned
    at = int(match[1])
    is_signed = hmac.compare_digest(_digest(secret, at, body), match[2])
    if not is_signed or abs((time.time() if now is None else now) - at) > TOLERANCE:
        raise Unsigned


def deliver(conn: psycopg.Connection[Any], body: bytes, event: Mapping[str, Any]) -> dict[str, int]:
    """Takes in a message that was checked; the counts of `exchange_in` that are not 0.

    Conflicts stay open. What cannot be taken in is kept. The caller owns the transaction.
    """
    action = event.get("action")
    if action not in (*WRITTEN, *DELETED):
        return {}
    if not rows(conn, "deliver", {"digest": hashlib.sha256(body).digest()}):
        return {"known": 1}
    intake = Intake(conn)
    if action in DELETED:
        take(intake, list(_deleted(intake, event)))
    else:
        found = [each for one in _messages(event) for each in said_in(one, f"{action}")]
        for each in found:
            if isinstance(each, Problem):
                refuse(intake, Answer(None, None, "", "", each.where), each.reason, each.detail)
        take(intake, said_to_answers(intake, [each for each in found if isinstance(each, Said)]))
    return {name: n for name, n in intake.receipt().counts.items() if n}


def _messages(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A message for each annotation; several come as two lists."""
    said, tasks = event.get("annotation"), event.get("task")
    if not isinstance(said, list):
        yield event
        return
    listed = tasks if isinstance(tasks, list) else [tasks]
    by_id = {each.get("id"): each for each in listed if isinstance(each, dict)}
    for each in said:
        number = each.get("task") if isinstance(each, dict) else None
        yield {"annotation": each, "task": by_id.get(number)}


def _deleted(intake: Intake, event: Mapping[str, Any]) -> Iterator[Answer]:
    """An answer that says nothing any more, for each annotation that was deleted."""
    listed = event.get("annotations", event.get("annotation"))
    for each in listed if isinstance(listed, list) else [listed]:
        number = id_of(each.get("id")) if isinstance(each, dict) else None
        if number is None:
            raise InvalidInput("a message about deleted annotations has a list of their ids")
        key = f"annotation {number}"
        found = rows(intake.conn, "answered_by", {"answer": key})
        if len(found) > 1:
            detail = f"{key} is known of {len(found)} exchanges; remove its labels here"
            refuse(intake, Answer(None, None, key, "", key), "ambiguous", detail)
        for exchange_id, media_id, actor in found[: len(found) == 1]:
            yield Answer(exchange_id, media_id, key, actor, key, is_based=None)


def _digest(secret: str, at: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
