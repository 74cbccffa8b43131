"""Recipes: how pictures are varied for training."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import Field

from smartdb.recipes import as_rows

from .database import read
from .fields import Resource
from .spec import operation

routes = Blueprint("recipes", __name__, url_prefix="/v1")


class Recipe(Resource):
    """A recipe of augmentation; it is never changed."""

    recipe_id: int
    name: str
    pipeline: Any = Field(description='Steps in order: [{"transform": ..., "arguments": ...}].')
    seed: int
    note: str


class Recipes(Resource):
    """The recipes, by name."""

    items: list[Recipe]


@routes.get("/recipes")
@operation("datasets", Recipes)
def list_recipes() -> Recipes:
    """The recipes that pictures can be varied by."""
    return Recipes.model_validate({"items": read(as_rows)})
