"""What an open video tells: found by decoding all of it, because headers lie."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from smartdb import clips, exif
from smartdb.clips import Clip, Stamp

_PLACE = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")  # ISO 6709
_TIMES = ("com.apple.quicktime.creationdate", "creation_time", "CREATION_TIME")


@dataclass
class Decoded:
    """What came out of the decoder; ``last`` is how many ticks the last frame lasts."""

    width: int = 0
    height: int = 0
    pixels: str = ""
    stamps: list[Stamp] = field(default_factory=list)
    last: int | None = None
    n_damaged: int = 0
    n_key_frames: int = 0


def decode(clip: Clip) -> Decoded:
    """Decodes all of it."""
    found = Decoded()
    for frame in clip.frames():
        if not found.stamps:
            found.width, found.height = clips.size(frame)
            found.pixels = frame.format.name
        found.stamps.append((frame.pts, frame.dts))
        found.last = frame.duration
        found.n_damaged += frame.is_corrupt
        found.n_key_frames += frame.key_frame
    return found


def facts(clip: Clip, decoded: Decoded) -> dict[str, Any]:
    """The fields of `images.Inspected` that only a decoded video tells; it has a frame or more."""
    seconds = times(clip, decoded.stamps)
    duration = _duration(clip, seconds, decoded.last)
    tags = _tags(clip)
    return {
        "kind": "video",
        "width": decoded.width,
        "height": decoded.height,
        "duration": duration,
        "fps": len(seconds) / duration,
        "n_frames": len(seconds),
        "captured_at": _captured_at(tags),
        "exif": tags,
        "gps": _gps(tags),
        "attributes": _attributes(clip, decoded, seconds),
    }


def times(clip: Clip, stamps: Sequence[Stamp]) -> list[float]:
    """When the frames are shown, in seconds."""
    kind = clips.timing(stamps)
    return [clips.seconds(clip, kind, index, stamp) for index, stamp in enumerate(stamps)]


def first_of(problems: Sequence[str]) -> str:
    """The first of what reader and decoder said."""
    return problems[0] if problems else "the file holds none"


def _duration(clip: Clip, seconds: Sequence[float], last: int | None) -> float:
    """From the first frame to the end of the last, which lasts as long as the usual at least."""
    span = seconds[-1] - seconds[0]
    own = float(last * clip.tick) if last else span / max(1, len(seconds) - 1)
    return span + (own or 1 / clip.rate)


def _attributes(clip: Clip, decoded: Decoded, seconds: Sequence[float]) -> dict[str, Any]:
    stream, kind = clip.stream, clips.timing(decoded.stamps)
    aspect = stream.sample_aspect_ratio
    found = {
        "format": clip.container.format.name,
        "codec": stream.codec_context.codec.canonical_name,
        "mode": decoded.pixels,
        "has_audio": bool(clip.container.streams.audio),
        "n_key_frames": decoded.n_key_frames,
        "is_variable_rate": _is_variable(clip, seconds),
        "timing": kind if kind != "presentation" else None,
        "pixel_aspect": float(aspect) if aspect and aspect != 1 else None,
        "problem": _problem(clip, decoded),
    }
    return {name: value for name, value in found.items() if value is not None}


def _is_variable(clip: Clip, seconds: Sequence[float]) -> bool:
    """Whether frames last unequally long by more than rounding to ticks explains."""
    lasts = [b - a for a, b in pairwise(seconds)]
    return bool(lasts) and max(lasts) - min(lasts) > 2.5 * float(clip.tick)


def _problem(clip: Clip, decoded: Decoded) -> str | None:
    n, promised = len(decoded.stamps), clip.stream.frames
    said = []
    if clip.problems:
        said.append(f"errors while decoding ({len(clip.problems)}): {first_of(clip.problems)}")
    if decoded.n_damaged:
        said.append(f"damaged frames: {decoded.n_damaged}")
    if n < promised:
        said.append(f"{n} frames can be decoded, the header tells {promised}")
    elif not promised and _lacks_its_end(clip, n):
        said.append(f"the header tells {clip.header_seconds:.1f} s, it ends before that")
    return "; ".join(said) or None


def _lacks_its_end(clip: Clip, n: int) -> bool:
    has_sound = bool(clip.container.streams.audio)  # which may be longer than the picture
    return not has_sound and (n / clip.rate + 1) < 0.95 * clip.header_seconds


def _tags(clip: Clip) -> dict[str, Any]:
    told = {**clip.stream.metadata, **clip.container.metadata}
    return {str(exif.plain(name)): exif.plain(value) for name, value in told.items()}


def _captured_at(tags: Mapping[str, Any]) -> datetime | None:
    """The first time that can be read; without a zone it is UTC, 1904 and 1970 mean none."""
    for name in _TIMES:
        try:
            time = datetime.fromisoformat(str(tags.get(name)).strip())
            zoned = time if time.tzinfo else time.replace(tzinfo=UTC)
            if zoned.year > 1970:
                return zoned.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _gps(tags: Mapping[str, Any]) -> dict[str, Any] | None:
    told = next((value for name, value in tags.items() if "location" in name.lower()), None)
    if told is None:
        return None
    match = _PLACE.match(str(told))
    if not match or abs(float(match[1])) > 90 or abs(float(match[2])) > 180:
        return {"where": "video"}
    return {"where": "video", "latitude": float(match[1]), "longitude": float(match[2])}
