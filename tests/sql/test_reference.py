"""The generated pages are what would be generated now, and everything has a comment."""

from __future__ import annotations

from pathlib import Path

import click
import psycopg

from smartdb import cli, reference

DOCS = Path(__file__).parents[2] / "docs"

UNCOMMENTED = """
with ours as (
    select c.* from pg_class as c
    where c.relnamespace in ('core'::regnamespace, 'smartdb'::regnamespace)
        and c.relkind in ('r', 'p', 'v', 'm', 'S')
)
select 'schema ' || n.nspname from pg_namespace as n
where n.nspname in ('core', 'smartdb') and obj_description(n.oid, 'pg_namespace') is null
union all
select 'relation ' || o.oid::regclass from ours as o
where obj_description(o.oid, 'pg_class') is null
    and not exists ( -- the sequence of an identity column is told there
        select from pg_depend as d
        where d.objid = o.oid and d.deptype = 'i' and o.relkind = 'S')
union all
select format('column %s.%s', o.oid::regclass, a.attname) from ours as o
join pg_attribute as a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
where o.relkind <> 'S' and col_description(o.oid, a.attnum) is null
union all
select 'routine ' || p.oid::regprocedure from pg_proc as p
where p.pronamespace in ('core'::regnamespace, 'smartdb'::regnamespace)
    and obj_description(p.oid, 'pg_proc') is null
order by 1
"""


def test_everything_in_the_database_has_a_comment(database: str) -> None:
    with psycopg.connect(database) as conn:
        assert [row[0] for row in conn.execute(UNCOMMENTED.encode())] == []


def test_what_has_no_comment_is_found(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("create view smartdb.bare as select 1 as one")
        conn.execute("create sequence core.bare")
        conn.execute("create function smartdb.mute() returns int return 1")
        found = [row[0] for row in conn.execute(UNCOMMENTED.encode())]
    assert found == [
        "column smartdb.bare.one",
        "relation core.bare",
        "relation smartdb.bare",
        "routine smartdb.mute()",
    ]


def test_the_page_of_the_schema_is_not_stale(database: str) -> None:
    with psycopg.connect(database) as conn:
        page = reference.schema_page(conn)
    assert (DOCS / "schema.md").read_text(encoding="utf-8") == page, "run: make docs"


def test_the_page_of_the_command_line_is_not_stale() -> None:
    page = reference.cli_page(cli.main)
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == page, "run: make docs"


def test_the_page_of_the_schema_tells_new_views_and_leaves_encoders_out(database: str) -> None:
    with psycopg.connect(database) as conn:
        before = reference.schema_page(conn)
        conn.execute("select core.add_encoder('tiny', 3)")
        assert reference.schema_page(conn) == before
        conn.execute("create view smartdb.zoo as select 1 as one")
        conn.execute("comment on view smartdb.zoo is 'Animals.'")
        conn.execute("comment on column smartdb.zoo.one is 'The | only.'")
        assert (
            "### zoo\n\nAnimals.\n\n| column | type | meaning |\n|---|---|---|\n"
            "| `one` | integer | The \\| only. |\n\n## Functions"
        ) in reference.schema_page(conn)


def test_the_page_of_the_command_line_has_every_command_and_none_that_is_hidden() -> None:
    @click.group()
    def zoo() -> None:
        """Animals."""

    @zoo.command()
    @click.option("--n", help="How many.")
    def feed(n: str) -> None:
        """Feed them."""

    @zoo.command(hidden=True)
    def secret() -> None:
        """Not told."""

    page = reference.cli_page(zoo)
    assert "## smartdb feed\n\n```text\nUsage: smartdb feed [OPTIONS]\n\n  Feed them." in page
    assert "Not told" not in page
