"""The whole story by the commands: two sources, terms, a refusal, an erasure and its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smartdb import config

Cli = Callable[..., Any]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two sources of four pictures in class folders; one picture lies in both."""
    rng = np.random.default_rng(1)
    for source in ("bought", "volunteers"):
        for i in range(4):
            at = tmp_path / source / ("cat" if i < 2 else "dog") / f"{i}.png"
            at.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)).save(at)
    shared = (tmp_path / "bought" / "cat" / "0.png").read_bytes()
    (tmp_path / "volunteers" / "cat" / "0.png").write_bytes(shared)
    return tmp_path


def run(cli: Cli, line: str, *more: str, fails: bool = False, **options: Any) -> Any:
    done = cli(*line.split(), *more, **options)
    assert (done.exit_code != 0) == fails, f"{line}\n{done.output}"
    return done


def test_from_two_sources_to_the_report_of_an_erasure(cli: Cli, folders: Path) -> None:
    for source in ("bought", "volunteers"):
        run(cli, "ingest --workers 1", str(folders / source))
        run(cli, f"labels import-folders --ontology pets --source {source}")
    run(cli, "source set bought --licence CC-BY-4.0 --allow training,research")
    run(cli, "source set volunteers --consent consent --allow research")

    refused = run(cli, "dataset create pets --ontology pets --purpose training", fails=True)
    assert "4 media do not allow 'training'" in refused.stderr
    assert "training is not allowed (source volunteers)" in refused.stderr
    made = run(cli, "dataset create pets --ontology pets --purpose training --leave-out-refused")
    assert "4 left out" in made.stderr
    run(cli, "dataset create study --ontology pets --purpose research")

    where = ["--where", "m.uri like '%volunteers%1.png'"]
    assert "1 media noted" in run(cli, "subject set -", *where, input="ana@x.org\n").stderr
    erase = ["erase", "--subject", "ana@x.org", "--json"]
    [asked] = json.loads(run(cli, " ".join([*erase, "--dry-run"])).stdout)
    assert (asked["erasure_id"], asked["report"]["media"]) == (None, 1)
    [done] = json.loads(run(cli, " ".join(erase), "--reason", "consent withdrawn").stdout)
    assert [(v["dataset"], v["version"]) for v in done["report"]["versions"]] == [("study", 1)]
    assert done["report"]["left"] == [(folders / "volunteers" / "cat" / "1.png").as_uri()]

    again = json.loads(run(cli, "ingest --workers 1 --json", str(folders / "volunteers")).stdout)
    assert (again["added"], again["refused"], again["read"]) == (0, 1, 0)
    copy = folders / "volunteers" / "copy.png"
    copy.write_bytes((folders / "volunteers" / "cat" / "1.png").read_bytes())
    again = json.loads(run(cli, "ingest --workers 1 --json", str(folders / "volunteers")).stdout)
    assert (again["added"], again["refused"], again["read"]) == (0, 2, 1)
    source = ["ingest", "--workers", "1", "--manage", "--source", "again"]
    run(cli, " ".join(source), str(folders / "volunteers"))
    kept = {path.name for path in Path(config.store()).rglob("*") if path.is_file()}
    assert len(kept) == 3
    assert sha256(copy.read_bytes()).hexdigest() not in kept
    rows = json.loads(run(cli, "quarantine list --reason erased --json").stdout)
    assert len(rows) == 4
    assert "nothing was cut off" in run(cli, "erase --resume").stderr


def test_a_subject_is_erased_with_its_files_and_told_to_a_person(cli: Cli, folders: Path) -> None:
    run(cli, "ingest --workers 1", str(folders / "bought"))
    run(cli, "subject set ana --media 1,2")
    assert run(cli, "subject show ana --json").stdout.split() == ["[", "1,", "2", "]"]
    done = run(cli, "erase --subject ana --delete-files --reason asked")
    assert len(list((folders / "bought").rglob("*.png"))) == 2
    assert "files_deleted  2" in done.stdout
    assert "erased" in run(cli, "lineage 1").stdout
    assert run(cli, "erase --subject ana --reason asked", fails=True).exit_code == 2
    assert run(cli, "erase --media 1,x --reason asked", fails=True).exit_code == 2
