"""What the tests of label formats share: kinds of the items that a reader gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from smartdb.formats.base import Annotation, Problem

Make = Callable[[dict[str, Any]], Path]
"""What the fixture ``make`` is."""


def labels(items: Iterable[Any]) -> list[Annotation]:
    return [item for item in items if isinstance(item, Annotation)]


def problems(items: Iterable[Any]) -> list[tuple[str, str]]:
    return [(item.where, item.reason) for item in items if isinstance(item, Problem)]
