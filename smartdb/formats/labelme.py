"""labelme: a JSON file of shapes beside each picture, which may carry the picture itself.

A polygon, rectangle, circle, line, linestrip, point, points, mask or oriented rectangle is a
label; flags of the picture that are set are classifications.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from smartdb.formats import exact, files, masks, png
from smartdb.formats.base import Annotation, ClassInfo, Item, Kind, Picture, Problem
from smartdb.formats.files import Folder
from smartdb.formats.geometry import Box, bounds
from smartdb.formats.losses import Losses

TITLE = "labelme"
KINDS: tuple[Kind, ...] = (
    "classification", "box", "rotated_box", "polygon", "mask", "polyline", "keypoints",
)  # fmt: skip
LOST = (
    "Polygons of several parts or with holes, hidden key points, tracks, and attributes and "
    "confidence of a classification."
)

_OWN = ("label", "points", "shape_type", "mask")
_OFTEN_EMPTY = ("flags", "description", "attributes", "kie_linking")
_POLYLINES = ("line", "linestrip")
_POINTS = ("point", "points")
_CORNERS = ("oriented_rectangle", "rotation")
_N_POINTS = {"rectangle": 2, "circle": 2, "line": 2, "point": 1, "mask": 2}
_VERTICES = 64
_JSON = frozenset([".json"])


def is_at(path: Path) -> bool:
    """A JSON file with shapes and imagePath in its beginning or its end, or one in the folder."""
    try:
        if path.is_file():
            return path.suffix.lower() == ".json" and _looks_right(path)
        folder = files.opened(path)
        found = islice(files.walk(folder, folder.root, _JSON), 20)
        return any(_looks_right(each) for each in found if isinstance(each, Path))
    except OSError:
        return False


def images(path: Path) -> Path | None:
    """The folder itself, or that of the file, if it holds pictures."""
    return files.pictures_in(path)


def classes(path: Path) -> list[ClassInfo]:
    """The names in labels.txt, without labelme's own such as __ignore__; [] where it is missing."""
    folder = files.opened(path)
    file = folder.root / "labels.txt"
    found = files.lines(folder, file) if file.is_file() else ()
    names = [line[1].strip() for line in found if not isinstance(line, Problem)]
    return [ClassInfo(name) for name in dict.fromkeys(names) if name and not name.startswith("_")]


def read(
    path: Path, *, images: Path | None = None, encoding: str = files.UTF8, allow: str = ""
) -> Iterator[Item]:
    """The picture and the shapes of each JSON file, then pictures that have none.

    A circle is a polygon of 64 corners with the attribute circle, [[centre], [point on it]].
    What else a shape has (flags, group_id, description, ...) is in the attributes where it is
    set; a score from 0 to 1 is the confidence. A shape that is there twice counts once.
    """
    folder = files.opened(path, allow)
    held = files.opened(images, allow) if images else folder
    folder = Folder(folder.root, (*folder.allowed, held.root))
    seen: set[str] = set()
    single = [path.resolve()] if path.is_file() else None
    for each in single or files.walk(folder, folder.root, _JSON):
        yield from (
            [each] if isinstance(each, Problem) else _file(folder, held, each, encoding, seen)
        )
    for each in () if single else files.walk(held, held.root, files.SUFFIXES | {".xml"}):
        if isinstance(each, Problem):
            yield each
        elif each.suffix == ".xml":
            detail = "is XML, of the LabelMe web tool or Pascal VOC, which is not labelme's"
            yield Problem(held.name(each), "unsupported", detail)
        elif (name := held.name(each)) not in seen:
            yield Picture(name, name, split=files.split_of(name))


def write(
    path: Path,
    pictures: Iterable[Picture],
    annotations: Iterable[Annotation],
    classes: Sequence[ClassInfo],
) -> list[Problem]:
    """A JSON file for each picture, where the picture would lie, and labels.txt."""
    writer = _Writer(files.emptied(path))
    with files.Appender() as out:
        for info in classes:
            out.write(path / "labels.txt", info.name)
        held = [picture for picture in pictures if writer.add_picture(picture)]
        for label in annotations:
            writer.add_label(label, out)
    for picture in held:
        writer.finish(picture)
    return [*writer.problems, *writer.losses.problems()]


_Form = tuple[str, Sequence[Sequence[Any]], str | None]


class _Number(float):
    """A float of a JSON file that knows its text, so that x + w less x is w."""

    text: str

    def __new__(cls, text: str) -> _Number:
        found = super().__new__(cls, text)
        found.text = text
        return found


class _BadShape(ValueError):
    """a shape that is no label; the arguments are the code and the sentence of a `Problem`"""


def _looks_right(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(1 << 16)
        file.seek(max(0, path.stat().st_size - 4096))
        seen = start + file.read()
    return b'"shapes"' in seen and b'"imagePath"' in seen


def _file(
    folder: Folder, held: Folder, file: Path, encoding: str, seen: set[str]
) -> Iterator[Item]:
    where = folder.name(file)
    content = _content(folder, file, encoding)
    if isinstance(content, Problem):
        yield content
        return
    picture = _picture(folder, held, file, content)
    if isinstance(picture, Problem):
        yield picture
        return
    if picture.name in seen:
        detail = f"{picture.name} has a JSON file already; the first one counts"
        yield Problem(where, "duplicate_id", detail)
        return
    seen.add(picture.name)
    yield picture
    yield from _flags(content.get("flags"), picture.name, where)
    yield from _shapes(content["shapes"], picture, where)


def _content(folder: Folder, file: Path, encoding: str) -> dict[str, Any] | Problem:
    where = folder.name(file)
    text = files.text(folder, file, encoding)
    if isinstance(text, Problem):
        return text
    try:
        content = json.loads(text, parse_float=_Number)
    except json.JSONDecodeError as error:
        byte = len(text[: error.pos].encode())
        return Problem(f"{where}:{error.lineno}", "broken_file", f"{error.msg} at byte {byte}")
    except (ValueError, RecursionError) as error:
        return Problem(where, "broken_file", f"cannot be read: {error}")
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        return Problem(where, "unsupported", "is no JSON of labelme: it has no list of shapes")
    return content


def _picture(
    folder: Folder, held: Folder, file: Path, content: Mapping[str, Any]
) -> Picture | Problem:
    where = folder.name(file)
    told, data = content.get("imagePath"), content.get("imageData")
    if not isinstance(told, str) or not told.strip("./\\ ") or "\0" in told:
        return Problem(where, "bad_row", "has no imagePath")
    try:
        pixels = base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except (ValueError, binascii.Error) as error:
        return Problem(where, "broken_file", f"imageData is no base64: {error}")
    path = _image_path(folder, file, told.replace("\\", "/"), embedded=pixels is not None)
    if path is None:
        detail = f"imagePath {files.excerpt(told)} is outside the folder; try --option allow=FOLDER"
        return Problem(where, "unsafe_path", detail)
    name = (held if path.is_relative_to(held.root) else folder).name(path)
    size = (content.get("imageWidth"), content.get("imageHeight"))
    known = all(type(side) is int and side > 0 for side in size)
    return Picture(
        name, where, size if known else None, files.split_of(name), data=pixels or None,  # type: ignore[arg-type]
        attributes=_unset(content.get("flags")),
    )  # fmt: skip


def _image_path(folder: Folder, file: Path, told: str, *, embedded: bool) -> Path | None:
    """Where imagePath leads; a picture of that name beside the file if it leads nowhere allowed."""
    path = Path(os.path.normpath(file.parent / told))
    beside = file.parent / told.rpartition("/")[2]
    is_beside = os.path.exists(beside) and folder.holds(beside)  # noqa: PTH110 (any name)
    if folder.holds(path) and (os.path.exists(path) or not is_beside):  # noqa: PTH110
        return path
    return beside if embedded or is_beside else None


def _unset(flags: Any) -> dict[str, Any]:
    """Flags that are not set, as the attribute of the picture that says what could be."""
    found = [name for name, value in flags.items() if not value] if isinstance(flags, dict) else []
    return {"flags": dict.fromkeys(found, False)} if found else {}


def _flags(flags: Any, picture: str, where: str) -> Iterator[Item]:
    for name, value in flags.items() if isinstance(flags, dict) else ():
        at = f"{where} flags[{name!r}]"
        if value is True and name:
            yield Annotation(picture, "classification", name, at)
        elif value is not False:
            yield Problem(at, "bad_row", f"{files.excerpt(str(value))} is neither true nor false")


def _shapes(shapes: Sequence[Any], picture: Picture, where: str) -> Iterator[Item]:
    first: dict[str, str] = {}
    for number, shape in enumerate(shapes):
        at = f"{where} shapes[{number}]"
        same = first.setdefault(json.dumps(shape, sort_keys=True), at)
        if same != at:
            yield Problem(at, "duplicate_id", f"is the same as {same}")
            continue
        try:
            yield _annotation(shape, picture, at)
        except _BadShape as error:
            yield Problem(at, *error.args)


def _annotation(shape: Any, picture: Picture, where: str) -> Annotation:
    label = shape.get("label") if isinstance(shape, dict) else None
    if not isinstance(label, str) or not label.strip():
        raise _BadShape("bad_row", "has no label")
    kind, box, geometry, more = _geometry(shape, picture)
    rest = {k: v for k, v in shape.items() if k not in _OWN and v is not None}
    rest = {k: v for k, v in rest.items() if v or k not in _OFTEN_EMPTY}
    if any(not math.isfinite(value) for value in exact.numbers(rest)):
        raise _BadShape("not_a_number", "has an attribute that is not a number")
    sure = _confidence(rest)
    return Annotation(
        picture.name, kind, label, where, box, geometry, {**_plain(rest), **more}, confidence=sure
    )


def _confidence(rest: dict[str, Any]) -> float | None:
    """Takes the score out, if it is from 0 to 1."""
    score = rest.get("score")
    if not _is_number(score) or not 0 <= float(score or 0) <= 1:
        return None
    return float(rest.pop("score"))


def _geometry(
    shape: Mapping[str, Any], picture: Picture
) -> tuple[Kind, Box, dict[str, Any] | None, dict[str, Any]]:
    """Kind, bounding box, shape and attributes of a shape of labelme."""
    form, points = shape.get("shape_type") or "polygon", _points(shape)
    if len(points) != _N_POINTS.get(form, len(points)) or not points:
        raise _BadShape("bad_shape", f"is a {form} of {len(points)} points")
    if form == "rectangle":
        return "box", _rectangle(shape["points"]), None, {}
    if form == "circle":
        ring = _circle(points)
        return "polygon", bounds(ring), {"polygons": [[ring]]}, {"circle": points}
    if form == "mask":
        box, runs = _mask(shape.get("mask"), points[0], picture.size)
        return "mask", box, runs, {}
    if form in _POLYLINES and len(points) > 1:
        return "polyline", bounds(points), {"points": points}, {}
    if form in _POINTS:
        return "keypoints", bounds(points), {"points": [[*p, 2.0] for p in points]}, {}
    if form in _CORNERS and len(points) == 4:
        return "rotated_box", bounds(points), {"corners": points}, {}
    if form != "polygon" or len(points) < 3:
        reason = "bad_shape" if form in ("polygon", *_CORNERS, *_POLYLINES) else "unsupported"
        raise _BadShape(reason, f"is a {form} of {len(points)} points, which is not read")
    return "polygon", bounds(points), {"polygons": [[points]]}, {}


def _points(shape: Mapping[str, Any]) -> list[list[float]]:
    points = shape.get("points")
    pairs = isinstance(points, list) and all(isinstance(p, list) and len(p) == 2 for p in points)
    if not pairs or not all(_is_number(value) for p in points or () for value in p):
        raise _BadShape("bad_shape", "has points that are no pairs of numbers")
    return [[float(x), float(y)] for x, y in points or ()]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rectangle(points: Sequence[Sequence[Any]]) -> Box:
    """(x, y, w, h) from two opposite corners, any two."""
    (ax, ay), (bx, by) = ([Decimal(getattr(v, "text", v)) for v in point] for point in points)
    if not all(value.is_finite() for value in (ax, ay, bx, by)):
        return float(ax), float(ay), math.nan, math.nan
    (x, w), (y, h) = exact.span(ax, bx), exact.span(ay, by)
    return x, y, w, h


def _circle(points: Sequence[Sequence[float]]) -> list[list[float]]:
    (x, y), (edge_x, edge_y) = points
    radius = math.hypot(edge_x - x, edge_y - y)
    angles = [math.tau * i / _VERTICES for i in range(_VERTICES)]
    return [[x + radius * math.cos(a), y + radius * math.sin(a)] for a in angles]


def _mask(
    text: Any, corner: Sequence[float], size: tuple[int, int] | None
) -> tuple[Box, dict[str, Any]]:
    """A mask on the whole picture, from a picture of its part at a corner."""
    try:
        part = png.from_png(base64.b64decode(text, validate=True))
    except (TypeError, ValueError) as error:
        raise _BadShape("bad_shape", f"mask {error}") from error
    if size is None or not all(map(math.isfinite, corner)):
        raise _BadShape("bad_shape", "is a mask without imageWidth and imageHeight or a corner")
    try:
        return masks.of_pixels(masks.placed(part, int(corner[0]), int(corner[1]), size))
    except ValueError as error:
        raise _BadShape("bad_shape", f"is {error}") from error


def _plain(value: Any) -> Any:
    """The same with floats that are just floats."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, _Number) else value


@dataclass
class _Writer:
    """A folder of JSON files that is being written; shapes wait in a file for each picture."""

    path: Path
    flags: dict[str, dict[str, bool]] = field(default_factory=dict)
    taken: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    losses: Losses = field(default_factory=lambda: Losses(TITLE))

    def add_picture(self, picture: Picture) -> bool:
        """Whether the picture gets a JSON file of its own."""
        file = self._file(picture.name)
        if not files.safe(picture.name) or file in self.taken or file.name == ".json":
            reason = "duplicate_id" if file in self.taken else "unsafe_path"
            detail = f"{picture.name!r} cannot have a JSON file of its own"
            self.problems.append(Problem(picture.where, reason, detail))
            return False
        self.taken.add(file)
        told = picture.attributes.get("flags")
        self.flags[picture.name] = dict(told) if isinstance(told, dict) else {}
        return True

    def add_label(self, label: Annotation, out: files.Appender) -> None:
        """Keeps a shape or a flag."""
        if label.picture not in self.flags:
            detail = f"{label.picture} was not written"
            self.problems.append(Problem(label.where, "missing_image", detail))
        elif not exact.is_finite(label):
            detail = "labelme holds finite numbers only"
            self.problems.append(Problem(label.where, "not_a_number", detail))
        elif label.kind == "classification":
            self.flags[label.picture][label.class_name] = True
            self.losses.note(label, (), confidence=False)
        elif shape := _written(label):
            out.write(self._file(label.picture).with_suffix(".part"), shape)
            self.losses.note(label, None)
        else:
            detail = f"labelme holds no such {label.kind}"
            self.problems.append(Problem(label.where, "unsupported", detail))

    def finish(self, picture: Picture) -> None:
        """Writes the JSON file of a picture."""
        file = self._file(picture.name)
        part = file.with_suffix(".part")
        shapes = part.read_text(encoding="utf-8").splitlines() if part.exists() else []
        part.unlink(missing_ok=True)
        width, height = picture.size or (None, None)
        told = {
            "version": "5.5.0",
            "flags": self.flags[picture.name],
            "imagePath": Path(picture.name).name,
            "imageData": base64.b64encode(picture.data).decode() if picture.data else None,
            "imageHeight": height,
            "imageWidth": width,
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        start = json.dumps(told, indent=2)[:-2]
        body = ",\n    ".join(shapes)
        file.write_text(f'{start},\n  "shapes": [\n    {body}\n  ]\n}}\n', encoding="utf-8")

    def _file(self, name: str) -> Path:
        return self.path / Path(name).parent / f"{Path(name).stem}.json"


def _written(label: Annotation) -> str | None:
    """The JSON of a shape that is read as this label; None if there is none."""
    named = any(key in label.attributes for key in (*_OWN, "score"))
    if named or not all(map(math.isfinite, exact.numbers(label.attributes))):
        return None
    rest = dict(label.attributes)
    found = _form(label, rest)
    if found is None:
        return None
    form, points, mask = found
    score = {} if label.confidence is None else {"score": label.confidence}
    more = {"mask": mask} if mask else {}
    told: dict[str, Any] = {
        "label": label.class_name,
        "shape_type": form,
        "flags": {},
        "group_id": None,
    }
    corners = ", ".join(f"[{x}, {y}]" for x, y in points)
    return json.dumps({**told, **rest, **score, **more})[:-1] + f', "points": [{corners}]}}'


def _form(label: Annotation, rest: dict[str, Any]) -> _Form | None:
    """shape_type, points and mask of a label; takes the attribute circle out of ``rest``."""
    shape = label.shape or {}
    if label.kind == "box" and label.box:
        x, y, w, h = map(exact.decimal, label.box)
        ends = ((x, y), (x + w, y + h))
        return "rectangle", [[*map(exact.shown, end)] for end in ends], None
    if label.kind == "rotated_box":
        return "oriented_rectangle", shape["corners"], None
    if label.kind == "polygon":
        return _polygon(shape["polygons"], rest)
    if label.kind == "polyline" and len(shape["points"]) > 1:
        return ("line" if len(shape["points"]) == 2 else "linestrip"), shape["points"], None
    if label.kind == "keypoints" and all(point[2] == 2 for point in shape["points"]):
        form = "point" if len(shape["points"]) == 1 else "points"
        return form, [point[:2] for point in shape["points"]], None
    if label.kind == "mask" and label.box:
        x0, y0, width, height = map(int, label.box)
        part = masks.to_pixels(shape)[y0 : y0 + height, x0 : x0 + width]
        text = base64.b64encode(png.to_png(part)).decode()
        return "mask", [[x0, y0], [x0 + width - 1, y0 + height - 1]], text
    return None


def _polygon(polygons: Sequence[Sequence[Any]], rest: dict[str, Any]) -> _Form | None:
    if [len(rings) for rings in polygons] != [1] or len(polygons[0][0]) < 3:
        return None
    circle = rest.get("circle")
    if circle and polygons == [[_circle(circle)]]:
        return "circle", rest.pop("circle"), None
    return "polygon", polygons[0][0], None
