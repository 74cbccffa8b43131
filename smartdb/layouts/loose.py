"""Formats whose pictures are files of their own, beside documents with the labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from smartdb import formats
from smartdb.export_plan import Part, Plan
from smartdb.export_work import Done, Work
from smartdb.formats.base import Annotation, Picture, Problem
from smartdb.layouts import pictures


@dataclass(frozen=True)
class Loose:
    """A format, the folder of its pictures, what it calls one, and the path of its document.

    In ``folder``, ``name`` and ``document`` stand {split} and {name}. A document that is called
    after its split is written for each; one that is "" is the folder of the export itself.
    """

    format: str
    folder: str
    name: str
    document: str

    IS_SHARDED: ClassVar[bool] = False

    def check(self, plan: Plan) -> None:
        """Any export will do."""

    def write(self, work: Work, part: Part) -> Done:
        """Writes pictures."""
        called = ((s, f"{self.folder.format(split=s.split)}/{s.name}")
                  for s in work.samples(part, self._name))  # fmt: skip
        done = pictures.write(work, called)
        if work.plan.pictures == "none":
            done.paths = [self.document.format(split=part.split) or "."]
        return done

    def finish(self, work: Work) -> Done:
        """Writes the documents."""
        done, folder = Done(), work.scratch / "documents"
        splits = list(work.plan.splits) if "{split}" in self.document else [None]
        for split in splits:
            path = folder / self.document.format(split=split)
            path.parent.mkdir(parents=True, exist_ok=True)
            done.tell(self._write(work, path, split))
        done.files = work.put_all(folder)
        return done

    def _write(self, work: Work, path: Path, split: str | None) -> list[Problem]:
        def every() -> Iterator[tuple[Picture, tuple[Annotation, ...]]]:
            for sample in work.every(self._name, split):
                yield sample.picture(self._name(sample.split, sample.name)), sample.labels

        return formats.load(self.format).write(
            path,
            (picture for picture, _ in every()),
            (label for _, labels in every() for label in labels),
            work.plan.classes,
        )

    def _name(self, split: str, name: str) -> str:
        return self.name.format(split=split, name=name)


COCO = Loose("coco", "images/{split}", "{name}", "annotations/instances_{split}.json")
YOLO = Loose("yolo", "images/{split}", "{split}/{name}", "")
VOC = Loose("voc", "JPEGImages", "{name}", "")
CVAT = Loose("cvat", "images/{split}", "{split}/{name}", "annotations.xml")
LABEL_STUDIO = Loose("label_studio", "images/{split}", "images/{split}/{name}", "tasks.json")
