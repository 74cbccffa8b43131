"""What the next version of a dataset is to be: what was asked, the rest as in the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from smartdb import ontology as ontologies
from smartdb import version_members
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.sealed import DatasetVersion, find_spec, find_version, row
from smartdb.statements import statement
from smartdb.terms import checked_use

SEED, VAL, TEST = 0, 0.1, 0.2
STRATA = ("class", "none")


@dataclass(frozen=True)
class Request:
    """What a caller asks of a new version; None is: as before."""

    ontology: str | None = None
    query: str | None = None
    batch: int | None = None
    slice: str | None = None
    parent: str | None = None
    add: Sequence[int | str] = ()
    remove: Sequence[int | str] = ()
    seed: int | None = None
    val: float | None = None
    test: float | None = None
    stratify: str | None = None
    purpose: str | None = None
    encoder: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a version will be; ``newest`` is the one before it, with its revision."""

    dataset: str
    dataset_id: int | None
    ontology_id: int
    query: str
    seed: int
    val: float
    test: float
    stratify: str | None
    purpose: str | None
    encoder_id: int | None
    batch_id: int | None = None
    parent_dataset_id: int | None = None
    parent_version: int | None = None
    ontology_version: int | None = None
    ids: tuple[int, ...] = ()
    newest: int | None = None
    newest_revision: int | None = None
    newest_purpose: str | None = None
    newest_encoder_id: int | None = None
    is_resplit: bool = False

    @property
    def is_restated(self) -> bool:
        """Whether the purpose or the encoder differ from those of the newest."""
        said = (self.newest_purpose, self.newest_encoder_id)
        return (self.purpose, self.encoder_id) != said


def plan(conn: psycopg.Connection[Any], name: str, asked: Request) -> Plan:
    """The plan of the next version; InvalidInput or NotFound for what makes no sense."""
    if not name or "@" in name:
        raise InvalidInput("a dataset needs a name, without @")
    before = settings(conn, name, asked.ontology)
    source = _source(conn, name, before, asked)
    split = _split(before, asked)
    purpose = checked_use(asked.purpose) if asked.purpose else before["purpose"]
    encoder_id = _encoder_id(conn, asked.encoder) if asked.encoder else source.pop("encoder_id")
    source.pop("encoder_id", None)
    return Plan(
        **{"dataset": name, "dataset_id": before["dataset_id"], "purpose": purpose},
        **{"ontology_id": before["ontology_id"], "encoder_id": encoder_id},
        **{"newest": before["version"], "newest_revision": before["revision"]},
        **source,
        **split,
        newest_purpose=before["purpose"],
        newest_encoder_id=before["encoder_id"],
    )


def settings(conn: psycopg.Connection[Any], name: str, ontology: str | None) -> dict[str, Any]:
    """How the newest version was made; of a new dataset its ontology and nothing else."""
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement("datasets", "settings"), {"dataset": name})
        columns = [column.name for column in cursor.description or ()]
        found = cursor.fetchone()
    if found is None:
        if ontology is None:
            raise InvalidInput(
                f"dataset {name!r} is new: name the ontology of its classes: --ontology"
            )
        found = dict.fromkeys(columns)
        found |= {"ontology_id": ontologies.id_of(conn, ontology), "ontology": ontology}
    if ontology not in (None, found["ontology"]):
        raise InvalidInput(
            f"dataset {name!r} has the classes of {found['ontology']!r}, not {ontology!r}"
        )
    return found


def _source(
    conn: psycopg.Connection[Any], name: str, before: dict[str, Any], asked: Request
) -> dict[str, Any]:
    """Where the members come from: the query, and the batch or version it reads."""
    given = [asked.query, asked.batch, asked.slice, asked.parent]
    if sum(each is not None for each in given) > 1:
        raise InvalidInput("name one of query, batch, slice and version to make it from")
    found: dict[str, Any] = {"encoder_id": before["encoder_id"]}
    if asked.query is not None:
        query = asked.query
    elif asked.batch is not None:
        found["batch_id"], encoder_id = _batch(conn, asked.batch)
        found["encoder_id"] = encoder_id or before["encoder_id"]
        query = version_members.of_batch(asked.batch)
    elif asked.slice is not None:
        query = version_members.of_slice(conn, asked.slice)
    elif asked.parent is not None or asked.add or asked.remove:
        parent = _parent(conn, name, asked.parent)
        found |= {"parent_dataset_id": _dataset_id(conn, parent), "parent_version": parent.version}
        query = version_members.of_version(conn, parent.dataset, parent.version)
    else:
        query, found["batch_id"] = before["query"] or "true", before["batch_id"]
    members = version_members.changed(conn, query, asked.add, asked.remove)
    return {**found, "query": members.query, "ids": members.ids}


def _split(before: dict[str, Any], asked: Request) -> dict[str, Any]:
    """Seed, shares and strata, and whether they are others than before."""
    if asked.stratify not in (None, *STRATA):
        raise InvalidInput(
            f"splits are stratified by {' or '.join(STRATA)}, not {asked.stratify!r}"
        )
    stratify = before["stratify"] if asked.stratify is None else asked.stratify
    split = {
        "seed": _first(asked.seed, before["seed"], SEED),
        "val": _first(asked.val, before["val"], VAL),
        "test": _first(asked.test, before["test"], TEST),
        "stratify": None if stratify == "none" else stratify,
    }
    val, test = split["val"], split["test"]
    if not (val >= 0 and test >= 0 and val + test < 1):
        raise InvalidInput(f"val {val} and test {test} must be shares that leave a rest")
    is_other = any(value != before[key] for key, value in split.items())
    return {**split, "is_resplit": is_other and split["stratify"] is not None}


def _parent(conn: psycopg.Connection[Any], name: str, spec: str | None) -> DatasetVersion:
    if spec is not None:
        return find_spec(conn, spec, name)
    try:
        return find_version(conn, name)
    except NotFound as error:
        raise InvalidInput(
            f"dataset {name!r} has no version to add to or remove from; say from what: --query, "
            "--from-batch, --from-slice or --from-version"
        ) from error


def _dataset_id(conn: psycopg.Connection[Any], version: DatasetVersion) -> int:
    return int(settings(conn, version.dataset, None)["dataset_id"])


def _batch(conn: psycopg.Connection[Any], batch: int) -> tuple[int, int | None]:
    found = row(conn, "batch_encoder", {"batch": batch})
    if found is None:
        raise NotFound(f"no batch {batch}; see the view smartdb.batch_item")
    return found[0], found[1]


def _encoder_id(conn: psycopg.Connection[Any], encoder: str) -> int:
    found = row(conn, "encoder_id", {"encoder": encoder})
    if found is None:
        raise NotFound(f"no encoder {encoder!r}; see: smartdb encoders")
    return int(found[0])


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)
