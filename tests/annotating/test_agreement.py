"""Agreement equals scikit-learn, statsmodels and crowd-kit, missing judgements included."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from smartdb import agreement, annotators, labels, ontology

Conn = psycopg.Connection[Any]
NAMES = ["cat", "dog", "owl"]


def enter(conn: Conn, table: NDArray[np.int64], n_classes: int = 3) -> None:
    """Makes (annotators, media) the judgements of a1, a2, ...; -1 says nothing."""
    ontology.ensure(conn, "pets", NAMES[:n_classes], "")
    for i, row in enumerate(table):
        said = {j + 1: NAMES[k] for j, k in enumerate(row.tolist()) if k >= 0}
        labels.set_labels(conn, said, actor=f"a{i + 1}", ontology="pets")


def chosen(seed: int, missing: float) -> NDArray[np.int64]:
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, 3, 10)
    table = np.where(chance.random((4, 10)) < 0.6, truth, chance.integers(0, 3, (4, 10)))
    table[chance.random((4, 10)) < missing] = -1
    return table


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_views_equal_the_references(conn: Conn, missing: float) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    stats = pytest.importorskip("statsmodels.stats.inter_rater")
    table = chosen(7, missing)
    enter(conn, table)
    for pair in agreement.pairs(conn):
        a, b = (table[int(name[1]) - 1] for name in (pair.actor_a, pair.actor_b))
        both = (a >= 0) & (b >= 0)
        assert pair.n == both.sum()
        assert pair.agreement == pytest.approx((a == b)[both].mean())
        assert pair.kappa == pytest.approx(sklearn.cohen_kappa_score(a[both], b[both]), abs=1e-9)
    (overall,) = agreement.overall(conn)
    ratings = np.where(table < 0, np.nan, table)
    assert overall.alpha == pytest.approx(agreement.alpha(ratings), abs=1e-9)
    assert overall.alpha == pytest.approx(crowd_kit_alpha(table), abs=1e-9)
    if missing:
        assert overall.fleiss_kappa is None
    else:
        counts, _ = stats.aggregate_raters(table.T)
        assert overall.fleiss_kappa == pytest.approx(stats.fleiss_kappa(counts), abs=1e-9)
    for found in agreement.by_class(conn):
        one = np.where(table < 0, np.nan, table == NAMES.index(found.class_name))
        assert found.alpha == pytest.approx(agreement.alpha(one), abs=1e-9)
    (week,) = agreement.over_time(conn)
    assert (week.n_media, week.alpha) == (overall.n_media, pytest.approx(overall.alpha))


def crowd_kit_alpha(table: NDArray[np.int64]) -> float:
    metrics = pytest.importorskip("crowdkit.metrics.data")
    pandas = pytest.importorskip("pandas")
    who, media = np.nonzero(table >= 0)
    rows = {"task": media, "worker": who, "label": table[who, media]}
    return float(metrics.alpha_krippendorff(pandas.DataFrame(rows)))


def test_of_one_class_only_there_is_no_kappa(conn: Conn) -> None:
    enter(conn, np.zeros((3, 4), np.int64), n_classes=1)
    assert {(p.agreement, p.kappa) for p in agreement.pairs(conn)} == {(1.0, None)}
    (overall,) = agreement.overall(conn)
    assert (overall.agreement, overall.fleiss_kappa, overall.alpha) == (1.0, None, None)
    assert agreement.alpha(np.zeros((3, 4))) is None


def test_interval_alpha_follows_the_published_example(conn: Conn) -> None:
    # Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: four observers
    x = np.nan
    ratings = np.array([
        [1, 2, 3, 3, 2, 1, 4, 1, 2, x, x, x], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, x, 3],
        [x, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, x], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, x],
    ])  # fmt: skip
    assert agreement.alpha(ratings) == pytest.approx(0.743, abs=5e-4)
    assert agreement.alpha(ratings, "interval") == pytest.approx(0.849, abs=5e-4)
    ontology.ensure(conn, "pets", ["cat"], "")
    for i, row in enumerate(ratings[:, :10]):
        said = {j + 1: "cat" for j, value in enumerate(row) if value == value}
        labels.set_labels(conn, said, actor=f"a{i}", ontology="pets")
        for j in said:
            conn.execute(
                "update core.label set rev_to = 0 where rev_to is null and media_id = %s"
                " and actor_id = (select actor_id from core.actor where name = %s)", [j, f"a{i}"]
            )  # fmt: skip
            conn.execute(
                "insert into core.label (media_id, class_id, origin, actor_id, attributes)"
                " select %s, c.class_id, 'human', a.actor_id, jsonb_build_object('age', %s::float8)"
                " from core.class as c, core.actor as a where c.name = 'cat' and a.name = %s",
                [j, row[j - 1], f"a{i}"],
            )
    found = conn.execute("select alpha, n_media from smartdb.attribute_agreement('age')").fetchone()
    assert found is not None
    assert found[0] == pytest.approx(agreement.alpha(ratings[:, :10], "interval"), abs=1e-9)


def test_an_annotator_who_becomes_worse_is_told(conn: Conn) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    conn.execute(
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
        " select sha256(('more ' || i)::bytea), 'image', 'image/png', 100, 32, 24, 1"
        " from generate_series(11, 120) as i"
    )
    media = [m for (m,) in conn.execute("select media_id from core.media order by 1").fetchall()]
    ontology.ensure(conn, "pets", NAMES, "")
    for actor, origin, since in (
        ("truth", "consensus", 120),
        ("ana", "human", 90),
        ("bo", "human", 120),
    ):
        said = {m: "cat" if i < since or i % 4 == 0 else "dog" for i, m in enumerate(media)}
        labels.set_labels(conn, said, actor=actor, ontology="pets", origin=origin)  # type: ignore[arg-type]
    blocks = annotators.drift(conn, 30)
    told = [(b.actor, b.block) for b in blocks if b.is_drift]
    assert told == [("ana", 4)]
    last = next(b for b in blocks if b.actor == "ana" and b.block == 4)
    z, p = proportion.proportions_ztest([7, 90], [30, 90])
    assert last.z == pytest.approx(z, abs=1e-9)
    assert last.p == pytest.approx(p, abs=2e-7)
    row = conn.execute("select low, high from smartdb.wilson(15, 30)").fetchone()
    expected = proportion.proportion_confint(15, 30, method="wilson")
    assert row == pytest.approx(expected, abs=1e-9)
    assert annotators.wilson(15, 30) == pytest.approx(expected, abs=1e-9)
    assert timedelta(0) <= last.to_at - last.from_at
