"""Who imports whom: schema <- smartdb <- {pipelines, api, cli}, and what may be imported when."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "open_clip", "flask", "dagster", "scipy", "sklearn", "timm", "matplotlib")
NEED_TORCH = {"smartdb.encoders.clip", "smartdb.encoders.tower", "smartdb.encoders.weights"}
"""Modules that are imported only when an encoder with weights is loaded."""

SQL = re.compile(
    r"\b(select\b.+\bfrom|insert into|update \w.*\bset\b|delete from|create (table|view))\b",
    re.IGNORECASE | re.DOTALL,
)


@cache
def modules(folder: str) -> dict[str, ast.Module]:
    """The modules of smartdb/, api/ or pipelines/ by the name they have once installed."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts if parts[0] == "smartdb" else ("smartdb", *parts)
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    assert found, f"{folder} has no module"
    return found


def imports(name: str, tree: ast.AST) -> Iterator[str]:
    """What a module imports, anywhere in it, absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".")[: -node.level] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def at_once(tree: ast.Module) -> ast.Module:
    """The module without what is imported later or never: functions and TYPE_CHECKING."""
    later = (ast.FunctionDef, ast.AsyncFunctionDef)
    kept = [
        node
        for node in tree.body
        if not isinstance(node, later)
        and not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        and not isinstance(node, ast.ClassDef)
    ]
    return ast.Module(kept, [])


def importers(folder: str, *forbidden: str) -> list[str]:
    """The imports in a folder that lead to what is forbidden."""
    return [
        f"{name} imports {target}"
        for name, tree in modules(folder).items()
        for target in imports(name, tree)
        if any(f"{target}.".startswith(f"{prefix}.") for prefix in forbidden)
    ]


def test_the_library_imports_neither_flask_nor_dagster() -> None:
    assert importers("smartdb", "flask", "dagster", "werkzeug") == []


def test_only_the_command_line_imports_the_api_and_the_pipelines() -> None:
    found = importers("smartdb", "smartdb.api", "smartdb.pipelines")
    assert [line for line in found if not line.startswith("smartdb.cli.")] == []


def test_api_and_pipelines_do_not_import_each_other() -> None:
    assert importers("api", "smartdb.pipelines", "dagster", "pipelines") == []
    assert importers("pipelines", "smartdb.api", "flask", "api") == []


@pytest.mark.parametrize("folder", ["api", "pipelines"])
def test_there_is_no_sql_outside_of_the_library(folder: str) -> None:
    found = [
        f"{name}: {node.value[:60]}"
        for name, tree in modules(folder).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SQL.search(node.value)
        and node.value not in docstrings(tree)
    ]
    assert found == []


def docstrings(tree: ast.Module) -> set[str]:
    """Texts that stand alone, which say something and do nothing."""
    return {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def test_sql_would_be_seen() -> None:
    assert SQL.search("SELECT media_id\nFROM core.media")
    assert SQL.search("update core.media set kind = 'image'")
    assert not SQL.search("Selects media, newest first.")


@pytest.mark.parametrize(
    ("folder", "extras"), [("smartdb", ()), ("api", ("api",)), ("pipelines", ("pipelines",))]
)
def test_what_is_imported_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    now = declared("base", *extras)
    later = declared(
        "base",
        "ml",
        "pipelines",
        "api",
        "stores",
        "video",
        "formats",
        "heif",
        "faces",
        "maps",
        "labels",
        "crowd",
    )
    missing = []
    for name, tree in modules(folder).items():
        for part, allowed in ((at_once(tree), now), (tree, later)):
            if name in NEED_TORCH:
                allowed = later
            missing += [
                f"{name} imports {target}"
                for target in imports(name, part)
                if not distributions(target) & allowed
            ]
    assert missing == []


@cache
def declared(*groups: str) -> frozenset[str]:
    """Distributions that pyproject.toml names in the base or an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: list[str] = []
    for group in groups:
        found += (
            project["dependencies"] if group == "base" else project["optional-dependencies"][group]
        )
    return frozenset(plain(re.split(r"[\[><=~ ;]", text)[0]) for text in found) | {"smartdb"}


def distributions(module: str) -> set[str]:
    top = module.split(".")[0]
    if top in sys.stdlib_module_names or top == "smartdb":
        return {"smartdb"}
    return {plain(name) for name in _distributions().get(top, [])}


def plain(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


_distributions = cache(packages_distributions)


def loaded_by(statement: str) -> set[str]:
    """Which of the heavy libraries a new process has after this statement."""
    code = f"import sys; {statement}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return set(done.stdout.split())


def test_importing_smartdb_loads_nothing_heavy() -> None:
    assert loaded_by("import smartdb, smartdb.cli, smartdb.database") == set()


def test_importing_any_module_of_the_library_loads_nothing_heavy() -> None:
    light = sorted(set(modules("smartdb")) - NEED_TORCH - {"smartdb.__main__"})
    assert loaded_by(f"import {', '.join(light)}") == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert loaded_by("import flask") == {"flask"}


def test_no_folder_has_an_init_that_would_make_it_a_package_of_its_own() -> None:
    for folder in ("schema", "migrations", "tests"):
        assert list((ROOT / folder).rglob("__init__.py")) == []
    assert not (ROOT / "smartdb" / "schema.py").exists()
