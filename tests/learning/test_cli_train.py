"""The commands of datasets, training and error analysis, from the outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from smartdb.database import connect

Cli = Callable[..., Result]


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def as_json(result: Result) -> Any:
    return json.loads(ok(result))


@pytest.fixture
def trained(cli: Cli) -> int:
    """The run of a head on version 1 of the dataset fruit."""
    ok(cli("dataset", "create", "fruit", "--ontology", "things", "-m", "first"))
    run_id: int = as_json(cli("train", "fruit", "--json"))["run_id"]
    return run_id


def test_dataset_create_says_what_it_made_and_when_nothing_changed(cli: Cli) -> None:
    first = cli("dataset", "create", "fruit", "--ontology", "things", "-m", "first")
    header, row = ok(first).splitlines()
    assert header.split() == ["dataset", "version", "items", "sealed", "state", "query", "message"]
    assert row.split()[:3] == ["fruit", "1", "400"]
    assert row.endswith("first")
    assert "400 added, 0 removed, 0 moved" in first.stderr
    again = cli("dataset", "create", "fruit")
    assert "nothing has changed since this version" in again.stderr
    assert as_json(cli("dataset", "create", "fruit", "--json"))["is_new"] is False


def test_dataset_list_show_and_diff(cli: Cli) -> None:
    ok(cli("dataset", "create", "fruit", "--ontology", "things"))
    ok(cli("dataset", "create", "fruit", "--query", "m.media_id > 2", "-m", "fewer"))
    assert [v["version"] for v in as_json(cli("dataset", "list", "--json"))] == [1, 2]
    assert "fewer" in ok(cli("dataset", "list", "fruit"))
    shown = as_json(cli("dataset", "show", "fruit", "1", "--json"))
    assert sum(row["n"] for row in shown["class_balance"]) == 400
    assert cli("dataset", "show", "fruit").stderr.startswith("fruit version 2: 398 items")
    assert [row["media_id"] for row in as_json(cli("dataset", "diff", "fruit", "1", "2", "--json"))]
    lines = ok(cli("dataset", "diff", "fruit", "1", "2")).splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["1", "removed"], ["2", "removed"]]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["dataset", "show", "nuts"], 1, "dataset 'nuts' has no sealed version"),
        (["dataset", "create", "nuts"], 2, "name the ontology"),
        (["dataset", "create", "x", "--ontology", "things", "--query", "nonsense"], 2, "nonsense"),
        (["dataset", "create", "x", "--ontology", "other"], 1, "no ontology 'other'"),
        (["train", "nuts"], 1, "dataset 'nuts' has no sealed version"),
        (["train", "x", "--frozen"], 2, "--frozen goes with --finetune"),
        (["train", "x", "--encoder", "toy", "--finetune", "open_clip:a/none"], 2, "one of them"),
        (["errors", "99"], 1, "run 99 has no predictions"),
        (["compare", "98", "99"], 1, "run 98 has no predictions"),
        (["slices", "x"], 2, "not a valid integer"),
        (["sample", "uncertain", "--run", "99"], 1, "no run 99"),
        (["predict", "99"], 1, "no model of run 99"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    cli: Cli, arguments: list[str], code: int, message: str
) -> None:
    result = cli(*arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output


def test_train_prints_scores_once_trained_and_again(cli: Cli, tmp_path: Path) -> None:
    ok(cli("dataset", "create", "fruit", "--ontology", "things"))
    plot = tmp_path / "loss.png"
    first = cli("train", "fruit", "1", "--plot", str(plot))
    lines = ok(first).splitlines()
    assert lines[0].split() == ["split", "accuracy", "log_loss", "macro_f1"]
    assert [line.split()[0] for line in lines[1:]] == ["train", "val", "test"]
    assert plot.read_bytes().startswith(b"\x89PNG")
    again = cli("train", "fruit", "1")
    assert ok(again) == ok(first)
    assert "not new" in again.stderr
    assert "not new" not in first.stderr


def test_a_plot_that_cannot_be_written_is_named(cli: Cli, trained: int, tmp_path: Path) -> None:
    result = cli("slices", str(trained), "--plot", str(tmp_path / "no" / "x.png"))
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


def test_runs_lists_training_runs(cli: Cli, trained: int) -> None:
    header, row = ok(cli("runs")).splitlines()
    assert header.split()[:4] == ["run", "status", "model", "dataset"]
    assert row.split()[:6] == [str(trained), "succeeded", "fruit", "fruit", "1", "toy"]
    assert as_json(cli("runs", "nuts", "--json")) == []


def test_confusion_errors_and_slices_of_a_run(cli: Cli, trained: int, tmp_path: Path) -> None:
    plot = tmp_path / "confusion.png"
    text = ok(cli("confusion", str(trained), "--plot", str(plot)))
    assert "true \\ predicted" in text
    assert "precision" in text
    assert plot.read_bytes().startswith(b"\x89PNG")
    found = as_json(cli("confusion", str(trained), "--json"))
    wrong = sum(map(sum, found["counts"])) - sum(row[i] for i, row in enumerate(found["counts"]))
    errors = as_json(cli("errors", str(trained), "--limit", "1000", "--json"))
    assert len(errors) == wrong > 0
    assert ok(cli("errors", str(trained), "--limit", "1")).splitlines()[0].startswith("media_id")
    slices = as_json(cli("slices", str(trained), "--min", "5", "--json"))
    assert all(row["z"] < 0 and row["n"] >= 5 for row in slices)


def test_compare_says_whether_the_difference_is_more_than_chance(cli: Cli, trained: int) -> None:
    other = as_json(cli("train", "fruit", "--epochs", "1", "--json"))["run_id"]
    result = cli("compare", str(trained), str(other))
    assert ok(result).splitlines()[0].split()[:3] == ["n", "accuracy_a", "accuracy_b"]
    assert "chance" in result.stderr or "same media" in result.stderr or "equally" in result.stderr
    same = cli("compare", str(trained), str(trained))
    assert "both are right on the same media" in same.stderr
    assert "changed" in as_json(cli("compare", str(trained), str(other), "--json"))


def test_predict_and_sample_choose_among_the_unlabelled(cli: Cli, trained: int) -> None:
    predicted = as_json(cli("predict", str(trained), "--json"))
    assert (predicted["n"], predicted["is_new"]) == (460, True)
    assert "nothing new" in cli("predict", str(trained)).stderr
    asked = [
        "sample",
        "uncertain+diverse",
        "--run",
        str(trained),
        "--pool",
        "unlabelled",
        "-n",
        "5",
    ]
    batch = as_json(cli(*asked, "--json"))
    assert len(batch["items"]) == 5
    assert all(item["media_id"] > 400 for item in batch["items"])
    again = cli(*asked)
    assert f"batch {batch['batch_id']}" in again.stderr
    assert len(ok(again).splitlines()) == 6


def test_readers_are_enough_to_analyse(cli: Cli, trained: int, database: str) -> None:
    with connect(database, role="smartdb_owner") as own:
        own.execute("revoke select on core.prediction from smartdb_writer")
    for command in ("confusion", "errors", "slices"):
        ok(cli(command, str(trained)))
