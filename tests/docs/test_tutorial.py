"""Every command of the tutorial and of README's 'Step by step' runs, in order, on drawn shapes.

What stands in capitals is put in by the test as a reader would: DIR, RUN, LABEL, CLASS, MEDIA.
"""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
SHAPES = Path(__file__).with_name("shapes.py")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md")])
IDS = {
    "MEDIA": "select min(media_id) from smartdb.media",
    "LABEL": "select label_id from smartdb.review_queue order by score desc limit 1",
    "CLASS": "select suggested_class from smartdb.review_queue order by score desc limit 1",
    "RUN": "select max(run_id) from smartdb.training_run",
    "RUN_A": "select min(run_id) from smartdb.training_run",
    "RUN_B": "select max(run_id) from smartdb.training_run",
}
"""Placeholder → the statement that finds what a reader would put there."""

Cli = Callable[..., Any]
pytestmark = pytest.mark.timeout(400)


def tutorial_commands() -> list[str]:
    """The lines after a ``$`` in the console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", TUTORIAL, re.M | re.S)
    return re.findall(r"^\$ (.*)", "\n".join(blocks), re.M)


def readme_commands() -> list[str]:
    """The commands of 'Step by step', without what stands behind #."""
    section = README.split("## Step by step")[1].split("\n## ")[0]
    block = re.findall(r"^```\w*\n(.*?)^```", section, re.M | re.S)[0]
    lines = [line.split("#")[0] for line in block.splitlines()]
    return [c.strip() for line in lines for c in re.split(r";|&&", line) if c.strip()]


@pytest.fixture
def shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tutorial's pictures; commands run in the folder above them."""
    runpy.run_path(str(SHAPES))["draw"](tmp_path / "shapes")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "shapes"


@pytest.fixture
def api(database: str) -> Iterator[str]:
    """Host and port of a ``smartdb serve`` of its own."""
    command = [sys.executable, "-m", "smartdb", "serve", "--port", "0", "--workers", "1"]
    with subprocess.Popen(
        command, env=_environment(database), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip().removeprefix("http://")
        process.terminate()


def fill_in(command: str, database: str, folder: Path) -> str:
    """The command with the placeholders replaced by what is there now."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "DIR":
            return str(folder)
        with psycopg.connect(database) as conn:
            row = conn.execute(IDS[found[0]].encode()).fetchone()
        assert row is not None
        assert row[0] is not None, f"nothing to put in for {found[0]} in: {command}"
        return str(row[0])

    return re.sub(r"\b(DIR|RUN_A|RUN_B|RUN|LABEL|CLASS|MEDIA)\b", value, command)


def run(command: str, database: str, cli: Cli) -> None:
    """Runs a command; smartdb's in this process, where torch need be imported only once."""
    words = shlex.split(command)
    if words[0] == "smartdb" and words[1] not in ("psql", "dagster"):
        done = cli(*words[1:])
        assert done.exit_code == 0, f"{command}\n{done.output}"
        return
    if words[0] == "smartdb":
        words = [sys.executable, "-m", *words]
    ended = subprocess.run(words, env=_environment(database), capture_output=True, text=True)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    assert ended.stdout or "-o" in words or "dagster" in words, f"{command} printed nothing"


def _environment(database: str) -> dict[str, str]:
    return dict(os.environ) | {"SMARTDB_DATABASE_URL": database}


def test_the_tutorial_runs_from_top_to_bottom(
    shapes: Path, database: str, cli: Cli, api: str
) -> None:
    commands = tutorial_commands()
    assert len(commands) > 25
    for command in commands:
        filled = fill_in(command, database, shapes).replace("localhost:8000", api)
        run(filled, database, cli)


def test_the_steps_of_the_readme_run_in_order(shapes: Path, database: str, cli: Cli) -> None:
    commands = readme_commands()
    assert len(commands) > 12
    for command in commands:
        run(fill_in(command, database, shapes), database, cli)


def test_the_tutorial_finds_exactly_the_wrong_labels_that_it_shows(
    shapes: Path, database: str, cli: Cli
) -> None:
    for command in tutorial_commands()[:7]:
        run(fill_in(command, database, shapes), database, cli)
    with psycopg.connect(database) as conn:
        uris = {row[0] for row in conn.execute("select uri from smartdb.review_queue")}
    assert len(uris) == 6
    assert all("/wrong-" in uri for uri in uris)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    # benchmarks.md is written by another command: make bench
    assert [link for link in missing if not link.endswith("benchmarks.md")] == []
