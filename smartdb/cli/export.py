"""The command export: write a dataset version as files, list what was written, verify it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.exports import Export

_WRITTEN = ("dataset", "version", "format", "items", "splits", "files", "bytes", "manifest")
_LISTED = (
    "export_id", "dataset", "version", "format", "state", "n_items", "n_erased", "n_restricted",
    "uri",
)  # fmt: skip
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Named(click.Group):
    """A group in which the name of a dataset stands for the command that exports it."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        known = args and args[0] in self.commands
        return super().resolve_command(ctx, args if known else ["create", *args])


@click.group(cls=_Named)
def export() -> None:
    """Write a dataset version as files of a format, list exports, verify one.

    smartdb export DATASET --format F DEST is short for smartdb export create.
    """


@export.command()
@click.argument("dataset")
@click.argument("dest")
@click.option(
    "--format", "format_", required=True,
    help="coco, yolo, voc, cvat, label_studio, folders, webdataset, parquet, arrow, huggingface or "
    "croissant.",
)  # fmt: skip
@click.option("--version", help="Number or tag of the version [default: the newest].")
@click.option(
    "--images", "pictures", type=click.Choice(["copy", "link", "none"]), default="copy",
    show_default=True, help="Copy the pictures, link to where they lie, or leave them out.",
)  # fmt: skip
@click.option(
    "--names", type=click.Choice(["sha256", "original"]), default="sha256", show_default=True,
    help="What the pictures' files are called.",
)  # fmt: skip
@click.option("--seed", type=int, help="Shuffle by it [default: by content; webdataset by 0].")
@click.option(
    "--origin", "origins", multiple=True,
    help="Whose labels: human, import, consensus, model, propagated. May be repeated "
    "[default: the first three].",
)  # fmt: skip
@click.option("--boxes", is_flag=True, help="Write polygons, masks and the like as boxes.")
@click.option("--purpose", help="Use it is meant for [default: that of the version].")
@click.option("--leave-out-refused", is_flag=True, help="Leave media out that may not be exported.")
@click.option(
    "--shard-mb", type=click.FloatRange(0, min_open=True), default=256, show_default=True,
    help="Megabytes of pictures in a shard.",
)  # fmt: skip
@_AS_JSON
def create(
    dataset: str,
    dest: str,
    format_: str,
    version: str | None,
    pictures: str,
    names: str,
    seed: int | None,
    origins: tuple[str, ...],
    boxes: bool,
    purpose: str | None,
    leave_out_refused: bool,
    shard_mb: float,
    as_json: bool,
) -> None:
    """Write a version of DATASET to DEST, an empty folder or a place in a store.

    The same version gives the same bytes each time. An export that was cut off goes on where it
    stopped when it is run again. manifest.json, with the digest of every file, is written last.
    """
    from smartdb import database, exports
    from smartdb.export_plan import ORIGINS

    with database.session() as conn, output.counted("export") as tell:
        done = exports.export(
            conn,
            dataset,
            dest,
            format=format_,
            version=version,
            pictures=pictures,
            names=names,
            seed=seed,
            origins=origins or ORIGINS,
            boxes=boxes,
            purpose=purpose,
            leave_out_refused=leave_out_refused,
            shard_bytes=round(shard_mb * (1 << 20)),
            progress=tell,
        )
    if as_json:
        output.print_json(asdict(done))
    else:
        splits = ", ".join(f"{split} {n}" for split, n in done.splits.items())
        row = (done.dataset, done.version, done.format, done.n_items, splits, done.n_files,
               done.n_bytes, done.manifest_sha256[:16])  # fmt: skip
        output.table([row], _WRITTEN)
    _talk(done)


@export.command("list")
@click.argument("dataset", required=False)
@click.option("--stale", is_flag=True, help="Those that hold what was erased or hidden since.")
@_AS_JSON
def list_(dataset: str | None, stale: bool, as_json: bool) -> None:
    """List the exports of a dataset, or all."""
    from smartdb import database, exports

    with database.session("smartdb_reader") as conn:
        found = exports.exports(conn, dataset, stale=stale)
    if as_json:
        output.print_json([asdict(each) for each in found])
        return
    output.table(([getattr(each, name) for name in _LISTED] for each in found), _LISTED)


@export.command()
@click.argument("dest")
@_AS_JSON
def verify(dest: str, as_json: bool) -> None:
    """Read every file of the export at DEST and hold it against its manifest."""
    from smartdb import database, exports

    with database.session() as conn, output.counted("verify") as tell:
        found = exports.verify(conn, dest, tell)
    if as_json:
        output.print_json(asdict(found))
    elif found.wrong:
        output.table(found.wrong, ["file", "problem"])
    if found.wrong:
        n = len(found.wrong)
        raise click.ClickException(f"{n} of {found.n_files} files are not as they were written")
    output.say(f"{found.n_files} files, {found.n_bytes} bytes, as they were written")


def _talk(done: Export) -> None:
    if not done.is_new:
        output.say("it was there already, the same")
    for what, n in done.left_out.items():
        output.say(f"{n} media were left out: {what}")
    lost = sum(done.problems.values())
    if lost:
        output.say(f"{lost} labels or parts of labels have no place in {done.format}; such as:")
        for each in done.examples[:5]:
            output.say(f"  {each.where}: {each.detail}")
