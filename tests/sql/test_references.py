"""References of bulk tables, checked once a statement: of few rows by index, of many by a join."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

SETUP = """
insert into core.run (kind, code_version) values ('test', '0');
insert into core.actor (name, kind) values ('importer', 'import');
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from) values (1, 'cat', 1);
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)
select sha256(int8send(i)), 'image', 'image/png', 1, 1, 1, 1 from generate_series(1, 3000) as i;
select core.add_encoder('toy', 3)
"""
LABELS = """
insert into core.label (media_id, class_id, origin, actor_id)
select case when i = %(bad)s then 99999 else i end, 1, 'import', 1
from generate_series(1, %(n)s) as i
"""
REFERRING = {
    "media_location.source_id": "insert into core.media_location "
    "(media_id, source_id, uri, n_bytes, modified_at) values (1, 9, 'file:///a', 1, now())",
    "media.run_id": "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id) "
    "values (sha256('x'), 'image', 'image/png', 1, 1, 1, 9)",
    "quality.media_id": "insert into core.quality values (99999, 0, 0, 0, 0, 0)",
    "embedding_1.media_id": "insert into core.embedding_1 values (99999, '[1,0,0]')",
    "neighbour.neighbour_id": "insert into core.neighbour values (1, 1, 1, 99999, 0.5)",
    "duplicate.group_id": "insert into core.duplicate values (1, 99999, 1)",
    "label.class_id": "insert into core.label (media_id, class_id, origin, actor_id) "
    "values (1, 9, 'import', 1)",
    "label.task_id": "insert into core.label (media_id, class_id, origin, actor_id, task_id) "
    "values (1, 1, 'import', 1, 9)",
    "label_issue.label_id": "insert into core.label_issue "
    "(media_id, label_id, kind, score, run_id) values (1, 9, 'swapped', 1, 1)",
}
PERMANENT = ("media", "run", "actor", "class", "source", "encoder", "dataset", "evaluation", "task")


@pytest.fixture
def made(owner: psycopg.Connection) -> psycopg.Connection:
    owner.execute(SETUP)
    owner.commit()
    return owner


@pytest.mark.parametrize(("n", "bad"), [(1, 1), (900, 500), (2500, 2000)])
def test_one_bad_row_among_few_or_many_refuses_the_statement(
    made: psycopg.Connection, n: int, bad: int
) -> None:
    with pytest.raises(
        psycopg.errors.ForeignKeyViolation, match=r"media_id 99999, which core\.media"
    ):
        made.execute(LABELS, {"n": n, "bad": bad})
    made.rollback()
    assert made.execute(LABELS, {"n": n, "bad": 0}).rowcount == n


@pytest.mark.parametrize("column", REFERRING)
def test_what_is_referred_to_must_exist(made: psycopg.Connection, column: str) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match=column.split(".")[1]):
        made.execute(REFERRING[column])


def test_the_plan_kept_for_one_row_serves_many_and_the_other_way_round(
    made: psycopg.Connection,
) -> None:
    close = "update core.label set rev_to = 0 where rev_to is null"
    for n in (1, 2500, 3):
        made.execute(close)
        assert made.execute(LABELS, {"n": n, "bad": 0}).rowcount == n
        made.execute(close)
        with pytest.raises(psycopg.errors.ForeignKeyViolation), made.transaction():
            made.execute(LABELS, {"n": n, "bad": n})


def test_an_update_cannot_leave_a_reference_hanging(made: psycopg.Connection) -> None:
    made.execute("insert into core.quality values (1, 0, 0, 0, 0, 0)")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        made.execute("update core.quality set media_id = 99999")


def test_a_hidden_media_is_there_for_references_all_the_same(
    made: psycopg.Connection, as_role: Callable[[str], psycopg.Connection]
) -> None:
    made.execute("insert into core.restriction (media_id, reason) values (7, 'face')")
    made.commit()
    as_role("smartdb_writer").execute("insert into core.quality values (7, 0, 0, 0, 0, 0)")


@pytest.mark.parametrize("table", PERMANENT)
def test_what_others_refer_to_stays(made: psycopg.Connection, table: str) -> None:
    for command in ("delete from core.{}", "truncate core.{} cascade"):
        with pytest.raises(psycopg.Error) as refused, made.transaction():
            made.execute(sql.SQL(command).format(sql.Identifier(table)))
        assert refused.value.sqlstate == "SD003"


def test_a_key_never_changes(made: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error) as refused:
        made.execute("update core.media set media_id = default where media_id = 1")
    assert refused.value.sqlstate == "SD003"
