"""XML as text: elements out of a tag, attributes and what is in them."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffc\ufffe\U00010000-\U0010ffff]")


def element(tag: str, *inside: str, **attributes: object) -> str:
    """An element; what is inside is XML already, attributes are values and None is left out."""
    said = "".join(f" {k}={quoteattr(str(v))}" for k, v in attributes.items() if v is not None)
    return f"<{tag}{said}>{''.join(inside)}</{tag}>" if inside else f"<{tag}{said}/>"


def words(tag: str, text: object) -> str:
    """An element with text in it."""
    return element(tag, escaped(str(text)))


def escaped(text: str) -> str:
    """Text as it stands inside an element."""
    return escape(text, {"\r": "&#13;"})


def is_illegal(text: str) -> bool:
    """Whether a text has characters that XML cannot have, such as control characters."""
    return _ILLEGAL.search(text) is not None


def is_lost(text: str) -> bool:
    """Whether a text does not come back from XML: control characters, or space around it."""
    return is_illegal(text) or text != text.strip()
