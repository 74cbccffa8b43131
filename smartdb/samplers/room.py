"""Room: how many may be chosen of each group of media, such as a source or a scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import tuple_row

from smartdb.errors import InvalidInput, translated
from smartdb.samplers.requests import Ints
from smartdb.statements import statement

GROUPINGS = ("group", "duplicate", "source", "class")
"""By group_key, near-duplicate group, source or class; what has none of these is not capped."""


@dataclass(frozen=True)
class Room:
    """Caps by grouping, and how many of each (grouping, group) are chosen so far."""

    caps: Mapping[str, int] = field(default_factory=dict)
    n_chosen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for by, most in self.caps.items():
            if by not in GROUPINGS:
                raise InvalidInput(f"no cap by {by!r}; there are: {', '.join(GROUPINGS)}")
            if most < 1:
                raise InvalidInput(f"the cap by {by} cannot be {most}; give 1 or more")

    def trial(self) -> Room:
        """A copy, to try out a choice on."""
        return Room(self.caps, self.n_chosen.copy())

    def keep(self, trial: Room) -> None:
        """Counts what was chosen in a trial."""
        self.n_chosen.update(trial.n_chosen - self.n_chosen)

    def free(self, conn: psycopg.Connection[Any], ids: Ints) -> Free:
        """Which of these media may be chosen, to be told which are."""
        names = {by: _names(conn, by, ids) for by in self.caps}
        return Free(len(ids), [_Group(self, by, names[by]) for by in names])

    def pick(self, conn: psycopg.Connection[Any], ids: Ints, n: int) -> Ints:
        """Places of the first ``n`` of a ranking that there is room for."""
        if not self.caps:
            return np.arange(min(n, len(ids)))
        return self.free(conn, ids).pick(range(len(ids)), n)


class Free:
    """``mask`` (m,) is true where a media may still be chosen; `take` chooses one."""

    def __init__(self, m: int, groups: list[_Group]) -> None:
        self.mask = np.ones(m, bool)
        self._groups = groups
        for group in groups:
            self.mask &= group.room()

    def take(self, at: int) -> None:
        """Chooses a media, and so perhaps fills its groups."""
        self.mask[at] = False
        for group in self._groups:
            self.mask &= group.take(at)

    def pick(self, order: Iterable[int], n: int) -> Ints:
        """Takes the first ``n`` places of an order that are free, and returns them."""
        taken: list[int] = []
        for at in order:
            if len(taken) == n:
                break
            if self.mask[at]:
                self.take(at)
                taken.append(at)
        return np.array(taken, np.int64)


class _Group:
    """One grouping of m media: a code for each, -1 without a group, and what is left of each."""

    def __init__(self, room: Room, by: str, names: list[str | None]) -> None:
        self._room, self._by = room, by
        self._names = sorted({name for name in names if name is not None})
        code_of: dict[str | None, int] = {name: code for code, name in enumerate(self._names)}
        self._code = np.array([code_of.get(name, -1) for name in names], np.int64)

    def room(self) -> NDArray[np.bool_]:
        full = [code for code, name in enumerate(self._names) if self._is_full(name)]
        return ~np.isin(self._code, full)

    def take(self, at: int) -> NDArray[np.bool_] | np.bool_:
        code = int(self._code[at])
        if code < 0:
            return np.True_
        name = self._names[code]
        self._room.n_chosen[self._by, name] += 1
        return self._code != code if self._is_full(name) else np.True_

    def _is_full(self, name: str) -> bool:
        return self._room.n_chosen[self._by, name] >= self._room.caps[self._by]


def _names(conn: psycopg.Connection[Any], by: str, ids: Ints) -> list[str | None]:
    """The group of each media."""
    values = {"by": by, "media_ids": ids.tolist()}
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("sampling", "groups"), values).fetchall()
    found: dict[int, str | None] = dict(rows)
    return [found.get(media_id) for media_id in ids.tolist()]
