"""Tables of paths and classes, from CSV files."""

from __future__ import annotations

import csv
from pathlib import Path

from smartdb.errors import InvalidInput


def read_classes(
    file: str | Path, class_column: str | None = None, path_column: str = "path"
) -> list[tuple[str, str]]:
    """Rows (path, class) of a CSV file with a header line, rows with an empty class left out.

    ``file`` may name the column of the class after a colon, ``labels.csv:truth``; else it is
    ``class_column``, else ``class`` or ``label``. InvalidInput for a missing file or column, or
    what is not UTF-8 or no CSV.
    """
    path, chosen = _parted(str(file), class_column)
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            columns = list(reader.fieldnames or ())
            column = _column(path, columns, chosen, path_column)
            return [(row[path_column], row[column]) for row in reader if row[column]]
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} is not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise InvalidInput(f"{path} is no CSV: {error}; give a table with a header line") from error


def _parted(file: str, class_column: str | None) -> tuple[Path, str | None]:
    name, colon, column = file.rpartition(":")
    if colon and class_column is None and not Path(file).exists():
        return Path(name), column
    return Path(file), class_column


def _column(path: Path, columns: list[str], chosen: str | None, path_column: str) -> str:
    found = chosen or next((name for name in ("class", "label") if name in columns), "class")
    for name in (path_column, found):
        if name not in columns:
            raise InvalidInput(
                f"{path} has no column {name!r}, only {', '.join(columns) or 'none'}; "
                "name its columns (labels import: --path-column, --class-column) or write "
                f"{path}:COLUMN for that of the class"
            )
    return found
