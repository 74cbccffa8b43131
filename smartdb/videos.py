"""Videos: what one file holds, and its frames as everything else in smartdb sees them.

`inspect` decodes every frame, because headers lie. Frames are numbered from 0 in the order they are
shown; `load_frame` finds one by the time it is shown at, never by frames per second. All of it
needs PyAV: ``pip install 'smartdb[video]'``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

from smartdb import clips, video_facts
from smartdb.clips import Clip, Timing
from smartdb.errors import InvalidInput, NotFound, SmartdbError
from smartdb.images import MAX_PIXELS, Inspected, Refused
from smartdb.video_types import HEAD, looks_like_video, mime_of
from smartdb.walk import shown

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from PIL import Image

_STEPS_BACK = (0, 2, 10)  # seconds; a key frame may be stored before a frame and shown after it
_MAX_ON = 250  # frames that `sample` decodes at most from a key frame on


def frame_sha256(video: bytes, frame_index: int) -> bytes:
    """What stands for the hash of a frame: that of "frame", its video's hash and its number.

    In SQL: ``sha256('frame'::bytea || video.sha256 || int8send(frame_index))``.
    """
    return hashlib.sha256(b"frame" + video + frame_index.to_bytes(8, "big")).digest()


def inspect(source: bytes | Path) -> Inspected | Refused:
    """Reads, hashes and decodes one file, a path or its bytes; never raises for what is in it.

    What can be decoded counts: a video that is broken somewhere is taken, and
    ``attributes["problem"]`` says what is wrong. One without a frame is refused.
    """
    try:
        head, n_bytes = _head(source)
    except OSError as error:
        return Refused("unreadable", error.strerror or str(error))
    if not n_bytes:
        return Refused("empty_file", "there is nothing in it")
    try:
        return _inspected(source, head, n_bytes)
    except InvalidInput as error:  # no PyAV
        return Refused("unsupported", str(error))
    except MemoryError:
        return Refused("too_large", "decoding needs more memory than a worker may use")
    except Exception as error:  # readers raise whatever they stumble over
        reason = "corrupt" if looks_like_video(head) else "not_a_video"
        return Refused(reason, clips.said(error))


def frame_times(source: bytes | Path) -> list[float]:
    """When each frame that can be decoded is shown, in seconds; errors as of `load_frame`."""
    with _opened(source) as clip:
        return video_facts.times(clip, video_facts.decode(clip).stamps)


def numbered(
    source: bytes | Path, timing: Timing = "presentation"
) -> Generator[tuple[int, float, VideoFrame], None, None]:
    """Number, second and PyAV frame of all that can be decoded; errors as of `load_frame`.

    ``timing`` is what the attributes of the video say, if they do.
    """
    with _opened(source) as clip:
        for index, frame in enumerate(clip.frames()):
            yield index, clips.seconds(clip, timing, index, (frame.pts, frame.dts)), frame


def load_frame(source: bytes | Path, frame_index: int, pts: float) -> Image.Image:
    """The frame that is shown at ``pts`` seconds, the ``frame_index``-th, upright and in RGB.

    ``source`` is a path, or the bytes of the file. Decodes from a key frame before it; where the
    times or errors in the file could mislead, it counts from the start instead. NotFound if there
    is no such file, InvalidInput if it has no such frame or cannot be decoded.
    """
    with _opened(source) as clip:
        frame = _shown_at(clip, pts)
        if frame is not None:
            return clips.picture(frame)
    with closing(numbered(source)) as frames:
        for index, _, frame in frames:
            if index == frame_index:
                return clips.picture(frame)
    raise InvalidInput(f"{_name(source)} has no frame {frame_index}; ingest it again")


def sample(source: bytes | Path, moments: Sequence[float]) -> list[tuple[float, Image.Image]]:
    """For each moment, a share of the length from 0 to 1, a frame near it and its second.

    Quick rather than exact: at most 250 frames are decoded for one. Errors as of `load_frame`.
    """
    with _opened(source) as clip:
        begin = float((clip.stream.start_time or 0) * clip.tick)
        found = (_near(clip, begin + moment * clip.header_seconds) for moment in moments)
        return [(_second(clip, frame), clips.picture(frame)) for frame in found]


def poster(source: bytes | Path) -> Image.Image:
    """The frame near a tenth of a video that stands for it; errors as of `load_frame`."""
    return sample(source, [0.1])[0][1]


def _inspected(source: bytes | Path, head: bytes, n_bytes: int) -> Inspected | Refused:
    with clips.opened(source, MAX_PIXELS) as clip:
        decoded = video_facts.decode(clip)
        if not decoded.stamps:
            why = video_facts.first_of(clip.problems)
            return Refused("corrupt", f"no frame can be decoded: {why}")
        return Inspected(
            sha256=_sha256(source),
            n_bytes=n_bytes,
            mime=mime_of(clip.container.format.name, head),
            phash=None,
            quality=None,
            **video_facts.facts(clip, decoded),
        )


@contextmanager
def _opened(source: bytes | Path) -> Iterator[Clip]:
    """`clips.opened` with the errors of this package."""
    try:
        with clips.opened(source, MAX_PIXELS) as clip:
            yield clip
    except SmartdbError:
        raise
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {_name(source)} any more; ingest again") from error
    except Exception as error:  # readers raise whatever they stumble over
        raise InvalidInput(
            f"cannot decode {_name(source)}: {clips.said(error)}; give a video that can be opened"
        ) from error


def _shown_at(clip: Clip, pts: float) -> VideoFrame | None:
    """The frame that is shown at ``pts``, or None where only counting makes sure."""
    wanted = round(pts / clip.tick)
    if not clip.has_times or abs(float(wanted * clip.tick) - pts) > float(clip.tick) / 4:
        return None
    for seconds in _STEPS_BACK:
        with closing(clip.frames_from(wanted - round(seconds / clip.tick))) as frames:
            for frame in dropwhile(lambda leading: not leading.key_frame, frames):
                if clip.problems or frame.is_corrupt or frame.pts is None:
                    return None
                if frame.pts > wanted:
                    break  # that key frame came too late
                if frame.pts == wanted:
                    return frame
    return None


def _near(clip: Clip, second: float) -> VideoFrame:
    """A frame that is shown at a second or soon after, else the last before it."""
    for begin in (second, 0.0):
        last = None
        with closing(clip.frames_from(round(begin / clip.tick))) as frames:
            for number, last in enumerate(frames):
                if number == _MAX_ON or _second(clip, last) >= second:
                    break
        if last is not None:
            return last
    raise ValueError(f"no frame near {second:.1f} s: {video_facts.first_of(clip.problems)}")


def _second(clip: Clip, frame: VideoFrame) -> float:
    return float(frame.pts * clip.tick) if frame.pts is not None else 0.0


def _head(source: bytes | Path) -> tuple[bytes, int]:
    """The first bytes, and how many there are."""
    if isinstance(source, bytes):
        return source[:HEAD], len(source)
    with source.open("rb") as file:
        return file.read(HEAD), os.fstat(file.fileno()).st_size


def _sha256(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _name(source: bytes | Path) -> str:
    return "the video" if isinstance(source, bytes) else shown(os.fsencode(source))
