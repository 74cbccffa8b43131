"""Counts, pictures and plots as Dagster metadata."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import dagster as dg


def result(counts: Mapping[str, Any], **pictures: bytes | None) -> dg.MaterializeResult[Any]:
    """Counts as metadata, each PNG shown as a picture below its name."""
    shown: dict[str, Any] = {name: _value(value) for name, value in counts.items()}
    shown.update({name: picture(png) for name, png in pictures.items() if png})
    return dg.MaterializeResult(metadata=shown)


def picture(png: bytes) -> dg.MarkdownMetadataValue:
    """A PNG inside Markdown, which the Dagster page shows."""
    text = base64.b64encode(png).decode()
    return dg.MetadataValue.md(f"![picture](data:image/png;base64,{text})")


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value if value is not None else "none"
    return dg.MetadataValue.json(value)
