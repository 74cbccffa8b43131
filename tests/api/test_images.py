"""Bytes: files, pictures for display, thumbnails."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from smartdb.api import create_app, images

Sql = Callable[..., list[tuple[Any, ...]]]


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_file_is_sent_byte_for_byte(client: FlaskClient, furnished: Any) -> None:
    answer = client.get(f"/v1/media/{furnished.media['lying.jpg']}/file")
    expected = (furnished.folder / "lying.jpg").read_bytes()
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", expected)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(expected).hexdigest()}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_range_of_a_file_is_sent(client: FlaskClient, furnished: Any) -> None:
    path = f"/v1/media/{furnished.media['lying.jpg']}/file"
    whole = client.get(path).data
    part = client.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    beyond = client.get(path, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.mimetype) == (416, "application/problem+json")


def test_a_range_of_an_older_file_is_not_mixed_in(client: FlaskClient, furnished: Any) -> None:
    path = f"/v1/media/{furnished.media['lying.jpg']}/file"
    answer = client.get(path, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["file", "image", "thumbnail"])
def test_what_the_browser_has_is_not_sent_again(
    client: FlaskClient, furnished: Any, kind: str
) -> None:
    path = f"/v1/media/{furnished.media['clear.png']}/{kind}"
    tag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_type_that_browsers_do_not_show_is_sent_as_bytes(
    client: FlaskClient, furnished: Any
) -> None:
    answer = client.get(f"/v1/media/{furnished.media['noise.tif']}/file")
    assert answer.mimetype == "application/octet-stream"


def test_an_image_for_display_is_upright_and_holds_only_pixels(
    client: FlaskClient, furnished: Any
) -> None:
    media_id = furnished.media["lying.jpg"]
    answer = client.get(f"/v1/media/{media_id}/image")
    shown = picture(answer.data)
    known = client.get(f"/v1/media/{media_id}").json
    assert (shown.format, shown.size) == ("JPEG", (80, 120))
    assert (known["width"], known["height"]) == shown.size
    assert not shown.getexif()
    assert b"secret comment" not in answer.data
    assert b"Exif" not in answer.data


@pytest.mark.parametrize("name", ["clear.png", "noise.tif", "name with 'quotes' & ünï.png"])
def test_other_images_are_displayed_as_png(client: FlaskClient, furnished: Any, name: str) -> None:
    answer = client.get(f"/v1/media/{furnished.media[name]}/image")
    shown = picture(answer.data)
    assert (answer.mimetype, shown.format, shown.mode) == ("image/png", "PNG", "RGB")


def test_a_thumbnail_is_small_upright_and_holds_only_pixels(
    client: FlaskClient, furnished: Any
) -> None:
    answer = client.get(f"/v1/media/{furnished.media['lying.jpg']}/thumbnail?size=60")
    shown = picture(answer.data)
    assert (answer.mimetype, shown.format, shown.size) == ("image/jpeg", "JPEG", (40, 60))
    assert not shown.getexif()
    assert b"secret comment" not in answer.data


@pytest.mark.parametrize("size", ["15", "1025", "big", "64&size=32", "64&sise=1"])
def test_a_size_that_thumbnails_do_not_have_is_refused(
    client: FlaskClient, furnished: Any, size: str
) -> None:
    answer = client.get(f"/v1/media/{furnished.media['lying.jpg']}/thumbnail?size={size}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")


def test_a_picture_too_large_to_display_says_what_to_ask_for(
    client: FlaskClient, furnished: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "DISPLAYABLE", 100)
    path = f"/v1/media/{furnished.media['lying.jpg']}"
    answer = client.get(f"{path}/image")
    assert answer.status_code == 422
    assert "thumbnail" in answer.json["detail"]
    assert client.get(f"{path}/file").status_code == 200


def test_a_media_whose_file_is_gone_is_a_problem(client: FlaskClient) -> None:
    for kind in ("file", "image", "thumbnail"):
        answer = client.get(f"/v1/media/1/{kind}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert "ingest its folder again" in answer.json["detail"]


def test_other_bytes_at_its_place_are_never_sent(
    own: FlaskClient, run_sql: Sql, furnished: Any, tmp_path: Path
) -> None:
    media_id = furnished.media["clear.png"]
    (tmp_path / "shadow").write_bytes(b"root:secret")
    _move(run_sql, media_id, tmp_path / "shadow")
    for kind in ("file", "image", "thumbnail"):
        answer = own.get(f"/v1/media/{media_id}/{kind}")
        assert answer.status_code == 404
        assert b"secret" not in answer.data


def test_another_place_serves_where_the_first_has_gone(
    own: FlaskClient, run_sql: Sql, furnished: Any, tmp_path: Path
) -> None:
    media_id = furnished.media["clear.png"]
    copy = shutil.copy(furnished.folder / "clear.png", tmp_path / "copy.png")
    _move(run_sql, media_id, tmp_path / "gone.png")
    assert own.get(f"/v1/media/{media_id}/file").status_code == 404
    run_sql(
        "insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at) "
        "values (%s, 1, %s, 1, now())",
        media_id,
        copy.as_uri(),
    )
    assert own.get(f"/v1/media/{media_id}/file").status_code == 200


def test_a_thumbnail_is_kept(furnished: Any, url: str, run_sql: Sql) -> None:
    media_id = furnished.media["noise.tif"]
    app = create_app(url)
    first = app.test_client().get(f"/v1/media/{media_id}/thumbnail").data
    _move(run_sql, media_id, furnished.folder / "gone.tif")
    assert app.test_client().get(f"/v1/media/{media_id}/thumbnail").data == first
    assert app.test_client().get(f"/v1/media/{media_id}/thumbnail?size=32").status_code == 404
    app.extensions["smartdb"].close()


def test_no_path_can_be_asked_for(client: FlaskClient) -> None:
    ids = ("../../etc/passwd", "%2e%2e%2fetc%2fpasswd", "-1", "0", "1e3", str(2**63))
    for path in (*(f"/v1/media/{each}/file" for each in ids), "/v1/media/1/file?path=/etc/passwd"):
        answer = client.get(path)
        assert answer.status_code in (404, 422)
        assert answer.mimetype == "application/problem+json"


def _move(run_sql: Sql, media_id: int, path: Path) -> None:
    run_sql("update core.media_location set uri = %s where media_id = %s", path.as_uri(), media_id)
