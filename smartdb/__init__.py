"""smartdb: a dataset service for computer vision, with Postgres as the system of record."""

from pathlib import Path

__version__ = "0.1.0"

_checkout = Path(__file__).parent.parent
if (_checkout / "schema" / "core").is_dir():  # in a checkout, api/ is smartdb.api, as in the wheel
    __path__.append(str(_checkout))
