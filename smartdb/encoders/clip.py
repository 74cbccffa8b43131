"""open_clip models: an image tower and a text tower in one space."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from smartdb.encoders import hub, weights
from smartdb.encoders.base import Array, Encoder
from smartdb.encoders.spec import Spec
from smartdb.errors import EncoderUnavailable


def load(spec: Spec, device: str, batch_size: int) -> Encoder:
    """The encoder of an open_clip specification; see `smartdb.encoders.load`."""
    if spec.architecture not in open_clip.list_models():
        raise weights.unknown("open_clip", spec.architecture, open_clip.list_models())
    with _quiet():
        model = _model(spec)
    where = weights.on_device(model, device)
    config = PreprocessCfg(**model.visual.preprocess_cfg)
    forward = weights.forward(model.encode_image, where, config.mean, config.std)
    prepare = _prepare(config)
    return Encoder(
        name=spec.name,
        dim=forward(np.stack([prepare(Image.new("RGB", (8, 8)))])).shape[1],
        prepare=prepare,
        forward=forward,
        batch_size=batch_size,
        ahead=weights.batches_ahead(where),
        side=max(np.ravel(config.size)),
        weights_sha256=weights.digest(model),
        preprocessing={"spec": spec.absolute, **model.visual.preprocess_cfg},
        text=_text(spec, model, where, batch_size),
        note=weights.RANDOM_NOTE if spec.weights == "none" else None,
    )


def _model(spec: Spec) -> Any:
    if spec.weights == "none":
        return weights.random_weights(lambda: _create(spec, None))
    if spec.file.is_file():
        return _from_file(spec)
    if open_clip.is_pretrained_cfg(spec.architecture, spec.weights):
        return _create(spec, spec.weights)
    tags = ", ".join(open_clip.list_pretrained_tags_by_model(spec.architecture)[:8]) or "none"
    raise EncoderUnavailable(
        f"{spec.weights!r} is neither a checkpoint file nor a tag of {spec.architecture}; "
        f"its tags (first eight): {tags}"
    )


def _create(spec: Spec, tag: str | None) -> Any:
    """The model, with the weights of a tag from the hub's cache or else from the hub."""
    config = open_clip.get_model_config(spec.architecture)
    if tag is None and "hf_model_name" not in config["text_cfg"]:
        return open_clip.create_model(spec.architecture, pretrained_text=False)
    with hub.reachable_or_cached() as there:
        try:
            return open_clip.create_model(spec.architecture, tag, pretrained_text=False)
        except Exception as error:  # the hub's library raises its own, and those of its transport
            what = f"weights {tag!r} of {spec.architecture}" if tag else f"{spec.architecture}"
            reason = _first_line(error) if there else f"{hub.name()} cannot be reached from here"
            raise EncoderUnavailable(
                f"{what} cannot be had: not in the cache, and {reason}; give a checkpoint file "
                f"(open_clip:{spec.architecture}/FILE), or use --encoder descriptor"
            ) from error


def _from_file(spec: Spec) -> Any:
    model = _create(spec, None)
    try:
        open_clip.load_checkpoint(model, str(spec.file))
    except Exception as error:  # whatever unpickling and filling raise
        weights.read(spec.file)  # raises if the file is the reason
        reason = " ".join(str(error).split())[:300]
        raise EncoderUnavailable(
            f"{spec.file} does not fit {spec.architecture}: {reason}"
        ) from error
    return model


def _prepare(config: PreprocessCfg) -> Callable[[Image.Image], Array]:
    """The part of open_clip's own preparation that works on images: resize and crop."""
    *steps, to_tensor, normalize = image_transform_v2(config, is_train=False).transforms
    assert "ToTensor" in type(to_tensor).__name__, to_tensor
    assert "Normalize" in type(normalize).__name__, normalize

    def prepare(image: Image.Image) -> Array:
        for step in steps:
            image = step(image)
        return np.asarray(image)

    return prepare


def _text(
    spec: Spec, model: Any, device: torch.device, batch_size: int
) -> Callable[[Sequence[str]], Array]:
    @cache
    def tokenizer() -> Any:
        with hub.reachable_or_cached():
            try:
                return open_clip.get_tokenizer(spec.architecture)
            except Exception as error:
                raise EncoderUnavailable(
                    f"no tokenizer of {spec.architecture}: {_first_line(error)}"
                ) from error

    def encode(texts: Sequence[str]) -> Array:
        tokens = tokenizer()(list(texts)).to(device)
        with torch.inference_mode():
            parts = [model.encode_text(part).float().cpu() for part in tokens.split(batch_size)]
        vectors: Array = torch.cat(parts).numpy()
        return vectors

    return encode


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without open_clip's log lines: what matters in them is said by errors and notes."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
