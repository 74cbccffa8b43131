"""Variants as media: made once, in the group of their original, hidden and erased with it."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image

from smartdb import contents, datasets, recipes, variants, walk
from smartdb.errors import Conflict, InvalidInput, NotFound

pytest.importorskip("torchvision")
Connection = psycopg.Connection[Any]

WORLD = """
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'two');
insert into core.class (ontology_id, name, version_from) values (1, 'disc', 1), (1, 'square', 1);
insert into core.actor (name, kind) values ('file', 'import'), ('net', 'model');
insert into core.label (media_id, class_id, kind, origin, actor_id)
select m.media_id, 1 + m.media_id % 2, 'classification', 'import', 1 from core.media as m;
insert into core.label (media_id, class_id, kind, x, y, w, h, origin, actor_id)
select m.media_id, 1, 'box', 8, 8, 30, 20, 'import', 1 from core.media as m
union all select 1, 2, 'box', 1, 1, 5, 5, 'model', 2;
insert into core.media_subject (media_id, subject_key) values (2, 'ana');
update core.media set group_key = 'scene' where media_id = 3;
insert into core.duplicate (media_id, group_id, run_id) values (4, 4, 1), (5, 4, 1);
"""
TURN = [
    {"transform": "RandomAffine", "arguments": {"degrees": 15}},
    {"transform": "ColorJitter", "arguments": {"brightness": 0.4}},
]
PASTE = [{"transform": "CopyPaste", "arguments": {"n": 2}}]


@pytest.fixture
def pictures(
    owner: Connection, conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Media 1 to 6 of 64 x 48 pixels, each with a class and a box; recipes turn and paste."""
    monkeypatch.setenv("SMARTDB_STORE", str(tmp_path / "store"))
    owner.execute("insert into core.run (kind, code_version) values ('ingest', '0')")
    owner.execute("insert into core.source (name, uri) values ('drawn', 'file:///drawn')")
    rng = np.random.default_rng(0)
    for media_id in range(1, 7):
        path = tmp_path / f"{media_id}.png"
        Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8)).save(path)
        values = [hashlib.sha256(path.read_bytes()).digest(), walk.uri_of(str(path).encode())]
        owner.execute(
            "with new as (insert into core.media"
            " (sha256, kind, mime, n_bytes, width, height, run_id)"
            " values (%s, 'image', 'image/png', 1, 64, 48, 1) returning media_id)"
            " insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)"
            " select media_id, 1, %s, 1, now() from new",
            values,
        )
    owner.execute(WORLD.encode())
    owner.commit()
    recipes.add(conn, "turn", TURN)
    recipes.add(conn, "paste", PASTE, seed=3)
    conn.commit()
    return tmp_path


@pytest.fixture
def made(pictures: Path, conn: Connection) -> dict[int, int]:
    """Variant (media 7 to 12) → media 1 to 6."""
    counts = variants.run(conn, "turn", range(1, 7))
    assert counts == dict.fromkeys(variants.COUNTS, 0) | {"added": 6}
    return dict(rows(conn, "select media_id, parent_media_id from smartdb.augmentation"))


def rows(conn: Connection, query: str, *values: Any) -> list[Any]:
    """The rows of a query, those of one column as values."""
    found = conn.execute(query.encode(), values).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def groups(conn: Connection) -> dict[int, str]:
    """The group of each media in splits."""
    return dict(rows(conn, "select media_id, split_group from smartdb.split_group"))


def test_a_variant_is_a_media_with_lineage_and_propagated_labels(
    made: dict[int, int], conn: Connection, pictures: Path
) -> None:
    (first,) = (variant for variant, parent in made.items() if parent == 1)
    (row,) = rows(
        conn,
        "select kind, parent_media_id, recipe, source, uri from smartdb.media where media_id = %s",
        first,
    )
    kind, parent, how, source, uri = row
    assert (kind, parent, source) == ("image", 1, "drawn")
    assert (how["step"], how["recipe"], how["pipeline"]) == ("augment", "turn", TURN)
    assert how["labels"] == {"given": 2, "kept": 2}
    assert Path(walk.path_of(uri).decode()).is_relative_to(pictures / "store")
    query = "select kind, class, origin, actor from smartdb.label where media_id = %s order by 1"
    said = [("box", "disc"), ("classification", "square")]
    assert rows(conn, query, first) == [(*each, "propagated", "file") for each in said]
    steps = "select step from smartdb.lineage(%s)"
    assert {"parent", "label", "added"} <= set(rows(conn, steps, first))
    assert "child" in rows(conn, steps, 1)
    from smartdb import augment
    from smartdb.copy_paste import Sample

    original = Sample(contents.load_rgb(contents.find(conn, 1)), ())
    again = augment.apply(original, recipes.build(how["pipeline"]), how["seed"]).picture
    assert contents.load_rgb(contents.find(conn, first)).tobytes() == again.tobytes()


def test_the_same_again_adds_nothing_and_more_variants_only_the_new(
    made: dict[int, int], conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(made) == 6
    more = variants.run(conn, "turn", [1, 2], n=2)
    assert (more["added"], more["known"]) == (2, 2)
    monkeypatch.setattr(contents, "load_rgb", None)
    again = variants.run(conn, "turn", [1, 2], n=2)
    assert (again["known"], sum(again.values())) == (4, 4)
    assert rows(conn, "select count(*) from core.run where kind = 'augment'") == [2]


@pytest.mark.usefixtures("made")
def test_variants_stay_in_the_group_of_their_original_over_any_number_of_steps(
    conn: Connection,
) -> None:
    variants.run(conn, "turn", range(7, 13))
    chain = dict(rows(conn, "select media_id, parent_media_id from smartdb.augmentation"))
    found = groups(conn)
    assert len(found) == 18
    assert all(found[variant] == found[parent] for variant, parent in chain.items())
    assert found[4] == found[5]
    assert {found[i] for i in chain if found[i] == found[3]} == {"group scene"}
    conn.execute("update core.media set group_key = 'later' where media_id = 1")
    found = groups(conn)
    assert sum(group == "group later" for group in found.values()) == 3
    kin = dict(rows(conn, "select copy_id, media_id from core.kin()"))
    assert kin == chain


@pytest.mark.usefixtures("made")
def test_variants_are_in_the_split_of_their_original(conn: Connection) -> None:
    query = (
        "select a.media_id from smartdb.augmentation as a"
        " join smartdb.split_group as v on v.media_id = a.media_id"
        " join smartdb.split_group as p on p.media_id = a.parent_media_id"
        " where smartdb.split_of(v.split_group, %s) <> smartdb.split_of(p.split_group, %s)"
    )
    assert all(rows(conn, query, seed, seed) == [] for seed in range(20))
    variants.run(conn, "turn", range(7, 13), n=2)
    conn.execute("insert into core.actor (name, kind) values ('ana', 'person')")
    conn.execute(  # what is propagated does not count until a person says it
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " select m.media_id, 1 + m.media_id % 2, 'human', a.actor_id"
        " from smartdb.media as m, core.actor as a where a.name = 'ana'"
    )
    conn.commit()
    version = datasets.create_version(conn, "all", ontology="things", query="true", seed=4)
    split = dict(
        rows(conn, "select media_id, split from smartdb.dataset_item where dataset = 'all'")
    )
    chain = rows(conn, "select media_id, parent_media_id from smartdb.augmentation")
    assert len(split) == 24
    assert all(split[v] == split[p] for v, p in chain)
    assert len(set(split.values())) > 1
    assert rows(conn, "select * from smartdb.split_leak('all', %s)", version.version) == []


def test_variants_of_a_hidden_media_are_hidden_until_it_is_seen_again(
    made: dict[int, int], conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    variants.run(conn, "turn", list(made))
    family = {1} | {v for v, p in made.items() if p == 1}
    children = "select media_id from smartdb.augmentation where parent_media_id = any (%s)"
    family |= set(rows(conn, children, list(family)))
    officer, reader = as_role("smartdb_privacy"), as_role("smartdb_reader")
    officer.execute("insert into core.restriction (media_id, reason) values (1, 'consent')")
    officer.commit()
    seen = "select media_id from smartdb.media where media_id = any (%s)"
    assert len(family) == 3
    assert rows(reader, seen, list(family)) == []
    assert rows(reader, children, list(family)) == []
    reader.rollback()
    with pytest.raises(InvalidInput, match="no images or frames"):
        variants.run(conn, "turn", [1])
    conn.rollback()
    officer.execute("delete from core.restriction where media_id = 1")
    officer.commit()
    assert set(rows(reader, seen, list(family))) == family


def test_variants_are_erased_with_their_original_and_do_not_come_again(
    made: dict[int, int], conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    from smartdb import erasure

    officer = as_role("smartdb_privacy")
    erasure.erase(officer, subject="ana", reason="asked")
    variant = next(v for v, p in made.items() if p == 2)
    gone = "select media_id from smartdb.tombstone order by 1"
    assert rows(officer, gone) == [2, variant]
    assert rows(conn, "select count(*) from core.augmentation") == [5]
    officer.rollback()
    other = next(v for v, p in made.items() if p == 3)
    erasure.erase(officer, media_ids=[other], reason="asked")
    counts = variants.run(conn, "turn", [3])
    assert (counts["erased"], counts["added"]) == (1, 0)


@pytest.mark.usefixtures("made")
def test_a_label_of_the_parent_that_changes_makes_its_variant_stale(conn: Connection) -> None:
    stale = "select parent_media_id from smartdb.augmentation where is_stale"
    assert rows(conn, stale) == []
    conn.execute("update core.label set rev_to = 0 where media_id = 5 and kind = 'box'")
    assert rows(conn, stale) == [5]


def test_what_was_labelled_otherwise_meanwhile_is_not_written(
    pictures: Path, conn: Connection, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smartdb import managed

    root = managed.root

    def changing() -> str:
        owner.execute("update core.label set rev_to = 0 where media_id = 1 and kind = 'box'")
        owner.execute("insert into core.restriction (media_id, reason) values (2, 'consent')")
        owner.commit()
        return root()

    monkeypatch.setattr(managed, "root", changing)
    counts = variants.run(conn, "turn", [1, 2, 3])
    assert (counts["changed"], counts["added"]) == (2, 1)


def test_objects_come_from_the_train_items_and_a_donor_takes_its_variants_with_it(
    pictures: Path, conn: Connection, as_role: Callable[[str], Connection]
) -> None:
    with pytest.raises(InvalidInput, match="name the dataset whose train items it may mix"):
        variants.run(conn, "paste", [1])
    conn.rollback()
    datasets.create_version(conn, "things", ontology="things", seed=1)
    train = rows(conn, "select media_id from smartdb.dataset_item where split = 'train'")
    assert 2 <= len(train) < 6
    counts = variants.run(conn, "paste", dataset="things")
    assert counts["added"] == len(train)
    donors = rows(conn, "select donor_id from smartdb.donor")
    assert set(donors) <= set(train)
    donor = donors[0]
    shown = rows(conn, "select media_id from smartdb.donor where donor_id = %s", donor)
    conn.commit()
    officer = as_role("smartdb_privacy")
    officer.execute("insert into core.restriction (media_id, reason) values (%s, 'x')", [donor])
    officer.commit()
    assert rows(conn, "select 1 from smartdb.media where media_id = any (%s)", shown) == []
    officer.execute("select core.begin_erasure('asked', 'one', '0', array[%s])", [donor])
    assert set(shown) <= set(rows(officer, "select media_id from core.tombstone"))


def test_unreadable_and_unfit_pictures_are_counted_and_nothing_is_half_written(
    pictures: Path, conn: Connection
) -> None:
    (pictures / "1.png").unlink()
    large = [{"transform": "RandomCrop", "arguments": {"size": [500, 500]}}]
    recipes.add(conn, "large", large)
    conn.commit()
    assert variants.run(conn, "turn", [1, 2])["unread"] == 1
    assert variants.run(conn, "large", [2])["unfit"] == 1
    assert rows(conn, "select count(*) from core.media") == [7]
    with pytest.raises(NotFound, match="no recipe 'none'; there are: large, paste, turn"):
        variants.run(conn, "none", [1])
    conn.rollback()
    with pytest.raises(Conflict, match="has other steps or another seed"):
        recipes.add(conn, "turn", large)


def test_the_page_runs(
    pictures: Path, conn: Connection, cli: Callable[..., Any], as_role: Callable[[str], Connection]
) -> None:
    datasets.create_version(conn, "shapes", ontology="things", seed=1)
    page = (Path(__file__).parents[2] / "docs" / "how-to-augment.md").read_text()
    commands, statements = re.findall(r"^```(?:sh|sql)\n(.*?)^```", page, re.M | re.S)
    sheet = pictures / "sheet.png"
    for line in commands.replace("\\\n", "").replace("sheet.png", str(sheet)).splitlines():
        done = cli(*shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    with Image.open(sheet) as drawn:
        assert drawn.width > 1000
    assert {r["name"] for r in json.loads(cli("recipe", "list", "--json").stdout)} > {"turn"}
    assert cli("recipe", "add", "bad", "[{").exit_code == 2
    reader = as_role("smartdb_reader")
    reader.execute("set search_path = smartdb, public")
    for statement in statements.split(";\n")[:-1]:
        reader.execute(statement.encode())


def test_the_api_lists_the_recipes(pictures: Path, database: str) -> None:
    from smartdb.api import create_app

    app = create_app(database)
    answer = app.test_client().get("/v1/recipes").json
    assert [(each["name"], each["seed"]) for each in answer["items"]] == [("paste", 3), ("turn", 0)]
    app.extensions["smartdb"].close()
