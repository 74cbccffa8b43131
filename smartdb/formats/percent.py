"""Label Studio's percent of a picture's side and pixels, one into the other without loss.

A percentage is a decimal of any length here, since two doubles do not reach each other's values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

from smartdb.formats.decimals import decimal

PLACES = Context(prec=28)


def pixels(percent: Any, side: int) -> float:
    """Pixels of a percentage of a side; ValueError if it is no number."""
    if isinstance(percent, bool) or not isinstance(percent, int | float | Decimal):
        raise ValueError(f"{percent!r} is not a number")
    return float(PLACES.multiply(decimal(percent), Decimal(side).scaleb(-2)))


def percent(value: float, side: int) -> float | Decimal:
    """The percentage of a side that `pixels` reads as this value; a float if one does."""
    exact = PLACES.divide(PLACES.multiply(Decimal(value), Decimal(100)), Decimal(side))
    return float(exact) if pixels(float(exact), side) == value else exact


def dump(value: Any) -> str:
    """JSON in which decimals are numbers with all their digits."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(k))}: {dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple) and not all(isinstance(each, int) for each in value):
        return "[" + ", ".join(dump(each) for each in value) + "]"
    return json.dumps(value)
