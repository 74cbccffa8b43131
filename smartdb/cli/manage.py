"""Commands of the step Manage: embed, encoders, neighbours, nearest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    import psycopg

    from smartdb.encoders import Encoder

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NAME = click.option("--encoder", "name", help="Name of the encoder [default: the only one].")
_DEVICE = click.option("--device", default="cpu", show_default=True, help="Such as cuda or cuda:1.")


@click.command()
@click.option(
    "--encoder",
    "spec",
    metavar="SPEC",
    help="descriptor, open_clip:ARCHITECTURE/TAG|FILE|none, torchvision:ARCHITECTURE@FILE, "
    "timm:ARCHITECTURE@FILE, or the name of one that there is [default: open_clip if its weights "
    "are on this machine, else descriptor].",
)
@_DEVICE
@click.option(
    "--batch", type=click.IntRange(1), default=64, show_default=True, help="Pictures at a time."
)
@click.option(
    "--workers", type=click.IntRange(1), help="Threads that decode [default: one a core]."
)
@_AS_JSON
def embed(spec: str | None, device: str, batch: int, workers: int | None, as_json: bool) -> None:
    """Give every picture that has none its vector. A second run with nothing new does nothing."""
    from smartdb import database, embeddings

    with database.session() as conn:
        encoder = embeddings.resolve(conn, spec, device=device, batch_size=batch)
        if encoder.note:
            output.say(encoder.note)
        counts = _embed(conn, encoder, workers)
    if as_json:
        output.print_json({"encoder": encoder.name, **counts})
    else:
        output.table([[encoder.name, *counts.values()]], ["encoder", *counts])
    failed = [f"{name} {counts[name]}" for name in embeddings.REASONS if counts[name]]
    if failed:
        output.say(f"without a vector: {', '.join(failed)}; see: smartdb quarantine list")


def _embed(conn: psycopg.Connection[Any], encoder: Encoder, workers: int | None) -> dict[str, int]:
    from smartdb import embeddings

    embeddings.register(conn, encoder)
    n = embeddings.n_gap(conn, embeddings.find(conn, encoder.name))
    conn.commit()
    with output.progress("embed", n) as tell:
        return embeddings.embed(conn, encoder, workers=workers, progress=tell)


@click.command()
@_AS_JSON
def encoders(as_json: bool) -> None:
    """List the encoders, with how many pictures have a vector of each and how many have none."""
    from smartdb import database, embeddings

    columns = ["encoder", "dim", "n_vectors", "n_missing", "weights", "spec"]
    with database.session() as conn:
        rows = [_described(conn, one) for one in embeddings.all_encoders(conn)]
    if as_json:
        output.print_json([dict(zip(columns, row)) for row in rows])
    else:
        output.table(rows, columns)


def _described(conn: psycopg.Connection[Any], encoder: Any) -> list[Any]:
    from smartdb import embeddings

    weights = encoder.weights_sha256.hex()[:12] if encoder.weights_sha256 else None
    counts = embeddings.n_vectors(conn, encoder), embeddings.n_gap(conn, encoder)
    return [encoder.name, encoder.dim, *counts, weights, encoder.preprocessing.get("spec")]


@click.command()
@_NAME
@click.option("-k", type=click.IntRange(1, 1000), help="Edges each [default: as there are, or 10].")
@_AS_JSON
def neighbours(name: str | None, k: int | None, as_json: bool) -> None:
    """Find the nearest neighbours of every picture, and group the near-duplicates.

    Only pictures that are new, or lost a neighbour, are compared with all. Fewer edges than there
    are make no graph anew, more do.
    """
    from smartdb import database, duplicates, embeddings
    from smartdb.neighbours import build

    with database.session() as conn:
        encoder = embeddings.find(conn, name)
        n = embeddings.n_vectors(conn, encoder)
        conn.commit()
        with output.progress("neighbours", n) as tell:
            built = build(conn, encoder.name, k, progress=tell)
        grouped = duplicates.group(conn, encoder.name)
    counts: dict[str, Any] = {"encoder": encoder.name}
    counts |= {name: built[name] for name in ("k", "n_vectors", "n_edges", "n_compared")}
    counts |= {name: grouped[name] for name in ("n_groups", "n_media")}
    if as_json:
        output.print_json(counts)
    else:
        output.table([list(counts.values())], list(counts))
    if not built["is_new"]:
        output.say("nothing new: the edges are those of the last run")


@click.command("duplicates")
@_NAME
@_AS_JSON
def find_duplicates(name: str | None, as_json: bool) -> None:
    """Group the near-duplicates: pictures alike by hash and by vector. Needs no neighbours."""
    from smartdb import database, duplicates, hashes

    with database.session() as conn, output.progress("hashes", len(hashes.masks())) as tell:
        found = duplicates.group(conn, name, progress=tell)
    if as_json:
        output.print_json(found)
    else:
        output.table([[found["n_groups"], found["n_media"]]], ["n_groups", "n_media"])
    if not found["is_new"]:
        output.say("nothing new: the groups are those of the last run")
    else:
        output.say("which they are: select * from smartdb.duplicate_group order by group_id")


@click.command()
@click.argument("image_or_media_id", required=False)
@click.option("--region", type=int, metavar="LABEL", help="Search by the region of a label.")
@click.option("--box", metavar="X,Y,W,H", help="Search by this part of the picture.")
@click.option(
    "--among",
    type=click.Choice(["media", "regions"]),
    help="What to search [default: regions with --region or --box, else media].",
)
@_NAME
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many.")
@_DEVICE
@_AS_JSON
def nearest(
    image_or_media_id: str | None,
    region: int | None,
    box: str | None,
    among: str | None,
    name: str | None,
    k: int,
    device: str,
    as_json: bool,
) -> None:
    """Show what is nearest to a picture (a file, or the id of a media), or to a region of one."""
    from smartdb import contents, database, embeddings
    from smartdb.cli import regions

    if image_or_media_id is None or region is not None or box or among == "regions":
        regions.search(image_or_media_id, region, box, among, name, k, device, as_json)
        return
    with database.session() as conn:
        encoder = embeddings.find(conn, name).name
        query: Any
        if image_or_media_id.isdecimal() and not Path(image_or_media_id).exists():
            query = int(image_or_media_id)
        else:
            query = _vector(embeddings.resolve(conn, encoder, device=device), image_or_media_id)
        rows = embeddings.nearest(conn, query, encoder, k)
    if as_json:
        output.print_json(rows)
        return
    shown = [[*list(row.values())[:3], contents.shown(row["uri"])] for row in rows]
    output.table(shown, ["media_id", "distance", "source", "file"])


def _vector(encoder: Encoder, file: str) -> Any:
    return encoder.encode([encoder.load(Path(file))])[0]
