"""XML read as a stream of elements, each with its line, and safe against bombs.

Nothing but the wanted elements is held in memory. Bytes that are not of the file's encoding spoil
the element they are in, not the file. Entities are refused (they expand without end, or read other
files), and so is nesting deeper than `MAX_DEPTH`.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from smartdb.formats import library
from smartdb.formats.base import Problem

CHUNK = 1 << 16
MAX_DEPTH = 100
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
REPLACED = "\ufffd"  # what a byte that is not of the encoding becomes


@dataclass(slots=True)
class Node:
    """An element with all that is in it. ``line`` is where it starts, from 1."""

    tag: str
    line: int
    attributes: dict[str, str]
    content: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text without space around it."""
        return "".join(self.content).strip()

    def find(self, path: str) -> Node | None:
        """The first element at a path such as "bndbox/xmin"; None if there is none."""
        tag, _, rest = path.partition("/")
        found = next((child for child in self.children if child.tag == tag), None)
        return found.find(rest) if found and rest else found

    def all(self, tag: str) -> list[Node]:
        """The elements of this tag directly in it."""
        return [child for child in self.children if child.tag == tag]

    def say(self, path: str, default: str = "") -> str:
        """The text of the first element at a path."""
        found = self.find(path)
        return default if found is None else found.text


def nodes(
    path: Path, tags: Collection[str], where: str, encoding: str | None = None
) -> Iterator[Node | Problem]:
    """The outermost elements of these tags in order, and what is wrong, as "where:line".

    ``encoding`` overrules what the file says. A file that breaks gives what came before the break.
    """
    parser = library("defusedxml.expatreader").create_parser()
    builder = _Builder(tags, where, parser)
    parser.setContentHandler(builder)
    try:
        with path.open(
            encoding=encoding or encoding_of(path), errors="replace", newline=""
        ) as file:
            parser.feed("")  # so that an empty file is an error
            while chunk := file.read(CHUNK):
                builder.is_suspect = builder.is_suspect or REPLACED in chunk
                parser.feed(chunk)
                yield from builder.take()
        parser.close()
    except (SAXException, ValueError, LookupError) as error:
        yield from builder.take()
        yield _broken(error, f"{where}:{parser.getLineNumber() or 1}")
    else:
        yield from builder.take()


def encoding_of(path: Path) -> str:
    """The encoding that a file declares by its first bytes or its XML declaration, else utf-8."""
    with path.open("rb") as file:
        head = file.read(200)
    for bom, name in BOMS.items():
        if head.startswith(bom):
            return name
    declared = re.match(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)", head)
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    return "utf-8" if name.startswith(("utf-16", "utf-32", "ucs")) else name  # it is in bytes


class _Builder(ContentHandler):
    """Makes nodes of what the parser reads."""

    def __init__(self, tags: Collection[str], where: str, locator: Any) -> None:
        super().__init__()
        self.locator = locator
        self.tags = tags
        self.where = where
        self.depth = 0
        self.is_suspect = False  # a damaged byte came; looking for it takes time
        self.stack: list[Node] = []
        self.done: deque[Node | Problem] = deque()

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SAXException(f"elements lie {self.depth} deep in each other")
        if self.stack or name in self.tags:
            self.stack.append(Node(name, self.locator.getLineNumber(), dict(attrs.items())))

    def characters(self, content: str) -> None:
        if self.stack:
            self.stack[-1].content.append(content)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802
        self.depth -= 1
        if not self.stack:
            return
        node = self.stack.pop()
        if self.is_suspect and _is_damaged(node):
            self.done.append(_damaged(node, self.where))
        elif self.stack:
            self.stack[-1].children.append(node)
        else:
            self.done.append(node)

    def take(self) -> Iterator[Node | Problem]:
        while self.done:
            yield self.done.popleft()


def _is_damaged(node: Node) -> bool:
    values = node.attributes.values()
    return any(REPLACED in text for text in node.content) or any(REPLACED in v for v in values)


def _damaged(node: Node, where: str) -> Problem:
    return Problem(
        f"{where}:{node.line}",
        "bad_row",
        f"<{node.tag}> has bytes that are not of the file's encoding; "
        "say which it is, such as --option encoding=latin-1",
    )


def _broken(error: Exception, where: str) -> Problem:
    if isinstance(error, library("defusedxml.common").DefusedXmlException):
        return Problem(where, "unsupported", f"declares entities, which may be a bomb: {error}")
    if isinstance(error, LookupError):
        return Problem(where, "unsupported", f"{error}; say --option encoding=...")
    message = error.getMessage() if isinstance(error, SAXException) else str(error)
    return Problem(where, "broken_file", f"not XML from here on: {message}; the rest is not read")
