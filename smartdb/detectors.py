"""Detectors: plug-ins that find faces, plates and the like in the pixels of a picture.

``haar:frontalface`` and other cascades come with OpenCV 4 and need no download; ``yunet:FILE`` is
OpenCV's face detector with its weights in a file. Others register under the entry point group
``smartdb.detectors``: a function that is given what stands after the colon and returns a
`Detector`. None of them finds everything: docs/how-to-privacy.md tells how much they miss.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartdb.errors import InvalidInput, SmartdbError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GROUP = "smartdb.detectors"

CASCADES = {
    "frontalface": ("face", "haarcascade_frontalface_default.xml"),
    "frontalface_alt2": ("face", "haarcascade_frontalface_alt2.xml"),
    "profileface": ("face", "haarcascade_profileface.xml"),
    "plate": ("plate", "haarcascade_russian_plate_number.xml"),
}
"""Cascades of OpenCV by the name they have here: the kind of finding, and the file."""

SIDE = 1280
"""Larger pictures are looked at at this length of their longer side, which bounds time and memory:
faces below about 20 pixels there are not found."""


@dataclass(frozen=True)
class Box:
    """Something found: score, and left, top, width, height in pixels of the upright picture."""

    score: float
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class Detector:
    """A detector that is ready to look.

    ``find`` is given an upright picture, (h, w, 3) uint8 RGB. ``version`` tells library and
    weights apart; a media is not looked at twice by the same name, version and parameters.
    """

    name: str
    kind: str
    version: str
    find: Callable[[NDArray[np.uint8]], list[Box]] = field(compare=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)


def load(name: str) -> Detector:
    """The detector of a name such as ``haar:frontalface``; InvalidInput says which there are."""
    family, _, rest = name.partition(":")
    factories = {"haar": _haar, "yunet": _yunet}
    if family in factories:
        return factories[family](rest)
    for found in entry_points(group=GROUP, name=family):
        made = found.load()(rest)
        if not isinstance(made, Detector):
            raise InvalidInput(f"the plug-in {found.value} gives no smartdb.detectors.Detector")
        return made
    known = [*(f"haar:{name}" for name in CASCADES), "yunet:FILE"]
    known += sorted({f"{found.name}:..." for found in entry_points(group=GROUP)})
    raise InvalidInput(f"no detector {name!r}; there are {', '.join(known)}")


def _haar(cascade: str) -> Detector:
    if cascade not in CASCADES:
        raise InvalidInput(f"no cascade {cascade!r}; there are {', '.join(CASCADES)}")
    kind, file = CASCADES[cascade]
    cv2 = _opencv()
    path = Path(cv2.data.haarcascades) / file
    classifier = cv2.CascadeClassifier(str(path))
    parameters = {"scaleFactor": 1.1, "minNeighbors": 4, "minSize": [20, 20], "side": SIDE}

    def find(rgb: NDArray[np.uint8]) -> list[Box]:
        small, scale = _small(cv2, rgb)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        boxes, _, weights = classifier.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=4, minSize=(20, 20), outputRejectLevels=True
        )
        return [
            Box(float(score), *(float(value) / scale for value in box))
            for box, score in zip(boxes, weights, strict=True)
        ]

    return Detector(f"haar:{cascade}", kind, _version(cv2, path), find, parameters)


def _yunet(file: str) -> Detector:
    cv2 = _opencv()
    path = Path(file).expanduser().absolute()
    if not file or not path.is_file():
        raise InvalidInput(f"no weights {file!r}; give yunet:FILE, an .onnx of OpenCV's model zoo")
    parameters = {"score_threshold": 0.6, "nms_threshold": 0.3, "side": SIDE}
    network = cv2.FaceDetectorYN.create(str(path), "", (320, 320), 0.6, 0.3, 5000)

    def find(rgb: NDArray[np.uint8]) -> list[Box]:
        small, scale = _small(cv2, rgb)
        network.setInputSize((small.shape[1], small.shape[0]))
        _, faces = network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        rows = [] if faces is None else faces.tolist()
        return [Box(row[14], *(value / scale for value in row[:4])) for row in rows]

    return Detector(f"yunet:{path.name}", "face", _version(cv2, path), find, parameters)


def _small(cv2: Any, rgb: NDArray[np.uint8]) -> tuple[Any, float]:
    """The picture at no more than `SIDE` pixels, and by how much it was reduced."""
    scale = min(1.0, SIDE / max(rgb.shape[:2]))
    if scale == 1:
        return rgb, scale
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def _opencv() -> Any:
    try:
        import cv2
    except ImportError:
        raise SmartdbError("detectors need OpenCV; run: pip install 'smartdb[faces]'") from None
    if not hasattr(cv2, "CascadeClassifier"):
        raise SmartdbError(
            f"OpenCV {cv2.__version__} has no cascades; run: pip install 'smartdb[faces]'"
        )
    cv2.setNumThreads(1)  # the worker processes are parallel
    return cv2


def _version(cv2: Any, weights: Path) -> str:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return f"{cv2.__version__} {digest[:12]}"
