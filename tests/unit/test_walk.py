"""Walking a folder."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from smartdb import walk
from smartdb.errors import InvalidInput, NothingToDo

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
ODD_NAMES = [b"it's.png", b'"q".png', b"new\nline.png", b"caf\xe9.png", b"%41 #?.png"]


def names(folder: Path, tally: Counter[str] | None = None) -> list[bytes]:
    root = os.fsencode(folder)
    return [os.path.relpath(found.path, root) for found in walk.walk(folder, tally)]


def test_candidates_come_in_order_of_name_with_size_and_time(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/1.png", "a.JPG", "c.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(PNG)
    os.utime(tmp_path / "c.png", ns=(0, 1_700_000_000_123_456_789))
    found = list(walk.walk(tmp_path))
    assert [f.path[len(os.fsencode(tmp_path)) + 1 :] for f in found] == [
        b"a.JPG", b"b/1.png", b"b/2.png", b"c.png",
    ]  # fmt: skip
    assert found[-1].n_bytes == len(PNG)
    assert found[-1].modified_at == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)


def test_other_hidden_and_special_files_are_skipped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("a,b")
    (tmp_path / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / ".hidden.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "good.png").write_bytes(PNG)
    tally: Counter[str] = Counter()
    assert names(tmp_path, tally) == [b"good.png"]
    assert tally == {"skipped": 4}


def test_a_file_whose_first_bytes_are_an_image_is_a_candidate_whatever_its_name(
    tmp_path: Path,
) -> None:
    forms = {"a": "JPEG", "b.dat": "WEBP", "c.txt": "GIF", "d": "BMP", "e": "TIFF", "f": "AVIF"}
    for name, form in forms.items():
        Image.new("RGB", (8, 8), "red").save(tmp_path / name, form)
    (tmp_path / "BM.txt").write_text("BMW and other cars are not a bitmap at all")
    assert names(tmp_path) == [b"a", b"b.dat", b"c.txt", b"d", b"e", b"f"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_has_a_uri_that_leads_back_to_it(tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(PNG)
    (found,) = walk.walk(tmp_path)
    assert found.uri.startswith("file:///")
    assert found.uri.isascii()
    assert found.uri.isprintable()
    assert walk.path_of(found.uri) == path


def test_a_loop_of_symbolic_links_ends_and_each_folder_is_entered_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(PNG)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert names(tmp_path) == [b"a/1.png"]


def test_a_broken_link_with_an_image_name_comes_with_its_problem(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    (found,) = walk.walk(tmp_path)
    assert found.path.endswith(b"gone.png")
    assert found.problem == "cannot be looked at: No such file or directory"


def test_a_folder_below_that_cannot_be_listed_comes_with_its_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "z.png").write_bytes(PNG)
    listdir = os.listdir

    def refusing(path: bytes) -> list[bytes]:  # root may list everything, so chmod tests nothing
        if path.endswith(b"shut"):
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refusing)
    problems = [found.problem for found in walk.walk(tmp_path)]
    assert problems == ["folder cannot be listed: Permission denied", None]


def test_a_path_too_long_for_the_index_comes_with_its_problem_and_a_uri_of_its_own(
    tmp_path: Path,
) -> None:
    deep = tmp_path
    for _ in range(4):
        deep = deep / ("日" * 80)
        deep.mkdir()
    (deep / "1.png").write_bytes(PNG)
    (deep / "2.png").write_bytes(PNG)
    first, second = walk.walk(tmp_path)
    assert "too long" in str(first.problem)
    assert first.uri != second.uri
    assert max(len(first.uri), len(second.uri)) <= walk.MAX_URI


def test_a_modification_time_that_postgres_cannot_hold_becomes_the_nearest(tmp_path: Path) -> None:
    assert walk._time(10**21).year == 9999
    assert walk._time(-(10**21)).year == 1970


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no such folder: .*/nowhere; give a folder"):
        walk.walk(tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    with pytest.raises(InvalidInput, match=r"not a folder: .*/a\.png; give the folder"):
        walk.walk(tmp_path / "a.png")


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: bytes) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InvalidInput, match=r"cannot list the folder .*: Permission denied"):
        walk.walk(tmp_path)


def test_the_error_for_no_image_says_what_is_there_instead(tmp_path: Path) -> None:
    error = walk.nothing_found(tmp_path, Counter(skipped=3))
    assert isinstance(error, NothingToDo)
    assert "no image or video among its 3 files" in str(error)
    assert "it is empty" in str(walk.nothing_found(tmp_path, Counter()))


def test_class_of_is_the_folder_below_the_root(tmp_path: Path) -> None:
    root = "file:///data"
    assert walk.class_of("file:///data/cats/1.png", root) == "cats"
    assert walk.class_of("file:///data/a/b/1.png", root) == "a/b"
    assert walk.class_of("file:///data/1.png", root) is None
    assert walk.class_of("file:///data/caf%E9%20au/1.png", root) == "caf\\xe9 au"
    with pytest.raises(InvalidInput, match="does not lie below"):
        walk.class_of("file:///database/1.png", root)


def test_a_uri_of_another_kind_has_no_path() -> None:
    with pytest.raises(InvalidInput, match="not the URI of a local file: s3:"):
        walk.path_of("s3://bucket/a.png")
