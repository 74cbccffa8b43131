"""Files that carry the bytes of their pictures: media and labels come in together, once."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb.importing import import_labels

Make = Callable[[Path], Path]


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((30, 40, 3), shade, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def shards(folder: Path) -> Path:
    """A WebDataset shard of a cat and a dog."""
    path = folder / "shard.tar"
    with tarfile.open(path, "w") as tar:
        for key, name in (("a", b"cat"), ("b", b"dog")):
            for ending, data in (("png", png(ord(key))), ("cls", name)):
                member = tarfile.TarInfo(f"{key}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return path


def table(folder: Path) -> Path:
    """A Parquet file as Hugging Face writes it, of a cat and a dog."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = [{"bytes": png(ord(key)), "path": f"{key}.png"} for key in "ab"]
    path = folder / "train.parquet"
    pq.write_table(pa.table({"image": images, "label": ["cat", "dog"]}), path)
    return path


@pytest.mark.parametrize("make", [shards, table])
def test_pictures_and_labels_come_in_together_and_once(
    conn: psycopg.Connection[Any], tmp_path: Path, make: Make
) -> None:
    path = make(tmp_path)
    planned = import_labels(conn, path, create_classes=True, dry_run=True)
    assert conn.execute("select count(*) from core.media").fetchone() == (0,)
    assert planned.pictures["new"] == 2
    for added in (2, 0):
        done = import_labels(conn, path, create_classes=True, workers=1)
        assert done.labels["added"] == added
    said = conn.execute(
        "select m.width, l.class from smartdb.label as l join smartdb.media as m using (media_id)"
        " order by l.class"
    )
    assert said.fetchall() == [(40, "cat"), (40, "dog")]
    assert conn.execute("select count(*) from core.media").fetchone() == (2,)
