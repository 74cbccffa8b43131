"""Search by vectors: saved texts, examples, vectors that make no sense, and how good the index."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import bulk, embeddings, encoders, prompts, searching
from smartdb.encoders import Encoder
from smartdb.errors import DimensionMismatch, InvalidInput, NotFound

Connection = psycopg.Connection[Any]

N, DIM = 300, 24
MEDIA = """
insert into core.run (kind, code_version) values ('test', '0');
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(int8send(i)), 'image', 'image/png', 1, i, 1, 1 from generate_series(1, 300) as i
"""
REFUSED = (
    ("nearest_to('{}')", "SD002", "examples"),
    ("nearest_to('{1,2}', '{2}')", "SD002", "examples"),
    ("nearest_to('{1,900}')", "SD001", "no vector of encoder toy for media 900"),
    ("nearest_to('{1}', k => 0)", "SD002", "k is 0"),
    ("similar(1, 'toy', 0)", "SD002", "k is 0"),
    ("nearest('[1,0]', 'toy')", "SD002", "has 24 dimensions, the query has 2"),
    ("nearest(null, 'toy')", "SD002", "the query has none: it is null"),
    ("nearest(array_fill(0, '{24}')::halfvec, 'toy')", "SD002", "the query is zero"),
    ("nearest(array_fill(1, '{24}')::halfvec, 'toy', -1)", "SD002", "k is -1"),
    ("nearest(array_fill(1, '{24}')::halfvec, 'other')", "SD001", "no encoder other"),
    ("nearest(array_fill('NaN'::real, '{24}')::halfvec, 'toy')", "22000", "NaN not allowed"),
    ("recall_report('other')", "SD001", "no encoder other"),
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encoder]:
    """A tiny open_clip model with random weights."""
    open_clip = pytest.importorskip("open_clip")
    from open_clip import factory

    config = tmp_path_factory.mktemp("open_clip") / "smartdb-prompt.json"
    vision = {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16}
    text = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    config.write_text(json.dumps({"embed_dim": DIM, "vision_cfg": vision, "text_cfg": text}))
    open_clip.add_model_config(config)
    yield encoders.load("open_clip:smartdb-prompt/none?name=clip")
    factory._MODEL_CONFIG_PATHS.remove(config)
    factory._rescan_model_configs()


@pytest.fixture
def vectors(conn: Connection, owner: Connection) -> np.ndarray[Any, np.dtype[np.float32]]:
    """300 media with vectors (300, 24) of the encoder "toy"; media i has row i - 1."""
    owner.execute(MEDIA)
    owner.commit()
    encoder_id = embeddings.register(conn, Encoder("toy", DIM, np.asarray, np.asarray, 1))
    found = encoders.base.unit(np.random.default_rng(0).standard_normal((N, DIM)))
    staged = bulk.staging(conn, "staged", like=f"core.embedding_{encoder_id}")
    bulk.copy_arrays(conn, staged, {"media_id": np.arange(1, N + 1), "v": found})
    conn.execute(f"insert into core.embedding_{encoder_id} table staged".encode())
    conn.commit()
    return found


def ids(conn: Connection, query: str, *values: Any) -> list[int]:
    return [row[0] for row in conn.execute(query.encode(), values or None).fetchall()]


def test_a_saved_text_is_a_vector_in_sql(
    conn: Connection, as_role: Callable[[str], Connection], clip: Encoder
) -> None:
    embeddings.register(conn, clip)
    assert prompts.add(conn, clip, ["a red car at night", "it's a cat", "it's a cat"]) == 2
    assert prompts.add(conn, clip, ["it's a cat"]) == 0
    conn.commit()
    reader = as_role("smartdb_reader")
    row = reader.execute("select smartdb.prompt('it''s a cat')::text").fetchone()
    assert row is not None
    np.testing.assert_allclose(json.loads(row[0]), clip.encode_text(["it's a cat"])[0], atol=1e-3)
    plan = reader.execute(
        "explain select media_id from smartdb.embedding_1"
        " order by v <=> smartdb.prompt('it''s a cat')"
    ).fetchall()
    assert "smartdb.prompt" not in str(plan)  # looked up once, not once a row
    assert [p["text"] for p in prompts.saved_prompts(conn, "clip")] == [
        "a red car at night", "it's a cat",
    ]  # fmt: skip
    prompts.remove(conn, "clip", "it's a cat")
    with pytest.raises(NotFound, match="see: smartdb prompt list"):
        prompts.remove(conn, "clip", "it's a cat")


def test_a_text_that_was_not_saved_says_which_command_saves_it(
    conn: Connection, owner: Connection
) -> None:
    with pytest.raises(psycopg.Error, match="no prompt \"a 'dog'\"") as caught:
        conn.execute("select smartdb.prompt('a ''dog''')")
    assert caught.value.sqlstate == "SD001"
    assert caught.value.diag.message_hint == "run: smartdb prompt add 'a '\\''dog'\\'''"
    conn.rollback()
    for name in ("a", "b"):
        owner.execute("select core.add_encoder(%s, 2)", (name,))
    owner.execute("insert into core.prompt values (1, 'x', '[1,0]'), (2, 'x', '[0,1]')")
    owner.commit()
    with pytest.raises(psycopg.Error, match="several encoders: a, b") as caught:
        conn.execute("select smartdb.prompt('x')")
    assert caught.value.sqlstate == "SD002"
    conn.rollback()
    row = conn.execute("select smartdb.prompt('x', 'b')::text").fetchone()
    assert row == ("[0,1]",)


def test_an_encoder_without_a_text_tower_is_refused(conn: Connection) -> None:
    descriptor = encoders.load("descriptor")
    with pytest.raises(NotFound, match="no encoder"):
        prompts.add(conn, descriptor, ["a cat"])
    embeddings.register(conn, descriptor)
    with pytest.raises(InvalidInput, match="no text tower; use an open_clip model"):
        prompts.add(conn, descriptor, ["a cat"])
    with pytest.raises(InvalidInput, match="1 to 2000 characters"):
        prompts.add(conn, descriptor, [" "])


def test_examples_are_searched_by_their_mean_less_half_the_unwanted(
    conn: Connection, vectors: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    more, fewer = [3, 7], [11]
    wanted = vectors[[2, 6]].mean(axis=0) - 0.5 * vectors[10]
    order = np.argsort(-(vectors @ wanted)) + 1
    exact = [i for i in order.tolist() if i not in (3, 7, 11) and i > 100][:10]
    call = "select media_id from smartdb.nearest_to(%s::bigint[], %s::bigint[], predicate => %s)"
    assert ids(conn, call, more, fewer, "m.width > 100") == exact
    wish = searching.Wish(more=more, fewer=fewer, predicate="m.width > 100")
    assert [row["media_id"] for row in searching.search(conn, wish)] == exact


@pytest.mark.usefixtures("vectors")
def test_what_cannot_be_searched_for_is_one_clear_error(conn: Connection) -> None:
    for call, state, why in REFUSED:
        with pytest.raises(psycopg.Error, match=why) as caught:
            conn.execute(f"select * from smartdb.{call}".encode())
        assert caught.value.sqlstate == state
        conn.rollback()


def test_a_vector_that_is_no_vector_is_refused_in_python_too(
    conn: Connection, vectors: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    for wrong in (np.full(DIM, np.nan), np.zeros(DIM), vectors[0][:-1]):
        with pytest.raises((InvalidInput, DimensionMismatch)):
            embeddings.nearest(conn, wrong.astype(np.float32), "toy")
        conn.rollback()
    for wish in (searching.Wish(), searching.Wish(prompt="x", more=[1]), searching.Wish(fewer=[1])):
        with pytest.raises(InvalidInput):
            searching.search(conn, wish)


def test_the_index_is_built_once_and_its_recall_is_told(
    conn: Connection, vectors: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    before = searching.recall_report(conn, n_queries=3)
    assert (before["has_index"], before["n"], before["recall"], before["n_short"]) == (
        False,
        3,
        1,
        0,
    )
    assert searching.build_index(conn)
    conn.commit()
    assert not searching.build_index(conn)
    after = searching.recall_report(conn, n_queries=20, k=5, predicate="m.width > 250")
    assert (after["has_index"], after["n"], after["n_short"]) == (True, 20, 0)
    assert after["worst"] <= after["recall"] <= 1
    assert after["recall"] > 0.9
    assert searching.recall_report(conn, n_queries=9000)["n"] == len(vectors)
