"""Commands of ontologies: their versions, files and changes, and the migration of labels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.label_migration import Migration
    from smartdb.ontology_changes import Difference

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def ontology() -> None:
    """Say what labels may be, in versions, and move labels to a new version."""


@ontology.command()
@click.argument("name")
@click.argument("file", type=_FILE)
def create(name: str, file: Path) -> None:
    """Make the ontology NAME as FILE says: JSON, YAML, a COCO file or a Label Studio config."""
    from smartdb import database, ontology_changes, ontology_file

    wanted = ontology_file.read(file)
    with database.session() as conn:
        ontology_changes.create(conn, name, wanted)
        conn.commit()
    output.say(f"version 1 of ontology {name} has {len(wanted.forms)} classes")


@ontology.command()
@click.argument("name", required=False)
@_AS_JSON
def versions(name: str | None, as_json: bool) -> None:
    """List the versions of the ontology NAME, or of all."""
    from smartdb import database, ontology_changes

    with database.session() as conn:
        found = ontology_changes.versions(conn, name)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    rows = ((v.ontology, v.version, v.n_classes, v.n_rules, v.created_at, v.message) for v in found)
    output.table(rows, ["ontology", "version", "classes", "rules", "made", "message"])


@ontology.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(1), help="A version of it [default: the newest].")
@_AS_JSON
def show(name: str, version: int | None, as_json: bool) -> None:
    """Show the classes of the ontology NAME, and what labels of them may be and say."""
    from smartdb import database, ontology_changes
    from smartdb.ontology_form import KINDS, plain

    with database.session() as conn:
        found = ontology_changes.definition(conn, name, version)
    if as_json:
        output.print_json(plain(found))
        return
    rows = (
        (
            form.name,
            form.parent,
            "any" if set(form.kinds) == set(KINDS) else ", ".join(form.kinds),
            ", ".join(f"{each.name} ({each.type})" for each in form.attributes)
            or ("any" if form.is_open else "none"),
        )
        for form in found.forms
    )
    output.table(rows, ["class", "parent", "kinds", "attributes"])


@ontology.command()
@click.argument("name")
@click.argument("file", type=_FILE, required=False)
@click.option("--version", type=click.IntRange(1), help="A version of it [default: the newest].")
@click.option("--rules", is_flag=True, help="With the mapping that led to the version.")
def export(name: str, file: Path | None, version: int | None, rules: bool) -> None:
    """Write the ontology NAME to FILE (.json, .yaml), or print it as JSON."""
    from smartdb import database, ontology_changes, ontology_file

    with database.session() as conn:
        if rules:
            at = version or ontology_changes.newest(conn, name)
            found = ontology_changes.with_rules(conn, name, at)
        else:
            found = ontology_changes.definition(conn, name, version)
    if file is None:
        click.echo(ontology_file.text(found), nl=False)
    else:
        ontology_file.save(found, file)


@ontology.command()
@click.argument("name")
@click.argument("version_a", type=click.IntRange(1))
@click.argument("version_b", type=click.IntRange(1), required=False)
@_AS_JSON
def diff(name: str, version_a: int, version_b: int | None, as_json: bool) -> None:
    """Show what changed in NAME from VERSION_A to the later VERSION_B (the newest)."""
    from smartdb import database, ontology_changes

    with database.session() as conn:
        last = version_b or ontology_changes.newest(conn, name)
        found = ontology_changes.diff(conn, name, version_a, last)
    if as_json:
        output.print_json([asdict(each) for each in found])
    else:
        _print_diff(found)


@ontology.command()
@click.argument("name")
@click.argument("file", type=_FILE, required=False)
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="Give a class another name.")
@click.option("--message", "-m", help="What changes and why [default: message in the file].")
def change(name: str, file: Path | None, rename: tuple[str, ...], message: str | None) -> None:
    """Make the next version of NAME as FILE says, or with classes renamed. Labels move later.

    A class that has labels does not go unless the mapping in FILE says what becomes of them.
    """
    from smartdb import database, ontology_changes, ontology_file
    from smartdb.errors import InvalidInput

    if file is None and not rename:
        raise InvalidInput("say what changes: a file, or --rename OLD=NEW")
    names = dict(_pair(each) for each in rename)
    with database.session() as conn:
        before = ontology_changes.newest(conn, name)
        wanted = ontology_file.read(file) if file else ontology_changes.definition(conn, name)
        if names and not file:
            wanted = ontology_changes.renamed(wanted, names)
        elif names:
            raise InvalidInput("--rename is of the present version; with a file, use its mapping")
        said = message or wanted.message or ("renamed: " + ", ".join(rename) if rename else None)
        version = ontology_changes.change(conn, name, wanted, said)
        conn.commit()
        found = ontology_changes.diff(conn, name, before, version)
    _print_diff(found)
    if version == before:
        output.say(f"version {version} of ontology {name} is so already")
    elif any(not each.is_additive for each in found):
        output.say(f"made version {version}; move labels: smartdb ontology migrate {name}")
    else:
        output.say(f"made version {version}; labels stay as they are")


@ontology.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only show what would become of the labels.")
@click.option("--tasks", is_flag=True, help="Open a review task for each label that stays unfit.")
@_AS_JSON
def migrate(name: str, dry_run: bool, tasks: bool, as_json: bool) -> None:
    """Move the labels of NAME to its newest version. Safe to run again."""
    from smartdb import database, label_migration

    with database.session() as conn:
        if dry_run:
            done = label_migration.preview(conn, name)
        else:
            done = label_migration.migrate(conn, name, open_tasks=tasks)
    if as_json:
        output.print_json(asdict(done))
    else:
        _print_migration(done, name)


@ontology.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def unfit(name: str, limit: int, as_json: bool) -> None:
    """List live labels that the newest version of NAME would not take, and why."""
    from smartdb import database, label_migration

    with database.session() as conn:
        found = label_migration.unfit(conn, name, limit)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    rows = ((u.label_id, u.media_id, u.class_, u.problem) for u in found)
    output.table(rows, ["label", "media", "class", "problem"])


def _pair(text: str) -> tuple[str, str]:
    from smartdb.errors import InvalidInput

    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise InvalidInput(f"--rename {text}: write OLD=NEW")
    return old, new


def _print_diff(found: list[Difference]) -> None:
    rows = (
        (d.change, d.class_a, d.class_b, d.attribute, _short(d.was), _short(d.now),
         "yes" if d.is_additive else "no")
        for d in found
    )  # fmt: skip
    output.table(rows, ["change", "class", "now called", "attribute", "was", "now", "additive"])


def _short(value: Any) -> Any:
    """Lists without brackets; of an attribute all but its name."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        said = {
            k: v for k, v in value.items() if k not in ("attribute", "edges") and v is not False
        }
        return "; ".join(f"{key} {_short(each)}" for key, each in said.items())
    return value


def _print_migration(done: Migration, name: str) -> None:
    rows = [(m.was, m.became, m.n, m.n_double or None) for m in done.moved]
    output.table(rows, ["class", "became", "labels", "said already"])
    if done.problems:
        stay = ((p.class_, p.n, p.label_id, p.problem) for p in done.problems)
        output.say("these stay as they are:")
        output.table(stay, ["class", "labels", "first", "problem"])
        output.say(f"see: smartdb ontology unfit {name}")
    if done.n_tasks:
        output.say(f"{done.n_tasks} review tasks opened")
    if done.run_id is not None:
        output.say(f"version {done.version}, run {done.run_id}")
