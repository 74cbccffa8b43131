"""Fine-tuning: an open_clip image tower with a linear head, trained on pixels.

Thin on purpose: one device, one learning rate for the tower and ten times that for the head. A
recipe varies the pictures, if one is named. What it makes is recorded as a head on vectors is: run,
model, predictions, scores.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from smartdb import artifacts, augment, config, contents, datasets, models, recipes, runs
from smartdb.contents import Content
from smartdb.dynamics import Dynamics, Watch
from smartdb.encoders.spec import Spec, parse
from smartdb.errors import InvalidInput, SmartdbError
from smartdb.heads import Epoch, needs
from smartdb.models import Items, Model, TrainingRun
from smartdb.turns import turn

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_AHEAD = 3  # batches that are decoded while the model computes


@dataclass(frozen=True)
class _Tower:
    """A torch module from pixels to logits, and how one picture is prepared for it."""

    module: Any
    prepare: Callable[[Any], NDArray[np.uint8]]
    device: Any
    vary: Callable[[Any, bytes, int], Any] | None = None

    def logits(self, pixels: NDArray[np.uint8]) -> Any:
        import torch

        tensor = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float()
        return self.module(tensor.div_(255))


def finetune(
    conn: psycopg.Connection[Any],
    dataset: str,
    version: int | None = None,
    spec: str = "open_clip:ViT-B-32/none",
    *,
    seed: int = 0,
    name: str | None = None,
    epochs: int = 3,
    batch_size: int = 32,
    learning_rate: float = 1e-4,
    weight_decay: float = 0.01,
    frozen: bool = False,
    recipe: str | None = None,
    device: str = "cpu",
    progress: Callable[[Epoch], object] | None = None,
) -> TrainingRun:
    """Trains an open_clip tower and a head on the pictures of a sealed version's train items.

    ``frozen`` trains the head alone. ``recipe`` varies the train pictures, anew in each epoch and
    the same at each call; one that pastes is refused, for the class would be wrong then. The
    weights of the epoch with the least loss on the val items are kept (without any: the last). The
    same call again returns the run that is there; the same seed on the same CPU gives the same
    weights. It commits, and nothing is open while it trains. NotFound for what does not exist and
    for pictures whose file is gone, InvalidInput for another kind of model, EncoderUnavailable if
    its weights cannot be had.
    """
    parts = parse(spec)
    if parts.kind != "open_clip":
        raise InvalidInput(f"only open_clip towers can be fine-tuned, not {spec!r}")
    if epochs < 1 or batch_size < 1:
        raise InvalidInput(f"epochs and batch size must be 1 or more, not {epochs}, {batch_size}")
    needs("open_clip", "fine-tuning")
    version = datasets.find_version(conn, dataset, version).version
    name = name or dataset
    parameters = {
        **{"dataset": dataset, "version": version, "tower": parts.absolute, "name": name},
        **{"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate},
        **{"weight_decay": weight_decay, "frozen": frozen},
    }
    vary = None
    if recipe is not None:
        parameters |= {"recipe": recipe}
        vary = _varied(conn, recipe, seed)
    with turn(conn, f"train {json.dumps(parameters)} {seed}"):
        items = models.read_items(conn, dataset, version)
        known = models.find_known(conn, parameters, seed, items)
        if known is not None:
            return known
        with runs.run(conn, "train", parameters, seed) as run:
            files = contents.find_pictures(conn, items.media_ids)
            conn.commit()  # nothing is open while it trains
            tower = replace(_make(parts, len(items.class_ids), seed, device), vary=vary)
            history, dynamics = _fit(
                tower,
                files,
                items,
                seed=seed,
                epochs=epochs,
                batch_size=batch_size,
                rates=(0.0 if frozen else learning_rate, 10 * learning_rate),
                weight_decay=weight_decay,
                progress=progress,
            )
            stored = artifacts.write(_state(tower, parts, len(items.class_ids)), ".safetensors")
            found = _probabilities(tower, files, batch_size)
            made = models.record(
                conn, run.run_id, name, items, stored, found, history, dynamics, encoder=None
            )
            run.counts.update(made.counts)
        return made


def readable(
    conn: psycopg.Connection[Any], model: Model, wanted: Ints | None, batch_size: int = 32
) -> tuple[Ints, Callable[[], Floats]]:
    """Images (all, or those wanted) in order, and how a stored tower's probabilities are had."""
    files = contents.find_pictures(conn, wanted)
    ids = np.array([file.media_id for file in files], np.int64)
    return ids, lambda: _probabilities(_restore(model), files, batch_size)


def _make(spec: Spec, n_classes: int, seed: int, device: str) -> _Tower:
    import open_clip
    import torch
    from open_clip.transform import PreprocessCfg

    from smartdb.encoders import clip, weights

    if spec.architecture not in open_clip.list_models():
        raise weights.unknown("open_clip", spec.architecture, open_clip.list_models())
    with clip._quiet():
        visual = clip._model(spec).visual
    pixels = PreprocessCfg(**visual.preprocess_cfg)
    prepare = clip._prepare(pixels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = _with_head(visual, n_classes, pixels.mean, pixels.std)
    where = weights.on_device(module, device)
    return _Tower(module, lambda image: np.asarray(prepare(image)), where)


def _with_head(visual: Any, n_classes: int, mean: Sequence[float], std: Sequence[float]) -> Any:
    """A module of (n, 3, h, w) from 0 to 1 to logits (n, c): ``visual``, then ``head``."""
    import torch
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual = visual
            self.head = nn.LazyLinear(n_classes)
            self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
            self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

        def forward(self, pixels: Any) -> Any:
            return self.head(self.visual((pixels - self.mean) / self.std))

    module = Classifier()
    side = visual.image_size if isinstance(visual.image_size, tuple) else (visual.image_size,) * 2
    with torch.no_grad():
        module.eval()(torch.zeros(1, 3, *side))  # tells the head how long the features are
        nn.init.zeros_(module.head.weight).add_(0.01 * torch.randn(module.head.weight.shape))
        nn.init.zeros_(module.head.bias)
    return module


def _fit(
    tower: _Tower,
    files: Sequence[Content],
    items: Items,
    *,
    seed: int,
    epochs: int,
    batch_size: int,
    rates: tuple[float, float],
    weight_decay: float,
    progress: Callable[[Epoch], object] | None,
) -> tuple[list[Epoch], Dynamics]:
    """Trains in place; the weights of the best epoch are in the tower afterwards."""
    import torch

    groups: list[dict[str, Any]] = []
    for part, rate in zip((tower.module.visual, tower.module.head), rates):
        if rate:
            part.requires_grad_(True)
            groups.append({"params": list(part.parameters()), "lr": rate})
    optimiser = torch.optim.AdamW(groups, weight_decay=weight_decay)
    train, val = np.flatnonzero(items.of("train")), np.flatnonzero(items.of("val"))
    best, history = (np.inf, _copied(tower)), list[Epoch]()
    watch = Watch(len(files))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for number in range(1, epochs + 1):
            order = np.random.default_rng((seed, number)).permutation(train)
            tower.module.train(bool(rates[0]))
            loss = _train_epoch(tower, optimiser, files, items.y, order, batch_size, watch, number)
            val_loss = _val_loss(tower, files, items.y, val, batch_size)
            history.append(Epoch(number, loss, val_loss))
            if progress is not None:
                progress(history[-1])
            if val_loss is None or val_loss < best[0]:
                best = (np.inf if val_loss is None else val_loss, _copied(tower))
    tower.module.load_state_dict(best[1])
    return history, watch.found(len(history)).of(train)


def _train_epoch(
    tower: _Tower,
    optimiser: Any,
    files: Sequence[Content],
    y: Ints,
    order: Ints,
    batch_size: int,
    watch: Watch,
    number: int,
) -> float:
    """One pass over the items in this order, watched; the mean loss on the way."""
    import torch
    from torch.nn.functional import cross_entropy

    total = 0.0
    for at, pixels in _batches(tower, files, order, batch_size, number):
        logits, classes = tower.logits(pixels), torch.from_numpy(y[at]).to(tower.device)
        watch.see(number, at, logits, classes)
        loss: Any = cross_entropy(logits, classes)
        if not torch.isfinite(loss):
            raise SmartdbError(
                f"training diverged: the loss is {loss.item()}; use a smaller learning rate"
            )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item() * len(at)
    return total / len(order)


def _val_loss(
    tower: _Tower, files: Sequence[Content], y: Ints, val: Ints, batch_size: int
) -> float | None:
    from smartdb.scores import log_loss

    if not len(val):
        return None
    return log_loss(_probabilities(tower, [files[at] for at in val], batch_size), y[val])


def _probabilities(tower: _Tower, files: Sequence[Content], batch_size: int) -> Floats:
    """Probability of each class, (n, c), for files in order."""
    import torch

    tower.module.eval()
    found = []
    with torch.inference_mode():
        for _, pixels in _batches(tower, files, np.arange(len(files)), batch_size):
            found.append(torch.softmax(tower.logits(pixels).double(), dim=1).float().cpu().numpy())
    probabilities: Floats = np.concatenate(found)
    return probabilities


def _batches(
    tower: _Tower, files: Sequence[Content], order: Ints, batch_size: int, epoch: int | None = None
) -> Iterator[tuple[Ints, NDArray[np.uint8]]]:
    """Places and their pixels (n, h, w, 3), decoded in threads while the model computes.

    In an epoch of training they are varied, in this thread: torch has one state of chance for all.
    """
    vary = tower.vary if epoch is not None else None
    load: Callable[[Content], Any] = contents.load_rgb if vary else partial(_pixels, tower)
    parts = deque(order[at : at + batch_size] for at in range(0, len(order), batch_size))
    waiting: deque[tuple[Ints, list[Future[Any]]]] = deque()
    pool = ThreadPoolExecutor(config.workers(), thread_name_prefix="decode")
    try:
        while parts or waiting:
            while parts and len(waiting) < _AHEAD:
                part = parts.popleft()
                waiting.append((part, [pool.submit(load, files[at]) for at in part]))
            part, futures = waiting.popleft()
            found = [future.result() for future in futures]
            if vary is not None and epoch is not None:
                new = [vary(p, files[at].sha256, epoch) for p, at in zip(found, part, strict=True)]
                found = list(pool.map(tower.prepare, new))
            yield part, np.stack(found)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _varied(conn: psycopg.Connection[Any], name: str, seed: int) -> Callable[..., Any]:
    """How a recipe varies a picture in an epoch."""
    found = recipes.find(conn, name)
    if found.pastes:
        raise InvalidInput(
            f"recipe {name!r} pastes objects, so a picture would not be of its class any more; "
            "leave CopyPaste out of it"
        )
    steps = recipes.build(found.pipeline)
    start = seed + found.seed
    return lambda picture, sha256, epoch: augment.picture_only(
        picture, steps, augment.seed_of(start, sha256, epoch)
    )


def _pixels(tower: _Tower, file: Content) -> NDArray[np.uint8]:
    return tower.prepare(contents.load_rgb(file))


def _copied(tower: _Tower) -> dict[str, Any]:
    return {name: each.detach().clone() for name, each in tower.module.state_dict().items()}


def _state(tower: _Tower, spec: Spec, n_classes: int) -> bytes:
    """Weights as a safetensors file that names its architecture."""
    from safetensors.torch import save

    about = {"format": "smartdb.towers 1", "architecture": spec.architecture}
    about |= {"n_classes": str(n_classes)}
    tensors = {name: each.contiguous().cpu() for name, each in _copied(tower).items()}
    return save(tensors, {"smartdb": json.dumps(about)})  # one key: several have no fixed order


def _restore(model: Model) -> _Tower:
    from safetensors.torch import load

    data = artifacts.read(model.uri, model.sha256)
    architecture = _about(data)["architecture"]
    text = f"open_clip:{architecture}/none"
    tower = _make(Spec(text, "open_clip", architecture, "none", {}), len(model.class_ids), 0, "cpu")
    tower.module.load_state_dict(load(data))
    return tower


def _about(data: bytes) -> Mapping[str, str]:
    """The metadata in the head of a safetensors file."""
    size = int.from_bytes(data[:8], "little")
    about: Mapping[str, str] = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["smartdb"])
    return about
