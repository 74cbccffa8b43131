"""Clusters and the map: made once, deterministic, grown by what is new, drawn and listed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from smartdb.api import create_app

from smartdb import bulk, embeddings, maps, media_graph, neighbours
from smartdb.encoders import Encoder
from smartdb.errors import InvalidInput, NothingToDo, SmartdbError

Connection = psycopg.Connection[Any]
Floats = np.ndarray[Any, np.dtype[np.float32]]

SETUP = """
insert into core.run (kind, code_version) values ('test', '0');
insert into core.actor (name, kind) values ('folder', 'import');
insert into core.ontology (name) values ('shapes');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'one');
insert into core.class (ontology_id, name, version_from) values (1, 'disc', 1), (1, 'square', 1);
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(int8send(i)), 'image', 'image/png', 1, 1, 1, 1 from generate_series(1, 90) as i;
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1 + i %% 2, 'import', 1 from generate_series(1, 80) as i
"""
PLACES = "select cluster_id, map_x::float8, map_y::float8 from core.media_graph order by media_id"


def around(ids: range, seed: int = 0) -> Floats:
    """Unit vectors near one corner for even ids, near another for odd ones; 5 is among the even."""
    rng = np.random.default_rng(seed)
    vectors = 0.2 * rng.standard_normal((100, 8)).astype(np.float32)[list(ids)]
    for row, media_id in enumerate(ids):
        vectors[row, media_id % 2 if media_id != 5 else 0] += 1
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def write(conn: Connection, ids: range) -> None:
    """Gives these media their vectors."""
    encoder_id = embeddings.register(conn, Encoder("x", 8, np.asarray, np.asarray, 1))
    staged = bulk.staging(conn, "staged", like=f"core.embedding_{encoder_id}")
    bulk.copy_arrays(conn, staged, {"media_id": np.array(ids), "v": around(ids)})
    conn.execute(f"insert into core.embedding_{encoder_id} table staged".encode())
    conn.commit()


@pytest.fixture
def media(owner: Connection, conn: Connection) -> Connection:
    """Eighty labelled media with vectors, and ten more without either."""
    for command in SETUP.split(";"):
        owner.execute(command.replace("%%", "%").encode())
    owner.commit()
    write(conn, range(1, 81))
    return conn


def places(conn: Connection) -> list[tuple[Any, ...]]:
    found = conn.execute(PLACES).fetchall()
    conn.commit()
    return found


def test_the_graph_is_placed_once_and_grows_without_moving(media: Connection) -> None:
    first = media_graph.update(media, "x")
    assert (first["n_media"], first["n_placed"], first["n_clusters"]) == (80, 80, 6)
    assert (first["method"], first["is_new"]) == ("pca", 1)
    before = places(media)
    assert media_graph.update(media, "x") == {**first, "n_placed": 0, "run_id": None, "is_new": 0}
    write(media, range(81, 91))
    gap = media.execute("select reason, count(*) from smartdb.graph_gap('x') group by 1").fetchall()
    assert gap == [("new", 10)]
    grown = media_graph.update(media, "x")
    assert (grown["n_media"], grown["n_placed"], grown["n_clusters"]) == (90, 10, 6)
    assert places(media)[:80] == before
    assert media.execute("select count(*) from smartdb.graph_gap('x')").fetchone() == (0,)
    media.execute("update core.media_graph set cluster_id = null, centre_distance = null")
    after = places(media)
    media_graph.update(media, "x")
    assert [row[0] for row in places(media)[:80]] == [row[0] for row in before]
    assert [row[1:] for row in places(media)] == [row[1:] for row in after]


def test_the_same_seed_gives_the_same_and_anew_makes_all_anew(media: Connection) -> None:
    media_graph.update(media, "x", n_clusters=4, seed=3)
    first = places(media)
    other = media_graph.update(media, "x", n_clusters=3)
    assert (other["n_clusters"], other["n_placed"]) == (3, 80)
    assert media_graph.update(media, "x")["is_new"] == 0
    media_graph.update(media, "x", n_clusters=4, seed=3, anew=True)
    assert places(media) == first
    sizes = "select n_media from smartdb.media_cluster where encoder = 'x' order by cluster_id"
    n = [row[0] for row in media.execute(sizes)]
    assert (n, sum(n)) == (sorted(n, reverse=True), 80)


def test_what_the_columns_say_is_what_they_are_defined_to_be(media: Connection) -> None:
    media_graph.update(media, "x", n_clusters=2)
    ids, vectors = embeddings.read_vectors(media, "x")
    rows = media.execute(
        "select cluster_id, representativeness, label_disagreement from smartdb.media_graph "
        "where encoder = 'x' order by media_id"
    ).fetchall()
    cluster = np.array([row[0] for row in rows])
    assert (cluster[ids % 2 == 1][3:] == cluster[0]).all()
    assert cluster[4] == cluster[1] != cluster[0]  # media 5 lies among the even ones
    for number in (1, 2):
        of = vectors[cluster == number]
        centre = of.mean(axis=0) / np.linalg.norm(of.mean(axis=0))
        distance = 1 - of @ centre
        found = [row[1] for row in rows if row[0] == number]
        np.testing.assert_allclose(found, 1 - distance / distance.max(), atol=0.02)
    assert rows[4][2] > 0.9
    assert all(row[2] < 0.3 for media_id, row in zip(ids, rows) if media_id != 5)


def test_label_disagreement_is_of_the_labels_as_they_are_now(media: Connection) -> None:
    media_graph.update(media, "x")
    asked = "select label_disagreement from smartdb.media_graph where media_id = 5"
    assert media.execute(asked).fetchone()[0] > 0.9  # type: ignore[index]
    media.execute("update core.label set rev_to = 0 where media_id = 5")
    assert media.execute(asked).fetchone() == (None,)
    media.execute(
        "insert into core.label (media_id, class_id, origin, actor_id) values (5, 1, 'import', 1)"
    )
    assert media.execute(asked).fetchone()[0] < 0.1  # type: ignore[index]


def test_what_asks_not_for_labels_does_not_read_them(
    media: Connection, as_role: Callable[[str], Connection]
) -> None:
    media_graph.update(media, "x")
    asked = (
        "explain select media_id, uniqueness, map_x from smartdb.media_graph where encoder = 'x'"
    )
    plan = as_role("smartdb_reader").execute(asked.encode()).fetchall()
    assert "on label" not in str(plan)
    assert "on neighbour" not in str(plan)


def test_hidden_media_are_in_no_cluster_and_on_no_map(
    media: Connection, as_role: Callable[[str], Connection]
) -> None:
    media_graph.update(media, "x", n_clusters=1)
    media.execute("insert into core.restriction (media_id, reason) values (7, 'test')")
    media.commit()
    reader = as_role("smartdb_reader")
    assert 7 not in {row["media_id"] for row in media_graph.points(reader, "x")}
    (only,) = media_graph.largest_clusters(reader, "x")
    assert only["n_media"] == 79
    disagree = "select count(*) from smartdb.label_disagreement where media_id = 7"
    assert reader.execute(disagree).fetchone() == (0,)


def test_a_media_that_is_erased_leaves_no_row(
    media: Connection, as_role: Callable[[str], Connection]
) -> None:
    media_graph.update(media, "x")
    privacy = as_role("smartdb_privacy")
    (erasure,) = privacy.execute(
        "select core.begin_erasure('asked', 'media 3', '0', '{3}')"
    ).fetchone()  # type: ignore[misc]
    privacy.commit()
    privacy.execute("select core.erase_rows(%s)", [erasure])
    privacy.commit()
    left = "select count(*) from core.media_graph where media_id = 3"
    edges = "select count(*) from core.neighbour where 3 in (media_id, neighbour_id)"
    assert [media.execute(query).fetchone() for query in (left, edges)] == [(0,), (0,)]
    media.commit()
    assert media_graph.update(media, "x")["n_media"] == 79


def test_pacmap_keeps_neighbours_together_and_puts_new_ones_between_theirs(
    media: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = np.stack([np.arange(80), np.arange(80) % 2], axis=1).astype(np.float32)
    monkeypatch.setattr(maps, "pacmap", lambda *_: drawn)  # its import takes 20 s
    told = media_graph.update(media, "x", method="pacmap")
    assert (told["method"], told["n_placed"]) == ("pacmap", 80)
    write(media, range(81, 91))
    media_graph.update(media, "x")
    nearest = media.execute(
        "select abs(g.map_x - sum(p.map_x / (n.distance + 0.001)) / sum(1 / (n.distance + 0.001))) "
        "from core.media_graph as g join core.neighbour as n using (media_id) "
        "join core.media_graph as p on p.media_id = n.neighbour_id "
        "where g.media_id > 80 and p.media_id <= 80 group by g.media_id, g.map_x"
    ).fetchall()
    assert len(nearest) == 10
    assert max(row[0] for row in nearest) < 0.01


def test_a_missing_library_and_too_few_media_are_told(
    media: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match="PaCMAP needs at least 16 media, there are 4"):
        maps.pacmap(around(range(4)), 0)
    monkeypatch.setattr("smartdb.heads.find_spec", lambda _: None)
    with pytest.raises(SmartdbError, match=r"needs pacmap; run: pip install 'smartdb\[maps\]'"):
        media_graph.update(media, "x", method="pacmap")
    assert places(media) == [(None, None, None)] * 80


def test_what_cannot_be_placed_says_why(media: Connection) -> None:
    embeddings.register(media, Encoder("empty", 2, np.asarray, np.asarray, 1))
    media.commit()
    with pytest.raises(NothingToDo, match="'empty' has no vectors yet; run: smartdb embed"):
        media_graph.update(media, "empty")
    with pytest.raises(InvalidInput, match="81 clusters of 80 media: ask for 1 to 80"):
        media_graph.update(media, "x", n_clusters=81)
    with pytest.raises(InvalidInput, match="no map by 'tsne'"):
        media_graph.update(media, "x", method="tsne")  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [1, 2])
def test_one_media_or_two_are_a_map(owner: Connection, conn: Connection, n: int) -> None:
    for command in SETUP.split(";"):
        owner.execute(command.replace("%%", "%").encode())
    owner.commit()
    write(conn, range(1, n + 1))
    told = media_graph.update(conn, "x")
    assert (told["n_placed"], told["n_clusters"]) == (n, 1)
    found = conn.execute("select uniqueness, representativeness from smartdb.media_graph")
    assert found.fetchall() == [
        (1, pytest.approx(r, abs=0.01)) for r in ([1] if n == 1 else [0, 0])
    ]


def test_the_map_is_drawn_and_the_clusters_are_listed(
    media: Connection, cli: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "map.png"
    neighbours.build(media, "x", k=4)
    drawn = cli("map", "--clusters", "2", "-o", str(file))
    assert drawn.exit_code == 0, drawn.output
    assert drawn.stdout.split()[-5:] == ["x", "pca", "80", "2", "80"]
    assert file.read_bytes()[:4] == b"\x89PNG"
    assert "nothing new" in cli("map").stderr
    listed = cli("clusters").stdout.splitlines()
    assert listed[0].split() == [
        "cluster_id", "n_media", "class", "purity", "n_labelled", "central_media_id",
    ]  # fmt: skip
    assert listed[1].split()[:3] == ["1", "41", "disc"]
    assert cli("map", "--clusters", "81").exit_code == 2
    assert "no encoder 'y'" in cli("clusters", "--encoder", "y").stderr


def test_the_api_gives_the_map_page_by_page(media: Connection, database: str) -> None:
    media_graph.update(media, "x")
    app = create_app(database)
    client = app.test_client()
    first = client.get("/v1/graph?limit=50").get_json()
    assert (first["encoder"], len(first["items"])) == ("x", 50)
    second = client.get(f"/v1/graph?limit=50&after={first['next']}").get_json()
    assert (len(second["items"]), second["next"]) == (30, None)
    point = first["items"][0]
    assert (point["media_id"], point["class"]) == (1, "square")
    assert -1 < point["map_x"] < 1
    assert client.get("/v1/graph?encoder=y").status_code == 404
    app.extensions["smartdb"].close()
