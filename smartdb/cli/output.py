"""What commands print: tables and JSON on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click


def table(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> None:
    """Prints rows under their column names.

    A terminal gets a drawn table that fits it; a file or pipe gets aligned plain columns, none
    of them shortened.
    """
    cells = [[cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _draw(cells, columns)
        return
    lines = [list(columns), *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def print_json(value: Any) -> None:
    """Prints a value as JSON; times and paths become text."""
    click.echo(json.dumps(value, indent=2, default=str))


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; yields the function that advances it by n. Quiet where stderr is a file."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    parts = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda n: bar.advance(task, n)


@contextmanager
def counted(label: str, count: Callable[[], int] | None = None) -> Iterator[Callable[[int], None]]:
    """A bar that is told how many are done; the total is counted only where one sees it."""
    total = count() if count and sys.stderr.isatty() else None
    done = 0
    with progress(label, total) as advance:

        def tell(n: int) -> None:
            nonlocal done
            advance(n - done)
            done = n

        yield tell


def say(text: str) -> None:
    """Tells the user something, on stderr."""
    click.echo(text, err=True)


def cell(value: Any) -> str:
    """A value as one line of printable text: control characters of a file name are escaped."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _draw(cells: list[list[str]], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns)
    for line in cells:
        drawn.add_row(*(Text(text) for text in line))
    Console().print(drawn)
