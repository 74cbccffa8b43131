"""Command of the step Source: frames of videos as media."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smartdb.cli import output

if TYPE_CHECKING:
    from smartdb.choices import Choice


@click.command()
@click.option("--source", help="Only videos of this source [default: all].")
@click.option("--every", metavar="DURATION", help="A frame each 1s, 500ms, 2m, ...")
@click.option("--key-frames", is_flag=True, help="The frames that a video stores whole.")
@click.option(
    "--scenes",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    is_flag=False,
    flag_value=0.3,
    metavar="[THRESHOLD]",
    help="The first frame of each scene; a cut scores more than the threshold [default: 0.3].",
)
@click.option(
    "--workers", type=click.IntRange(1), help="Processes that decode [default: one a core]."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def frames(
    source: str | None,
    every: str | None,
    key_frames: bool,
    scenes: float | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Make media of frames of videos. A second run decodes nothing, another choice adds to it."""
    from smartdb import database
    from smartdb.frames import extract

    choice = _choice(every, key_frames, scenes)
    with database.session() as conn, output.counted("frames") as tell:
        counts = extract(conn, choice, source=source, workers=workers, progress=tell)
    if as_json:
        output.print_json(counts)
    else:
        output.table([list(counts.values())], list(counts))
    if counts["refused"]:
        output.say(f"{counts['refused']} videos refused; see: smartdb quarantine list")


def _choice(every: str | None, key_frames: bool, scenes: float | None) -> Choice:
    from smartdb import choices

    if (every is not None) + key_frames + (scenes is not None) != 1:
        raise click.UsageError("say which frames: one of --every 1s, --key-frames or --scenes")
    if every is not None:
        return choices.every(choices.duration(every))
    return choices.scenes(scenes) if scenes is not None else choices.key_frames()
