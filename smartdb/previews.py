"""Contact sheets of what a step found: PNG bytes, or None where there is nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import contents, plots
from smartdb.errors import InvalidInput, SmartdbError
from smartdb.statements import statement

if TYPE_CHECKING:
    from PIL import Image

    from smartdb.contents import Content

N = 24


def newest(conn: psycopg.Connection[Any], source: str) -> bytes | None:
    """The newest images of a source."""
    return _sheet(conn, "newest", source=source)


def duplicates(conn: psycopg.Connection[Any], source: str) -> bytes | None:
    """Near-duplicates, group by group."""
    return _sheet(conn, "duplicates", source=source)


def suspected(conn: psycopg.Connection[Any], ontology: str) -> bytes | None:
    """The most suspicious labels of an ontology: the class given, and the class suggested."""
    return _sheet(conn, "suspected", ontology=ontology)


def errors(conn: psycopg.Connection[Any], run_id: int) -> bytes | None:
    """The most confident errors of a run: the true class, and the predicted."""
    return _sheet(conn, "errors", run_id=run_id)


def batch(conn: psycopg.Connection[Any], batch_id: int) -> bytes | None:
    """What a sampler chose, with the reason."""
    return _sheet(conn, "batch", batch_id=batch_id)


def video(conn: psycopg.Connection[Any], media_id: int, n: int = 8) -> bytes:
    """A strip of ``n`` frames of a video, at equal distances, with their seconds.

    NotFound without such a media or its file, InvalidInput if it is no video or cannot be decoded.
    """
    from smartdb import videos

    content = contents.find(conn, media_id)
    conn.commit()
    if content.kind != "video":
        raise InvalidInput(f"media {media_id} is no video but of kind {content.kind}")
    source = contents.open_video(content)
    found = videos.sample(source, [(i + 0.5) / n for i in range(n)])
    pictures, captions = [p for _, p in found], [f"{second:.1f} s" for second, _ in found]
    return plots.contact_sheet(pictures, captions, columns=n, size=160)


def _sheet(conn: psycopg.Connection[Any], name: str, **values: Any) -> bytes | None:
    """The images of a statement for (media_id, caption), read after the transaction."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement("previews", name), {**values, "n": N}).fetchall()
    found = {each.media_id: each for each in contents.find_all(conn, (i for i, _ in rows))}
    conn.commit()
    if not rows:
        return None
    return plots.contact_sheet([_read(found.get(i)) for i, _ in rows], [text for _, text in rows])


def _read(content: Content | None) -> Image.Image | None:
    """The picture, or None if its file is gone or no longer one."""
    try:
        return contents.load_rgb(content) if content else None
    except SmartdbError:
        return None
