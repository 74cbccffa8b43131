"""Why a connection was refused, as one error that names the database and the next step."""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg

from smartdb.errors import AccessDenied, DatabaseUnreachable, SmartdbError

_Refusal = tuple[str, type[SmartdbError], str]

_REFUSALS: list[_Refusal] = [
    (
        r"password authentication failed|no password supplied",
        AccessDenied,
        (
            "{host} refuses the password of user {user} (or it is missing); "
            "give the right one in SMARTDB_DATABASE_URL, percent-encoded, or in ~/.pgpass"
        ),
    ),
    (
        r'role ".*" does not exist',
        AccessDenied,
        "{host} has no user {user}; correct the user in SMARTDB_DATABASE_URL",
    ),
    (
        r"not permitted to log in",
        AccessDenied,
        "user {user} may not log in at {host}; let an administrator run: alter role {user} login",
    ),
    (
        r'database ".*" does not exist',
        DatabaseUnreachable,
        "{host} has no database {dbname}; create it there, then run: smartdb init",
    ),
    (
        r"permission denied for database",
        AccessDenied,
        (
            "user {user} may not connect to database {dbname} at {host}; "
            "let an administrator run: grant connect on database {dbname} to {user}"
        ),
    ),
    (
        r"no pg_hba.conf entry",
        AccessDenied,
        (
            "{host} lets nobody in as user {user} to database {dbname} from here (pg_hba.conf); "
            "ask its administrator, or add ?sslmode=require to SMARTDB_DATABASE_URL"
        ),
    ),
    (
        r"starting up|in recovery|recovery|not yet accepting|shutting down",
        DatabaseUnreachable,
        "the server at {host} is starting, recovering or stopping; wait a little and run again",
    ),
    (
        r"too many clients|too many connections|connection slots",
        DatabaseUnreachable,
        "the server at {host} has no free connection; close some, or raise its max_connections",
    ),
    (
        r"failed to resolve|translate host name|not known|No address associated|nodename",
        DatabaseUnreachable,
        "there is no host {host}; correct the host in SMARTDB_DATABASE_URL",
    ),
    (
        r"Connection refused|No such file or directory",
        DatabaseUnreachable,
        "no server listens at {host}; start it, or correct SMARTDB_DATABASE_URL",
    ),
    (
        r"timeout|timed out",
        DatabaseUnreachable,
        (
            "the server at {host} does not answer; check the host in SMARTDB_DATABASE_URL, "
            "the network and its firewall"
        ),
    ),
]

NOT_A_URL = (
    "SMARTDB_DATABASE_URL is not a valid address; it looks like "
    "postgresql://user:password@host:5432/database, where special characters in the password are "
    "percent-encoded (@ is %40, / is %2F)"
)


def explain(error: psycopg.Error, where: Mapping[str, str]) -> SmartdbError:
    """The error to show for a refused connection; ``where`` has host, user and dbname."""
    text = str(error)
    for pattern, kind, message in _REFUSALS:
        if re.search(pattern, text):
            return kind(message.format_map(where))
    last = text.strip().splitlines()[-1] if text.strip() else type(error).__name__
    return DatabaseUnreachable(
        f"cannot connect to database {where['dbname']} at {where['host']}: {last}"
    )
