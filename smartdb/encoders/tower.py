"""Image models of torchvision and timm from a checkpoint file: their penultimate layer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from smartdb.encoders import weights
from smartdb.encoders.base import Array, Encoder
from smartdb.encoders.spec import Spec
from smartdb.encoders.weights import unknown
from smartdb.errors import EncoderUnavailable, InvalidInput

Made = tuple[nn.Module, tuple[str, ...], "Pixels"]
"""A model without its last layer, what that is called in checkpoints, and how to prepare pixels."""


@dataclass(frozen=True)
class Pixels:
    """How pixels are prepared. The library's own values for the architecture are the defaults."""

    size: int
    resize: int
    mean: Sequence[float]
    std: Sequence[float]
    interpolation: str = "bilinear"
    scale: float = 1.0
    bgr: bool = False


def load(spec: Spec, device: str, batch_size: int) -> Encoder:
    """The encoder of a torchvision or timm specification; see `smartdb.encoders.load`."""
    make = _torchvision if spec.kind == "torchvision" else _timm
    model, head, usual = weights.random_weights(lambda: make(spec.architecture))
    pixels = pixels_of(spec, usual)
    if spec.weights != "none":
        weights.fill(model, weights.read(spec.file), spec.architecture, head)
    where = weights.on_device(model, device)
    forward = weights.forward(model, where, pixels.mean, pixels.std, pixels.scale, pixels.bgr)
    return Encoder(
        name=spec.name,
        dim=_dim(spec, forward, pixels.size),
        prepare=lambda image: prepare(image, pixels),
        forward=forward,
        batch_size=batch_size,
        ahead=weights.batches_ahead(where),
        side=pixels.resize,
        weights_sha256=weights.digest(model),
        preprocessing={"spec": spec.absolute, **asdict(pixels)},
        note=weights.RANDOM_NOTE if spec.weights == "none" else None,
    )


def pixels_of(spec: Spec, usual: Pixels) -> Pixels:
    """The usual values with the options of the specification.

    With only a ``size`` there is no crop, with only a ``mean`` the standard deviation is 1.
    """
    given: dict[str, Any] = {}
    if "size" in spec.options:
        given["size"] = given["resize"] = int(_one(spec, "size"))
    if "resize" in spec.options:
        given["resize"] = int(_one(spec, "resize"))
    if "mean" in spec.options:
        given |= {"mean": _three(spec, "mean"), "std": [1.0, 1.0, 1.0]}
    if "std" in spec.options:
        given["std"] = _three(spec, "std")
    if "scale" in spec.options:
        given["scale"] = _one(spec, "scale")
    if "bgr" in spec.options:
        given["bgr"] = _one(spec, "bgr") != 0
    return _possible(replace(usual, **given), spec)


def prepare(image: Image.Image, pixels: Pixels) -> Array:
    """The middle (size, size, 3) after a resize of the shorter side, as torchvision does it."""
    shorter, size = min(image.size), pixels.size
    width, height = (int(pixels.resize * side / shorter) for side in image.size)
    resized = image.resize((width, height), Image.Resampling[pixels.interpolation.upper()])
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(resized)[top : top + size, left : left + size]


def _possible(pixels: Pixels, spec: Spec) -> Pixels:
    if not 1 <= pixels.size <= pixels.resize or min(pixels.std) <= 0 or pixels.scale <= 0:
        raise InvalidInput(
            f"in {spec.text!r} size, std and scale must be above 0, and resize not below size"
        )
    return pixels


def _one(spec: Spec, option: str) -> float:
    (value,) = _numbers(spec, option, 1)
    return value


def _three(spec: Spec, option: str) -> list[float]:
    return _numbers(spec, option, 3)


def _numbers(spec: Spec, option: str, n: int) -> list[float]:
    try:
        values = [float(part) for part in spec.options[option].split(",")]
    except ValueError:
        values = []
    if len(values) != n or not np.isfinite(values).all():
        what = "one number" if n == 1 else f"{n} numbers, one a channel"
        raise InvalidInput(f"{option} in {spec.text!r} must be {what}")
    return values


def _torchvision(architecture: str) -> Made:
    from torchvision import models

    if architecture not in models.list_models(module=models):
        raise unknown("torchvision", architecture, models.list_models(module=models))
    usual = models.get_model_weights(architecture).DEFAULT.transforms()
    pixels = Pixels(
        size=usual.crop_size[0],
        resize=usual.resize_size[0],
        mean=usual.mean,
        std=usual.std,
        interpolation=usual.interpolation.value,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # on how random weights are drawn
        model = models.get_model(architecture, weights=None)
    return model, _behead(model, architecture), pixels


def _behead(model: nn.Module, architecture: str) -> tuple[str, ...]:
    """Cuts off the last layer, so the model ends in the pooled features; what it was called."""
    if architecture.startswith("squeezenet"):  # its last layer is a convolution
        model.classifier = nn.AdaptiveAvgPool2d(1)
        return ("classifier.",)
    last = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)][-1]
    model.set_submodule(last, nn.Identity())
    return (f"{last}.",)


def _timm(architecture: str) -> Made:
    import timm
    from timm.data.config import resolve_model_data_config

    if not timm.is_model(architecture):
        raise unknown("timm", architecture, timm.list_models())
    model = timm.create_model(architecture, pretrained=False, num_classes=0)
    usual = resolve_model_data_config(model)  # type: ignore[no-untyped-call]
    size = usual["input_size"][-1]
    pixels = Pixels(
        size=size,
        resize=int(size / usual["crop_pct"]),
        mean=usual["mean"],
        std=usual["std"],
        interpolation=usual["interpolation"],
    )
    heads = getattr(model, "pretrained_cfg", {}).get("classifier") or ()
    return model, tuple(f"{h}." for h in ([heads] if isinstance(heads, str) else heads)), pixels


def _dim(spec: Spec, forward: Callable[[Array], Array], size: int) -> int:
    try:
        features = forward(np.zeros((1, size, size, 3), np.uint8))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise EncoderUnavailable(
            f"{spec.architecture} does not take {size}x{size} pixels: {error}"
        ) from error
    if features.ndim != 2:
        raise EncoderUnavailable(f"{spec.architecture} gives no vector but {features.shape[1:]}")
    return int(features.shape[1])
