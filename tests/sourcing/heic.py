"""A small HEIC file made on the spot: no free library writes one.

The picture is coded as one HEVC frame by PyAV in an MP4; its bytes and decoder configuration are
put into the boxes of a HEIF still image, with rotation and mirroring as properties if wanted.
"""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from functools import cache

from PIL import Image


def heic(picture: Image.Image, quarter_turns: int = 0) -> bytes:
    """The bytes of a HEIC file that shows the picture turned counter-clockwise by quarters."""
    config, frame = _hevc(picture.convert("RGB").tobytes(), picture.size)
    size = struct.pack(">III", 0, *picture.size)
    properties = [_box(b"ispe", size), config]
    if quarter_turns:
        properties.append(_box(b"irot", bytes([quarter_turns])))
    uses = bytes([len(properties), *(0x80 | n for n in range(1, len(properties) + 1))])
    meta = b"".join([
        _full(b"hdlr", b"\0\0\0\0pict" + bytes(13)),
        _full(b"pitm", struct.pack(">H", 1)),
        _full(b"iinf", struct.pack(">H", 1) + _box(b"infe", b"\2\0\0\0\0\1\0\0hvc1\0")),
        _box(b"iprp", _box(b"ipco", b"".join(properties))
             + _full(b"ipma", struct.pack(">IH", 1, 1) + uses)),
    ])  # fmt: skip
    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    place = _full(b"iloc", bytes(18))
    start = len(head) + len(_full(b"meta", meta + place)) + 8
    extent = struct.pack(">HII", 1, start, len(frame))
    place = _full(b"iloc", b"\x44\0" + struct.pack(">HHH", 1, 1, 0) + extent)
    return head + _full(b"meta", meta + place) + _box(b"mdat", frame)


@cache
def _hevc(rgb: bytes, size: tuple[int, int]) -> tuple[bytes, bytes]:
    """The box hvcC, and one frame as length-prefixed NAL units.

    In a process of its own: x265 cannot be opened a second time in one, by whatever test.
    """
    call = [sys.executable, __file__, *map(str, size)]
    data = subprocess.run(call, input=rgb, capture_output=True, check=True, timeout=60).stdout
    at = data.index(b"hvcC") - 4
    (length,) = struct.unpack(">I", data[at : at + 4])
    content = data.index(b"mdat")
    (n_bytes,) = struct.unpack(">I", data[content - 4 : content])
    return data[at : at + length], data[content + 4 : content - 4 + n_bytes]


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _full(kind: bytes, content: bytes) -> bytes:
    return _box(kind, b"\0\0\0\0" + content)


def _mp4(rgb: bytes, size: tuple[int, int]) -> bytes:
    """An MP4 of one frame."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("libx265", rate=1)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv444p"
        stream.options = {"x265-params": "qp=4:log-level=none:pools=1:frame-threads=1"}
        frame = av.VideoFrame.from_image(Image.frombytes("RGB", size, rgb))
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return buffer.getvalue()


if __name__ == "__main__":
    width, height = map(int, sys.argv[1:])
    sys.stdout.buffer.write(_mp4(sys.stdin.buffer.read(), (width, height)))
