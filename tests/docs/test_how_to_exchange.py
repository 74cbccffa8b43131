"""The pages on label editors: their commands run, their SQL answers, and counts are all there."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb.exchange_in import COUNTS

DOCS = Path(__file__).parents[2] / "docs"
SHAPES = Path(__file__).with_name("shapes.py")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)


def run(cli: Callable[..., Any], block: str) -> str:
    printed = ""
    for line in block.splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
        printed += done.stdout
    return printed


def test_the_pages_on_label_editors_run(
    tmp_path: Path, cli: Callable[..., Any], conn: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    runpy.run_path(str(SHAPES))["draw"](tmp_path / "shapes")
    assert cli("ingest", str(tmp_path / "shapes"), "--workers", "1").exit_code == 0
    assert cli("labels", "import-folders", "--ontology", "shapes").exit_code == 0
    monkeypatch.chdir(tmp_path)
    page = "how-to-label-studio.md"
    out, back, resolve = blocks(page, "sh")
    assert "label_studio" in run(cli, out)
    tasks = json.loads(Path("tasks.json").read_text())
    (query,) = blocks(page, "sql")
    label_id, classes = conn.execute(b"""select min(label_id), array_agg(distinct class)
    from smartdb.label where media_id = %s""", (tasks[0]["data"]["media_id"],)).fetchone()  # type: ignore[misc]  # fmt: skip
    other = next(row[0] for row in conn.execute("select class from smartdb.ontology_class")
                 if row[0] not in classes)  # fmt: skip
    conn.execute(
        b"select smartdb.edit_label(%s, 'bo', %s)", (label_id, json.dumps({"class": other}))
    )
    conn.commit()
    tasks[0]["annotations"] = [{
        "id": 1, "completed_by": {"email": "ana@lab.org"}, "parent_prediction": 1, "result": []
    }]  # fmt: skip
    Path("export.json").write_text(json.dumps(tasks[:1]))
    printed = run(cli, back)
    assert "removed" in printed
    assert len(conn.execute(query.encode()).fetchall()) == 1
    conn.commit()
    run(cli, resolve)
    xml, task = blocks("how-to-cvat.md", "sh")
    assert "kept" in run(cli, xml)
    run(cli, task)
    assert Path("task.zip").stat().st_size > 1000


def test_the_counts_of_the_page_are_those_there_are() -> None:
    text = (DOCS / "how-to-label-studio.md").read_text()
    assert {name for name in COUNTS if f"`{name}`" not in text} <= {"answers", "tasks"}


def test_the_signing_relay_of_the_page_compiles() -> None:
    (code,) = blocks("how-to-label-studio.md", "python")
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(code, "how-to-label-studio.md", "exec"), names)
    assert callable(names["main"])
