"""How well the detectors of label errors find errors that are known, and how long a million takes.

python -m benchmarks label_errors [--quick]
    1,000,000 x 10 probabilities from the database and back, beside cleanlab in memory; then the
    real mistakes of CIFAR-10N, if the shared data are there
python -m benchmarks.label_errors digits
    scikit-learn's digits with 2, 5 and 20 % wrong labels planted at random
"""

from __future__ import annotations

import csv
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks import harness
from benchmarks.harness import Figure, seconds
from smartdb import bulk, knn, label_filters, label_issues
from smartdb.folds import out_of_fold
from smartdb.judgements import Judgements
from smartdb.label_detectors import DETECTORS, SIDE_BY_SIDE, Evidence, missing, words

Array = NDArray[Any]
SHARED = Path(__file__).parents[2] / "shared" / "data"
SQUEEZENET = "torchvision:squeezenet1_1@{}?size=227&bgr=1&scale=255&mean=104,117,123&std=1,1,1"
WORLD = """
insert into core.run (kind, status, code_version, finished_at)
values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('made', 'file:///made');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(i::text::bytea), 'image', 'image/png', 1, 1, 1, 1 from generate_series(1, {n}) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select i, 1, 'file:///made/' || i, 1, '2026-01-01' from generate_series(1, {n}) as i;
insert into core.ontology (name) values ('ten');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'ten');
insert into core.class (ontology_id, name, version_from)
select 1, 'class ' || i, 1 from generate_series(0, 9) as i;
insert into core.actor (name, kind) values ('import', 'import');
"""


def main(quick: bool = False) -> None:
    """Prints both tables."""
    n = 20_000 if quick else 1_000_000
    harness.show(f"Label issues: {n:,} x 10, from the database and back", speed(n))
    if SHARED.is_dir():
        cifar(SHARED)


def speed(n: int) -> list[Figure]:
    """Reading predictions, judging, writing scores and issues, beside cleanlab in memory."""
    from cleanlab.filter import find_label_issues

    labels, p = made(n)
    figures = []
    with harness.scratch() as url, psycopg.connect(url) as conn:
        predicted = fill(conn, labels, p)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for name, names in (
            ("one detector", ("prune_by_noise_rate",)),
            ("side by side", SIDE_BY_SIDE),
        ):
            found: dict[str, Any] = {}

            def find(found: dict[str, Any] = found, names: tuple[str, ...] = names) -> None:
                found.update(
                    label_issues.find_in_run(
                        conn, predicted, detector="prune_by_noise_rate", asked=names
                    )
                )

            took = harness.took(conn, find)
            figures.append((name, took, found["suspected"]))
        floor = seconds(lambda: copied(conn, predicted))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        expected = find_label_issues(labels, p.astype(np.float64))
        same = bool((label_filters.find(labels, p, "prune_by_noise_rate") == expected).all())
    memory = min(seconds(lambda: find_label_issues(labels, p)) for _ in range(3))
    rows = [Figure("cleanlab, in memory", memory, "s", note="find_label_issues, best of 3")]
    for name, took, suspected in figures:
        ratio, note = took.wall / memory, f"{suspected:,} issues"
        rows.append(Figure(f"smartdb, {name}", took.wall, "s", "", None, note, took.cpu))
        if name == "one detector":
            rows.append(Figure("  of cleanlab's", ratio, "x", "< 1.5 x", ratio < 1.5))
    rows.append(Figure("bare COPY of the predictions", floor, "s", note="row by row, nothing done"))
    rows.append(
        Figure("memory above the data", (peak - used) / 2**20, "GiB", "< 2 GiB", peak < 2**21)
    )
    rows.append(Figure("same set as cleanlab", float(same), "", "1", same))
    return rows


def made(n: int, noise: float = 0.05, seed: int = 0) -> tuple[Array, Array]:
    """Labels (n,), a share of them wrong, and probabilities (n, 10) of a model mostly right."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, 10, n)
    odds = chance.gamma(0.3, size=(n, 10)).astype(np.float32) + 1e-4
    odds[np.arange(n), truth] += chance.gamma(3.0, size=n).astype(np.float32)
    labels = np.where(chance.random(n) < noise, (truth + chance.integers(1, 10, n)) % 10, truth)
    return labels, odds / odds.sum(axis=1, keepdims=True)


def fill(conn: psycopg.Connection[Any], labels: Array, p: Array) -> int:
    """Puts media, labels and the predictions of a run there; returns the run."""
    from smartdb import predictions
    from smartdb.runs import run

    n = len(labels)
    conn.execute(WORLD.format(n=n).encode())
    ids = np.arange(1, n + 1)
    conn.execute("create temp table given (media_id bigint, class_id bigint)")
    bulk.copy_arrays(conn, "given", {"media_id": ids, "class_id": labels + 1})
    conn.execute(
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " select g.media_id, g.class_id, 'import', 1 from given as g order by g.media_id"
    )
    conn.commit()
    revision = harness.one(conn, "select core.checkpoint()")
    conn.commit()
    with run(conn, "predict") as opened:
        predictions.write(conn, opened.run_id, ids, list(range(1, 11)), p, revision=revision)
    conn.autocommit = True
    conn.execute("vacuum analyze")
    conn.autocommit = False
    return opened.run_id


def copied(conn: psycopg.Connection[Any], run_id: int) -> int:
    """What the same predictions are by a bare COPY; bytes."""
    query = (
        "copy (select media_id, true_label_id, true_class_id, probability from core.prediction"
        " where run_id = %s) to stdout (format binary)"
    )
    with conn.cursor() as cursor, cursor.copy(query.encode(), [run_id]) as copy:
        return sum(len(block) for block in copy)


def cifar(shared: Path) -> None:
    """The mistakes of CIFAR-10N's annotators, by each detector, and reviewing a tenth."""
    paths, table = read_cifar(shared)
    vectors = encoded(shared, paths)
    truth = table["clean_label"]
    three = [table[f"random_label{i}"] for i in (1, 2, 3)]
    neighbours, distances = knn.knn(vectors, 10)
    said = Judgements(
        np.tile(np.arange(len(truth)), 3),
        np.repeat(np.arange(3), len(truth)),
        np.concatenate(three),
    )
    for column in ("random_label1", "worse_label"):
        labels = table[column]
        p = out_of_fold(vectors, labels, np.arange(len(labels)))
        evidence = Evidence(labels, p, neighbours, distances, said)
        judge(f"CIFAR-10N {column}, SqueezeNet", evidence, truth)
    verified(shared)


def read_cifar(shared: Path) -> tuple[list[Path], dict[str, Array]]:
    """The pictures of the training part, and what each column says of them as numbers."""
    with (shared / "cifar10/truth/cifar10n_human_labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["clean_label"] for row in rows})
    columns = [name for name in rows[0] if name.endswith(("label", "label1", "label2", "label3"))]
    table = {name: np.array([names.index(row[name]) for row in rows]) for name in columns}
    return [shared / "cifar10" / row["path"] for row in rows], table


def encoded(shared: Path, paths: list[Path]) -> NDArray[np.float32]:
    """Unit vectors (n, 512) of pictures by SqueezeNet, which was trained on ImageNet alone.

    The ResNet-20 of the shared models saw these pictures with their clean labels: not used.
    """
    from smartdb import encoders

    weights = shared / "models/squeezenet1_1_imagenet_caffe_fp16.pt"
    encoder = encoders.load(SQUEEZENET.format(weights))
    images = pictures(paths)
    return np.concatenate([encoder.encode(images[i : i + 64]) for i in range(0, len(images), 64)])


def pictures(paths: list[Path]) -> list[Any]:
    """The pictures, decoded."""
    from PIL import Image

    return [Image.open(path).convert("RGB") for path in paths]


def judge(title: str, evidence: Evidence, truth: Array) -> None:
    """Prints how well each detector finds wrong labels, and what reviewing a tenth gains."""
    wrong = evidence.labels != truth
    n = len(wrong)
    lacking = missing(evidence)
    said = words(evidence, tuple(name for name in DETECTORS if name not in lacking))
    print(f"\n{title}: {wrong.sum()} of {n} labels wrong, accuracy {1 - wrong.mean():.4f};")
    print(f"reviewing a tenth at random: {1 - 0.9 * wrong.mean():.4f}")
    head = ("detector", "asks", "precision", "recall", "F1", "AUROC", "first 100", "after a tenth")
    print("  " + "  ".join(f"{name:>13}" for name in head))
    for name, word in said.items():
        asks, hit = word.suspects.sum(), (word.suspects & wrong).sum()
        scores = np.nan_to_num(word.scores, nan=-1)
        order = np.argsort(-scores, kind="stable")
        after = 1 - (wrong.sum() - wrong[order[: n // 10]].sum()) / n
        values = (
            hit / max(1, asks), hit / wrong.sum(), 2 * hit / (asks + wrong.sum()),
            auroc(scores, wrong), wrong[order[:100]].mean(), after,
        )  # fmt: skip
        print(f"  {name:>21} {asks:>5}  " + "  ".join(f"{value:>11.4f}" for value in values))


def verified(shared: Path) -> None:
    """How high the label errors of the test part that five people confirmed rank."""
    with (shared / "cifar10/labels.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    with (shared / "cifar10/truth/label_errors_mturk.csv").open(encoding="utf-8") as file:
        verdicts = {row["path"]: row["verdict"] for row in csv.DictReader(file)}
    names = sorted({row["label"] for row in rows})
    labels = np.array([names.index(row["label"]) for row in rows])
    vectors = encoded(shared, [shared / "cifar10" / row["path"] for row in rows])
    p = out_of_fold(vectors, labels, np.arange(len(labels)))
    neighbours, distances = knn.knn(vectors, 10)
    said = words(
        Evidence(labels, p, neighbours, distances),
        ("low_self_confidence", "low_normalized_margin", "low_weighted_entropy", "neighbour_vote",
         "knn_shapley"),
    )  # fmt: skip
    bad = np.array([verdicts.get(row["path"], "correct") not in ("correct", "") for row in rows])
    print(f"\nCIFAR-10 test: {bad.sum()} of {len(rows)} labels confirmed wrong by five people")
    for name, word in said.items():
        place = np.argsort(np.argsort(-word.scores, kind="stable"))[bad]
        print(
            f"  {name:>21}  AUROC {auroc(word.scores, bad):.3f}, median rank "
            f"{int(np.median(place)) + 1}, in the first tenth {(place < len(rows) // 10).sum()}, "
            f"in the first quarter {(place < len(rows) // 4).sum()}"
        )


def auroc(scores: Array, positive: Array) -> float:
    """Area under the ROC curve by ranks, ties shared."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n = positive.sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def digits(rate: float, seed: int = 0) -> None:
    """Judges the detectors on digits, a share of whose labels is replaced by another class."""
    from sklearn.datasets import load_digits

    data = load_digits()
    vectors = data.data.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chance = np.random.default_rng(seed)
    is_wrong = chance.random(len(vectors)) < rate
    others = (data.target + chance.integers(1, 10, len(vectors))) % 10
    labels = np.where(is_wrong, others, data.target)
    found = out_of_fold(vectors, labels, np.arange(len(labels)), seed=seed)
    evidence = Evidence(labels, found, *knn.knn(vectors, 10))
    judge(f"digits, {rate:.0%} planted", evidence, data.target)


if __name__ == "__main__":
    if sys.argv[1:] != ["digits"]:
        sys.exit(__doc__)
    for share in (0.02, 0.05, 0.2):
        digits(share)
