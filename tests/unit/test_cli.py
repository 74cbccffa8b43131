"""The command ``smartdb``: quick help, and errors as one line with an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import psycopg
import pytest
from click.testing import CliRunner, Result

import smartdb
from smartdb import cli
from smartdb.cli import main
from smartdb.errors import InvalidInput, NotFound

HEAVY = ["torch", "open_clip", "flask", "dagster", "scipy", "sklearn", "numpy", "psycopg"]


def _raise(error: BaseException) -> Result:
    """What the CLI does with a command that raises this."""

    @click.command("failing")
    def failing() -> None:
        raise error

    commands = {"failing": failing}
    group = cli._Commands("smartdb", callback=lambda: None)
    group.get_command = lambda _, name: commands[name]  # type: ignore[method-assign]
    return CliRunner().invoke(group, ["failing"])


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    body = (
        "import sys; from smartdb.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", body]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"
    assert all(f"\n  {name} " in done.stdout for name in cli.COMMANDS)


def test_help_comes_at_once() -> None:
    command = [sys.executable, "-m", "smartdb", "--help"]
    times = []
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            times.append(usage.ru_utime + usage.ru_stime)  # a busy machine does not count
    assert min(times) < 0.4


def test_the_help_of_each_command_begins_as_the_list_says() -> None:
    for name in cli.COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"], terminal_width=1000)
        assert result.exit_code == 0, result.output
        assert cli.purpose(name)[:60] in " ".join(result.output.split())


def test_commands_with_help_have_help_for_every_option() -> None:
    with click.Context(main) as ctx:
        for name in cli.COMMANDS:
            for parameter in main.get_command(ctx, name).params:
                if isinstance(parameter, click.Option):
                    assert parameter.help, f"{name} {parameter.opts}"


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"{smartdb.__version__}\n"


def test_an_unknown_command_exits_with_2() -> None:
    result = CliRunner().invoke(main, ["dance"])
    assert result.exit_code == 2
    assert "No such command 'dance'" in result.output


def test_an_error_is_one_line_and_exit_code_1() -> None:
    result = _raise(NotFound("no source pets; run: smartdb sources"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: no source pets; run: smartdb sources\n"


def test_invalid_input_exits_with_2() -> None:
    assert _raise(InvalidInput("k must be positive")).exit_code == 2


def test_an_error_of_the_driver_is_translated() -> None:
    result = _raise(psycopg.errors.DiskFull("could not extend file"))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: could not extend file: the disk of the database")


def test_an_interrupt_exits_with_130() -> None:
    result = _raise(KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (130, "error: interrupted\n")


def test_a_bug_is_one_line_unless_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _raise(ZeroDivisionError("division by zero"))
    assert result.exit_code == 1
    assert result.stderr == (
        "error: ZeroDivisionError: division by zero (this is a bug; SMARTDB_DEBUG=1 shows where)\n"
    )
    monkeypatch.setenv("SMARTDB_DEBUG", "1")
    assert isinstance(_raise(ZeroDivisionError("x")).exception, ZeroDivisionError)


def test_a_reader_that_goes_away_is_not_an_error(new_home: Path) -> None:
    command = [sys.executable, "-m", "smartdb", "doctor", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_module_can_be_run() -> None:
    command = [sys.executable, "-m", "smartdb", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == f"{smartdb.__version__}\n"
