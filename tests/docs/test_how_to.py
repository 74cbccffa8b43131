"""What the how-to pages say is so: commands run, SQL answers, tables name what there is."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from smartdb.pipelines.checks import ALL
from smartdb.pipelines.resources import Loop

from smartdb import layouts, samplers

DOCS = Path(__file__).parents[2] / "docs"
SHAPES = Path(__file__).with_name("shapes.py")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language in a page."""
    text = (DOCS / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def first_column(page: str) -> list[str]:
    """The names in backticks that begin the rows of a page's tables."""
    return re.findall(r"^\| `([^`]+)`", (DOCS / page).read_text(), re.M)


@pytest.fixture
def shapes(tmp_path: Path, cli: Callable[..., Any]) -> Path:
    """The tutorial's pictures, ingested and labelled."""
    folder = tmp_path / "shapes"
    runpy.run_path(str(SHAPES))["draw"](folder)
    assert cli("ingest", str(folder), "--workers", "1").exit_code == 0
    assert cli("labels", "import-folders", "--ontology", "shapes").exit_code == 0
    return folder


def test_the_encoders_page_runs(shapes: Path, cli: Callable[..., Any]) -> None:
    pytest.importorskip("torchvision")
    for line in blocks("how-to-encoders.md", "sh")[0].splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    assert "tiny" in cli("encoders").stdout


@pytest.mark.usefixtures("shapes")
def test_the_graph_page_runs(
    cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for line in blocks("how-to-graph.md", "sh")[0].splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    assert (tmp_path / "map.png").stat().st_size > 5000
    conn = as_role("smartdb_reader")
    conn.execute("set search_path = smartdb, public")
    disagree, impure, gap = (conn.execute(s.encode()) for s in blocks("how-to-graph.md", "sql"))
    assert len(disagree.fetchall()) == 10
    assert impure.fetchall()
    assert gap.fetchall() == []
    names = first_column("how-to-graph.md")
    described = [name for row in names for name in row.split("`, `")]
    columns = conn.execute("select * from media_graph limit 0").description or []
    assert set(described) <= {column.name for column in columns}


@pytest.mark.usefixtures("shapes")
def test_the_privacy_page_runs(cli: Callable[..., Any]) -> None:
    for block in blocks("how-to-privacy.md", "sh"):
        for line in block.splitlines():
            done = cli(*shlex.split(line)[1:])
            assert done.exit_code == 0, f"{line}\n{done.output}"
    assert "erased" in done.stdout


def test_the_versions_page_runs(
    shapes: Path, cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    for block in blocks("how-to-versions.md", "sh"):
        for line in block.splitlines():
            done = cli(*shlex.split(line)[1:])
            assert done.exit_code == 0, f"{line}\n{done.output}"
    assert "rows of membership deleted" in done.output
    conn = as_role("smartdb_reader")
    conn.execute("set search_path = smartdb, public")
    for statement in blocks("how-to-versions.md", "sql")[0].split(";")[:1]:
        assert conn.execute(statement.encode()).fetchone()[0] is True


def test_the_reviewing_page_runs_as_a_reviewer(
    shapes: Path, cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    assert cli("embed", "--encoder", "descriptor").exit_code == 0
    assert cli("find-issues").exit_code == 0
    assert cli("review", "queue", "3").exit_code == 0
    conn = as_role("smartdb_reviewer")
    conn.execute("set search_path = smartdb, public")
    claim, correct, accept, reject = blocks("how-to-review.md", "sql")[0].splitlines()
    claimed = [row[:3] for row in conn.execute(claim.encode())]
    assert len(claimed) == 3
    (first, _, _), (second, _, _), (_, _, label) = claimed
    swap = [correct.replace("43", str(first)).replace("cat", "disc")]
    swap += [accept.replace("44", str(second)), reject.replace("127", str(label))]
    given = [conn.execute(statement.encode()).fetchone() for statement in swap]
    assert all(row is not None for row in given)
    verdicts = conn.execute("select verdict from review order by review_id").fetchall()
    assert [v for (v,) in verdicts] == ["corrected", "accepted", "rejected"]


def test_the_autolabel_page_runs(
    shapes: Path, cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    assert cli("embed", "--encoder", "descriptor").exit_code == 0
    conn = as_role("smartdb_writer")
    conn.execute(
        "insert into core.gold (label_id, actor_id) select l.label_id, smartdb.person_id('cy')"
        " from core.label as l where l.label_id % 2 = 0"
    )
    conn.commit()
    for line in blocks("how-to-autolabel.md", "sh")[0].splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    conn.execute("set search_path = smartdb, public")
    for statement in blocks("how-to-autolabel.md", "sql")[0].splitlines():
        conn.execute(statement.encode())


def test_the_ontology_page_runs(
    cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name, text in zip(
        ("pets.yaml", "pets-2.yaml"), blocks("how-to-ontology.md", "yaml"), strict=True
    ):
        (tmp_path / name).write_text(text)
    for block in blocks("how-to-ontology.md", "sh"):
        for line in block.splitlines():
            done = cli(*shlex.split(line)[1:])
            assert done.exit_code == 0, f"{line}\n{done.output}"
    assert json.loads((tmp_path / "pets-1.json").read_text())["ontology"] == "pets"
    conn = as_role("smartdb_reader")
    conn.execute("set search_path = smartdb, public")
    counts = [
        len(conn.execute(statement.encode()).fetchall())
        for statement in blocks("how-to-ontology.md", "sql")[0].rstrip().rstrip(";").split(";")
    ]
    assert counts == [5, 7, 5, 4, 0, 0]


def test_the_settings_of_the_loop_are_its_own() -> None:
    config = yaml.safe_load(blocks("how-to-pipelines.md", "yaml")[0])
    loop = Loop(**config["resources"]["loop"]["config"])
    assert loop.called() == "shop"
    text = (DOCS / "how-to-pipelines.md").read_text()
    assert [name for name in Loop.model_fields if f"{name}" not in text] == []


def test_the_checks_are_those_of_the_table() -> None:
    names = {key.name for check in ALL for key in check.check_keys}
    assert set(first_column("how-to-pipelines.md")) == names


def test_the_python_of_the_pipelines_page_compiles_and_finds_its_imports() -> None:
    code = blocks("how-to-pipelines.md", "python")[0]
    compile(code, "how-to-pipelines.md", "exec")
    exec("\n".join(line for line in code.splitlines() if line.startswith("from ")), {})


def test_the_roles_are_those_of_the_table(conn: psycopg.Connection[Any]) -> None:
    rows = conn.execute("select rolname from pg_roles where rolname like 'smartdb\\_%'")
    assert {name for (name,) in rows} == set(first_column("how-to-postgres.md"))


def test_the_sanitising_page_runs(
    shapes: Path, cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    pytest.importorskip("cv2")
    for line in "".join(blocks("how-to-sanitise.md", "sh")).splitlines():
        done = cli(*shlex.split(line.replace("ingest shapes", f"ingest {shapes}"))[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    conn = as_role("smartdb_privacy")
    conn.execute("set search_path = smartdb, public")
    conn.execute("insert into core.finding (media_id, kind, run_id) values (1, 'face', 1)")
    row = conn.execute("select max(finding_id) from core.finding").fetchone()
    statement = blocks("how-to-sanitise.md", "sql")[0].replace("12", str(row and row[0]))
    assert conn.execute(statement.encode()).fetchone() is not None


def test_the_sourcing_page_runs(tmp_path: Path, cli: Callable[..., Any]) -> None:
    folder = tmp_path / "shapes"
    runpy.run_path(str(SHAPES))["draw"](folder)
    for line in blocks("how-to-sourcing.md", "sh")[0].splitlines():
        done = cli(*shlex.split(line.replace("DIR", str(folder)))[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"


def test_the_thresholds_are_those_of_the_table(conn: psycopg.Connection[Any]) -> None:
    section = (DOCS / "how-to-sourcing.md").read_text().split("## Findings of quality")[1]
    named = re.findall(r"^\| `(\w+)` \|.* ([\d.]+)", section.split("\n## ")[0], re.M)
    rows = conn.execute("select kind, coalesce(below, above) from smartdb.quality_threshold")
    assert {kind: float(bound) for kind, bound in named} == dict(rows.fetchall())


def test_the_import_page_runs(
    shapes: Path, cli: Callable[..., Any], conn: psycopg.Connection[Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first = sorted(shapes.rglob("*.png"))[0].relative_to(shapes)
    images = [{"id": 1, "file_name": str(first)}]
    labels = [{"id": i, "image_id": 1, "category_id": 1, "bbox": [0, 0, i, 9]} for i in (0, 5)]
    whole = {"images": images, "annotations": labels, "categories": [{"id": 1, "name": "disc"}]}
    (tmp_path / "boxes.json").write_text(json.dumps(whole))
    (tmp_path / "pictures").symlink_to(shapes)
    monkeypatch.chdir(tmp_path)
    added = []
    for line in blocks("how-to-import.md", "sh")[0].splitlines():
        done = cli(*shlex.split(line)[1:], "--source", "shapes", "--workers", "1", "--json")
        assert done.exit_code == 0, f"{line}\n{done.output}"
        added.append(json.loads(done.stdout)["labels"]["added"])
    assert added == [1, 1, 0]
    rows = conn.execute(blocks("how-to-import.md", "sql")[0].encode()).fetchall()
    assert [reason for _, reason, *_ in rows] == ["zero_size"]


def test_the_export_page_runs(
    shapes: Path, cli: Callable[..., Any], conn: psycopg.Connection[Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    for line in blocks("how-to-export.md", "sh")[0].splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    assert conn.execute(blocks("how-to-export.md", "sql")[0].encode()).fetchall() == []
    assert {*first_column("how-to-export.md"), "arrow"} == set(layouts.FORMATS)
    (line,) = blocks("how-to-export.md", "console")[0].splitlines()
    digest = subprocess.run(line, shell=True, check=True, capture_output=True, text=True).stdout
    assert digest.split()[0] in (tmp_path / "exports" / "folders" / "manifest.json").read_text()
    compile(blocks("how-to-export.md", "python")[0], "how-to-export.md", "exec")


def test_the_sampling_page_runs(
    shapes: Path,
    cli: Callable[..., Any],
    as_role: Callable[[str], psycopg.Connection[Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    run = "7"
    for line in blocks("how-to-sample.md", "sh")[0].splitlines():
        done = cli(*shlex.split(line.replace("--run 7", f"--run {run}"))[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
        run = next(iter(re.findall(r"^run (\d+), model", done.stderr, re.M)), run)
    conn = as_role("smartdb_reader")
    conn.execute("set search_path = smartdb, public")
    for line in blocks("how-to-sample.md", "sql")[0].splitlines():
        assert conn.execute(line.replace("run => 7", f"run => {run}").encode()).fetchall(), line
    compile(blocks("how-to-sample.md", "python")[0], "how-to-sample.md", "exec")
    assert first_column("how-to-sample.md") == list(samplers.STRATEGIES)


@pytest.mark.usefixtures("shapes")
def test_the_pruning_page_runs(
    cli: Callable[..., Any],
    conn: psycopg.Connection[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    trained = "select run_id from smartdb.training_run order by run_id"
    for line in "".join(blocks("how-to-prune.md", "sh")).splitlines():
        for given, (run,) in zip(("--run 6", "--run 7"), conn.execute(trained)):
            line = line.replace(given, f"--run {run}")
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    conn.execute("set search_path = smartdb, public")
    for statement in "".join(blocks("how-to-prune.md", "sql")).split(";")[:-1]:
        assert conn.execute(statement.encode()).fetchall()


@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize("page", ["how-to-slices.md", "how-to-drift.md"])
def test_the_pages_of_slices_and_drift_run(
    page: str, cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    for line in blocks(page, "sh")[0].splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    conn = as_role("smartdb_reader")
    for block in blocks(page, "sql"):
        for statement in block.split(";\n"):
            assert not statement.strip() or conn.execute(statement.encode()).fetchall(), statement


@pytest.mark.usefixtures("shapes")
def test_the_search_page_runs(
    cli: Callable[..., Any], as_role: Callable[[str], psycopg.Connection[Any]]
) -> None:
    assert cli("embed", "--encoder", "descriptor").exit_code == 0
    for line in blocks("how-to-search.md", "sh")[0].splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    conn = as_role("smartdb_reader")
    for statement in blocks("how-to-search.md", "sql")[0].split(";")[:-1]:
        assert conn.execute(statement.encode()).fetchall(), statement
