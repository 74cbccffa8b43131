"""Recipes: how pictures are varied for training, as steps of torchvision.transforms.v2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from smartdb.copy_paste import CopyPaste
from smartdb.errors import Conflict, InvalidInput, NotFound, translated
from smartdb.heads import needs
from smartdb.statements import statement

Step = Callable[[Any], Any] | CopyPaste

GEOMETRIC = (
    "CenterCrop", "Pad", "RandomAffine", "RandomCrop", "RandomHorizontalFlip", "RandomPerspective",
    "RandomResize", "RandomResizedCrop", "RandomRotation", "RandomShortestSize",
    "RandomVerticalFlip", "RandomZoomOut", "Resize", "ScaleJitter",
)  # fmt: skip
"""Steps that move pixels; labels move with them."""

COLOUR = (
    "ColorJitter", "GaussianBlur", "GaussianNoise", "JPEG", "RandomAdjustSharpness",
    "RandomAutocontrast", "RandomChannelPermutation", "RandomEqualize", "RandomGrayscale",
    "RandomInvert", "RandomPhotometricDistort", "RandomPosterize", "RandomSolarize",
)  # fmt: skip
"""Steps that change pixels where they are."""

CONTAINERS = ("RandomApply", "RandomChoice", "RandomOrder")
"""Steps of steps: their argument ``transforms`` is a pipeline."""

STEPS = (*GEOMETRIC, *COLOUR, *CONTAINERS, "CopyPaste")
"""All that may be in a recipe. Not among them: what torchvision cannot do to boxes and outlines
alike (AutoAugment and its kin, RandomErasing), and what bends them (ElasticTransform)."""


@dataclass(frozen=True)
class Recipe:
    """A recipe as the database knows it; ``pipeline`` are its steps as JSON."""

    recipe_id: int
    name: str
    pipeline: Sequence[Mapping[str, Any]]
    seed: int
    note: str

    @property
    def pastes(self) -> bool:
        """Whether it pastes objects of other media."""
        return any(step["transform"] == "CopyPaste" for step in self.pipeline)


def add(
    conn: psycopg.Connection[Any],
    name: str,
    pipeline: Sequence[Mapping[str, Any]],
    *,
    seed: int = 0,
    note: str = "",
) -> Recipe:
    """Writes down a recipe after building it; the same again returns the one that is there.

    InvalidInput says which step is unknown or which argument is wrong; Conflict if the name has
    other steps, for recipes do not change. The caller owns the transaction.
    """
    build(pipeline)
    if not -(2**63) <= seed < 2**63:
        raise InvalidInput(f"a seed has 64 bits, {seed} has more")
    values = {"name": name, "pipeline": Jsonb(list(pipeline)), "seed": seed, "note": note}
    with translated():
        conn.execute(statement("recipes", "add"), values)
    known = find(conn, name)
    if (list(known.pipeline), known.seed) != (list(pipeline), seed):
        raise Conflict(f"recipe {name!r} has other steps or another seed; give this one a new name")
    return known


def find(conn: psycopg.Connection[Any], name: str) -> Recipe:
    """The recipe of a name; NotFound says which there are."""
    known = all_recipes(conn)
    for recipe in known:
        if recipe.name == name:
            return recipe
    names = ", ".join(recipe.name for recipe in known) or "none; run: smartdb recipe add"
    raise NotFound(f"no recipe {name!r}; there are: {names}")


def all_recipes(conn: psycopg.Connection[Any]) -> list[Recipe]:
    """The recipes by name."""
    with translated(), conn.cursor(row_factory=class_row(Recipe)) as cursor:
        return cursor.execute(statement("recipes", "all")).fetchall()


def as_rows(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The recipes by name, as plain rows."""
    return [asdict(recipe) for recipe in all_recipes(conn)]


def build(pipeline: Sequence[Mapping[str, Any]]) -> list[Step]:
    """The steps of a pipeline, ready to be applied; InvalidInput says what is wrong with which."""
    needs("torchvision", "augmentation")
    if not isinstance(pipeline, list | tuple) or not pipeline:
        raise InvalidInput('a recipe is a list of {"transform": NAME, "arguments": {...}}')
    return [_step(step, f"step {place}", True) for place, step in enumerate(pipeline, 1)]


def _step(step: Any, where: str, is_top: bool) -> Step:
    if not isinstance(step, Mapping) or set(step) - {"transform", "arguments"}:
        raise InvalidInput(f'{where} is not {{"transform": NAME, "arguments": {{...}}}}: {step!r}')
    name, arguments = step.get("transform"), dict(step.get("arguments") or {})
    if name not in STEPS or (name == "CopyPaste" and not is_top):
        raise InvalidInput(f"{where}: there is no transform {name!r} here; there are: {_listed()}")
    if name in CONTAINERS:
        inner = arguments.get("transforms")
        if not isinstance(inner, list) or not inner:
            raise InvalidInput(f"{where} ({name}) needs transforms, a list of steps")
        within = [_step(one, f"{where}.{at}", False) for at, one in enumerate(inner, 1)]
        arguments["transforms"] = within
    try:
        return _make(name, arguments)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{where} ({name}): {error}") from error


def _make(name: str, arguments: dict[str, Any]) -> Step:
    if name == "CopyPaste":
        return CopyPaste(**arguments)
    from torchvision.transforms import InterpolationMode, v2

    if "interpolation" in arguments:
        arguments["interpolation"] = InterpolationMode(arguments["interpolation"])
    made: Step = getattr(v2, name)(**arguments)
    return made


def _listed() -> str:
    return ", ".join(sorted(STEPS))
