"""Who may do what, as a table; and what row-level security hides from whom."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

READER, ANNOTATOR, REVIEWER = "smartdb_reader", "smartdb_annotator", "smartdb_reviewer"
WRITER, PRIVACY, OWNER = "smartdb_writer", "smartdb_privacy", "smartdb_owner"
ALL = (READER, ANNOTATOR, REVIEWER, WRITER, PRIVACY, OWNER)
HIDDEN = 12
"""The restricted media of example.sql."""

INSERT_LABEL = (
    "insert into core.label (media_id, class_id, origin, actor_id) values (11, 2, 'human', 2)"
)
# statement, and the roles that may run it: all others are refused
ALLOWED: dict[str, tuple[str, ...]] = {
    # the interface is for everybody
    "select * from smartdb.media": ALL,
    "select * from smartdb.embedding_1": ALL,
    "select smartdb.dataset_digest('pets', 1)": ALL,
    "select * from smartdb.sample_random(3, 1)": ALL,
    "create view smartdb.mine as select 1 as one": (OWNER,),
    "drop view smartdb.media cascade": (OWNER,),
    # core is not for readers, and nobody but the owner shapes it
    "select from core.media": (ANNOTATOR, REVIEWER, WRITER, PRIVACY, OWNER),
    "select from core.label": (ANNOTATOR, REVIEWER, WRITER, OWNER),
    "select from core.prediction": (WRITER, OWNER),
    "select from core.embedding_1": (WRITER, OWNER),
    "select from core.run": (WRITER, PRIVACY, OWNER),
    "select from core.alembic_version": (WRITER, OWNER),
    "select nextval('core.revision')": (ANNOTATOR, REVIEWER, WRITER, OWNER),
    "create table core.mine (a int)": (OWNER,),
    "alter table core.label disable trigger close_row": (OWNER,),
    "alter table core.media disable row level security": (OWNER,),
    "truncate core.neighbour": (OWNER,),
    # annotating
    INSERT_LABEL: (ANNOTATOR, REVIEWER, WRITER, OWNER),
    "update core.label set rev_to = 0 where label_id = 1": (ANNOTATOR, REVIEWER, WRITER, OWNER),
    "update core.label set class_id = 3 where label_id = 1": (OWNER,),
    "update core.label set rev_from = 0 where label_id = 1": (OWNER,),
    INSERT_LABEL.replace(") values (", ", rev_from) values (").replace("2)", "2, 1)"): (OWNER,),
    INSERT_LABEL.replace(") values (", ", rev_to) values (").replace("2)", "2, 999999)"): (OWNER,),
    "insert into core.actor (name, kind) values ('bo', 'person')": (
        ANNOTATOR,
        REVIEWER,
        WRITER,
        OWNER,
    ),
    "update core.task set state = 'skipped', done_at = now() where task_id = 1": (
        ANNOTATOR,
        REVIEWER,
        WRITER,
        OWNER,
    ),
    "update core.task set priority = 9 where task_id = 1": (WRITER, OWNER),
    "insert into core.task (kind, media_id) values ('label', 1)": (REVIEWER, WRITER, OWNER),
    "select smartdb.claim_task('bo')": (ANNOTATOR, REVIEWER, WRITER, OWNER),
    "insert into core.class (ontology_id, name, version_from) values (1, 'cow', 1)": (
        WRITER,
        OWNER,
    ),
    "select smartdb.tag_media('dim', 'true', 'ana')": (ANNOTATOR, REVIEWER, WRITER, OWNER),
    "select smartdb.untag_media('night')": (ANNOTATOR, REVIEWER, WRITER, OWNER),
    "select smartdb.save_slice('all', 'true')": (WRITER, OWNER),
    "select smartdb.save_set('all', 'true')": (WRITER, OWNER),
    "select smartdb.drop_slice('dim')": (WRITER, OWNER),
    # reviewing
    "select smartdb.review_label(7, 'ana', 'accepted')": (REVIEWER, WRITER, OWNER),
    "insert into core.review (label_id, reviewer_id, verdict) values (7, 2, 'accepted')": (
        REVIEWER,
        WRITER,
        OWNER,
    ),
    "insert into core.comment (media_id, actor_id, text) values (1, 2, 'x')": (
        ANNOTATOR,
        REVIEWER,
        WRITER,
        OWNER,
    ),
    "update core.comment set text = 'x'": (OWNER,),
    "update core.review set rev_to = 0 where review_id = 1": (REVIEWER, WRITER, OWNER),
    "update core.review set verdict = 'accepted' where review_id = 1": (OWNER,),
    "update core.label_issue set state = 'dismissed' where issue_id = 1": (REVIEWER, WRITER, OWNER),
    "update core.label_issue set score = 0 where issue_id = 1": (WRITER, OWNER),
    "insert into core.gold (label_id, actor_id) values (1, 2)": (REVIEWER, WRITER, OWNER),
    "update core.gold set rev_to = 0 where gold_id = 1": (REVIEWER, WRITER, OWNER),
    "select label_id from core.gold": (REVIEWER, WRITER, OWNER),
    # pipelines
    "insert into core.run (kind, code_version) values ('x', '0')": (WRITER, PRIVACY, OWNER),
    "update core.run set counts = '{}' where run_id = 1": (WRITER, PRIVACY, OWNER),
    "update core.run set parameters = '{}' where run_id = 1": (OWNER,),
    "delete from core.run where run_id = 99": (OWNER,),
    "update core.media set group_key = 'a' where media_id = 1": (WRITER, OWNER),
    "update core.media set sha256 = sha256('a') where media_id = 99": (OWNER,),
    "insert into core.metric (run_id, name, split, value, n) values (5, 'a', 'val', 1, 1)": (
        WRITER,
        OWNER,
    ),
    "update core.metric set value = 1": (OWNER,),
    "delete from core.neighbour": (WRITER, OWNER),
    "delete from core.embedding_1": (WRITER, OWNER),
    "update core.embedding_1 set v = v": (OWNER,),
    "select core.checkpoint()": (WRITER, OWNER),
    "select core.add_encoder('other', 2)": (WRITER, OWNER),
    "select core.index_encoder(1)": (WRITER, OWNER),
    "select core.add_prediction_partition(99)": (WRITER, OWNER),
    "select core.media_by_sha256('{}')": (WRITER, OWNER),
    "select core.refuse_sealed(1, '{1}')": (WRITER, OWNER),
    "call core.protect('core.quality')": (OWNER,),
    "call core.make_versioned('core.metric')": (OWNER,),
    # privacy
    "insert into core.restriction (media_id, reason) values (1, 'face')": (WRITER, PRIVACY, OWNER),
    "delete from core.restriction": (PRIVACY, OWNER),
    "select reason from core.restriction": (WRITER, PRIVACY, OWNER),
    "update core.finding set resolution = 'false'": (WRITER, PRIVACY, OWNER),
    "select smartdb.resolve_finding(2, 'false')": (PRIVACY, OWNER),
    "update core.source set forbidden_finding = '{gps}'": (PRIVACY, OWNER),
    "update core.source set uri = uri": (WRITER, OWNER),
    "insert into core.detector_media (detector_id, media_id, run_id) values (1, 3, 1)": (
        WRITER,
        PRIVACY,
        OWNER,
    ),
    "select core.show_found('{1}')": (PRIVACY, OWNER),
    "select core.kin()": (WRITER, OWNER),
    "select core.add_derivative(1, sha256('x'), 'image/png', 1, null, null, '{}', '{}', null, '{}',"
    " 'file:///x', '{}', 1)": (PRIVACY, OWNER),
    "select * from core.media_subject": (PRIVACY, OWNER),
    "insert into core.media_subject (media_id, subject_key) values (1, 'ana')": (PRIVACY, OWNER),
    "select * from core.erasure": (PRIVACY, OWNER),
    "select core.erasure_scope('{1}')": (PRIVACY, OWNER),
    "select core.begin_erasure('why', 'media 1', '0', '{1}')": (PRIVACY, OWNER),
    "select core.erase_rows(1)": (PRIVACY, OWNER),
    "select core.erased_files(1)": (PRIVACY, OWNER),
    "select core.forget_files(1, '{}', '{}', '{}')": (PRIVACY, OWNER),
    "select core.finish_erasure(1)": (PRIVACY, OWNER),
    "select core.bury(1, '{}')": (OWNER,),
    "insert into core.tombstone (media_id, erasure_id) select 1, 1 where false": (OWNER,),
    "select core.erased_sha256('{}')": (WRITER, OWNER),
    "insert into core.media_terms (media_id) values (1)": (WRITER, OWNER),
    # nobody may pass for somebody else
    "set role smartdb_owner": (OWNER,),
}


@pytest.mark.parametrize("role", ALL)
def test_a_role_may_do_what_is_written_here_and_nothing_else(role: str, example_read: str) -> None:
    with as_role(example_read, role) as conn:
        conn.execute("set local search_path = public")
        allowed = {text for text in ALLOWED if may(conn, text)}
        conn.rollback()
    assert allowed == {text for text, roles in ALLOWED.items() if role in roles}


def may(conn: psycopg.Connection[Any], text: str) -> bool:
    """Whether the statement gets past the grants; what triggers say is another matter."""
    conn.execute("savepoint before")
    try:
        conn.execute(text.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith("SD"):
            raise
    finally:
        conn.execute("rollback to savepoint before")
    return True


def as_role(url: str, role: str) -> psycopg.Connection[Any]:
    conn = psycopg.connect(url)
    conn.execute(sql.SQL("set session authorization {}").format(sql.Identifier(role)))
    return conn


def columns_of(conn: psycopg.Connection[Any], schema: str) -> list[tuple[str, str]]:
    """Tables and views with the columns in which they name media."""
    return conn.execute(
        "select c.oid::regclass::text, a.attname from pg_class as c"
        " join pg_attribute as a on a.attrelid = c.oid"
        " where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p', 'v')"
        " and a.attname in ('media_id', 'neighbour_id', 'parent_media_id') order by 1, 2",
        [schema],
    ).fetchall()


def count(conn: psycopg.Connection[Any], relation: str, column: str) -> int:
    query = sql.SQL("select count(*) from {} where {} = %s").format(
        sql.SQL(relation), sql.Identifier(column)
    )
    row = conn.execute(query, [HIDDEN]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("role", [READER, ANNOTATOR, REVIEWER, WRITER])
def test_no_view_shows_a_restricted_media(role: str, example_read: str) -> None:
    with as_role(example_read, role) as conn:
        views = columns_of(conn, "smartdb")
        assert len(views) > 20
        shown = [(view, column) for view, column in views if count(conn, view, column)]
    assert shown == []


@pytest.mark.parametrize("role", [PRIVACY, OWNER])
def test_views_show_a_restricted_media_to_the_privacy_officer(role: str, example_read: str) -> None:
    with as_role(example_read, role) as conn:
        for view in ("media", "media_location", "embedding_1", "task_queue"):
            assert count(conn, f"smartdb.{view}", "media_id") == 1, view


@pytest.mark.parametrize(
    "call",
    [
        "smartdb.nearest('[0.1,0.1,0.3]', 'tiny', 20)",
        "smartdb.similar(1, 'tiny', 20)",
        "smartdb.sample_random(20, 1)",
        "smartdb.media_where('true')",
        "smartdb.claim_task('bo', 'label', 20)",
    ],
)
@pytest.mark.parametrize(("role", "n"), [(ANNOTATOR, 0), (WRITER, 0), (OWNER, 1)])
def test_no_function_finds_a_restricted_media(
    call: str, role: str, n: int, example_read: str
) -> None:
    with as_role(example_read, role) as conn:
        conn.execute("set local search_path = public")
        assert count(conn, call, "media_id") == n
        conn.rollback()


def test_tables_about_media_hide_a_restricted_one_also_from_a_writer(example_read: str) -> None:
    protected = ("media", "media_location", "label", "task", "prediction", "embedding_1")
    with as_role(example_read, WRITER) as conn:
        assert [t for t in protected if count(conn, f"core.{t}", "media_id")] == []
        found = conn.execute(
            "select media_id from core.media_by_sha256(array[sha256('toy 12')])"
        ).fetchall()
    assert found == [(HIDDEN,)]


def test_hiding_and_showing_a_media_takes_effect_at_once(example_url: str) -> None:
    with as_role(example_url, WRITER) as conn:
        conn.execute("insert into core.restriction (media_id, reason) values (1, 'face')")
        assert conn.execute("select from smartdb.media where media_id = 1").fetchall() == []
    with as_role(example_url, PRIVACY) as conn:
        conn.execute("delete from core.restriction where media_id = 1")
    with as_role(example_url, READER) as conn:
        assert len(conn.execute("select from smartdb.media where media_id = 1").fetchall()) == 1


TERMS = {
    "core.terms_above(bigint)",
    "core.use_refused(text,timestamp with time zone)",
    "core.text_match(tsquery,bigint)",
    "core.count_digest(bigint,integer)",
    "core.original(bigint)",
    "core.label_problem(bigint,text,jsonb,jsonb)",
}
"""What everybody may call, through views, though it acts as the owner: terms, ids and digests,
and what an ontology would allow."""

KEEPS = "core.keep_submission(bigint,bigint,text,jsonb,bigint[],real,text,text)"
"""What whoever answers tasks may call: it keeps an answer, also of a media hidden meanwhile."""


def test_functions_that_act_as_the_owner_are_granted_to_few(example_read: str) -> None:
    with psycopg.connect(example_read) as conn:
        found = conn.execute(
            "select p.oid::regprocedure::text, r.role"
            " from pg_proc as p, unnest(%s::text[]) as r (role) where"
            " p.pronamespace in ('core'::regnamespace, 'smartdb'::regnamespace)"
            " and p.prosecdef and p.prorettype <> 'trigger'::regtype"
            " and has_function_privilege(r.role, p.oid, 'execute')",
            [[READER, ANNOTATOR, REVIEWER, WRITER, PRIVACY]],
        ).fetchall()
    assert {name for name, role in found if role == READER} == TERMS
    assert {role for name, role in found if name == KEEPS} == {ANNOTATOR, REVIEWER, WRITER}
    others = [(name, role) for name, role in found if name not in {*TERMS, KEEPS}]
    assert {role for _, role in others} == {WRITER, PRIVACY}
    assert {name for name, role in others if role == PRIVACY}.isdisjoint(
        {name for name, role in others if role == WRITER}
    )


def test_a_login_that_is_given_nothing_sees_nothing(example_read: str) -> None:
    with psycopg.connect(example_read) as conn:
        conn.execute("create role nobody_yet")
        conn.execute("set local role nobody_yet")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select from smartdb.media")
        conn.rollback()


SEALED = [
    "update core.dataset_version set message = 'other' where version = 1",
    "update core.dataset_version set sealed_at = null, n_items = null, digest = null",
    "delete from core.dataset_version where version = 1",
    "truncate core.dataset_version cascade",
    "update core.dataset_item set split = 'test' where media_id = 1",
    "update core.dataset_item set version_to = 2 where media_id = 1",
    "update core.dataset_item set version_to = null where media_id = 8",
    "delete from core.dataset_item where media_id = 1",
    "insert into core.dataset_item (dataset_id, media_id, split, version_from)"
    " values (1, 11, 'test', 2)",
    "truncate core.dataset_item",
]


@pytest.mark.parametrize("statement", SEALED)
@pytest.mark.parametrize("role", [WRITER, OWNER, "postgres"])
def test_a_sealed_version_is_changed_by_nobody(
    role: str, statement: str, example_read: str
) -> None:
    with as_role(example_read, role) as conn:
        with pytest.raises(psycopg.Error) as caught:
            conn.execute(statement.encode())
        conn.rollback()
    assert caught.value.sqlstate in (("SD003", "42501") if role == WRITER else ("SD003",))
