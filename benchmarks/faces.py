"""How many faces the detectors find in the 33 COCO photos, against what a person sees there.

The truth is ours: every face of at least 20 pixels that can be told as one, marked by a person who
had YuNet's boxes before them, which flatters YuNet. It is too few to choose a threshold by.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, show

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"

FACES = {
    86: [(208, 176, 37, 42)],
    165: [(126, 46, 75, 100), (445, 150, 64, 92)],
    294: [(114, 87, 65, 87)],
    308: [
        (185, 57, 37, 46), (8, 86, 68, 84), (79, 48, 42, 48), (124, 88, 21, 27),
        (447, 66, 44, 55),
    ],
    370: [(132, 71, 183, 211)],
    389: [
        (259, 104, 100, 134), (140, 267, 42, 62), (179, 298, 38, 47), (474, 322, 30, 45),
        (588, 375, 23, 29),
    ],
    436: [(165, 74, 125, 157)],
    459: [(135, 118, 106, 133)],
    529: [(244, 116, 39, 51), (192, 115, 42, 47)],
}  # fmt: skip
"""Left, top, width, height of the faces by the photo's number."""

SMALLEST = 20
IOU = 0.3
DETECTORS = ("haar:frontalface", "haar:frontalface_alt2", "haar:profileface", "yunet")


def main(quick: bool = False) -> None:
    """Prints recall and precision of each detector, alone, on pictures as they are."""
    import numpy as np

    from smartdb import detectors, images

    photos = sorted((SHARED / "coco" / "images").glob("*.jpg"))[: 5 if quick else None]
    pixels = {int(p.stem): np.asarray(images.load_rgb(p)) for p in photos}
    weights = next((SHARED / "models").glob("face_yunet*.onnx"))
    figures = []
    for name in DETECTORS:
        find = detectors.load(f"yunet:{weights}" if name == "yunet" else name).find
        boxes = {n: [(b.x, b.y, b.w, b.h) for b in find(a)] for n, a in pixels.items()}
        figures += _scores(name, boxes)
    show(f"faces: {len(pixels)} COCO photos", figures)


def _scores(name: str, boxes: dict[int, list[Any]]) -> list[Figure]:
    """Recall of the faces, and how many boxes are on none: some are of smaller faces."""
    truth = {number: FACES.get(number, []) for number in boxes}
    found = sum(
        any(_iou(t, b) > IOU for b in boxes[n]) for n, faces in truth.items() for t in faces
    )
    large = [(n, b) for n, some in boxes.items() for b in some if max(b[2:]) >= SMALLEST]
    right = sum(any(_iou(t, b) > IOU for t in truth[n]) for n, b in large)
    n_faces = sum(map(len, truth.values()))
    small = sum(map(len, boxes.values())) - len(large)
    return [
        Figure(f"{name}: recall", found / max(1, n_faces), "", note=f"{found} of {n_faces} faces"),
        Figure(
            f"{name}: precision", right / max(1, len(large)), "",
            note=f"{right} of {len(large)} boxes; {small} more below {SMALLEST} pixels",
        ),
    ]  # fmt: skip


def _iou(a: Any, b: Any) -> float:
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, w) * max(0.0, h)
    return float(shared / (a[2] * a[3] + b[2] * b[3] - shared))
