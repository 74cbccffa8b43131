"""Commands that search: search, prompt, index."""

from __future__ import annotations

import click

from smartdb.cli import output

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NAME = click.option("--encoder", "name", help="Name of the encoder [default: the only one].")
_DEVICE = click.option("--device", default="cpu", show_default=True, help="Such as cuda or cuda:1.")
_PREDICATE = click.option(
    "--predicate",
    default="true",
    help="Only media that fulfil this SQL condition on smartdb.media, read as m.",
)


@click.command()
@click.argument("text", required=False)
@click.option("--prompt", help="A saved text that pictures should look like.")
@click.option("--more", type=int, multiple=True, help="A media to find more like; repeatable.")
@click.option("--fewer", type=int, multiple=True, help="One to find fewer like; repeatable.")
@_NAME
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many.")
@_PREDICATE
@_AS_JSON
def search(
    text: str | None,
    prompt: str | None,
    more: tuple[int, ...],
    fewer: tuple[int, ...],
    name: str | None,
    k: int,
    predicate: str,
    as_json: bool,
) -> None:
    """Find pictures by words in captions, attributes and file names, by how they look, or both.

    TEXT, the words, is read as search engines do: "exact phrase", or, -without.
    """
    from smartdb import contents, database, predicates
    from smartdb.searching import Wish
    from smartdb.searching import search as find

    wish = Wish(text, prompt, more, fewer, name, predicate, k)
    with database.session(role="smartdb_reader") as conn, predicates.bounded(conn, predicate):
        rows = find(conn, wish)
    if as_json:
        output.print_json(rows)
        return
    columns = ["media_id", "score", "text_rank", "vector_rank", "distance", "class", "source"]
    shown = ([*(row[c] for c in columns), contents.shown(row["uri"])] for row in rows)
    output.table(shown, [*columns, "file"])


@click.group()
def prompt() -> None:
    """Save texts as vectors, so that SQL can search by them: smartdb.prompt('a red car')."""


@prompt.command("add")
@click.argument("texts", nargs=-1, required=True)
@_NAME
@_DEVICE
@_AS_JSON
def add(texts: tuple[str, ...], name: str | None, device: str, as_json: bool) -> None:
    """Save TEXTS as vectors by the encoder's text tower (open_clip models have one)."""
    from smartdb import database, embeddings, prompts

    with database.session() as conn:
        encoder = embeddings.resolve(conn, embeddings.find(conn, name).name, device=device)
        n = prompts.add(conn, encoder, texts)
    counts = {"encoder": encoder.name, "added": n, "known": len(set(texts)) - n}
    if as_json:
        output.print_json(counts)
    else:
        output.table([list(counts.values())], list(counts))


@prompt.command("list")
@_NAME
@_AS_JSON
def list_(name: str | None, as_json: bool) -> None:
    """List the saved texts."""
    from smartdb import database
    from smartdb.prompts import saved_prompts

    with database.session(role="smartdb_reader") as conn:
        rows = saved_prompts(conn, name)
    if as_json:
        output.print_json(rows)
    else:
        output.table((list(row.values()) for row in rows), ["encoder", "text", "created_at"])


@prompt.command("remove")
@click.argument("text")
@_NAME
def remove(text: str, name: str | None) -> None:
    """Take back a saved text."""
    from smartdb import database, prompts

    with database.session() as conn:
        prompts.remove(conn, name, text)


@click.command()
@_NAME
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="Answers compared.")
@click.option("--queries", default=20, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--seed", default=0, show_default=True, help="Chooses the queries.")
@_PREDICATE
@_AS_JSON
def index(name: str | None, k: int, queries: int, seed: int, predicate: str, as_json: bool) -> None:
    """Build the HNSW index of an encoder's vectors, if there is none, and print its recall.

    Worth it from some hundred thousand vectors on; a million take some minutes. The recall is that
    of smartdb.nearest against the exact answers, for some of the pictures as queries.
    """
    from smartdb import database, embeddings, predicates, searching

    with database.session() as conn:
        encoder = embeddings.find(conn, name).name
        is_new = searching.build_index(conn, encoder)
        conn.commit()
        with predicates.bounded(conn, predicate):
            report = searching.recall_report(
                conn, encoder, k=k, n_queries=queries, seed=seed, predicate=predicate
            )
    found = {"encoder": encoder, "is_new": is_new, "k": k, **report}
    if as_json:
        output.print_json(found)
    else:
        output.table([list(found.values())], list(found))
