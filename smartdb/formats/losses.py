"""What a writer leaves out of rows that it does write, told once for each kind of loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from smartdb.formats.base import Annotation, Problem


class Losses:
    """Counts attributes, tracks and the like that the labels of a written file do not keep."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._n = Counter[str]()
        self._first: dict[str, str] = {}

    def note(
        self, label: Annotation, kept: Container[str] | None, *, confidence: bool = True
    ) -> None:
        """Counts what is lost of a label: attributes not in ``kept`` (None: none), and so on."""
        names = [name for name in label.attributes if kept is not None and name not in kept]
        lost = [f"attribute {name!r}" for name in names]
        lost += ["track"] if label.track is not None else []
        lost += ["frame"] if label.frame_index is not None else []
        lost += ["confidence"] if label.confidence is not None and not confidence else []
        for what in lost:
            self._n[what] += 1
            self._first.setdefault(what, label.where)

    def problems(self) -> list[Problem]:
        """One problem for each kind of loss, at the first label that has it."""
        return [
            Problem(self._first[what], "unsupported", f"{self._title} holds no {what} ({n} labels)")
            for what, n in self._n.items()
        ]
