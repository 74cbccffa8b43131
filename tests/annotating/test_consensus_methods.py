"""Methods of consensus equal the references, on random judgements."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from smartdb import consensus
from smartdb.consensus_methods import Judgements, probabilities
from smartdb.dawid_skene import dawid_skene
from smartdb.errors import InvalidInput, NothingToDo

Ints = NDArray[np.int64]


def judged(n: int, annotators: int, classes: int, votes: int, seed: int) -> tuple[Ints, Ints, Ints]:
    """Random judgements that are right in three of four cases."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, classes, n)
    media = np.repeat(np.arange(n), votes)
    who = np.concatenate([chance.permutation(annotators)[:votes] for _ in range(n)])
    said = np.where(
        chance.random(n * votes) < 0.75, truth[media], chance.integers(0, classes, n * votes)
    )
    return media, who, said


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("n", "annotators", "classes", "votes"), [(30, 6, 5, 4), (9, 3, 2, 1)])
def test_dawid_skene_equals_crowd_kit(n: int, annotators: int, classes: int, votes: int) -> None:
    crowd = pytest.importorskip("crowdkit.aggregation.classification.dawid_skene")
    pandas = pytest.importorskip("pandas")
    media, who, said = judged(n, annotators, classes, votes, seed=n)
    keep = np.random.default_rng(0).random(len(media)) < 0.9  # some say nothing
    keep |= np.r_[True, np.diff(media) > 0]
    media, who, said = media[keep], np.unique(who[keep], return_inverse=True)[1], said[keep]
    ours = dawid_skene(media, who, said)
    theirs = crowd.DawidSkene()
    theirs.fit(pandas.DataFrame({"task": media, "worker": who, "label": said}))
    table = theirs.probas_.sort_index()
    assert ours.n_steps == len(theirs.loss_history_)
    np.testing.assert_allclose(ours.probabilities[:, list(table.columns)], table, atol=1e-9)
    for (worker, label), row in theirs.errors_.iterrows():
        np.testing.assert_allclose(
            ours.errors[worker, label, list(theirs.errors_.columns)], row, atol=1e-9
        )


def test_dawid_skene_of_many_judgements_a_media_does_not_vanish() -> None:
    media, who, said = judged(5, 200, 3, 200, seed=1)
    found = dawid_skene(media, who, said).probabilities
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_dawid_skene_of_one_class_is_certain() -> None:
    media, who = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert dawid_skene(media, who, np.zeros(3, np.int64)).probabilities.tolist() == [[1.0], [1.0]]


@pytest.mark.filterwarnings("ignore")
def test_crowdlab_equals_cleanlab() -> None:
    multi = pytest.importorskip("cleanlab.multiannotator")
    media, who, said = judged(60, 5, 3, 3, seed=2)
    model = np.random.default_rng(3).dirichlet(np.ones(3), 60)
    table = np.full((60, 5), np.nan)
    table[media, who] = said
    theirs = multi.get_label_quality_multiannotator(
        table, model, consensus_method="best_quality", verbose=False
    )
    found = consensus.answers(Judgements.of(media, who, said), "crowdlab", model=model)
    quality = theirs["label_quality"]
    assert found.class_ids.tolist() == quality["consensus_label"].tolist()
    np.testing.assert_allclose(found.confidences, quality["consensus_quality_score"], atol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_crowdlab_leaves_out_what_the_model_did_not_see() -> None:
    pytest.importorskip("cleanlab.multiannotator")
    media, who, said = judged(20, 4, 3, 3, seed=4)
    model = np.random.default_rng(3).dirichlet(np.ones(3), 20)
    model[7] = np.nan
    found = consensus.answers(Judgements.of(media, who, said), "crowdlab", model=model)
    assert 7 not in found.media_ids
    assert len(found.media_ids) == 19
    with pytest.raises(NothingToDo, match="find-issues"):
        probabilities("crowdlab", Judgements.of(media, who, said))


@pytest.mark.filterwarnings("ignore")
def test_glad_is_crowd_kits() -> None:
    pytest.importorskip("crowdkit.aggregation.classification")
    media, who, said = judged(4, 2, 2, 2, seed=5)
    found = probabilities("glad", Judgements.of(media, who, said))
    agreed = [len(set(said[media == i])) == 1 for i in range(4)]
    majority = probabilities("majority", Judgements.of(media, who, said))
    assert (found.argmax(axis=1) == majority.argmax(axis=1))[agreed].all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "crowdkit.aggregation.classification", None)
    said = Judgements.of(*judged(4, 3, 2, 2, seed=6))
    with pytest.raises(InvalidInput, match=r"smartdb\[crowd\]"):
        probabilities("glad", said)
    (score,) = consensus.scores(said, ["glad"], {}, None)
    assert score.problem is not None
    assert score.n_answered == 0
    with pytest.raises(InvalidInput, match="say one of"):
        probabilities("best", said)


def test_the_method_is_the_best_on_gold_if_there_is_enough() -> None:
    media, who, said = judged(80, 5, 3, 2, seed=7)
    some = Judgements.of(media, who, said)
    assert consensus.best(some, {}, None)[0] == "majority"
    majority = consensus.answers(some, "majority")
    gold = dict(zip(majority.media_ids.tolist(), majority.class_ids.tolist(), strict=True))
    assert consensus.best(some, gold, None)[0] == "majority"
    weighed = consensus.answers(some, "dawid-skene")
    assert (weighed.class_ids != majority.class_ids).any()
    gold = dict(zip(weighed.media_ids.tolist(), weighed.class_ids.tolist(), strict=True))
    assert consensus.best(some, gold, None)[0] == "dawid-skene"


def test_equal_votes_are_told_and_few_judgements_left_out() -> None:
    media, who = np.array([1, 1, 2, 2, 3]), np.array([1, 2, 1, 2, 1])
    found = consensus.answers(Judgements.of(media, who, np.array([5, 6, 6, 6, 5])), "majority")
    assert found.media_ids.tolist() == [1, 2]
    assert found.class_ids.tolist() == [5, 6]
    assert found.is_tied.tolist() == [True, False]
