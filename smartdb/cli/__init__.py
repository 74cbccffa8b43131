"""The command ``smartdb``: parse, one call into the library, print.

Each command is imported when it is called, and `smartdb --help` reads the help of the others from
their source, so that neither waits for imports it does not need.
"""

from __future__ import annotations

import ast
import importlib
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import click

import smartdb

COMMANDS = {
    "demo": "smartdb.cli.demo:demo",
    "init": "smartdb.cli.database:init",
    "up": "smartdb.cli.database:up",
    "down": "smartdb.cli.database:down",
    "psql": "smartdb.cli.database:psql",
    "url": "smartdb.cli.database:url",
    "status": "smartdb.cli.database:status",
    "doctor": "smartdb.cli.database:doctor",
    "ingest": "smartdb.cli.source:ingest",
    "frames": "smartdb.cli.frames:frames",
    "sources": "smartdb.cli.source:sources",
    "source": "smartdb.cli.terms:source",
    "terms": "smartdb.cli.terms:terms",
    "subject": "smartdb.cli.erase:subject",
    "erase": "smartdb.cli.erase:erase",
    "quarantine": "smartdb.cli.source:quarantine",
    "import": "smartdb.cli.import_:import_",
    "detect": "smartdb.cli.privacy:detect",
    "sanitise": "smartdb.cli.privacy:sanitise",
    "finding": "smartdb.cli.privacy:finding",
    "threshold": "smartdb.cli.threshold:threshold",
    "embed": "smartdb.cli.manage:embed",
    "regions": "smartdb.cli.regions:regions",
    "recipe": "smartdb.cli.recipe:recipe",
    "augment": "smartdb.cli.recipe:augment",
    "encoders": "smartdb.cli.manage:encoders",
    "neighbours": "smartdb.cli.manage:neighbours",
    "duplicates": "smartdb.cli.manage:find_duplicates",
    "map": "smartdb.cli.graph:draw_map",
    "clusters": "smartdb.cli.graph:clusters",
    "nearest": "smartdb.cli.manage:nearest",
    "search": "smartdb.cli.search:search",
    "prompt": "smartdb.cli.search:prompt",
    "index": "smartdb.cli.search:index",
    "ontology": "smartdb.cli.ontology:ontology",
    "classes": "smartdb.cli.annotate:classes",
    "labels": "smartdb.cli.annotate:labels",
    "project": "smartdb.cli.project:project",
    "label": "smartdb.cli.label:label",
    "tasks": "smartdb.cli.annotate:tasks",
    "task": "smartdb.cli.task:task",
    "gold": "smartdb.cli.gold:gold",
    "detections": "smartdb.cli.detections:detections",
    "predictions": "smartdb.cli.predictions:predictions",
    "find-issues": "smartdb.cli.find_issues:find_issues",
    "detectors": "smartdb.cli.find_issues:detectors",
    "patterns": "smartdb.cli.find_issues:patterns",
    "rules": "smartdb.cli.rules:rules",
    "autolabel": "smartdb.cli.autolabel:autolabel",
    "exchange": "smartdb.cli.exchange:exchange",
    "find-box-issues": "smartdb.cli.box_issues:find_box_issues",
    "issues": "smartdb.cli.review:issues",
    "review": "smartdb.cli.review:review",
    "agreement": "smartdb.cli.consensus:agreement",
    "consensus": "smartdb.cli.consensus:consensus",
    "plan": "smartdb.cli.plan:plan",
    "slice": "smartdb.cli.slice:slice_",
    "tag": "smartdb.cli.tag:tag",
    "drift": "smartdb.cli.drift:drift",
    "dataset": "smartdb.cli.dataset:dataset",
    "export": "smartdb.cli.export:export",
    "train": "smartdb.cli.train:train",
    "predict": "smartdb.cli.train:predict",
    "runs": "smartdb.cli.train:runs",
    "confusion": "smartdb.cli.analyse:confusion",
    "errors": "smartdb.cli.analyse:errors",
    "slices": "smartdb.cli.analyse:slices",
    "compare": "smartdb.cli.analyse:compare",
    "lineage": "smartdb.cli.analyse:lineage",
    "sample": "smartdb.cli.sample:sample",
    "batch": "smartdb.cli.batch:batch",
    "prune": "smartdb.cli.prune:prune",
    "serve": "smartdb.cli.serve:serve",
    "dagster": "smartdb.cli.dagster:dagster",
}
"""Command → module:function, in the order of the help."""


class _Failed(click.ClickException):
    """An error for the user, without a traceback; exit code 1."""

    def show(self, file: Any = None) -> None:
        click.echo(f"error: {self.message}", file=file or sys.stderr)


class _Invalid(_Failed):
    """What was asked is not valid."""

    exit_code = 2


class _Interrupted(_Failed):
    """The user pressed Ctrl-C."""

    exit_code = 130


class _Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].split(":")
        command = getattr(importlib.import_module(module), function)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose(name)) for name in COMMANDS])

    def invoke(self, ctx: click.Context) -> Any:
        _prepare_process()
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, click.Abort):
            raise _Interrupted("interrupted") from None
        except Exception as error:
            if os.environ.get("SMARTDB_DEBUG") == "1":
                raise
            raise _failed(error) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(smartdb.__version__, message="%(version)s")
def main() -> None:
    """A dataset service for computer vision, with Postgres as the system of record.

    The server is the embedded one, or the one that SMARTDB_DATABASE_URL names. Results go to
    stdout, talk to stderr; the exit code is 0, 1 (it failed) or 2 (what was asked is not valid).
    """


def purpose(name: str) -> str:
    """First sentence of a command's help, read from its source."""
    module, function = COMMANDS[name].split(":")
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    raise LookupError(f"{module} has no function {function}")


def _failed(error: Exception) -> _Failed:
    """The error as its message; one that nobody foresaw says how to see where it came from."""
    import psycopg

    from smartdb.errors import SmartdbError, from_driver

    known = from_driver(error) if isinstance(error, psycopg.Error) else error
    if isinstance(known, SmartdbError):
        return (_Invalid if known.exit_code == 2 else _Failed)(str(known))
    return _Failed(f"{type(error).__name__}: {error} (this is a bug; SMARTDB_DEBUG=1 shows where)")


def _prepare_process() -> None:
    """Lets a terminated process clean up, and prints names that the terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        signal.signal(signal.SIGTERM, _exit)
        signal.signal(signal.SIGHUP, _exit)
    except ValueError:  # not in the main thread: signals do not come here
        pass


def _exit(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)
