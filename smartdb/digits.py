"""The packaged demo images: scikit-learn's 1,797 real handwritten digits as files, with faults.

The digits are real (UCI's Optical Recognition of Handwritten Digits). The faults are planted, and
the truth about them is kept beside the images, so that what is found can be held against it.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from smartdb.walk import uri_of

if TYPE_CHECKING:
    from PIL import Image

N_DIGITS = 1797
N_UNLABELLED = 100
N_DUPLICATES = 20
WRONG_SHARE = 0.05
SIDE = 32
PLACE = (48.8584, 2.2945)
"""Latitude and longitude written into one file: the Eiffel Tower."""

_FORM = 1  # of what is written; another number makes it written anew


@dataclass(frozen=True)
class Planted:
    """The truth about the demo images; paths are relative to ``images``, with ``/``.

    Each digit lies in the folder of its given class, or directly in ``images`` when it was left
    ``unlabelled``. ``true_class`` covers all that can be decoded, ``wrong`` are those in the folder
    of another class, ``duplicates`` are (original, changed copy), of one class.
    """

    images: str
    seed: int
    true_class: dict[str, str]
    wrong: tuple[str, ...]
    unlabelled: tuple[str, ...]
    duplicates: tuple[tuple[str, str], ...]
    truncated: str
    gps: str

    def uri(self, path: str) -> str:
        """The URI that ingest gives to one of the paths."""
        return uri_of(os.path.realpath(os.fsencode(Path(self.images) / path)))


def write_digits(folder: Path, seed: int = 7) -> Planted:
    """Writes ``folder/images`` and, last, ``folder/truth.json``; returns the truth.

    The same seed writes the same bytes. What is there already is not written again.
    """
    known = _known(folder, seed)
    if known is not None:
        return known
    planted, files = _plan(folder / "images", seed)
    for path, data in files:
        _write(folder / "images" / path, data)
    _write(folder / "truth.json", _record(planted))
    return planted


def read_truth(folder: Path) -> Planted | None:
    """The truth that `write_digits` left in ``folder``; None where it has not written all."""
    try:
        record = json.loads((folder / "truth.json").read_bytes())
    except FileNotFoundError:
        return None
    if record.pop("form") != _FORM:
        return None
    for name in ("wrong", "unlabelled", "duplicates"):
        record[name] = tuple(tuple(i) if isinstance(i, list) else i for i in record[name])
    return Planted(**{**record, "images": str((folder / "images").absolute())})


def _known(folder: Path, seed: int) -> Planted | None:
    known = read_truth(folder)
    if known is None or known.seed != seed:
        return None
    paths = (*known.true_class, known.truncated)
    return known if all((folder / "images" / path).is_file() for path in paths) else None


def _plan(images: Path, seed: int) -> tuple[Planted, Iterator[tuple[str, bytes]]]:
    """What lies where, and the files as they are wanted."""
    pictures, digits = _load()
    rng = np.random.default_rng(seed)
    order = rng.permutation(N_DIGITS)
    unlabelled, labelled = order[:N_UNLABELLED], order[N_UNLABELLED:]
    wrong = labelled[: round(WRONG_SHARE * len(labelled))]
    copied = labelled[len(wrong) : len(wrong) + N_DUPLICATES]
    with_place, cut = labelled[len(wrong) + N_DUPLICATES :][:2]

    given: dict[int, str | None] = {int(i): str(digits[i]) for i in labelled}
    given |= {int(i): str((digits[i] + rng.integers(1, 10)) % 10) for i in wrong}
    given |= dict.fromkeys(map(int, unlabelled))
    paths = {
        i: _path(given[i], f"{i:04d}.{'jpg' if i == with_place else 'png'}")
        for i in range(N_DIGITS)
    }
    copies = {
        int(i): _path(given[i], f"{N_DIGITS + n:04d}.{'jpg' if n % 3 == 2 else 'png'}")
        for n, i in enumerate(copied)
    }
    truncated = _path(given[int(cut)], f"{N_DIGITS + N_DUPLICATES:04d}.png")
    planted = Planted(
        images=str(images.absolute()),
        seed=seed,
        true_class={paths[i]: str(digits[i]) for i in range(N_DIGITS)}
        | {path: str(digits[i]) for i, path in copies.items()},
        wrong=tuple(sorted(paths[int(i)] for i in wrong)),
        unlabelled=tuple(sorted(paths[int(i)] for i in unlabelled)),
        duplicates=tuple((paths[i], path) for i, path in copies.items()),
        truncated=truncated,
        gps=paths[int(with_place)],
    )

    def files() -> Iterator[tuple[str, bytes]]:
        for i, path in paths.items():
            yield path, _with_place(pictures[i]) if path == planted.gps else _png(pictures[i])
        for n, (i, path) in enumerate(copies.items()):
            yield path, _changed(pictures[i], n)
        whole = _png(pictures[int(cut)])
        yield truncated, whole[: len(whole) // 2]

    return planted, files()


def _load() -> tuple[list[Image.Image], NDArray[np.int64]]:
    """The digits as grey pictures of 32x32, dark on light as on paper, and their classes."""
    from PIL import Image
    from sklearn.datasets import load_digits

    data = load_digits()
    grey = (255 - data.images * (255 / 16)).round().astype(np.uint8)
    size = (SIDE, SIDE)
    pictures = [Image.fromarray(g).resize(size, Image.Resampling.BICUBIC) for g in grey]
    return pictures, data.target.astype(np.int64)


def _path(given: str | None, name: str) -> str:
    return name if given is None else f"{given}/{name}"


def _changed(picture: Image.Image, n: int) -> bytes:
    """A near-duplicate: darker, shifted by a pixel, or compressed again, in turn."""
    from PIL import Image, ImageChops

    if n % 3 == 0:
        return _png(picture.point([round(level * 0.85) for level in range(256)]))
    if n % 3 == 1:
        shifted = ImageChops.offset(picture, 1, 0)
        shifted.paste(picture.crop((0, 0, 1, SIDE)), (0, 0))
        return _png(shifted)
    return _saved(picture.convert("L"), "JPEG", quality=85, exif=Image.Exif())


def _with_place(picture: Image.Image) -> bytes:
    from PIL import ExifTags, Image

    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2024:05:17 10:00:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: _degrees(PLACE[0]), 3: "E", 4: _degrees(PLACE[1])}
    )
    return _saved(picture, "JPEG", quality=95, exif=exif)


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = (value % 1) * 60
    return float(int(value)), float(int(minutes)), round((minutes % 1) * 60, 2)


def _png(picture: Image.Image) -> bytes:
    return _saved(picture, "PNG")


def _saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _record(planted: Planted) -> bytes:
    record = {"form": _FORM, **asdict(planted), "images": "images"}
    return json.dumps(record, indent=1).encode()


def _write(path: Path, data: bytes) -> None:
    """Writes a file in one step, and not at all if it holds that already."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(data)
    draft.replace(path)
