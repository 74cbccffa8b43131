"""Variants: pictures that a recipe makes of others, as media with labels, lineage and group.

A variant lies in the managed store. It is a child of its picture: in its sources, in its group of
every split, hidden and erased with it. Its labels are of origin propagated.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import Jsonb

import smartdb
from smartdb import (
    augment,
    clean_copy,
    contents,
    images,
    managed,
    models,
    overlays,
    plots,
    recipes,
    stores,
)  # fmt: skip
from smartdb.clean_copy import Look
from smartdb.contents import Content
from smartdb.copy_paste import Sample
from smartdb.datasets import find_version
from smartdb.errors import InvalidInput, NothingToDo, SmartdbError, translated
from smartdb.images import Refused
from smartdb.outlines import Outline
from smartdb.recipes import Recipe
from smartdb.runs import run as opened_run
from smartdb.statements import statement

COUNTS = ("added", "same", "known", "changed", "erased", "unread", "unfit")
"""What a run counts: variants added; whose bytes are a media already; made by an earlier run;
whose picture was hidden or labelled otherwise meanwhile (run again); that were erased once; of
pictures that cannot be read, or that the recipe cannot be applied to."""

PAGE = 50
"""Pictures whose variants are recorded and committed together."""

DONORS = 4
"""Pictures that one variant may take objects from."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Labelled:
    """A picture that can be read, its labels, and which rows these are."""

    content: Content
    outlines: tuple[Outline, ...]
    label_ids: tuple[int, ...]

    def sample(self) -> Sample:
        return Sample(contents.load_rgb(self.content), self.outlines)


def run(
    conn: psycopg.Connection[Any],
    name: str,
    media_ids: Sequence[int] | None = None,
    *,
    dataset: str | None = None,
    version: int | None = None,
    n: int = 1,
    seed: int | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Makes ``n`` variants by a recipe of each picture, and returns `COUNTS`. Commits each page.

    Of the images and frames of ``media_ids``, or of the train items of a dataset version (the
    newest). A recipe that pastes needs the dataset: objects come from its train items only, so
    that nothing of one split gets into another. The same recipe, seed and picture give the same
    variants in every database; those that are there are not made again. NotFound for what there
    is not, NothingToDo without pictures, InvalidInput where both or neither are given.
    """
    recipe = recipes.find(conn, name)
    steps = recipes.build(recipe.pipeline)
    if n < 1:
        raise InvalidInput(f"a picture gets 1 or more variants, not {n}")
    ids, donors = _chosen(conn, recipe, media_ids, dataset, version)
    seed = recipe.seed if seed is None else seed
    parameters = {"recipe": name, "seed": seed, "n": n, "dataset": dataset, "version": version}
    counts = Counter(dict.fromkeys(COUNTS, 0))
    todo = [page for page in _pages(conn, recipe, seed, ids, n, counts) if page]
    conn.commit()
    if todo:
        with translated(), opened_run(conn, "augment", parameters, seed) as opened:
            for page in todo:
                counts += _record(
                    conn, recipe, seed, _make(conn, steps, seed, donors, page), opened.run_id
                )
                conn.commit()
                if progress:
                    progress(len(page))
            opened.counts.update(counts)
    return {key: counts[key] for key in COUNTS}


def preview(
    conn: psycopg.Connection[Any], name: str, media_id: int, *, n: int = 7, seed: int | None = None
) -> bytes:
    """A sheet (PNG) of a picture and ``n`` variants of it with their labels; writes no media.

    Where the recipe pastes, objects of some other labelled pictures are taken. NotFound without
    such a recipe, media or file, InvalidInput where the recipe does not fit.
    """
    recipe = recipes.find(conn, name)
    steps = recipes.build(recipe.pipeline)
    contents.find_pictures(conn, [media_id])
    some = _ids(conn, "some", media_id=media_id, n=DONORS) if recipe.pastes else []
    found = _labelled(conn, [media_id, *some])
    conn.commit()
    sample = found[media_id].sample()
    donors = [found[i].sample() for i in some if i in found]
    seed = recipe.seed if seed is None else seed
    sha256 = found[media_id].content.sha256
    seeds = [augment.seed_of(seed, sha256, number) for number in range(1, n + 1)]
    made = [augment.apply(sample, steps, one, donors) for one in seeds]
    shown = [overlays.drawn(each) for each in [sample, *made]]
    captions = [f"media {media_id}", *(f"{name} {number}" for number in range(1, n + 1))]
    return plots.contact_sheet(shown, captions, columns=4, size=320)


def _chosen(
    conn: psycopg.Connection[Any],
    recipe: Recipe,
    media_ids: Sequence[int] | None,
    dataset: str | None,
    version: int | None,
) -> tuple[list[int], list[int]]:
    """The pictures to vary, and those to cut objects out of."""
    if (media_ids is None) == (dataset is None):
        raise InvalidInput("say of which media, or of which dataset's train items")
    if dataset is not None:
        number = find_version(conn, dataset, version).version
        items = models.read_items(conn, dataset, number)
        train = [int(i) for i in items.media_ids[items.of("train")]]
        return _ids(conn, "pictures", media_ids=train), train if recipe.pastes else []
    if recipe.pastes:
        raise InvalidInput(
            f"recipe {recipe.name!r} pastes objects of other media, which must be of the same "
            "split; name the dataset whose train items it may mix"
        )
    found = _ids(conn, "pictures", media_ids=[int(i) for i in media_ids or ()])
    if not found:
        raise NothingToDo("there are no images or frames among these media")
    return found, []


def _pages(
    conn: psycopg.Connection[Any],
    recipe: Recipe,
    seed: int,
    ids: Sequence[int],
    n: int,
    counts: Counter[str],
) -> Iterator[list[tuple[int, int]]]:
    """Pairs (media_id, number of the variant) that are to be made, page by page."""
    for at in range(0, len(ids), PAGE):
        page = list(ids[at : at + PAGE])
        values = {"recipe_id": recipe.recipe_id, "seed": seed, "media_ids": page}
        known = set(_rows(conn, "made", values))
        wanted = [(i, number) for i in page for number in range(1, n + 1)]
        counts["known"] += sum(pair in known for pair in wanted)
        yield [pair for pair in wanted if pair not in known]


@dataclass(frozen=True)
class _Made:
    """A variant that lies in the store, or why there is none."""

    parent: _Labelled
    number: int
    seed: int
    donors: tuple[_Labelled, ...]
    outcome: str
    uri: str = ""
    seen: images.Inspected | None = None
    outlines: tuple[Outline, ...] = ()


def _make(
    conn: psycopg.Connection[Any],
    steps: Sequence[recipes.Step],
    seed: int,
    donors: Sequence[int],
    page: list[tuple[int, int]],
) -> list[_Made]:
    """The variants of a page, in the store; nothing is open in the database meanwhile."""
    plans = _planned(conn, page, seed, donors)
    conn.commit()
    store = managed.root()
    known = {each.content.media_id: each for plan in plans for each in (plan[0], *plan[3])}
    loaded = lru_cache(maxsize=1 + DONORS)(lambda media_id: known[media_id].sample())
    return [_one(steps, store, loaded, *plan) for plan in plans]


def _planned(
    conn: psycopg.Connection[Any], page: list[tuple[int, int]], seed: int, donors: Sequence[int]
) -> list[tuple[_Labelled, int, int, tuple[_Labelled, ...]]]:
    """For each variant its picture, number, seed, and the pictures it may take objects from."""
    found = _labelled(conn, sorted({media_id for media_id, _ in page}))
    plans, wanted = [], set[int]()
    for media_id, number in page:
        if media_id in found:  # else it was hidden this moment
            parent = found[media_id]
            own = augment.seed_of(seed, parent.content.sha256, number)
            others = [i for i in donors if i != media_id]
            size = min(DONORS, len(others))
            rng = np.random.default_rng((own, 1))
            some = rng.choice(len(others), size, replace=False).tolist() if size else []
            chosen = tuple(others[at] for at in some)
            wanted |= set(chosen)
            plans.append((parent, number, own, chosen))
    known = _labelled(conn, sorted(wanted))
    return [(p, k, s, tuple(known[i] for i in c if i in known)) for p, k, s, c in plans]


def _one(
    steps: Sequence[recipes.Step],
    store: str,
    loaded: Callable[[int], Sample],
    parent: _Labelled,
    number: int,
    seed: int,
    donors: tuple[_Labelled, ...],
) -> _Made:
    try:
        given = loaded(parent.content.media_id)
        others = [loaded(each.content.media_id) for each in donors]
    except SmartdbError:
        return _Made(parent, number, seed, donors, "unread")
    try:
        sample = augment.apply(given, steps, seed, others)
    except InvalidInput:
        return _Made(parent, number, seed, donors, "unfit")
    mime = parent.content.mime if parent.content.kind == "image" else "image/jpeg"
    data = clean_copy.make(sample.picture, Look(mime))
    seen = images.inspect_bytes(data)
    if isinstance(seen, Refused):
        return _Made(parent, number, seed, donors, "unfit")
    uri = managed.place(store, seen.sha256)
    stores.write_new(uri, data)
    return _Made(parent, number, seed, donors, "made", uri, seen, sample.outlines)


def _record(
    conn: psycopg.Connection[Any], recipe: Recipe, seed: int, made: list[_Made], run_id: int
) -> Counter[str]:
    """Writes the variants; does not commit."""
    counts: Counter[str] = Counter()
    for each in made:
        if each.seen is None:
            counts[each.outcome] += 1
            continue
        how = {
            "step": "augment", "recipe": recipe.name, "pipeline": list(recipe.pipeline),
            "seed": each.seed, "number": each.number, "software": smartdb.__version__,
            "torchvision": _torchvision(), "donors": [d.content.media_id for d in each.donors],
            "labels": {"given": len(each.parent.outlines), "kept": len(each.outlines)},
        }  # fmt: skip
        seen = each.seen
        rows = [i for labelled in (each.parent, *each.donors) for i in labelled.label_ids]
        values = {
            "recipe_id": recipe.recipe_id, "parent": each.parent.content.media_id, "seed": seed,
            "number": each.number, "digest": seen.sha256, "mime": seen.mime,
            "n_bytes": seen.n_bytes, "width": seen.width, "height": seen.height,
            "phash": seen.phash, "how": Jsonb(how), "uri": each.uri, "run": run_id,
            "quality": list(astuple(seen.quality)) if seen.quality else None,
            "labels": Jsonb([_row(outline) for outline in each.outlines]),
            "read_labels": sorted(rows),
            "donors": [d.content.media_id for d in each.donors],
        }  # fmt: skip
        ((outcome,),) = _rows(conn, "record", values)
        counts[str(outcome)] += 1
    return counts


def _row(outline: Outline) -> dict[str, Any]:
    """A label as a row of core.label."""
    box = dict(zip("xywh", outline.box, strict=True)) if outline.box else {}
    return {**outline.row, **box, "kind": outline.kind, "shape": outline.shape}


def _labelled(conn: psycopg.Connection[Any], media_ids: Sequence[int]) -> dict[int, _Labelled]:
    """The pictures that may be seen, with their labels."""
    outlines, label_ids = defaultdict(list), defaultdict(list)
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        values = {"media_ids": list(media_ids)}
        for row in cursor.execute(statement("recipes", "labels"), values):
            box = None if row["x"] is None else (row["x"], row["y"], row["w"], row["h"])
            kept = ("class_id", "class", "actor_id", "confidence", "attributes")
            own = {key: row[key] for key in kept}
            outline = Outline(row["kind"], box, row["shape"], tuple(row["keypoints"]), own)
            outlines[row["media_id"]].append(outline)
            label_ids[row["media_id"]].append(row["label_id"])
    return {
        each.media_id: _Labelled(
            each, tuple(outlines[each.media_id]), tuple(label_ids[each.media_id])
        )
        for each in contents.find_all(conn, media_ids)
        if each.kind in contents.PICTURES
    }


def _torchvision() -> str:
    from importlib.metadata import version

    return version("torchvision")


def _ids(conn: psycopg.Connection[Any], name: str, **values: Any) -> list[int]:
    return [row[0] for row in _rows(conn, name, values)]


def _rows(conn: psycopg.Connection[Any], name: str, values: dict[str, Any]) -> list[Any]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("recipes", name), values).fetchall()
