"""From a specification to an encoder, and which one when none is asked for."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

from smartdb.encoders.base import Encoder
from smartdb.encoders.spec import parse
from smartdb.errors import EncoderUnavailable

DEFAULT_BATCH = 64
PREFERRED = "open_clip:ViT-B-32/laion2b_s34b_b79k"
"""The default encoder of a machine that already has its weights."""

_PREFERRED_REPOSITORY = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
_PREFERRED_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def load(spec: str, *, device: str = "cpu", batch_size: int = DEFAULT_BATCH) -> Encoder:
    """The encoder of a specification, see `smartdb.encoders`.

    InvalidInput if the specification is not one, EncoderUnavailable (within seconds) if its
    weights, its architecture, its device or its library cannot be had: never another encoder.
    """
    parts = parse(spec)
    if parts.kind == "descriptor":
        from smartdb.encoders import descriptor

        return descriptor.load(parts.name, batch_size)
    needed = {"torch", parts.kind}
    missing = sorted(name for name in needed if find_spec(name) is None)
    if missing:
        raise EncoderUnavailable(
            f"encoder {spec!r} needs {' and '.join(missing)}; run: pip install 'smartdb[ml]', "
            "or use --encoder descriptor"
        )
    if parts.kind == "open_clip":
        from smartdb.encoders import clip

        return clip.load(parts, device, batch_size)
    from smartdb.encoders import tower

    return tower.load(parts, device, batch_size)


def default_encoder(*, device: str = "cpu", batch_size: int = DEFAULT_BATCH) -> Encoder:
    """The encoder when none is asked for: open_clip where its weights are already on the machine.

    Else ``descriptor``, with the reason in ``note``. Nothing is ever downloaded for a default.
    """
    if _has_preferred():
        return load(PREFERRED, device=device, batch_size=batch_size)
    from smartdb.encoders import descriptor

    encoder = descriptor.load("descriptor", batch_size)
    reason = f"no weights of {PREFERRED} on this machine (to fetch and use them, ask for it)"
    return replace(encoder, note=f"{reason}; {encoder.note}")


def name_of(spec: str | None) -> str:
    """The name that the encoder of a specification (None: the default) has in the database."""
    return parse(spec or (PREFERRED if _has_preferred() else "descriptor")).name


def _has_preferred() -> bool:
    if any(find_spec(name) is None for name in ("torch", "open_clip", "huggingface_hub")):
        return False
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(_PREFERRED_REPOSITORY, name) for name in _PREFERRED_FILES)
    return any(isinstance(path, str) for path in found)
