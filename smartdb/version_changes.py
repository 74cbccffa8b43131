"""How the members of a dataset are to change: found first, where nothing else can be written."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from smartdb.errors import InvalidInput, SmartdbError, UseRefused, translated
from smartdb.sealed import rows
from smartdb.statements import statement
from smartdb.version_plan import Plan

_OF_THE_QUERY = ("22", "25006", "42", "57014", "0A", "54")  # SQLSTATEs and their classes
_SHOWN = 5
_STRATIFIED = (
    "stage_groups", "find_items", "analyse_items", "find_strata", "assign", "settle",
    "move_joined", "drop_unchanged", "unstage",
)  # fmt: skip


def find_changes(
    conn: psycopg.Connection[Any], plan: Plan, revision: int, timeout_s: float, leave_out: bool
) -> dict[str, int]:
    """Stages what differs from the newest version; how many were left out, and of a batch how many
    have no label. InvalidInput for a query that fails, writes or takes too long, and for ids that
    cannot be members; UseRefused as `settle_refused`."""
    values = {**vars(plan), "revision": revision}
    stage(conn, plan)
    conn.commit()  # so that what is set for the next transaction ends with it
    try:
        with translated(), conn.transaction():
            conn.execute("set transaction read only")  # a temporary table may be written even so
            limit = {"milliseconds": str(max(1, round(1000 * timeout_s)))}
            conn.execute(statement("datasets", "limit_time"), limit)
            conn.execute(statement("datasets", "join_in_order"))
            conn.execute(_for_members(plan.query), values)
    except SmartdbError as error:
        raise _explained(error, plan.query) from error
    conn.execute(statement("datasets", "analyse"))
    _follow_labels(conn, values)
    counts = settle_refused(conn, plan, leave_out)
    if plan.stratify:
        for name in _STRATIFIED:
            conn.execute(statement("splits", name), values)
    conn.execute(statement("datasets", "analyse"))
    _refuse_unfit(conn, values)
    if plan.batch_id is not None:
        ((counts["unlabelled"],),) = rows(conn, "n_not_members", values)
    return counts


def find_restored(
    conn: psycopg.Connection[Any], plan: Plan, revision: int, leave_out: bool
) -> dict[str, int]:
    """Stages what differs from the parent version, in which all are as they were then; how many
    were left out because of their terms, and how many because they are hidden or erased."""
    stage(conn, plan)
    conn.commit()
    with translated(), conn.transaction():
        conn.execute(statement("datasets", "join_in_order"))
        conn.execute(statement("datasets", "find_restored"), vars(plan))
    if plan.newest is not None:
        conn.execute(statement("datasets", "find_touched"), {**vars(plan), "revision": revision})
    conn.execute(statement("datasets", "analyse"))
    ((hidden,),) = rows(conn, "n_hidden", vars(plan))
    return {**settle_refused(conn, plan, leave_out), "hidden": hidden}


def stage(conn: psycopg.Connection[Any], plan: Plan) -> None:
    """Makes the temporary tables, and lists the media whose terms refuse the purpose."""
    conn.execute(statement("datasets", "stage"))
    conn.execute(statement("datasets", "find_refused"), vars(plan))
    conn.execute(statement("datasets", "analyse_refused"))


def is_same(conn: psycopg.Connection[Any], plan: Plan) -> bool:
    """Whether the version to be would equal the newest: no change of members, labels or purpose."""
    if plan.newest is None or plan.is_restated:
        return False
    ((same,),) = rows(conn, "is_same", {})
    return bool(same)


def settle_refused(conn: psycopg.Connection[Any], plan: Plan, leave_out: bool) -> dict[str, int]:
    """Leaves out the media whose terms refuse the purpose, or names them: UseRefused."""
    if plan.purpose is None:
        return {}
    found = rows(conn, "refused", {})
    n = found[0][0] if found else 0
    if n and not leave_out:
        some = "; ".join(f"media {media_id}: {reason}" for _, media_id, reason in found)
        raise UseRefused(
            f"{n} media do not allow {plan.purpose!r} ({some}{'; ...' if n > len(found) else ''}); "
            f"see: smartdb terms refused {plan.purpose}; state terms: smartdb source set, "
            "smartdb terms set; or leave them out: --leave-out-refused"
        )
    conn.execute(statement("datasets", "leave_out"))
    return {"left_out": n}


def _follow_labels(conn: psycopg.Connection[Any], values: dict[str, Any]) -> None:
    """Drops what comes without a label of the ontology, and what has lost the last of them."""
    conn.commit()
    with translated(), conn.transaction():
        conn.execute(statement("datasets", "scan_in_order"))
        conn.execute(statement("datasets", "find_unclassified"), values)
    conn.execute(statement("datasets", "analyse_unclassified"))
    conn.execute(statement("datasets", "drop_unlabelled"), values)
    if values["newest"] is not None:
        conn.execute(statement("datasets", "find_touched"), values)
        conn.execute(statement("datasets", "end_unlabelled"), values)


def _refuse_unfit(conn: psycopg.Connection[Any], values: dict[str, Any]) -> None:
    if not values["ids"]:
        return
    asked = values | {"ids": [*values["ids"]]}
    found = [media_id for (media_id,) in rows(conn, "not_members", asked)]
    if found:
        some = ", ".join(map(str, found[:_SHOWN])) + (", ..." if len(found) > _SHOWN else "")
        raise InvalidInput(
            f"{len(found)} media cannot be added ({some}): no such media, or no label of the "
            "ontology, or their terms refuse the purpose"
        )


def _for_members(query: str) -> sql.Composed:
    """The statement that finds the members, with the condition as a part of it."""
    condition = sql.SQL(query.replace("%", "%%"))
    return statement("datasets", "find_changes").format(query=condition)


def _explained(error: SmartdbError, query: str) -> SmartdbError:
    """The error as one of the query, if Postgres blames the query."""
    cause = error.__cause__
    if isinstance(cause, psycopg.Error) and (cause.sqlstate or "").startswith(_OF_THE_QUERY):
        return InvalidInput(f"the query {query!r} does not work: {cause.diag.message_primary}")
    return error
