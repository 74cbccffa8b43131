"""Agreement and consensus of the three annotators of CIFAR-10N, and of the many of CIFAR-10H.

python -m benchmarks.cifar_agreement FOLDER [--encoder NAME] [--all]
    FOLDER holds images/train and truth/ (../shared/data/cifar10); --all also asks GLAD and MACE
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from benchmarks import harness
from smartdb import agreement, annotators, consensus, embeddings, label_issues, labels, tables
from smartdb.cli import output
from smartdb.consensus_methods import METHODS
from smartdb.database import connect
from smartdb.ingest import ingest

_GOLD = """
insert into core.gold (label_id, actor_id)
select l.label_id, l.actor_id from smartdb.label as l where l.actor = 'truth'
"""


def load(conn: psycopg.Connection[Any], folder: Path, encoder: str | None) -> None:
    """Ingests the training images; each annotator is an actor, the true class is gold."""
    table = folder / "truth" / "cifar10n_human_labels.csv"
    ingest(conn, folder / "images" / "train", source="cifar10")
    for actor, column in (("annotator 1", "random_label1"), ("annotator 2", "random_label2"),
                          ("annotator 3", "random_label3")):  # fmt: skip
        rows = tables.read_classes(table, column)
        labels.import_table(
            conn, rows, actor=actor, ontology="cifar10", root=folder, create_classes=True
        )
    if encoder:
        embeddings.embed(conn, embeddings.resolve(conn, encoder))
        label_issues.find(conn, encoder)
    rows = tables.read_classes(table, "clean_label")
    labels.import_table(conn, rows, actor="truth", ontology="cifar10", root=folder)
    conn.execute(_GOLD)
    conn.commit()


def many(folder: Path, seed: int = 0) -> list[tuple[Any, ...]]:
    """Of CIFAR-10H: votes a media, alpha, and how often the majority of so many is right.

    Who said what is not told there, so that only what needs no annotators is asked.
    """
    with (folder / "truth" / "cifar10h_counts.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0])[3:]
    counts = np.array([[int(row[name]) for name in names] for row in rows])
    truth = np.array([names.index(row["label"]) for row in rows])
    chance = np.random.default_rng(seed)
    votes = [chance.permutation(np.repeat(np.arange(len(names)), row)) for row in counts]
    found = []
    for n in (2, 3, 5, 10, 47):
        some = np.array([each[:n] for each in votes])
        shares = np.array([np.bincount(row, minlength=len(names)) for row in some])
        right = (shares.argmax(axis=1) == truth).mean()
        found.append((n, agreement.alpha(some.T.astype(np.float64)), right))
    return found


def main() -> None:
    """Prints the figures of docs/how-to-agreement.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder")
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    with harness.scratch() as url, connect(url, role="smartdb_owner") as conn:
        load(conn, given.folder, given.encoder)
        print("\nconsensus of three, on truth")
        show(consensus.compare(conn, methods=METHODS if given.all else METHODS[:3]))
        two = consensus.read(conn, "cifar10")
        kept = two.annotators < 2
        fewer = type(two).of(
            two.media_ids[two.media[kept]], two.actor_ids[two.annotators[kept]],
            two.class_ids[two.classes[kept]], two.class_ids,
        )  # fmt: skip
        print("\nconsensus of the first two, on truth")
        gold, model = consensus.inputs(conn, fewer, "cifar10")
        show(consensus.scores(fewer, METHODS[:3], gold, model))
        print(consensus.run_consensus(conn))
        print("\nannotators, on truth and against the consensus")
        show(annotators.quality(conn))
        conn.execute("update core.gold set rev_to = 0")
        conn.execute("update core.label set rev_to = 0 where actor_id ="
                     " (select actor_id from core.actor where name = 'truth')")  # fmt: skip
        for title, rows in (
            ("all", agreement.overall(conn)), ("pairs", agreement.pairs(conn)),
            ("classes", agreement.by_class(conn)),
            ("drift", [each for each in annotators.drift(conn) if each.is_drift]),
        ):  # fmt: skip
            print(f"\n{title}")
            show(rows)
    print("\nCIFAR-10H: votes, alpha, majority right")
    output.table(many(given.folder), ["votes", "alpha", "accuracy"])


def show(rows: list[Any]) -> None:
    """Prints dataclasses as a table."""
    if rows:
        output.table([tuple(vars(row).values()) for row in rows], list(vars(rows[0])))


if __name__ == "__main__":
    main()
