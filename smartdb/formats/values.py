"""Values of attributes as text, for formats in which every value is one."""

from __future__ import annotations

import json
from typing import Any


def value_of(text: str) -> Any:
    """What a text says: JSON if it is that, else the text itself.

    >>> value_of("true"), value_of("0003"), value_of('"7"'), value_of("NaN")
    (True, '0003', '7', 'NaN')
    """
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return value


def text_of(value: Any) -> str:
    """The text that `value_of` reads as this value.

    >>> text_of(True), text_of("cat"), text_of("7")
    ('true', 'cat', '"7"')
    """
    if isinstance(value, str) and value_of(value) == value and value.strip() == value:
        return value
    return json.dumps(value)
