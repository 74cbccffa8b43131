"""Embeddings: every image gets its vector once, and what cannot have one is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import embeddings, encoders, images, walk
from smartdb.encoders import Encoder
from smartdb.errors import Conflict, DimensionMismatch, InvalidInput, NotFound
from smartdb.ingest import ingest

Connection = psycopg.Connection[Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with ten pictures, one of which has a name that is not UTF-8, one is turned."""
    made = tmp_path / "pictures"
    made.mkdir()
    for i in range(8):
        picture(i).save(made / f"{i}.png")
    picture(8).save(made / os.fsdecode(b"caf\xe9 '%\n.png"))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(9).save(made / "turned.jpg", exif=exif)
    return made


@pytest.fixture
def ingested(conn: Connection, folder: Path) -> Connection:
    """A connection to a database that knows the pictures of `folder`."""
    ingest(conn, folder, workers=1)
    return conn


def picture(seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(noise).resize((40, 30), Image.Resampling.BICUBIC)


def test_every_image_gets_the_vector_of_its_own_upright_picture(
    ingested: Connection, folder: Path
) -> None:
    encoder = encoders.load("descriptor", batch_size=3)
    counts = embeddings.embed(ingested, encoder, chunk=4)
    assert counts == {"added": 10} | dict.fromkeys(embeddings.REASONS, 0)
    ids, vectors = embeddings.read_vectors(ingested, "descriptor")
    assert ids.tolist() == sorted(ids)
    uris = dict(ingested.execute("select media_id, uri from core.media_location").fetchall())
    for media_id, vector in zip(ids, vectors, strict=True):
        path = Path(os.fsdecode(walk.path_of(uris[media_id])))
        (expected,) = encoder.encode([images.load_rgb(path)])
        np.testing.assert_allclose(vector, expected, atol=5e-4)


def test_a_second_run_with_nothing_new_does_nothing(ingested: Connection) -> None:
    embeddings.embed(ingested, encoders.load("descriptor"))

    def fail(_: Any) -> Any:
        raise AssertionError("nothing is to be computed")

    lazy = replace(encoders.load("descriptor"), prepare=fail)
    assert embeddings.embed(ingested, lazy)["added"] == 0
    runs = ingested.execute("select status, counts->>'added' from core.run where kind = 'embed'")
    assert runs.fetchall() == [("succeeded", "10")]


def test_only_new_images_are_computed(ingested: Connection, folder: Path) -> None:
    embeddings.embed(ingested, encoders.load("descriptor"))
    picture(20).save(folder / "new.png")
    ingest(ingested, folder, workers=1)
    assert embeddings.embed(ingested, encoders.load("descriptor"))["added"] == 1


def test_files_that_are_gone_changed_or_broken_are_told_and_the_others_embedded(
    ingested: Connection, folder: Path
) -> None:
    (folder / "0.png").unlink()
    picture(99).save(folder / "1.png")
    counts = embeddings.embed(ingested, encoders.load("descriptor"), chunk=3)
    assert (counts["added"], counts["missing"], counts["changed"]) == (8, 1, 1)
    rows = ingested.execute(
        "select substring(uri from '[^/]*$'), reason, n_bytes from core.quarantine order by uri"
    )
    assert rows.fetchall() == [("0.png", "missing", None), ("1.png", "changed", None)]
    again = embeddings.embed(ingested, encoders.load("descriptor"))
    assert (again["added"], again["missing"], again["changed"]) == (0, 1, 1)
    assert ingested.execute("select count(*) from core.quarantine").fetchone() == (2,)


def test_a_file_that_comes_back_is_embedded_and_leaves_the_quarantine(
    ingested: Connection, folder: Path
) -> None:
    (folder / "0.png").rename(folder / "away")
    embeddings.embed(ingested, encoders.load("descriptor"))
    (folder / "away").rename(folder / "0.png")
    assert embeddings.embed(ingested, encoders.load("descriptor"))["added"] == 1
    assert ingested.execute("select count(*) from core.quarantine").fetchone() == (0,)


def test_a_media_is_read_from_another_place_where_the_first_is_gone(
    conn: Connection, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        picture(1).save(tmp_path / name / "x.png")
        ingest(conn, tmp_path / name, workers=1)
    (tmp_path / "a" / "x.png").unlink()
    assert embeddings.embed(conn, encoders.load("descriptor"))["added"] == 1


def test_a_run_that_dies_keeps_its_chunks_and_the_next_run_does_the_rest(
    ingested: Connection,
) -> None:
    encoder = encoders.load("descriptor", batch_size=2)
    calls = 0

    def dying(pixels: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise MemoryError("out of memory")
        return encoder.forward(pixels)

    with pytest.raises(MemoryError):
        embeddings.embed(ingested, replace(encoder, forward=dying), chunk=2)
    ids, _ = embeddings.read_vectors(ingested, "descriptor")
    assert len(ids) == 6
    failed = ingested.execute("select status, error from core.run where kind = 'embed'").fetchall()
    assert failed == [("failed", "out of memory")]
    assert embeddings.embed(ingested, encoder)["added"] == 4


def test_no_transaction_is_open_while_the_model_computes(ingested: Connection) -> None:
    encoder = encoders.load("descriptor", batch_size=4)
    states = set()

    def watching(pixels: Any) -> Any:
        states.add(ingested.info.transaction_status.name)
        return encoder.forward(pixels)

    embeddings.embed(ingested, replace(encoder, forward=watching), chunk=4)
    assert states == {"IDLE"}


def test_vectors_of_another_length_than_promised_are_refused(ingested: Connection) -> None:
    lying = replace(encoders.load("descriptor"), dim=64)
    with pytest.raises(DimensionMismatch, match=r"64 dimensions, the model returned .* of 225"):
        embeddings.embed(ingested, lying)


def test_a_picture_without_a_vector_is_told(ingested: Connection) -> None:
    def forward(pixels: Any) -> Any:
        flat = pixels.reshape(len(pixels), -1).astype(np.float32)
        return np.where(np.arange(len(flat))[:, None] == 0, np.nan, flat)

    broken = replace(encoders.load("descriptor"), forward=forward, dim=32 * 32 * 3)
    counts = embeddings.embed(ingested, broken)
    assert (counts["added"], counts["no_vector"]) == (9, 1)


def test_the_same_name_with_other_weights_is_refused(conn: Connection) -> None:
    def prepare(image: Any) -> Any:
        return np.asarray(image)

    encoder = Encoder("net", 3, prepare, prepare, 1, weights_sha256=b"1" * 32,
                      preprocessing={"spec": "a", "size": 8})  # fmt: skip
    first = embeddings.register(conn, encoder)
    assert embeddings.register(conn, replace(encoder, preprocessing={"size": 8})) == first
    with pytest.raises(Conflict, match="other preparation of pixels"):
        embeddings.register(conn, replace(encoder, preprocessing={"size": 9}))
    with pytest.raises(Conflict, match="other weights"):
        embeddings.register(conn, replace(encoder, weights_sha256=b"2" * 32))


def test_an_encoder_is_found_by_its_name_or_as_the_only_one(conn: Connection) -> None:
    with pytest.raises(NotFound, match="no encoders yet; run: smartdb embed"):
        embeddings.find(conn)
    embeddings.register(conn, encoders.load("descriptor"))
    assert embeddings.find(conn).name == "descriptor"
    embeddings.register(conn, replace(encoders.load("descriptor"), name="b"))
    with pytest.raises(InvalidInput, match="name one with --encoder: b, descriptor"):
        embeddings.find(conn)
    with pytest.raises(NotFound, match="no encoder 'c'; there are: b, descriptor"):
        embeddings.find(conn, "c")


def test_a_registered_name_loads_the_encoder_it_was_registered_with(
    conn: Connection, tmp_path: Path
) -> None:
    import torch
    from torchvision import models

    model = models.squeezenet1_1()
    torch.save(model.state_dict(), tmp_path / "net.pt")
    spec = f"torchvision:squeezenet1_1@{tmp_path / 'net.pt'}?size=64&name=squeezed"
    embeddings.register(conn, encoders.load(spec))
    again = embeddings.resolve(conn, "squeezed", batch_size=2)
    assert (again.name, again.preprocessing["size"], again.batch_size) == ("squeezed", 64, 2)
    torch.nn.init.zeros_(model.features[0].weight)
    torch.save(model.state_dict(), tmp_path / "net.pt")
    with pytest.raises(Conflict, match="other weights than encoder 'squeezed'"):
        embeddings.resolve(conn, "squeezed")


def test_the_nearest_media_to_a_picture_and_to_a_media(ingested: Connection, folder: Path) -> None:
    encoder = encoders.load("descriptor")
    embeddings.embed(ingested, encoder)
    (query,) = encoder.encode([images.load_rgb(folder / "3.png")])
    found = embeddings.nearest(ingested, query, "descriptor", k=3)
    assert [row["uri"].endswith("/3.png") for row in found] == [True, False, False]
    assert found[0]["distance"] < 1e-3
    others = embeddings.nearest(ingested, found[0]["media_id"], "descriptor", k=2)
    assert [row["media_id"] for row in others] == [row["media_id"] for row in found[1:]]
    with pytest.raises(InvalidInput, match="has 225 dimensions, the query has 5"):
        embeddings.nearest(ingested, query[:5], "descriptor")


def test_vectors_of_some_media_are_read(ingested: Connection) -> None:
    embeddings.embed(ingested, encoders.load("descriptor"))
    ids, vectors = embeddings.read_vectors(ingested, "descriptor")
    some, few = embeddings.read_vectors(ingested, "descriptor", np.array([ids[4], ids[2], 999]))
    assert some.tolist() == [ids[2], ids[4]]
    np.testing.assert_array_equal(few, vectors[[2, 4]])
    none, empty = embeddings.read_vectors(ingested, "descriptor", np.zeros(0, np.int64))
    assert (none.shape, empty.shape) == ((0,), (0, 225))


def test_hidden_media_are_not_embedded(
    ingested: Connection, as_role: Callable[[str], Connection]
) -> None:
    ingested.execute("insert into core.restriction select min(media_id), 'test' from core.media")
    ingested.commit()
    assert embeddings.embed(ingested, encoders.load("descriptor"))["added"] == 9


def test_embed_prints_counts_and_says_what_failed(
    cli: Callable[..., Any], ingested: Connection, folder: Path
) -> None:
    (folder / "0.png").unlink()
    result = cli("embed", "--encoder", "descriptor")
    assert result.exit_code == 0, result.output
    assert "not semantic" in result.stderr
    assert "missing 1" in result.stderr
    assert "smartdb quarantine" in result.stderr
    assert [line.split() for line in result.stdout.splitlines()][1][:2] == ["descriptor", "9"]
    assert '"added": 0' in cli("embed", "--encoder", "descriptor", "--json").stdout


def test_encoders_lists_what_is_registered(cli: Callable[..., Any], ingested: Connection) -> None:
    assert cli("encoders", "--json").stdout.strip() == "[]"
    embeddings.embed(ingested, encoders.load("descriptor"))
    result = cli("encoders")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].split()[:4] == ["descriptor", "225", "10", "0"]


def test_nearest_takes_a_picture_or_a_media(
    cli: Callable[..., Any], ingested: Connection, folder: Path
) -> None:
    embeddings.embed(ingested, encoders.load("descriptor"))
    result = cli("nearest", str(folder / "3.png"), "-k", "2")
    assert result.exit_code == 0, result.output
    first = result.stdout.splitlines()[1].split()
    assert first[-1].endswith("/3.png")
    by_id = cli("nearest", first[0], "-k", "1", "--json")
    assert by_id.exit_code == 0, by_id.output
    assert first[0] not in by_id.stdout.split('"uri"')[0].split('"media_id": ')[1]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["embed", "--encoder", "nonsense"], 2, "no encoder 'nonsense'; write descriptor"),
        (["embed", "--encoder", "torchvision:resnet18@/no.pt"], 1, "no such checkpoint file"),
        (["nearest", "/nowhere/x.png"], 1, "no encoders yet; run: smartdb embed"),
        (["neighbours"], 1, "no encoders yet; run: smartdb embed"),
        (["neighbours", "-k", "0"], 2, "not in the range"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_an_exit_code(
    cli: Callable[..., Any], arguments: list[str], code: int, says: str
) -> None:
    result = cli(*arguments)
    assert (result.exit_code, says in result.stderr) == (code, True), result.output
    assert "Traceback" not in result.output


def test_nearest_to_a_file_that_is_not_there_says_so(
    cli: Callable[..., Any], ingested: Connection
) -> None:
    embeddings.embed(ingested, encoders.load("descriptor"))
    result = cli("nearest", "/nowhere/x.png")
    assert result.exit_code == 1
    assert "/nowhere/x.png" in result.stderr
    missing = cli("nearest", "123456")
    assert missing.exit_code == 1
    assert "no vector of encoder descriptor for media 123456" in missing.stderr
