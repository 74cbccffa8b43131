"""Labels from folders and tables: run again they add nothing, and people's words stand."""

from __future__ import annotations

import psycopg
import pytest

from smartdb import labels, ontology, reviews
from smartdb.errors import InvalidInput, NotFound, NothingToDo

Conn = psycopg.Connection
FOLDER_COUNTS = {
    "added": 9, "known": 0, "replaced": 0, "judged": 0, "conflicting": 1, "unlabelled": 2,
    "classes": 2,
}  # fmt: skip


def said(conn: Conn, actor: str = labels.FOLDERS) -> list[tuple[int, str]]:
    """What an actor says: (media_id, class)."""
    query = "select media_id, class from smartdb.label where actor = %s order by 1, 2"
    return conn.execute(query, [actor]).fetchall()


def counts_as(conn: Conn, media_id: int) -> str | None:
    query = "select class from smartdb.media_class where media_id = %s"
    row = conn.execute(query, [media_id]).fetchone()
    return row and row[0]


def label_id(conn: Conn, media_id: int, name: str) -> int:
    query = "select label_id from smartdb.label where media_id = %s and class = %s"
    row = conn.execute(query, [media_id, name]).fetchone()
    assert row is not None
    return row[0]


def place(media_id: int) -> str:
    folder = "cat" if media_id <= 4 else "dog"
    return f"train/{folder}/{media_id}.png"


def test_the_innermost_folder_is_the_class(conn: Conn) -> None:
    assert labels.import_folder_labels(conn, "pets", ontology="pets") == FOLDER_COUNTS
    cats, dogs = [(i, "cat") for i in range(1, 5)], [(i, "dog") for i in range(5, 9)]
    assert said(conn) == sorted([*cats, *dogs, (8, "cat")])
    assert [c.name for c in ontology.classes(conn, "pets")] == ["cat", "dog"]
    rows = conn.execute(
        "select distinct origin, kind, run_id is null from smartdb.label"
    ).fetchall()
    assert rows == [("import", "classification", False)]


def test_a_media_in_no_folder_becomes_a_label_task(conn: Conn) -> None:
    labels.import_folder_labels(conn, "pets")
    tasks = conn.execute("select kind, media_id from smartdb.task_queue order by 2").fetchall()
    assert tasks == [("label", 9), ("label", 10)]


def test_the_same_bytes_in_two_classes_are_an_issue_of_both_labels(conn: Conn) -> None:
    labels.import_folder_labels(conn, "pets")
    rows = conn.execute(
        "select media_id, class, suggested_class, kind, score from smartdb.label_issue order by 2"
    ).fetchall()
    assert rows == [(8, "cat", "dog", "conflicting", 0.5), (8, "dog", "cat", "conflicting", 0.5)]


def test_a_second_import_adds_nothing(conn: Conn) -> None:
    newest = (
        "select (select max(l.label_id) from core.label as l), (select max(t.task_id)"
        " from core.task as t), (select max(o.version) from core.ontology_version as o)"
    )
    labels.import_folder_labels(conn, "pets")
    before = conn.execute(newest).fetchone()
    again = labels.import_folder_labels(conn, "pets")
    assert again == FOLDER_COUNTS | {"added": 0, "known": 9, "unlabelled": 0}
    assert len(said(conn)) == 9
    assert conn.execute(newest).fetchone() == before


@pytest.mark.parametrize(("verdict", "name"), [("corrected", "dog"), ("rejected", None)])
def test_what_a_person_decided_is_not_imported_again(
    conn: Conn, verdict: reviews.Verdict, name: str | None
) -> None:
    labels.import_folder_labels(conn, "pets")
    reviews.review(conn, label_id(conn, 3, "cat"), "ana", verdict, name)
    conn.commit()
    again = labels.import_folder_labels(conn, "pets")
    assert (again["added"], again["known"], again["judged"]) == (0, 8, 1)
    assert (3, "cat") not in said(conn)
    assert counts_as(conn, 3) == name


def test_a_persons_label_is_not_touched_and_counts_first(conn: Conn) -> None:
    ontology.create(conn, "default", ["cat", "dog"])
    labels.set_labels(conn, {1: "dog"}, actor="ana", ontology="default")
    labels.import_folder_labels(conn, "pets")
    assert said(conn, "ana") == [(1, "dog")]
    assert counts_as(conn, 1) == "dog"


def test_new_folders_make_the_next_version_of_the_ontology(conn: Conn, owner: Conn) -> None:
    labels.import_folder_labels(conn, "pets")
    owner.execute(
        "insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)"
        " values (9, 1, 'file:///pets/%C3%A9lan/9.png', 1, '2026-01-01')"
    )
    owner.commit()
    again = labels.import_folder_labels(conn, "pets")
    assert (again["added"], again["classes"]) == (1, 3)
    assert counts_as(conn, 9) == "élan"
    assert conn.execute("select max(version) from core.ontology_version").fetchone() == (2,)


def test_a_source_without_folders_has_no_classes_and_all_tasks(conn: Conn, owner: Conn) -> None:
    owner.execute(
        "update core.media_location set uri = 'file:///pets/' || media_id || '.png'"
        " where uri not like '%/val/%'"
    )
    owner.execute("delete from core.media_location where uri like '%/val/%'")
    owner.commit()
    found = labels.import_folder_labels(conn, "pets", ontology="pets")
    assert (found["added"], found["unlabelled"], found["classes"]) == (0, 10, 0)
    assert ontology.names(conn) == []


def test_an_unknown_source_is_named_with_those_there_are(conn: Conn) -> None:
    with pytest.raises(NotFound, match="no source 'cars'; there is: 'pets'"):
        labels.import_folder_labels(conn, "cars")


def test_an_importer_is_not_taken_for_a_person_nor_a_person_for_an_importer(conn: Conn) -> None:
    labels.import_folder_labels(conn, "pets")
    reviews.review(conn, label_id(conn, 3, "cat"), "ana", "accepted")
    conn.commit()
    with pytest.raises(InvalidInput, match="actor 'ana' is of kind person, not import"):
        labels.import_folder_labels(conn, "pets", actor="ana")
    with pytest.raises(InvalidInput, match="folder names is of kind import, not a person"):
        labels.set_labels(conn, {1: "cat"}, actor=labels.FOLDERS, ontology="default")


def test_a_table_labels_by_path_and_by_uri(conn: Conn) -> None:
    rows: list[tuple[str | bytes, str]] = [
        ("train/cat/1.png", "cat"), (b"train/cat/2.png", "dog"), ("file:///pets/9.png", "dog"),
    ]  # fmt: skip
    found = labels.import_table(
        conn, rows, actor="worker 1", ontology="pets", root="/pets", create_classes=True
    )
    assert (found["added"], found["unknown"]) == (3, 0)
    assert said(conn, "worker 1") == [(1, "cat"), (2, "dog"), (9, "dog")]


def test_a_table_read_again_adds_nothing_and_a_changed_row_replaces(conn: Conn) -> None:
    rows = [(place(i), "cat") for i in range(1, 7)]
    options = {"actor": "worker 1", "ontology": "pets", "root": "/pets", "create_classes": True}
    labels.import_table(conn, rows, **options)
    again = labels.import_table(conn, rows, **options)
    assert (again["added"], again["known"], again["replaced"]) == (0, 6, 0)
    changed = labels.import_table(conn, [*rows[:5], (place(6), "dog")], **options)
    assert (changed["added"], changed["known"], changed["replaced"]) == (1, 5, 1)
    assert said(conn, "worker 1")[-1] == (6, "dog")
    history = conn.execute(
        "select count(*), count(distinct object_id), count(rev_to) from smartdb.label_history"
        " where media_id = 6"
    ).fetchone()
    assert history == (2, 1, 1)
    back = labels.import_table(conn, rows, **options)
    assert (back["added"], back["replaced"]) == (1, 1)


def test_unknown_classes_and_media_are_listed_and_nothing_is_written(conn: Conn) -> None:
    ontology.create(conn, "pets", ["cat"])
    conn.commit()
    bad = [("train/cat/1.png", "cat"), ("train/cat/2.png", "bird"), ("train/dog/5.png", "dog")]
    with pytest.raises(NotFound, match="no such class in ontology 'pets': 'bird', 'dog'"):
        labels.import_table(conn, bad, actor="w", ontology="pets", root="/pets")
    lost = [("train/cat/1.png", "cat"), ("train/cat/77.png", "cat")]
    with pytest.raises(NotFound, match=r"not ingested: file:///pets/train/cat/77\.png"):
        labels.import_table(conn, lost, actor="w", ontology="pets", root="/pets")
    assert conn.execute("select count(*) from core.label").fetchone() == (0,)
    found = labels.import_table(
        conn, lost, actor="w", ontology="pets", root="/pets", skip_unknown=True
    )
    assert (found["added"], found["unknown"]) == (1, 1)


def test_the_failed_import_is_a_failed_run(conn: Conn) -> None:
    with pytest.raises(NotFound, match="no ontology 'pets'"):
        labels.import_table(conn, [("train/cat/1.png", "cat")], actor="w", ontology="pets")
    rows = conn.execute("select kind, status, error from core.run order by run_id").fetchall()
    assert rows[-1][:2] == ("import_labels", "failed")
    assert "no ontology 'pets'" in rows[-1][2]


def test_rows_that_disagree_about_a_media_are_conflicting(conn: Conn) -> None:
    rows = [("train/dog/8.png", "dog"), ("val/cat/8.png", "cat")]
    found = labels.import_table(
        conn, rows, actor="w", ontology="pets", root="/pets", create_classes=True
    )
    assert (found["added"], found["conflicting"]) == (2, 1)
    assert conn.execute("select count(*) from smartdb.label_issue").fetchone() == (2,)


def test_a_row_without_path_or_class_is_named(conn: Conn) -> None:
    for row, missing in ((("", "cat"), "path"), (("a.png", ""), "class")):
        with pytest.raises(InvalidInput, match=f"row 2 has no {missing}"):
            labels.import_table(conn, [("b.png", "cat"), row], actor="w", ontology="pets")
    with pytest.raises(NothingToDo, match="the table has no rows"):
        labels.import_table(conn, [], actor="w", ontology="pets")


def test_set_labels_replaces_what_the_actor_said(conn: Conn) -> None:
    ontology.create(conn, "pets", ["cat", "dog"])
    first = labels.set_labels(conn, {1: "cat", 2: "cat"}, actor="ana", ontology="pets")
    assert first["added"] == 2
    second = labels.set_labels(conn, {1: "dog", 2: "cat"}, actor="ana", ontology="pets")
    assert (second["added"], second["known"], second["replaced"]) == (1, 1, 1)
    assert said(conn, "ana") == [(1, "dog"), (2, "cat")]


def test_a_models_label_does_not_count_as_a_class(conn: Conn) -> None:
    ontology.create(conn, "pets", ["cat", "dog"])
    labels.set_labels(conn, {1: "cat"}, actor="net", ontology="pets", origin="model")
    assert said(conn, "net") == [(1, "cat")]
    assert counts_as(conn, 1) is None


def test_setting_labels_of_what_is_not_there_is_refused(conn: Conn) -> None:
    ontology.create(conn, "pets", ["cat"])
    with pytest.raises(NotFound, match="no media with these ids: 77, 78"):
        labels.set_labels(conn, {78: "cat", 77: "cat"}, actor="ana", ontology="pets")
    conn.rollback()
    with pytest.raises(NothingToDo):
        labels.set_labels(conn, {}, actor="ana", ontology="pets")
