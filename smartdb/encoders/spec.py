"""What a specification of an encoder says, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from smartdb.errors import InvalidInput

KINDS = {"open_clip": "/", "torchvision": "@", "timm": "@"}
"""Kinds of models, and what stands between their architecture and their weights."""

_PIXELS = {"size", "resize", "mean", "std", "scale", "bgr"}
_OPTIONS = {"descriptor": {"name"}, "open_clip": {"name"}, "torchvision": {"name"} | _PIXELS,
            "timm": {"name"} | _PIXELS}  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A specification in parts; ``weights`` is a tag, the path of a file, or ``none``."""

    text: str
    kind: str
    architecture: str
    weights: str
    options: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the encoder in the database."""
        return self.options.get("name") or self.text

    @property
    def file(self) -> Path:
        """``weights`` as the path of a file."""
        return Path(self.weights).expanduser().absolute()

    @property
    def absolute(self) -> str:
        """The same specification with the path absolute, to be loaded from any folder."""
        between = KINDS.get(self.kind)
        if between is None or self.weights == "none" or not self.file.is_file():
            return self.text
        head, mark, options = _split(self.text)
        return f"{head.partition(between)[0]}{between}{self.file}{mark}{options}"


def parse(text: str) -> Spec:
    """The parts of a specification; InvalidInput says how one is written."""
    head, _, query = _split(text.strip())
    kind, _, rest = head.partition(":")
    if kind == "descriptor" and not rest:
        return Spec(text, kind, "", "none", _options(kind, query))
    if kind not in KINDS:
        raise InvalidInput(f"no encoder {text!r}; write descriptor, {', '.join(map(_form, KINDS))}")
    architecture, _, weights = rest.partition(KINDS[kind])
    if not architecture or not weights:
        raise InvalidInput(f"encoder {text!r} is incomplete; write {_form(kind)}")
    return Spec(text, kind, architecture, weights, _options(kind, query))


def _form(kind: str) -> str:
    tag = "pretrained tag|" if kind == "open_clip" else ""
    return f"{kind}:<architecture>{KINDS[kind]}<{tag}checkpoint file|none>"


def _split(text: str) -> tuple[str, str, str]:
    """Before the options, the question mark, and the options (a path may have question marks)."""
    head, mark, query = text.rpartition("?")
    return (head, mark, query) if mark and "=" in query else (text, "", "")


def _options(kind: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = options.keys() - _OPTIONS[kind]
    if unknown:
        known = ", ".join(sorted(_OPTIONS[kind]))
        raise InvalidInput(f"{kind} has no option {', '.join(sorted(unknown))}; it has {known}")
    return options
