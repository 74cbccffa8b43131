"""Large JSON files piece by piece: the members of the outermost object, lists element by element.

Python's own scanner reads each element out of a window of text, so a file of any length takes the
memory of its largest element, at the speed of ``json.load`` (see benchmarks/labels.py).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from smartdb.errors import SmartdbError

WINDOW = 1 << 20
"""Characters that are read at once."""

MAX_ELEMENT = 64 << 20
"""Longest element in characters; a longer one is taken for a string that never ends."""

_SPACE = re.compile(r"[ \t\n\r]*")
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class BrokenJson(SmartdbError):
    """the JSON is broken"""


def members(path: Path) -> Iterator[tuple[str, int | None, Any]]:
    """(key, index, value) of the outermost object: each element of a list, else the whole value.

    The index of what is in no list is None; an empty list gives nothing. What is not UTF-8
    comes as lone surrogates (as of ``os.fsdecode``). BrokenJson says what is wrong at which byte;
    what came before it was right.
    """
    with path.open("rb") as file:
        yield from _Window(file).members()


def elements(path: Path, parse_float: Callable[[str], Any] = float) -> Iterator[Any]:
    """Each element of the outermost list, or of one value after another (JSON lines) each.

    As `members`; numbers with a point are made by ``parse_float``.
    """
    with path.open("rb") as file:
        window = _Window(file)
        window.scan = json.JSONDecoder(parse_float=parse_float).scan_once  # type: ignore[attr-defined]
        yield from window.elements()


class _Window:
    """A part of the text of a file that moves forward; ``at`` is the place in it."""

    def __init__(self, file: IO[bytes]) -> None:
        head = file.read(4)
        mark = next((m for m in _MARKS if head.startswith(m)), b"")
        file.seek(len(mark))
        self.file, self.encoding = file, _MARKS.get(mark, "utf-8")
        self.errors = "surrogateescape" if self.encoding == "utf-8" else "strict"
        self.decoder = codecs.getincrementaldecoder(self.encoding)(self.errors)
        self.scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
        self.text, self.at, self.passed, self.is_all = "", 0, len(mark), False

    def members(self) -> Iterator[tuple[str, int | None, Any]]:
        self._expect("{")
        if self._next() == "}":
            return
        while True:
            key = self._value()
            if not isinstance(key, str):
                raise self._broken("a key is no text")
            self._expect(":")
            if self._next() == "[":
                for index, value in enumerate(self._elements()):
                    yield key, index, value
            else:
                yield key, None, self._value()
            if self._expect(",}") == "}":
                return

    def elements(self) -> Iterator[Any]:
        if self._next() == "[":
            yield from self._elements()
        else:
            yield self._value()
            while self._next():
                yield self._value()
        if self._next():
            raise self._broken("something follows the end")

    def _elements(self) -> Iterator[Any]:
        self._expect("[")
        if self._next() == "]":
            self.at += 1
            return
        while True:
            yield self._value()
            if self.text[self.at : self.at + 1] == ",":  # the usual case, for speed
                self.at += 1
            elif self._expect(",]") == "]":
                return

    def _next(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            match = _SPACE.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text) or not self._more():
                return self.text[self.at : self.at + 1]

    def _expect(self, characters: str) -> str:
        found = self._next()
        if not found or found not in characters:
            wanted = " or ".join(characters)
            raise self._broken(f"{wanted} is expected" + ("" if found else ", but it ends"))
        self.at += 1
        return found

    def _value(self) -> Any:
        """The next value; more is read until it ends before the window does."""
        if self.text[self.at : self.at + 1] != "{":
            self._next()
        while True:
            try:
                value, end = self.scan(self.text, self.at)
                if end + 2 < len(self.text) or not self._more():  # "1.5" may be part of 1.5e-3
                    self.at = end
                    return value
                continue
            except StopIteration as error:
                place, what = error.value, "a value is expected"
            except json.JSONDecodeError as error:
                place, what = error.pos, error.msg
            except (ValueError, ArithmeticError, RecursionError) as error:  # of a hostile number
                raise self._broken(str(error) or type(error).__name__) from error
            is_open = what.startswith("Unterminated string") or place > len(self.text) - 16
            if not is_open or len(self.text) - self.at > MAX_ELEMENT or not self._more():
                self.at = place
                raise self._broken(what)

    def _more(self) -> bool:
        """Drops what lies behind and reads on, as much again as is kept; False at the end."""
        if self.is_all:
            return False
        kept = self.text[self.at :]
        self.passed += self._n_bytes(self.at)
        data = self.file.read(max(WINDOW, len(kept)))
        self.is_all = not data
        self.text, self.at = kept, 0
        try:
            self.text += self.decoder.decode(data, final=self.is_all)
        except UnicodeDecodeError as error:
            raise self._broken(f"what follows is no {self.encoding}") from error
        return True

    def _n_bytes(self, characters: int) -> int:
        return len(self.text[:characters].encode(self.encoding, self.errors))

    def _broken(self, what: str) -> BrokenJson:
        return BrokenJson(
            f"the JSON is broken at byte {self.passed + self._n_bytes(self.at)}: {what}"
        )
