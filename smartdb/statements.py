"""Named SQL statements, kept in ``smartdb/queries/<noun>.sql``.

A file is a row of statements, each opened by its name and one line of purpose::

    -- name: start
    -- Opens a run and returns its id.
    insert into core.run (kind) values (%(kind)s) returning run_id;

Parameters are psycopg's ``%(name)s``; any other percent sign (``like 'a%'``, ``format('%I')``,
the operator ``<%>``) is written once, as in psql.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString

from psycopg import sql

_QUERIES = Path(__file__).parent / "queries"
_HEAD = re.compile(r"^-- name:[ \t]*(?P<name>\w+)[ \t]*\n-- (?P<purpose>\S.*)\n", re.MULTILINE)
_PARAMETER = re.compile(r"%\(\w+\)[sbt]")
_PERCENT = re.compile(r"%%|%(?!\(\w+\)[sbt])")


def statement(noun: str, name: str) -> sql.SQL:
    """The statement ``name`` of ``queries/<noun>.sql``; a KeyError says which there are."""
    known = _statements(noun)
    if name not in known:
        raise KeyError(f"queries/{noun}.sql has no statement {name!r}, only {sorted(known)}")
    return known[name]


def names(noun: str) -> list[str]:
    """The names of the statements of ``queries/<noun>.sql``, in order."""
    return list(_statements(noun))


@cache
def _statements(noun: str) -> dict[str, sql.SQL]:
    path = _QUERIES / f"{noun}.sql"
    text = path.read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    if len(heads) != len(re.findall(r"^-- name:", text, re.MULTILINE)):
        raise ValueError(f"{path}: every '-- name: x' needs one comment line of purpose below it")
    found: dict[str, sql.SQL] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() : following.start() if following else len(text)]
        if head["name"] in found:
            raise ValueError(f"{path}: two statements are called {head['name']!r}")
        found[head["name"]] = sql.SQL(_escaped(body.strip().rstrip(";")))
    return found


def _escaped(text: str) -> LiteralString:
    """``text`` with literal percent signs as psycopg wants them: doubled beside parameters."""
    return _PERCENT.sub("%%" if _PARAMETER.search(text) else "%", text)
