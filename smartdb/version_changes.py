"""How the members of a dataset are to change: found first, where nothing else can be written."""

from __future__ import annotations

from typing import Any

import psycopg

from smartdb import predicates, terms
from smartdb.errors import InvalidInput, UseRefused, translated
from smartdb.sealed import rows
from smartdb.statements import statement
from smartdb.version_plan import Plan

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
    with predicates.bounded(conn, plan.query, timeout_s):
        condition = predicates.checked(conn, plan.query)
        conn.execute(statement("datasets", "join_in_order"))
        conn.execute(statement("datasets", "find_changes").format(query=condition), values)
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
        raise UseRefused(
            f"{n} media do not allow {plan.purpose!r} ({terms.told(found)}); "
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
