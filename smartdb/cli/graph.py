"""Commands of the neighbour graph beside its edges: map, clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from smartdb.cli import output
from smartdb.cli.train import write_plot

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NAME = click.option("--encoder", "name", help="Name of the encoder [default: the only one].")


@click.command("map")
@_NAME
@click.option(
    "--method",
    type=click.Choice(["pca", "pacmap"]),
    help="pca is quick, pacmap (extra maps) keeps neighbours together [default: as it is, or pca].",
)
@click.option(
    "--clusters",
    "n_clusters",
    type=click.IntRange(1),
    help="How many clusters [default: as there are, or the root of half the media].",
)
@click.option("--seed", default=0, show_default=True, help="Of clusters and pacmap.")
@click.option("--anew", is_flag=True, help="Make clusters and map anew; the ids change.")
@click.option("--colour", type=click.Choice(["class", "cluster"]), help="What the colours tell.")
@click.option("-o", "--plot", type=click.Path(path_type=Path), help="Write the map, as PNG.")
@_AS_JSON
def draw_map(
    name: str | None,
    method: Any,
    n_clusters: int | None,
    seed: int,
    anew: bool,
    colour: Any,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Give every picture its cluster and its place on a map, and draw it.

    Brings the neighbour graph up to date first. What is new gets the nearest cluster and a place
    on the map that there is.
    """
    from smartdb import database, embeddings, media_graph, plots

    with database.session() as conn:
        encoder = embeddings.find(conn, name)
        n = embeddings.n_vectors(conn, encoder)
        conn.commit()
        with output.progress("neighbours", n) as tell:
            told = media_graph.update(
                conn,
                encoder.name,
                n_clusters=n_clusters,
                method=method,
                seed=seed,
                anew=anew,
                progress=tell,
            )
        picture = plots.media_map(conn, encoder.name, colour) if plot else b""
    write_plot(plot, picture)
    shown = {"encoder": encoder.name, **told}
    if as_json:
        output.print_json(shown)
    else:
        names = ["encoder", "method", "n_media", "n_clusters", "n_placed"]
        output.table([[shown[name] for name in names]], names)
    if not told["is_new"]:
        output.say("nothing new: clusters and map are those of the last run")


@click.command()
@_NAME
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@_AS_JSON
def clusters(name: str | None, limit: int, as_json: bool) -> None:
    """List the clusters, the largest first: main class, purity, the most central pictures."""
    from smartdb import database, media, media_graph

    with database.session("smartdb_reader") as conn:
        encoder = media.encoder_name(conn, name)
        rows = media_graph.largest_clusters(conn, encoder, limit)
    if as_json:
        output.print_json(rows)
        return
    for row in rows:
        row["central_media_id"] = " ".join(map(str, row["central_media_id"]))
    if rows:
        output.table((list(row.values()) for row in rows), list(rows[0]))
    else:
        output.say("there are no clusters yet; run: smartdb map")
