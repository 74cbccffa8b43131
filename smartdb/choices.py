"""Choices: which frames of a video become media."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from smartdb.errors import InvalidInput
from smartdb.scenes import THRESHOLD, Cuts

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    Frame = tuple[int, float, VideoFrame]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Choice:
    """Frames by interval (``value`` in seconds), key_frames, or scenes (``value`` a threshold)."""

    by: Literal["interval", "key_frames", "scenes"]
    value: float | None = None

    @property
    def recipe(self) -> dict[str, Any]:
        """How the database says it, in ``core.media.recipe``."""
        name = {"interval": "seconds", "scenes": "threshold"}.get(self.by)
        return {"step": "frame", "by": self.by} | ({name: self.value} if name else {})


def every(seconds: float) -> Choice:
    """The first frame, and then one for each ``seconds`` since: the first that is shown in it.

    An interval in which no frame is shown gives none. InvalidInput unless it is above 0.
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise InvalidInput(f"an interval of {seconds} s is none; give one above 0, such as 1s")
    return Choice("interval", seconds)


def key_frames() -> Choice:
    """The frames that the video stores whole."""
    return Choice("key_frames")


def scenes(threshold: float = THRESHOLD) -> Choice:
    """The first frame of each scene; InvalidInput unless ``threshold`` is between 0 and 1."""
    if not 0 < threshold < 1:
        raise InvalidInput(f"a threshold of {threshold} is not between 0 and 1; try {THRESHOLD}")
    return Choice("scenes", threshold)


def duration(text: str) -> float:
    """Seconds of a text such as 1s, 500ms, 2m, 1h or 0.5; InvalidInput for another.

    >>> duration("500ms")
    0.5
    """
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)(ms|s|m|h)?", text.strip())
    if not match:
        raise InvalidInput(f"{text!r} is no duration; write one such as 1s, 500ms or 2m")
    return float(match[1]) * _UNITS[match[2] or "s"]


def choose(choice: Choice, frames: Iterable[Frame]) -> Iterator[Frame]:
    """Those of the frames of a video that are chosen."""
    if choice.by == "interval":
        return _by_interval(frames, choice.value or 1.0)
    if choice.by == "key_frames":
        return (frame for frame in frames if frame[2].key_frame)
    cuts = Cuts(choice.value or THRESHOLD)
    return (frame for frame in frames if cuts.begins(frame[2]))


def _by_interval(frames: Iterable[Frame], seconds: float) -> Iterator[Frame]:
    begin, due = None, 0
    for frame in frames:
        begin = frame[1] if begin is None else begin
        interval = math.floor((frame[1] - begin) / seconds + 1e-6)  # above rounding errors
        if interval >= due:
            due = interval + 1
            yield frame
