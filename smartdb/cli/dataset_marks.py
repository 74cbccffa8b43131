"""More commands of dataset: restore, fork, tag, note, pin, unpin, prune, verify."""

from __future__ import annotations

from dataclasses import asdict

import click

from smartdb.cli import output
from smartdb.cli.dataset_options import AS_JSON, MESSAGE, NAME, REFUSED, report

_VERSION = click.argument("version")
_BY = click.option("--by", "actor", metavar="NAME", help="Who says so [default: the login].")


@click.command()
@NAME
@_VERSION
@click.option("--labels", is_flag=True, help="Also say again what was said of the members then.")
@_BY
@REFUSED
@MESSAGE
@AS_JSON
def restore(
    name: str,
    version: str,
    labels: bool,
    actor: str | None,
    leave_out_refused: bool,
    message: str,
    as_json: bool,
) -> None:
    """Seal a new version that equals an earlier one, by number or tag: members, splits, query.

    With --labels what was said of the members since is closed and what was said then is said
    again, as a new revision; history stays, and the new version has the digest of the earlier one.
    """
    from smartdb import database, datasets

    with database.session() as conn:
        made = datasets.restore(
            conn, name, version, labels=labels, actor=actor,
            leave_out_refused=leave_out_refused, message=message,
        )  # fmt: skip
    report(made, as_json)


@click.command()
@NAME
@_VERSION
@click.argument("new")
@REFUSED
@MESSAGE
@AS_JSON
def fork(
    name: str, version: str, new: str, leave_out_refused: bool, message: str, as_json: bool
) -> None:
    """Make the new dataset NEW of a version of another: its members, splits and labels."""
    from smartdb import database, datasets

    with database.session() as conn:
        made = datasets.fork(
            conn, name, version, new, leave_out_refused=leave_out_refused, message=message
        )
    report(made, as_json)


@click.command()
@NAME
@click.argument("tag", required=False)
@click.argument("version", required=False)
@click.option("--remove", is_flag=True, help="Take the tag away.")
@_BY
@AS_JSON
def tag(
    name: str, tag: str | None, version: str | None, remove: bool, actor: str | None, as_json: bool
) -> None:
    """Have TAG point to VERSION (the newest), or list where the tags point and pointed."""
    from smartdb import database, datasets, version_marks

    if tag is None:
        with database.session("smartdb_reader") as conn:
            found = version_marks.tags(conn, name)
        if as_json:
            output.print_json([asdict(each) for each in found])
        else:
            columns = ["tag", "version", "live", "by", "set"]
            output.table(
                [
                    [t.tag, t.version, "yes" if t.is_live else "no", t.actor, _when(t.created_at)]
                    for t in found
                ],
                columns,
            )
        return
    with database.session() as conn:
        if remove:
            was: int | None = version_marks.remove_tag(conn, name, tag)
            output.say(f"{tag} no longer points to version {was}")
            return
        to = datasets.find_version(conn, name, version).version
        was = version_marks.set_tag(conn, name, tag, to, actor=actor)
    output.say(f"{tag} points to version {to}" + (f", was {was}" if was is not None else ""))


@click.command()
@NAME
@click.argument("words", required=False)
@click.option("--version", help="The version, by number or tag [default: the dataset as a whole].")
@_BY
@AS_JSON
def note(
    name: str, words: str | None, version: str | None, actor: str | None, as_json: bool
) -> None:
    """Add a remark that nobody can change, or list the remarks."""
    from smartdb import database, datasets, version_marks

    if words is not None:
        with database.session() as conn:
            to = None if version is None else datasets.find_version(conn, name, version).version
            version_marks.add_note(conn, name, words, to, actor=actor)
        return
    with database.session("smartdb_reader") as conn:
        found = version_marks.notes(conn, name)
    if as_json:
        output.print_json([asdict(each) for each in found])
    else:
        rows = [[n.version, n.note, n.actor, _when(n.created_at)] for n in found]
        output.table(rows, ["version", "note", "by", "when"])


@click.command()
@NAME
@_VERSION
@click.argument("reason")
@_BY
def pin(name: str, version: str, reason: str, actor: str | None) -> None:
    """Keep a version from being pruned, and say why."""
    from smartdb import database, datasets, version_marks

    with database.session() as conn:
        to = datasets.find_version(conn, name, version).version
        done = version_marks.pin(conn, name, to, reason, actor=actor)
    output.say(f"version {to} {'is pinned' if done else 'was pinned already'}")


@click.command()
@NAME
@_VERSION
def unpin(name: str, version: str) -> None:
    """Let a version be pruned again."""
    from smartdb import database, datasets, version_marks

    with database.session() as conn:
        to = datasets.find_version(conn, name, version).version
        version_marks.unpin(conn, name, to)
    output.say(f"version {to} is no longer pinned")


@click.command()
@NAME
@click.option(
    "--keep", type=click.IntRange(1), default=5, show_default=True, help="Newest to keep."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@AS_JSON
def prune(name: str, keep: int, dry_run: bool, as_json: bool) -> None:
    """Give up old versions that nothing needs, and the membership that only they held.

    Pinned and tagged versions stay, and those of models, evaluations and exports. Of a pruned
    version its row and its digest are left. Labels are not touched.
    """
    from smartdb import database, version_marks

    with database.session() as conn:
        done = version_marks.prune(conn, name, keep, dry_run=dry_run)
    if as_json:
        output.print_json(asdict(done))
        return
    rows = [[v, "would go" if dry_run else "pruned"] for v in done.versions]
    rows += [[version, f"stays: {needed}"] for version, needed in done.needed.items()]
    output.table(sorted(rows), ["version", "what"])
    if not dry_run:
        output.say(f"{done.n_rows} rows of membership deleted")


@click.command()
@NAME
@_VERSION
@AS_JSON
def verify(name: str, version: str, as_json: bool) -> None:
    """Count a version again and compare it with its digest; exit 1 if it differs."""
    from smartdb import database, datasets

    with database.session("smartdb_reader") as conn:
        number = datasets.version_number(conn, name, version)
        found = datasets.verify(conn, name, number)
    if as_json:
        output.print_json(asdict(found))
    else:
        said = {True: "ok", False: "DIFFERS", None: "cannot be told"}[found.is_ok]
        output.table([[number, said, found.expected, found.found]], _VERDICT)
        output.say(found.reason)
    if found.is_ok is False:
        raise SystemExit(1)


def _when(at: object) -> str:
    return str(at)[:19]


_VERDICT = ["version", "verdict", "expected", "found"]
COMMANDS = (restore, fork, tag, note, pin, unpin, prune, verify)
"""In the order of the help."""
