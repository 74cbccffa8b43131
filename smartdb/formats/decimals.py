"""Numbers of a file, calculated as the decimals they are, so that edges and sizes convert exactly.

A float's shortest text and back is the same float; 0.1 + 1 - 1 in floats is not. So a corner of
0.1 and a width of 0.2 are written as edges 0.1 and 0.3, and read as 0.1 and 0.2.
"""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation

MAX_EXPONENT = 400  # beyond that of any float
PLACES = Context(prec=60)  # more than two floats' digits at any distance that pixels have


def decimal(value: str | float | Decimal) -> Decimal:
    """A number of a file or of a label; ValueError says what it is instead."""
    try:
        found = Decimal(value.strip() if isinstance(value, str) else str(value))
    except InvalidOperation:
        raise ValueError(f"{str(value)[:40]!r} is not a number") from None
    if found.is_finite() and abs(found.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"{str(value)[:40]!r} is out of range")
    return found


def whole(text: str) -> int | None:
    """A count, size or number of a frame; None for what is none or has more than nine digits."""
    is_whole = text.isascii() and text.isdecimal() and len(text) <= 9
    return int(text) if is_whole else None


def total(*values: str | float | Decimal) -> Decimal:
    """The sum, exact; NaN or infinite if one of them is."""
    result = Decimal(0)
    for value in values:
        result = PLACES.add(result, decimal(value))
    return result


def difference(a: str | float | Decimal, b: str | float | Decimal) -> float:
    """a minus b: the difference of the decimals as a float. ValueError for what is no number."""
    try:
        return float(PLACES.subtract(decimal(a), decimal(b)))
    except InvalidOperation:  # of infinities
        return float("nan")


def text(value: float | Decimal) -> str:
    """The shortest text that reads as the same number, without exponent where it is short."""
    exact = decimal(value)
    if not exact.is_finite():
        return str(exact)
    plain = format(exact.normalize(PLACES), "f")
    return plain if len(plain) < 40 else str(exact)
