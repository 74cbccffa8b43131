"""Fine-tuning a tiny open_clip tower on pixels: it learns, repeats itself, and is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import batches, datasets, evaluation, models, sampling, towers, training, walk
from smartdb.errors import EncoderUnavailable, InvalidInput, NotFound

ARCHITECTURE = "smartdb-finetune"
TINY = f"open_clip:{ARCHITECTURE}/none"
FAST = {"epochs": 4, "batch_size": 16, "learning_rate": 1e-3}


@pytest.fixture(scope="module", autouse=True)
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tells open_clip of a tiny architecture, while the tests of this file run."""
    import open_clip
    import torch
    from open_clip import factory

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the model is too small for more
    path = tmp_path_factory.mktemp("open_clip") / f"{ARCHITECTURE}.json"
    vision = {"image_size": 16, "layers": 1, "width": 32, "patch_size": 8, "head_width": 16}
    text = {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 1, "layers": 1}
    path.write_text(json.dumps({"embed_dim": 16, "vision_cfg": vision, "text_cfg": text}))
    open_clip.add_model_config(path)
    yield
    torch.set_num_threads(threads)
    factory._MODEL_CONFIG_PATHS.remove(path)
    factory._rescan_model_configs()


@pytest.fixture
def pictures(owner: psycopg.Connection, conn: psycopg.Connection, tmp_path: Path) -> Path:
    """Files for media 1 to 96 and 401 to 404: the class is a colour, with noise."""
    import hashlib

    rng = np.random.default_rng(0)
    owner.execute("delete from core.media_location")
    for media_id in [*range(1, 97), *range(401, 405)]:
        pixels = rng.integers(0, 130, (16, 16, 3), np.uint8)
        pixels[..., media_id % 3] += 60
        path = tmp_path / f"{media_id}.png"
        Image.fromarray(pixels).save(path)
        owner.execute(
            "insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)"
            " values (%s, 1, %s, 1, now())",
            [media_id, walk.uri_of(str(path).encode())],
        )
        digest = hashlib.sha256(path.read_bytes()).digest()
        owner.execute("update core.media set sha256 = %s where media_id = %s", [digest, media_id])
    owner.commit()
    datasets.create_version(conn, "fruit", ontology="things", query="m.media_id <= 96")
    return tmp_path


@pytest.mark.usefixtures("pictures")
def test_the_loss_falls_and_the_run_is_recorded_like_any_other(conn: psycopg.Connection) -> None:
    made = towers.finetune(conn, "fruit", 1, TINY, **FAST)
    losses = [loss for _, loss in evaluation.loss_curve(conn, made.run_id)["train"]]
    assert len(losses) == 4
    watched = "select count(*), min(n_epochs), max(n_epochs) from smartdb.training_dynamics"
    assert conn.execute(watched).fetchone() == (made.counts["train"], 4, 4)
    assert losses[-1] < 0.7 * losses[0]
    assert made.metrics["test"]["accuracy"] > 0.6
    row = conn.execute(
        "select model_id, encoder, classes, status from smartdb.training_run"
    ).fetchone()
    assert row == (made.model_id, None, ["apple", "pear", "plum"], "succeeded")
    query = "select count(*), count(class) from smartdb.prediction where run_id = %s"
    assert conn.execute(query, [made.run_id]).fetchone() == (96, 96)


@pytest.mark.usefixtures("pictures")
def test_the_same_again_returns_the_run_and_a_repetition_gives_the_same_weights(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    import smartdb

    first = towers.finetune(conn, "fruit", 1, TINY, **FAST)
    again = towers.finetune(conn, "fruit", 1, TINY, **FAST)
    assert (again.run_id, again.is_new) == (first.run_id, False)
    monkeypatch.setattr(smartdb, "__version__", "99")
    other = towers.finetune(conn, "fruit", 1, TINY, **FAST)
    one, two = (models.find_model(conn, run.model_id).sha256 for run in (first, other))
    assert other.is_new
    assert one == two


@pytest.mark.usefixtures("pictures")
def test_a_stored_tower_predicts_what_it_predicted_and_what_has_no_label(
    conn: psycopg.Connection,
) -> None:
    made = towers.finetune(conn, "fruit", 1, TINY, **FAST)
    found = training.predict(conn, made.model_id, [*range(1, 97), *range(401, 405)])
    assert found.n == 100
    query = "select probability from smartdb.prediction where run_id = %s and media_id <= 96"
    before, after = (
        np.array([row[0] for row in conn.execute(query + " order by media_id", [run])])
        for run in (made.run_id, found.run_id)
    )
    assert np.allclose(before, after, atol=1e-6)
    asked = {"pool": "unlabelled", "run": found.run_id}
    batch = sampling.sample(conn, "uncertain+diverse", 3, **asked)
    assert {item.media_id for item in batches.items(conn, batch)} < set(range(401, 405))


@pytest.mark.usefixtures("pictures")
def test_a_frozen_tower_keeps_its_weights_and_its_head_learns(conn: psycopg.Connection) -> None:
    from safetensors.torch import load

    from smartdb import artifacts
    from smartdb.encoders import clip
    from smartdb.encoders.spec import parse

    made = towers.finetune(conn, "fruit", 1, TINY, frozen=True, **FAST)
    model = models.find_model(conn, made.model_id)
    tensors = load(artifacts.read(model.uri, model.sha256))
    visual = clip._model(parse(TINY)).visual.state_dict()
    assert all((tensors[f"visual.{name}"] == each).all() for name, each in visual.items())
    losses = [loss for _, loss in evaluation.loss_curve(conn, made.run_id)["train"]]
    assert losses[-1] < losses[0]


def test_a_picture_whose_file_is_gone_fails_the_run_and_is_named(
    conn: psycopg.Connection, pictures: Path
) -> None:
    (pictures / "7.png").unlink()
    with pytest.raises(NotFound, match=r"7\.png"):
        towers.finetune(conn, "fruit", 1, TINY, **FAST)
    row = conn.execute("select status from core.run where kind = 'train'").fetchone()
    assert row == ("failed",)
    assert conn.execute("select count(*) from core.model").fetchone() == (0,)


@pytest.mark.usefixtures("pictures")
def test_what_cannot_be_tuned_is_refused(conn: psycopg.Connection) -> None:
    with pytest.raises(InvalidInput, match="only open_clip towers"):
        towers.finetune(conn, "fruit", 1, "descriptor")
    with pytest.raises(EncoderUnavailable, match="no image model 'none-such'"):
        towers.finetune(conn, "fruit", 1, "open_clip:none-such/none")
    with pytest.raises(InvalidInput, match="1 or more"):
        towers.finetune(conn, "fruit", 1, TINY, epochs=0)
    with pytest.raises(EncoderUnavailable, match="no device 'cuda:9'"):
        towers.finetune(conn, "fruit", 1, TINY, device="cuda:9")


@pytest.mark.usefixtures("pictures")
def test_a_recipe_varies_the_train_pictures_and_is_repeated(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    import smartdb
    from smartdb import recipes

    turned = [{"transform": "RandomAffine", "arguments": {"degrees": 40}}]
    recipes.add(conn, "turned", turned)
    recipes.add(conn, "pasted", [{"transform": "CopyPaste"}])
    conn.commit()
    few = FAST | {"epochs": 2}
    plain = towers.finetune(conn, "fruit", 1, TINY, **few)
    varied = towers.finetune(conn, "fruit", 1, TINY, recipe="turned", **few)
    assert varied.is_new
    assert not towers.finetune(conn, "fruit", 1, TINY, recipe="turned", **few).is_new
    monkeypatch.setattr(smartdb, "__version__", "99")
    again = towers.finetune(conn, "fruit", 1, TINY, recipe="turned", **few)
    one, two, three = (models.find_model(conn, r.model_id).sha256 for r in (plain, varied, again))
    assert one != two == three
    with pytest.raises(InvalidInput, match="pastes objects"):
        towers.finetune(conn, "fruit", 1, TINY, recipe="pasted", **few)
