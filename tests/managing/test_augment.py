"""Augmentation of pictures with their labels: they move together, and chance can be replayed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from smartdb import augment, outlines, recipes
from smartdb.copy_paste import CopyPaste, Sample
from smartdb.errors import InvalidInput
from smartdb.formats import masks
from smartdb.outlines import Outline

pytest.importorskip("torchvision")

SIZE = (96, 64)
RING = [[20.0, 12.0], [60.0, 12.0], [60.0, 44.0], [20.0, 44.0]]


def sample() -> Sample:
    """A white rectangle on black, marked by a label of each kind."""
    pixels = np.zeros((64, 96), np.bool_)
    pixels[12:44, 20:60] = True
    picture = Image.fromarray(np.where(pixels, 255, 0).astype(np.uint8)).convert("RGB")
    box, mask = masks.of_pixels(pixels)
    points = {"points": [[20, 12, 2], [60, 44, 2], [0, 0, 0]]}
    names = ("left eye", "right eye", "nose")
    return Sample(
        picture,
        (
            Outline("box", box),
            Outline("polygon", box, {"polygons": [[RING, [[30, 20], [40, 20], [40, 30]]]]}),
            Outline("mask", box, mask),
            Outline("rotated_box", box, {"corners": RING}),
            Outline("polyline", box, {"points": RING[:3]}),
            Outline("keypoints", box, points, names),
            Outline("classification"),
        ),
    )


def pipeline(name: str, **arguments: Any) -> list[recipes.Step]:
    """One step."""
    return recipes.build([{"transform": name, "arguments": arguments}])


def white(picture: Image.Image) -> tuple[float, ...]:
    """Left, top, right, bottom of what is white."""
    ys, xs = np.nonzero(np.asarray(picture)[..., 0] > 127)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


def sides(outline: Outline) -> tuple[float, ...]:
    """Left, top, right, bottom of a label's box."""
    assert outline.box is not None
    x, y, w, h = outline.box
    return x, y, x + w, y + h


STEPS = {
    "flip": ("RandomHorizontalFlip", {"p": 1}),
    "upside down": ("RandomVerticalFlip", {"p": 1}),
    "resize": ("Resize", {"size": [128, 48]}),
    "affine": ("RandomAffine", {"degrees": [90, 90], "interpolation": "bilinear"}),
    "shear": ("RandomAffine", {"degrees": 0, "translate": [0.1, 0.1], "scale": [0.6, 0.7]}),
    "pad": ("Pad", {"padding": [7, 3, 1, 2]}),
    "out": ("RandomZoomOut", {"p": 1, "side_range": [1.5, 1.5]}),
    "crop": ("RandomResizedCrop", {"size": [50, 70], "scale": [0.5, 0.8]}),
    "perspective": ("RandomPerspective", {"distortion_scale": 0.3, "p": 1}),
}


@pytest.mark.parametrize("name", STEPS)
def test_labels_of_all_kinds_move_with_the_pixels(name: str) -> None:
    step, arguments = STEPS[name]
    moved = augment.apply(sample(), pipeline(step, **arguments), seed=3)
    seen = white(moved.picture)
    kinds = [each.kind for each in moved.outlines]
    assert kinds[:4] == ["box", "polygon", "mask", "rotated_box"]
    assert kinds[-1] == "classification"
    for each in moved.outlines[:3]:
        assert np.abs(np.subtract(sides(each), seen)).max() <= 1.6, (name, each.kind)
    polygon = outlines.filled(moved.outlines[1], moved.picture.size)
    hole = outlines.filled(moved.outlines[2], moved.picture.size) & ~polygon
    assert 0 < hole.sum() < 0.2 * polygon.sum()


def test_the_same_seed_gives_the_same_and_leaves_the_state_of_torch() -> None:
    import torch

    steps = [*pipeline("RandomAffine", degrees=30), *pipeline("ColorJitter", hue=0.2)]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, two, other = (augment.apply(sample(), steps, seed) for seed in (1, 1, 2))
    assert torch.rand(1) == expected
    assert one.outlines == two.outlines
    assert one.picture.tobytes() == two.picture.tobytes() != other.picture.tobytes()


def test_what_leaves_the_picture_is_dropped_and_what_is_cut_is_clipped() -> None:
    inner = pipeline("CenterCrop", size=[64, 30])
    moved = augment.apply(sample(), inner, 0)
    assert [each.kind for each in moved.outlines][:3] == ["box", "polygon", "mask"]
    assert sides(moved.outlines[0]) == sides(moved.outlines[2]) == (0, 12, 27, 44)
    points = next(each for each in moved.outlines if each.kind == "keypoints").shape
    assert points == {"points": [[0, 0, 0], [27, 44, 2], [0, 0, 0]]}
    away = Sample(sample().picture, (Outline("box", (0, 0, 9, 9)), Outline("caption", None, {})))
    assert [each.kind for each in augment.apply(away, inner, 0).outlines] == ["caption"]


def test_in_a_mirror_left_and_right_change_and_points_without_names_are_gone() -> None:
    mirror = pipeline("RandomHorizontalFlip", p=1)
    named = next(o for o in augment.apply(sample(), mirror, 0).outlines if o.kind == "keypoints")
    assert named.shape == {"points": [[36, 44, 2], [76, 12, 2], [0, 0, 0]]}
    bare = tuple(o for o in sample().outlines if o.kind == "keypoints")
    unnamed = Sample(sample().picture, (Outline("keypoints", bare[0].box, bare[0].shape),))
    assert augment.apply(unnamed, mirror, 0).outlines == ()


def test_a_turned_rotated_box_is_a_rectangle_still() -> None:
    from smartdb.formats.rotated import of_corners

    turned = augment.apply(sample(), pipeline("RandomRotation", degrees=[20, 20]), 0)
    found = next(each for each in turned.outlines if each.kind == "rotated_box")
    assert found.shape is not None
    rectangle = of_corners(found.shape["corners"])
    assert rectangle is not None
    assert sorted([rectangle.w, rectangle.h]) == pytest.approx([32, 40], abs=0.1)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([], "a list of"),
        ([{"transform": "Lambda"}], "step 1: there is no transform 'Lambda'"),
        (
            [{"transform": "ColorJitter", "arguments": {"tint": 1}}],
            r"step 1 \(ColorJitter\): .*tint",
        ),
        ([{"transform": "RandomAffine", "arguments": {"degrees": -1}}], "RandomAffine"),
        ([{"transform": "RandomChoice", "arguments": {"transforms": []}}], "needs transforms"),
        ([{"transform": "CopyPaste", "arguments": {"n": 0}}], "n must be a whole number"),
        ([{"transform": "Resize", "size": 3}], "step 1 is not"),
    ],
)
def test_a_recipe_that_cannot_be_built_says_which_step(wrong: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        recipes.build(wrong)


def test_a_crop_larger_than_the_picture_says_so() -> None:
    with pytest.raises(InvalidInput, match="RandomCrop cannot be done with a picture of 96 x 64"):
        augment.apply(sample(), pipeline("RandomCrop", size=[200, 200]), 0)


def donor(kind: str) -> Sample:
    """A red square with a label of a kind."""
    picture = Image.new("RGB", (30, 30), "red")
    ring = [[5.0, 5.0], [25.0, 5.0], [25.0, 25.0], [5.0, 25.0]]
    shape = {"polygons": [[ring]]} if kind == "polygon" else None
    return Sample(picture, (Outline(kind, (5, 5, 20, 20), shape, row={"class": "new"}),))


@pytest.mark.parametrize("kind", ["box", "polygon"])
def test_a_pasted_object_is_labelled_and_hides_what_is_behind(kind: str) -> None:
    step = CopyPaste(n=1, scale=(1, 1))
    pasted = augment.apply(sample(), [step], 1, [donor(kind)])
    red = np.asarray(pasted.picture)[..., 0] > np.asarray(pasted.picture)[..., 1]
    new = pasted.outlines[-1]
    assert (new.kind, new.row["class"]) == ("box" if kind == "box" else "mask", "new")
    ys, xs = np.nonzero(red)
    assert sides(new) == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    mask = next(each for each in pasted.outlines if each.kind == "mask").pixels
    assert mask is not None
    assert not (mask & red).any()
    assert augment.apply(sample(), [step], 1, [donor(kind)]).outlines == pasted.outlines


def test_what_is_covered_wholly_is_dropped_and_a_box_shrinks_to_what_is_seen() -> None:
    large = Sample(Image.new("RGB", SIZE, "red"), (Outline("box", (0, 0, 96, 64)),))
    step = CopyPaste(n=1, scale=(1, 1))
    covered = augment.apply(sample(), [step], 0, [large])
    kinds = [each.kind for each in covered.outlines]
    assert "mask" not in kinds
    assert kinds.count("box") == 1
    strip = Sample(Image.new("RGB", (20, 64), "red"), (Outline("box", (0, 0, 20, 64)),))
    for seed in range(3):
        first, *_, last = augment.apply(sample(), [step], seed, [strip]).outlines
        left, _, right, _ = sides(last)
        seen = [column for column in range(20, 60) if not left <= column < right]
        assert sides(first) == (min(seen), 12, max(seen) + 1, 44)
