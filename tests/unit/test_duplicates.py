"""Near-duplicate groups: planted and judged pairs are found, different pictures are kept apart."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import digits, duplicates, embeddings, encoders, images, neighbours
from smartdb.duplicates import Edges, LastDistances, Thresholds
from smartdb.errors import NothingToDo
from smartdb.ingest import ingest
from smartdb.knn import knn

Connection = psycopg.Connection[Any]


def edges(*rows: tuple[int, int, float, int]) -> Edges:
    """Edges in both directions of (media, other, distance, bits)."""
    both = [*rows, *((b, a, d, bits) for a, b, d, bits in rows)]
    a, b, distance, bits = zip(*both, strict=True)
    return Edges(np.array(a), np.array(b), np.array(distance, np.float32), np.array(bits, np.int32))


NONE = Edges(*(np.zeros(0, t) for t in (np.int64, np.int64, np.float32, np.int32)))


def grouped(found: Edges, thresholds: Thresholds = duplicates.DEFAULTS) -> dict[int, int]:
    members, group = duplicates.groups((found, NONE), thresholds)
    return dict(zip(members.tolist(), group.tolist(), strict=True))


FAR = [(9, 1, 0.5, 30), (9, 2, 0.5, 30), (9, 3, 0.5, 30), (9, 4, 0.5, 30)]


def test_what_pairs_connect_is_a_group_named_by_its_smallest_member() -> None:
    found = grouped(edges((4, 2, 0.05, 3), (2, 1, 0.05, 3), *FAR))
    assert found == {1: 1, 2: 1, 4: 1}


def test_distance_counts_against_what_is_usual_there() -> None:
    assert grouped(edges((1, 2, 0.11, 10), *FAR)) == {}
    assert grouped(edges((1, 2, 0.11, 10), *FAR), Thresholds(max_ratio=0.25)) == {1: 1, 2: 1}


def test_pictures_whose_hashes_differ_are_not_duplicates() -> None:
    assert grouped(edges((1, 2, 0.05, 17), *FAR)) == {}
    assert grouped(edges((1, 2, 0.05, 17), *FAR), Thresholds(max_bits=17)) == {1: 1, 2: 1}


def test_equal_hashes_need_less_nearness_but_some() -> None:
    assert grouped(edges((1, 2, 0.2, 0), *FAR)) == {1: 1, 2: 1}
    assert grouped(edges((1, 2, 0.3, 0), *FAR)) == {}


def test_the_more_the_hashes_are_alike_the_more_distance_is_allowed() -> None:
    for bits, allowed in ((0, 0.25), (3, 0.175), (6, 0.1), (16, 0.1)):
        assert grouped(edges((1, 2, allowed - 0.001, bits), *FAR)) == {1: 1, 2: 1}
        assert grouped(edges((1, 2, allowed + 0.001, bits), *FAR)) == {}


def test_pairs_by_hash_join_what_the_graph_has_not_or_need_what_is_usual() -> None:
    pair = Edges(np.array([1]), np.array([2]), np.array([0.2], np.float32), np.array([1], np.int32))
    assert duplicates.groups((edges(*FAR), pair))[0].tolist() == [1, 2]
    assert duplicates.groups((NONE, pair))[0].tolist() == []
    assert duplicates.groups((NONE, pair), last=LastDistances.of(NONE, 0.5))[0].tolist() == [1, 2]


def test_pictures_of_one_colour_have_no_hash_and_need_the_nearness() -> None:
    assert grouped(edges((1, 2, 0.05, duplicates.NO_HASH), *FAR)) == {1: 1, 2: 1}
    assert grouped(edges((1, 2, 0.2, duplicates.NO_HASH), *FAR)) == {}


def test_no_edges_make_no_groups() -> None:
    assert grouped(NONE) == {}


def test_a_neighbour_whose_own_edges_are_hidden_is_measured_from_the_other_end() -> None:
    a, b = np.array([1, 1, 2]), np.array([7, 2, 1])
    found = Edges(a, b, np.array([0.4, 0.5, 0.5], np.float32), np.array([3, 30, 30], np.int32))
    assert grouped(found) == {}


def write_picture(path: Path, seed: int, size: int = 64) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC).save(path, quality=90)


def manage(conn: Connection, folder: Path) -> dict[str, int]:
    ingest(conn, folder, workers=1)
    embeddings.embed(conn, encoders.load("descriptor"))
    neighbours.build(conn, "descriptor")
    return duplicates.group(conn, "descriptor")


def found_files(conn: Connection) -> list[list[str]]:
    rows = conn.execute(
        "select array_agg(substring(l.uri from '[^/]*$') order by l.uri) from core.duplicate as d "
        "join core.media_location as l using (media_id) group by d.group_id order by 1"
    )
    return [row[0] for row in rows]


def test_a_burst_larger_than_the_number_of_neighbours_is_one_group(
    conn: Connection, tmp_path: Path
) -> None:
    for i in range(30):
        write_picture(tmp_path / f"other{i:02d}.png", i)
    first = Image.open(tmp_path / "other00.png")
    for i in range(25):
        first.save(tmp_path / f"burst{i:02d}.jpg", quality=70 + i)
    counts = manage(conn, tmp_path)
    assert (counts["n_groups"], counts["n_media"]) == (1, 26)
    smallest = "select count(distinct group_id), min(media_id) = min(group_id) from core.duplicate"
    assert conn.execute(smallest).fetchone() == (1, True)


def test_groups_are_replaced_and_not_made_twice(conn: Connection, tmp_path: Path) -> None:
    for i in range(12):
        write_picture(tmp_path / f"{i:02d}.png", i)
    write_picture(tmp_path / "copy.jpg", 3)
    manage(conn, tmp_path)
    assert found_files(conn) == [["03.png", "copy.jpg"]]
    again = duplicates.group(conn, "descriptor")
    assert (again["n_groups"], again["is_new"]) == (1, 0)
    none = duplicates.group(conn, "descriptor", Thresholds(max_ratio=0.0, max_bits=-2))
    assert (none["is_new"], found_files(conn)) == (1, [])


def test_without_vectors_there_is_nothing_to_group(conn: Connection) -> None:
    embeddings.register(conn, encoders.load("descriptor"))
    with pytest.raises(NothingToDo, match="no vectors yet; run: smartdb embed"):
        duplicates.group(conn)


def test_planted_digits_are_found_and_different_digits_are_not_joined(tmp_path: Path) -> None:
    planted = digits.write_digits(tmp_path)
    found = joined_pairs(tmp_path / "images", sorted(planted.true_class))
    wanted = {frozenset(pair) for pair in planted.duplicates}
    assert found >= wanted
    assert len(found) <= len(wanted) + 3
    assert all(len({planted.true_class[path] for path in pair}) == 1 for pair in found)


def joined_pairs(root: Path, paths: list[str]) -> set[frozenset[str]]:
    """Pairs of files that the descriptor's graph and the hashes call near-duplicates."""
    encoder = encoders.load("descriptor")
    files: list[Path | bytes] = [root / path for path in paths]
    near, distance = knn(np.concatenate([b.vectors for b in encoder.encode_files(files)]), 10)
    hashes = [int(images.phash(images.load_rgb(file)) or "0", 2) for file in files]
    rows, others = np.repeat(np.arange(len(paths)), 10), near.ravel()
    bits = np.array(hashes, np.uint64)
    differ = np.bitwise_count(bits[rows] ^ bits[others]).astype(np.int32)
    graph = Edges(rows, others, distance.ravel(), differ)
    last = duplicates.LastDistances.of(graph)
    joined = duplicates.are_near(graph, duplicates.DEFAULTS, last)
    ends = zip(rows[joined].tolist(), others[joined].tolist(), strict=True)
    return {frozenset({paths[a], paths[b]}) for a, b in ends}


def test_neighbours_prints_edges_and_groups(
    cli: Callable[..., Any], conn: Connection, tmp_path: Path
) -> None:
    for i in range(12):
        write_picture(tmp_path / f"{i:02d}.png", i)
    write_picture(tmp_path / "copy.jpg", 3)
    manage(conn, tmp_path)
    result = cli("neighbours", "-k", "11")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines == [
        ["encoder", "k", "n_vectors", "n_edges", "n_compared", "n_groups", "n_media"],
        ["descriptor", "11", "13", "143", "13", "1", "2"],
    ]
    again = cli("neighbours", "-k", "5", "--json")
    assert '"n_groups": 1' in again.stdout
    assert "nothing new" in again.stderr


@pytest.mark.shared
def test_pairs_that_people_judged_are_found_among_photos(shared_data: Path) -> None:
    root = shared_data / "cifar10"
    with (root / "labels.csv").open() as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    with (root / "truth" / "duplicate_pairs.csv").open() as file:
        judged = [(row["a"], row["b"], list(row.values())[3]) for row in csv.DictReader(file)]
    found = joined_pairs(root, paths)
    wanted = {frozenset({a, b}) for a, b, judgment in judged if judgment == "1"}
    right = {frozenset({a, b}) for a, b, _ in judged}
    assert len(found & wanted) / len(wanted) > 0.6  # recall of the near-duplicates
    assert len(found & right) / len(found) > 0.95  # near-duplicate or similar, not something else
