"""Rows made from a seed: skewed classes, clustered vectors, spread-out statistics."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

DECAY = {"centres": 0.55, "noise": 0.65}  # of the spread over its directions

REFERENCE = """
insert into core.actor (name, kind)
values ('folder', 'import'), ('reviewer', 'person'), ('writer', 'person');
insert into core.source (name, uri) values ('bench', 'file:///bench');
insert into core.run (kind, code_version) values ('bench', '0');
insert into core.ontology (name) values ('bench');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'bench');
insert into core.class (ontology_id, name, version_from)
select 1, 'class ' || i, 1 from generate_series(1, 100) as i;
insert into core.dataset (name, ontology_id) values ('bench', 1)
"""

MEDIA = """
select
    sha256(int8send(i)) as sha256, 'image' as kind, 'image/jpeg' as mime,
    (50000 + i % 9973)::bigint as n_bytes, 640 as width, 480 as height,
    timestamptz '2026-01-01' + i * interval '1 minute' as captured_at,
    hashint8extended(i, 1)::bit(64) as phash,
    'scene ' || i / 4 as group_key,
    '{{"Make": "Canon", "FNumber": 2.8}}'::jsonb as exif,
    jsonb_build_object('site', 's' || hashint8(i) % 500, 'weather', 'sun') as attributes,
    1::bigint as run_id
from generate_series(1, {}) as i
"""

LOCATION = """
select media_id, 1::bigint as source_id, 'file:///bench/train/' || media_id || '.jpg' as uri,
    n_bytes, timestamptz '2026-01-01' as modified_at
from core.media
"""

QUALITY = """
select media_id, u as brightness, u * 0.3::real as contrast, 1::real - u as sharpness,
    u * 7::real as entropy, u * 50::real as colourfulness
from core.media, lateral (
    select ((hashint8extended(media_id, 7) & 1048575) / 1048576.0)::real as u
) as q
"""

LABEL = """
select
    m.media_id, 1 + floor(100 * power(u.share, 3))::bigint as class_id,
    case j when 0 then 'classification' else 'box' end as kind,
    case j when 0 then null else 10.0 * j end::double precision as x,
    case j when 0 then null else 20.0 end::double precision as y,
    case j when 0 then null else 100.0 end::double precision as w,
    case j when 0 then null else 80.0 end::double precision as h,
    'import' as origin, 1::bigint as actor_id, 1::bigint as run_id
from core.media as m
cross join generate_series(0, 2) as j
cross join lateral (
    select (hashint8extended(m.media_id * 4 + j, 3) & 1048575) / 1048576.0 as share
) as u
"""


@dataclass(frozen=True)
class Mixture:
    """Gaussian centres with noise around each, as hard to search as features of real pictures.

    Both are spread widely in few directions and little in most, as real features are: the local
    dimension (20 neighbours) is about 21 among 3,000 vectors and within a cluster of 500; it is 20
    for the SqueezeNet features of 3,000 pictures. With the same spread in all directions it is 88,
    where no index of this kind finds much.
    """

    n: int
    dim: int = 512
    centres: int = 2000
    seed: int = 7

    def chunks(self, rows: int = 50_000) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Ids (m,) int64, 1 to n, and unit vectors (m, dim) float32, chunk by chunk.

        The centre of id i is i * 7919 % centres, so that SQL can name a cluster.
        """
        for start in range(0, self.n, rows):
            ids = np.arange(start + 1, min(start + rows, self.n) + 1, dtype=np.int64)
            yield ids, self._around(ids * 7919 % self.centres, self.seed + 1 + start)

    def queries(self, n: int) -> NDArray[np.float32]:
        """Unit vectors (n, dim) float32 of the same mixture that are not among the chunks."""
        some = np.random.default_rng(self.seed).integers(self.centres, size=n)
        return self._around(some, self.seed + 99_999_999)

    def _around(self, centre: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        fixed, rng = np.random.default_rng(self.seed), np.random.default_rng(seed)
        centres = self._spread(fixed, self.centres, DECAY["centres"])
        drawn = centres[centre] + 0.7 * self._spread(rng, len(centre), DECAY["noise"])
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        return drawn

    def _spread(self, rng: np.random.Generator, n: int, decay: float) -> NDArray[np.float32]:
        width = np.arange(1, self.dim + 1, dtype=np.float32) ** -decay
        width *= np.sqrt(self.dim / (width**2).sum())
        return width * rng.standard_normal((n, self.dim), dtype=np.float32)


def spool(conn: psycopg.Connection[Any], query: str) -> Any:
    """A temporary file with the rows of a query as binary COPY wants them."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the caller reads it)
    copying = sql.SQL("copy ({}) to stdout (format binary)").format(sql.SQL(query))
    with conn.cursor() as cur, cur.copy(copying) as copy:
        for block in copy:
            file.write(block)
    return file


def pour(conn: psycopg.Connection[Any], file: Any, table: str, columns: str) -> None:
    """Copies a spooled file into a table."""
    file.seek(0)
    target = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(*table.split(".")), sql.SQL(columns)
    )
    with conn.cursor() as cur, cur.copy(target) as copy:
        while block := file.read(1 << 20):
            copy.write(block)
