"""Tasks to Label Studio and back: what is edited there is edited here, and nothing is doubled."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import exchange_conflicts, exchange_in, exchange_out
from smartdb.errors import InvalidInput, NothingToDo

Connection = psycopg.Connection[Any]

CLASSES = """
insert into core.ontology (name) values ('animals');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'first');
insert into core.class (ontology_id, name, version_from) values
(1, 'cat', 1), (1, 'dog', 1), (1, 'かもめ "γ" <&>', 1);
"""
BOX = {"class": "cat", "kind": "box", "x": 3.25, "y": 4.5, "w": 10.1, "h": 8}
TURNED = {
    "class": "dog", "kind": "rotated_box",
    "shape": {"corners": [[10, 4], [16, 4], [16, 9], [10, 9]]},
}  # fmt: skip
MASK = {"class": "dog", "kind": "mask", "shape": {"size": [24, 32], "counts": "0"}}
POLYGON = {
    "class": 'かもめ "γ" <&>', "kind": "polygon", "attributes": {"seen": "ja"},
    "shape": {"polygons": [[[[1, 1], [9, 1], [9, 9]]]]},
}  # fmt: skip
HOLE = {
    "class": "dog", "kind": "polygon",
    "shape": {"polygons": [[[[1, 1], [9, 1], [9, 9]], [[4, 2], [6, 2], [6, 4]]]]},
}  # fmt: skip
POINT = {"class": "cat", "kind": "keypoints", "shape": {"points": [[5.5, 6.25, 2]]}}
LINE = {"class": "cat", "kind": "polyline", "shape": {"points": [[1, 2], [8, 9], [20, 3]]}}


@pytest.fixture
def animals(owner: Connection, conn: Connection) -> Connection:
    """Media 1 with a label of every kind that ana said, and media 2 with a class."""
    owner.execute(CLASSES)
    owner.commit()
    mask = {**MASK, "shape": _square()}
    add(conn, 1, [BOX, TURNED, mask, POLYGON, HOLE, POINT, LINE, {"class": "cat"}])
    add(conn, 2, [{"class": "dog"}])
    conn.commit()
    return conn


def _square() -> dict[str, Any]:
    import numpy as np

    from smartdb.formats import masks

    pixels = np.zeros((24, 32), bool)
    pixels[5:11, 7:20] = True
    return masks.of_pixels(pixels)[1]


def add(conn: Connection, media_id: int, labels: list[Any], actor: str = "ana") -> list[int]:
    query = b"select * from smartdb.add_labels(%s, %s, %s)"
    return [i for (i,) in conn.execute(query, (media_id, actor, json.dumps(labels))).fetchall()]


def said(conn: Connection, media_id: int) -> list[tuple[Any, ...]]:
    query = b"""select object_id, class, kind, round(x::numeric, 2)::float8, actor, origin
    from smartdb.label where media_id = %s order by object_id"""
    return conn.execute(query, (media_id,)).fetchall()


def sent(conn: Connection, folder: Path, **options: Any) -> list[dict[str, Any]]:
    """Tasks as Label Studio would export them, once ana had submitted what was suggested."""
    path = folder / f"tasks{len(list(folder.iterdir()))}.json"
    exchange_out.send(conn, path, source="pets", **options)
    tasks: list[dict[str, Any]] = json.loads(path.read_text())
    for number, task in enumerate(tasks, 1):
        found = task.pop("predictions", [{"result": []}])
        task |= {"id": number, "annotations": [{
            "id": 100 + number, "result": found[0]["result"], "was_cancelled": False,
            "completed_by": {"id": 7, "email": "bo@lab.org"}, "parent_prediction": 5,
            "updated_at": "2026-01-02T10:00:00.5Z",
        }]}  # fmt: skip
    return tasks


def back(conn: Connection, folder: Path, tasks: Any, **options: Any) -> dict[str, int]:
    path = folder / f"export{len(list(folder.iterdir()))}.json"
    path.write_text(tasks if isinstance(tasks, str) else json.dumps(tasks))
    counts = exchange_in.receive(conn, path, **options).counts
    return {name: n for name, n in counts.items() if n}


def region(task: dict[str, Any], kind: str) -> dict[str, Any]:
    results = task["annotations"][0]["result"]
    return next(each for each in results if each["type"] == kind)


def test_what_comes_back_as_it_went_out_changes_nothing(
    animals: Connection, tmp_path: Path
) -> None:
    before = said(animals, 1)
    tasks = sent(animals, tmp_path)
    assert len(tasks) == 10
    assert len(tasks[0]["annotations"][0]["result"]) == 7  # a polygon with a hole is not sayable
    counts = back(animals, tmp_path, tasks)
    assert (counts.pop("answers"), counts.pop("kept")) == (10, 8)
    assert not counts
    assert said(animals, 1) == before


def test_what_is_edited_removed_or_drawn_there_is_so_here_and_only_once(
    animals: Connection, tmp_path: Path
) -> None:
    before = {row[1:3]: row[0] for row in said(animals, 1)}
    tasks = sent(animals, tmp_path)
    region(tasks[0], "rectanglelabels")["value"]["x"] += 50
    region(tasks[0], "brushlabels")["value"]["brushlabels"] = ["cat"]
    results = tasks[0]["annotations"][0]["result"]
    results.remove(region(tasks[0], "keypointlabels"))
    results.append({
        "id": "fresh", "type": "rectanglelabels", "from_name": "rectangle", "to_name": "image",
        "original_width": 32, "original_height": 24,
        "value": {"x": 0, "y": 0, "width": 50, "height": 50, "rectanglelabels": ["dog"]},
    })  # fmt: skip
    region(tasks[1], "choices")["value"]["choices"] = ["cat"]
    counts = back(animals, tmp_path, tasks)
    assert counts == {"answers": 10, "added": 1, "edited": 3, "removed": 1, "kept": 4}
    after = {row[1:3]: row for row in said(animals, 1)}
    assert after["cat", "box"][0] == before["cat", "box"]
    assert after["cat", "box"][3:] == (19.25, "bo@lab.org", "human")
    assert after["cat", "mask"][0] == before["dog", "mask"]
    assert ("cat", "keypoints") not in after
    assert after["dog", "box"][4] == "bo@lab.org"
    assert after["dog", "polygon"][4] == "ana"
    assert [row[1] for row in said(animals, 2)] == ["cat"]
    assert back(animals, tmp_path, tasks) == {"answers": 10, "known": 10}
    tasks[0]["annotations"][0]["updated_at"] = "2026-01-03T10:00:00Z"
    results[-1]["value"]["x"] = 25
    assert back(animals, tmp_path, tasks)["edited"] == 1
    assert len(said(animals, 1)) == len(after) + 0


def moved(tasks: list[dict[str, Any]], x: float = 50, when: str = "2026-01-02T10:00:00Z") -> Any:
    region(tasks[0], "rectanglelabels")["value"]["x"] = x
    tasks[0]["annotations"][0]["updated_at"] = when
    return tasks[:1]


def edit(conn: Connection, media_id: int, kind: str, changes: Any, actor: str = "ana") -> int:
    query = b"select label_id from smartdb.label where media_id = %s and kind = %s"
    label_id = conn.execute(query, (media_id, kind)).fetchone()[0]  # type: ignore[index]
    query = b"select smartdb.edit_label(%s, %s, %s)"
    values = (label_id, actor, json.dumps(changes))
    made: int = conn.execute(query, values).fetchone()[0]  # type: ignore[index]
    conn.commit()
    return made


def test_what_both_sides_changed_waits_for_a_person_and_is_not_overwritten(
    animals: Connection, tmp_path: Path
) -> None:
    tasks = sent(animals, tmp_path)
    edit(animals, 1, "box", {"w": 12})
    counts = back(animals, tmp_path, moved(tasks))
    assert (counts["conflicts"], counts.get("edited")) == (1, None)
    (conflict,) = exchange_conflicts.conflicts(animals)
    assert (conflict.base["w"], conflict.ours and conflict.ours["w"]) == (10.1, 12)
    assert (conflict.theirs or {})["x"] == 16
    assert (conflict.ours_actor, conflict.theirs_actor) == ("ana", "bo@lab.org")
    assert "conflicts" not in back(animals, tmp_path, moved(tasks))
    assert back(animals, tmp_path, moved(tasks, 25, "2026-01-04T00:00:00Z"))["conflicts"] == 1
    (conflict,) = exchange_conflicts.conflicts(animals)  # the same one, as it is there now
    assert (conflict.theirs or {})["x"] == 8
    label_id = exchange_conflicts.resolve(animals, conflict.conflict_id, "theirs", "carl", "moved")
    animals.commit()
    assert [row[3:] for row in said(animals, 1) if row[2] == "box"] == [(8, "bo@lab.org", "human")]
    (conflict,) = exchange_conflicts.conflicts(animals, state=None)
    assert (conflict.state, conflict.ours and conflict.ours["label_id"]) == ("theirs", label_id)
    assert back(animals, tmp_path, moved(tasks, 25, "2026-01-05T00:00:00Z"))["known"] == 1


def test_ours_stays_until_the_editor_says_another_thing(
    animals: Connection, tmp_path: Path
) -> None:
    tasks = sent(animals, tmp_path)
    label_id = edit(animals, 1, "box", {"w": 12})
    back(animals, tmp_path, moved(tasks))
    (conflict,) = exchange_conflicts.conflicts(animals)
    assert exchange_conflicts.resolve(animals, conflict.conflict_id, "ours", "carl") == label_id
    animals.commit()
    tasks[0]["annotations"][0]["result"].append(
        {"id": "c", "type": "choices", "from_name": "choices", "value": {"choices": ["dog"]}}
    )
    counts = back(animals, tmp_path, moved(tasks, when="2026-01-06T00:00:00Z"))
    assert (counts["added"], counts.get("conflicts")) == (1, None)  # the box was decided
    assert back(animals, tmp_path, moved(tasks, 10, "2026-01-07T00:00:00Z"))["conflicts"] == 1


def test_a_rule_decides_and_leaves_what_it_cannot_tell(animals: Connection, tmp_path: Path) -> None:
    tasks = sent(animals, tmp_path)
    edit(animals, 1, "box", {"w": 12})
    counts = back(animals, tmp_path, moved(tasks, when="2999-01-01T00:00:00Z"), rule="newest")
    assert (counts["conflicts"], counts.get("resolved")) == (1, None)  # its clock is wrong
    tasks = sent(animals, tmp_path)
    edit(animals, 1, "box", {"w": 13})
    counts = back(animals, tmp_path, moved(tasks), rule="newest")
    assert (counts["conflicts"], counts["resolved"]) == (1, 1)
    assert [c.state for c in exchange_conflicts.conflicts(animals, state=None)] == ["open", "ours"]
    query = b"select resolved_by, reason from smartdb.exchange_conflict where state = 'ours'"
    assert animals.execute(query).fetchone() == (None, "rule: newest")


def test_what_was_removed_on_one_side_and_changed_on_the_other_is_a_conflict(
    animals: Connection, tmp_path: Path
) -> None:
    tasks = sent(animals, tmp_path)
    results = tasks[0]["annotations"][0]["result"]
    results.remove(region(tasks[0], "keypointlabels"))
    edit(animals, 1, "keypoints", {"shape": {"points": [[1, 1, 2]]}})
    query = b"select label_id from smartdb.label where media_id = 1 and kind = 'box'"
    label_id = animals.execute(query).fetchone()[0]  # type: ignore[index]
    animals.execute(b"select smartdb.remove_label(%s, 'ana')", (label_id,))
    animals.commit()
    assert back(animals, tmp_path, moved(tasks))["conflicts"] == 2
    found = {c.base["kind"]: c for c in exchange_conflicts.conflicts(animals)}
    assert found["box"].ours is None
    assert found["keypoints"].theirs is None
    for each in found.values():
        exchange_conflicts.resolve(animals, each.conflict_id, "theirs", "carl")
    kinds = [row[2] for row in said(animals, 1)]
    assert (kinds.count("box"), kinds.count("keypoints")) == (1, 0)


def test_a_model_s_word_becomes_that_of_who_left_it_and_prefill_a_label(
    animals: Connection, owner: Connection, tmp_path: Path
) -> None:
    owner.execute(b"""insert into core.actor (name, kind) values ('net', 'model');
    insert into core.label (media_id, class_id, origin, actor_id, confidence, kind, x, y, w, h)
    select 3, 2, 'model', actor_id, 0.8, 'box', 1, 2, 3, 4 from core.actor where name = 'net';
    insert into core.task (kind, media_id, prefill) values
    ('label', 3, '[{"class": "cat", "kind": "box", "x": 9, "y": 9, "w": 5, "h": 5,
      "confidence": 0.4},
    {"class": "dog", "kind": "box", "x": 1, "y": 2, "w": 3, "h": 4}]')""")
    owner.commit()
    path = tmp_path / "tasks.json"
    report = exchange_out.send(animals, path, kind="label")
    assert (report.n_media, report.n_labels, report.n_prefilled) == (1, 1, 1)
    (task,) = json.loads(path.read_text())
    assert task["predictions"][0]["score"] == 0.4
    task["annotations"] = [{"id": 1, "result": task["predictions"][0]["result"], "completed_by": 3}]
    counts = back(animals, tmp_path, [task], people={"3": "bo"})
    assert (counts["confirmed"], counts["added"], counts["tasks"]) == (1, 1, 1)
    assert [row[4:] for row in said(animals, 3)] == [("bo", "human")] * 2
    query = b"select count(*) from smartdb.label where media_id = 3 and confidence is not null"
    assert animals.execute(query).fetchone() == (0,)
    assert back(animals, tmp_path, [task], people={"3": "bo"}) == {"answers": 1, "known": 1}


def test_where_several_answer_on_their_own_each_has_labels_of_their_own(
    animals: Connection, owner: Connection, tmp_path: Path
) -> None:
    owner.execute(b"""insert into core.project (name, ontology_id, overlap, kinds)
    values ('two', 1, 2, '{box}');
    insert into core.task (kind, media_id, project_id, slot, prefill)
    select 'label', 1, 1, i, '[{"class": "dog", "kind": "box", "x": 1, "y": 1, "w": 4, "h": 4}]'
    from generate_series(1, 2) as i""")
    owner.commit()
    before = len(said(animals, 1))
    path = tmp_path / "tasks.json"
    exchange_out.send(animals, path, project="two")
    (task,) = json.loads(path.read_text())
    (suggested,) = task["predictions"][0]["result"]  # and nothing of what ana says
    task["annotations"] = [
        {"id": n, "result": [suggested], "created_username": f" {who}, {n}"}
        for n, who in enumerate(("bo", "carl"), 1)
    ]
    counts = back(animals, tmp_path, [task])
    assert (counts["added"], counts["tasks"]) == (2, 2)
    assert {row[4] for row in said(animals, 1)[before:]} == {"bo", "carl"}
    task["annotations"] = [{**task["annotations"][1], "result": []}]
    assert back(animals, tmp_path, [task])["removed"] == 1  # carl's, not bo's
    assert {row[4] for row in said(animals, 1)[before:]} == {"bo"}


def test_gold_does_not_go_out(animals: Connection, tmp_path: Path) -> None:
    animals.execute(b"""insert into core.gold (label_id, actor_id)
    select label_id, actor_id from core.label where media_id = 2""")
    animals.commit()
    tasks = sent(animals, tmp_path)
    assert tasks[1]["annotations"][0]["result"] == []


def test_an_annotation_that_did_not_begin_from_what_went_out_removes_nothing(
    animals: Connection, tmp_path: Path
) -> None:
    before = said(animals, 1)
    tasks = sent(animals, tmp_path)
    tasks[0]["annotations"][0] |= {"result": [], "parent_prediction": None}
    tasks[1]["annotations"][0] |= {"result": [], "was_cancelled": True}
    counts = back(animals, tmp_path, tasks[:2])
    assert (counts.get("removed"), counts["skipped"]) == (None, 1)
    assert said(animals, 1) == before


def test_a_malformed_annotation_is_refused_whole_and_kept(
    animals: Connection, tmp_path: Path
) -> None:
    before = said(animals, 1)
    tasks = sent(animals, tmp_path)
    first, second, third, fourth, fifth, sixth = tasks[:6]
    moved(tasks)
    region(first, "polygonlabels")["value"]["points"] = [[1, 1], [2, "x"]]
    region(second, "choices")["value"]["choices"] = ["fox"]
    third["data"]["media_id"] = 999
    fourth["data"] = []
    fifth["annotations"] = [{"id": 5, "result": {"a": 1}, "completed_by": 2}]
    tasks[6]["annotations"][0] |= {
        "result": [
            {"id": "c", "type": "choices", "from_name": "choices", "value": {"choices": ["a\0b"]}}
        ]
    }
    sixth["annotations"][0] |= {"result": ["no object"], "completed_by": {"email": "bo"}}
    counts = back(animals, tmp_path, [*tasks[:7], 17, {"id": 7, "data": {}, "annotations": [{}]}])
    assert counts["refused"] == 9
    assert said(animals, 1) == before
    kept = exchange_conflicts.refusals(animals)
    assert {each.reason for each in kept} == {
        "bad_shape", "unknown_class", "unknown_media", "bad_row", "refused"
    }  # fmt: skip
    whole = next(each for each in kept if each.reason == "bad_shape")
    assert len(whole.content["result"]) == 7
    assert next(each for each in kept if each.reason == "unknown_media").content is None
    back(animals, tmp_path, [*tasks[:7], 17])
    assert len(exchange_conflicts.refusals(animals)) == 17  # places name the file


def test_a_file_that_is_no_export_is_one_clear_error(animals: Connection, tmp_path: Path) -> None:
    for text in ("", "[", "{]", "<View/>", "\x00", "[" * 100_000):
        with pytest.raises(InvalidInput, match=r"export\d+\.json is no export"):
            back(animals, tmp_path, text)
    with pytest.raises(InvalidInput, match="there already"):
        exchange_out.send(animals, tmp_path / "export0.json")
    with pytest.raises(NothingToDo, match="no task waits"):
        exchange_out.send(animals, tmp_path / "none.json", kind="review")


def test_hidden_media_stay_hidden(
    animals: Connection, as_role: Callable[[str], Connection], owner: Connection, tmp_path: Path
) -> None:
    tasks = sent(animals, tmp_path)
    edit(animals, 1, "box", {"w": 12})
    back(animals, tmp_path, moved(tasks))
    region(tasks[1], "choices")["value"]["choices"] = ["fox"]
    back(animals, tmp_path, tasks[1:2])
    reader = as_role("smartdb_reader")
    for view in ("exchange_conflict", "exchange_refusal"):
        assert reader.execute(f"select 1 from smartdb.{view}".encode()).fetchall() == [(1,)]
    reader.commit()
    owner.execute(b"insert into core.restriction (media_id, reason) values (1, 'x'), (2, 'x')")
    owner.commit()
    for view in ("exchange_conflict", "exchange_refusal"):
        assert reader.execute(f"select 1 from smartdb.{view}".encode()).fetchall() == []
    assert len(sent(animals, tmp_path)) == 8
    assert back(animals, tmp_path, moved(tasks, 10))["refused"] == 1


@pytest.mark.shared
def test_authentic_annotations_of_label_studio_come_in(
    animals: Connection, owner: Connection, shared_data: Path, tmp_path: Path
) -> None:
    sent(animals, tmp_path)
    for name in ("data.json", "data_obb.json", "data_polygons.json"):
        file = shared_data / "formats" / "label_studio" / "test_export_yolo" / name
        tasks = json.loads(file.read_text())[:8]
        names = set()
        for number, task in enumerate(tasks, 3):
            task["data"] |= {"exchange_id": 1, "media_id": number}
            for result in (r for a in task["annotations"] for r in a["result"]):
                names |= set(result["value"].get(result["type"], ()))
        query = b"""insert into core.class (ontology_id, name, version_from)
        select 1, n, 1 from unnest(%s::text[]) as n on conflict do nothing"""
        owner.execute(query, (sorted(names),))
        owner.commit()
        n = sum(len(a["result"]) for task in tasks for a in task["annotations"])
        counts = back(animals, tmp_path, tasks)
        assert (counts["added"], counts.get("refused")) == (n, None), name
        assert set(back(animals, tmp_path, tasks)) == {"answers", "known"}
