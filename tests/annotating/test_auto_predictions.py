"""Predictions of files: classes and boxes with confidences, kept as such, not as labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smartdb import auto_labels, ontology, predicted_labels
from smartdb.errors import InvalidInput, NotFound

Conn = psycopg.Connection[Any]

CSV = """path,class,confidence
train/cat/1.png,cat,0.9
train/cat/1.png,dog,0.2
train/cat/2.png,dog,0.6
elsewhere/77.png,dog,0.6
"""
INSTANCES = {
    "images": [{"id": 5, "file_name": "train/dog/5.png", "width": 32, "height": 24}],
    "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
}
RESULTS = [
    {"image_id": 5, "category_id": 1, "bbox": [2, 3, 10, 12], "score": 0.8},
    {"image_id": 5, "category_id": 2, "bbox": [20, 3, 4, 4], "score": 0.25},
    {"image_id": 6, "category_id": 1, "bbox": [2, 3, 10, 12], "score": 0.8},
]


@pytest.fixture
def pets(conn: Conn) -> Conn:
    """Ten pictures without a label, and the classes cat and dog."""
    ontology.create(conn, "pets", ["cat", "dog"])
    conn.commit()
    return conn


def kept(conn: Conn) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select media_id, class, kind, x, h, round(confidence::numeric, 2)::float"
        " from smartdb.predicted_label order by predicted_label_id"
    ).fetchall()


def test_classes_of_a_table_are_kept_and_the_surest_is_proposed(pets: Conn, tmp_path: Path) -> None:
    file = tmp_path / "m7.csv"
    file.write_text(CSV)
    report = predicted_labels.import_file(pets, file, ontology="pets", source="pets")
    assert report.labels["added"] == 3
    assert report.pictures == {"found": 2, "new": 0, "missing": 1}
    assert kept(pets) == [
        (1, "cat", "classification", None, None, 0.9),
        (1, "dog", "classification", None, None, 0.2),
        (2, "dog", "classification", None, None, 0.6),
    ]
    assert pets.execute("select count(*) from core.label").fetchone() == (0,)
    again = predicted_labels.import_file(pets, file, ontology="pets", source="pets")
    assert (again.run_id, again.labels["added"], len(kept(pets))) == (report.run_id, 0, 3)
    assert report.run_id is not None
    found = predicted_labels.propose(pets, report.run_id)
    assert found.actor == "predictions m7"
    assert found.media_ids.tolist() == [1, 2]
    written = auto_labels.write(pets, found)
    assert written.counts["added"] == 0, "there is no gold"
    assert written.counts["opened"] == 2
    with pytest.raises(InvalidInput, match="classification only"):
        predicted_labels.propose(pets, report.run_id, "box")
    with pytest.raises(NotFound):
        predicted_labels.propose(pets, 1)


def test_coco_results_are_read_beside_the_file_their_ids_are_of(pets: Conn, tmp_path: Path) -> None:
    results, instances = tmp_path / "results.json", tmp_path / "instances.json"
    results.write_text(json.dumps(RESULTS))
    instances.write_text(json.dumps(INSTANCES))
    report = predicted_labels.import_file(
        pets, results, model="det", instances=instances, ontology="pets", source="pets"
    )
    assert kept(pets) == [
        (5, "dog", "box", 2.0, 12.0, 0.8),
        (5, "cat", "box", 20.0, 4.0, 0.25),
    ]
    assert report.labels["wrong"] == 1, "image 6 is none of the instances"
    (listed,) = predicted_labels.runs(pets)
    assert listed["uri"].endswith("/results.json")
    assert listed["n"] == 2
    for wrong in ("{}", "[1]", "no json"):
        results.write_text(wrong)
        with pytest.raises(InvalidInput):
            predicted_labels.import_file(pets, results, instances=instances, ontology="pets")


def test_rows_without_a_confidence_are_no_predictions(pets: Conn, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("path,class\ntrain/cat/1.png,cat\n")
    with pytest.raises(InvalidInput, match=r"1 rows of labels\.csv have no confidence"):
        predicted_labels.import_file(pets, file, ontology="pets", source="pets")
    assert kept(pets) == []


@pytest.mark.usefixtures("pets")
def test_yolo_text_with_confidences_goes_in_by_command(
    cli: Callable[..., Any], tmp_path: Path
) -> None:
    from PIL import Image

    for part in ("images", "labels"):
        (tmp_path / "y" / part).mkdir(parents=True)
    Image.new("RGB", (40, 20), "red").save(tmp_path / "y" / "images" / "a.png")
    (tmp_path / "y" / "labels" / "a.txt").write_text("0 0.5 0.5 0.5 0.5 0.75\n")
    (tmp_path / "y" / "data.yaml").write_text("names: [cat, dog]\n")
    folder = str(tmp_path / "y")
    assert cli("ingest", folder, "--workers", "1").exit_code == 0
    done = cli("predictions", "import", folder, "--ontology", "pets", "--model", "yolo")
    assert done.exit_code == 0, done.output
    run = json.loads(cli("predictions", "list", "--json").stdout)[0]
    assert (run["model"], run["n"]) == ("yolo", 1)
    told = cli("autolabel", "predictions", str(run["run_id"]), "--dry-run")
    assert told.exit_code == 0, told.output
    assert "0 gold items are too few" in told.output
