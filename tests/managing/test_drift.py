"""Drift: the numbers are those of scipy, real differences are found, and halves do not differ."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import bulk, drift, embeddings, encoders, ingest, two_samples
from smartdb.errors import InvalidInput, NotFound, NothingToDo

N = 400
MEDIA = """
insert into core.run (kind, code_version, parameters, counts, status, finished_at) values
    ('ingest', '0', '{"source": "old"}', '{"added": 200}', 'succeeded', now()),
    ('ingest', '0', '{"source": "new"}', '{"added": 200}', 'succeeded', now());
insert into core.source (name, uri) values ('old', 'file:///old'), ('new', 'file:///new');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(int8send(i)), 'image', 'image/png', i, 32, 30, 1 + (i > 200)::integer
from generate_series(1, 400) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1 + (i > 200)::integer, 'file:///' || i, i, now() from generate_series(1, 400) as i;
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'two');
insert into core.class (ontology_id, name, version_from) values (1, 'apple', 1), (1, 'pear', 1);
insert into core.actor (name, kind) values ('folders', 'import');
insert into core.label (media_id, class_id, origin, actor_id)
select i, case when i % 5 < case when i > 200 then 4 else 1 end then 1 else 2 end, 'import', 1
from generate_series(1, 400) as i where i % 10 > 0;
select core.add_encoder('toy', 8);
insert into core.slice (name, predicate) values ('late', 'm.media_id > 200')
"""
STATISTICS = ("brightness", "contrast", "sharpness", "entropy", "colourfulness")
OLD, NEW = "m.media_id <= 200", "m.media_id > 200"


@pytest.fixture
def conn(owner: psycopg.Connection, conn: psycopg.Connection) -> psycopg.Connection:
    """A writer's connection to 400 media; from 201 on they are brighter and mostly apples."""
    owner.execute("set search_path = public")
    owner.execute(MEDIA)
    ids = np.arange(1, N + 1, dtype=np.int64)
    columns = dict(zip(STATISTICS, values(), strict=True))
    bulk.copy_arrays(owner, "core.quality", {"media_id": ids, **columns})
    staged = bulk.staging(owner, "staged", like="core.embedding_1")
    bulk.copy_arrays(owner, staged, {"media_id": ids, "v": vectors()})
    owner.execute("insert into core.embedding_1 select * from pg_temp.staged")
    owner.commit()
    return conn


def values() -> np.ndarray:
    """Statistics (5, 400); the first, which has ties, is larger from place 200 on."""
    drawn = np.random.default_rng(1).normal(0.5, 0.1, (5, N)).astype(np.float32)
    drawn[0, N // 2 :] += 0.1
    drawn[0] = drawn[0].round(2)
    return drawn


def vectors() -> np.ndarray:
    """Unit vectors (400, 8) around two centres, one of each half."""
    x = np.random.default_rng(2).standard_normal((N, 8)).astype(np.float32)
    x[N // 2 :, 0] += 2
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_sql_gives_the_distances_of_scipy_and_the_index_of_numpy(conn: psycopg.Connection) -> None:
    from scipy.stats import ks_2samp

    query = "select statistic, ks, psi, n_a, n_b from smartdb.drift_quality(%s, %s)"
    found = {row[0]: row[1:] for row in conn.execute(query, [OLD, NEW])}
    for place, name in enumerate(STATISTICS):
        a, b = values()[place].astype(np.float64).reshape(2, -1)
        ks, psi, n_a, n_b = found[name]
        expected = ks_2samp(a, b, method="asymp")
        assert (ks, n_a, n_b) == (pytest.approx(expected.statistic, abs=1e-12), 200, 200)
        assert two_samples.ks_p(ks, n_a, n_b) == pytest.approx(expected.pvalue, rel=1e-9)
        edges = np.quantile(a, np.arange(1, 10) / 10)
        bins = [np.bincount(np.searchsorted(edges, x, "right"), minlength=10) for x in (a, b)]
        assert psi == pytest.approx(two_samples.psi(*bins).sum(), rel=1e-9)


def test_what_differs_comes_first_and_is_kept(conn: psycopg.Connection) -> None:
    found = drift.compare(conn, "old", "late")
    by_name = {each.statistic: each for each in found.measures}
    far = {name for name, each in by_name.items() if each.p < 0.005}
    assert far == {"brightness", "class", "class apple", "class pear", "encoder toy"}
    assert [each.distance for each in found.measures] == sorted(
        (each.distance for each in found.measures), reverse=True
    )
    shares = by_name["class"]
    assert (shares.n_a, shares.n_b) == (180, 180)
    assert shares.distance == pytest.approx(by_name["class apple"].distance)
    parts = (by_name["class apple"].psi or 0) + (by_name["class pear"].psi or 0)
    assert shares.psi == pytest.approx(parts)
    assert {i <= 200 for i in found.typical_a} == {True}
    assert {i > 200 for i in found.typical_b} == {True}
    rows = conn.execute(
        "select a, b, distance from smartdb.drift order by distance desc, statistic"
    )
    assert rows.fetchall() == [("old", "late", each.distance) for each in found.measures]
    again = drift.measure(conn, drift.side(conn, "old"), drift.side(conn, NEW))
    assert again.measures == found.measures


def test_halves_at_random_do_not_differ(conn: psycopg.Connection) -> None:
    halves = "hashint8extended(m.media_id, {}) % 2 {} 0"
    p = [
        each.p
        for seed in range(4)
        for each in drift.measure(
            conn, *(drift.side(conn, halves.format(seed, sign)) for sign in ("=", "<>"))
        ).measures
        if not each.statistic.startswith("class ")
    ]
    assert len(p) == 28
    assert min(p) > drift.SURE
    assert 0.3 < np.mean(p) < 0.8


def test_mmd_is_gretton_s_estimate_and_its_p_is_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 30, 3)).astype(np.float32)
    b += 0.7
    distance, p, witness = two_samples.mmd(a, b)
    both = np.concatenate([a, b])
    squares = ((both[:, None] - both) ** 2).sum(axis=2)
    kernel = np.exp(-squares / (2 * np.median(squares[np.triu_indices(60, 1)])))
    within = [(k.sum() - 30) / (30 * 29) for k in (kernel[:30, :30], kernel[30:, 30:])]
    expected = sum(within) - 2 * kernel[:30, 30:].mean()
    assert distance**2 == pytest.approx(expected, rel=1e-4)
    assert (p, witness.shape) == (1 / 501, (60,))
    same = [
        two_samples.mmd(*rng.standard_normal((2, 30, 3)).astype(np.float32), seed, 99)[1]
        for seed in range(60)
    ]
    assert 0.35 < np.mean(same) < 0.65
    assert np.mean(np.array(same) <= 0.1) < 0.25


def test_versions_drift_when_a_class_grows_and_the_check_of_it_fails(
    conn: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smartdb.pipelines import checks
    from smartdb.pipelines.resources import Database, Loop

    from smartdb import datasets

    monkeypatch.setenv("SMARTDB_DATABASE_URL", database)
    assert drift.version(conn, "fruit") == []
    datasets.create_version(conn, "fruit", ontology="things", query=OLD)
    datasets.create_version(conn, "fruit", query="m.media_id <= 220")
    assert not any(drift.has_drifted(each) for each in drift.version(conn, "fruit"))
    datasets.create_version(conn, "fruit", query=NEW)
    drifted = [each.statistic for each in drift.version(conn, "fruit") if drift.has_drifted(each)]
    assert {"class", "brightness"} <= {*drifted}
    assert not checks.no_version_drift(Database(), Loop(name="fruit")).passed
    assert checks.no_version_drift(Database(), Loop(name="nothing")).passed
    with pytest.raises(NotFound, match="no sealed version 9"):
        drift.side(conn, "fruit:9")


def test_the_newest_ingest_is_held_against_what_was_there(conn: psycopg.Connection) -> None:
    found = drift.quality(conn, "new")
    assert max(found, key=lambda name: found[name]) == "brightness"
    assert drift.quality(conn, "old") == {}
    assert drift.quality(conn, "nowhere") == {}


def test_what_makes_no_sense_is_refused(conn: psycopg.Connection) -> None:
    for a, b, error, message in (
        ("old", "nonsense", InvalidInput, "nonsense.*does not work"),
        ("m.width > 0) or (true", "old", InvalidInput, "syntax error"),
        ("old", "m.width > 99", NothingToDo, "no media that you may see are in 'm.width > 99'"),
        ("pg_sleep(0.1) is not null", "old", InvalidInput, r"takes longer than 0\.2 s"),
    ):
        with pytest.raises(error, match=message):
            drift.compare(conn, a, b, timeout_s=0.2 if "sleep" in a else 60)
        conn.rollback()
    with pytest.raises(NotFound, match="no encoder 'none'"):
        drift.compare(conn, "old", "new", encoder="none")
    assert conn.execute("select from smartdb.drift").fetchall() == []


def test_the_command_prints_the_farthest_first(
    conn: psycopg.Connection, cli: Callable[..., Any]
) -> None:
    done = cli("drift", "old", "late", "-n", "150")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["statistic", "measure", "distance", "psi", "p", "n_a", "n_b"]
    assert "most typical of late: media" in done.stderr
    found = json.loads(cli("drift", "old", NEW, "--json").stdout)
    assert (found["a"], found["b"], len(found["typical_b"])) == ("old", NEW, 5)


@pytest.mark.shared
def test_clothes_drift_from_cifar_and_halves_of_clothes_do_not(
    shared_data: Path, as_role: Callable[[str], psycopg.Connection], tmp_path: Path
) -> None:
    conn = as_role("smartdb_writer")
    for source, pattern in (("clothing_cc0", "*.jp*g"), ("cifar10", "*.jp*g")):
        files = sorted((shared_data / source).rglob(pattern))
        (tmp_path / source).mkdir()
        for file in files[:: max(1, len(files) // 60)]:
            shutil.copy(file, tmp_path / source)
        ingest.ingest(conn, tmp_path / source, source=source, workers=1)
    embeddings.embed(conn, encoders.load("descriptor"))
    far = {each.statistic: each for each in drift.compare(conn, "clothing_cc0", "cifar10").measures}
    assert far["encoder descriptor"].p < 0.01
    assert far["sharpness"].p < drift.SURE
    half = "m.source = 'clothing_cc0' and hashint8extended(m.media_id, 1) % 2 {} 0"
    near = drift.compare(conn, half.format("="), half.format("<>"))
    assert min(each.p for each in near.measures) > 0.01
