"""How well the rules and scores of `smartdb.confident` find label errors that are known.

python -m benchmarks.label_errors digits
    scikit-learn's digits with 2, 5 and 20 % wrong labels planted at random
python -m benchmarks.label_errors RUN_ID TRUTH.csv:COLUMN FOLDER
    the out-of-fold probabilities of a run of `smartdb find-issues`, against a table of true classes
    whose paths lie below the folder
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb import confident
from smartdb.folds import out_of_fold

Array = NDArray[Any]
SCORES = {"self": confident.self_confidence, "margin": confident.normalised_margin}


def judge(title: str, labels: Array, truth: Array, probabilities: Array) -> None:
    """Prints precision, recall and F1 of each rule, and AUROC and precision at n of each score."""
    wrong = labels != truth
    print(f"{title}: {wrong.sum()} of {len(labels)} labels wrong")
    for name, rule in confident.RULES.items():
        suspects = rule(labels, probabilities)
        precision = (suspects & wrong).sum() / max(1, suspects.sum())
        recall = (suspects & wrong).sum() / wrong.sum()
        f1 = 2 * precision * recall / max(1e-12, precision + recall)
        print(
            f"  {name:16} {suspects.sum():5} suspected, precision {precision:.2f}, "
            f"recall {recall:.2f}, F1 {f1:.2f}"
        )
    for name, score in SCORES.items():
        values = score(labels, probabilities)
        first = np.argsort(-values, kind="stable")
        tenth = wrong[first[: len(first) // 10]].sum() / wrong.sum()
        at_n = wrong[first[: wrong.sum()]].mean()
        print(
            f"  {name:16} AUROC {auroc(values, wrong):.3f}, precision at n {at_n:.2f}, "
            f"recall in the first tenth {tenth:.2f}"
        )


def auroc(scores: Array, positive: Array) -> float:
    """Area under the ROC curve by ranks, ties shared."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n = positive.sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def digits(rate: float, seed: int = 0) -> None:
    """Judges the rules on digits, a share of whose labels is replaced by another class."""
    from sklearn.datasets import load_digits

    data = load_digits()
    vectors = data.data.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chance = np.random.default_rng(seed)
    is_wrong = chance.random(len(vectors)) < rate
    labels = np.where(
        is_wrong, (data.target + chance.integers(1, 10, len(vectors))) % 10, data.target
    )
    found = out_of_fold(vectors, labels, np.arange(len(labels)), seed=seed)
    judge(f"digits, {rate:.0%} planted", labels, data.target, found)


def stored(run_id: int, table: str, folder: Path) -> None:
    """Judges the rules on the predictions of a run, against the true classes of a table."""
    from smartdb import walk
    from smartdb.database import session
    from smartdb.tables import read_classes

    root = walk.checked(folder)
    true = {walk.uri_of(root + b"/" + path.encode()): name for path, name in read_classes(table)}
    with session() as conn:
        rows = conn.execute(
            "select m.uri, p.class_id, p.probability from smartdb.prediction as p"
            " join smartdb.media as m using (media_id) where p.run_id = %s order by media_id",
            [run_id],
        ).fetchall()
        names = dict(conn.execute("select name, class_id from core.class").fetchall())
        (ids,) = conn.execute(
            "select class_ids from core.evaluation where run_id = %s", [run_id]
        ).fetchone() or ([],)
    rows = [row for row in rows if row[0] in true]
    place = {class_id: i for i, class_id in enumerate(ids)}
    labels = np.array([place[class_id] for _, class_id, _ in rows])
    truth = np.array([place[names[true[uri]]] for uri, _, _ in rows])
    judge(f"run {run_id}", labels, truth, np.array([p for *_, p in rows]))


if __name__ == "__main__":
    if sys.argv[1:] == ["digits"]:
        for share in (0.02, 0.05, 0.2):
            digits(share)
    else:
        stored(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
