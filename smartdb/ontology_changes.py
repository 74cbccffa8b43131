"""Changes of an ontology: each makes the next version, which says what becomes of the labels.

A change is the whole ontology as it shall be, with rules for classes and attributes that go. The
caller owns the transaction; labels are moved afterwards by `label_migration.migrate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row
from psycopg.types.json import Jsonb

from smartdb import ontology as ontologies
from smartdb.errors import Conflict, InvalidInput, NotFound, translated
from smartdb.ontology_form import Definition, Form, Rule, parse, plain
from smartdb.statements import statement


@dataclass(frozen=True)
class Difference:
    """One thing that changed; ``is_additive``: labels that fitted still do."""

    change: str
    class_a: str | None
    class_b: str | None
    attribute: str | None
    was: Any
    now: Any
    is_additive: bool


@dataclass(frozen=True)
class Version:
    """A version of an ontology, with the number of its classes and of the rules that lead to it."""

    ontology: str
    version: int
    message: str
    n_classes: int
    n_rules: int
    created_at: datetime


def create(conn: psycopg.Connection[Any], ontology: str, wanted: Definition) -> int:
    """Makes an ontology whose version 1 is as ``wanted``; Conflict if there is one of that name."""
    if not ontology.strip():
        raise InvalidInput("an ontology needs a name")
    ontologies.lock(conn, ontology)
    if ontology in ontologies.names(conn):
        raise Conflict(
            f"there is an ontology {ontology!r}; run: smartdb ontology change {ontology}"
        )
    if wanted.rules:
        raise InvalidInput("a new ontology has no labels to map; leave mapping out")
    with translated():
        _execute(conn, "create", {"ontology": ontology, "note": wanted.note})
        _write(conn, ontology, 1, wanted, {}, wanted.message or "first classes")
    return 1


def change(
    conn: psycopg.Connection[Any], ontology: str, wanted: Definition, message: str | None = None
) -> int:
    """Makes the ontology as ``wanted`` and returns its version: the present one if it is so.

    InvalidInput if a class that has labels goes and no rule says what becomes of them, or a rule
    names what is not there. Who writes labels waits until the transaction ends.
    """
    ontologies.lock(conn, ontology)
    present = definition(conn, ontology)
    version = newest(conn, ontology)
    if _said(wanted) == _said(present) and (
        not wanted.rules or wanted.rules == with_rules(conn, ontology, version).rules
    ):
        return version
    rules = _checked(present, wanted)
    retired = sorted(present.names - wanted.names)
    _refuse_forgotten(conn, ontology, retired, rules)
    said = message or wanted.message
    if not said:
        raise InvalidInput("say what changes and why (--message, or message in the file)")
    with translated():
        _write(conn, ontology, version + 1, wanted, present_forms(present), said)
    return version + 1


def definition(
    conn: psycopg.Connection[Any], ontology: str, version: int | None = None
) -> Definition:
    """The ontology as a version (the newest) has it, without rules; NotFound if there is none."""
    note, last = _known(conn, ontology)
    if version is not None and not 1 <= version <= last:
        raise NotFound(f"ontology {ontology!r} has versions 1 to {last}, not {version}")
    rows = _rows(conn, "present", {"ontology": ontology, "version": version})
    forms = [
        {"class": name, "parent": parent, "kinds": kinds, "skeleton": skeleton, "open": is_open,
         "attributes": attributes}
        for name, parent, kinds, skeleton, is_open, attributes, _ in rows
    ]  # fmt: skip
    return parse({"ontology": ontology, "note": note, "classes": _in_tree_order(forms)})


def with_rules(conn: psycopg.Connection[Any], ontology: str, version: int) -> Definition:
    """The ontology as a version has it, with the rules that lead to it."""
    rows = _rows(conn, "rules", {"ontology": ontology, "version": version})
    return replace(definition(conn, ontology, version), rules=tuple(Rule(*row) for row in rows))


def renamed(present: Definition, names: Mapping[str, str]) -> Definition:
    """The definition with classes called otherwise (old name → new), and the rules that say so."""
    unknown = sorted(names.keys() - present.names)
    if unknown:
        raise NotFound(f"no such class to rename: {', '.join(map(repr, unknown))}")

    forms = [
        replace(
            form,
            name=names.get(form.name, form.name),
            parent=None if form.parent is None else names.get(form.parent, form.parent),
        )
        for form in present.forms
    ]
    rules = [Rule(old, to) for old, to in names.items() if old != to]
    return parse(plain(replace(present, forms=tuple(forms), rules=(*present.rules, *rules))))


def newest(conn: psycopg.Connection[Any], ontology: str) -> int:
    """The number of the newest version; NotFound for an unknown ontology."""
    return _known(conn, ontology)[1]


def diff(
    conn: psycopg.Connection[Any], ontology: str, version_a: int, version_b: int
) -> list[Difference]:
    """What changed between two versions, by class; NotFound for an unknown ontology or version."""
    last = newest(conn, ontology)
    for version in (version_a, version_b):
        if not 1 <= version <= last:
            raise NotFound(f"ontology {ontology!r} has versions 1 to {last}, not {version}")
    if version_a > version_b:
        raise InvalidInput(f"version {version_a} is later than {version_b}; name the earlier first")
    values = {"ontology": ontology, "version_a": version_a, "version_b": version_b}
    with conn.cursor(row_factory=class_row(Difference)) as cursor:
        return cursor.execute(statement("ontology_changes", "diff"), values).fetchall()


def versions(conn: psycopg.Connection[Any], ontology: str | None = None) -> list[Version]:
    """The versions of an ontology (of all), oldest first."""
    if ontology is not None:
        _known(conn, ontology)
    with conn.cursor(row_factory=class_row(Version)) as cursor:
        cursor.execute(statement("ontology_changes", "versions"), {"ontology": ontology})
        return cursor.fetchall()


def present_forms(present: Definition) -> dict[str, Form]:
    """The classes by name."""
    return {form.name: form for form in present.forms}


def _in_tree_order(forms: list[dict[str, Any]], above: str | None = None) -> list[dict[str, Any]]:
    """Each class before those below it, siblings in the order in which they were made."""
    return [
        each
        for form in forms
        if form["parent"] == above
        for each in (form, *_in_tree_order(forms, form["class"]))
    ]


def _said(definition: Definition) -> dict[str, Form]:
    """The classes by name, as they are compared: their kinds in any order."""
    return {form.name: replace(form, kinds=tuple(sorted(form.kinds))) for form in definition.forms}


def _checked(present: Definition, wanted: Definition) -> tuple[Rule, ...]:
    """The rules, all of which name classes and attributes that are there."""
    forms = present_forms(present)
    targets = present_forms(wanted)
    for rule in wanted.rules:
        if rule.of not in forms:
            raise InvalidInput(
                f"the mapping names class {rule.of!r}, which the present version does not have; "
                f"it has: {', '.join(sorted(forms))}"
            )
        if rule.to is not None and rule.to not in targets:
            raise InvalidInput(
                f"the mapping makes {rule.of!r} {rule.to!r}, which is no class of the new version; "
                f"add it to classes: {', '.join(sorted(targets))}"
            )
        known = {each.name for each in forms[rule.of].attributes}
        named = {*(rule.where or {}), *(rule.attributes or {}), *(rule.values or {})}
        if not forms[rule.of].is_open and not named <= known:
            raise InvalidInput(
                f"rule of class {rule.of!r}: it has no attribute "
                f"{', '.join(map(repr, sorted(named - known)))}; "
                f"it has: {', '.join(sorted(known)) or 'none'}"
            )
    return wanted.rules


def _refuse_forgotten(
    conn: psycopg.Connection[Any], ontology: str, retired: list[str], rules: Iterable[Rule]
) -> None:
    values = {"ontology": ontology, "names": retired}
    explained = {rule.of for rule in rules}
    counts = [(name, n) for name, n in _rows(conn, "labelled", values) if name not in explained]
    if counts:
        said = ", ".join(f"{name!r} ({n} labels)" for name, n in counts)
        raise InvalidInput(
            f"{said}: no longer among the classes; say in mapping what becomes of the labels: "
            f"{{from: {counts[0][0]}, to: a class}}, or to: null to keep and list them"
        )


def _write(
    conn: psycopg.Connection[Any],
    ontology: str,
    version: int,
    wanted: Definition,
    present: Mapping[str, Form],
    message: str,
) -> None:
    parents = {form.name: form.parent for form in wanted.forms if form.parent is not None}
    layers = ontologies.ordered([form.name for form in wanted.forms], parents, known={})
    forms = present_forms(wanted)
    replaces = _renames(present, forms, wanted.rules)
    values: dict[str, Any] = {"ontology": ontology, "version": version}
    retired = sorted(present.keys() - forms.keys())
    _execute(conn, "open_version", values | {"message": message})
    _execute(conn, "retire", values | {"names": retired})
    for layer in layers:
        new = [_form_row(forms[n], replaces.get(n)) for n, _ in layer if n not in present]
        if new:
            _execute(conn, "add", values | {"forms": Jsonb(new)})
    kept = [_form_row(form, None) for form in wanted.forms if form.name in present]
    _execute(conn, "reform", values | {"forms": Jsonb(kept)})
    _execute(conn, "stage_attributes")
    _execute(conn, "want_attributes", {"attributes": Jsonb(_attribute_rows(wanted))})
    _execute(conn, "retire_attributes", values)
    _execute(conn, "add_attributes", values)
    _execute(conn, "add_rules", values | {"rules": Jsonb(_rule_rows(wanted.rules))})


def _renames(
    present: Mapping[str, Form], wanted: Mapping[str, Form], rules: Iterable[Rule]
) -> dict[str, str]:
    """Old name by new name, of classes that change nothing but their name for their labels."""
    listed = list(rules)
    return {
        rule.to: rule.of
        for rule in listed
        if rule.to is not None
        and rule.of not in wanted and rule.to not in present
        and rule.where is None and rule.kind is None
        and sum(other.of == rule.of or other.to == rule.to for other in listed) == 1
    }  # fmt: skip


def _form_row(form: Form, replaces: str | None) -> dict[str, Any]:
    skeleton = None if form.skeleton is None else dict(form.skeleton)
    return {
        "name": form.name, "parent": form.parent, "kinds": list(form.kinds), "skeleton": skeleton,
        "is_open": form.is_open, "replaces": replaces,
    }  # fmt: skip


def _attribute_rows(wanted: Definition) -> list[dict[str, Any]]:
    old_names = {
        (rule.to, new): old
        for rule in wanted.rules
        for old, new in (rule.attributes or {}).items()
        if new is not None
    }
    return [
        {
            "class": form.name, "name": each.name, "type": each.type,
            "choices": list(each.choices) or None, "minimum": each.minimum,
            "maximum": each.maximum, "is_required": each.required,
            "condition": None if each.when is None else dict(each.when), "note": each.note,
            "place": place, "replaces": old_names.get((form.name, each.name)),
        }
        for form in wanted.forms
        for place, each in enumerate(form.attributes, 1)
    ]  # fmt: skip


def _rule_rows(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    return [
        {
            "place": place, "class": rule.of, "kind": rule.kind, "condition": rule.where,
            "target": rule.to, "renamed": rule.attributes, "revalued": rule.values,
            "given": rule.given,
        }
        for place, rule in enumerate(rules, 1)
    ]  # fmt: skip


def _known(conn: psycopg.Connection[Any], ontology: str) -> tuple[str | None, int]:
    rows = _rows(conn, "note", {"ontology": ontology})
    if not rows:
        others = ", ".join(map(repr, ontologies.names(conn))) or "none yet"
        raise NotFound(f"no ontology {ontology!r}; there is: {others}")
    return rows[0][0], int(rows[0][1])


def _execute(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> int:
    return conn.execute(statement("ontology_changes", name), values).rowcount


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("ontology_changes", name), values).fetchall()
