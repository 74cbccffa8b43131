"""Encoders: unit vectors from images, and one clear error where there are none to be had."""

from __future__ import annotations

import importlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smartdb import encoders, images
from smartdb.encoders import Encoder, NoVector, descriptor, hub
from smartdb.errors import EncoderUnavailable, InvalidInput

TINY = "open_clip:smartdb-tiny/none"
RESNET = "timm:test_resnet@none"
SQUEEZENET = "models/squeezenet1_1_imagenet_caffe_fp16.pt"
CAFFE = "bgr=1&mean=104,117,123&scale=255&size=227&name=squeezenet"


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The specification of a tiny open_clip model."""
    import open_clip
    from open_clip import factory

    config = tmp_path_factory.mktemp("open_clip") / "smartdb-tiny.json"
    vision = {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16}
    text = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    config.write_text(json.dumps({"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}))
    open_clip.add_model_config(config)
    yield TINY
    factory._MODEL_CONFIG_PATHS.remove(config)
    factory._rescan_model_configs()


def picture(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    """A smooth random picture."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def write(folder: Path, n: int) -> list[Path]:
    paths = [folder / f"{i}.png" for i in range(n)]
    for i, path in enumerate(paths):
        picture(i).save(path)
    return paths


@pytest.mark.parametrize("spec", ["descriptor", RESNET, "torchvision:squeezenet1_1@none?size=64"])
def test_an_encoder_gives_unit_vectors_that_do_not_depend_on_the_batch(spec: str) -> None:
    encoder = encoders.load(spec, batch_size=2)
    pictures = [picture(i) for i in range(5)]
    vectors = encoder.encode(pictures)
    assert vectors.shape == (5, encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    alone = np.concatenate([encoder.encode([one]) for one in pictures])
    np.testing.assert_allclose(vectors, alone, atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)


def test_no_images_give_no_vectors() -> None:
    assert encoders.load("descriptor").encode([]).shape == (0, descriptor.DIM)


def test_random_weights_are_the_same_each_time_and_say_that_they_are_random() -> None:
    import torch

    torch.manual_seed(1)
    first = encoders.load(RESNET)
    torch.manual_seed(2)
    second = encoders.load(RESNET)
    assert first.weights_sha256 == second.weights_sha256
    assert first.note is not None
    assert "random" in first.note
    assert first.preprocessing["spec"] == RESNET


def test_files_come_in_order_and_broken_ones_are_told_apart(tmp_path: Path) -> None:
    paths = write(tmp_path, 7)
    paths[3].write_bytes(paths[3].read_bytes()[:60])
    missing = tmp_path / "missing.png"
    encoder = encoders.load("descriptor", batch_size=3)
    batches = list(encoder.encode_files([*paths, missing]))
    good = [path for path in paths if path != paths[3]]
    assert [item for batch in batches for item in batch.items] == good
    assert [item for batch in batches for item, _ in batch.failed] == [paths[3], missing]
    vectors = np.concatenate([batch.vectors for batch in batches])
    expected = encoder.encode([images.load_rgb(path) for path in good])
    np.testing.assert_array_equal(vectors, expected)


def test_files_are_not_read_much_further_than_the_batches_taken(tmp_path: Path) -> None:
    taken: list[int] = []

    def files() -> Iterator[bytes]:
        for path in write(tmp_path, 40):
            taken.append(1)
            yield path.read_bytes()

    batches = encoders.load("descriptor", batch_size=2).encode_files(files())
    next(batches)
    assert len(taken) <= 8
    batches.close()  # type: ignore[attr-defined]


def test_a_picture_that_the_model_gives_no_vector_for_fails_alone() -> None:
    def forward(pixels: np.ndarray) -> np.ndarray:
        return pixels.reshape(len(pixels), -1).astype(np.float32)

    encoder = Encoder("x", 3, lambda image: np.asarray(image.resize((1, 1))), forward, 4)
    pictures = [Image.new("RGB", (2, 2), colour) for colour in ("red", "black", "blue")]
    (batch,) = encoder.encode_each([0, 1, 2], lambda i: pictures[i])
    assert batch.items == [0, 2]
    assert [(item, type(error)) for item, error in batch.failed] == [(1, NoVector)]
    with pytest.raises(NoVector):
        encoder.encode(pictures)


def test_the_descriptor_knows_the_same_picture_after_small_changes() -> None:
    encoder = encoders.load("descriptor")
    assert encoder.weights_sha256 is None
    assert encoder.note is not None
    assert "not semantic" in encoder.note
    original = picture(1, (200, 150))
    darker = original.point(lambda level: level * 0.9)
    half = original.resize((100, 75))
    vectors = encoder.encode([original, darker, half, *(picture(i) for i in range(2, 30))])
    distance = 1 - vectors[1:] @ vectors[0]
    assert max(distance[:2]) < 0.02
    assert min(distance[2:]) > 0.1


@pytest.mark.parametrize("colour", ["black", "white", "gray"])
def test_the_descriptor_describes_pictures_of_one_colour(colour: str) -> None:
    vectors = encoders.load("descriptor").encode([Image.new("RGB", (9, 9), colour)])
    np.testing.assert_allclose(np.linalg.norm(vectors), 1, atol=1e-6)


def test_the_descriptor_tells_handwritten_digits_apart() -> None:
    from sklearn.datasets import load_digits

    data = load_digits()
    pictures = [Image.fromarray((one * 15).astype(np.uint8)) for one in data.images]
    vectors = encoders.load("descriptor").encode(one.resize((32, 32)) for one in pictures)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    assert (data.target[similarity.argmax(axis=1)] == data.target).mean() > 0.985


def test_open_clip_vectors_are_those_of_open_clip(tiny_clip: str) -> None:
    import open_clip
    import torch

    encoder = encoders.load(tiny_clip)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = open_clip.create_model("smartdb-tiny").eval()
    _, _, preprocess = open_clip.create_model_and_transforms("smartdb-tiny")
    pictures = [picture(1), picture(2)]
    with torch.inference_mode():
        batch = torch.stack([preprocess(one) for one in pictures])
        expected = model.encode_image(batch, normalize=True).numpy()
        words = model.encode_text(open_clip.tokenize(["a cat", "a dog"], 16), normalize=True)
    np.testing.assert_allclose(encoder.encode(pictures), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_text(["a cat", "a dog"]), words.numpy(), atol=1e-5)
    assert encoder.encode_text([]).shape == (0, 24)


def test_an_open_clip_checkpoint_file_is_loaded(tiny_clip: str, tmp_path: Path) -> None:
    import open_clip
    import torch

    model = open_clip.create_model("smartdb-tiny")
    torch.save({"state_dict": model.state_dict()}, tmp_path / "epoch_1.pt")
    encoder = encoders.load(f"open_clip:smartdb-tiny/{tmp_path / 'epoch_1.pt'}")
    assert encoder.note is None
    assert encoder.weights_sha256 != encoders.load(tiny_clip).weights_sha256
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(EncoderUnavailable, match="does not fit smartdb-tiny"):
        encoders.load(f"open_clip:smartdb-tiny/{tmp_path / 'other.pt'}")


def test_only_open_clip_models_have_a_text_tower() -> None:
    with pytest.raises(InvalidInput, match="no text tower"):
        encoders.load("descriptor").encode_text(["a cat"])


def test_torchvision_preparation_is_that_of_torchvision() -> None:
    from torchvision.transforms import CenterCrop, Resize

    from smartdb.encoders.tower import Pixels, prepare

    pixels = Pixels(size=24, resize=28, mean=(0, 0, 0), std=(1, 1, 1))
    for size in ((40, 30), (30, 47), (28, 28), (33, 90)):
        expected = CenterCrop(24)(Resize(28)(picture(1, size)))
        np.testing.assert_array_equal(prepare(picture(1, size), pixels), np.asarray(expected))


def test_pixels_are_normalised_as_asked() -> None:
    import torch

    from smartdb.encoders import weights

    pixels = np.array([[[[255, 51, 0]]]], np.uint8)
    run = weights.forward(lambda x: x.flatten(1), torch.device("cpu"), [104, 117, 123], [1, 1, 1],
                          scale=255, bgr=True)  # fmt: skip
    np.testing.assert_allclose(run(pixels), [[-104, 51 - 117, 255 - 123]], atol=1e-4)


def test_a_checkpoint_of_a_whole_classifier_gives_the_layer_before_the_last(tmp_path: Path) -> None:
    import torch
    from torchvision import models

    model = models.resnet18(num_classes=3)
    torch.save({"state_dict": {f"module.{n}": t for n, t in model.state_dict().items()}},
               tmp_path / "what?=.pt")  # fmt: skip
    encoder = encoders.load(f"torchvision:resnet18@{tmp_path / 'what?=.pt'}?size=32&name=mine")
    assert (encoder.name, encoder.dim) == ("mine", 512)
    model.fc = torch.nn.Identity()
    from smartdb.encoders import weights

    assert encoder.weights_sha256 == weights.digest(model)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("clip", "write descriptor, open_clip:<architecture>/"),
        ("torchvision:resnet18", "incomplete; write torchvision:<architecture>@<checkpoint"),
        ("torchvision:resnet18@none?siz=3", "no option siz; it has bgr"),
        ("torchvision:resnet18@none?size=large", "size .* must be one number"),
        ("torchvision:resnet18@none?mean=1,2", "mean .* must be 3 numbers"),
        ("torchvision:resnet18@none?size=64&resize=32", "resize not below size"),
        ("torchvision:resnet18@none?std=0,1,1", "std .* must be above 0"),
    ],
)
def test_a_specification_that_is_not_one_says_how_to_write_it(spec: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        encoders.load(spec)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("torchvision:resnet19@none", "no image model 'resnet19'; .*resnet18"),
        ("timm:resnt18@none", "no image model 'resnt18'; .*resnet18"),
        ("open_clip:ViT-B-33/none", "no image model 'ViT-B-33'; .*ViT-B-32"),
        ("open_clip:ViT-B-32/laion3b", "neither a checkpoint file nor a tag .*openai"),
        ("torchvision:resnet18@/nowhere/net.pt", "no such checkpoint file: /nowhere/net.pt"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(spec: str, says: str) -> None:
    with pytest.raises(EncoderUnavailable, match=says):
        encoders.load(spec)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    file = tmp_path / "net.pt"
    file.write_bytes(b"not a checkpoint")
    with pytest.raises(EncoderUnavailable, match=f"cannot read weights from {file}"):
        encoders.load(f"torchvision:resnet18@{file}")


def test_a_checkpoint_with_code_in_it_is_refused_and_not_run(tmp_path: Path) -> None:
    import torch

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

    torch.save({"conv1.weight": Evil()}, tmp_path / "net.pt")
    with pytest.raises(EncoderUnavailable, match="cannot read weights"):
        encoders.load(f"torchvision:resnet18@{tmp_path / 'net.pt'}")
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_of_another_model_names_what_does_not_fit(tmp_path: Path) -> None:
    import torch

    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "net.pt")
    with pytest.raises(EncoderUnavailable, match=r"does not fit resnet18: bn1.weight is missing"):
        encoders.load(f"torchvision:resnet18@{tmp_path / 'net.pt'}")


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(EncoderUnavailable, match=r"no device 'nonsense'.*--device cpu"):
        encoders.load(RESNET, device="nonsense")


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A hub that takes connections and never answers, with nothing in the cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(hub, "SECONDS", 0.5)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield


def test_weights_that_cannot_be_downloaded_fail_within_seconds_saying_what_to_do(
    silent_hub: None,
) -> None:
    start = time.monotonic()
    with pytest.raises(EncoderUnavailable, match=r"cannot be reached .* give a checkpoint file"):
        encoders.load("open_clip:ViT-B-32/laion2b_s34b_b79k")
    assert time.monotonic() - start < 3


def test_a_proxy_that_answers_for_a_hub_it_cannot_reach_is_no_hub() -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Proxy(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(int(self.path[1:]))
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert [hub.answers(f"{url}/{code}") for code in (200, 404, 502, 503)] == [
            True, True, False, False,
        ]  # fmt: skip
        server.shutdown()


def test_the_default_is_the_descriptor_and_says_why_where_there_are_no_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    encoder = encoders.default_encoder()
    assert encoder.name == "descriptor"
    assert encoder.note is not None
    assert "no weights of open_clip:ViT-B-32/laion2b_s34b_b79k" in encoder.note
    assert encoders.name_of(None) == "descriptor"


def test_a_library_that_is_not_installed_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = importlib.import_module("smartdb.encoders.load")
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(EncoderUnavailable, match=r"needs open_clip and torch; run: pip install"):
        encoders.load("open_clip:ViT-B-32/none")


@pytest.mark.shared
def test_squeezenet_from_a_caffe_checkpoint_knows_what_is_alike(shared_data: Path) -> None:
    encoder = encoders.load(f"torchvision:squeezenet1_1@{shared_data / SQUEEZENET}?{CAFFE}")
    assert (encoder.name, encoder.dim) == ("squeezenet", 512)
    folder = shared_data / "cifar10" / "images" / "test"
    paths = [p for name in ("automobile", "frog") for p in sorted((folder / name).iterdir())[:40]]
    vectors = np.concatenate([batch.vectors for batch in encoder.encode_files(paths)])
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    nearest = similarity.argmax(axis=1)
    assert ((nearest < 40) == (np.arange(80) < 40)).mean() > 0.85
