"""Drafts of migrations, for developers: the baseline, and the step to what schema/core says."""

from __future__ import annotations

from pathlib import Path

from smartdb.migrate import baseline_file, core_files


def baseline() -> Path:
    """Writes the first migration from schema/core."""
    head = "-- Frozen: what schema/core was at the first release. Written by: make baseline\n"
    texts = [path.read_text(encoding="utf-8") for path in core_files()]
    baseline_file().write_text("\n".join([head, *texts]), encoding="utf-8")
    return baseline_file()
