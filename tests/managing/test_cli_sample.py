"""The commands sample and batch, on a few real files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Cli = Callable[..., Any]


@pytest.fixture
def pictures(tmp_path: Path, cli: Cli) -> Path:
    """Twelve pictures of growing brightness, with vectors and classes."""
    for i in range(12):
        folder = tmp_path / "shop" / ("cat" if i < 4 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        Image.radial_gradient("L").point([min(255, v + 10 * i) for v in range(256)]).convert(
            "RGB"
        ).resize((32 + i, 24)).save(folder / f"{i}.png")
    assert cli("ingest", str(tmp_path / "shop"), "--workers", "1").exit_code == 0
    assert cli("embed", "--encoder", "descriptor").exit_code == 0
    assert cli("labels", "import-folders", "--ontology", "pets").exit_code == 0
    return tmp_path


def ok(cli: Cli, *arguments: str) -> Any:
    result = cli(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_sample_and_batch(pictures: Path, cli: Cli) -> None:
    sheet = pictures / "sheet.png"
    first = ok(cli, "sample", "k-center", "-n", "3", "--seed", "2", "-o", str(sheet))
    assert [item["rank"] for item in first["items"]] == [1, 2, 3]
    with Image.open(sheet) as picture:
        assert picture.width > 300
    after = ["--after", str(first["batch_id"]), "--cap", "class=2"]
    more = ok(cli, "sample", "mixture", "--mix", "random=1,k-center=1", "-n", "4", *after)
    chosen = [{item["media_id"] for item in batch["items"]} for batch in (first, more)]
    assert not chosen[0] & chosen[1]
    assert len(chosen[1]) == 4
    assert ok(cli, "batch", "show", str(more["batch_id"])) == more
    assert [b["batch_id"] for b in ok(cli, "batch", "list")] == [2, 1]
    cats = ok(cli, "sample", "balanced", "-n", "4", "--ratio", "cat=3,dog=1", "--pool", "labelled")
    assert sum("cat" in item["uri"] for item in cats["items"]) == 3
    plain = cli("sample", "random", "-n", "99", "--predicate", "m.width < 40")
    assert plain.stdout.splitlines()[0].split() == ["rank", "media_id", "score", "reason", "uri"]
    assert "note: all 8 candidates were taken, 99 asked for" in plain.stderr
    assert "mixture" in cli("batch", "list").stdout


REFUSED: list[tuple[list[str], int, str]] = [
    (["sample", "guess"], 2, "no strategy 'guess'"),
    (["sample", "random", "-n", "-3"], 2, "cannot choose -3 media"),
    (["sample", "random", "--cap", "group"], 2, "is not NAME=NUMBER"),
    (["sample", "random", "--cap", "group=1.5"], 2, "a cap is a whole number"),
    (["sample", "random", "--mix", "random=1"], 2, "--mix goes with the strategy mixture"),
    (["sample", "random"], 2, "nothing to choose from"),
    (["sample", "k-center"], 1, "no encoders yet"),
    (["batch", "show", "7"], 1, "no batch 7"),
]


def test_what_cannot_be_sampled_is_one_clear_line(cli: Cli) -> None:
    for arguments, code, said in REFUSED:
        result = cli(*arguments)
        assert (result.exit_code, result.stdout) == (code, "")
        assert said in result.stderr
