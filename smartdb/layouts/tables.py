"""Tables: a row for each picture, in shards of Parquet or Arrow, as Hugging Face lays them out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from smartdb import stores, walk
from smartdb.export_plan import Part, Plan
from smartdb.export_rows import Sample
from smartdb.export_work import Done, Work, place_of
from smartdb.formats import library, picture_table
from smartdb.layouts import croissant, dataset_card

SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""What Hugging Face calls them."""

ROWS = 64
"""Rows of a group, which is read as a whole: few, as a picture is much."""


@dataclass(frozen=True)
class Tables:
    """A way to write them: the ending, the folder, and the documents beside them."""

    ending: str
    folder: str = ""
    has_card: bool = False
    has_croissant: bool = False

    IS_SHARDED: ClassVar[bool] = True

    def check(self, plan: Plan) -> None:  # noqa: ARG002
        """InvalidInput without pyarrow."""
        library("pyarrow")

    def write(self, work: Work, part: Part) -> Done:
        """Writes a shard."""
        path = f"{self.folder}{SPLITS[part.split]}-{part.shard:05d}-of-{part.n_shards:05d}"
        path = f"{path}.{self.ending}"
        made, done = work.scratch / Path(path).name, Done(paths=[path])
        names = [info.name for info in work.plan.classes]
        schema = picture_table.schema(names)
        with picture_table.writer(made, schema) as out:
            rows: list[dict[str, Any]] = []
            for sample, data in work.carried(work.samples(part, lambda _, name: name)):
                rows.append(picture_table.row(_picture(work, sample, data), sample.labels, names))
                done.media_ids.append(sample.content.media_id)
                if len(rows) == ROWS:
                    out.write_table(picture_table.table(rows, schema))
                    rows = []
            if rows:
                out.write_table(picture_table.table(rows, schema))
        done.files = [work.put(path, made)]
        return done

    def finish(self, work: Work) -> Done:
        """Writes the dataset card, and the Croissant description."""
        done = Done()
        if self.has_card:
            done.files.append(work.put("README.md", dataset_card.text(work, self.folder)))
        if self.has_croissant:
            done.files.append(work.put("croissant.json", croissant.text(work, self.folder)))
        return done


def _picture(work: Work, sample: Sample, data: bytes | None) -> picture_table.Picture:
    """The picture under its name, or that of the place where it lies."""
    name = sample.name
    if work.plan.pictures == "link":
        place = place_of(sample.content)
        name = walk.path_of(place).decode() if stores.is_local(place) else place
    return sample.picture(name, data)


PARQUET = Tables("parquet")
ARROW = Tables("arrow")
HUGGINGFACE = Tables("parquet", "data/", has_card=True)
CROISSANT = Tables("parquet", "data/", has_croissant=True)
