"""Weights of torch models: reading files, filling models, digests, devices."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from smartdb.encoders.base import Array
from smartdb.errors import EncoderUnavailable

T = TypeVar("T")

SEED = 0
_COUNTER = "num_batches_tracked"  # older files lack it, and it only matters in training
RANDOM_NOTE = f"its weights are random (seed {SEED}): good for trying things out, for nothing else"


def random_weights(make: Callable[[], T]) -> T:
    """What ``make`` makes with the same random weights each time; torch's generator is kept."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return make()


def read(file: Path) -> dict[str, Tensor]:
    """The state dict of a checkpoint: by itself or under state_dict or model, ``module.`` removed.

    No code of the file is run. EncoderUnavailable if there is no such file or it has no weights.
    """
    if not file.is_file():
        raise EncoderUnavailable(f"no such checkpoint file: {file}")
    try:
        state = _raw(file)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EncoderUnavailable(f"cannot read weights from {file}: {reason}") from error
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise EncoderUnavailable(f"{file} is not a state dict: it must map names to tensors")
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def fill(
    model: nn.Module, state: Mapping[str, Tensor], what: str, unused: Sequence[str] = ()
) -> None:
    """Loads a state dict that must fit, except what begins with ``unused`` (a head cut off)."""
    wanted = model.state_dict()
    given = {name: t for name, t in state.items() if not name.startswith(tuple(unused))}
    wrong = [
        *(f"{n} is missing" for n in wanted if n not in given and not n.endswith(_COUNTER)),
        *(f"{n} is unknown" for n in given if n not in wanted),
        *(f"{n} is {tuple(given[n].shape)}, not {tuple(t.shape)}"
          for n, t in wanted.items() if n in given and given[n].shape != t.shape),
    ]  # fmt: skip
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise EncoderUnavailable(f"the checkpoint does not fit {what}: {wrong[0]}{more}")
    model.load_state_dict(given, strict=False)


def digest(model: nn.Module) -> bytes:
    """SHA-256 over names, types, shapes and values of all weights, in order of name."""
    sha256 = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        sha256.update(memoryview(flat.view(torch.uint8).numpy()))
    return sha256.digest()


def on_device(model: nn.Module, device: str) -> torch.device:
    """Moves the model there, ready to compute; EncoderUnavailable if there is no such device."""
    try:
        chosen = torch.device(device)
        model.requires_grad_(False).eval().to(chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise EncoderUnavailable(f"no device {device!r}: {reason}; use --device cpu") from error
    if chosen.type == "cpu":
        _keep_pages()
    return chosen


def batches_ahead(device: torch.device) -> int:
    """Decoding beside the model pays where that runs elsewhere; on the same cores it costs 5 %."""
    return 0 if device.type == "cpu" else 2


def forward(
    compute: Callable[[Tensor], Tensor],
    device: torch.device,
    mean: Sequence[float],
    std: Sequence[float],
    scale: float = 1.0,
    bgr: bool = False,
) -> Callable[[Array], Array]:
    """Pixels (n, h, w, 3) uint8 to features (n, d): white becomes ``scale``, then normalised."""
    gain = torch.tensor([scale / 255 / s for s in std], device=device).view(3, 1, 1)
    shift = torch.tensor([-m / s for m, s in zip(mean, std)], device=device).view(3, 1, 1)

    def run(pixels: Array) -> Array:
        with torch.inference_mode():
            tensor = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2)
            tensor = (tensor.flip(1) if bgr else tensor).to(torch.float32).mul_(gain).add_(shift)
            features: Array = compute(tensor).float().cpu().numpy()
            return features

    return run


def unknown(library: str, architecture: str, known: Sequence[str]) -> EncoderUnavailable:
    """The error for an architecture that the library does not have, with those alike."""
    alike = get_close_matches(architecture, known, n=5, cutoff=0.5) or sorted(known)[:5]
    return EncoderUnavailable(
        f"{library} has no image model {architecture!r}; it has for instance {', '.join(alike)}"
    )


def _keep_pages() -> None:
    """Tells glibc to keep up to 1 GiB of freed memory rather than give it back at once.

    Otherwise each layer's activations come as fresh pages, which the kernel fills with zeros: of
    a convolutional network's time on a CPU that is a third. For the whole process, on glibc only.
    """
    trim_threshold, mmap_max = -1, -4  # of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 1 << 30)


def _raw(file: Path) -> Any:
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    return torch.load(file, map_location="cpu", weights_only=True)
