"""WebDataset: a tar of pictures and what is said of them for each part of a split."""

from __future__ import annotations

from typing import ClassVar

from smartdb.errors import InvalidInput
from smartdb.export_plan import Part, Plan
from smartdb.export_work import Done, Work
from smartdb.formats import webdataset_writer as writer


class WebDataset:
    """train-000000.tar, ... and classes.txt."""

    IS_SHARDED: ClassVar[bool] = True

    def check(self, plan: Plan) -> None:
        """InvalidInput unless pictures are copied: shards are read on their own."""
        if plan.pictures != "copy":
            raise InvalidInput("WebDataset shards carry their pictures; copy them")

    def write(self, work: Work, part: Part) -> Done:
        """Writes a shard."""
        path, done = f"{part.split}-{part.shard:06d}.tar", Done()
        found = work.carried(work.samples(part, lambda _, name: name))
        said = ((sample.picture(sample.name, data), sample.labels) for sample, data in found)
        made = work.scratch / path
        kept, problems = writer.write_shard(made, said, writer.numbers_of(work.plan.classes))
        done.tell(problems)
        done.files = [work.put(path, made)]
        done.media_ids = [int(each.where.removeprefix("media ")) for each in kept]
        done.paths = [path]
        return done

    def finish(self, work: Work) -> Done:
        """Writes the list of classes."""
        numbers = writer.numbers_of(work.plan.classes)
        text = "".join(f"{name}\n" for name in numbers).encode()
        return Done([work.put(writer.CLASSES, text)] if numbers else [])


WEBDATASET = WebDataset()
