"""Clips: a video file opened with PyAV, and its frames in the order they are shown.

What is wrong inside a file is noted, and the frames that can be decoded still come. The number of a
frame is its place among those that the decoder gives from the start, with one thread, since several
end elsewhere at an error.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from smartdb.errors import InvalidInput

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from PIL import Image

DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,asf,mpeg,mpegts,mpegvideo,ogg,mxf"
"""Containers that are opened; none of them is a list of other files or addresses."""

INSTALL = "videos need PyAV; run: pip install 'smartdb[video]'"

_WITHOUT_TIMES = {"avi", "mpegvideo"}
_TRANSPOSED = {
    (0, 1, -1, 0): "ROTATE_270",
    (-1, 0, 0, -1): "ROTATE_180",
    (0, -1, 1, 0): "ROTATE_90",
    (-1, 0, 0, 1): "FLIP_LEFT_RIGHT",
    (1, 0, 0, -1): "FLIP_TOP_BOTTOM",
    (0, 1, 1, 0): "TRANSPOSE",
    (0, -1, -1, 0): "TRANSVERSE",
}


Stamp = tuple[int | None, int | None]
"""A frame's times of presentation and of decoding, in ticks."""

Timing = Literal["presentation", "decoding", "numbered"]
"""What the seconds of a video's frames are worked out from: times of presentation, as it should be;
times of decoding, where those are missing or not in order; or the number of the frame and the rate
of frames, where these are not either."""


@dataclass
class Clip:
    """An open video; ``problems`` are what its reader and decoder said so far."""

    container: InputContainer
    stream: VideoStream
    problems: list[str] = field(default_factory=list)

    @property
    def tick(self) -> Fraction:
        """The unit of its timestamps, in seconds."""
        return self.stream.time_base or Fraction(1, 1000)

    @property
    def has_times(self) -> bool:
        """Whether the container holds times of presentation, by which one can seek."""
        return not _WITHOUT_TIMES & set(self.container.format.name.split(","))

    def frames(self) -> Generator[VideoFrame, None, None]:
        """The frames that can be decoded, from where it stands, in the order they are shown."""
        import av

        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self.problems.append(said(error))
                packet = None
            with suppress(av.EOFError):
                try:
                    yield from self.stream.decode(packet)
                except (av.EOFError, MemoryError):
                    raise
                except av.FFmpegError as error:
                    self.problems.append(said(error))
            if packet is None:
                return

    def frames_from(self, ticks: int) -> Generator[VideoFrame, None, None]:
        """The frames from a key frame on, the last that is stored before ``ticks``, if it is told.

        Where there is no such place, that is noted as a problem, and none come.
        """
        import av

        try:
            self.container.seek(ticks, stream=self.stream, backward=True)
        except av.FFmpegError as error:
            self.problems.append(said(error))
            return
        yield from self.frames()

    @property
    def header_seconds(self) -> float:
        """How long the header says it is; 0 if it does not say."""
        if self.stream.duration:
            return float(self.stream.duration * self.tick)
        return (self.container.duration or 0) / 1e6

    @property
    def rate(self) -> float:
        """How many frames per second the header says it has."""
        return float(self.stream.average_rate or self.stream.guessed_rate or 25)


def library() -> Any:
    """PyAV; InvalidInput says how to install it."""
    try:
        import av
    except ImportError as error:
        raise InvalidInput(INSTALL) from error
    return av


def timing(stamps: Sequence[Stamp]) -> Timing:
    """What to work the seconds of these frames out from."""
    if all(_rises(a[0], b[0]) for a, b in pairwise([(None, None), *stamps])):
        return "presentation"
    if all(_rises(a[1], b[1]) for a, b in pairwise([(None, None), *stamps])):
        return "decoding"
    return "numbered"


def seconds(clip: Clip, kind: Timing, index: int, stamp: Stamp) -> float:
    """When a frame is shown.

    Times that are not the decoder's own lie between its ticks, so that seeking never takes another
    frame for one of them.
    """
    between = Fraction(1, 2) if clip.has_times else Fraction(0)
    if kind == "presentation" and stamp[0] is not None:
        return float(stamp[0] * clip.tick)
    if kind == "decoding" and stamp[1] is not None:
        return float((stamp[1] + between) * clip.tick)
    return float((int(index / clip.rate / clip.tick) + between) * clip.tick)


@contextmanager
def opened(source: bytes | Path, max_pixels: int) -> Iterator[Clip]:
    """The best video stream of a file; ``source`` is a path, or the bytes of the file.

    InvalidInput without PyAV, ValueError for a file without video, errors of FFmpeg for one that
    it cannot open, OSError where the file cannot be read.
    """
    av = library()
    av.logging.set_level(av.logging.PANIC)
    file: Any = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    options = {"format_whitelist": DEMUXERS}
    with file, av.open(file, options=options, io_open=_refuse, metadata_errors="replace") as found:
        stream = found.streams.best("video")
        if stream is None or stream.codec_context is None:
            raise ValueError("it holds no video that can be decoded")
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(max_pixels)}
        yield Clip(found, stream)


def picture(frame: VideoFrame) -> Image.Image:
    """The pixels of a frame as an RGB picture, upright."""
    from PIL import Image

    image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    turn = _TRANSPOSED.get(_matrix(frame))
    return image.transpose(Image.Transpose[turn]) if turn else image


def size(frame: VideoFrame) -> tuple[int, int]:
    """Width and height of the upright picture."""
    is_turned = _matrix(frame)[0] == 0
    return (frame.height, frame.width) if is_turned else (frame.width, frame.height)


def _matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    """The signs of the display matrix a b c d: x' = a x + c y and y' = b x + d y."""
    import numpy as np

    told: Any = frame.side_data.get("DISPLAYMATRIX")
    if told is None:
        return (1, 0, 0, 1)
    values = np.frombuffer(bytes(told), np.int32)[[0, 1, 3, 4]].astype(np.float64)
    a, b, c, d = (int(value) for value in np.rint(values / max(1.0, np.abs(values).max())))
    return a, b, c, d


def _rises(a: int | None, b: int | None) -> bool:
    return b is not None and (a is None or a < b)


def _refuse(*_: Any) -> Any:
    raise PermissionError("a video may not open other files")


def said(error: BaseException) -> str:
    """What an error says, without the name of the file."""
    return str(getattr(error, "strerror", None) or error).replace("\0", "")[:200]
