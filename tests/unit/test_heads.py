"""Linear heads against scikit-learn, and what they refuse."""

from __future__ import annotations

import time

import numpy as np
import pytest

from smartdb.dynamics import Watch
from smartdb.errors import InvalidInput, SmartdbError
from smartdb.heads import DECAYS, Epoch, Head, fit_chosen, fit_head, needs

Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def digits() -> Data:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[:1200], order[1200:]
    return x[train].astype(np.float32), y[train], x[test].astype(np.float32), y[test]


def test_the_head_agrees_with_logistic_regression_of_sklearn(digits: Data) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x, y, x_test, y_test = digits
    scaler = StandardScaler().fit(x)
    theirs = LogisticRegression(max_iter=5000, tol=1e-8).fit(scaler.transform(x), y)
    expected = theirs.predict_proba(scaler.transform(x_test))
    ours = fit_head(x, y, 10, seed=0).probabilities(x_test)
    assert np.abs(ours - expected).max() < 0.01
    assert abs((ours.argmax(1) == y_test).mean() - (expected.argmax(1) == y_test).mean()) < 0.01


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(digits: Data) -> None:
    x, y, *_ = digits
    first, second, other = (fit_head(x, y, 10, seed=seed, epochs=4) for seed in (1, 1, 2))
    assert first.state() == second.state()
    assert first.state() != other.state()


def test_a_head_reads_back_what_it_wrote(digits: Data) -> None:
    x, y, x_test, _ = digits
    head = fit_head(x, y, 10, seed=0, epochs=3)
    again = Head.from_state(head.state())
    assert (again.dim, again.n_classes) == (64, 10)
    assert np.array_equal(again.probabilities(x_test), head.probabilities(x_test))


def test_probabilities_sum_to_one_also_for_no_rows_and_far_vectors(digits: Data) -> None:
    x, y, x_test, _ = digits
    head = fit_head(x, y, 10, seed=0, epochs=3)
    assert head.probabilities(x_test[:0]).shape == (0, 10)
    far = head.probabilities(1e6 * x_test)
    assert np.allclose(far.sum(axis=1), 1, atol=1e-5)


def test_the_history_tells_every_epoch_as_it_happens(digits: Data) -> None:
    x, y, x_test, y_test = digits
    told: list[Epoch] = []
    head = fit_head(x, y, 10, seed=0, epochs=5, validation=(x_test, y_test), on_epoch=told.append)
    assert list(head.history) == told
    assert [epoch.step for epoch in told] == [1, 2, 3, 4, 5]
    assert told[-1].loss < told[0].loss
    assert all(epoch.val_loss is not None for epoch in told)


def test_validation_keeps_the_epoch_with_the_least_loss_there() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((120, 100)).astype(np.float32)
    y = (x[:, 0] + 2 * rng.standard_normal(120) > 0).astype(np.int64)
    held = (x[60:], y[60:])
    head = fit_head(x[:60], y[:60], 2, seed=0, weight_decay=1e-3, validation=held)
    losses = [epoch.val_loss for epoch in head.history]
    kept = -np.log(head.probabilities(held[0])[np.arange(60), held[1]]).mean()
    assert kept == pytest.approx(min(losses), rel=1e-3)
    assert kept < losses[-1]


def test_balanced_class_weights_find_more_of_a_rare_class() -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(2000) < 60).astype(np.int64)
    x = (rng.standard_normal((2000, 8)) + y[:, None] * 0.6).astype(np.float32)
    plain = fit_head(x, y, 2, seed=0).probabilities(x).argmax(1)
    balanced = fit_head(x, y, 2, seed=0, class_weights="balanced").probabilities(x).argmax(1)
    assert balanced[y == 1].mean() > plain[y == 1].mean() + 0.2


def test_a_constant_feature_and_a_class_without_rows_do_no_harm(digits: Data) -> None:
    x, y, *_ = digits
    assert x.std(axis=0).min() == 0
    head = fit_head(x, y, 12, seed=0)
    assert (head.probabilities(x)[:, 10:] < 0.01).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_classes": 1}, "two or more classes"),
        ({"n_classes": 3}, "classes lie in 0 to 9, not in 0 to 2"),
        ({"classes": np.zeros(3, np.int64)}, "1200 vectors of length 64"),
        ({"vectors": np.zeros((0, 64), np.float32)}, "0 vectors"),
        ({"vectors": np.zeros(1200, np.float32)}, r"vectors must be \(n, d\)"),
        ({"class_weights": np.ones(4, np.float32)}, "class weights must be 10 numbers"),
    ],
)
def test_data_that_do_not_fit_together_are_refused(
    digits: Data, change: dict[str, object], message: str
) -> None:
    x, y, *_ = digits
    arguments = {"vectors": x, "classes": y, "n_classes": 10, "seed": 0, **change}
    with pytest.raises(InvalidInput, match=message):
        fit_head(**arguments)  # type: ignore[arg-type]


def test_a_vector_that_is_not_finite_is_named(digits: Data) -> None:
    x, y, *_ = digits
    broken = x.copy()
    broken[7, 3] = np.nan
    with pytest.raises(InvalidInput, match="row 7 is not finite"):
        fit_head(broken, y, 10, seed=0)


def test_a_loss_that_diverges_is_an_error(digits: Data) -> None:
    x, y, *_ = digits
    with pytest.raises(SmartdbError, match="training diverged: the loss is nan after epoch 1"):
        fit_head(x, y, 10, seed=0, class_weights=np.full(10, np.inf, np.float32))


def test_bytes_that_are_no_head_are_refused() -> None:
    from safetensors.numpy import save

    with pytest.raises(InvalidInput, match="not the weights of a head"):
        Head.from_state(b"nonsense")
    with pytest.raises(InvalidInput, match="but of"):
        Head.from_state(save({"other": np.zeros(3, np.float32)}))


def test_vectors_of_another_length_are_refused(digits: Data) -> None:
    x, y, *_ = digits
    head = fit_head(x, y, 10, seed=0, epochs=1)
    with pytest.raises(InvalidInput, match="length 64, not 63"):
        head.probabilities(x[:, :63])


def test_a_demo_sized_head_is_fitted_within_a_second_of_processor_time() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((1500, 512)).astype(np.float32), rng.integers(0, 10, 1500)
    fit_head(x[:100], y[:100], 10, seed=0, epochs=1)
    before = time.process_time()
    fit_head(x, y, 10, seed=0)
    assert time.process_time() - before < 1


def test_a_library_that_is_missing_is_named_with_the_remedy() -> None:
    with pytest.raises(SmartdbError, match=r"no_such; run: pip install 'smartdb\[ml"):
        needs("no_such", "training")


def test_of_several_weight_decays_the_one_with_the_least_validation_loss_is_kept() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 40)).astype(np.float32)
    y = (x[:, 0] + rng.normal(size=60) > 0).astype(np.int64)
    train, held = (x[:30], y[:30]), (x[30:], y[30:])
    head, decay = fit_chosen(*train, 2, validation=held, seed=0)
    losses = {
        d: min(
            epoch.val_loss or 0
            for epoch in fit_head(*train, 2, validation=held, seed=0, weight_decay=d).history
        )
        for d in DECAYS
    }
    assert decay == min(losses, key=lambda d: losses[d]) > 1
    assert min(epoch.val_loss or 0 for epoch in head.history) == losses[decay]
    assert fit_chosen(*train, 2, validation=None, seed=0)[1] == DECAYS[0]


def test_forgetting_and_el2n_are_those_of_the_papers() -> None:
    import torch

    truth, watch = torch.tensor([0, 0, 1]), Watch(3)
    right, wrong = [9.0, -9.0], [-9.0, 9.0]
    for epoch, (a, b) in enumerate([(right, wrong), (wrong, wrong), (right, wrong)], start=1):
        watch.see(epoch, slice(None), torch.tensor([a, b, [0.0, 0.0]]), truth)
    found = watch.found(3)
    assert found.n_forgotten.tolist() == [1, 0, 0]
    assert found.n_correct.tolist() == [2, 0, 0]
    assert found.el2n == pytest.approx([2**0.5 / 3, 2**0.5, 0.5**0.5], abs=1e-5)


def test_a_fit_watches_its_rows(digits: Data) -> None:
    x, y, *_ = digits
    head = fit_head(x, y, 10, seed=0)
    found, p = head.dynamics, head.probabilities(x)
    assert found is not None
    assert found.n_epochs == len(head.history)
    assert (found.n_correct <= found.n_epochs).all()
    wrong = p.argmax(1) != y
    assert found.el2n[wrong].mean() > 5 * found.el2n[~wrong].mean()
