"""What an ontology says: its classes, what labels of them may be, and rules that map labels to it.

`parse` makes the dataclasses of a document, as it stands in a JSON or YAML file, and `plain` the
document of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smartdb.errors import InvalidInput

KINDS = (
    "classification", "box", "rotated_box", "polygon", "mask", "polyline", "keypoints", "caption",
    "relation",
)  # fmt: skip
TYPES = ("text", "number", "choice", "multi", "boolean")


@dataclass(frozen=True)
class Attribute:
    """What a label says besides its class; ``when`` maps other attributes to allowed values."""

    name: str
    type: str = "text"
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    when: Mapping[str, Sequence[Any]] | None = None
    note: str | None = None


@dataclass(frozen=True)
class Form:
    """A class with what its labels may be; ``is_open``: they may carry undeclared attributes."""

    name: str
    parent: str | None = None
    kinds: tuple[str, ...] = KINDS
    skeleton: Mapping[str, Any] | None = None
    is_open: bool = True
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Rule:
    """What labels of a class become; the first rule of its class that fits a label applies.

    ``to`` is the new class, None: none, they stay and are listed. ``kind`` and ``where`` say which
    labels it is about. ``attributes`` gives new names (None drops one), ``values`` new values by
    the old name of their attribute, ``given`` what they get besides.
    """

    of: str
    to: str | None
    kind: str | None = None
    where: Mapping[str, Sequence[Any]] | None = None
    attributes: Mapping[str, str | None] | None = None
    values: Mapping[str, Mapping[str, Any]] | None = None
    given: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Definition:
    """An ontology as a file says it, with the rules that lead to it from the version before."""

    forms: tuple[Form, ...]
    rules: tuple[Rule, ...] = ()
    name: str | None = None
    note: str | None = None
    message: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of its classes."""
        return frozenset(form.name for form in self.forms)


def parse(document: Any) -> Definition:
    """The definition that a document says; InvalidInput names the class and what is wrong."""
    said = _keys(
        "an ontology", document,
        ("ontology", "version", "note", "message", "classes", "mapping"),
    )  # fmt: skip
    forms = tuple(_form(each) for each in _list("classes", said.get("classes")))
    if not forms:
        raise InvalidInput("an ontology needs at least one class (classes: [{class: name}])")
    _refuse_repeated("classes", [form.name for form in forms])
    names = {form.name for form in forms}
    for form in forms:
        if form.parent is not None and form.parent not in names:
            raise InvalidInput(f"class {form.name!r} lies under {form.parent!r}, which is no class")
    rules = tuple(_rule(each) for each in _list("mapping", said.get("mapping")))
    texts = {key: _text(key, said.get(key)) for key in ("ontology", "note", "message")}
    return Definition(forms, rules, texts["ontology"], texts["note"], texts["message"])


def plain(definition: Definition) -> dict[str, Any]:
    """The document of a definition, as `parse` reads it; what goes without saying is left out."""
    rules = [_plain_rule(rule) for rule in definition.rules]
    said = {
        "ontology": definition.name,
        "note": definition.note,
        "message": definition.message,
        "classes": [_plain_form(form) for form in definition.forms],
        "mapping": rules or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def _form(given: Any) -> Form:
    said = _keys(
        "a class", given,
        ("class", "parent", "kinds", "attributes", "skeleton", "open"),
    )  # fmt: skip
    name = _name("a class", said.get("class"))
    kinds = KINDS if said.get("kinds") is None else tuple(_list("kinds", said["kinds"]))
    if not kinds or not set(kinds) <= set(KINDS):
        raise InvalidInput(f"class {name!r}: kinds are some of {', '.join(KINDS)}, not {kinds}")
    of = f"class {name!r}"
    attributes = tuple(_attribute(of, each) for each in _list(of, said.get("attributes")))
    _refuse_repeated(f"attributes of {of}", [each.name for each in attributes])
    for each in attributes:
        _check_condition(of, each, {other.name: other for other in attributes})
    is_open = said.get("open", said.get("attributes") is None)
    if not isinstance(is_open, bool):
        raise InvalidInput(f"{of}: open is true or false")
    parent = _text(f"{of}: parent", said.get("parent"))
    return Form(name, parent, kinds, _skeleton(of, said.get("skeleton")), is_open, attributes)


def _attribute(of: str, given: Any) -> Attribute:
    said = _keys(
        f"an attribute of {of}", given,
        ("attribute", "type", "choices", "min", "max", "required", "when", "note"),
    )  # fmt: skip
    name = _name(f"an attribute of {of}", said.get("attribute"))
    where = f"{of}, attribute {name!r}"
    choices = _list(where, said.get("choices"))
    found = Attribute(
        name,
        said.get("type", "choice" if choices else "text"),
        tuple(choices),
        said.get("min"),
        said.get("max"),
        said.get("required", False),
        _condition(where, said.get("when")),
        _text(f"{where}: note", said.get("note")),
    )
    _check_attribute(where, found)
    return found


def _check_attribute(where: str, said: Attribute) -> None:
    if said.type not in TYPES:
        raise InvalidInput(f"{where}: type is one of {', '.join(TYPES)}, not {said.type!r}")
    if (said.type in ("choice", "multi")) != bool(said.choices):
        raise InvalidInput(
            f"{where}: type {said.type} {'has no' if said.choices else 'needs'} choices"
        )
    if not all(isinstance(choice, str) and choice for choice in said.choices):
        raise InvalidInput(f"{where}: choices are text; put numbers, yes and no in quotes")
    _refuse_repeated(f"choices of {where}", said.choices)
    limits = [n for n in (said.minimum, said.maximum) if n is not None]
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in limits):
        raise InvalidInput(f"{where}: min and max are numbers")
    if limits and said.type != "number":
        raise InvalidInput(f"{where}: only numbers have min and max, it is of type {said.type}")
    if len(limits) == 2 and limits[0] > limits[1]:
        raise InvalidInput(f"{where}: min {limits[0]} is above max {limits[1]}")
    if not isinstance(said.required, bool):
        raise InvalidInput(f"{where}: required is true or false")


def _check_condition(of: str, said: Attribute, known: Mapping[str, Attribute]) -> None:
    for name, values in (said.when or {}).items():
        other = known.get(name)
        if other is None or name == said.name:
            raise InvalidInput(
                f"{of}, attribute {said.name!r}: when names {name!r}, which is no other attribute"
            )
        strange = [value for value in values if other.choices and value not in other.choices]
        if strange:
            raise InvalidInput(
                f"{of}, attribute {said.name!r}: {name!r} is never {strange[0]!r}; "
                f"choices: {', '.join(other.choices)}"
            )


def _skeleton(of: str, given: Any) -> Mapping[str, Any] | None:
    if given is None:
        return None
    said = _keys(f"the skeleton of {of}", given, ("points", "edges"))
    points = [_name(f"a point of {of}", each) for each in _list(of, said.get("points"))]
    if not points:
        raise InvalidInput(f"{of}: a skeleton needs points")
    _refuse_repeated(f"points of {of}", points)
    edges = [list(_list(of, edge)) for edge in _list(of, said.get("edges"))]
    for edge in edges:
        if len(edge) != 2 or not set(edge) <= set(points):
            raise InvalidInput(f"{of}: an edge joins two of its points, not {edge}")
    return {"points": points, "edges": edges}


def _rule(given: Any) -> Rule:
    said = _keys(
        "a rule of the mapping", given,
        ("from", "to", "kind", "where", "attributes", "values", "set"),
    )  # fmt: skip
    of = _name("a rule of the mapping (from)", said.get("from"))
    where = f"rule of class {of!r}"
    if said.get("kind") not in (None, *KINDS):
        raise InvalidInput(f"{where}: kind is one of {', '.join(KINDS)}, not {said['kind']!r}")
    for key in ("attributes", "values", "set"):
        if said.get(key) is not None and not isinstance(said[key], dict):
            raise InvalidInput(f"{where}: {key} maps names, not {said[key]!r}")
    return Rule(
        of,
        _text(f"{where}: to", said.get("to", of)),
        said.get("kind"),
        _condition(where, said.get("where")),
        said.get("attributes"),
        _values(where, said.get("values")),
        said.get("set"),
    )


def _values(where: str, given: Any) -> Mapping[str, Mapping[str, Any]] | None:
    if given is None:
        return None
    for name, mapped in given.items():
        if not isinstance(mapped, dict):
            raise InvalidInput(f"{where}: values of {name!r} map old to new values")
    return {n: {_json_text(old): new for old, new in m.items()} for n, m in given.items()}


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _condition(where: str, given: Any) -> Mapping[str, Sequence[Any]] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or not given:
        raise InvalidInput(f"{where}: a condition maps attributes to values, not {given!r}")
    return {name: value if isinstance(value, list) else [value] for name, value in given.items()}


def _plain_form(form: Form) -> dict[str, Any]:
    said: dict[str, Any] = {"class": form.name}
    if form.parent is not None:
        said["parent"] = form.parent
    if set(form.kinds) != set(KINDS):
        said["kinds"] = list(form.kinds)
    if form.attributes or not form.is_open:
        said["attributes"] = [_plain_attribute(each) for each in form.attributes]
        if form.is_open:
            said["open"] = True
    if form.skeleton is not None:
        said["skeleton"] = dict(form.skeleton)
    return said


def _plain_attribute(said: Attribute) -> dict[str, Any]:
    found = {
        "attribute": said.name, "type": said.type, "choices": list(said.choices) or None,
        "min": said.minimum, "max": said.maximum, "required": said.required or None,
        "when": None if said.when is None else dict(said.when), "note": said.note,
    }  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}


def _plain_rule(rule: Rule) -> dict[str, Any]:
    found = {
        "kind": rule.kind, "where": rule.where, "attributes": rule.attributes,
        "values": rule.values, "set": rule.given,
    }  # fmt: skip
    said = {key: value for key, value in found.items() if value is not None}
    return {"from": rule.of, "to": rule.to} | said


def _keys(what: str, given: Any, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise InvalidInput(f"{what} is an object with {', '.join(known)}, not {given!r}")
    unknown = sorted(str(key) for key in given if key not in known)
    if unknown:
        raise InvalidInput(f"{what} has no {', '.join(unknown)}; it has {', '.join(known)}")
    return given


def _list(what: str, given: Any) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise InvalidInput(f"{what}: a list is needed, not {given!r}")
    return given


def _name(what: str, given: Any) -> str:
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise InvalidInput(f"{what} needs a name, not {given!r} (put numbers in quotes)")
    return given


def _text(what: str, given: Any) -> str | None:
    return None if given is None else _name(what, given)


def _refuse_repeated(what: str, names: Iterable[str]) -> None:
    repeated = sorted(name for name, n in Counter(names).items() if n > 1)
    if repeated:
        raise InvalidInput(f"{what} named twice: {', '.join(map(repr, repeated))}")
