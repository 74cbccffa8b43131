"""Pictures are PNGs of what the run found; where there is nothing, they say so."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import datasets, plots, predictions, runs, training
from smartdb.errors import InvalidInput, NotFound

Plot = Callable[..., bytes]


@pytest.fixture
def run_id(conn: psycopg.Connection) -> int:
    datasets.create_version(conn, "fruit", ontology="things")
    return training.train_head(conn, "fruit", 1).run_id


def opened(png: bytes, name: str) -> Image.Image:
    """The picture; kept as a file where PICTURES_OF_TESTS names a folder, to be looked at."""
    assert png.startswith(b"\x89PNG")
    if folder := os.environ.get("PICTURES_OF_TESTS"):
        (Path(folder) / f"{name}.png").write_bytes(png)
    return Image.open(io.BytesIO(png)).convert("RGB")


@pytest.mark.parametrize("plot", [plots.confusion, plots.class_bars, plots.loss, plots.slices])
def test_a_plot_of_a_run_is_a_picture_with_something_in_it(
    conn: psycopg.Connection, run_id: int, plot: Plot
) -> None:
    image = opened(plot(conn, run_id), plot.__name__)
    assert min(image.size) > 200
    assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 50
    assert plot(conn, run_id) == plot(conn, run_id)


def test_a_run_without_test_items_gives_pictures_that_say_so(conn: psycopg.Connection) -> None:
    datasets.create_version(conn, "all", ontology="things", val=0.0, test=0.0)
    run_id = training.train_head(conn, "all", 1).run_id
    for plot in (plots.confusion, plots.class_bars, plots.slices):
        image = opened(plot(conn, run_id), f"{plot.__name__}_empty")
        assert image.height < 120
    assert opened(plots.loss(conn, run_id), "loss_train").height > 200


def test_many_classes_are_cut_to_those_with_the_most_errors(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    owner.execute(
        "insert into core.class (ontology_id, name, version_from)"
        " select 1, 'kind ' || i, 1 from generate_series(4, 60) as i"
    )
    owner.execute("update core.label set rev_to = 0 where rev_to is null")
    owner.execute(
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " select i, 1 + i % 60, 'import', 1 from generate_series(1, 400) as i"
    )
    owner.commit()
    version = datasets.create_version(conn, "many", ontology="things")
    ids = np.arange(1, 401)
    p = np.eye(60)[np.where(ids % 60 < 10, (ids + 1) % 60, ids % 60)]
    with runs.run(conn, "train") as run:
        options = {"revision": version.revision, "dataset": "many", "version": 1}
        predictions.write(conn, run.run_id, ids, range(1, 61), p, **options)
    image = opened(plots.confusion(conn, run.run_id, "train"), "confusion_many")
    assert max(image.size) < 2000
    assert opened(plots.class_bars(conn, run.run_id, "train"), "class_bars_many").height < 1500


def test_a_run_without_predictions_is_named(conn: psycopg.Connection) -> None:
    with pytest.raises(NotFound, match="run 9 has no predictions"):
        plots.confusion(conn, 9)


def test_a_contact_sheet_shows_each_picture_and_a_grey_field_for_one_that_is_gone() -> None:
    small, wide = Image.new("L", (8, 8), 0), Image.new("RGB", (400, 100), "red")
    out = io.BytesIO()
    Image.new("RGB", (50, 90), "blue").save(out, "JPEG")
    png = plots.contact_sheet(
        [small, wide, out.getvalue(), None],
        ["7\n0.93", "a very long caption of it", "pear → plum", "gone"],
        columns=2,
        size=64,
    )
    image = opened(png, "contact_sheet")
    assert image.size == (2 * 72, 2 * (72 + 28))
    assert image.getpixel((36, 36)) == (0, 0, 0)
    assert image.getpixel((72 + 36, 36)) == (255, 0, 0)
    assert image.getpixel((72 + 36, 8)) == (255, 255, 255)
    assert image.getpixel((36, 136))[2] > 200
    assert image.getpixel((72 + 36, 136)) == (216, 218, 221)


def test_captions_are_one_for_each_picture() -> None:
    with pytest.raises(InvalidInput, match="1 captions for 2 pictures"):
        plots.contact_sheet([None, None], ["a"])
    assert plots.contact_sheet([]).startswith(b"\x89PNG")
