"""Search by words: what is written about media is found as it is now, by whoever may see them."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

Connection = psycopg.Connection

WORLD = """
insert into core.run (kind, code_version) values ('test', '0');
insert into core.source (name, uri) values ('shop', 's3://shop');
insert into core.media (sha256, kind, mime, n_bytes, width, height, attributes, run_id)
select sha256(int8send(i)), 'image', 'image/png', 1, 10 * i, 1,
    case i when 3 then '{"colour": "red", "size": 42}'::jsonb else '{}' end, 1
from generate_series(1, 6) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at) values
    (1, 1, 's3://shop/winter/red-coats/1.jpg', 1, now()),
    (2, 1, 's3://shop/summer/M%C3%BCtze%20blau_2.jpg', 1, now()),
    (3, 1, 's3://shop/summer/dress.jpg', 1, now()),
    (4, 1, 's3://shop/not%FFutf8/coat.jpg', 1, now()),
    (5, 1, 's3://shop/hidden/coat.jpg', 1, now());
insert into core.restriction (media_id, reason) values (5, 'consent');
insert into core.ontology (name) values ('shop');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from) values (1, 'caption', 1);
insert into core.actor (name, kind) values ('ana', 'person'), ('bo', 'person');
select core.add_encoder('toy', 3);
insert into core.embedding_1 (media_id, v)
select i, l2_normalize(format('[1,%s,0]', i)::halfvec) from generate_series(1, 6) as i
"""
CAPTION = """
insert into core.label (media_id, class_id, kind, shape, origin, actor_id)
values (%s, 1, 'caption', jsonb_build_object('text', %s::text), 'human', %s) returning label_id
"""


@pytest.fixture
def reader(owner: Connection, as_role: Callable[[str], Connection]) -> Connection:
    """A reader of five media with names, one with attributes, one hidden, one without a place."""
    owner.execute(WORLD)
    owner.commit()
    conn = as_role("smartdb_reader")
    conn.autocommit = True
    return conn


def found(conn: Connection, query: str, predicate: str = "true") -> list[int]:
    rows = conn.execute(
        "select media_id from smartdb.search_text(%s, 10, %s)", (query, predicate)
    ).fetchall()
    return [media_id for (media_id,) in rows]


def caption(conn: Connection, media_id: int, text: str, actor_id: int = 1) -> int:
    row = conn.execute(CAPTION, (media_id, text, actor_id)).fetchone()
    assert row is not None
    return int(row[0])


def test_words_of_paths_and_attributes_are_found(reader: Connection) -> None:
    assert found(reader, "coat") == [4, 1]  # shorter first; the hidden one is not
    assert found(reader, "Mütze") == found(reader, '"Mütze blau"') == [2]
    assert found(reader, "red") == [3, 1]  # an attribute weighs more than a path
    assert found(reader, "colour 42") == [3]
    assert found(reader, "summer -dress") == [2]
    assert found(reader, "dress or winter") == [1, 3]
    assert found(reader, "red", "m.width < 20") == [1]
    assert found(reader, "submarine") == []


def test_captions_are_found_from_when_to_when_they_are_there(
    reader: Connection, owner: Connection
) -> None:
    label_id = caption(owner, 2, "A red car at night")
    caption(owner, 2, "two cars", 2)
    owner.commit()
    assert found(reader, "cars at night") == [2]
    assert found(reader, "red")[0] == 2  # a caption weighs most
    owner.execute("update core.label set rev_to = 0 where label_id = %s", (label_id,))
    owner.commit()
    assert found(reader, "night") == []
    assert found(reader, "car") == [2]


def test_a_change_of_attributes_or_of_what_lies_at_a_place_is_followed(
    reader: Connection, owner: Connection
) -> None:
    owner.execute('update core.media set attributes = \'{"colour": "green"}\' where media_id = 3')
    owner.execute("update core.media_location set media_id = 6 where media_id = 4")
    owner.commit()
    assert found(reader, "red") == [1]
    assert found(reader, "green") == [3]
    assert found(reader, "coat") == [6, 1]


def test_two_who_describe_a_media_at_once_lose_nothing(
    reader: Connection, owner: Connection, as_role: Callable[[str], Connection]
) -> None:
    other = as_role("smartdb_annotator")
    caption(owner, 6, "an umbrella")  # 6 has no document yet
    other.execute("set lock_timeout = '10ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):  # it waits for the first
        caption(other, 6, "a bicycle", 2)
    other.rollback()
    owner.commit()
    caption(other, 6, "a bicycle", 2)
    other.commit()
    assert found(reader, "umbrella bicycle") == [6]


def test_nobody_reads_what_is_written_about_hidden_media(
    reader: Connection, conn: Connection, owner: Connection
) -> None:
    for each in (reader, conn):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            each.execute("select document from core.media_text")
        each.rollback()
        assert found(each, "hidden") == []
    owner.execute("delete from core.restriction")
    owner.commit()
    assert found(reader, "hidden") == [5]


def test_an_erased_media_leaves_no_words(reader: Connection, owner: Connection) -> None:
    row = owner.execute("select core.begin_erasure('test', 'all', '0', '{1,3}')").fetchone()
    assert row is not None
    owner.execute("select core.erase_rows(%s)", row)
    owner.commit()
    left = owner.execute("select media_id from core.media_text order by 1").fetchall()
    assert [media_id for (media_id,) in left] == [2, 4, 5]
    assert found(reader, "red") == []


def test_what_cannot_be_searched_for_is_said(reader: Connection) -> None:
    for call, why in (
        ("search_text('the')", 'nothing to look for in "the"'),
        ("search_text(null)", "nothing to look for"),
        ("search_text('coat', 0)", "k is 0"),
        ("search_text('coat', 3, 'm.wide')", "column m.wide does not exist"),
        ("search('coat', '[1,0]')", "the query has 2"),
        ("search('coat', '[1,0,0]', k => -1)", "k is -1"),
    ):
        with pytest.raises(psycopg.Error, match=why) as caught:
            reader.execute(f"select * from smartdb.{call}".encode())
        assert caught.value.sqlstate == "SD002"


def test_words_and_a_vector_are_fused_by_their_ranks(reader: Connection) -> None:
    rows = reader.execute(
        "select media_id, score, text_rank, vector_rank"
        " from smartdb.search('red', '[1,2,0]', k => 4)"
    ).fetchall()
    assert [(row[0], *row[2:]) for row in rows] == [
        (3, 1, 2), (1, 2, 5), (2, None, 1), (4, None, 3),
    ]  # fmt: skip
    assert rows[0][1] == pytest.approx(1 / 61 + 1 / 62)
    assert rows[2][1] == pytest.approx(1 / 61)
