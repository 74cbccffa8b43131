"""The commands classes, labels, tasks, find-issues, issues and review."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

Cli = Callable[..., Any]
Conn = psycopg.Connection


def ok(result: Any) -> Any:
    """What a command that succeeded printed, read as JSON if it is."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if result.stdout[:1] in ("[", "{") else result.stdout


@pytest.fixture
def imported(cli: Cli) -> Cli:
    ok(cli("labels", "import-folders", "--source", "pets", "--ontology", "pets"))
    return cli


def test_folders_are_imported_with_counts_and_what_to_look_at(cli: Cli) -> None:
    result = cli("labels", "import-folders", "--source", "pets")
    assert result.exit_code == 0
    assert "added        9" in result.stdout
    assert result.stderr.splitlines() == [
        "1 in folders of several names; see: smartdb issues",
        "2 in no folder are to be labelled; see: smartdb tasks",
    ]
    assert ok(cli("labels", "import-folders", "--source", "pets", "--json"))["known"] == 9


def test_one_source_needs_no_name_and_several_do(cli: Cli, owner: Conn) -> None:
    assert cli("labels", "import-folders").exit_code == 0
    owner.execute("insert into core.source (name, uri) values ('empty', 'file:///empty')")
    owner.commit()
    result = cli("labels", "import-folders")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: there are several sources; name one with --source: ['empty', 'pets']\n"
    )


def test_classes_are_listed_by_ontology(imported: Cli) -> None:
    assert [(c["ontology"], c["name"]) for c in ok(imported("classes", "--json"))] == [
        ("pets", "cat"),
        ("pets", "dog"),
    ]
    assert imported("classes", "--ontology", "pets").stdout.split()[:3] == [
        "ontology", "class", "path",
    ]  # fmt: skip
    result = imported("classes", "--ontology", "cars")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: no ontology 'cars'; there is: 'pets'\n",
    )


def test_a_table_is_imported_relative_to_a_root(imported: Cli, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,given\ntrain/cat/1.png,dog\nmissing.png,cat\n")
    options = [
        "--path-column",
        "file",
        "--class-column",
        "given",
        "--actor",
        "w",
        "--ontology",
        "pets",
    ]
    result = imported("labels", "import", str(table), *options, "--root", "/pets")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: not ingested: file:///pets/missing.png;")
    counts = ok(
        imported(
            "labels", "import", str(table), *options, "--root", "/pets", "--skip-unknown", "--json"
        )
    )
    assert (counts["added"], counts["unknown"]) == (1, 1)
    result = imported("labels", "import", str(tmp_path / "none.csv"), *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: cannot read ")


def test_tasks_are_listed_and_can_be_opened(imported: Cli) -> None:
    found = ok(imported("tasks", "--json"))
    assert [(t["kind"], t["media_id"]) for t in found] == [("label", 9), ("label", 10)]
    result = imported("tasks", "--kind", "review", "--open")
    assert result.stderr.splitlines() == ["0 label tasks opened", "2 label open"]
    ok(imported("review", "queue"))
    assert "2 review open" in imported("tasks").stderr


def test_issues_are_listed_and_judged(imported: Cli, conn: Conn) -> None:
    first, second = ok(imported("issues", "--json"))
    assert (first["kind"], first["label"], first["suggested"]) == ("conflicting", "cat", "dog")
    assert imported("issues", "--kind", "swapped").stdout.splitlines()[1:] == []
    result = imported("review", "queue", "1")
    assert result.stderr == "1 review tasks opened, 1 wait\n"
    listed = ok(imported("review", "list", "--json"))
    assert [s["task_state"] for s in listed] == ["open", None]
    result = imported("review", "reject", str(first["label_id"]), "--as", "ana", "--reason", "dog")
    assert (result.exit_code, result.stderr) == (0, "1 rejected by ana\n")
    imported("review", "accept", str(second["label_id"]), "--as", "ana")
    assert ok(imported("review", "list", "--json")) == []
    states = {
        i["label_id"]: i["state"] for i in ok(imported("issues", "--state", "confirmed", "--json"))
    }
    assert states == {first["label_id"]: "confirmed"}
    rows = conn.execute("select verdict, reason from smartdb.review order by review_id").fetchall()
    assert rows == [("rejected", "dog"), ("accepted", None)]


def test_of_several_verdicts_all_are_given_or_none(imported: Cli, conn: Conn) -> None:
    result = imported("review", "correct", "1", "777", "--class", "dog", "--as", "ana")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: no label 777;")
    assert conn.execute("select count(*) from core.review").fetchone() == (0,)
    result = imported("review", "correct", "1", "--class", "bird", "--as", "ana")
    assert (result.exit_code, "no class bird in ontology pets" in result.stderr) == (1, True)
    assert imported("review", "correct", "1", "2", "--class", "dog", "--as", "ana").exit_code == 0
    rows = conn.execute("select corrected_class from smartdb.review").fetchall()
    assert rows == [("dog",), ("dog",)]


def test_finding_issues_without_vectors_says_to_embed(imported: Cli, owner: Conn) -> None:
    result = imported("find-issues")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: there are no encoders yet; run: smartdb embed\n",
    )
    owner.execute("select core.add_encoder('toy', 2)")
    owner.commit()
    result = imported("find-issues", "--encoder", "toy")
    assert result.exit_code == 2
    assert "no labelled media has a vector of toy; run: smartdb embed" in result.stderr


def test_finding_issues_prints_counts_and_the_classes_left_out(imported: Cli, owner: Conn) -> None:
    owner.execute("select core.add_encoder('toy', 2)")
    owner.execute(
        "insert into core.embedding_1 select i, v::halfvec from generate_series(1, 8) as i,"
        " lateral (select case when i < 5 then '[1,0]' else '[0,1]' end) as x (v)"
    )
    owner.execute(
        "insert into core.ontology_version (ontology_id, version, message) values (1, 2, '')"
    )
    owner.execute("insert into core.class (ontology_id, name, version_from) values (1, 'fox', 2)")
    owner.execute("update core.label set rev_to = 0 where media_id = 8")
    owner.execute(
        "insert into core.label (media_id, class_id, origin, actor_id) values (8, 3, 'import', 1)"
    )
    owner.commit()
    result = imported("find-issues", "--folds", "3")
    assert result.exit_code == 0, result.output
    assert "examined     7" in result.stdout
    assert "left out, in fewer than 3 groups: fox" in result.stderr


def test_an_overlooked_label_is_listed_and_resolved(imported: Cli, owner: Conn) -> None:
    owner.execute(
        "insert into core.label_issue"
        " (media_id, kind, score, suggested_class_id, suggestion, run_id) select 9, 'overlooked',"
        """ 0.9, class_id, '{"kind": "box", "x": 4, "y": 2.5, "w": 9, "h": 8}', 1"""
        " from smartdb.ontology_class where class = 'cat'"
    )
    owner.commit()
    line = imported("review", "list").stdout.splitlines()[1]
    assert "overlooked" in line
    assert "cat box (4, 2.5, 9, 8)" in line
    listed = ok(imported("review", "list", "--json"))[0]
    assert (listed["label_id"], listed["suggestion"]["w"]) == (None, 9)
    assert ok(imported("issues", "--json"))[0]["label_id"] is None
    issue = str(listed["issue_id"])
    done = imported("review", "resolve", issue, "confirmed", "--as", "ana")
    assert done.exit_code == 0, done.output
    assert f"issue {issue} confirmed by ana; label" in done.stderr
    assert imported("review", "resolve", issue, "dismissed", "--as", "bo").exit_code != 0


@pytest.mark.parametrize(
    "command",
    ["classes", "labels", "labels import", "labels import-folders", "tasks", "find-issues",
     "issues", "review", "review queue", "review list", "review accept", "review correct",
     "review reject"],
)  # fmt: skip
def test_every_command_has_help(cli: Cli, command: str) -> None:
    result = cli(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage: main" in result.stdout
