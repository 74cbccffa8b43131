"""Consensus and agreement: Dawid-Skene of 300k judgements, and the views over 1M.

Held against crowd-kit on the same judgements where it is installed, and against a bare reading by
psycopg with the classes counted in NumPy.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmarks import harness
from benchmarks.harness import Figure
from smartdb import consensus
from smartdb.dawid_skene import dawid_skene
from smartdb.formats import library

_VIEWS = ("agreement", "agreement_overall", "agreement_by_class", "agreement_over_time")
_LOAD = """
insert into core.run (kind, status, code_version, finished_at) values ('ingest', 'succeeded', '0', now());
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/png', 1, 8, 8, 1 from generate_series(1, {n}) as i;
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, '');
insert into core.class (ontology_id, name, version_from) select 1, 'class ' || i, 1 from generate_series(1, 10) as i;
insert into core.actor (name, kind) select 'annotator ' || i, 'person' from generate_series(1, 3) as i;
insert into core.label (media_id, class_id, origin, actor_id)
select m, case when hashint8(m * 7 + a) % 5 = 0 then 1 + abs(hashint8(m + a)) % 10 else 1 + m % 10 end, 'human', a
from generate_series(1, {n}) as m, generate_series(1, 3) as a;
analyze core.label, core.media, core.class
"""  # noqa: E501


def main(*, quick: bool = False) -> None:
    """Prints both tables."""
    n = 1_000 if quick else 100_000
    harness.show(f"Dawid-Skene, {n:,} x 3 judgements in 10 classes", methods(n))
    n = 1_000 if quick else 333_334
    harness.show(f"agreement over {3 * n:,} judgements", views(n))


def judged(n: int, n_annotators: int, seed: int = 0) -> tuple[Any, Any, Any]:
    """Three judgements of each media, three of four right."""
    chance = np.random.default_rng(seed)
    media, truth = np.repeat(np.arange(n), 3), chance.integers(0, 10, n)
    who = (chance.integers(0, n_annotators, n)[:, None] + np.arange(3)).ravel() % n_annotators
    guess = chance.integers(0, 10, 3 * n)
    return media, who, np.where(chance.random(3 * n) < 0.75, truth[media], guess)


def methods(n: int) -> list[Figure]:
    """Ours and crowd-kit's, with three and with a hundred annotators."""
    import pandas as pd

    figures = []
    for annotators in (3, 100):
        media, who, said = judged(n, annotators)
        ours = harness.seconds(lambda m=media, w=who, s=said: dawid_skene(m, w, s))
        name = f"{annotators} annotators"
        figures.append(Figure(name, ours, "s", "< 0.6 s", ours < 0.6))
        crowd = library("crowdkit.aggregation.classification.dawid_skene", "crowd")
        table = pd.DataFrame({"task": media, "worker": who, "label": said})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = harness.seconds(lambda c=crowd, t=table: c.DawidSkene().fit(t))
        figures.append(Figure(f"{name}, crowd-kit", theirs, "s", note=f"{theirs / ours:.1f} x"))
    return figures


def views(n: int) -> list[Figure]:
    """Each view, a bare reading, and a consensus from the database and back."""
    with harness.scratch() as url:
        with harness.session(url, "smartdb_owner") as conn:
            for query in _LOAD.format(n=n).split(";\n"):
                conn.execute(query.encode())
        figures = []
        with harness.session(url, "smartdb_reader") as conn:
            bare = harness.run(conn, "select media_id, actor_id, class_id from smartdb.label")
            figures.append(Figure("all labels read by psycopg", bare.wall, "s", cpu=bare.cpu))
            for view in _VIEWS:
                took = harness.run(conn, f"table smartdb.{view}")
                figures.append(harness.held(view, took, 3.0))
        with harness.session(url, "smartdb_writer") as conn:
            conn.autocommit = False
            for method in ("majority", "dawid-skene"):
                took = harness.took(
                    conn, lambda c=conn, m=method: consensus.run_consensus(c, method=m)
                )
                figures.append(Figure(f"{method}, read and written", took.wall, "s", cpu=took.cpu))
    return figures
