"""Exchange, inwards: what people said in a label editor becomes labels here, in their names.

Each annotation is taken in whole or not at all, and what cannot be is kept as a refusal. One that
was taken in before, in the state it has, changes nothing; one older than that neither. What was
changed here meanwhile is never overwritten: it becomes a conflict, and a rule or a person decides.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from smartdb import exchange_cvat, exchange_label_studio, label_edits
from smartdb.errors import DatabaseError, InvalidInput, NotFound, SmartdbError, translated
from smartdb.exchange_answers import (
    Answer,
    Known,
    Label,
    Region,
    Rule,
    Step,
    changes,
    choose,
    compare,
    same,
    settled,
)
from smartdb.exchange_items import rows
from smartdb.exchange_label_studio import Said
from smartdb.formats import json_stream
from smartdb.formats.base import Problem
from smartdb.runs import run
from smartdb.statements import statement

PAGE = 200
"""Answers in a transaction."""

EXAMPLES = 5
COUNTS = (
    "answers", "known", "stale", "skipped", "refused", "added", "edited", "removed", "confirmed",
    "kept", "conflicts", "resolved", "tasks",
)  # fmt: skip


@dataclass(frozen=True)
class Receipt:
    """What was taken in: `COUNTS`, and some of what was refused."""

    counts: Mapping[str, int]
    refusals: Sequence[Problem] = field(default=())


@dataclass(frozen=True)
class _Exchange:
    """An exchange as answers need it."""

    exchange_id: int
    ontology: str
    people: Mapping[str, str]


@dataclass
class Intake:
    """What is needed while answers are taken in, and what was done."""

    conn: psycopg.Connection[Any]
    rule: Rule = "ask"
    people: Mapping[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    refusals: list[Problem] = field(default_factory=list)
    exchanges: dict[int, _Exchange | None] = field(default_factory=dict)

    def exchange(self, exchange_id: int | None) -> _Exchange | None:
        """The exchange of a number, if there is one."""
        if exchange_id is None:
            return None
        if exchange_id not in self.exchanges:
            found = rows(self.conn, "find", {"exchange_id": exchange_id})
            one = None
            if found:
                _, _, ontology, people, _ = found[0]
                one = _Exchange(exchange_id, ontology, {**(people or {}), **self.people})
            self.exchanges[exchange_id] = one
        return self.exchanges[exchange_id]

    def receipt(self) -> Receipt:
        """The numbers, none left out."""
        return Receipt({name: self.counts[name] for name in COUNTS}, tuple(self.refusals))


def receive(
    conn: psycopg.Connection[Any],
    path: Path,
    *,
    exchange_id: int | None = None,
    rule: Rule = "ask",
    people: Mapping[str, str] | None = None,
    actor: str | None = None,
) -> Receipt:
    """Takes in a file of Label Studio (JSON), or of CVAT (XML, or a zip of either kind).

    CVAT's files do not always tell the exchange, nor who annotated: say ``exchange_id`` and
    ``actor`` then. The ``rule`` for conflicts: ask (leave them open), ours, theirs, newest (by the
    clocks, where they tell), reviewed (the side that a reviewer has accepted, if only one is).
    InvalidInput for a file that is neither, before anything is written. Commits by pages: cut off,
    it goes on where it stopped when run again.
    """
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}; name one that the editor exported")
    intake = Intake(conn, rule, people or {})
    asked = {"path": str(path), "rule": rule, "exchange": exchange_id}
    with run(conn, "exchange_in", asked) as opened:
        if exchange_cvat.is_at(path):
            pages = _of_cvat(intake, path, exchange_id, actor)
        else:
            pages = _of_label_studio(intake, path)
        for page in pages:
            take(intake, page)
            conn.commit()
        receipt = intake.receipt()
        opened.counts.update(receipt.counts)
    return receipt


def take(intake: Intake, answers: Sequence[Answer]) -> None:
    """Takes in answers, each whole or not at all; the caller owns the transaction."""
    by: dict[int | None, list[Answer]] = defaultdict(list)
    for each in answers:
        by[each.exchange_id].append(each)
    for exchange_id, some in by.items():
        values = {"exchange_id": exchange_id, "media_ids": [a.media_id for a in some if a.media_id]}
        before = {(m, a): (d, t) for m, a, d, t in rows(intake.conn, "answers", values)}
        fresh = [
            a.media_id for a in some
            if a.media_id and before.get((a.media_id, a.key), (None,))[0] != _digest(a)
        ]  # fmt: skip
        known_of = _known(intake, values | {"media_ids": fresh}) if fresh else defaultdict(list)
        quiet: list[tuple[Answer, bytes]] = []
        n_kept = 0
        for each in some:
            intake.counts["answers"] += 1
            key = (each.media_id or 0, each.key)
            digest = _digest(each)
            known, said_at = before.get(key, (None, None))
            if each.problem is not None:
                refuse(intake, each, *each.problem)
            elif known == digest:
                intake.counts["known"] += 1
            elif known is not None and said_at and each.said_at and each.said_at < said_at:
                intake.counts["stale"] += 1
            elif (n := _n_kept(each, known_of[each.media_id or 0])) is not None:
                quiet.append((each, digest))
                n_kept += n
                before[key] = (digest, each.said_at)
            else:
                _take(intake, each, digest)
                before[key] = (digest, each.said_at)
                known_of |= _known(intake, values | {"media_ids": [each.media_id]})
        _keep_all(intake, quiet, n_kept)


def said_to_answers(intake: Intake, found: Sequence[Said]) -> list[Answer]:
    """What annotations of Label Studio say of media that may be seen."""
    wanted: dict[int, list[int]] = defaultdict(list)
    for each in found:
        exchange_id, media_id = each.ids
        if media_id is not None and intake.exchange(exchange_id):
            wanted[exchange_id or 0].append(media_id)
    sizes = {
        (exchange_id, media_id): (width, height)
        for exchange_id, ids in wanted.items()
        for media_id, width, height in rows(
            intake.conn, "sized", {"exchange_id": exchange_id, "media_ids": ids}
        )
    }
    answers = []
    for each in found:
        exchange = intake.exchange(each.ids[0])
        people = exchange.people if exchange else intake.people
        answers.append(exchange_label_studio.answer_of(each, sizes, people))
    return answers


def refuse(intake: Intake, answer: Answer, reason: str, detail: str) -> None:
    """Keeps what could not be taken in; its content only where the media may be seen."""
    exchange = intake.exchange(answer.exchange_id)
    may_see = exchange is not None and answer.media_id is not None and reason != "unknown_media"
    values = {
        "exchange_id": exchange.exchange_id if exchange else None,
        "media_id": answer.media_id if may_see else None,
        "place": answer.place, "reason": reason, "detail": _plain(detail)[:2000],
        "content": _jsonb(answer.content) if may_see else None,
    }  # fmt: skip
    rows(intake.conn, "refuse", values)
    intake.counts["refused"] += 1
    if len(intake.refusals) < EXAMPLES:
        intake.refusals.append(Problem(answer.place, reason, detail))


def _of_label_studio(intake: Intake, path: Path) -> Iterator[list[Answer]]:
    items = _read(path)
    first = next(items, None)
    if first is None or (isinstance(first, Problem) and first.reason == "broken_file"):
        why = first.detail if first else "it has no annotation"
        raise InvalidInput(f"{path.name} is no export of Label Studio or CVAT: {why}")
    for some in _pages(chain([first], items)):
        problems = [each for each in some if isinstance(each, Problem)]
        for each in problems:
            nobody = Answer(None, None, "", "", each.where)
            refuse(intake, nobody, each.reason, each.detail)
        yield said_to_answers(intake, [each for each in some if isinstance(each, Said)])


def _read(path: Path) -> Iterator[Said | Problem]:
    from decimal import Decimal

    try:
        for number, value in enumerate(json_stream.elements(path, Decimal), 1):
            yield from exchange_label_studio.said_in(value, f"{path.name}#{number}")
    except json_stream.BrokenJson as error:
        yield Problem(path.name, "broken_file", f"{error}; the rest is not read")


def _of_cvat(
    intake: Intake, path: Path, exchange_id: int | None, actor: str | None
) -> Iterator[list[Answer]]:
    file = exchange_cvat.read(path)
    number = exchange_id or file.exchange_id
    if number is None:
        raise InvalidInput(
            f"{path.name} does not tell which exchange it belongs to; say --exchange, see: smartdb "
            "exchange list"
        )
    if intake.exchange(number) is None:
        raise NotFound(f"no exchange {number}; see: smartdb exchange list")
    who = actor or file.actor
    if not who:
        raise InvalidInput(f"{path.name} does not tell who annotated; say --actor")
    named = rows(intake.conn, "named", {"exchange_id": number})
    yield from _pages(exchange_cvat.answers(file, number, who, named))


def _take(intake: Intake, answer: Answer, digest: bytes) -> None:
    """Takes in one answer in a savepoint; what the database refuses becomes a refusal."""
    before = Counter(intake.counts)
    try:
        with intake.conn.transaction():
            if not answer.actor:
                raise InvalidInput("who annotated is not said; say --actor or --person")
            if not answer.is_skipped:
                _apply(intake, answer)
            else:
                intake.counts["skipped"] += 1
            _do(intake, "answer", answer, said_at=answer.said_at, digest=digest)
            state = "skipped" if answer.is_skipped else "done"
            intake.counts["tasks"] += _end_task(intake, answer, state)
    except SmartdbError as error:
        if isinstance(error, DatabaseError) and not isinstance(error.__cause__, psycopg.DataError):
            raise
        intake.counts.clear()
        intake.counts.update(before)
        reason = "unknown_class" if "no class " in str(error) else "refused"
        refuse(intake, answer, reason, str(error))


def _apply(intake: Intake, answer: Answer) -> None:
    about = {"exchange_id": answer.exchange_id, "media_ids": [answer.media_id]}
    found = _known(intake, about)[answer.media_id or 0]
    bases = {each.object_id: each.now or each.base for each in found}
    compared = compare(_meant(answer, found, bases), found)
    for step in compared.steps:
        _step(intake, answer, step)
    _add(intake, answer, compared.new)


def _known(intake: Intake, about: Mapping[str, Any]) -> dict[int, list[Known]]:
    """What both sides know of some media, by media."""
    found: dict[int, list[Known]] = defaultdict(list)
    for media_id, *rest in rows(intake.conn, "known", about):
        found[media_id].append(Known(*rest))
    return found


def _n_kept(answer: Answer, known: Sequence[Known]) -> int | None:
    """How many things an answer leaves as they are, if it changes nothing at all; else None."""
    if answer.is_skipped or not answer.actor:
        return None
    bases = {each.object_id: each.now or each.base for each in known}
    compared = compare(_meant(answer, known, bases), known)
    is_kept = all(s.verb == "keep" and s.known.now_id == s.known.label_id for s in compared.steps)
    return len(compared.steps) if is_kept and not compared.new else None


def _keep_all(intake: Intake, answers: Sequence[tuple[Answer, bytes]], n_kept: int) -> None:
    """Keeps that answers were taken in, and ends their tasks, all at once; else one by one."""
    about = [
        {
            "exchange_id": each.exchange_id, "media_id": each.media_id, "answer": each.key,
            "actor": each.actor, "said_at": each.said_at, "digest": digest, "state": "done",
        }
        for each, digest in answers
    ]  # fmt: skip
    try:
        with translated(), intake.conn.transaction(), intake.conn.cursor() as cursor:
            cursor.executemany(statement("exchange", "answer"), about)
            cursor.executemany(statement("exchange", "end_task"), about)
            n_tasks = max(cursor.rowcount, 0)
    except SmartdbError:
        for each, digest in answers:
            _take(intake, each, digest)
        return
    intake.counts["tasks"] += n_tasks
    intake.counts["kept"] += n_kept


def _meant(answer: Answer, known: Sequence[Known], bases: Mapping[int, Label | None]) -> Answer:
    """The answer with labels as the editor meant them, beside what was known of the same things."""
    by_key = {each.region: each.object_id for each in known if each.answer in ("", answer.key)}
    regions = []
    for each in answer.regions:
        object_id = by_key.get(each.key, each.object_id)
        before = bases.get(object_id) if object_id is not None else None
        regions.append(Region(each.key, settled(each.label, before), each.object_id))
    return replace(answer, regions=regions)


def _step(intake: Intake, answer: Answer, step: Step) -> None:
    known, theirs = step.known, step.theirs
    if step.verb == "keep":
        intake.counts["kept"] += 1
        if same(known.now, theirs.label if theirs else None) and known.now_id != known.label_id:
            _agree(intake, answer, known, known.now_id)
    elif step.verb == "conflict":
        _dispute(intake, answer, step)
    elif step.verb == "remove":
        assert known.now_id is not None  # else it would be kept
        label_edits.remove(intake.conn, known.now_id, answer.actor, _why(answer))
        _agree(intake, answer, known, None)
        intake.counts["removed"] += 1
    elif theirs is not None and known.now is None:
        _add(intake, answer, [theirs])
    elif theirs is not None and known.now is not None:
        _edit(intake, answer, step, known.now, theirs)


def _edit(intake: Intake, answer: Answer, step: Step, now: Label, theirs: Region) -> None:
    """An edit, or a person's word for what a model had said."""
    asked = {"confidence": None} if step.verb == "confirm" else changes(now, theirs.label)
    known = step.known
    if step.verb == "confirm" and known.now_id is not None and _says_already(intake, answer, now):
        intake.counts["kept"] += 1
        return
    assert known.now_id is not None  # else it would be added
    label_id = label_edits.edit(intake.conn, known.now_id, answer.actor, asked, _why(answer))
    _agree(intake, answer, known, label_id)
    is_new = label_id != known.now_id
    intake.counts[("edited" if step.verb == "edit" else "confirmed") if is_new else "kept"] += 1


def _says_already(intake: Intake, answer: Answer, now: Label) -> bool:
    """Whether the person has said this class of the media in a label of their own."""
    if now["kind"] != "classification":
        return False
    return bool(_do(intake, "says", answer, class_name=now["class"]))


def _dispute(intake: Intake, answer: Answer, step: Step) -> None:
    known, theirs = step.known, step.theirs
    label = None if theirs is None else {k: v for k, v in theirs.label.items() if v is not None}
    ((conflict_id,),) = _do(
        intake, "dispute", answer, region=known.region, known_answer=known.answer,
        object_id=known.object_id, label_id=known.label_id,
        theirs=None if label is None else Jsonb(label), said_at=answer.said_at,
    )  # fmt: skip
    intake.counts["conflicts"] += 1
    choice = choose(intake.rule, answer, known, datetime.now(UTC))
    if choice is not None:
        values = {"conflict_id": conflict_id, "choice": choice, "actor": None}
        rows(intake.conn, "resolve", values | {"reason": f"rule: {intake.rule}"})
        intake.counts["resolved"] += 1


def _add(intake: Intake, answer: Answer, regions: Sequence[Region]) -> None:
    """Regions that are new become labels of the person who drew them."""
    if not regions:
        return
    assert answer.media_id is not None  # else it would have been refused
    exchange = intake.exchange(answer.exchange_id)
    labels = [{k: v for k, v in each.label.items() if v is not None} for each in regions]
    ontology = exchange.ontology if exchange else None
    added = label_edits.add(intake.conn, answer.media_id, answer.actor, labels, ontology=ontology)
    found = rows(intake.conn, "objects", {"label_ids": added})
    for each, (label_id, object_id) in zip(regions, found, strict=True):
        _do(intake, "know", answer, region=each.key, object_id=object_id, label_id=label_id)
    intake.counts["added"] += len(found)


def _agree(intake: Intake, answer: Answer, known: Known, label_id: int | None) -> None:
    values = {"exchange_id": answer.exchange_id, "media_id": answer.media_id}
    values |= {"answer": known.answer, "region": known.region}  # type: ignore[dict-item]
    rows(intake.conn, "agree", values | {"label_id": label_id})


def _end_task(intake: Intake, answer: Answer, state: str) -> int:
    return len(_do(intake, "end_task", answer, state=state))


def _do(intake: Intake, name: str, answer: Answer, **values: Any) -> list[tuple[Any, ...]]:
    about = {
        "exchange_id": answer.exchange_id, "media_id": answer.media_id, "answer": answer.key,
        "actor": answer.actor,
    }  # fmt: skip
    return rows(intake.conn, name, about | values)


def _why(answer: Answer) -> str:
    return f"said in the editor, exchange {answer.exchange_id}"


def _digest(answer: Answer) -> bytes:
    """Of what an answer says: not when, and not how it was written."""
    said = [(each.key, each.label, each.object_id) for each in answer.regions]
    text = json.dumps([said, answer.is_skipped, answer.is_based, answer.actor], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()


def _jsonb(value: Any) -> Jsonb | None:
    """A value as jsonb; None for what Postgres cannot hold."""
    text = json.dumps(value, default=float, ensure_ascii=False)
    if "\\u0000" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return None
    return Jsonb(value, dumps=lambda plain: json.dumps(plain, default=float))


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _pages(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, PAGE)):
        yield some
