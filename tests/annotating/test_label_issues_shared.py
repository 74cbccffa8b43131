"""The real mistakes of CIFAR-10N's annotators, found with the weakest encoder there is."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from smartdb import embeddings, label_issues, labels, reviews, tables, tasks, walk
from smartdb.ingest import ingest


@pytest.mark.shared
def test_a_tenth_reviewed_finds_three_times_what_chance_would(
    conn: psycopg.Connection, shared_data: Path
) -> None:
    cifar = shared_data / "cifar10"
    table = cifar / "truth" / "cifar10n_human_labels.csv"
    ingest(conn, cifar / "images" / "train", source="cifar10")
    embeddings.embed(conn, embeddings.resolve(conn, "descriptor"))
    rows = tables.read_classes(table, "random_label1")
    given = labels.import_table(
        conn, rows, actor="CIFAR-10N 1", ontology="things", root=cifar, create_classes=True
    )
    assert given["added"] == 1580
    found = label_issues.find(conn, "descriptor")
    assert 400 < found["suspected"] < 800
    tasks.queue_reviews(conn, 158)
    root = walk.checked(cifar)
    true = dict(tables.read_classes(table, "clean_label"))
    truth = {walk.uri_of(root + b"/" + path.encode()): name for path, name in true.items()}
    answered = reviews.answer_from_truth(conn, truth, 158)
    assert answered["asked"] == 158
    # 17.8 % of the labels are wrong: 28 by chance
    assert answered["wrong_found"] >= 84
