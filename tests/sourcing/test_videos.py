"""What a video file holds, and its frames one by one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smartdb import clips, videos
from smartdb.images import Inspected, Refused

from .drawn_clips import write_clip

pytest.importorskip("av")

Write = Callable[..., Path]

N_FRAMES = {
    "asl/again.mkv": 77, "asl/bird.mkv": 63, "asl/eat.mkv": 47, "asl/yes.mkv": 65,
    "bottle-detection.mp4": 1189, "car-detection.mp4": 377, "carphone_distorted.mp4": 120,
    "carphone_pristine.mp4": 120, "decord/corrupted.mp4": 49, "decord/unordered.mov": 4,
    "decord/video_0.mov": 3, "decord/video_90.mov": 3, "decord/video_180.mov": 3,
    "decord/video_270.mov": 3, "test.avi": 164, "torchcodec/av1_video.mkv": 125,
    "torchcodec/h264_10bits.mp4": 30, "torchcodec/h265_video.mp4": 10,
    "torchcodec/nasa_13013.mp4": 390,
}  # fmt: skip
"""Of the clips of the shared data that can be decoded; the header of corrupted.mp4 tells 50."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write_clip` into the folder of the test."""
    return lambda name="clip.mp4", *args, **named: write_clip(tmp_path / name, *args, **named)


def _good(path: Path | bytes) -> Inspected:
    found = videos.inspect(path)
    assert isinstance(found, Inspected)
    return found


def test_a_video_tells_its_size_times_and_frames(write: Write) -> None:
    found = _good(write(creation_time="2024-05-06T07:08:09Z"))
    assert (found.kind, found.mime, found.width, found.height) == ("video", "video/mp4", 64, 48)
    assert (found.n_frames, found.duration, found.fps) == (20, pytest.approx(2), pytest.approx(10))
    assert (found.phash, found.quality, found.gps) == (None, None, None)
    assert str(found.captured_at) == "2024-05-06 07:08:09+00:00"
    assert found.attributes["codec"] == "h264"
    assert not found.attributes["has_audio"]
    assert "problem" not in found.attributes


def test_bytes_tell_what_the_file_tells(write: Write) -> None:
    path = write()
    assert _good(path.read_bytes()) == _good(path)


def test_a_variable_frame_rate_is_told(write: Write) -> None:
    ticks = [0, 1, 2, 7, 8, 20]
    found = _good(write("odd.mkv", ticks))
    assert found.attributes["is_variable_rate"]
    assert videos.frame_times(write("odd.mkv", ticks)) == pytest.approx([t / 10 for t in ticks])


def test_the_place_in_a_video_is_found(write: Write) -> None:
    found = _good(write(location="+48.8577+002.2950/"))
    assert found.gps == {"where": "video", "latitude": 48.8577, "longitude": 2.295}


def test_a_truncated_video_counts_what_can_be_decoded(write: Write) -> None:
    path = write("cut.mkv", range(200), {"g": "10"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = _good(path)
    assert 0 < (found.n_frames or 0) < 200
    assert "problem" in found.attributes


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.mp4", b"", "empty_file"),
        ("text.mp4", b"not a video", "not_a_video"),
        ("cut.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "corrupt"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not_a_video"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "not_a_video"),
    ],
)
def test_what_cannot_be_decoded_is_refused(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    found = videos.inspect(path)
    assert isinstance(found, Refused)
    assert found.reason == reason


def test_noise_anywhere_in_a_video_never_raises(write: Write) -> None:
    data, rng = write(ticks=range(40), options={"g": "10"}).read_bytes(), np.random.default_rng(0)
    for _ in range(30):
        noisy = np.frombuffer(data, np.uint8).copy()
        begin = rng.integers(0, len(noisy) - 100)
        noisy[begin : begin + 100] = rng.integers(0, 256, 100)
        assert isinstance(videos.inspect(noisy.tobytes()), Inspected | Refused)


def test_without_pyav_a_video_is_unsupported(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write()
    monkeypatch.setitem(sys.modules, "av", None)
    assert videos.inspect(path) == Refused(
        "unsupported", "videos need PyAV; run: pip install 'smartdb[video]'"
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("closed.mp4", {"g": "7", "bf": "3"}),
        ("open.mp4", {"x264-params": "open-gop=1:keyint=7:bframes=3:b-adapt=0:scenecut=0"}),
        ("open.mkv", {"x264-params": "open-gop=1:keyint=7:bframes=3:b-adapt=0:scenecut=0"}),
        ("refresh.mp4", {"x264-params": "intra-refresh=1:keyint=7"}),
        ("no_times.avi", {"bf": "0"}),
        ("stream.ts", {"g": "7", "bf": "3"}),
    ],
)
def test_any_frame_is_found_exactly(write: Write, name: str, options: dict[str, str]) -> None:
    path = write(name, range(40), options)
    timing = _good(path).attributes.get("timing", "presentation")
    n = 0
    for index, pts, frame in videos.numbered(path, timing):
        expected = np.asarray(clips.picture(frame))
        assert np.array_equal(np.asarray(videos.load_frame(path, index, pts)), expected), index
        n += 1
    assert n == 40


def test_times_out_of_order_are_replaced_and_frames_still_found(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write()
    swapped = _with_swapped_times(clips.Clip.frames)
    monkeypatch.setattr(clips.Clip, "frames", swapped)
    found = _good(path)
    assert found.attributes["timing"] in ("decoding", "numbered")
    timing = found.attributes["timing"]
    for index, pts, frame in videos.numbered(path, timing):
        expected = np.asarray(clips.picture(frame))
        assert np.array_equal(np.asarray(videos.load_frame(path, index, pts)), expected)


def _with_swapped_times(frames: Any) -> Any:
    def swapped(clip: clips.Clip) -> Iterator[Any]:
        for frame in frames(clip):
            frame.pts = frame.pts ^ 1024 if frame.pts is not None else None
            yield frame

    return swapped


def test_a_frame_that_is_not_there_is_an_error(write: Write) -> None:
    from smartdb.errors import InvalidInput, NotFound

    path = write()
    with pytest.raises(InvalidInput, match="no frame 99"):
        videos.load_frame(path, 99, 9.9)
    with pytest.raises(NotFound, match="any more"):
        videos.load_frame(path.with_name("gone.mp4"), 0, 0.0)


def test_samples_come_from_near_the_moments(write: Write) -> None:
    found = videos.sample(write(ticks=range(40), options={"g": "10"}), [0.0, 0.5, 1.0])
    assert [second for second, _ in found] == pytest.approx([0.0, 2.0, 3.9], abs=0.1)
    assert found[1][1].size == (64, 48)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "n"), N_FRAMES.items())
def test_shared_clips_hold_this_many_frames(shared_data: Path, name: str, n: int) -> None:
    assert _good(shared_data / "videos" / name).n_frames == n


@pytest.mark.shared
def test_times_are_those_of_torchcodec(shared_data: Path) -> None:
    folder = shared_data / "videos" / "torchcodec"
    told = json.loads((folder / "nasa_13013.mp4.stream3.all_frames_info.json").read_text())
    expected = [float(frame["pts_time"]) for frame in told]
    assert videos.frame_times(folder / "nasa_13013.mp4") == pytest.approx(expected, abs=1e-6)


@pytest.mark.shared
def test_turned_videos_come_upright(shared_data: Path) -> None:
    sizes = {}
    for degrees in (0, 90, 180, 270):
        path = shared_data / "videos" / "decord" / f"video_{degrees}.mov"
        found = _good(path)
        sizes[degrees] = (found.width, found.height)
        assert videos.load_frame(path, 1, videos.frame_times(path)[1]).size == sizes[degrees]
    assert sizes == {0: (568, 320), 90: (320, 568), 180: (568, 320), 270: (320, 568)}


@pytest.mark.shared
def test_a_damaged_video_is_taken_and_its_problem_noted(shared_data: Path) -> None:
    problem = _good(shared_data / "videos" / "decord" / "corrupted.mp4").attributes["problem"]
    assert "49 frames can be decoded, the header tells 50" in problem
