"""The command regions, and the search by a region for the command nearest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    import psycopg

    from smartdb.encoders import Encoder


@click.command()
@click.option("--encoder", "spec", metavar="SPEC", help="As for embed.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 2),
    help="Widen each region by this share of its size on each side [default: 0.1].",
)
@click.option("--device", default="cpu", show_default=True, help="Such as cuda or cuda:1.")
@click.option(
    "--batch", type=click.IntRange(1), default=64, show_default=True, help="Regions at a time."
)
@click.option(
    "--workers", type=click.IntRange(1), help="Threads that decode [default: one a core]."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def regions(
    spec: str | None,
    margin: float | None,
    device: str,
    batch: int,
    workers: int | None,
    as_json: bool,
) -> None:
    """Give every labelled box, rotated box, polygon and mask that has none its vector.

    A second run with nothing new does nothing; vectors of labels that were edited are deleted.
    """
    from smartdb import database, embeddings

    with database.session() as conn:
        encoder = embeddings.resolve(conn, spec, device=device, batch_size=batch)
        if encoder.note:
            output.say(encoder.note)
        counts = _embed(conn, encoder, margin, workers)
    if as_json:
        output.print_json({"encoder": encoder.name, **counts})
        return
    output.table([[encoder.name, *counts.values()]], ["encoder", *counts])
    failed = [f"{name} {counts[name]}" for name in embeddings.REASONS if counts[name]]
    if failed:
        output.say(f"without a vector: {', '.join(failed)}; see: smartdb quarantine list")


def _embed(
    conn: psycopg.Connection[Any], encoder: Encoder, margin: float | None, workers: int | None
) -> dict[str, int]:
    from smartdb import embeddings
    from smartdb import regions as all_regions

    embeddings.register(conn, encoder)
    _, n = all_regions.count(conn, embeddings.find(conn, encoder.name))
    conn.commit()
    with output.progress("regions", n) as tell:
        return all_regions.embed(conn, encoder, margin=margin, workers=workers, progress=tell)


def search(
    image_or_media_id: str | None,
    region: int | None,
    box: str | None,
    among: str | None,
    name: str | None,
    k: int,
    device: str,
    as_json: bool,
) -> None:
    """What ``smartdb nearest`` does where regions are searched, or searched by."""
    from smartdb import contents, database, embeddings
    from smartdb import regions as all_regions

    if (image_or_media_id is None) == (region is None) or (region is not None and box):
        raise click.UsageError("give an image or the id of a media, or else --region LABEL")
    with database.session() as conn:
        encoder = embeddings.find(conn, name).name
        if among == "media":
            query = _vector(conn, encoder, image_or_media_id, region, box, device)
            rows = embeddings.nearest(conn, query, encoder, k)
        else:
            query = region or _vector(conn, encoder, image_or_media_id, region, box, device)
            rows = all_regions.nearest(conn, query, encoder, k)
    if as_json:
        output.print_json(rows)
        return
    shown = [[*list(row.values())[:-1], contents.shown(row["uri"])] for row in rows]
    output.table(shown, [*list(rows[0])[:-1], "file"] if rows else ["label_id"])


def _vector(
    conn: psycopg.Connection[Any],
    name: str,
    image_or_media_id: str | None,
    region: int | None,
    box: str | None,
    device: str,
) -> Any:
    """The vector of a label's region, of a media, of a file, or of a box of one of these."""
    from smartdb import contents, crops, embeddings, images
    from smartdb import regions as all_regions

    if region is not None:
        return all_regions.read_vector(conn, region, name)
    assert image_or_media_id is not None
    encoder = embeddings.resolve(conn, name, device=device)
    if image_or_media_id.isdecimal() and not Path(image_or_media_id).exists():
        picture = contents.load_rgb(contents.find(conn, int(image_or_media_id)))
    else:
        picture = images.load_rgb(Path(image_or_media_id))
    if box:
        margin = all_regions.margin_of(conn, embeddings.find(conn, name))
        picture = crops.crop(picture, _numbers(box), margin)
    return encoder.encode([picture])[0]


def _numbers(box: str) -> list[float]:
    """The numbers of an x,y,width,height."""
    try:
        numbers = [float(part) for part in box.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        raise click.BadParameter("give four numbers: x,y,width,height", param_hint="--box")
    return numbers
