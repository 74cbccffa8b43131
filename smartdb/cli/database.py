"""Commands about the database itself: init, up, down, psql, url, status, doctor."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from smartdb.cli import output


@click.command()
def init() -> None:
    """Create or upgrade the schema on the configured server. Safe to run again."""
    from smartdb import config, database, migrate

    given = config.database_url()
    if given is None:
        with database.served() as url:
            output.say(f"ready: {_place(url)}")
        return
    database.open_connection(given).close()  # says why, if it is refused
    migrate.upgrade(database.plain_url(given))
    output.say(f"ready: {_place(given)}")


@click.command()
def up() -> None:
    """Start the embedded server, keep it running, and print its address."""
    from smartdb import database, embedded

    _refuse_foreign_server("up")
    with embedded.used() as url:
        database.upgrade_if_needed(url)
        embedded.keep()
    click.echo(url)
    output.say("running until: smartdb down")


@click.command()
@click.option("--delete", is_flag=True, help="Also delete its data, for good.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
def down(delete: bool, yes: bool) -> None:
    """Stop the embedded server, disconnecting whoever uses it."""
    from smartdb import config, embedded

    _refuse_foreign_server("down")
    if delete and not yes:
        question = f"Delete all smartdb data in {config.home() / 'postgres'}?"
        click.confirm(question, abort=True, err=True)
    stopped = embedded.stop()
    output.say("stopped" if stopped else "it was not running")
    if delete:
        gone = embedded.delete()
        output.say("its data are deleted" if gone else "it had no data")


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "--role",
    default="smartdb_reader",
    show_default=True,
    help="Role to act as: smartdb_reader, _annotator, _reviewer, _writer, _privacy or _owner.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(role: str, arguments: tuple[str, ...]) -> None:
    """Open psql in the database; ARGUMENTS go to psql, as in: smartdb psql -c 'table media'."""
    from smartdb import database, shell

    with database.served() as url:
        database.connect(url, role=role).close()  # says why, if it is refused
        code = shell.psql(url, role, arguments)
    sys.exit(code)


@click.command()
def url() -> None:
    """Print the address of the database, for other clients."""
    from smartdb import config, database, server

    given = config.database_url()
    click.echo(server.url() if given is None else database.plain_url(given))
    if given is None and not server.is_running():
        output.say("it is not running; run: smartdb up")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Show the server, its versions and size, how much there is of what, and the last runs."""
    from smartdb import cluster, config, database
    from smartdb.status import status as read_status

    home = config.home()
    if config.database_url() is None and not cluster.exists(cluster.data_folder(home)):
        _print_absent(str(home), as_json)
        return
    state = _server_state()
    with database.session("smartdb_reader") as conn:
        found = read_status(conn)
        server = {"server": _place(database.default_url()), "state": state}
    if as_json:
        output.print_json({**server, **asdict(found)})
        return
    facts = {**server, "PostgreSQL": found.postgres, "pgvector": found.pgvector}
    facts["size"] = f"{found.n_bytes / 1e6:.0f} MB"
    output.table([*facts.items(), *found.counts.items()], ["what", "value"])
    if found.last_runs:
        click.echo()
        columns = ["run_id", "kind", "status", "started_at", "seconds", "counts", "error"]
        rows = [[getattr(run, name) for name in columns] for run in found.last_runs]
        output.table(rows, columns)


@click.command()
@click.option("--fix", is_flag=True, help="Repair what can be repaired.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(fix: bool, as_json: bool) -> None:
    """Check everything smartdb stands on; exit code 1 if something fails."""
    from smartdb.doctor import examine

    checks = examine(fix)
    if as_json:
        output.print_json([asdict(check) for check in checks])
    else:
        rows = [(c.state, c.name, c.detail, c.fix) for c in checks]
        output.table(rows, ["state", "check", "found", "fix"])
    if any(check.state == "fail" for check in checks):
        sys.exit(1)


def _server_state() -> str:
    """Whether a server was there before this command, and for how long it will be."""
    from smartdb import config, embedded, server

    if config.database_url() is not None:
        return "not started by smartdb"
    if not server.is_running():
        return "stopped (started for this command)"
    return "running until smartdb down" if embedded.is_kept() else "running while it is used"


def _print_absent(home: str, as_json: bool) -> None:
    place = f"embedded, in {home}"
    if as_json:
        output.print_json({"server": place, "state": "not created"})
        return
    output.table([("server", place), ("state", "not created")], ["what", "value"])
    output.say("run: smartdb init")


def _place(url: str) -> str:
    from smartdb import database

    where = database.location(url)
    return f"database {where['dbname']} at {where['host']}"


def _refuse_foreign_server(command: str) -> None:
    from smartdb import config
    from smartdb.errors import InvalidInput

    if config.database_url() is not None:
        raise InvalidInput(
            f"smartdb {command} is for the embedded server, but SMARTDB_DATABASE_URL names "
            "another one; unset it, or start and stop that server by its own means"
        )
