"""Linear heads: multinomial logistic regression on the vectors of an encoder.

A head reads vectors and gives the probability of each class. It is fitted with torch and needs
only numpy afterwards. Its weights absorb the standardisation, so vectors go in as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from smartdb.dynamics import Dynamics, Watch
from smartdb.errors import InvalidInput, SmartdbError

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Weights = Literal["balanced"] | NDArray[np.floating[Any]] | None

EPOCHS = 30
WEIGHT_DECAY = 1.0
DECAYS = (1.0, 10.0, 100.0, 1000.0)
"""Weight decays that are tried where none is given; the least loss on held-out data decides."""

_FORMAT = "smartdb.heads 1"
_PREDICT_ROWS = 65_536
_ONE_THREAD = 1_000_000_000  # multiplications an evaluation; below that a second thread costs
_PATIENCE = 5  # epochs without a smaller validation loss before the fit ends


@dataclass(frozen=True)
class Epoch:
    """Mean log loss after an epoch, on what was fitted and on the validation data, if any."""

    step: int
    loss: float
    val_loss: float | None


@dataclass(frozen=True)
class Head:
    """A fitted head: weight (c, d) float32, bias (c,) float32, and how the fit went.

    ``dynamics`` are those of the rows it was fitted on; None for a head that was read back.
    """

    weight: Floats
    bias: Floats
    history: tuple[Epoch, ...] = ()
    dynamics: Dynamics | None = None

    @property
    def dim(self) -> int:
        """Length of the vectors it reads."""
        return int(self.weight.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes it tells apart."""
        return int(self.weight.shape[0])

    def probabilities(self, vectors: Floats) -> Floats:
        """Probability of each class, (n, c) float32, for vectors (n, d) float32."""
        x = _vectors(vectors)
        if x.shape[1] != self.dim:
            raise InvalidInput(f"the head reads vectors of length {self.dim}, not {x.shape[1]}")
        blocks = range(0, len(x), _PREDICT_ROWS)
        found = [self._softmax(x[at : at + _PREDICT_ROWS]) for at in blocks]
        return np.concatenate(found) if found else np.zeros((0, self.n_classes), np.float32)

    def state(self) -> bytes:
        """Weights as a safetensors file; the same weights give the same bytes."""
        needs("safetensors", "storing a model")
        from safetensors.numpy import save

        return save({"bias": self.bias, "weight": self.weight}, {"format": _FORMAT})

    @classmethod
    def from_state(cls, data: bytes) -> Head:
        """The head that ``state`` wrote; InvalidInput for other bytes."""
        needs("safetensors", "reading a model")
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            tensors = load(data)
        except SafetensorError as error:
            raise InvalidInput(f"not the weights of a head: {error}") from error
        if sorted(tensors) != ["bias", "weight"]:
            raise InvalidInput(f"not the weights of a head, but of {sorted(tensors)}")
        return cls(tensors["weight"], tensors["bias"])

    def _softmax(self, x: Floats) -> Floats:
        logits = x.astype(np.float64) @ self.weight.T.astype(np.float64) + self.bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Floats = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
        return shares


def fit_head(
    vectors: Floats,
    classes: Ints,
    n_classes: int,
    *,
    seed: int,
    epochs: int = EPOCHS,
    weight_decay: float = WEIGHT_DECAY,
    class_weights: Weights = None,
    validation: tuple[Floats, Ints] | None = None,
    device: str = "cpu",
    on_epoch: Callable[[Epoch], object] | None = None,
) -> Head:
    """Fits a head on vectors (n, d) float32 and their classes (n,) int64 from 0 to n_classes - 1.

    Minimises the log loss on standardised vectors plus a penalty, L-BFGS over all rows at once
    (three steps an epoch); ``weight_decay`` is 1/C of scikit-learn's LogisticRegression. With
    ``validation`` the weights of the epoch with the least loss there are kept. ``class_weights``
    is "balanced" or (n_classes,). The same seed on the same CPU gives the same bits. InvalidInput
    for data that do not fit together or are not finite, SmartdbError if the loss diverges.
    """
    needs("torch", "training")
    import torch

    x, y = _checked(vectors, classes, n_classes)
    val = _checked(*validation, n_classes) if validation is not None else None
    if val is not None and val[0].shape[1] != x.shape[1]:
        raise InvalidInput(f"validation vectors have length {val[0].shape[1]}, not {x.shape[1]}")
    mean, scale = _standard(x)
    weights = torch.as_tensor(_class_weights(class_weights, y, n_classes), device=device)
    data = _tensors((x - mean) / scale, y, device)
    held = _tensors((val[0] - mean) / scale, val[1], device) if val is not None else None
    w, b = _start(n_classes, x.shape[1], seed, device)
    best, history, watch = _State(np.inf, w, b), list[Epoch](), Watch(len(y))
    with _threads(x.size * n_classes):
        step = _optimiser(w, b, data, weights, weight_decay / (2 * len(y)))
        for number in range(1, epochs + 1):
            step()
            logits = _logits(w, b, data)
            watch.see(number, slice(None), logits, data[1])
            val_loss = None if held is None else _loss(_logits(w, b, held), held[1], weights)
            epoch = Epoch(number, _loss(logits, data[1], weights), val_loss)
            _refuse_divergence(epoch)
            history.append(epoch)
            if on_epoch is not None:
                on_epoch(epoch)
            if epoch.val_loss is None or epoch.val_loss < best.val_loss:
                best = _State(epoch.val_loss or 0.0, w.detach().clone(), b.detach().clone())
            if _settled(history):
                break
    return _absorbed(best, mean, scale, tuple(history), watch.found(len(history)))


def fit_chosen(
    vectors: Floats,
    classes: Ints,
    n_classes: int,
    *,
    validation: tuple[Floats, Ints] | None,
    decays: Sequence[float] = DECAYS,
    **options: Any,
) -> tuple[Head, float]:
    """`fit_head` with the one of ``decays`` that has the least validation loss, and which that is.

    Without validation data it is the first.
    """
    fits = [
        (fit_head(vectors, classes, n_classes, validation=validation, weight_decay=d, **options), d)
        for d in (decays if validation is not None else decays[:1])
    ]
    return min(fits, key=lambda fit: min(epoch.val_loss or 0.0 for epoch in fit[0].history))


@dataclass(frozen=True)
class _State:
    """Weights on standardised vectors, as tensors, and their loss on the validation data."""

    val_loss: float
    w: Any
    b: Any


def needs(module: str, what: str, extra: str = "ml") -> None:
    """SmartdbError with the remedy, if an optional library is not installed."""
    if find_spec(module) is None:
        raise SmartdbError(f"{what} needs {module}; run: pip install 'smartdb[{extra}]'")


def _vectors(vectors: Floats) -> Floats:
    x = np.asarray(vectors, dtype=np.float32)
    if x.ndim != 2:
        raise InvalidInput(f"vectors must be (n, d), not of shape {x.shape}")
    return x


def _checked(vectors: Floats, classes: Ints, n_classes: int) -> tuple[Floats, Ints]:
    x, y = _vectors(vectors), np.asarray(classes, dtype=np.int64)
    if n_classes < 2:
        raise InvalidInput(f"a head tells two or more classes apart, not {n_classes}")
    if y.shape != (len(x),) or not x.size:
        raise InvalidInput(f"{len(x)} vectors of length {x.shape[1]} with {y.shape} classes")
    if y.min() < 0 or y.max() >= n_classes:
        raise InvalidInput(f"classes lie in {y.min()} to {y.max()}, not in 0 to {n_classes - 1}")
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        raise InvalidInput(f"the vector of row {int(np.argmin(finite))} is not finite")
    return x, y


def _standard(x: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each feature, in double; a constant one is left as it is."""
    mean = x.mean(axis=0, dtype=np.float64)
    scale = x.std(axis=0, dtype=np.float64)
    scale[scale <= 1e-6 * (np.abs(mean) + 1e-6)] = 1.0
    return mean.astype(np.float32), scale.astype(np.float32)


def _class_weights(given: Weights, y: Ints, n_classes: int) -> Floats:
    if given is None:
        return np.ones(n_classes, np.float32)
    if isinstance(given, str):
        counts = np.bincount(y, minlength=n_classes)
        return (len(y) / (n_classes * np.maximum(counts, 1))).astype(np.float32)
    weights = np.asarray(given, dtype=np.float32)
    if weights.shape != (n_classes,) or not (weights >= 0).all() or not weights.any():
        raise InvalidInput(f"class weights must be {n_classes} numbers, none negative")
    return weights


def _tensors(x: Floats, y: Ints, device: str) -> Any:
    import torch

    return torch.as_tensor(x, device=device), torch.as_tensor(y, device=device)


def _start(n_classes: int, dim: int, seed: int, device: str) -> tuple[Any, Any]:
    import torch

    generator = torch.Generator().manual_seed(seed)
    w = 0.01 * torch.randn(n_classes, dim, generator=generator)
    return w.to(device).requires_grad_(), torch.zeros(n_classes, device=device, requires_grad=True)


def _optimiser(w: Any, b: Any, data: Any, weights: Any, penalty: float) -> Callable[[], object]:
    import torch

    lbfgs: Any = torch.optim.LBFGS(
        [w, b], max_iter=3, max_eval=9, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Any:
        lbfgs.zero_grad()
        loss = _mean_loss(w, b, data, weights) + penalty * w.square().sum()
        loss.backward()
        return loss

    return lambda: lbfgs.step(closure)


def _mean_loss(w: Any, b: Any, data: Any, weights: Any) -> Any:
    from torch.nn.functional import cross_entropy

    x, y = data
    return cross_entropy(x @ w.T + b, y, weight=weights)


def _logits(w: Any, b: Any, data: Any) -> Any:
    return (data[0] @ w.T + b).detach()


def _loss(logits: Any, y: Any, weights: Any) -> float:
    from torch.nn.functional import cross_entropy

    return float(cross_entropy(logits, y, weight=weights))


def _refuse_divergence(epoch: Epoch) -> None:
    if not np.isfinite(epoch.loss) or not np.isfinite(epoch.val_loss or 0.0):
        raise SmartdbError(
            f"training diverged: the loss is {epoch.loss} after epoch {epoch.step}; "
            "look for vectors far from length 1"
        )


def _settled(history: list[Epoch]) -> bool:
    """Hardly better than two epochs ago, or no better on validation for too long."""
    held = [epoch.val_loss for epoch in history if epoch.val_loss is not None]
    if held and len(held) - int(np.argmin(held)) > _PATIENCE:
        return True
    if len(history) < 3:
        return False
    before, now = history[-3].loss, history[-1].loss
    return abs(before - now) <= 1e-4 * max(before, 1e-3)


def _absorbed(
    best: _State, mean: Floats, scale: Floats, history: tuple[Epoch, ...], dynamics: Dynamics
) -> Head:
    weight = best.w.cpu().numpy().astype(np.float64) / scale
    bias = best.b.cpu().numpy() - weight @ mean.astype(np.float64)
    return Head(weight.astype(np.float32), bias.astype(np.float32), history, dynamics)


@contextmanager
def _threads(work: int) -> Iterator[None]:
    """One thread of torch for little work, where it is faster; as it was set for more."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1 if work < _ONE_THREAD else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
