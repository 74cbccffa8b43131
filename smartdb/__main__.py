"""``python -m smartdb`` is the command ``smartdb``."""

from smartdb.cli import main

main(prog_name="smartdb")
