"""The wheel holds one top-level name, and what is installed from it is all of smartdb."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import psycopg
import pytest

import smartdb
from smartdb import migrate

ROOT = Path(__file__).parents[2]
PARTS = {
    "smartdb/schema": "schema/**/*.sql",
    "smartdb/migrations": "migrations/**/*",
    "smartdb/queries": "smartdb/queries/*.sql",
    "smartdb/api": "api/**/*",
    "smartdb/pipelines": "pipelines/**/*",
    "smartdb": "smartdb/**/*.py",
}
"""Folder in the wheel → the files of the checkout that must lie there."""


def call(*command: object, cwd: Path = ROOT) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an empty environment with the wheel; other packages come from this one's."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    call(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    others = call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    Path(others, "zz_dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_has_no_top_level_name_but_smartdb(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in names(wheel)}
    assert tops == {"smartdb", f"smartdb-{smartdb.__version__}.dist-info"}


@pytest.mark.parametrize("folder", PARTS)
def test_the_wheel_holds_every_file_of_the_project(wheel: Path, folder: str) -> None:
    below = PARTS[folder].split("/")[0]
    files = [
        path.relative_to(ROOT / below).as_posix()
        for path in ROOT.glob(PARTS[folder])
        if path.is_file() and "__pycache__" not in path.parts
    ]
    inside = folder if below != "smartdb" else "smartdb"
    assert files
    assert {f"{inside}/{file}" for file in files} - names(wheel) == set()


def test_the_wheel_holds_nothing_of_tests_benchmarks_or_caches(wheel: Path) -> None:
    strange = ("tests", "benchmarks", "docs", "__pycache__", ".git", "shared")
    assert [n for n in names(wheel) if set(n.split("/")[:-1]) & set(strange)] == []
    assert [n for n in names(wheel) if n.endswith((".pyc", ".egg-info"))] == []


def test_the_installed_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    assert call(installed.parent / "smartdb", "--version", cwd=tmp_path) == smartdb.__version__
    assert "ingest" in call(installed.parent / "smartdb", "--help", cwd=tmp_path)


@pytest.mark.parametrize("name", ["smartdb", "smartdb.api", "smartdb.pipelines.definitions"])
def test_the_installed_package_is_imported_from_where_it_was_installed(
    installed: Path, tmp_path: Path, name: str
) -> None:
    code = f"import {name} as found; print(found.__file__)"
    at = Path(call(installed, "-c", code, cwd=tmp_path))
    assert at.is_relative_to(installed.parents[1])


def test_the_installed_package_finds_its_sql(installed: Path, tmp_path: Path) -> None:
    code = "from smartdb import config; print(config.folder('schema'), config.folder('migrations'))"
    for at in call(installed, "-c", code, cwd=tmp_path).split():
        assert Path(at).is_relative_to(installed.parents[1])
        assert list(Path(at).rglob("*.sql"))


def test_a_database_made_by_the_installed_package_is_current_for_the_checkout(
    installed: Path, tmp_path: Path, empty_database: str
) -> None:
    code = "import sys; from smartdb import migrate; migrate.upgrade(sys.argv[1])"
    call(installed, "-c", code, empty_database, cwd=tmp_path)
    with psycopg.connect(empty_database) as conn:
        assert migrate.is_current(conn)


def test_an_editable_install_is_one_path_file(tmp_path: Path) -> None:
    code = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    call(sys.executable, "-c", code, tmp_path)
    inside = names(next(tmp_path.glob("*.whl")))
    assert [n for n in inside if ".dist-info/" not in n] == ["_smartdb.pth"]


def test_metadata_name_the_licence_and_the_extras(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"smartdb-{smartdb.__version__}.dist-info/METADATA").decode()
    lines = metadata.splitlines()
    assert "License-Expression: Apache-2.0" in lines
    extras = {"ml", "pipelines", "api", "stores", "video", "formats", "heif", "faces", "maps"}
    extras |= {"labels", "crowd"}
    given = {line.split(": ")[1] for line in lines if line.startswith("Provides-Extra")}
    assert given == extras | {"all"}
