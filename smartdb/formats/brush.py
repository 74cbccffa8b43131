"""Run lengths of Label Studio's brush: bits, as of the JavaScript library rle-pack.

A head of 32 bits (number of values), 5 (bits of a value, less 1) and four times 4 (bits of the four
kinds of length, less 1); then a bit (1: one value repeated, 0: values one by one), 2 bits for the
kind of length, the length less 1, and the value or values. Values are red, green, blue, alpha of
each pixel by rows; alpha tells whether a pixel is in the mask.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smartdb.formats.masks import MAX_PIXELS, Pixels, to_rows

LENGTHS = (3, 4, 8, 16)  # bits of the kinds of length that we write


def decode(rle: Sequence[int], width: int, height: int) -> Pixels:
    """The mask (h, w) bool; ValueError if it is broken or of another size."""
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels")
    bits = _Bits(bytes(rle))
    n = bits.read(32)
    word = bits.read(5) + 1
    sizes = [bits.read(4) + 1 for _ in range(4)]
    if n != 4 * width * height:
        raise ValueError(f"a mask of {n} values for {width} x {height} pixels")
    ends, values = [0], [0]
    while ends[-1] < n:
        is_run = bits.read(1)
        length = bits.read(sizes[bits.read(2)]) + 1
        for _ in range(1 if is_run else length):
            values.append(bits.read(word))
            ends.append(ends[-1] + (length if is_run else 1))
    upto = np.minimum(ends, n) // 4  # alphas before the end of each run
    return np.repeat(np.array(values[1:]) > 0, np.diff(upto)).reshape(height, width)


def encode(pixels: Pixels) -> list[int]:
    """The bytes of a mask (h, w) bool, as Label Studio reads them."""
    parts = [f"{4 * pixels.size:032b}", f"{7:05b}", *(f"{size - 1:04b}" for size in LENGTHS)]
    for place, count in enumerate(to_rows(pixels)):
        left = 4 * count
        while left > 0:
            length = min(left, 1 << LENGTHS[-1])
            kind = next(i for i, size in enumerate(LENGTHS) if length <= 1 << size)
            parts.append(f"1{kind:02b}{length - 1:0{LENGTHS[kind]}b}{255 * (place % 2):08b}")
            left -= length
    text = "".join(parts)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


class _Bits:
    """Bits read from the first on, the highest of a byte first."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def read(self, n: int) -> int:
        end = self.at + n
        if end > 8 * len(self.data):
            raise ValueError("the run lengths end too early")
        part = int.from_bytes(self.data[self.at >> 3 : (end + 7) >> 3], "big")
        self.at = end
        return part >> (-end % 8) & ((1 << n) - 1)
